"""Review by exception: which runs of a lot need a second look, and why (requirements 1.55, 2.06).

A run with nothing to say about it is *clean*: its results all pass inside their alert limits, it
was read from a file soon after it was measured, on an instrument and by an analyst that the test is
usually done with, it reports what it measured, no value of it averages several samples (requirement
3.09), and nothing replaced, repeated or corrected it. Every other run tells each reason. The review
itself is of every run, clean or not.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from batchqc.core.assays import REPORTABLE, Measurement, RunKey
from batchqc.core.entries import SecondEntry
from batchqc.core.runs import RunValidity, Validity
from batchqc.core.subjects import Aggregate, Measured
from batchqc.core.timing import Timing, timing
from batchqc.core.verdicts import Outcome, Verdict

#: From then on a result counts as entered late: after it was measured.
LATE_AFTER: Final = timedelta(days=7)
#: So many runs of a test make a habit; before, nobody can say what is usual.
RUNS_FOR_A_HABIT: Final = 5


class Why(StrEnum):
    """Why a run is listed."""

    OOS = "out of specification"
    OOT = "out of trend"
    NOT_JUDGED = "not judged"
    UNREPORTED = "not reported"
    INVALID = "invalid run"
    CORRECTED = "corrected"
    RETESTED = "retested"
    TYPED = "manual entry"
    LATE = "entered late"
    WINDOW = "outside its time window"
    SAMPLES = "one value of several samples"
    INSTRUMENT = "off the usual instrument"
    ANALYST = "off the usual analyst"
    REGISTER = "register"


@dataclass(frozen=True, slots=True)
class Exceptional:
    """One reason why a run is listed, in words."""

    why: Why
    said: str


@dataclass(frozen=True, slots=True)
class Entered:
    """How a run came in: when, typed by hand or from a file, and why it superseded another."""

    at: datetime
    by_hand: bool = False
    supersedes: str = ""


@dataclass(frozen=True, slots=True)
class Habit:
    """What earlier runs of one test for other lots of the product were done with, and by whom."""

    runs: int
    instruments: frozenset[str]
    analysts: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """What a review looks at.

    Args:
        entered: how each run came in; exactly these runs are looked at.
        measurements: of these runs, all of them.
        verdicts: of every stage.
        validity: of the runs that have validity criteria.
        habits: by test.
        corrected: samples with an approved correction, in words, by sample id.
        registers: what registers say of measurements, in words.
        failing: what fails of a run that two people typed differently, in words.
        unreported: what of a run is not reported, and how it would be judged, in words.
        trends: what control charts signal of the results of a run, in words.
    """

    entered: Mapping[RunKey, Entered]
    measurements: Sequence[Measurement]
    verdicts: Sequence[Verdict] = ()
    validity: Mapping[RunKey, RunValidity] = field(default_factory=dict)
    habits: Mapping[str, Habit] = field(default_factory=dict)
    corrected: Mapping[str, str] = field(default_factory=dict)
    registers: Collection[str] = ()
    failing: Mapping[RunKey, Sequence[str]] = field(default_factory=dict)
    unreported: Mapping[RunKey, Sequence[str]] = field(default_factory=dict)
    trends: Mapping[RunKey, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunSeen:
    """A run as a reviewer sees it: how many measurements, and every reason to look closer."""

    run: RunKey
    measurements: int
    exceptions: tuple[Exceptional, ...]

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to say about it."""
        return not self.exceptions


def seen_by_exception(facts: ReviewFacts) -> tuple[RunSeen, ...]:
    """Every run with what is exceptional about it; those with most reasons first."""
    own: dict[RunKey, list[Measurement]] = {run: [] for run in facts.entered}
    for one in facts.measurements:
        own[one.run].append(one)
    judged: dict[RunKey, list[Verdict]] = defaultdict(list)
    for verdict in facts.verdicts:
        for run in {one.run for one in (*verdict.measurements, *verdict.controls)}:
            judged[run].append(verdict)
    seen = [
        RunSeen(run, len(found), tuple(dict.fromkeys(_exceptions(facts, run, found, judged[run]))))
        for run, found in own.items()
    ]
    return tuple(sorted(seen, key=lambda one: (-len(one.exceptions), str(one.run))))


def _exceptions(
    facts: ReviewFacts, run: RunKey, own: Sequence[Measurement], judged: Sequence[Verdict]
) -> Iterator[Exceptional]:
    yield from _of_verdicts(judged)
    yield from (Exceptional(Why.OOS, said) for said in facts.failing.get(run, ()))
    yield from (Exceptional(Why.UNREPORTED, said) for said in facts.unreported.get(run, ()))
    yield from (Exceptional(Why.OOT, said) for said in facts.trends.get(run, ()))
    if (valid := facts.validity.get(run)) is not None and valid.validity is not Validity.VALID:
        yield Exceptional(Why.INVALID, str(valid))
    yield from _of_versions(facts, run, own)
    yield from _of_entry(facts.entered[run], own)
    yield from _of_windows(own, judged)
    yield from _of_samples(run, judged)
    yield from _of_habits(facts.habits.get(run.test), own)
    for sample in sorted({one.sample for one in own} & facts.corrected.keys()):
        yield Exceptional(Why.CORRECTED, facts.corrected[sample])
    for said in sorted(facts.registers):
        if str(run) in said:
            yield Exceptional(Why.REGISTER, said)


def _of_verdicts(judged: Sequence[Verdict]) -> Iterator[Exceptional]:
    for verdict in judged:
        if verdict.outcome is Outcome.FAIL:
            yield Exceptional(Why.OOS, verdict.sentence)
        elif verdict.outcome is Outcome.CANNOT_JUDGE:
            yield Exceptional(Why.NOT_JUDGED, verdict.sentence)
        elif verdict.trend:
            yield Exceptional(Why.OOT, verdict.sentence)


def _of_versions(
    facts: ReviewFacts, run: RunKey, own: Sequence[Measurement]
) -> Iterator[Exceptional]:
    """What was repeated: another version of the run, or another run of the same attribute."""
    if reason := facts.entered[run].supersedes:
        yield Exceptional(Why.RETESTED, f"it supersedes another version: {reason}")
    if later := sorted({one.superseded_by for one in own if one.superseded_by}):
        yield Exceptional(Why.RETESTED, f"superseded by {', '.join(later)}")
    mine = {(one.stage, one.analyte) for one in own if one.result_type == REPORTABLE}
    others = {
        str(one.run)
        for one in facts.measurements
        if one.run != run
        and one.run.test == run.test
        and one.result_type == REPORTABLE
        and (one.stage, one.analyte) in mine
    }
    if others:
        yield Exceptional(Why.RETESTED, f"the same is measured in {', '.join(sorted(others))}")


def _of_entry(entered: Entered, own: Sequence[Measurement]) -> Iterator[Exceptional]:
    if entered.by_hand:
        seconds = {one.second for one in own}
        how = ", ".join(sorted(one.value for one in seconds if one is not SecondEntry.NOT_NEEDED))
        yield Exceptional(Why.TYPED, f"typed by hand; second entry: {how}")
    oldest = min((one.measured_at for one in own), default=entered.at)
    if entered.at - oldest > LATE_AFTER:
        days = (entered.at - oldest).days
        yield Exceptional(Why.LATE, f"entered {days} days after it was measured")


def _of_windows(own: Sequence[Measurement], judged: Sequence[Verdict]) -> Iterator[Exceptional]:
    for verdict in judged:
        subject = verdict.criterion.subject
        if not isinstance(subject, Measured):
            continue
        for one in own:
            if (one.analyte, one.run.test) == (subject.analyte, subject.test) and (
                timing(subject, one.elapsed) is not Timing.FINE
            ):
                state = timing(subject, one.elapsed).value
                yield Exceptional(
                    Why.WINDOW, f"row {one.cell.row}, {one.analyte}: the time is {state}"
                )


def _of_samples(run: RunKey, judged: Sequence[Verdict]) -> Iterator[Exceptional]:
    """A value that is made of several samples may hide what one of them alone would say."""
    for verdict in judged:
        subject = verdict.criterion.subject
        if not isinstance(subject, Measured) or verdict.outcome is Outcome.CANNOT_JUDGE:
            continue
        samples: dict[str, list[str]] = defaultdict(list)
        for one in verdict.measurements:
            if one.run == run:
                samples[one.sample].append(one.shown.text)
        if len(samples) > 1 and (how := subject.replicates.aggregate) is not Aggregate.EACH:
            each = "; ".join(f"{sample}: {', '.join(told)}" for sample, told in samples.items())
            said = f"{verdict.criterion.title}: the {how} is of {len(samples)} samples, {each}"
            yield Exceptional(Why.SAMPLES, said)


def _of_habits(habit: Habit | None, own: Sequence[Measurement]) -> Iterator[Exceptional]:
    if habit is None or habit.runs < RUNS_FOR_A_HABIT:
        return
    for why, known, used in (
        (Why.INSTRUMENT, habit.instruments, {one.instrument for one in own}),
        (Why.ANALYST, habit.analysts, {one.analyst for one in own}),
    ):
        for name in sorted(used - known):
            said = f"{name or 'none stated'}; the {habit.runs} runs before were with"
            yield Exceptional(why, f"{said} {', '.join(sorted(known))}")
