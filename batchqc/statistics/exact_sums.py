"""Sums of squares without rounding: of the decimals that the numbers were typed as."""

import itertools
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np

from batchqc.statistics.levels import Codes
from batchqc.statistics.values import Floats


class ExactSums:
    """Exact sums over groups of values.

    Each float is taken as the shortest decimal that gives it, which is what a person typed. So
    1000000000000.4 is that number and not the nearest binary one, which is 2e-5 beside it; no
    digit is lost, whatever the offset of the data (NIST StRD, ANOVA, SmLs07 to SmLs09).

    Args:
        values: of shape (n,), finite.
    """

    def __init__(self, values: Floats) -> None:
        typed = [Decimal(repr(one)) for one in values.tolist()]
        least = min(int(one.as_tuple().exponent) for one in typed)
        self._whole = [_integer(one, least) for one in typed]
        self._unit = Fraction(10) ** least
        self._squares = sum(one * one for one in self._whole)

    @property
    def mean(self) -> float:
        """Of all values."""
        return float(Fraction(sum(self._whole), len(self._whole)) * self._unit)

    def explained(self, codes: Codes) -> Fraction:
        """Sum over the groups of (sum of the group) squared / (its number)."""
        sums: dict[int, int] = {}
        counts: dict[int, int] = {}
        for value, code in zip(self._whole, codes.tolist(), strict=True):
            sums[code] = sums.get(code, 0) + value
            counts[code] = counts.get(code, 0) + 1
        of_size: dict[int, int] = {}
        for code, total in sums.items():
            of_size[counts[code]] = of_size.get(counts[code], 0) + total * total
        parts = (Fraction(squares, size) for size, squares in of_size.items())
        return sum(parts, Fraction(0)) * self._unit**2

    @property
    def squares(self) -> Fraction:
        """Sum of all squares."""
        return self._squares * self._unit**2


def sequential_squares(values: Floats, groupings: Sequence[Codes]) -> list[Fraction]:
    """Sums of squares between groups of each grouping within the one before, and the rest.

    Args:
        values: of shape (n,).
        groupings: from the coarsest to the finest, each of shape (n,).
    """
    sums = ExactSums(values)
    one = np.zeros(values.size, dtype=np.intp)
    steps = [sums.explained(codes) for codes in (one, *groupings)] + [sums.squares]
    return [after - before for before, after in itertools.pairwise(steps)]


def _integer(typed: Decimal, least: int) -> int:
    sign, digits, exponent = typed.as_tuple()
    size = int("".join(map(str, digits))) * 10 ** (int(exponent) - least)
    return int(-size if sign else size)
