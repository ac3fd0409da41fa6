"""What is measured and not reported: when it may be, and how it would be judged."""

from dataclasses import replace
from datetime import date

import pytest

from batchqc.core.assays import CONTROL, INVESTIGATIONAL, REPORTABLE, Measurement, RunKey
from batchqc.core.hypotheses import Unreported, hypothesis_problem, unreported
from batchqc.core.investigations import Conclusion, Finding, Investigation, Plan
from batchqc.core.subjects import Aggregate, ReplicatePlan
from batchqc.core.verdicts import Outcome
from tests.core.world import AT, criterion, measured, specification

VIABILITY = ("release", "VIAB", "viability")
RUN = RunKey("U-2026-000001", "VIAB", "R-1")
HYPOTHESIS = measured("88", run="R-2", result_type=INVESTIGATIONAL)
OPEN = Investigation(
    "OOS-2026-000001", "viability", frozenset({VIABILITY}), frozenset({RUN}), date(2026, 4, 20)
)
PLAN = Plan(AT, "VIAB", "SOP-1", "1", frozenset({"ben"}), 2, 0, frozenset({"msc-1-s01"}))


@pytest.mark.requirement("3.07")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"attributes": frozenset({("post-thaw", "VIAB", "viability")})}, "no OOS investigation"),
        ({"attributes": frozenset({("release", "VIAB", "debris")})}, "no OOS investigation"),
        ({"conclusion": Conclusion(Finding.ORIGINAL_STANDS, "")}, "no OOS investigation"),
        ({"runs": frozenset()}, "no OOS investigation"),
        ({"plan": PLAN}, "the plan of OOS-2026-000001 is approved"),
        ({"plan": replace(PLAN, test="FLOW")}, ""),
    ],
)
def test_a_hypothesis_is_tested_in_an_open_investigation_before_its_plan(
    change: dict[str, object], said: str
):
    problem = hypothesis_problem(HYPOTHESIS, [replace(OPEN, **change)])  # type: ignore[arg-type]
    assert (problem is None) if not said else (problem is not None and said in problem[0])
    assert hypothesis_problem(replace(HYPOTHESIS, result_type=REPORTABLE), []) is None


def found(*rows: Measurement, **more: object) -> list[Unreported]:
    return list(unreported(rows, [specification(criterion(**more))]))  # type: ignore[arg-type]


def outcomes(*rows: Measurement, **more: object) -> list[Outcome | None]:
    return [one.outcome for one in found(*rows, **more)]


@pytest.mark.requirement("2.06")
@pytest.mark.requirement("3.07")
@pytest.mark.parametrize("result_type", [INVESTIGATIONAL, "raw", CONTROL, "standard", "blank"])
def test_a_run_that_reports_nothing_is_told_with_its_values_as_if_it_did(result_type: str):
    (one,) = found(measured("95"), measured("60", run="R-2", result_type=result_type))
    assert (one.attribute, one.outcome) == (VIABILITY, Outcome.FAIL)
    assert one.sentence.startswith(
        f"viability 60 % ({result_type}) in run R-2 (VIAB) of U-2026-000001 is not reported;"
        " as if it were: FAIL"
    )
    assert outcomes(measured("91", run="R-2", result_type=result_type)) == [Outcome.PASS]


@pytest.mark.requirement("2.06")
@pytest.mark.parametrize("analyte", ["Viability", "VIABILITY"])
def test_a_judged_attribute_is_told_as_not_reported_in_whatever_case_it_is_written(analyte: str):
    """In a run that reports something else, and in one that reports nothing."""
    other = measured("95", run="R-2", analyte="debris")
    raw = measured("60", run="R-2", result_type="raw", analyte=analyte)
    for rows in ([other, raw], [raw]):
        (one,) = found(*rows)
        assert (one.attribute, one.outcome) == (VIABILITY, Outcome.FAIL)
        assert "viability 60 % (raw) in run R-2" in one.sentence
    own = measured("95", run="R-2")
    assert found(own, other, raw) == []  # beside its reported result it is ordinary
    assert found(own, other, replace(raw, analyte="viable")) == []
    written = replace(own, analyte=analyte)  # a result itself is exact: it reports nothing here
    assert [each.rows for each in found(written, replace(raw, analyte="viability"))] != []


@pytest.mark.parametrize("result_type", ["raw", CONTROL, "standard", "blank"])
def test_what_stands_beside_a_reported_result_of_its_run_is_ordinary(result_type: str):
    own = measured("95")
    well = replace(own, result_type=result_type, aliquot="A2", cell=replace(own.cell, text="60"))
    count = replace(well, analyte="cells counted", unit="")
    assert found(own, well, count) == []
    assert outcomes(own, replace(well, result_type=INVESTIGATIONAL)) == [Outcome.FAIL]


def test_a_judged_attribute_that_its_run_does_not_report_is_told():
    other = measured("97", analyte="debris")
    own = measured("60", result_type="raw")
    count = replace(own, analyte="cells counted")
    assert [one.attribute for one in found(other, own, count)] == [VIABILITY]


def test_what_no_criterion_judges_is_told_without_a_verdict():
    (one,) = found(measured("812", analyte="cells counted", unit="", result_type="raw"))
    assert one.outcome is None
    assert one.sentence.startswith("cells counted 812 (raw) in run R-1")
    assert one.sentence.endswith("is not reported; no criterion is for it")


def test_values_that_make_no_result_are_looked_at_each_alone():
    """Too few, too many, by another method, at no known time: a value that fails is told."""
    three = ReplicatePlan(3, Aggregate.MEAN)
    rows = [measured(text, replicate=n, result_type="raw") for n, text in enumerate(("95", "60"))]
    (one,) = found(*rows, plan=three)
    assert (one.outcome, len(one.rows)) == (Outcome.FAIL, 2)
    assert outcomes(*rows) == [Outcome.FAIL]
    assert outcomes(rows[0], plan=three) == [Outcome.CANNOT_JUDGE]
    assert outcomes(measured("60", result_type="raw", method="SOP-9")) == [Outcome.FAIL]
    within = [measured(text, replicate=n, result_type="raw") for n, text in enumerate("123")]
    full = [replace(one, cell=replace(one.cell, text=text))
            for one, text in zip(within, ("89", "95", "96"), strict=True)]  # fmt: skip
    assert outcomes(*full, plan=three) == [Outcome.PASS]


def test_a_blank_unit_is_that_of_the_criterion_and_another_is_not_judged():
    assert outcomes(measured("60", unit="", result_type="raw")) == [Outcome.FAIL]
    assert outcomes(measured("0.60", unit="1", result_type="raw")) == [Outcome.CANNOT_JUDGE]


def test_superseded_versions_and_retests_that_are_not_reported_are_judged_too():
    row = measured("60", result_type="raw", superseded_by="U-2026-000002", retest_of=OPEN.number)
    assert outcomes(row) == [Outcome.FAIL]
