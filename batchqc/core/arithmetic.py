"""Exact arithmetic on sets of numbers.

Sums, products, quotients, means and medians are exact. Roots and logarithms are computed with 50
digits and come out as the narrow set that holds the true number, unless it is exact; so what is not
certain at that precision lies across a limit and cannot be judged (design, decided once, 4).
A set of results is never too small: in doubt it is wider, which can only turn a verdict into
CANNOT_JUDGE.
"""

from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from functools import reduce
from typing import Final, NamedTuple

from batchqc.core.quantities import Interval

_LAST_DIGIT: Final = Fraction(1, 10**50)
_CONTEXT: Final = Context(prec=70, Emin=-(10**6), Emax=10**6)


def plus(a: Interval, b: Interval) -> Interval:
    """Every sum."""
    return Interval(
        None if a.low is None or b.low is None else a.low + b.low,
        None if a.high is None or b.high is None else a.high + b.high,
        low_closed=a.low_closed and b.low_closed,
        high_closed=a.high_closed and b.high_closed,
    )


def negative(a: Interval) -> Interval:
    """Every number with the other sign."""
    return Interval(
        None if a.high is None else -a.high,
        None if a.low is None else -a.low,
        low_closed=a.high_closed,
        high_closed=a.low_closed,
    )


def times(a: Interval, b: Interval) -> Interval:
    """Every product."""
    ends = [_product(x, y) for x in _ends(a) for y in _ends(b)]
    return _spanned(ends)


def divided(a: Interval, b: Interval) -> Interval | None:
    """Every quotient; ``None`` where the divisor may be zero."""
    if not Interval.exactly(Fraction()).is_outside(b):
        return None
    return times(a, _spanned([_inverse(end, b) for end in _ends(b)]))


def absolute(a: Interval) -> Interval:
    """Every size without its sign."""
    mirrored = negative(a)
    if a.low is not None and a.low >= 0:
        return a
    if a.high is not None and a.high <= 0:
        return mirrored
    widest = extreme([a, mirrored], largest=True)
    return Interval(Fraction(), widest.high, low_closed=True, high_closed=widest.high_closed)


def mean(possible: Sequence[Interval]) -> Interval:
    """The exact mean of several sets of numbers; an end is closed when all ends are."""
    share = Interval.exactly(Fraction(1, len(possible)))
    return times(reduce(plus, possible), share)


def extreme(possible: Sequence[Interval], *, largest: bool) -> Interval:
    """The largest or smallest of several sets of numbers.

    Where sets of different closedness share an end, it is taken as closed: the wider set can only
    turn a verdict into CANNOT_JUDGE.
    """
    rank = 0 if not largest else len(possible) - 1
    return _ranked(possible, [rank])


def median(possible: Sequence[Interval]) -> Interval:
    """The middle number, or the mean of the two in the middle."""
    half = len(possible) // 2
    return _ranked(possible, [half] if len(possible) % 2 else [half - 1, half])


def geometric_mean(possible: Sequence[Interval]) -> Interval | None:
    """The root of the product; ``None`` where a number may be zero or less."""
    if any(one.low is None or one.low <= 0 for one in possible):
        return None
    return _monotone(reduce(times, possible), lambda number: _root(number, len(possible)))


def logarithm(a: Interval, *, base: int | None) -> Interval | None:
    """The logarithm to ``base`` (natural for ``None``); ``None`` where there may be none."""
    if a.low is None or a.low < 0 or (a.low == 0 and a.low_closed):
        return None
    if a.low == 0:
        high = None if a.high is None else _log(a.high, base)
        return Interval(high=high.high if high else None, high_closed=a.high_closed)
    return _monotone(a, lambda number: _log(number, base))


def spread_exceeds(possible: Sequence[Interval], percent: Decimal) -> bool | None:
    """Whether the coefficient of variation (n - 1) is above ``percent``; exact.

    ``None`` where it cannot be said: a number is not exact, or the mean is zero.
    """
    numbers = [one.exact for one in possible if one.exact is not None]
    average = sum(numbers, Fraction()) / len(possible)
    if len(numbers) < len(possible) or len(numbers) < 2 or average == 0:
        return None
    variance = sum(((x - average) ** 2 for x in numbers), Fraction()) / (len(numbers) - 1)
    return variance * 10**4 > (Fraction(percent) * average) ** 2


class _End(NamedTuple):
    """One end of a set: a number, or infinity by its sign."""

    infinite: int
    number: Fraction
    closed: bool

    @property
    def order(self) -> tuple[int, Fraction]:
        return self.infinite, self.number


def _ends(a: Interval) -> tuple[_End, _End]:
    zero = Fraction()
    low = _End(-1, zero, closed=False) if a.low is None else _End(0, a.low, a.low_closed)
    high = _End(1, zero, closed=False) if a.high is None else _End(0, a.high, a.high_closed)
    return low, high


def _product(x: _End, y: _End) -> _End:
    zeros = [end for end in (x, y) if not end.infinite and not end.number]
    if zeros:  # zero times anything is zero
        return _End(0, Fraction(), any(end.closed for end in zeros))
    if x.infinite or y.infinite:
        return _End(_sign(x) * _sign(y), Fraction(), closed=False)
    return _End(0, x.number * y.number, x.closed and y.closed)


def _inverse(end: _End, whole: Interval) -> _End:
    if end.infinite:
        return _End(0, Fraction(), closed=False)
    if not end.number:
        return _End(1 if whole.low == 0 else -1, Fraction(), closed=False)
    return _End(0, 1 / end.number, end.closed)


def _sign(end: _End) -> int:
    return end.infinite or (1 if end.number > 0 else -1)


def _spanned(ends: Sequence[_End]) -> Interval:
    low, high = min(end.order for end in ends), max(end.order for end in ends)
    return Interval(
        None if low[0] else low[1],
        None if high[0] else high[1],
        low_closed=any(end.closed for end in ends if end.order == low),
        high_closed=any(end.closed for end in ends if end.order == high),
    )


def _ranked(possible: Sequence[Interval], ranks: Sequence[int]) -> Interval:
    """The mean of the numbers at some ranks: every order statistic grows with each number."""
    lows = sorted((_ends(one)[0] for one in possible), key=lambda end: end.order)
    highs = sorted((_ends(one)[1] for one in possible), key=lambda end: end.order)
    low = _mean_of([_at_rank(lows, rank) for rank in ranks])
    high = _mean_of([_at_rank(highs, rank) for rank in ranks])
    return Interval(
        None if low.infinite else low.number,
        None if high.infinite else high.number,
        low_closed=low.closed,
        high_closed=high.closed,
    )


def _at_rank(ends: Sequence[_End], rank: int) -> _End:
    """The end at one rank; of several that are the same number the sort knows no order."""
    found = ends[rank]
    return found._replace(closed=any(one.closed for one in ends if one.order == found.order))


def _mean_of(ends: Sequence[_End]) -> _End:
    infinite = next((end.infinite for end in ends if end.infinite), 0)
    total = sum((end.number for end in ends), Fraction())
    return _End(infinite, total / len(ends), all(end.closed for end in ends))


def _monotone(a: Interval, function: Callable[[Fraction], Interval]) -> Interval:
    """A growing function of a set: the ends of its ends."""
    low = None if a.low is None else function(a.low)
    high = None if a.high is None else function(a.high)
    return Interval(
        low.low if low else None,
        high.high if high else None,
        low_closed=a.low_closed,
        high_closed=a.high_closed,
    )


def _root(number: Fraction, degree: int) -> Interval:
    found = _CONTEXT.exp(_CONTEXT.divide(_ln(number), Decimal(degree)))
    nearest = Fraction(_CONTEXT.quantize(found, Decimal(1).scaleb(found.adjusted() - 30)))
    if nearest**degree == number:
        return Interval.exactly(nearest)
    return _around(Fraction(found), size=Fraction(found))


def _log(number: Fraction, base: int | None) -> Interval:
    found = _ln(number)
    if base is not None:
        found = _CONTEXT.divide(found, _ln(Fraction(base)))
    whole = round(found)
    if number == (1 if base is None else Fraction(base) ** whole):
        return Interval.exactly(Fraction(whole))
    return _around(Fraction(found), size=max(abs(Fraction(found)), Fraction(1)))


def _ln(number: Fraction) -> Decimal:
    return _CONTEXT.subtract(
        _CONTEXT.ln(Decimal(number.numerator)), _CONTEXT.ln(Decimal(number.denominator))
    )


def _around(found: Fraction, *, size: Fraction) -> Interval:
    """The numbers that 50 digits leave open, of a number computed with 70."""
    error = size * _LAST_DIGIT
    return Interval(found - error, found + error, low_closed=True, high_closed=True)
