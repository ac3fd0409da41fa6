"""Replicates together: how far apart they lie, and the aggregate that a plan asks for. Exact."""

from collections.abc import Sequence

from batchqc.core.arithmetic import extreme, geometric_mean, mean, median, spread_exceeds
from batchqc.core.quantities import Interval
from batchqc.core.subjects import Aggregate, Measured


def spread_problem(subject: Measured, numbers: Sequence[Interval]) -> str | None:
    """Why the replicates lie too far apart, or nobody can say; ``None`` where they do not."""
    plan = subject.replicates
    if plan.max_cv is not None:
        exceeds = spread_exceeds(numbers, plan.max_cv)
        if exceeds is None:
            return f"the %CV of the replicates is not defined; the plan allows {plan.max_cv} %"
        if exceeds:
            return f"the %CV of the replicates is above {plan.max_cv} %"
    if plan.max_range is not None:
        exact = [one.exact for one in numbers if one.exact is not None]
        if len(exact) < len(numbers) or max(exact) - min(exact) > plan.max_range:
            return f"the replicates are not known to lie within {plan.max_range} {subject.unit}"
    return None


def aggregated(
    aggregate: Aggregate, values: Sequence[Interval | str], numbers: Sequence[Interval]
) -> tuple[Interval | str, ...] | None:
    """The aggregate of the plan, or each value; ``None`` where it is not defined."""
    if len(numbers) != len(values):
        return tuple(values)  # words have no mean: each one counts
    if aggregate in {Aggregate.SINGLE, Aggregate.EACH}:
        return tuple(values)
    found = _together(aggregate, numbers)
    return None if found is None else (found,)


def _together(aggregate: Aggregate, numbers: Sequence[Interval]) -> Interval | None:
    match aggregate:
        case Aggregate.MEDIAN:
            return median(numbers)
        case Aggregate.GEOMETRIC_MEAN:
            return geometric_mean(numbers)
        case Aggregate.MINIMUM:
            return extreme(numbers, largest=False)
        case Aggregate.MAXIMUM:
            return extreme(numbers, largest=True)
        case _:
            return mean(numbers)
