"""The template holds what is open, and what is filled in is accepted as it is."""

import csv
from collections.abc import Iterable
from datetime import date
from io import StringIO

import pytest

from batchqc.actions.dispositions import reject_lot
from batchqc.actions.lots import NewSample, register_samples
from batchqc.actions.templates import Wanted, template_csv
from batchqc.core.permissions import Permission
from batchqc.documents.csv_file import csv_bytes
from batchqc.errors import BatchqcError, InvalidInput, NotFound
from tests.actions.state import counts, grown
from tests.actions.typing_results import enter, verify
from tests.actions.versions import STAGED, lot_of_stages, register, version
from tests.cast import MADE_ON
from tests.intake.files import HEADER
from tests.records.house import ANA, LOT, QA1, SAMPLES, House, adopt, good, results, signing

TRIPLICATE = (
    'accept   = "> 90"',
    'accept   = "> 90"\nreplicates = { n = 3, aggregate = "mean" }',
)
Rows = list[dict[str, str]]


def template(house: House, *lots: str, day: date | None = None, run: str = "", test: str = ""):
    before = counts(house.engine)
    with house.reading() as session:
        data = template_csv(session, house.archive, wanted=Wanted(lots, day, run, test))
    assert grown(house.engine, before) == {}
    rows = list(csv.DictReader(StringIO(data.decode("utf-8-sig"), newline="")))
    assert tuple(rows[0]) == HEADER
    assert {row[name] for row in rows for name in ("value", "measured_at", "analyst")} == {""}
    assert {row["instrument_id"] for row in rows} == {""}
    return rows


def filled(rows: Iterable[dict[str, str]]) -> bytes:
    """The template as somebody fills it: value, times, analyst; all else stays."""
    own = ("value", "started_at", "measured_at", "analyst")
    cells = [
        row | {name: good(row["analyte"]).get(name, "") for name in own}
        | ({"run_id": "R-1"} if not row["run_id"] else {})
        for row in rows
    ]  # fmt: skip
    return csv_bytes([HEADER, *([row[name] for name in HEADER] for row in cells)])


def of(rows: Rows, *names: str) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_a_lot_without_results_has_every_measured_test_of_each_sample_open(house: House):
    rows = template(house, LOT.lower())
    assert len(rows) == 2 * 10
    assert {row["sample_id"] for row in rows} == set(SAMPLES)
    first = next(row for row in rows if row["analyte"] == "kynurenine")
    assert {name: cell for name, cell in first.items() if cell} == {
        "lot_id": LOT, "sample_id": SAMPLES[0], "test_code": "IDO", "analyte": "kynurenine",
        "replicate": "1", "unit": "µmol/L", "method_id": "SOP-QC-030", "result_type": "reportable",
    }  # fmt: skip


def test_what_is_filled_and_sent_back_is_accepted_and_open_no_more(house: House):
    rows = [row for row in template(house, LOT) if row["sample_id"] == SAMPLES[0]]
    report = house.upload(filled(rows))
    assert report.reading.problems == ()
    assert len(report.reading.measurements) == 10
    assert {row["sample_id"] for row in template(house, LOT)} == {SAMPLES[1]}
    assert not [one for one in house.study().verdicts if one.blocks]


def test_the_whole_template_is_accepted_too_and_two_samples_of_one_test_are_told(house: House):
    report = house.upload(filled(template(house, LOT)))
    assert report.accepted
    assert {one.verdict.outcome for one in report.outlook} == {"CANNOT_JUDGE"}
    assert "surplus replicates" in report.outlook[0].verdict.sentence


def test_a_result_that_fails_is_a_result(house: House):
    house.upload(results(viability="12.00", CD73=None))
    rows = template(house, LOT)
    assert of(rows, "sample_id", "analyte")[:2] == [(SAMPLES[0], "CD73"), (SAMPLES[1], "CD73")]
    assert (SAMPLES[0], "viability") not in of(rows, "sample_id", "analyte")
    assert (SAMPLES[1], "viability") in of(rows, "sample_id", "analyte")


@pytest.mark.requirement("1.31")
def test_what_two_people_typed_differently_is_open_again(house: House):
    before = template(house, LOT)
    number = enter(house).number
    assert len(template(house, LOT)) == len(before) - 1
    assert not verify(house, number, "Positive")
    assert template(house, LOT) == before


def test_what_is_not_reportable_leaves_a_test_open(house: House):
    house.upload(results(viability={"result_type": "raw"}))
    assert of(template(house, LOT), "sample_id", "analyte")[0] == (SAMPLES[0], "viability")


def test_each_replicate_of_the_plan_has_a_row_under_the_version_that_is_bound(house: House):
    adopt(house, version(2, "2025-05-20", TRIPLICATE))
    lot_of_stages(house)
    rows = template(house, "MSC-26-0042", test="VIAB")
    assert of(rows, "test_code", "replicate") == [("VIAB", "1"), ("VIAB", "2"), ("VIAB", "3")]
    assert len(template(house, LOT, test="VIAB")) == len(SAMPLES)
    assert house.upload(filled(rows)).accepted


def test_samples_of_other_stages_have_the_tests_of_their_specification(house: House):
    adopt(house, STAGED)
    lot_of_stages(house, "post-thaw", "stability")
    rows = template(house, "MSC-26-0042")
    thawed = [row for row in rows if row["sample_id"] == "MSC-26-0042-S02"]
    assert of(thawed, "analyte", "method_id") == [("viability", "SOP-QC-014")]
    assert "MSC-26-0042-S03" not in {row["sample_id"] for row in rows}
    assert house.upload(filled(thawed)).accepted


def test_a_run_has_every_open_sample_that_needs_its_test(house: House):
    register(house, "MSC-26-0031", MADE_ON)
    house.upload(results())
    rows = template(house, run="VCB-260321-01", test="VIAB")
    assert of(rows, "sample_id", "run_id", "analyte") == [
        (SAMPLES[1], "VCB-260321-01", "viability"),
        ("MSC-26-0031-S01", "VCB-260321-01", "viability"),
    ]
    report = house.upload(filled(rows))
    assert {one.run.run for one in report.reading.measurements} == {"VCB-260321-01"}
    narrowed = template(house, LOT, run="VCB-260321-01", test="FLOW")
    assert {row["sample_id"] for row in narrowed} == {SAMPLES[1]}


def test_a_day_is_that_of_the_site_when_the_sample_was_taken(house: House):
    late = NewSample("MSC-26-0012-S03", "release", "vial", "2026-03-22T04:30:00+00:00")
    early = NewSample("MSC-26-0012-S04", "release", "vial", "2026-03-22T05:30:00Z")
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_samples(tx, lot=LOT, samples=[late, early])
    days = {
        day: {row["sample_id"] for row in template(house, day=date(2026, 3, day))}
        for day in (21, 22)
    }
    assert days == {21: {late.id}, 22: {early.id}}
    assert {row["sample_id"] for row in template(house, day=date(2025, 5, 20))} == set(SAMPLES)


def refusal(house: House, kind: type[BatchqcError], code: str, *lots: str, **wanted: str):
    with pytest.raises(kind) as found, house.reading() as session:
        template_csv(session, house.archive, wanted=Wanted(lots, **wanted))
    assert found.value.code == code
    return found.value


@pytest.mark.parametrize("day", [date.min, date.max])
def test_a_day_at_an_end_of_the_calendar_has_nothing_open(house: House, day: date):
    refusal(house, NotFound, "BQC-TPL-002", day=day)


def test_lots_that_are_not_registered_are_all_told(house: House):
    error = refusal(house, NotFound, "BQC-REG-012", "MSC-26-0098", LOT, "MSC-26-0099")
    assert "MSC-26-0098" in str(error)
    assert "MSC-26-0099" in str(error)


def test_a_decided_lot_has_what_is_open_where_it_is_named(house: House):
    house.upload(results(viability=None))
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
    with house.reading() as session:
        data = template_csv(session, house.archive, wanted=Wanted((LOT,), run="R-1", test="VIAB"))
    assert b",VIAB,viability," in data
    refusal(house, NotFound, "BQC-TPL-002", run="R-1", test="VIAB")


def test_a_lot_without_samples_has_nothing_open_and_that_is_told(house: House):
    register(house, "MSC-26-0031", date(2025, 5, 20))
    error = refusal(house, NotFound, "BQC-TPL-002", "MSC-26-0031")
    assert error.reasons == ("no sample of lot MSC-26-0031 is registered",)


def test_nothing_is_open_where_no_sample_needs_the_test(house: House):
    refusal(house, NotFound, "BQC-TPL-002", LOT, test="NONE")
    with pytest.raises(NotFound), house.reading() as session:
        template_csv(session, house.archive, wanted=Wanted(day=date(2024, 1, 1)))


def test_what_a_template_is_for_must_be_said(house: House):
    assert refusal(house, InvalidInput, "BQC-TPL-001").reasons == (
        "neither a lot nor a day nor a run is named",
    )
    both = refusal(house, InvalidInput, "BQC-TPL-001", run="=1+1")
    assert len(both.reasons) == 2
    for run in ("N/A", "µ-1", "x" * 41, "two words"):
        refusal(house, InvalidInput, "BQC-TPL-001", run=run, test="VIAB")
