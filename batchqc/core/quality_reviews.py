"""The period of a product quality review.

A review describes; nothing in it decides a verdict or a gate. Days are those of the site, the first
and the last included.
"""

from dataclasses import dataclass
from datetime import date


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
