"""The product quality review: its period, and the scale of an attribute.

A review describes; nothing in it decides a verdict or a gate. Days are those of the site, the first
and the last included.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, TypeAlias

from batchqc.core.criteria import Category, Criterion
from batchqc.core.quantities import Interval

Scale: TypeAlias = Literal["identity", "ln", "complement cube root"]

#: A percentage with a lower limit from here on is near 100.
_NEAR: Final = 50


@dataclass(frozen=True, slots=True)
class Period:
    """The days that a review is of."""

    first: date
    last: date

    def problem(self, today: date) -> str | None:
        """Why nothing can be reviewed of it, or ``None``."""
        if self.last < self.first:
            return f"it ends on {self.last}, before it begins on {self.first}"
        if self.last > today:
            return f"it ends on {self.last}, and today is {today}: what is to come is not known"
        return None

    def covers(self, begins: date, ends: date | None) -> bool:
        """Whether a span of days lies in it, if only partly; ``ends`` is the first day after."""
        return begins <= self.last and (ends is None or ends > self.first)


def scale_of(criterion: Criterion) -> Scale:
    """The scale on which an attribute is charted.

    Percentages whose lower limit is near 100 on the cube root of the complement, potencies that
    are no percentages on the logarithm, all else as reported. It follows from what the attribute
    is, never from its values.
    """
    passing = criterion.passing
    if criterion.unit == "%":
        low = passing.low if isinstance(passing, Interval) else None
        return "complement cube root" if low is not None and low >= _NEAR else "identity"
    return "ln" if criterion.category is Category.POTENCY else "identity"
