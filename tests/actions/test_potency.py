"""From the wells of a plate to one declared measurement, and every way to bend it."""

import json
from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy import text

from batchqc.actions.certificates import content_of_certificate, the_certificate
from batchqc.actions.dispositions import Decision
from batchqc.actions.potency import fit_reasons, fit_result, fit_run, fit_value
from batchqc.actions.potency_declaring import Declared, declare
from batchqc.actions.potency_refits import refit_declaration
from batchqc.actions.recheck import recheck
from batchqc.actions.run_validity import count_runs
from batchqc.core.permissions import Permission
from batchqc.core.runs import Validity
from batchqc.core.signatures import Refusal
from batchqc.core.verdicts import Outcome, Verdict
from batchqc.errors import Conflict, InvalidInput, NotFound, NotPermitted, ReleaseBlocked
from batchqc.records.potency import all_declarations, fit_by
from tests.actions.typing_results import verify
from tests.plates import STANDARD_CURVE, curve_plate, method_file, plate, swapped
from tests.records.genealogy import clinic, shipped, vials
from tests.records.house import (
    ANA,
    BEN,
    LOT,
    QA1,
    REV,
    House,
    alone,
    good,
    results,
    signing,
    table,
)  # fmt: skip
from tests.records.laboratory import adopt_method
from tests.records.tampering import tamper, tampering

RUN = "PBMC-PLATE-1"
OWN = {"lot_id": LOT, "sample_id": f"{LOT}-S01"} | good("inhibition") | {"run_id": RUN}


def sheet(rows: Sequence[Mapping[str, str]], **changes: str) -> bytes:
    """A file with the wells of a run."""
    return table([OWN | dict(one) | changes for one in rows])


def send(house: House, rows: Sequence[Mapping[str, str]], **changes: str) -> str:
    """Upload wells: the key of their run."""
    report = house.upload(sheet(rows, **changes))
    assert report.accepted, report.reading.problems
    return f"{report.number}/{LOT}/PBMC/{changes.get('run_id', RUN)}"


def fit(house: House, run: str, *, by: str = ANA) -> str:
    """Fit a run: the number of the fit."""
    with house.acting(by, Permission.UPLOAD_RESULTS) as tx:
        return fit_run(tx, house.archive, run=run).public


def reasons(house: House, number: str) -> list[str]:
    with house.reading() as session:
        row = fit_by(session, number)
        assert row is not None
        assert bool(row.reportable) is not bool(fit_reasons(row))
        return fit_reasons(row)


def value_of(house: House, number: str) -> str:
    with house.reading() as session:
        row = fit_by(session, number)
        assert row is not None
        return fit_value(row)


def declared(
    house: House, *fits: str, value: str, unit: str = "%", by: str = ANA, password: str = ""
) -> tuple[str, str] | Refusal:
    """Declare: the numbers of the declaration and of the upload that it makes."""
    credentials = signing(by, password=password) if password else signing(by)
    with house.acting(by, Permission.UPLOAD_RESULTS) as tx:
        found = declare(
            tx, house.archive, declared=Declared(fits, value, unit), credentials=credentials,
            client="tests",
        )  # fmt: skip
        return found if isinstance(found, Refusal) else (found.public, found.upload.natural_key)


def inhibition(house: House) -> Verdict:
    return next(
        one for one in house.study().verdicts if one.criterion.subject.analyte == "inhibition"
    )


def plated(house: House, potency: float = 0.8, **changes: str) -> tuple[str, str, str]:
    """A plate is uploaded, fitted and declared: fit, declaration, upload of what was declared."""
    number = fit(house, send(house, plate(potency), **changes))
    found = declared(house, number, value=value_of(house, number))
    assert not isinstance(found, Refusal)
    return (number, *found)


@pytest.mark.requirement("3.15")
def test_a_plate_becomes_one_measurement_and_the_lot_is_released_on_it(house: House):
    adopt_method(house, method_file())
    assert house.upload(results(inhibition=None)).accepted
    run = send(house, plate(0.8))
    assert "no result for" in inhibition(house).sentence
    number = fit(house, run)
    assert reasons(house, number) == []
    value = value_of(house, number)
    assert 76 < float(value) < 84  # the sample has 80 % of the potency of the reference
    assert value.partition(".")[2].isdecimal()
    assert "no result for" in inhibition(house).sentence  # a fit is not a result
    found = declared(house, number, value=value)
    assert not isinstance(found, Refusal)
    declaration, upload = found
    assert "typed and not verified by a second person" in inhibition(house).sentence
    assert verify(house, upload, value, unit="%")
    verdict = inhibition(house)
    assert verdict.outcome is Outcome.PASS, verdict.sentence
    (one,) = verdict.measurements
    assert (one.text, one.run.run, [str(each.run) for each in one.wells]) == (
        value, declaration, [RUN],
    )  # fmt: skip
    assert isinstance(house.review(), list)
    assert isinstance(house.release(), Decision)
    with house.reading() as session:
        content = content_of_certificate(house.archive, the_certificate(session, "COA-2026-000001"))
        found_again = recheck(session, house.archive)
        notes = " ".join(content["notes"])
    assert f"computed and declared by ana ({upload}), verified by second entry by rev" in notes
    assert f"{declaration}: 4PL, one run, 95" in notes
    assert f"from {RUN} ({run.partition('/')[0]})" in notes
    assert (found_again.decisions, found_again.differences) == (1, ())
    assert house.verify().problems == ()


def test_a_value_that_is_not_declared_from_a_fit_is_not_known_to_be_valid(house: House):
    adopt_method(house, method_file())
    assert house.upload(results()).accepted  # inhibition 41.5 %, as if it had been measured
    verdict = inhibition(house)
    assert verdict.outcome is Outcome.CANNOT_JUDGE
    assert "this value was not declared from a fit" in verdict.sentence
    with pytest.raises(ReleaseBlocked):
        house.release()


@pytest.mark.requirement("7.06")
def test_reference_and_sample_that_were_swapped_are_not_suitable(house: House):
    adopt_method(house, method_file())
    number = fit(house, send(house, swapped(plate(0.5))))
    (why,) = reasons(house, number)
    assert why.startswith("reference ed50: ")
    assert why.endswith("wanted 15 to 27: not met")
    with pytest.raises(Conflict) as refused:
        declared(house, number, value=value_of(house, number))
    assert f"{number}: {why}" in refused.value.reasons
    with house.reading() as session:
        (runs,) = count_runs(session, house.archive)
    (invalid,) = runs.not_valid
    assert (invalid.validity, invalid.run.run) == (Validity.INVALID, RUN)
    assert why in invalid.reasons[0]


@pytest.mark.requirement("7.05")
def test_curves_that_are_not_parallel_are_computed_and_not_declared(house: House):
    adopt_method(house, method_file())
    number = fit(house, send(house, plate(0.8, slope=2.6)))
    assert value_of(house, number)
    assert any(one.startswith("measures not equivalent: 1") for one in reasons(house, number))
    with pytest.raises(Conflict, match="cannot be declared"):
        declared(house, number, value=value_of(house, number))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda rows: [one for one in rows if not one["aliquot"].endswith("dose=300")],
         f"run {RUN} (PBMC): RS-01 has 0 of 3 wells of dose 300"),
        (lambda rows: [rows[0] | {"value": "ND"}, *rows[1:]], '"ND" is no response'),
        (lambda rows: [rows[0] | {"aliquot": rows[0]["aliquot"].replace("-01", "-02")}, *rows[1:]],
         "preparation=RS-02 is not the reference RS-01 of the method"),
        (lambda rows: rows[:18], "no well of the sample"),
    ],
)  # fmt: skip
def test_a_plate_with_gaps_or_another_reference_is_refused_with_all_that_is_wrong(
    house: House, spoil, said: str
):
    adopt_method(house, method_file())
    report = house.upload(sheet(spoil(plate(0.8))))
    assert not report.accepted
    problems = [one for one in report.reading.problems if one.code == "E412"]
    assert any(said in one.message for one in problems), problems


def test_wells_that_came_in_before_the_method_are_fitted_and_every_gap_is_told(house: House):
    rows = [one for one in plate(0.8) if not one["aliquot"].endswith("dose=300")]
    run = send(house, rows)
    with pytest.raises(InvalidInput, match="no one method version"):
        fit(house, run)
    adopt_method(house, method_file())
    why = reasons(house, fit(house, run))
    assert why[0] == "the wells cannot be read, and nothing was computed"
    assert len(why) == 3


def test_a_perfect_fit_is_on_record_as_not_estimable(house: House):
    adopt_method(house, method_file())
    number = fit(house, send(house, [one | {"value": "50"} for one in plate(0.8)]))
    (why,) = reasons(house, number)
    assert why.startswith("nothing could be estimated")
    assert value_of(house, number) == ""
    with pytest.raises(Conflict):
        declared(house, number, value="50.0")


def test_only_the_value_of_the_fit_is_declared_and_once(house: House):
    adopt_method(house, method_file())
    number = fit(house, send(house, plate(0.8)))
    value = value_of(house, number)
    for wrong, unit in ((f"{value}0", "%"), ("95.0", "%"), (value, "1")):
        with pytest.raises(InvalidInput, match="the fits give"):
            declared(house, number, value=wrong, unit=unit)
    refused = declared(house, number, value=value, password="not mine at all")
    assert isinstance(refused, Refusal)
    with house.reading() as session:
        assert list(all_declarations(session)) == []
    assert not isinstance(declared(house, number, value=value), Refusal)
    again = fit(house, _run_of(house, number))
    for one in (number, again):
        with pytest.raises(Conflict) as twice:
            declared(house, one, value=value)
        assert any("its run is declared, by PD-2026-" in each for each in twice.value.reasons)


def _run_of(house: House, number: str) -> str:
    with house.reading() as session:
        row = fit_by(session, number)
        assert row is not None
        return row.assay_run.natural_key


def test_what_two_people_type_differently_is_void_and_declared_anew(house: House):
    adopt_method(house, method_file())
    number, _, upload = plated(house)
    value = value_of(house, number)
    assert not verify(house, upload, "12.3", unit="%")
    assert inhibition(house).outcome is Outcome.CANNOT_JUDGE
    second = fit(house, _run_of(house, number))
    found = declared(house, second, value=value)
    assert not isinstance(found, Refusal)
    assert verify(house, found[1], value, unit="%")
    assert inhibition(house).outcome is Outcome.PASS


def test_who_declared_does_not_verify(house: House):
    adopt_method(house, method_file())
    number, _, upload = plated(house)
    with pytest.raises(NotPermitted):
        verify(house, upload, value_of(house, number), unit="%", by=ANA)


def test_wells_that_are_superseded_carry_no_result(house: House):
    adopt_method(house, method_file())
    number, _, upload = plated(house)
    value = value_of(house, number)
    assert verify(house, upload, value, unit="%")
    assert inhibition(house).outcome is Outcome.PASS
    other = sheet(plate(0.9, seed=9))
    assert house.upload(other, supersedes="Wrong plate was exported").accepted
    verdict = inhibition(house)
    assert verdict.outcome is Outcome.CANNOT_JUDGE
    assert "its wells are superseded by U-2026-" in verdict.sentence
    with pytest.raises(Conflict, match="superseded"):
        fit(house, _run_of(house, number))


def test_a_well_that_is_edited_after_the_declaration_is_told(house: House):
    adopt_method(house, method_file())
    number, declaration, upload = plated(house)
    tamper(
        house.engine, "UPDATE measurement SET value = '99.99' WHERE analyte = 'signal' AND row = 5"
    )
    damaged = house.study().facts.damaged
    assert any("are not those that were uploaded" in one for one in damaged)
    with house.reading() as session:
        (row,) = all_declarations(session)
        said = refit_declaration(session, house.archive, row)
    assert any("the wells are not those that were fitted" in one for one in said)
    assert any(f": value: {value_of(house, number)[:2]}" in one for one in said)
    with pytest.raises(Conflict, match="damaged"):
        verify(house, upload, "80.0", unit="%")
    assert declaration == row.public


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE potency_declaration SET declared = replace(declared, '4PL', '5PL')",
         "of other content"),
        ("UPDATE potency_fit SET result = replace(result, 'met', 'not')", "potency_fit:"),
        ("DELETE FROM potency_source", "potency_source:"),
        ("UPDATE measurement SET value = '99.0' WHERE analyte = 'inhibition'",
         "is not the value that was declared"),
    ],
)  # fmt: skip
def test_whoever_edits_what_was_declared_is_found_out(house: House, statement: str, said: str):
    adopt_method(house, method_file())
    plated(house)
    assert house.study().facts.damaged == ()
    tamper(house.engine, statement)
    assert any(said in one for one in house.study().facts.damaged), house.study().facts.damaged
    assert house.verify().problems


def test_a_refit_says_which_number_differs_and_changes_nothing(house: House):
    adopt_method(house, method_file())
    number, _, _ = plated(house)
    with house.reading() as session:
        (row,) = all_declarations(session)
        assert refit_declaration(session, house.archive, row) == ()
        before = (row.value, row.content_sha256)
        fitted = fit_by(session, number)
        assert fitted is not None
        result = fit_result(fitted)
    result["numbers"]["e"] = repr(float(result["numbers"]["e"]) * (1 + 1e-4))
    changed = json.dumps(result, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    with tampering(house.engine) as connection:
        connection.execute(text("UPDATE potency_fit SET result = :changed"), {"changed": changed})
    with house.reading() as session:
        (row,) = all_declarations(session)
        (said,) = refit_declaration(session, house.archive, row)
        found = recheck(session, house.archive)
        assert (row.value, row.content_sha256) == before
    assert said.startswith(f"{number}: e: ")
    assert [one.said for one in found.differences] == [said]


def test_three_runs_make_one_value_and_nobody_chooses_among_them(house: House):
    more = 'runs = 3\ncombination = "geometric mean"'
    adopt_method(house, method_file(more=more))
    runs = [
        send(
            house, plate(share, seed=n), run_id=f"R-{n}", measured_at=f"2025-05-2{n}T10:00:00-05:00"
        )
        for n, share in enumerate((0.8, 0.84, 0.76), start=2)
    ]
    fits = [fit(house, one) for one in runs[:2]]
    with pytest.raises(Conflict) as refused:
        declared(house, *fits, value="80.0")
    assert list(refused.value.reasons) == [
        "the method combines 3 runs, not 2", f"{runs[2]} has wells and no fit; fit it first",
    ]  # fmt: skip
    fits.append(fit(house, runs[2]))
    with pytest.raises(Conflict) as refused:
        declared(house, *fits[:2], value="80.0")
    assert f"{runs[2]} is suitable and left out; nobody chooses among runs" in refused.value.reasons
    values = [float(_unrounded(house, one)) for one in fits]
    wanted = (values[0] * values[1] * values[2]) ** (1 / 3)
    with pytest.raises(InvalidInput, match=f"the fits give {wanted:.1f} %"):
        declared(house, *fits, value="1.0")
    found = declared(house, *fits, value=f"{wanted:.1f}")
    assert not isinstance(found, Refusal)
    assert verify(house, found[1], f"{wanted:.1f}", unit="%")
    verdict = inhibition(house)
    assert verdict.outcome is Outcome.PASS
    assert [one.run for one in verdict.measurements[0].wells] == ["R-2", "R-3", "R-4"]
    assert house.study().facts.damaged == ()


def _unrounded(house: House, number: str) -> str:
    with house.reading() as session:
        row = fit_by(session, number)
        assert row is not None
        return str(fit_result(row)["numbers"]["value"])


@pytest.mark.requirement("2.01")
def test_a_lot_with_too_little_to_quantify_fails_and_is_not_measured_until_it_passes(house: House):
    adopt_method(house, STANDARD_CURVE)
    wells = curve_plate(sample=0.1)  # as the blank: nothing is secreted
    own = {"lot_id": LOT, "sample_id": f"{LOT}-S01"} | good("kynurenine") | {"run_id": "IDO-P1"}
    report = house.upload(table([own | one for one in wells]))
    assert report.accepted, report.reading.problems
    number = fit(house, f"{report.number}/{LOT}/IDO/IDO-P1")
    assert (reasons(house, number), value_of(house, number)) == ([], "<2.0")
    with pytest.raises(InvalidInput, match=r"the fits give <2\.0 µmol/L"):
        declared(house, number, value="2.0", unit="µmol/L")
    found = declared(house, number, value="<2.0", unit="µmol/L")
    assert not isinstance(found, Refusal)
    assert verify(house, found[1], "<2.0", unit="µmol/L")
    verdict = next(
        one for one in house.study().verdicts if one.criterion.subject.analyte == "kynurenine"
    )
    assert verdict.outcome is Outcome.FAIL, verdict.sentence
    with house.reading() as session:
        assert refit_declaration(session, house.archive, all_declarations(session)[0]) == ()


def test_a_second_plate_is_a_second_result_and_nobody_may_choose(house: House):
    adopt_method(house, method_file())
    number, _, upload = plated(house, 0.15)  # a result that fails stays
    assert verify(house, upload, value_of(house, number), unit="%")
    assert inhibition(house).outcome is Outcome.FAIL
    number, _, upload = plated(house, 0.8, run_id="PBMC-PLATE-2")
    assert verify(house, upload, value_of(house, number), unit="%")
    assert inhibition(house).outcome is not Outcome.PASS


@pytest.mark.requirement("3.06")
@pytest.mark.parametrize("sample", [f"{LOT}-S01", f"{LOT}-S02"])
def test_no_lot_is_released_while_a_result_of_wells_is_left_out(house: House, sample: str):
    adopt_method(house, method_file())
    assert house.upload(results(inhibition=None)).accepted
    number, _, upload = plated(house, 0.8)
    assert verify(house, upload, value_of(house, number), unit="%")
    other = {"sample_id": sample, "run_id": "PBMC-PLATE-2"}
    run = send(house, plate(0.15), **other)
    assert isinstance(house.review(), list)
    told = f"PBMC-PLATE-2 (PBMC) of {run.partition('/')[0]}"
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    said = f"Other stages: run {told} has wells of {sample} and no fit"
    assert [one.startswith(said) for one in blocked.value.reasons] == [True]
    later = fit(house, run)
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    said = (
        f"Other stages: {later} of run {told}, {sample}, gives {value_of(house, later)} and is not"
    )
    assert [one.startswith(said) for one in blocked.value.reasons] == [True]
    found = declared(house, later, value=value_of(house, later))
    assert not isinstance(found, Refusal)
    assert verify(house, found[1], value_of(house, later), unit="%")
    assert inhibition(house).outcome is not Outcome.PASS


def test_a_plate_that_is_not_suitable_owes_nothing(house: House):
    adopt_method(house, method_file())
    assert house.upload(results(inhibition=None)).accepted
    assert reasons(house, fit(house, send(house, swapped(plate(0.4)), run_id="PBMC-PLATE-0")))
    number, _, upload = plated(house, 0.8)
    assert verify(house, upload, value_of(house, number), unit="%")
    assert isinstance(house.review(), list)
    assert isinstance(house.release(), Decision)


def test_nothing_that_is_not_there_is_fitted_or_declared(house: House):
    adopt_method(house, method_file())
    run = send(house, plate(0.8))
    for wrong in ("U-2026-000099/x/y/z", "nonsense", f"{run}x"):
        with pytest.raises(NotFound, match="there is no run"):
            fit(house, wrong)
    with (
        house.acting(ANA, Permission.UPLOAD_RESULTS) as tx,
        pytest.raises(NotFound, match="no one sample"),
    ):
        fit_run(tx, house.archive, run=run, sample=f"{LOT}-S02")
    for wrong in ("PF-2026-000099", "U-2026-000001", ""):
        with pytest.raises(NotFound, match="there is no fit"):
            declared(house, wrong, value="1")
    with pytest.raises(InvalidInput, match="no fit is named"):
        declared(house, value="1")


def test_only_an_analyst_fits_and_declares(house: House):
    adopt_method(house, method_file())
    run = send(house, plate(0.8))
    number = fit(house, run)
    with house.acting(QA1, Permission.RELEASE_LOT) as tx, pytest.raises(NotPermitted):
        fit_run(tx, house.archive, run=run)
    with house.acting(REV, Permission.REVIEW_RESULTS) as tx, pytest.raises(NotPermitted):
        declare(
            tx, house.archive, declared=Declared((number,), "80.0", "%"),
            credentials=signing(REV), client="tests",
        )  # fmt: skip


def test_a_run_that_misses_another_criterion_of_its_method_is_not_declared(house: House):
    control = """
[validity.viability]
result_type = "control"
analyte = "responders"
unit = "%"
accept = ">= 80"
"""
    adopt_method(house, method_file() + control.encode())
    wells = plate(0.8)
    responders = {
        "analyte": "responders",
        "result_type": "control",
        "aliquot": "C",
        "replicate": "1",
    }
    number = fit(house, send(house, [*wells, responders | {"value": "40"}]))
    (why,) = reasons(house, number)
    assert "is invalid by SOP-QC-031 v2: viability: 40 % (row 38) does not meet >= 80 %" in why
    number = fit(house, send(house, [*wells, responders | {"value": "90"}], run_id="NEXT"))
    found = declared(house, number, value=value_of(house, number), by=BEN)
    assert not isinstance(found, Refusal)
    assert verify(house, found[1], value_of(house, number), unit="%")
    assert inhibition(house).outcome is Outcome.PASS, inhibition(house).sentence


def test_a_file_without_a_method_of_plates_is_read_as_before(house: House):
    assert house.upload(alone("inhibition")).accepted


@pytest.mark.requirement("2.01")
def test_no_dose_leaves_while_wells_that_came_after_the_release_say_what_nobody_declared(
    house: House,
):
    adopt_method(house, method_file())
    assert house.upload(results(inhibition=None)).accepted
    number, _, upload = plated(house)
    assert verify(house, upload, value_of(house, number), unit="%")
    house.review()
    assert isinstance(house.release(), Decision)
    vials(house, LOT, f"{LOT}-V1")
    clinic(house)
    run = send(house, plate(0.2), run_id="PBMC-PLATE-2")
    house.review()
    assert "no fit: fit it" in _kept(house)
    assert float(value_of(house, fit(house, run))) < 30  # it fails, and is declared by nobody
    assert "is not declared: no result is left out" in _kept(house)


def _kept(house: House) -> str:
    """The one reason why a vial of the lot does not leave."""
    with pytest.raises(Conflict) as refused:
        shipped(house, f"{LOT}-V1")
    (reason,) = refused.value.reasons
    assert reason.startswith(f"lot {LOT}: Other stages: ")
    return reason
