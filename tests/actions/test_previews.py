"""A preview shows what a commit does, by the same code, and changes nothing."""

from dataclasses import replace

import pytest

from batchqc.actions.outlook import Outlook
from batchqc.actions.received import ReceivedFile
from batchqc.actions.uploads import PREVIEW, UploadReport, preview_upload
from batchqc.core.verdicts import Outcome, Verdict
from tests.actions.state import counts, grown
from tests.actions.versions import STAGED, lot_of_stages, register
from tests.cast import MADE_ON
from tests.intake.files import HEADER
from tests.records.house import GOOD, LOT, SAMPLES, House, adopt, good, results, table

SECOND = "MSC-26-0031"
ONE = ("viability",)


def preview(house: House, data: bytes) -> UploadReport:
    before = counts(house.engine)
    file = ReceivedFile(name="results.csv", size=len(data), data=data, client="tests")
    with house.reading() as session:
        report = preview_upload(session, house.archive, file=file, now=house.now())
    assert grown(house.engine, before) == {}
    return report


def only(*analytes: str, **changes: str) -> bytes:
    return results(**{one: None for one in GOOD if one not in analytes} | changes)  # type: ignore[arg-type]


def told(seen: tuple[Outlook, ...], number: str) -> list[tuple[str, str, str, str | None, str]]:
    """Everything that is said, with the number of the upload left out."""
    return [
        (
            one.lot,
            one.specification,
            one.verdict.derivation.result,
            one.verdict.outcome,
            one.verdict.sentence.replace(number, "?"),
        )
        for one in seen
    ]


def without_upload(verdict: Verdict, number: str) -> Verdict:
    return replace(
        verdict,
        sentence=verdict.sentence.replace(number, "?"),
        measurements=tuple(
            replace(one, run=replace(one.run, upload=one.run.upload.replace(number, "?")))
            for one in verdict.measurements
        ),
    )


@pytest.mark.parametrize(
    "data",
    [
        results(),
        only("viability", "CD73"),
        results(viability="89.9", endotoxin="<2"),
        only("growth_14d", growth_14d="No growth"),
        results(CD73={"replicate": "2"}),
    ],
    ids=["good", "two", "fails and cannot be judged", "words", "replicate 2"],
)
def test_a_preview_and_the_commit_agree_with_the_lot_as_it_is_then(house: House, data: bytes):
    seen = preview(house, data)
    report = house.upload(data)
    assert (seen.number, seen.accepted) == (PREVIEW, True)
    assert told(seen.outlook, PREVIEW) == told(report.outlook, report.number)
    assert seen.reading.dialect == report.reading.dialect
    assert [one.cell for one in seen.reading.parsed] == [one.cell for one in report.reading.parsed]
    then = {one.criterion.id: one for one in house.study().verdicts}
    for one in seen.outlook:
        recorded = then[one.verdict.criterion.id]
        assert without_upload(one.verdict, PREVIEW) == without_upload(recorded, report.number)


def test_only_criteria_that_the_file_touches_are_shown(house: House):
    seen = preview(house, only("viability", "CD73")).outlook
    assert {one.verdict.criterion.id for one in seen} == {"viability", "cd73"}
    assert {one.verdict.outcome for one in seen} == {Outcome.PASS}
    assert [one.verdict.derivation.result for one in seen] == ["97.90", "93.40"]


@pytest.mark.requirement("3.06")
def test_a_second_result_is_foretold_to_be_no_result(house: House):
    first = house.upload(only("viability"))
    assert [one.verdict.outcome for one in first.outlook] == [Outcome.PASS]
    again = only("viability", viability={"value": "95.0", "run_id": "VCB-2"})
    seen = preview(house, again)
    assert [one.verdict.outcome for one in seen.outlook] == [Outcome.CANNOT_JUDGE]
    assert "two results, no authorised retest" in seen.outlook[0].verdict.sentence
    report = house.upload(again)
    assert told(seen.outlook, PREVIEW) == told(report.outlook, report.number)


def test_a_failure_that_is_superseded_is_foretold_to_stand(house: House):
    house.upload(only("viability", viability="85.0"))
    again = only("viability", viability="95.0")
    with house.reading() as session:
        file = ReceivedFile("r.csv", len(again), again, "tests", supersedes="Wrong cell exported")
        seen = preview_upload(session, house.archive, file=file, now=house.now())
    assert [one.verdict.outcome for one in seen.outlook] == [Outcome.CANNOT_JUDGE]
    report = house.upload(again, supersedes="Wrong cell exported")
    assert told(seen.outlook, PREVIEW) == told(report.outlook, report.number)


def test_replicates_on_record_of_another_sample_count(house: House):
    house.upload(only("CD73"))
    data = table([{"lot_id": LOT, "sample_id": SAMPLES[1]} | good("CD73") | {"run_id": "R-2"}])
    assert preview(house, data).outlook[0].verdict.outcome is Outcome.CANNOT_JUDGE


def test_a_file_with_an_error_shows_what_can_be_read_and_no_verdict(house: House):
    data = results(viability="93,40")
    for report in (preview(house, data), house.upload(data)):
        assert not report.accepted
        assert report.outlook == ()
        assert len(report.reading.parsed) == len(GOOD) - 1
        assert "viability" not in {one.analyte for one in report.reading.parsed}


def test_a_file_of_several_lots_and_stages_shows_each(house: House):
    adopt(house, STAGED)
    lot_of_stages(house, "post-thaw")
    register(house, SECOND, MADE_ON)
    rows = [
        {"lot_id": lot, "sample_id": f"{lot}-S0{sample}"} | good("viability") | {"value": value}
        for lot, sample, value in ((SECOND, 1, "91"), ("MSC-26-0042", 2, "79"), (LOT, 1, "90"))
    ]
    data = table(rows)
    seen = [(one.lot, one.stage, one.verdict.outcome) for one in preview(house, data).outlook]
    assert seen == [
        (LOT, "release", "FAIL"),
        (SECOND, "release", "PASS"),
        ("MSC-26-0042", "post-thaw", "FAIL"),
    ]
    report = house.upload(data)
    assert [(one.lot, one.stage, one.verdict.outcome) for one in report.outlook] == seen


def test_rows_that_nobody_judges_touch_no_verdict(house: House):
    data = only("viability").replace(b"reportable", b"raw")
    report = preview(house, data)
    assert report.accepted
    assert report.outlook == ()
    assert [one.result_type for one in report.reading.parsed] == ["raw"]


def test_the_same_bytes_again_are_previewed_as_they_are_answered(house: House):
    first = house.upload(results())
    seen, again = preview(house, results()), house.upload(results())
    assert (seen.number, seen.answered_before) == (again.number, True) == (first.number, True)
    assert seen.outlook == again.outlook
    assert told(seen.outlook, "") == told(first.outlook, "")


def test_what_a_file_leaves_to_the_plan_is_told(house: House):
    data = only("viability")
    short = b"\r\n".join(
        b",".join(row.split(b",")[: HEADER.index("run_id")]) for row in data.splitlines()
    )
    read = preview(house, short + b"\r\n").reading
    assert len(read.assumed) == 3
    assert read.dialect is not None
    assert (read.dialect.encoding, read.dialect.delimiter) == ("UTF-8", ",")
    assert (read.dialect.line_end, read.dialect.has_sep_line) == ("CRLF", False)
