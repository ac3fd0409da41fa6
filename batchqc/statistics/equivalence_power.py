"""Power of two one-sided tests, and the margin that a number of lots can detect.

Exact for normal data: the probability that the interval lies inside the margins is an integral
over the distribution of the standard deviation (Phillips 1990, J Pharmacokinet Biopharm 18:137;
Owen 1965, Biometrika 52:437). Design: the standard error is ``sd * sqrt(1/n + 1/m)`` for two
groups, ``sd / sqrt(n)`` for pairs (sd of the differences) and one sample.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import optimize, special, stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.checks import confidence_of, positive
from batchqc.statistics.figures import Figure

_METHOD: Final = "power of TOST, exact (Phillips 1990; Owen 1965)"
_MOST: Final = 100_000


@dataclass(frozen=True, slots=True)
class Design:
    """How many values will be compared.

    Args:
        n: values of the first group, or pairs.
        m: values of the second group; None for pairs or for one sample.
    """

    n: int
    m: int | None = None

    @property
    def df(self) -> int:
        """Degrees of freedom of the pooled, or the paired, standard deviation."""
        return self.n - 1 if self.m is None else self.n + self.m - 2

    @property
    def se(self) -> float:
        """Standard error of the difference, in standard deviations."""
        return math.sqrt(1 / self.n + (1 / self.m if self.m else 0.0))


def power(
    design: Design,
    margin: float | tuple[float, float],
    sd: float,
    *,
    difference: float = 0.0,
    alpha: float = 0.05,
) -> Figure:
    """Probability that TOST will find equivalence.

    Args:
        design: numbers of values.
        margin: largest difference of no concern, or (lower, upper), in the unit of ``sd``.
        sd: within a group, or of the differences in pairs.
        difference: the true one.
        alpha: of each one-sided test.

    Raises:
        InvalidInput: margins that enclose nothing, or sd not above zero.
        NotEstimable: the design leaves no degree of freedom.
    """
    low, high = (-margin, margin) if isinstance(margin, int | float) else margin
    if not low < high:
        raise InvalidInput("BQC-STA-003", f"margins {margin} enclose nothing")
    _check(design, alpha)
    scale = positive(sd, "sd") * design.se
    value = _power((low - difference) / scale, (high - difference) / scale, design.df, alpha)
    return _figure("power", value, design)


def detectable_margin(
    design: Design, *, sd: float = 1.0, target: float = 0.8, alpha: float = 0.05
) -> Figure:
    """The symmetric margin for which TOST has the wanted power when the true difference is 0.

    Raises:
        InvalidInput: a power or sd that is none.
        NotEstimable: the design leaves no degree of freedom.
    """
    _check(design, alpha)
    wanted = confidence_of(target, "power")
    z = optimize.brentq(
        lambda edge: _power(-edge, edge, design.df, alpha) - wanted, 1e-6, 1e6, xtol=1e-12
    )
    return _figure("detectable margin", float(z) * design.se * positive(sd, "sd"), design)


def pairs_needed(
    margin: float, sd: float, *, difference: float = 0.0, target: float = 0.8, alpha: float = 0.05
) -> Figure:
    """The fewest pairs (or values of one sample) with the wanted power.

    Raises:
        NotEstimable: no number does, as the true difference is not inside the margin.
    """
    return _fewest(Design, "pairs needed", (margin, sd, difference, target, alpha))


def values_needed(
    margin: float, sd: float, *, difference: float = 0.0, target: float = 0.8, alpha: float = 0.05
) -> Figure:
    """The fewest values in each of two equal groups with the wanted power.

    Raises:
        NotEstimable: no number does, as the true difference is not inside the margin.
    """
    given = (margin, sd, difference, target, alpha)
    return _fewest(lambda n: Design(n, n), "values needed per group", given)


def _fewest(
    design: Callable[[int], Design], name: str, given: tuple[float, float, float, float, float]
) -> Figure:
    margin, sd, difference, target, alpha = given
    confidence_of(target, "power")
    if abs(difference) >= margin:
        raise NotEstimable("BQC-STA-001", "the true difference is not inside the margin")

    def enough(n: int) -> bool:
        return power(design(n), margin, sd, difference=difference, alpha=alpha).value >= target

    high = 2
    while not enough(high):
        if high > _MOST:
            raise NotEstimable("BQC-STA-001", f"more than {_MOST} would be needed")
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return _figure(name, float(high), design(high))


def _check(design: Design, alpha: float) -> None:
    if not 0 < alpha < 0.5:
        raise InvalidInput("BQC-STA-003", f"alpha is {alpha}: it must lie between 0 and 0.5")
    if design.n < 1 or (design.m is not None and design.m < 1) or design.df < 1:
        raise NotEstimable("BQC-STA-001", "the design leaves no degree of freedom")


def _power(low: float, high: float, df: int, alpha: float) -> float:
    """Margins in standard errors from the true difference; u runs over s / sigma.

    The interval lies inside where ``low + t u <= z <= high - t u``.
    """
    t = float(stats.t.isf(alpha, df))
    end = (high - low) / (2 * t)
    reach = stats.chi2.ppf([1e-17, 1 - 1e-16], df)
    first, last = (float(value) for value in np.sqrt(reach / df))
    last = min(last, end)
    if first >= last:
        return 0.0
    nodes, weights = special.roots_legendre(200)
    u = first + (last - first) * (nodes + 1) / 2
    density = 2 * df * u * stats.chi2.pdf(df * u * u, df)
    inside = special.ndtr(high - t * u) - special.ndtr(low + t * u)
    return float(np.clip(np.sum(weights * density * inside) * (last - first) / 2, 0.0, 1.0))


def _figure(name: str, value: float, design: Design) -> Figure:
    assumed = ("values are independent and normal", "standard deviation is as stated",
               "two groups have one variance")  # fmt: skip
    n = design.n + (design.m or 0)
    return Figure(name, value, _METHOD, n, df=float(design.df), assumptions=assumed)
