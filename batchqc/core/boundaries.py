"""Where each criterion turns: what an approver signs.

For every numeric end: the passing set in unrounded values, and at the resolution that the method
reports, the last value that fails and the first that passes.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from batchqc.core.acceptance import Limits, Relative
from batchqc.core.criteria import Criterion
from batchqc.core.quantities import Interval, decimal_text, last_digit
from batchqc.core.specifications import Specification

NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class Turn:
    """One end of what passes: ``end`` is "from below" or "from above"; values as text.

    ``first_passing`` is "none" where no value in steps of the resolution passes.
    """

    end: str
    last_failing: str
    first_passing: str


@dataclass(frozen=True, slots=True)
class Boundary:
    """What passes one criterion, and where it turns.

    ``resolution`` is what the method reports, or the last digit of the limit where
    ``is_resolution_stated`` is false; empty where nothing is numeric.
    """

    criterion: str
    acceptance: str
    rounding: str
    passing: str
    resolution: str
    is_resolution_stated: bool
    turns: tuple[Turn, ...]


def boundaries(specification: Specification) -> tuple[Boundary, ...]:
    """The boundary of every criterion, in the order of the specification."""
    return tuple(boundary(criterion) for criterion in specification.criteria)


def boundary(criterion: Criterion) -> Boundary:
    """What passes one criterion, and where it turns."""
    passing, accept = criterion.passing, criterion.accept
    step = ""
    turns: tuple[Turn, ...] = ()
    if isinstance(accept, Limits) and isinstance(passing, Interval):
        finest = min(last_digit(one.number) for one in accept.limits)
        resolution = Fraction(criterion.resolution or min(finest, Decimal(1)))
        step, turns = decimal_text(resolution), _turns(passing, resolution)
    return Boundary(
        criterion=criterion.id,
        acceptance=criterion.acceptance,
        rounding=criterion.rounding.value if isinstance(accept, Limits) else "",
        passing=_words(criterion),
        resolution=step,
        is_resolution_stated=criterion.resolution is not None,
        turns=turns,
    )


def _words(criterion: Criterion) -> str:
    passing = criterion.passing
    if isinstance(passing, frozenset):
        return " or ".join(sorted(passing))
    if passing is None or isinstance(criterion.accept, Relative):
        return criterion.accept.text
    return f"{passing}, in {criterion.unit}"


def _turns(passing: Interval, step: Fraction) -> tuple[Turn, ...]:
    turns = []
    if passing.low is not None:
        first = -(-passing.low // step)
        if not passing.low_closed and first * step == passing.low:
            first += 1
        turns.append(_turn("from below", passing, (first - 1) * step, first * step))
    if passing.high is not None:
        first = passing.high // step
        if not passing.high_closed and first * step == passing.high:
            first -= 1
        turns.append(_turn("from above", passing, (first + 1) * step, first * step))
    return tuple(turns)


def _turn(end: str, passing: Interval, last: Fraction, first: Fraction) -> Turn:
    passes = Interval.exactly(first).is_inside(passing)  # a step may lie beyond the other end
    return Turn(end, decimal_text(last), decimal_text(first) if passes else NONE)
