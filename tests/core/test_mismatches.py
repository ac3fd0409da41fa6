"""A failing reading that one of two people typed is investigated, whatever is typed anew (2.01)."""

from dataclasses import replace
from datetime import date

import pytest

from batchqc.core.acceptance import AtLeast, ReportOnly
from batchqc.core.assays import Measurement, RunKey
from batchqc.core.conclusions import Cause, OnRecord, Wanted, conclusion_of
from batchqc.core.criteria import Category, Criterion
from batchqc.core.entries import SecondEntry
from batchqc.core.failures import Failure, failures
from batchqc.core.formulas import parse_formula
from batchqc.core.investigations import Conclusion, Finding, Investigation
from batchqc.core.judging import judge
from batchqc.core.mismatches import either, typed_texts
from batchqc.core.specifications import Specification
from batchqc.core.subjects import Derived, Group, Input
from batchqc.core.verdicts import Outcome, Verdict
from tests.core.world import criterion, limits, measured, specification

ANEW = measured("95", upload="U-2026-000002", second=SecondEntry.VERIFIED)
VIABILITY = ("release", "VIAB", "viability")


def typed(first: str, second: str, **more: object) -> Measurement:
    """What two people typed differently of one run."""
    return measured(first, second=SecondEntry.MISMATCH, again=(second, "%"), **more)


def failing(*rows: Measurement, of: Specification | None = None) -> list[Failure]:
    specified = of or specification(criterion())
    return list(failures(specified, judge(specified, rows, ()), rows, (), {}))


def concluded(one: Measurement, said: Conclusion | None) -> Investigation:
    return Investigation(
        "OOS-2026-000001", "viability", frozenset({VIABILITY}), frozenset({one.run}),
        date(2026, 4, 30), "ana", "sue", conclusion=said,
    )  # fmt: skip


def verdict(*rows: Measurement, by: Investigation) -> Verdict:
    (found,) = judge(specification(criterion()), rows, (), investigations=[by])
    return found


@pytest.mark.requirement("2.01")
@pytest.mark.requirement("3.01")
@pytest.mark.parametrize(("first", "second"), [("89", "95"), ("95", "89"), ("9.5", "9.6")])
def test_where_either_entry_fails_alone_the_run_fails_whatever_is_typed_anew(
    first: str, second: str
):
    one = typed(first, second)
    for rows in ((one,), (one, ANEW)):
        (found,) = failing(*rows)
        assert found.runs == {one.run}
        assert found.sentence.startswith("of two entries that do not match, FAIL: ")
        fails = first if first != "95" else second
        assert f"{fails} % does not meet > 90 %" in found.sentence


def test_entries_that_both_pass_or_cannot_be_read_are_no_failure():
    assert failing(typed("93.4", "93.40")) == []
    assert failing(typed("much", "95"), ANEW) == []
    assert failing(replace(typed("95", "89"), again=None), ANEW) == []  # nobody can read it
    assert failing(replace(typed("95", "9"), again=("9", "g/L"))) == []
    assert failing(typed("89", "95", retest_of="OOS-2026-000001")) == []
    told = specification(replace(criterion(), accept=ReportOnly()))
    assert failing(typed("1", "2"), of=told) == []


def test_other_runs_that_fail_or_pass_beside_a_mismatch_are_looked_at_as_before():
    bad = measured("80", upload="U-2026-000003", run="R-3")
    one = typed("89", "95")
    assert [found.runs for found in failing(one, bad)] == [{bad.run}, {one.run}]
    assert failing(measured("95"), typed("95.0", "95.00", run="R-2")) == []


def test_of_a_group_a_member_that_passes_only_since_it_was_typed_anew_is_a_failure():
    members = criterion(name="a"), criterion(name="b")
    group = Criterion("both", "Both", Category.POTENCY, Group(("a", "b")), AtLeast(1, 2))
    of = specification(*members, group)
    one, good = typed("80", "95", analyte="a"), measured("95", analyte="b", run="R-2")
    assert failing(one, good, of=of) == []  # enough others pass
    anew = replace(ANEW, analyte="a")
    assert [found.criterion for found in failing(one, anew, of=of)] == ["a"]


def test_what_is_computed_fails_by_what_either_typed_with_the_newest_of_the_rest():
    formula = Derived(parse_formula("a + b"), (Input("a", "viability"), Input("b", "other")), "%")
    told = [replace(criterion(name=name), accept=ReportOnly()) for name in ("viability", "other")]
    of = specification(*told, Criterion("d", "D", Category.QUANTITY, formula, limits("> 90")))
    one = typed("9", "90")
    rest = measured("5", analyte="other", upload="U-2026-000003", run="R-3")
    (found,) = failing(one, rest, of=of)
    assert (found.criterion, found.runs) == ("d", {one.run})
    (found,) = failing(one, rest, ANEW, of=of)
    assert found.runs == {one.run}
    assert failing(typed("90.0", "90"), rest, of=of) == []


@pytest.mark.requirement("3.08")
@pytest.mark.parametrize(("first", "second"), [("89", "95"), ("95", "89")])
def test_an_original_that_stands_fails_whichever_of_the_two_typed_it(first: str, second: str):
    one = typed(first, second)
    stands = concluded(one, Conclusion(Finding.ORIGINAL_STANDS, ""))
    assert verdict(one, ANEW, by=stands).outcome is Outcome.FAIL
    assert verdict(one, by=stands).outcome is Outcome.FAIL


@pytest.mark.requirement("3.06")
def test_what_was_typed_anew_counts_after_a_cause_in_the_data_that_names_it():
    one = typed("9.5", "95.1")
    known = OnRecord([one, ANEW], (), frozenset(), frozenset({"d"}), {})

    def by(rows: list[Measurement], **more: object) -> Investigation:
        wanted = Wanted(
            Finding.LABORATORY_CAUSE, "A point slipped", cause=Cause.DATA, document="d",
            **more,  # type: ignore[arg-type]
        )  # fmt: skip
        return concluded(
            one,
            conclusion_of(wanted, concluded(one, None), replace(known, measurements=rows)),
        )

    assert verdict(one, ANEW, by=by([one, ANEW], corrected=True)).outcome is Outcome.PASS
    assert verdict(one, ANEW, by=by([one, ANEW])).outcome is Outcome.CANNOT_JUDGE
    later = verdict(one, ANEW, by=by([one]))  # typed anew only after the conclusion
    assert later.outcome is Outcome.CANNOT_JUDGE
    assert "two results, no authorised retest" in later.sentence


def test_what_either_typed_is_looked_at_as_if_alone_on_record():
    one = typed("9.5", " 95 ")
    first, second = either([one, ANEW])
    assert [row.text for row in first] == ["9.5", "95"]
    assert [row.text for row in second] == ["95", "95"]
    assert {row.second for row in (first[0], second[0])} == {SecondEntry.NOT_NEEDED}
    assert first[1] is second[1] is ANEW
    assert either([ANEW]) == ((ANEW,),)
    assert typed_texts(one) == "9.5 or  95 "
    assert typed_texts(ANEW) == "95"
    assert one.run == RunKey("U-2026-000001", "VIAB", "R-1")
