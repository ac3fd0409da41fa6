"""What no specification file can say is judged all the same: never an exception, never a pass."""

from dataclasses import replace
from decimal import Decimal

import pytest

from batchqc.core.acceptance import AtLeast, Limits, Relative, ReportOnly
from batchqc.core.assays import RunKey
from batchqc.core.criteria import Category, Criterion
from batchqc.core.formulas import parse_formula
from batchqc.core.judging import judge
from batchqc.core.subjects import Aggregate, Derived, Group, Input, Measured, ReplicatePlan
from batchqc.core.touched import touched
from batchqc.core.verdicts import Outcome
from tests.core.world import criterion, limits, measured, specification


def derived(name: str, needs: str, *, unit: str = "%", accept: Limits | None = None) -> Criterion:
    formula = Derived(parse_formula("a"), (Input("a", needs),), unit)
    return Criterion(name, name, Category.QUANTITY, formula, accept or limits("> 1"))


def outcome_in(*criteria: Criterion, of: str) -> str:
    found = {v.criterion.id: v for v in judge(specification(*criteria), [measured("91")], [])}
    assert found[of].blocks
    assert found[of].outcome is Outcome.CANNOT_JUDGE
    return found[of].sentence


def test_results_that_wait_for_each_other_cannot_be_judged():
    circle = derived("x", "y"), derived("y", "x")
    assert "depends on what is computed from it" in outcome_in(*circle, of="x")
    assert "cannot be computed" in outcome_in(*circle, derived("z", "y"), of="z")


def test_a_group_that_waits_for_itself_or_has_no_member_cannot_be_judged():
    own = Criterion("g", "G", Category.POTENCY, Group(("g",)), AtLeast(1, 1))
    assert "0 of 1 pass" in outcome_in(own, of="g")
    empty = Criterion("g", "G", Category.POTENCY, Group(()), AtLeast(0, 0))
    assert "0 of 0 pass" in outcome_in(empty, of="g")


@pytest.mark.parametrize("unit", ["", "furlong"])
def test_what_has_no_unit_cannot_be_computed_with(unit: str):
    source = criterion(unit=unit)
    assert "no unit that can be computed with" in outcome_in(
        source, derived("x", "viability"), of="x"
    )
    assert "not defined" in outcome_in(criterion(), derived("x", "viability", unit=unit), of="x")


def test_a_result_of_each_replicate_is_not_compared_with_a_control():
    plan = ReplicatePlan(2, Aggregate.EACH)
    subject = Measured("VIAB", "viability", "SOP-1", "%", plan, control="PC")
    one = Criterion("v", "V", Category.SAFETY, subject, Relative("< control", "<", Decimal(1)))
    rows = [measured(text, n) for n, text in enumerate(("1", "2"), start=1)]
    controls = [
        measured(text, n, result_type="control", aliquot="PC")
        for n, text in enumerate(("9", "9"), start=1)
    ]
    (found,) = judge(specification(one), [*rows, *controls], [])
    assert found.outcome is Outcome.CANNOT_JUDGE


@pytest.mark.parametrize(("other", "outcome"), [("9", Outcome.CANNOT_JUDGE), ("", Outcome.PASS)])
def test_a_control_is_found_whatever_case_its_aliquot_is_written_in(other: str, outcome: Outcome):
    subject = Measured("VIAB", "viability", "SOP-1", "%", control="PC")
    one = Criterion("v", "V", Category.SAFETY, subject, Relative("< control", "<", Decimal(1)))
    rows = [measured("1"), measured("9", result_type="control", aliquot="pc")]
    if other:  # two controls where the plan asks for one
        rows.append(measured(other, 2, result_type="control", aliquot="PC"))
    (found,) = judge(specification(one), rows, [])
    assert found.outcome is outcome


@pytest.mark.parametrize(("text", "outcome"), [("9", Outcome.PASS), ("0", Outcome.FAIL)])
def test_a_control_counts_whatever_case_its_analyte_is_written_in(text: str, outcome: Outcome):
    subject = Measured("VIAB", "viability", "SOP-1", "%", control="PC")
    one = Criterion("v", "V", Category.SAFETY, subject, Relative("< control", "<", Decimal(1)))
    written = measured(text, result_type="control", aliquot="PC", analyte="Viability")
    (found,) = judge(specification(one), [measured("1"), written], [])
    assert found.outcome is outcome
    other = measured("9", 2, result_type="control", aliquot="PC")  # one too many: none is chosen
    (found,) = judge(specification(one), [measured("1"), written, other], [])
    assert found.outcome is Outcome.CANNOT_JUDGE
    newer = (
        measured("1", upload="U-2026-000002"),
        replace(other, run=RunKey("U-2026-000002", "VIAB", "R-1")),
    )
    older = [replace(each, superseded_by="U-2026-000002") for each in (measured("1"), written)]
    (found,) = judge(specification(one), [*older, *newer], [])  # the older control is gone
    assert found.outcome is Outcome.CANNOT_JUDGE
    assert touched(specification(one), [written]) == {"v"}


def test_a_group_without_a_count_needs_every_member():
    group = Criterion("g", "G", Category.POTENCY, Group(("viability",)), ReportOnly())
    (_, found) = judge(specification(criterion(), group), [measured("91")], [])
    assert found.outcome is Outcome.PASS


def test_groups_that_hold_each_other_block():
    first = Criterion("g", "G", Category.POTENCY, Group(("h",)), AtLeast(1, 1))
    second = Criterion("h", "H", Category.POTENCY, Group(("g", "viability")), AtLeast(1, 2))
    for name in ("g", "viability"):
        found = judge(specification(criterion(), first, second), [], [])
        assert {v.criterion.id: v for v in found}[name].blocks


def test_what_is_computed_from_a_result_without_its_control_says_that_the_control_is_missing():
    subject = Measured("VIAB", "viability", "SOP-1", "%", control="PC")
    one = Criterion("v", "V", Category.SAFETY, subject, Relative("< control", "<", Decimal(1)))
    found = judge(specification(one, derived("d", "v")), [measured("40")], [])
    assert [verdict.outcome for verdict in found] == [Outcome.CANNOT_JUDGE] * 2
    assert "the control PC of run R-1" in found[0].sentence
    assert "the control PC of run R-1" in found[1].sentence
