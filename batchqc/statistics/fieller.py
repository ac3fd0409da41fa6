"""Interval of a ratio of two estimates by Fieller's theorem, whatever its shape.

The set of ratios that the data do not refuse is an interval only where the denominator differs
from 0 at the stated confidence (``g < 1``). Otherwise it is everything outside an interval, or
everything: that is named, and no limit is given.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.values import LARGEST

Shape: TypeAlias = Literal["bounded", "outside", "everywhere"]

FIELLER: Final = "Fieller 1954 (J R Stat Soc B 16:175)"

#: What is said of a ratio that has no limits.
UNBOUNDED: Final = (
    "the interval has no end: the slope does not differ from 0 at this confidence (g >= 1)"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two estimates with their variances: of the numerator, their covariance, the denominator."""

    a: float
    b: float
    v11: float
    v12: float
    v22: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio and its interval.

    Args:
        estimate: a / b.
        lower: None where the set of ratios has no lower end.
        upper: None where the set of ratios has no upper end.
        g: squared quantile times relative variance of the denominator; bounded where below 1.
        shape: bounded, outside of ``excluded``, or everywhere.
        excluded: the ratios between which none is compatible with the data, where outside.
        quantile: of Student or Gauss that was used.
        confidence: of the interval.
        df: degrees of freedom; None for Gauss.
    """

    estimate: float
    lower: float | None
    upper: float | None
    g: float
    shape: Shape
    excluded: tuple[float, float] | None
    quantile: float
    confidence: float
    df: float | None


def two_sided(confidence: float, df: float | None = None) -> float:
    """The two-sided quantile of Student's t, or of Gauss where ``df`` is None.

    Raises:
        InvalidInput: the confidence is not between 0 and 1, or df is not positive.
    """
    if not 0 < confidence < 1:
        raise InvalidInput("BQC-STA-003", f"confidence {confidence:g} is not between 0 and 1")
    if df is not None and not df > 0:
        raise InvalidInput("BQC-STA-003", f"{df:g} degrees of freedom are not positive")
    upper = (1 + confidence) / 2
    return float(stats.norm.ppf(upper) if df is None else stats.t.ppf(upper, df))


def ratio(
    pair: Pair,
    *,
    confidence: float = 0.95,
    df: float | None = None,
    quantile: float | None = None,
) -> Ratio:
    """The ratio a / b with Fieller's interval.

    Args:
        pair: both estimates, with variances and covariance in the squares of their units.
        confidence: two-sided.
        df: degrees of freedom of the variances; None where they are known.
        quantile: instead of the one that follows from confidence and df.

    Raises:
        InvalidInput: a number is not finite, a variance is negative, or the covariance is larger
            than the variances allow.
        NotEstimable: the denominator is 0.

    Source: Fieller 1954; Finney 1978, Statistical Method in Biological Assay, section 4.12.
    """
    _check(pair)
    level = two_sided(confidence, df) if quantile is None else quantile
    if not (math.isfinite(level) and level >= 0):
        raise InvalidInput("BQC-STA-003", f"a quantile of {level:g} is not a positive number")
    if quantile is not None:
        upper = stats.norm.cdf(level) if df is None else stats.t.cdf(level, df)
        confidence = float(2 * upper - 1)
    a, b, square = pair.a, pair.b, level * level
    g = square * pair.v22 / b / b
    lead = b * b - square * pair.v22
    half = a * b - square * pair.v12
    end = a * a - square * pair.v11
    inside = half * half - lead * end
    shape: Shape = "bounded" if g < 1 else ("outside" if inside > 0 and lead else "everywhere")
    low, high = _roots(lead, half, end, inside) if shape != "everywhere" else (None, None)
    bounded = shape == "bounded"
    return Ratio(
        estimate=a / b,
        lower=low if bounded else None,
        upper=high if bounded else None,
        g=g,
        shape=shape,
        excluded=(low, high)
        if shape == "outside" and low is not None and high is not None
        else None,
        quantile=level,
        confidence=confidence,
        df=df,
    )


def _check(pair: Pair) -> None:
    numbers = (pair.a, pair.b, pair.v11, pair.v12, pair.v22)
    if not all(math.isfinite(one) and abs(one) < math.sqrt(LARGEST) for one in numbers):
        raise InvalidInput("BQC-STA-003", "estimates and variances are not all finite numbers")
    if pair.v11 < 0 or pair.v22 < 0:
        raise InvalidInput("BQC-STA-003", "a variance is negative")
    if pair.v12**2 > pair.v11 * pair.v22 * (1 + 1e-9):
        raise InvalidInput("BQC-STA-003", "the covariance is larger than the variances allow")
    if not pair.b:
        raise NotEstimable("BQC-STA-001", "the denominator of the ratio is 0")


def _roots(lead: float, half: float, end: float, inside: float) -> tuple[float, float]:
    """Of lead r² - 2 half r + end, without subtracting what is nearly equal."""
    large = half + math.copysign(math.sqrt(max(inside, 0.0)), half)
    if not large:
        return 0.0, 0.0
    low, high = sorted((large / lead, end / large))
    return low, high
