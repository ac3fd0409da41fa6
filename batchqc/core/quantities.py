"""Exact amounts: what was typed, what it means, and what it leaves open.

- A value keeps the text that was typed and a Decimal; no float is ever made.
- A qualifier (``<0.05``) makes a value a set of possible numbers, an ``Interval``. An exact value
  is the interval that holds one number.
- Anything else (``1,250``, ``NaN``, ``0x1F``, ``١٢``) is not an amount.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final, Self

LONGEST_NUMBER: Final = 40
LARGEST_EXPONENT: Final = 30
SHOWN_PLACES: Final = 10
_KEPT: Final = 4096  # readings that are remembered: a page asks for each several times

_AMOUNT: Final = re.compile(
    r"(?:(?P<qualifier><=|>=|<|>|≤|≥)[ ]?)?"
    r"(?P<number>[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?)"
)
_QUALIFIERS: Final = {None: "=", "≤": "<=", "≥": ">="}


@dataclass(frozen=True, slots=True)
class Interval:
    """A set of numbers between two ends; ``None`` is an open end at infinity.

    A closed end belongs to the set. Both a result and a criterion are intervals, so that one
    comparison decides: a result passes when it lies inside, fails when it lies outside.
    """

    low: Fraction | None = None
    high: Fraction | None = None
    low_closed: bool = False
    high_closed: bool = False

    @classmethod
    def exactly(cls, number: Fraction | Decimal) -> Self:
        """The set that holds one number."""
        value = Fraction(number)
        return cls(value, value, low_closed=True, high_closed=True)

    @property
    def is_empty(self) -> bool:
        """Whether no number belongs to the set."""
        if self.low is None or self.high is None:
            return False
        both_closed = self.low_closed and self.high_closed
        return self.low > self.high or (self.low == self.high and not both_closed)

    @property
    def exact(self) -> Fraction | None:
        """The number, where the set holds just one."""
        return self.low if self.low == self.high and not self.is_empty else None

    def intersection(self, other: Self) -> Self:
        """The numbers that belong to both sets."""
        low, low_closed = _tighter((self.low, self.low_closed), (other.low, other.low_closed), max)
        high, high_closed = _tighter(
            (self.high, self.high_closed), (other.high, other.high_closed), min
        )
        return type(self)(low, high, low_closed=low_closed, high_closed=high_closed)

    def is_inside(self, other: Self) -> bool:
        """Whether every number of this set belongs to ``other``."""
        return self.intersection(other) == self

    def is_outside(self, other: Self) -> bool:
        """Whether no number of this set belongs to ``other``."""
        return self.intersection(other).is_empty

    def __str__(self) -> str:
        """In words for people: ``90.5 and up``, ``above 90``, ``from 20 to 80``."""
        low = None if self.low is None else decimal_text(self.low)
        high = None if self.high is None else decimal_text(self.high)
        match low, high:
            case None, None:
                return "any number"
            case str(), None:
                return f"{low} and up" if self.low_closed else f"above {low}"
            case None, str():
                return f"up to {high}" if self.high_closed else f"below {high}"
            case _:
                words = f"{low} ({_end(self.low_closed)}) to {high} ({_end(self.high_closed)})"
                return low or "" if self.exact is not None else words


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as typed, such as ``93.40``, ``<0.05`` or ``2.45E6``.

    ``text`` is kept digit for digit; ``number`` has the same digits (``93.40`` stays ``93.40``).
    """

    text: str
    qualifier: str
    number: Decimal

    @property
    def possible(self) -> Interval:
        """The set of numbers that the text allows."""
        return _possible(self.qualifier, self.number)

    @property
    def is_censored(self) -> bool:
        """Whether the text gives a bound and not a number."""
        return self.qualifier != "="

    @property
    def is_negative_zero(self) -> bool:
        """Whether it is ``-0.0``, which instruments write for "unknown"."""
        return self.number.is_zero() and self.number.is_signed()


def parse_amount(text: str) -> Amount | None:
    """Read ``[< <= > >=]decimal[E±n]`` with a decimal point; ``None`` for anything else.

    Digits before and after the point are required. A number of more than 40 characters or with an
    exponent beyond 30 is not read: no measurement needs it, and arithmetic on it never ends.
    """
    return None if len(text) > LONGEST_NUMBER else _parsed(text)


@lru_cache(maxsize=_KEPT)
def _possible(qualifier: str, number: Decimal) -> Interval:
    """Numbers that are equal, such as 90 and 90.0, allow the same."""
    value = Fraction(number)
    match qualifier:
        case "<":
            return Interval(high=value)
        case "<=":
            return Interval(high=value, high_closed=True)
        case ">":
            return Interval(low=value)
        case ">=":
            return Interval(low=value, low_closed=True)
        case _:
            return Interval.exactly(value)


@lru_cache(maxsize=_KEPT)
def _parsed(text: str) -> Amount | None:
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return None
    number = Decimal(found["number"])
    if abs(number.adjusted()) > LARGEST_EXPONENT:
        return None
    sign = found["qualifier"]
    return Amount(text, _QUALIFIERS.get(sign, sign or "="), number)


def last_digit(number: Decimal) -> Decimal:
    """The place of the last stated digit: 0.1 of ``98.0``, 1 of ``90``, 1E7 of ``1.8E8``."""
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise TypeError(f"{number} is not a number")
    return Decimal((0, (1,), exponent))


def decimal_text(number: Fraction, *, places: int | None = None) -> str:
    """A fraction as decimal text.

    One without an end, or with more than ``places`` places where that is given, is cut and ends
    with "…".
    """
    denominator, needed = number.denominator, 0
    while denominator % 10 == 0:
        denominator, needed = denominator // 10, needed + 1
    for factor in (2, 5):
        while denominator % factor == 0:
            denominator, needed = denominator // factor, needed + 1
    ends = denominator == 1 and (places is None or needed <= places)
    shown = needed if ends else places or SHOWN_PLACES
    digits = str(abs(number.numerator) * 10**shown // number.denominator).rjust(shown + 1, "0")
    whole, part = digits[: len(digits) - shown], digits[len(digits) - shown :]
    sign = "-" if number < 0 else ""
    point = f"{whole}.{part.rstrip('0')}" if part.strip("0") else whole
    return f"{sign}{point}" if ends else f"{sign}{whole}.{part}…"


def _tighter(
    a: tuple[Fraction | None, bool],
    b: tuple[Fraction | None, bool],
    choose: Callable[[Fraction, Fraction], Fraction],
) -> tuple[Fraction | None, bool]:
    """Of two ends the one further inside, and whether it belongs to both sets."""
    if a[0] is None or b[0] is None:
        return (None, False) if a[0] is b[0] else b if a[0] is None else a
    if a[0] == b[0]:
        return a[0], a[1] and b[1]
    return a if choose(a[0], b[0]) is a[0] else b


def _end(closed: bool) -> str:  # noqa: FBT001 - one word for one flag
    return "included" if closed else "excluded"
