"""Ratio of two variances with its F interval, and the test of one against a largest ratio.

USP <1010>; Snedecor and Cochran 1989, Statistical Methods, 8th ed., 6.12. The interval trusts the
normal distribution closely: heavy tails make it too narrow.
"""

import math
from dataclasses import dataclass
from typing import Final

from numpy.typing import ArrayLike
from scipy import stats

from batchqc.errors import InvalidInput
from batchqc.statistics.checks import confidence_of, one_of, positive
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import spread, values_of

_METHOD: Final = "ratio of variances, F limits (USP <1010>; Snedecor and Cochran 1989, 6.12)"
_ASSUMED: Final = ("values of both groups are independent and normal",)


@dataclass(frozen=True, slots=True)
class PrecisionRatio:
    """Of two variances.

    Args:
        ratio: of the variances, with its interval.
        sd_ratio: of the standard deviations, with its interval.
        p: of the hypothesis that both variances are equal (two-sided, or of the chosen side).
        df: of numerator and denominator.
    """

    ratio: Figure
    sd_ratio: Figure
    p: float
    df: tuple[float, float]


def variance_ratio(
    a: ArrayLike, b: ArrayLike, *, confidence: float = 0.9, side: str = "two-sided"
) -> PrecisionRatio:
    """Variance of a over variance of b.

    Args:
        a: values of the test group (alternative method); at least 2.
        b: values of the reference group (current method); at least 2.
        confidence: of the interval.
        side: ``two-sided``; ``upper`` or ``lower`` for a one-sided limit.

    Raises:
        NotEstimable: fewer than 2 values, or a group without variation.
    """
    left = spread(values_of(a, "a", at_least=2), "a")
    right = spread(values_of(b, "b", at_least=2), "b")
    variances = (float(left.var(ddof=1)), float(right.var(ddof=1)))
    return variance_ratio_of(*variances, df=(left.size - 1, right.size - 1),
                             confidence=confidence, side=side)  # fmt: skip


def variance_ratio_of(
    a: float,
    b: float,
    *,
    df: tuple[float, float],
    confidence: float = 0.9,
    side: str = "two-sided",
) -> PrecisionRatio:
    """The same from two variances and their degrees of freedom.

    Raises:
        InvalidInput: a variance or a number of degrees of freedom that is not above zero.
    """
    one_of(side, ("two-sided", "upper", "lower"), "side")
    above, below = (positive(one, "degrees of freedom") for one in df)
    F = positive(a, "variance of a") / positive(b, "variance of b")
    if not 0 < F < math.inf:
        raise InvalidInput("BQC-STA-003", "the variances are of absurdly different size")
    alpha = 1 - confidence_of(confidence)
    tail = alpha / 2 if side == "two-sided" else alpha
    low = F / float(stats.f.isf(tail, above, below)) if side != "upper" else None
    high = F / float(stats.f.ppf(tail, above, below)) if side != "lower" else None
    less, more = float(stats.f.cdf(F, above, below)), float(stats.f.sf(F, above, below))
    p = {"two-sided": min(1.0, 2 * min(less, more)), "upper": less, "lower": more}[side]
    n = round(above + below) + 2
    figures = [
        Figure(name, F**power, _METHOD, n, low and low**power, high and high**power, confidence,
               None, _ASSUMED)
        for name, power in (("ratio of variances", 1.0), ("ratio of standard deviations", 0.5))
    ]  # fmt: skip
    return PrecisionRatio(figures[0], figures[1], p, (above, below))
