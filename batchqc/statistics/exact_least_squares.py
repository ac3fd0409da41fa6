"""Least squares without rounding: rational arithmetic on the decimals as they were written.

The normal equations are solved in fractions, so that no conditioning of the problem costs a digit:
high polynomials and almost dependent columns come out right to the last digit of a float. A value
is taken as the shortest decimal that its float stands for, which is what somebody typed.
Formulas: Draper and Smith 1998, Applied Regression Analysis, 3rd ed., chapters 5 and 9.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from batchqc.errors import NotEstimable
from batchqc.statistics.values import Floats

Column: TypeAlias = list[Fraction]


@dataclass(frozen=True, slots=True)
class ExactFit:
    """Coefficients, inverse of X'WX, and the residual sum of squares, all exact."""

    coefficients: Column
    inverse: list[Column]
    rss: Fraction


def as_written(values: Floats) -> Column:
    """The decimals that floats stand for."""
    return [Fraction(repr(float(value))) for value in values]


def solve(columns: Sequence[Column], y: Column, weights: Column) -> ExactFit:
    """The weighted least squares fit of y on columns of equal length.

    Raises:
        NotEstimable: a column is a combination of those before it.
    """
    whole = [_integers(column) for column in (*columns, y)]
    w, _ = _integers(weights)
    count = len(columns)
    gram = [[Fraction(0)] * (count + 1) for _ in range(count + 1)]
    for i, (left, below) in enumerate(whole):
        weighted = [a * b for a, b in zip(left, w, strict=True)]
        for j, (right, under) in enumerate(whole[i:], i):
            total = sum(a * b for a, b in zip(weighted, right, strict=True))
            gram[i][j] = gram[j][i] = Fraction(total, below * under)
    scale = Fraction(w[0]) / weights[0]
    inverse = _inverse([row[:count] for row in gram[:count]])
    moments = [row[count] for row in gram[:count]]
    found = [dot(row, moments) for row in inverse]
    rss = (gram[count][count] - dot(found, moments)) / scale
    return ExactFit(found, [[value * scale for value in row] for row in inverse], rss)


def dot(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    """Sum of products."""
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))


def _integers(values: Column) -> tuple[list[int], int]:
    """The same values as whole numbers over one denominator."""
    below = math.lcm(*(value.denominator for value in values))
    return [value.numerator * (below // value.denominator) for value in values], below


def _inverse(matrix: list[Column]) -> list[Column]:
    """By Gauss and Jordan; the matrix is positive definite unless a column depends on others."""
    size = len(matrix)
    work = [[*row, *(Fraction(int(i == j)) for j in range(size))] for i, row in enumerate(matrix)]
    for k in range(size):
        pivot = work[k][k]
        if not pivot:
            raise NotEstimable(
                "BQC-STA-001",
                f"column {k + 1} of {size} is a combination of the columns before it",
                hint="The points do not tell the coefficients apart: drop a term, or measure at"
                " more different levels.",
            )
        work[k] = [value / pivot for value in work[k]]
        for i in range(size):
            if i != k and work[i][k]:
                factor = work[i][k]
                work[i] = [a - factor * b for a, b in zip(work[i], work[k], strict=True)]
    return [row[size:] for row in work]
