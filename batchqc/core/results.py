"""From replicates to the reportable result, as the specification says.

- The number of replicates is that of the plan: a missing or surplus one makes no result.
- Aggregation is exact and never rounds; the order of replicates is irrelevant.
- Two runs for one attribute make no result, whatever their values: without an authorised retest
  nobody may choose between them (design, decided once, 3; requirements 2.07, 3.06).
- A run in several versions makes no result where a version fails, or a row was dropped
  (``superseding``).
- What was typed and did not match is not looked at (requirement 1.31).
- A unit, method, word or time that the criterion does not know makes no result, nor does a value
  that is not plausible; nor do replicates that lie further apart than the plan allows (requirement
  3.09), or a missing control.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from batchqc.core.acceptance import ReportOnly, Words
from batchqc.core.aggregates import aggregated, spread_problem
from batchqc.core.assays import Measurement
from batchqc.core.criteria import Criterion
from batchqc.core.quantities import SHOWN_PLACES, Interval, decimal_text
from batchqc.core.subjects import Measured
from batchqc.core.timing import Timing, timing
from batchqc.core.units import canonical_unit
from batchqc.core.unverified import matching


class NoResultBecause(StrEnum):
    """Why there is no reportable result."""

    MISSING = "missing"
    UNVERIFIED = "unverified"
    TWO_RESULTS = "two results"
    VERSIONS = "versions"
    REPLICATES = "replicates"
    METHOD = "method"
    IMPLAUSIBLE = "implausible"
    UNIT = "unit"
    UNREADABLE = "unreadable"
    TIME = "time"
    SPREAD = "spread"
    CONTROL = "control"
    INPUTS = "inputs"
    LACKING = "lacking"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class ReportableResult:
    """What is compared with the criterion.

    ``values`` are the sets of possible numbers or the terms to judge: one, or one for each
    replicate. ``text`` is the result as reported, ``how`` the aggregate or formula it came by,
    ``each`` the value of every replicate. One that ``is_early`` was read before its planned day,
    or computed from such a one: it may fail and cannot pass (requirement 4.26).
    """

    values: tuple[Interval | str, ...]
    text: str
    how: str
    replicates: tuple[Measurement, ...] = ()
    each: tuple[Interval | str, ...] = ()
    is_early: bool = False

    @property
    def number(self) -> Interval | None:
        """The one set of numbers to go on with, where the result is one."""
        first = self.values[0] if len(self.values) == 1 else ""
        return first if isinstance(first, Interval) else None


@dataclass(frozen=True, slots=True)
class NoResult:
    """Why nothing can be compared, in words for people, with what there is."""

    because: NoResultBecause
    why: str
    replicates: tuple[Measurement, ...] = ()


def reportable_result(
    criterion: Criterion, subject: Measured, measurements: Sequence[Measurement]
) -> ReportableResult | NoResult:
    """The reportable result of one attribute of one lot at one stage.

    Args:
        criterion: with the vocabulary that reads words.
        subject: what the criterion measures.
        measurements: every reportable measurement of this test and analyte, of all runs.
    """
    ordered = matching(measurements)
    for check in _CHECKS:
        problem = check(criterion, subject, ordered)
        if problem is not None:
            return problem
    values: list[Interval | str] = []
    for one in ordered:
        value = read_value(criterion, one)
        if value is None:
            why = f'"{one.text}" (row {one.cell.row}) cannot be read as {_expected(criterion)}'
            return NoResult(NoResultBecause.UNREADABLE, why, ordered)
        values.append(value)
    numbers = [value for value in values if isinstance(value, Interval)]
    apart = spread_problem(subject, numbers) if len(numbers) == len(values) else None
    if apart is not None:
        return NoResult(NoResultBecause.SPREAD, apart, ordered)
    aggregate = subject.replicates.aggregate
    judged = aggregated(aggregate, values, numbers)
    if judged is None:
        undefined = f"the {aggregate} of replicates that may be zero or less is not defined"
        return NoResult(NoResultBecause.UNREADABLE, undefined, ordered)
    return ReportableResult(
        judged,
        _reported(judged, ordered),
        aggregate.value,
        ordered,
        tuple(values),
        any(timing(subject, one.elapsed) is Timing.EARLY for one in ordered),
    )


def read_value(criterion: Criterion, measurement: Measurement) -> Interval | str | None:
    """The possible numbers or the term of one replicate; ``None`` where it cannot be read."""
    match criterion.accept:
        case Words(vocabulary=vocabulary):
            return vocabulary.read(measurement.text) if vocabulary else None
        case ReportOnly():
            amount = measurement.amount
            return amount.possible if amount else measurement.text
        case _:
            amount = measurement.amount
            return amount.possible if amount else None


def possible_text(value: Interval | str) -> str:
    """A computed value as reported: a number, a bound such as ``<0.05``, or a range."""
    if isinstance(value, str) or value.exact is not None:
        return str(value)
    low, high = value.low, value.high
    if low is None and high is not None:
        return f"{'<=' if value.high_closed else '<'}{Interval.exactly(high)}"
    if high is None and low is not None:
        return f"{'>=' if value.low_closed else '>'}{Interval.exactly(low)}"
    if low is not None and high is not None:
        ends = {decimal_text(end, places=SHOWN_PLACES) for end in (low, high)}
        if len(ends) == 1:  # a root or logarithm, known to 50 digits
            return ends.pop()
    return str(value)


def _missing(
    criterion: Criterion, subject: Measured, found: tuple[Measurement, ...]
) -> NoResult | None:
    if found:
        return None
    return NoResult(NoResultBecause.MISSING, f"no result for {criterion.title} ({subject.test})")


def _two_results(_: Criterion, __: Measured, found: tuple[Measurement, ...]) -> NoResult | None:
    runs = sorted({str(one.run) for one in found})
    if len(runs) == 1:
        return None
    each = "; ".join(
        f"{', '.join(one.text for one in found if str(one.run) == run)} in {run}" for run in runs
    )
    why = f"{_count(len(runs))} results, no authorised retest: {each}"
    return NoResult(NoResultBecause.TWO_RESULTS, why, found)


def _replicates(_: Criterion, subject: Measured, found: tuple[Measurement, ...]) -> NoResult | None:
    n = subject.replicates.n
    if len(found) == n:
        return None
    which = "missing" if len(found) < n else "surplus"
    why = f"{which} replicates: the plan asks for {n}, the run has {len(found)}"
    return NoResult(NoResultBecause.REPLICATES, why, found)


def _method(_: Criterion, subject: Measured, found: tuple[Measurement, ...]) -> NoResult | None:
    others = sorted({one.method for one in found if one.method != subject.method})
    if not others:
        return None
    why = f"measured by {', '.join(others)}; the specification asks for {subject.method}"
    return NoResult(NoResultBecause.METHOD, why, found)


def _unit(
    criterion: Criterion, subject: Measured, found: tuple[Measurement, ...]
) -> NoResult | None:
    if isinstance(criterion.accept, Words):
        return None
    wanted = canonical_unit(subject.unit)
    others = sorted({one.unit for one in found if canonical_unit(one.unit) != wanted})
    if not others:
        return None
    why = f'unit "{", ".join(others)}"; the specification asks for "{subject.unit}"'
    return NoResult(NoResultBecause.UNIT, why, found)


def _implausible(
    criterion: Criterion, subject: Measured, found: tuple[Measurement, ...]
) -> NoResult | None:
    """Intake refuses such values; a version that a lot is bound to later may know better."""
    if isinstance(criterion.accept, Words):
        return None
    for one in found:
        amount = one.amount if subject.plausible is not None or "-" in one.text else None
        if amount is None:
            continue
        if amount.is_negative_zero:
            why = f'"{one.text}" (row {one.cell.row}) is a negative zero'
            return NoResult(NoResultBecause.IMPLAUSIBLE, why, found)
        if subject.plausible is not None and amount.possible.is_outside(subject.plausible):
            why = f"{one.text} (row {one.cell.row}) is outside the plausible {subject.plausible}"
            return NoResult(NoResultBecause.IMPLAUSIBLE, why, found)
    return None


def _time(_: Criterion, subject: Measured, found: tuple[Measurement, ...]) -> NoResult | None:
    for one in found:
        state = timing(subject, one.elapsed)
        if state is Timing.UNKNOWN:
            why = f"row {one.cell.row} does not say when it was started (started_at)"
            return NoResult(NoResultBecause.TIME, why, found)
        if state is Timing.LATE:
            why = (
                f"row {one.cell.row} was measured {one.elapsed} after the start;"
                f" the window is {subject.window}"
            )
            return NoResult(NoResultBecause.TIME, why, found)
    return None


_CHECKS: Final[
    tuple[Callable[[Criterion, Measured, tuple[Measurement, ...]], NoResult | None], ...]
] = (_missing, _two_results, _replicates, _method, _unit, _implausible, _time)


def _reported(judged: Sequence[Interval | str], replicates: Sequence[Measurement]) -> str:
    """As typed where nothing was computed; a listed synonym names the term that it means."""
    if len(judged) != len(replicates):
        return "; ".join(possible_text(value) for value in judged)
    texts = []
    for value, one in zip(judged, replicates, strict=True):
        same = isinstance(value, Interval) or value.casefold() == one.text.casefold()
        texts.append(one.text if same else f"{one.text} ({value})")
    return "; ".join(texts)


def _expected(criterion: Criterion) -> str:
    if isinstance(criterion.accept, Words) and criterion.accept.vocabulary:
        return f"one of: {criterion.accept.vocabulary.words}"
    return "a number"


def _count(number: int) -> str:
    return {2: "two", 3: "three", 4: "four"}.get(number, str(number))
