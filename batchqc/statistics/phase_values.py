"""The lots of one phase on the scale of their attribute, and what is carried back from there."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

import numpy as np

from batchqc.core.acceptance import Limits
from batchqc.core.criteria import Criterion
from batchqc.core.quantities import Interval
from batchqc.core.trend_phases import Phase
from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.capability import SpecLimits
from batchqc.statistics.figures import Figure
from batchqc.statistics.lot_series import Judged, Trend, is_censored, numbers_of
from batchqc.statistics.scales import Scale
from batchqc.statistics.values import Floats

Found = TypeVar("Found")

_NAMED: Final = 20
#: Kinds whose values lie between 0 and the whole.
_OF_THE_WHOLE: Final = ("complement cube root", "logit")


@dataclass(slots=True)
class Part:
    """One part of what is said of an attribute: its figures, and what the lots do not allow."""

    title: str
    figures: list[Figure] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def has(self, count: int, *, least: int) -> bool:
        """Whether there are as many measured lots as are needed; where not, it is said."""
        if count < least:
            lots = "1 measured lot" if count == 1 else f"{count} measured lots"
            self.said.append(f"{lots}: below {least} nothing is estimated, only data are shown")
        return count >= least

    def has_censored(self, count: int) -> bool:
        """Whether lots are censored, so that numbers alone would mislead; where so, it is said."""
        if count:
            lots = "1 lot is" if count == 1 else f"{count} lots are"
            self.said.append(
                f"{lots} censored: this needs numbers, and those that are there alone would mislead"
            )
        return count > 0

    def try_for(self, compute: Callable[[], Found]) -> Found | None:
        """What was computed, or ``None`` with the reason in what is said."""
        try:
            return compute()
        except (NotEstimable, InvalidInput) as problem:
            self.said.append(problem.message)
            return None


@dataclass(frozen=True, slots=True)
class PhaseValues:
    """Lots of one phase whose value is a number of the scale.

    Args:
        phase: of which.
        scale: of the attribute.
        lots: measured lots in their order.
        on: (n,) their values on the scale.
        censored: how many lots of the phase are only known to lie beyond a bound.
        problem: why no value could be put on the scale, or "".
        moved: ids of lots whose value lay on a bound of the scale and counts half a step inside.
    """

    phase: Phase
    scale: Scale
    lots: tuple[Judged, ...]
    on: Floats
    censored: int
    problem: str = ""
    moved: tuple[str, ...] = ()

    @property
    def origins(self) -> list[str]:
        """The donor or donors of each lot; its cell bank where no lot names a donor."""
        donors = [" + ".join(one.lot.donors) for one in self.lots]
        return donors if any(donors) else [" + ".join(one.lot.banks) for one in self.lots]

    @property
    def said_of_moved(self) -> tuple[str, ...]:
        """Which lots were moved off the bound of the scale; nothing where none was."""
        if not self.moved:
            return ()
        more = f" and {len(self.moved) - _NAMED} more" if len(self.moved) > _NAMED else ""
        named = ", ".join(self.moved[:_NAMED])
        return (f"moved off the bound by half the resolution: {named}{more}",)


def phase_values(trend: Trend, phase: Phase) -> PhaseValues:
    """The measured lots of a phase on the scale of the series."""
    own = [one for one in trend.lots if one.phase == phase.number and one.value is not None]
    lots = tuple(one for one in own if not is_censored(one))
    hidden = len(own) - len(lots)
    if not lots:
        return PhaseValues(phase, trend.scale, (), np.zeros(0), hidden)
    values, steps = numbers_of(lots), [one.step for one in lots]
    try:
        on = trend.scale.forward(values, resolution=steps)
    except InvalidInput as problem:
        return PhaseValues(phase, trend.scale, (), np.zeros(0), hidden, problem.message)
    moved = tuple(lots[place - 1].lot.lot for place in on.shifted)
    return PhaseValues(phase, trend.scale, lots, on.values, hidden, moved=moved)


def limits_on(scale: Scale, criterion: Criterion) -> SpecLimits | None:
    """Between which ends a value passes, on a scale; an end beyond its bounds limits nothing.

    They are those that the verdict uses, rounding and guard band included. A criterion against a
    control has none: what it limits is no value of the lot alone.

    Raises:
        InvalidInput: no value, or a single one, passes.
    """
    passing = criterion.passing
    if not isinstance(criterion.accept, Limits) or not isinstance(passing, Interval):
        return None
    low, high = (
        None if end is None else _end_on(scale, float(end)) for end in (passing.low, passing.high)
    )
    if scale.flips:
        low, high = high, low
    return None if low is None and high is None else SpecLimits(low, high)


def carried_back(figure: Figure, scale: Scale) -> Figure:
    """A figure of values on a scale, in the unit of the attribute: the centre is a median there."""
    value, low, high = (
        None if one is None else float(scale.back([one])[0])
        for one in (figure.value, figure.lower, figure.upper)
    )
    if scale.flips:
        low, high = high, low
    return replace(figure, value=0.0 if value is None else value, lower=low, upper=high)


def _end_on(scale: Scale, limit: float) -> float | None:
    if scale.kind == "ln" and limit <= 0:
        return None
    if scale.kind in _OF_THE_WHOLE and not 0 < limit < scale.whole:
        return None
    return float(scale.forward([limit]).values[0])
