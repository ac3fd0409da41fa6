"""One line of a specification: its subject, what it accepts, and how the two are compared.

What passes is one exact set (``Criterion.passing``); verdicts, boundary tables, linter and impact
use nothing else.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import assert_never

from batchqc.core.acceptance import (
    Acceptance,
    AtLeast,
    Bands,
    Limits,
    Relative,
    ReportOnly,
    Words,
)
from batchqc.core.quantities import Interval
from batchqc.core.rounding import Rounding
from batchqc.core.subjects import Derived, Group, Measured, Subject


class Category(StrEnum):
    """What a criterion speaks about; certificates group by it."""

    IDENTITY = "identity"
    PURITY = "purity"
    QUANTITY = "quantity"
    POTENCY = "potency"
    SAFETY = "safety"
    APPEARANCE = "appearance"
    DONOR = "donor"


@dataclass(frozen=True)
class Criterion:
    """One line of a specification.

    Args:
        required: whether absence of the result blocks; a judged result always counts.
        guard: by how much the passing set is shrunk at each limit, in the unit (ISO 17025 7.8.6).
        alert, action: limits inside the acceptance; a result outside is out of trend, never
            blocked.
        resolution: the last digit that the method reports, such as 0.1.
        interim: criteria that stand in while this result is pending; empty where it may not be.
        basis: how a limit was derived, such as K/M of endotoxin.
        acknowledged: findings of the linter that the author accepts, each with the reason.
    """

    id: str
    title: str
    category: Category
    subject: Subject
    accept: Acceptance
    rounding: Rounding = Rounding.ABSOLUTE
    required: bool = True
    note: str = ""
    guard: Decimal | None = None
    alert: Limits | None = None
    action: Limits | None = None
    resolution: Decimal | None = None
    interim: tuple[str, ...] = ()
    basis: str = ""
    acknowledged: tuple[tuple[str, str], ...] = ()

    @cached_property
    def unit(self) -> str:
        """The unit of the result; empty for words, groups and the donor."""
        return self.subject.unit if isinstance(self.subject, Measured | Derived) else ""

    @property
    def method(self) -> str:
        """The method code, or where the result comes from."""
        match self.subject:
            case Measured(method=method):
                return method
            case Derived():
                return "computed"
            case Group():
                return "group"
            case _:
                return "register"

    @cached_property
    def acceptance(self) -> str:
        """The criterion as text with its unit, as certificates print it."""
        text = self.accept.text
        if self.unit and isinstance(self.accept, Limits):
            text = f"{text} {self.unit}"
        if self.guard is not None:
            text = f"{text} (guard band {self.guard} {self.unit})"
        return text

    @cached_property
    def passing(self) -> Interval | frozenset[str] | None:
        """Every unrounded value or term that passes; ``None`` where neither decides."""
        match self.accept:
            case Limits() as limits:
                return self._guarded(limits.passing(self.rounding))
            case Words(terms=terms) | Bands(accepted=terms) if terms:
                return frozenset(terms)
            case Relative(passing=differences):
                return differences
            case Words() | Bands() | AtLeast() | ReportOnly():
                return None
            case _:
                assert_never(self.accept)

    @property
    def is_judged(self) -> bool:
        """Whether the criterion has a verdict, or prints for information."""
        match self.accept:
            case ReportOnly():
                return False
            case Bands(accepted=accepted):
                return bool(accepted)
            case _:
                return True

    @property
    def needs(self) -> tuple[str, ...]:
        """The ids of the criteria that this one is computed from."""
        match self.subject:
            case Derived(inputs=inputs):
                return tuple(one.criterion for one in inputs if one.criterion)
            case Group(members=members):
                return members
            case _:
                return ()

    def _guarded(self, passing: Interval) -> Interval:
        if self.guard is None:
            return passing
        band = Fraction(self.guard)
        return Interval(
            None if passing.low is None else passing.low + band,
            None if passing.high is None else passing.high - band,
            low_closed=passing.low_closed,
            high_closed=passing.high_closed,
        )
