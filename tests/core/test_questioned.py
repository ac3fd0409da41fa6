"""What a person may open an investigation of: results that cannot be judged, and do not fail."""

from dataclasses import replace
from datetime import date

import pytest

from batchqc.core.assays import Measurement
from batchqc.core.conclusions import Cause, OnRecord, Wanted, conclusion_of
from batchqc.core.entries import SecondEntry
from batchqc.core.failures import Failure
from batchqc.core.investigations import Conclusion, Finding, Investigation
from batchqc.core.judging import judge
from batchqc.core.questioned import by_hand, is_by_hand, questioned
from tests.core.world import TISSUE, criterion, measured, specification

VIABILITY = ("release", "VIAB", "viability")
FIRST = measured("95")
AGAIN = measured("96", run="R-2", upload="U-2026-000002")
BY_HAND = Investigation(
    "OOS-2026-000001", "viability", frozenset({VIABILITY}), frozenset({FIRST.run, AGAIN.run}),
    date(2026, 4, 30),
)  # fmt: skip


def asked(*rows: Measurement, by: tuple[Investigation, ...] = ()) -> Failure | None:
    one = specification(criterion())
    (verdict,) = judge(one, rows, (), investigations=by)
    return questioned(one, verdict, rows, by)


@pytest.mark.requirement("3.06")
def test_two_runs_are_both_the_original():
    found = asked(FIRST, AGAIN)
    assert found is not None
    assert found.runs == {FIRST.run, AGAIN.run}
    assert (found.criterion, found.attributes) == ("viability", {VIABILITY})
    assert "two results, no authorised retest" in found.sentence


def test_of_a_run_in_versions_the_superseded_ones_are_the_original():
    old = replace(FIRST, superseded_by="U-2026-000003")
    new = measured("95", upload="U-2026-000003", aliquot="A2")
    found = asked(old, new)
    assert found is not None
    assert found.runs == {old.run}


def test_a_value_on_both_sides_of_a_limit_is_asked_for_too():
    found = asked(measured(">85"))
    assert found is not None
    assert found.runs == {FIRST.run}


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (FIRST,),
        (measured("89"),),
        (replace(FIRST, second=SecondEntry.WAITS), AGAIN),
        (replace(FIRST, retest_of="OOS-2026-000009"),),
    ],
    ids=["nothing", "passes", "fails", "waits for its second entry", "a retest alone"],
)
def test_of_anything_else_there_is_nothing_to_open(rows: tuple[Measurement, ...]):
    assert asked(*rows) is None


def test_what_is_no_measurement_of_the_lot_is_not_asked_for():
    one = specification(TISSUE)
    (verdict,) = judge(one, (), ())
    assert questioned(one, verdict, (), ()) is None


def test_one_that_is_open_for_it_is_enough_until_another_run_comes_in():
    assert asked(FIRST, AGAIN, by=(BY_HAND,)) is None
    third = measured("97", run="R-3", upload="U-2026-000003")
    assert asked(FIRST, AGAIN, third, by=(BY_HAND,)) is not None


def test_what_a_conclusion_set_aside_is_settled():
    pairs = frozenset((one.run, "viability") for one in (FIRST, AGAIN))
    cause = Conclusion(Finding.LABORATORY_CAUSE, "VIAB", "instrument failure", pairs)
    assert asked(FIRST, AGAIN, by=(replace(BY_HAND, conclusion=cause),)) is None


@pytest.mark.requirement("2.01")
def test_what_fails_later_of_its_runs_is_not_covered_by_what_was_opened_by_hand():
    found = asked(FIRST, AGAIN)
    assert found is not None
    fails = replace(found, sentence="FAIL: 95 % does not meet > 95 %", runs=frozenset({FIRST.run}))
    assert fails.is_covered([BY_HAND])
    assert not fails.is_covered([replace(BY_HAND, by_hand=True)])


def test_what_was_opened_by_hand_says_so():
    found = asked(FIRST, AGAIN)
    assert found is not None
    told = by_hand(found, "Measured twice")
    assert told.sentence == f"{found.sentence}; opened by hand: Measured twice"
    assert is_by_hand(told.sentence)
    assert not is_by_hand(found.sentence)
    assert not is_by_hand("FAIL: growth; opened by hand: does not meet no growth")


def test_what_waits_for_its_second_entry_is_not_set_aside_beside_it():
    typed = measured("80", run="R-3", upload="U-2026-000003", second=SecondEntry.WAITS)
    nobody = frozenset[str]()
    wanted = Wanted(Finding.LABORATORY_CAUSE, "The counter", cause=Cause.INSTRUMENT)
    for one, there in ((typed, False), (replace(typed, second=SecondEntry.VERIFIED), True)):
        known = OnRecord((FIRST, AGAIN, one), (), frozenset(), nobody, {})
        void = conclusion_of(wanted, BY_HAND, known).set_aside
        assert {FIRST.run, AGAIN.run} <= {run for run, _ in void}
        assert ((typed.run, "viability") in void) is there
