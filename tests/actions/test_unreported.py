"""What is measured and not reported: refused where nothing asks for it, and told where it stays."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchqc.actions.compliance_patterns import find_patterns
from batchqc.actions.dispositions import Decision
from batchqc.actions.evaluation import study
from batchqc.actions.lot_review import seen_runs
from batchqc.actions.lots import the_lot
from batchqc.actions.uploads import UploadReport
from batchqc.core.conclusions import Wanted
from batchqc.core.investigations import Finding
from batchqc.errors import Conflict, NotPermitted
from tests.actions.investigating import (
    METHOD,
    OOS,
    PLAN,
    case_of,
    conclude_cause,
    concluded,
    perform,
    plan,
    planned,
    retest,
    review_phase,
)
from tests.actions.large_files import CONTROLS, Large, controls
from tests.records.house import BEN, LOT, QA1, QA2, House, alone, good, results, table
from tests.records.laboratory import RECOVERY, adopt_method


def seen(house: House) -> dict[str, list[str]]:
    """What is exceptional about each run that has something not reported, by its run id."""
    with house.reading() as session:
        case = study(session, house.archive, lot=the_lot(session, LOT), now=house.now())
        runs = seen_runs(session, house.archive, case)
    return {
        one.run.run: said
        for one in runs
        if (said := [each.said for each in one.exceptions if each.why.value == "not reported"])
    }


def told(house: House) -> list[str]:
    """What patterns say of results that failed without being reported."""
    with house.reading() as session:
        found = find_patterns(session, house.archive)
    return [one.said for one in found if one.kind.value == "failed without being reported"]


def remarks(house: House) -> tuple[str, ...]:
    (gate,) = (one for one in house.study().gates if one.name == "Results")
    return gate.remarks


def tried(house: House, value: str = "60", run: str = "VCB-TRY", **cells: str) -> UploadReport:
    """A run that reports nothing."""
    data = {"value": value, "run_id": run, "result_type": "investigational"} | cells
    return house.upload(alone("viability", **data), by=BEN)


@pytest.mark.requirement("3.07")
def test_an_investigational_result_that_no_investigation_asks_for_is_refused(house: House):
    report = tried(house)
    (problem,) = report.reading.problems
    assert (problem.code, problem.row, problem.column) == ("E411", 2, "result_type")
    assert problem.message == (
        f"no OOS investigation of VIAB viability of lot {LOT} at stage release is open"
    )
    assert problem.hint.startswith("Send it as reportable")
    house.upload(alone("CD73", value="60"))
    assert not tried(house).accepted


@pytest.mark.requirement("3.07")
def test_a_result_of_a_hypothesis_counts_nowhere_and_is_told_everywhere(house: House):
    adopt_method(house, METHOD)
    house.upload(results(viability="89.1"))
    assert tried(house, "88").accepted
    verdict = next(one for one in house.study().verdicts if one.criterion.id == "viability")
    assert "88" not in verdict.sentence
    (said,) = seen(house)["VCB-TRY"]
    assert said.startswith("viability 88 % (investigational) in run VCB-TRY (VIAB)")
    assert "as if it were: FAIL" in said
    assert said in remarks(house)
    assert told(house) == []
    perform(house)
    review_phase(house)
    plan(house)
    assert retest(house, "95.1", "VCB-R1").accepted
    assert retest(house, "94.2", "VCB-R2").accepted
    (pattern,) = told(house)
    assert "88 (FAIL, investigational) in run VCB-TRY (VIAB)" in pattern
    assert "95.1 (PASS) in run VCB-R1 (VIAB)" in pattern


@pytest.mark.requirement("3.03")
@pytest.mark.requirement("3.07")
def test_under_a_plan_nobody_measures_until_it_passes_and_calls_the_rest_a_hypothesis(house: House):
    planned(house)
    for number, value in enumerate(("88", "87", "86")):
        began = house.now.at.isoformat()
        report = tried(house, value, f"VCB-T{number}", measured_at=began, analyst=BEN)
        (problem,) = report.reading.problems
        assert problem.code == "E411"
        assert f"the plan of {OOS} is approved" in problem.message
    early = tried(house, "88", "VCB-T9")
    assert [one.code for one in early.reading.problems] == ["E411"]
    assert retest(house, "95.1", "VCB-R1").accepted
    assert retest(house, "94.2", "VCB-R2").accepted
    house.review()
    conclude_cause(house)
    assert [one.code for one in tried(house).reading.problems] == ["E411"]


@pytest.mark.requirement("2.06")
@pytest.mark.requirement("3.06")
@pytest.mark.parametrize("result_type", ["raw", "control"])
def test_a_run_that_is_raw_alone_is_told_before_the_lot_is_released(house: House, result_type: str):
    assert tried(house, result_type=result_type).accepted
    house.upload(results())
    (said,) = seen(house)["VCB-TRY"]
    assert said.startswith(f"viability 60 % ({result_type}) in run VCB-TRY (VIAB)")
    assert "as if it were: FAIL" in said
    assert said in remarks(house)
    (pattern,) = told(house)
    assert f"60 (FAIL, {result_type}) in run VCB-TRY (VIAB)" in pattern
    assert "in run VCB-250520-01 (VIAB)" in pattern


def test_an_attribute_that_its_run_holds_as_raw_alone_is_told(house: House):
    """The run reports CD73, and another run reports what is raw here."""
    own = {"lot_id": LOT, "sample_id": f"{LOT}-S01"}
    beside = {"run_id": "FLOW-9", "result_type": "raw", "value": "60"}
    house.upload(table([own | good("CD73") | {"run_id": "FLOW-9"}, own | good("CD90") | beside]))
    house.upload(results(CD73=None))
    (said,) = seen(house)["FLOW-9"]
    assert said.startswith("CD90 60 % (raw) in run FLOW-9")
    assert len(told(house)) == 1


def test_raw_rows_and_controls_beside_a_reported_result_of_their_run_are_ordinary(house: House):
    adopt_method(house)
    own = {"lot_id": LOT, "sample_id": f"{LOT}-S01"}
    raw = {"result_type": "raw", "aliquot": "A2"}
    viability = own | good("viability")
    rows = [
        viability,
        viability | raw | {"value": "60"},
        viability | raw | {"analyte": "cells counted", "unit": "", "value": "812"},
        own | good("endotoxin"),
        own | good("endotoxin") | RECOVERY,
    ]
    assert house.upload(table(rows)).accepted
    assert (seen(house), told(house), remarks(house)) == ({}, [], ())


@pytest.mark.requirement("3.03")
def test_a_method_that_is_approved_after_the_failure_allows_no_retest(house: House):
    assert house.upload(alone("viability", value="89.1")).accepted
    perform(house)
    review_phase(house)
    adopt_method(house, METHOD.replace(b"max_retests = 2", b"max_retests = 9"))
    with pytest.raises(Conflict) as refused:
        plan(house)
    (why,) = refused.value.reasons
    assert f"was not approved before {OOS} was opened" in why
    assert case_of(house).now.plan is None


@pytest.mark.requirement("3.03")
def test_a_version_that_is_approved_after_the_failure_raises_nothing(house: House):
    adopt_method(house, METHOD)
    assert house.upload(alone("viability", value="89.1")).accepted
    perform(house)
    review_phase(house)
    later = METHOD.replace(b"version = 3", b"version = 4").replace(b"2025-01-01", b"2026-05-01")
    adopt_method(house, later.replace(b"max_retests = 2", b"max_retests = 9"))
    with pytest.raises(Conflict, match="allows 2 retests, and the plan asks for 3"):
        plan(house, replace(PLAN, version="4", retests=3))
    plan(house, replace(PLAN, version="4"))


@pytest.mark.requirement("2.07")
def test_who_set_a_failing_result_aside_does_not_release_the_lot(house: House):
    adopt_method(house, METHOD)
    house.upload(results(viability="89.1"))
    perform(house)
    review_phase(house)
    plan(house)
    retest(house, "95.1", "VCB-R1")
    retest(house, "94.2", "VCB-R2")
    house.review()
    conclude_cause(house, by=QA1)
    with pytest.raises(NotPermitted) as blocked:
        house.release(by=QA1)
    assert blocked.value.reasons == (
        f"People: {QA1} concluded {OOS}, by which a failing result of the lot does not count",
    )
    assert isinstance(house.release(by=QA2), Decision)


def test_who_concluded_that_the_original_stands_may_decide(house: House):
    house.upload(alone("viability", value="89.1"))
    perform(house)
    review_phase(house)
    concluded(house, Wanted(Finding.ORIGINAL_STANDS, "Nothing was found"), by=QA1)
    assert house.study().facts.excused == ()


@pytest.mark.requirement("3.07")
def test_a_large_file_is_held_against_the_investigations_of_its_lots(house: House, tmp_path: Path):
    big, row = Large(house, tmp_path), {"lot_id": LOT, "sample_id": f"{LOT}-S01"}
    tests = row | good("viability") | {"result_type": "investigational", "value": "88"}
    data = table([*controls(), tests | {"run_id": "VCB-TRY"}])
    report = big.upload(data)
    assert [(one.code, one.row) for one in report.reading.problems] == [("E411", CONTROLS + 2)]
    house.upload(alone("viability", value="89.1"))
    assert big.upload(data).accepted
    assert house.verify().problems == ()
