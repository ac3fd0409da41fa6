"""From replicates to the reportable result, as the specification says.

- The number of replicates is that of the plan: a missing or surplus one makes no result.
- Aggregation is exact and never rounds; the order of replicates is irrelevant.
- Two runs for one attribute make no result, whatever their values: without an authorised retest
  nobody may choose between them (design, decided once, 3; requirements 2.07, 3.06).
- A unit, method, word or time that the criterion does not know makes no result.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, assert_never

from batchqc.core.assays import Measurement
from batchqc.core.quantities import Interval, canonical_unit, extreme, mean
from batchqc.core.specifications import Aggregate, Criterion, Measured, ReportOnly, Words


class NoResultBecause(StrEnum):
    """Why there is no reportable result."""

    MISSING = "missing"
    TWO_RESULTS = "two results"
    REPLICATES = "replicates"
    METHOD = "method"
    UNIT = "unit"
    UNREADABLE = "unreadable"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class ReportableResult:
    """What is compared with the criterion.

    ``values`` are the sets of possible numbers or the terms to judge: one, or one for each
    replicate. ``text`` is the result as reported.
    """

    values: tuple[Interval | str, ...]
    text: str
    aggregate: Aggregate
    replicates: tuple[Measurement, ...]


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
    ordered = tuple(sorted(measurements, key=_order))
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
    judged = _aggregated(subject.replicates.aggregate, values)
    return ReportableResult(
        judged, _reported(judged, ordered), subject.replicates.aggregate, ordered
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


def too_early(subject: Measured, measurement: Measurement) -> bool:
    """Whether a planned incubation had not ended when the result was read (requirement 4.26)."""
    if subject.planned_days is None or measurement.elapsed is None:
        return False
    return measurement.elapsed < timedelta(days=subject.planned_days)


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


def _time(_: Criterion, subject: Measured, found: tuple[Measurement, ...]) -> NoResult | None:
    if not subject.needs_start:
        return None
    for one in found:
        if one.elapsed is None or one.elapsed < timedelta():
            why = f"row {one.cell.row} does not say when it was started (started_at)"
            return NoResult(NoResultBecause.TIME, why, found)
        if subject.window is not None and one.elapsed > subject.window:
            why = (
                f"row {one.cell.row} was measured {one.elapsed} after the start;"
                f" the window is {subject.window}"
            )
            return NoResult(NoResultBecause.TIME, why, found)
    return None


_CHECKS: Final[
    tuple[Callable[[Criterion, Measured, tuple[Measurement, ...]], NoResult | None], ...]
] = (_missing, _two_results, _replicates, _method, _unit, _time)


def _aggregated(
    aggregate: Aggregate, values: Sequence[Interval | str]
) -> tuple[Interval | str, ...]:
    numbers = [value for value in values if isinstance(value, Interval)]
    if len(numbers) != len(values):
        return tuple(values)  # words have no mean: each one counts
    match aggregate:
        case Aggregate.SINGLE | Aggregate.EACH:
            return tuple(values)
        case Aggregate.MEAN:
            return (mean(numbers),)
        case Aggregate.MINIMUM:
            return (extreme(numbers, largest=False),)
        case Aggregate.MAXIMUM:
            return (extreme(numbers, largest=True),)
        case _:
            assert_never(aggregate)


def _reported(judged: Sequence[Interval | str], replicates: Sequence[Measurement]) -> str:
    """As typed where nothing was computed; a listed synonym names the term that it means."""
    if len(judged) != len(replicates):
        return "; ".join(_possible_text(value) for value in judged)
    texts = []
    for value, one in zip(judged, replicates, strict=True):
        same = isinstance(value, Interval) or value.casefold() == one.text.casefold()
        texts.append(one.text if same else f"{one.text} ({value})")
    return "; ".join(texts)


def _possible_text(value: Interval | str) -> str:
    if isinstance(value, str) or value.exact is not None:
        return str(value)
    if value.low is None and value.high is not None:
        return f"{'<=' if value.high_closed else '<'}{Interval.exactly(value.high)}"
    if value.high is None and value.low is not None:
        return f"{'>=' if value.low_closed else '>'}{Interval.exactly(value.low)}"
    return str(value)


def _expected(criterion: Criterion) -> str:
    if isinstance(criterion.accept, Words) and criterion.accept.vocabulary:
        return f"one of: {criterion.accept.vocabulary.words}"
    return "a number"


def _order(one: Measurement) -> tuple[str, str, str, str, int, int]:
    return (one.run.upload, one.run.run, one.sample, one.aliquot, one.replicate, one.cell.row)


def _count(number: int) -> str:
    return {2: "two", 3: "three", 4: "four"}.get(number, str(number))
