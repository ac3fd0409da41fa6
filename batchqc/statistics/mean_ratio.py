"""Ratio of two means with Fieller's interval.

Fieller 1954 (J R Stat Soc B 16:175). The interval is bounded only where the denominator differs
from zero at the chosen confidence (g < 1); otherwise it is no interval, and is refused.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.checks import confidence_of, same_length
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import LARGEST, Floats, values_of

_METHOD: Final = "ratio of means, Fieller 1954"


def ratio_of_means(
    a: ArrayLike,
    b: ArrayLike,
    *,
    confidence: float = 0.9,
    pooled: bool = False,
    pairs: bool = False,
) -> Figure:
    """Mean of a over mean of b, on the scale of the values.

    Args:
        a: values of the test group; at least 2.
        b: values of the reference group; at least 2.
        confidence: of the interval.
        pooled: one variance for both groups; else Satterthwaite's df of the numerator
            ``mean a - ratio * mean b`` at the estimate (Hauschke, Steinijans and Pigeot 2007).
        pairs: a and b belong together, value by value.

    Raises:
        NotEstimable: too few values; a mean of b that may be zero (the interval is unbounded).
        InvalidInput: pairs of unequal number.
    """
    left, right = values_of(a, "a", at_least=2), values_of(b, "b", at_least=2)
    top, bottom = float(left.mean()), float(right.mean())
    if abs(bottom) < 1 / LARGEST:
        raise NotEstimable("BQC-STA-001", "the mean of b is zero: there is no ratio")
    if top and not 1e-70 < abs(top / bottom) < 1e70:
        raise InvalidInput("BQC-STA-003", f"a ratio of {top:g} to {bottom:g} was not measured")
    v11, v12, v22, df = _variances(left, right, top / bottom, pooled=pooled, pairs=pairs)
    t = float(stats.t.ppf((1 + confidence_of(confidence)) / 2, df))
    low, high = fieller(top, bottom, (v11, v12, v22), t)
    assumed = ("values are independent and about normal", "the mean of b is not zero")
    n = left.size if pairs else left.size + right.size
    return Figure("ratio of means", top / bottom, _METHOD, n, low, high, confidence, df, assumed)


def fieller(
    a: float, b: float, variances: tuple[float, float, float], t: float
) -> tuple[float, float]:
    """Limits of a / b from estimates, their (v11, v12, v22) and a quantile of t.

    Raises:
        InvalidInput: one of them is no number, or absurdly large.
        NotEstimable: g >= 1, so the limits do not enclose an interval.
    """
    if not all(abs(one) <= LARGEST for one in (a, b, t, *variances)):
        raise InvalidInput("BQC-STA-003", "an estimate, variance or quantile is no measured number")
    v11, v12, v22 = variances
    g = (t / b) ** 2 * v22 if abs(b) > 1e-70 and abs(t / b) < 1e70 else math.inf
    if g >= 1:
        raise NotEstimable(
            "BQC-STA-001",
            f"the interval is unbounded (g = {g:.3g}): the denominator may be zero",
            hint="More values, or less variation of the denominator, are needed.",
        )
    m = a / b
    inside = v11 - 2 * m * v12 + m * m * v22 - g * (v11 - (v12 * v12 / v22 if v22 else 0.0))
    half = t / abs(b) * math.sqrt(max(inside, 0.0))
    centre = m - (g * v12 / v22 if v22 else 0.0)
    return (centre - half) / (1 - g), (centre + half) / (1 - g)


def _variances(
    left: Floats, right: Floats, ratio: float, *, pooled: bool, pairs: bool
) -> tuple[float, float, float, float]:
    n, m = left.size, right.size
    if pairs:
        same_length(left, right, "values in a", "in b")
        joint = np.cov(left, right) / n
        return float(joint[0, 0]), float(joint[0, 1]), float(joint[1, 1]), n - 1.0
    v, w = float(left.var(ddof=1)), float(right.var(ddof=1))
    if pooled:
        both = ((n - 1) * v + (m - 1) * w) / (n + m - 2)
        return both / n, 0.0, both / m, n + m - 2.0
    one, two = v / n, ratio**2 * w / m
    if not one + two:
        return 0.0, 0.0, 0.0, n + m - 2.0
    part = one / (one + two)
    return v / n, 0.0, w / m, 1 / (part**2 / (n - 1) + (1 - part) ** 2 / (m - 1))
