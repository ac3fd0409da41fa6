"""What a criterion accepts: limits, words, classes, a control of the same run, k of n, or nothing.

Each kind prints itself as written (``text``). Numbers keep the digits of their text.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import reduce

from batchqc.core.quantities import Interval
from batchqc.core.rounding import Rounding, passing_interval
from batchqc.core.vocabularies import Vocabulary


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: an operator and a number with the digits of its text."""

    operator: str
    number: Decimal


@dataclass(frozen=True, slots=True)
class Limits:
    """Numeric acceptance: one limit, or a lower and an upper one. ``text`` is as written."""

    text: str
    limits: tuple[Limit, ...]

    def passing(self, rounding: Rounding) -> Interval:
        """The unrounded values that pass under a rounding rule."""
        sets = [passing_interval(one.operator, one.number, rounding) for one in self.limits]
        return reduce(Interval.intersection, sets)


@dataclass(frozen=True, slots=True)
class Words:
    """Qualitative acceptance: any of ``terms``.

    ``vocabulary`` reads results; donor facts come from registers and need none.
    """

    terms: tuple[str, ...]
    vocabulary: Vocabulary | None = None

    @property
    def text(self) -> str:
        """The accepted terms as one text."""
        return " or ".join(self.terms)


@dataclass(frozen=True, slots=True)
class Band:
    """A class of values, such as "strong" for ``< 29``."""

    name: str
    limits: Limits


@dataclass(frozen=True, slots=True)
class Bands:
    """Classes of values, and those that are accepted; none where the class is for information."""

    bands: tuple[Band, ...]
    accepted: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The accepted classes, or all of them."""
        shown = ", ".join(f"{one.name} {one.limits.text}" for one in self.bands)
        return f"{' or '.join(self.accepted) or 'for information'} ({shown})"

    def read(self, value: Interval, rounding: Rounding) -> str | None:
        """The class that holds every number of ``value``; ``None`` in a gap or across classes."""
        for band in self.bands:
            if value.is_inside(band.limits.passing(rounding)):
                return band.name
        return None


@dataclass(frozen=True, slots=True)
class Relative:
    """Acceptance by the control of the same assay run: ``< 0.5 * control``."""

    text: str
    operator: str
    factor: Decimal

    @property
    def passing(self) -> Interval:
        """The accepted differences of result and factor times control."""
        return passing_interval(self.operator, Decimal(0), Rounding.ABSOLUTE)

    @property
    def multiple(self) -> Interval:
        """The factor as a set of numbers."""
        return Interval.exactly(Fraction(self.factor))


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Acceptance of a group: at least ``count`` of its ``of`` members pass."""

    count: int
    of: int

    @property
    def text(self) -> str:
        """In words."""
        if self.count == self.of:
            return f"all {self.of} pass"
        return f"at least {self.count} of {self.of} pass"


@dataclass(frozen=True, slots=True)
class ReportOnly:
    """No acceptance: the result is printed for information and has no verdict."""

    text: str = "for information"


Acceptance = Limits | Words | Bands | Relative | AtLeast | ReportOnly
