"""Which runs a reviewer looks at first, and why; a clean run has nothing to say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from batchqc.core.assays import RunKey
from batchqc.core.entries import SecondEntry
from batchqc.core.formulas import parse_formula
from batchqc.core.review_by_exception import (
    RUNS_FOR_A_HABIT,
    Entered,
    Habit,
    ReviewFacts,
    Why,
    seen_by_exception,
)
from batchqc.core.runs import RunValidity, Validity
from batchqc.core.subjects import Aggregate, Derived, Input, ReplicatePlan
from batchqc.core.verdicts import Trend
from tests.core.world import EACH_OF_2, TISSUE, criterion, measured, verdict_of

ONE = measured("95")
PASSED = verdict_of(criterion(), ONE)
ENTERED = Entered(ONE.measured_at + timedelta(days=1))
CLEAN = ReviewFacts({ONE.run: ENTERED}, [ONE], [PASSED])
HABIT = Habit(RUNS_FOR_A_HABIT, frozenset({ONE.instrument}), frozenset({ONE.analyst}))


def whys(facts: ReviewFacts) -> list[Why]:
    (seen,) = (one for one in seen_by_exception(facts) if one.run == ONE.run)
    assert seen.is_clean == (not seen.exceptions)
    return [one.why for one in seen.exceptions]


def test_what_a_control_chart_signals_of_a_run_is_out_of_trend():
    assert whys(replace(CLEAN, trends={ONE.run: ["3.34 sigma below the centre"]})) == [Why.OOT]


def test_a_run_with_nothing_to_say_is_clean():
    assert whys(CLEAN) == []
    assert whys(replace(CLEAN, habits={ONE.run.test: HABIT})) == []


OTHER = RunKey("U-2026-000009", ONE.run.test, "R-9")
AGAIN = replace(ONE, run=OTHER)
FAILED = verdict_of(criterion(), measured("89"))
NOT_JUDGED = verdict_of(criterion(), measured(">85"))
LISTED = {
    Why.OOS: replace(CLEAN, verdicts=[FAILED]),
    Why.UNREPORTED: replace(CLEAN, unreported={ONE.run: ["60 % (raw) is not reported"]}),
    Why.NOT_JUDGED: replace(CLEAN, verdicts=[NOT_JUDGED]),
    Why.OOT: replace(CLEAN, verdicts=[replace(PASSED, trend=Trend.ALERT)]),
    Why.INVALID: replace(
        CLEAN, validity={ONE.run: RunValidity(ONE.run, Validity.NOT_KNOWN, ())}
    ),
    Why.CORRECTED: replace(CLEAN, corrected={ONE.sample: "sample was corrected: container"}),
    Why.RETESTED: replace(
        CLEAN, measurements=[ONE, AGAIN], entered={ONE.run: ENTERED, OTHER: ENTERED}
    ),
    Why.TYPED: replace(
        CLEAN,
        entered={ONE.run: replace(ENTERED, by_hand=True)},
        measurements=[replace(ONE, second=SecondEntry.VERIFIED)],
    ),
    Why.LATE: replace(CLEAN, entered={ONE.run: Entered(ONE.measured_at + timedelta(days=9))}),
    Why.INSTRUMENT: replace(
        CLEAN, habits={ONE.run.test: replace(HABIT, instruments=frozenset({"X-1"}))}
    ),
    Why.ANALYST: replace(
        CLEAN, habits={ONE.run.test: replace(HABIT, analysts=frozenset({"zoe"}))}
    ),
    Why.REGISTER: replace(CLEAN, registers=[f"the instrument of {ONE.run} is overdue"]),
}  # fmt: skip


@pytest.mark.requirement("1.55")
@pytest.mark.parametrize("why", LISTED)
def test_each_reason_lists_the_run_and_nothing_else_does(why: Why):
    assert whys(LISTED[why]) == [why]


@pytest.mark.requirement("6.08")
def test_a_time_outside_the_window_is_listed():
    windowed = criterion()
    subject = replace(windowed.subject, window=timedelta(minutes=30))
    windowed = replace(windowed, subject=subject)
    at = datetime(2026, 1, 5, 12, tzinfo=UTC)
    late = replace(measured("95"), started_at=at, measured_at=at + timedelta(minutes=31))
    facts = ReviewFacts({late.run: Entered(late.measured_at)}, [late], [verdict_of(windowed, late)])
    assert Why.WINDOW in whys(facts)
    computed = replace(verdict_of(TISSUE), measurements=(late,))
    facts = ReviewFacts({late.run: Entered(late.measured_at)}, [late], [computed])
    assert Why.WINDOW not in whys(facts)
    unknown = replace(late, started_at=None)
    facts = ReviewFacts({late.run: Entered(at)}, [unknown], [verdict_of(windowed, unknown)])
    assert Why.WINDOW in whys(facts)
    fine = replace(late, measured_at=at + timedelta(minutes=30))
    facts = ReviewFacts({fine.run: Entered(fine.measured_at)}, [fine], [verdict_of(windowed, fine)])
    assert Why.WINDOW not in whys(facts)


def test_what_superseded_and_what_was_superseded_are_both_listed():
    newer = replace(CLEAN, entered={ONE.run: replace(ENTERED, supersedes="Wrong gate")})
    assert whys(newer) == [Why.RETESTED]
    older = replace(CLEAN, measurements=[replace(ONE, superseded_by="U-2026-000002")])
    assert whys(older) == [Why.RETESTED]


@pytest.mark.requirement("1.55")
def test_who_states_no_instrument_or_analyst_is_off_the_usual_ones():
    nameless = replace(ONE, instrument="", analyst="")
    facts = replace(CLEAN, measurements=[nameless], habits={ONE.run.test: HABIT})
    assert whys(facts) == [Why.INSTRUMENT, Why.ANALYST]


def test_a_habit_of_few_runs_is_none():
    few = replace(HABIT, runs=RUNS_FOR_A_HABIT - 1, instruments=frozenset({"X"}))
    assert whys(replace(CLEAN, habits={ONE.run.test: few})) == []


def test_runs_with_most_reasons_come_first():
    facts = replace(LISTED[Why.RETESTED], verdicts=[FAILED, replace(PASSED, measurements=(AGAIN,))])
    first, second = seen_by_exception(replace(facts, registers=[f"{OTHER} and more"]))
    assert len(first.exceptions) >= len(second.exceptions)


@pytest.mark.requirement("6.08")
def test_a_computed_criterion_has_no_window_of_its_own():
    formula = Derived(parse_formula("a"), (Input("a", "viability"),), "%")
    computed = replace(PASSED, criterion=replace(criterion(), subject=formula))
    assert whys(replace(CLEAN, verdicts=[PASSED, computed])) == []


def of_two_samples(plan: ReplicatePlan) -> ReviewFacts:
    """A run with one row of one sample, and one of another."""
    rows = [measured("85"), measured("99", 2, sample="MSC-1-S02")]
    judged = verdict_of(criterion(plan=plan), *rows)
    return replace(CLEAN, measurements=rows, verdicts=[judged])


@pytest.mark.requirement("3.09")
def test_one_value_of_several_samples_is_listed_with_what_each_of_them_says():
    facts = of_two_samples(ReplicatePlan(2, Aggregate.MEAN))
    ((seen,),) = (one.exceptions for one in seen_by_exception(facts))
    assert seen.why is Why.SAMPLES
    assert seen.said == "Viability: the mean is of 2 samples, MSC-1-S01: 85; MSC-1-S02: 99"


def test_samples_that_are_judged_each_or_in_no_value_at_all_are_no_such_value():
    assert whys(of_two_samples(EACH_OF_2)) == [Why.OOS]
    assert whys(of_two_samples(ReplicatePlan(3, Aggregate.MEAN))) == [Why.NOT_JUDGED]


def test_two_runs_that_are_of_one_sample_each_are_no_such_value():
    facts = of_two_samples(ReplicatePlan(2, Aggregate.MEAN))
    judged = facts.verdicts[0]
    first, second = judged.measurements
    apart = replace(judged, measurements=(first, replace(second, run=OTHER)))
    assert Why.SAMPLES not in whys(replace(facts, verdicts=[apart]))
