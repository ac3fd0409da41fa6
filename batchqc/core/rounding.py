"""Rounding rules, and the exact set of unrounded values that passes a limit under each.

Rounding happens once, inside the comparison: instead of rounding a result and then comparing it,
the limit is turned into the set of unrounded values that pass (design, decided once, 1). So a
censored result, whose rounded value nobody knows, is decided by the same set.

The precision is that of the limit's text: one decimal place for ``98.0``, tens of millions for
``1.8E8``; integers show all their digits. Sources: USP General Notices 7.20 (decimal places, five
raises), Ph. Eur. General Notices (significant figures), ASTM E29 (absolute, or half to even).
"""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Final

from batchqc.core.quantities import Interval, last_digit


class Rounding(StrEnum):
    """How a result is brought to the precision of a limit before both are compared."""

    ABSOLUTE = "absolute"
    USP = "usp"
    PH_EUR = "ph-eur"
    ASTM = "astm"

    @property
    def name_of_rule(self) -> str:
        """The rule as a table names it."""
        return _NAMES[self]

    @property
    def words(self) -> str:
        """The rule as a certificate prints it."""
        return _WORDS[self]


_NAMES: Final = {
    Rounding.ABSOLUTE: "absolute",
    Rounding.USP: "USP",
    Rounding.PH_EUR: "Ph. Eur.",
    Rounding.ASTM: "ASTM E29",
}
_WORDS: Final = {
    Rounding.ABSOLUTE: "compared as reported, not rounded",
    Rounding.USP: "rounded to the decimal places of the limit, five raises (USP 7.20)",
    Rounding.PH_EUR: "rounded to the significant figures of the limit, half raises (Ph. Eur.)",
    Rounding.ASTM: "rounded to the last place of the limit, half to even (ASTM E29)",
}

_EXACT: Final = Context(prec=120)


def passing_interval(operator: str, limit: Decimal, rounding: Rounding) -> Interval:
    """The unrounded values that pass ``operator limit`` under a rounding rule.

    Args:
        operator: one of ``< <= > >=``.
        limit: with the digits of its text.
        rounding: the rule that the criterion names.
    """
    return _passing(operator, str(limit), rounding)


@lru_cache(maxsize=1024)
def _passing(operator: str, limit: str, rounding: Rounding) -> Interval:
    """By the limit's text: 90 and 90.0 are equal, and do not round alike."""
    edge, closed = _edge(operator, Decimal(limit), rounding)
    if operator in {">", ">="}:
        return Interval(low=Fraction(edge), low_closed=closed)
    return Interval(high=Fraction(edge), high_closed=closed)


def rounded(number: Fraction, limit: Decimal, rounding: Rounding) -> Decimal | None:
    """``number`` as compared with ``limit``; ``None`` where the rule compares it unrounded."""
    if rounding is Rounding.ABSOLUTE:
        return None
    place = last_digit(limit)
    if rounding is Rounding.PH_EUR:
        place = _place_of_figures(number, len(limit.as_tuple().digits))
    steps = number / Fraction(place)
    mode = ROUND_HALF_EVEN if rounding is Rounding.ASTM else ROUND_HALF_UP
    whole = _round_fraction(steps, mode)
    return _EXACT.multiply(whole, place)


def _edge(operator: str, limit: Decimal, rounding: Rounding) -> tuple[Decimal, bool]:
    """Where the passing set ends, and whether the end itself passes."""
    if rounding is Rounding.ABSOLUTE:
        return limit, operator in {"<=", ">="}
    upward = operator in {">", "<="}
    if rounding is Rounding.PH_EUR and limit == 0:  # nothing but zero rounds to zero figures
        return limit, operator in {"<=", ">="}
    half = _EXACT.divide(_step(limit, rounding, upward=upward), Decimal(2))
    edge = _EXACT.add(limit, half) if upward else _EXACT.subtract(limit, half)
    tie = rounded(Fraction(edge), limit, rounding)
    tie_is_limit = tie == limit
    return edge, tie_is_limit if operator in {"<=", ">="} else not tie_is_limit


def _step(limit: Decimal, rounding: Rounding, *, upward: bool) -> Decimal:
    """The distance from the limit to the next number of its precision, up or down."""
    place = last_digit(limit)
    digits = limit.as_tuple().digits
    is_power_of_ten = digits[0] == 1 and not any(digits[1:])
    towards_zero = upward == (limit < 0)
    if rounding is Rounding.PH_EUR and is_power_of_ten and towards_zero:
        return _EXACT.divide(place, Decimal(10))
    return place


def _place_of_figures(number: Fraction, figures: int) -> Decimal:
    """The place of the last of ``figures`` significant figures of ``number``."""
    if number == 0:
        return Decimal(1)
    size, exponent = abs(number), 0
    while size >= 10:
        size, exponent = size / 10, exponent + 1
    while size < 1:
        size, exponent = size * 10, exponent - 1
    return Decimal((0, (1,), exponent - figures + 1))


def _round_fraction(steps: Fraction, mode: str) -> Decimal:
    doubled = steps * 2
    if doubled.denominator == 1:  # whole or exactly half: Decimal knows both exactly
        half = _EXACT.divide(Decimal(doubled.numerator), Decimal(2))
        return half.quantize(Decimal(1), rounding=mode, context=_EXACT)
    return Decimal(round(steps))
