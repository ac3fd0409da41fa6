"""Confidence limits of capability indices."""

import math
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Final

import numpy as np
import scipy

from batchqc.errors import NotEstimable
from batchqc.statistics.noncentral_t import noncentral_t_cdf, noncentral_t_quantile
from batchqc.statistics.quadrature import legendre
from batchqc.statistics.values import fraction_of, positive

#: Sources of the limits.
CHI_SQUARE: Final = "exact, chi-square (Kane 1986; Montgomery 2013, section 8.3.5)"
NONCENTRAL: Final = "exact, noncentral t (Chou, Owen and Borrego 1990)"
BISSELL: Final = "approximate, normal (Bissell 1990; Montgomery 2013, equation 8.21)"
BOYLES: Final = "approximate, chi-square (Boyles 1991)"
BOTH: Final = "noncentral t below, worst centring above (Pearn and Lin 2004)"


_ROOT_2_PI: Final = math.sqrt(2 * math.pi)


def cp_interval(cp: float, df: float, *, conf: float = 0.95) -> tuple[float, float]:
    """Two-sided limits of Cp or Pp. Source: Kane 1986; Montgomery 2013, section 8.3.5."""
    tail = (1 - fraction_of(conf, "confidence")) / 2
    if positive(df, "degrees of freedom") < 1e-6:
        raise NotEstimable("BQC-STA-001", f"{df:g} degrees of freedom bound no index")
    _measured(cp)
    lower, upper = (
        cp * math.sqrt(2 * scipy.special.gammaincinv(df / 2, one) / df) for one in (tail, 1 - tail)
    )
    return lower, upper


def bissell_interval(
    cpk: float, n: float, *, conf: float = 0.95, df: float | None = None
) -> tuple[float, float]:
    """Approximate two-sided limits of Cpk, Cpu or Cpl. Source: Bissell 1990 (Appl Stat 39:331)."""
    f = _freedom(n, df)
    _measured(cpk)
    reach = float(scipy.special.ndtri((1 + fraction_of(conf, "confidence")) / 2))
    half = reach * math.sqrt(1 / (9 * n) + cpk**2 / (2 * f))
    return cpk - half, cpk + half


@lru_cache(maxsize=4096)  # each end of an index is that of a fraction too
def one_sided_bound(
    index: float, n: float, *, conf: float = 0.95, df: float | None = None
) -> float:
    """Exact lower bound of Cpu or Cpl; with 1 - conf it is the upper one.

    For Cpk with two limits it is the bound that holds wherever the process is centred: the worst
    case lies far off the middle (Pearn and Lin 2004). Source: Chou, Owen and Borrego 1990 (J
    Quality Technology 22:223).

    Args:
        index: estimated Cpu or Cpl.
        n: values behind the mean.
        conf: of the bound.
        df: of the standard deviation; n - 1 unless told.

    Raises:
        NotEstimable: n or df is too small, or no bound is found.
    """
    f, root = _freedom(n, df), 3 * math.sqrt(n)
    fraction_of(conf, "confidence")

    def chance(true: float) -> float:
        return noncentral_t_cdf(root * index, f, root * true)

    return _solved(chance, conf, index, _spread(index, n, f))


def cpk_interval(
    cpk: float,
    n: float,
    *,
    conf: float = 0.95,
    df: float | None = None,
    off_centre: float | None = None,
) -> tuple[float, float]:
    """Two-sided limits of Cpk with two specification limits, from its own distribution.

    Source: Pearn and Lin 2004 (Microelectronics Reliability); the distribution is the integral over
    the mean of the chi-square of the variance.

    Args:
        cpk: the estimate, above 0.
        n: values behind the mean.
        conf: two-sided.
        df: of the standard deviation; n - 1 unless told.
        off_centre: distance of the true mean from the middle, in standard deviations; without it
            each limit is the worst over all distances, so that the interval never covers less.

    Raises:
        NotEstimable: n or df is too small, or Cpk is not above 0.
    """
    f = _freedom(n, df)
    tail = (1 - fraction_of(conf, "confidence")) / 2
    if not cpk > 1e-6:
        raise NotEstimable("BQC-STA-001", "Cpk is not above 0: use the noncentral t bound")
    _measured(cpk)

    def end(level: float, off: float) -> float:
        return _solved(
            lambda true: 1 - _above(cpk, true, (n, f), off), level, cpk, _spread(cpk, n, f)
        )

    if off_centre is not None:
        return end(1 - tail, abs(off_centre)), end(tail, abs(off_centre))
    return one_sided_bound(cpk, n, conf=1 - tail, df=f), end(tail, 0.0)


def cpm_interval(
    cpm: float, n: float, *, off_target: float, conf: float = 0.95
) -> tuple[float, float]:
    """Approximate two-sided limits of Cpm. Source: Boyles 1991 (J Quality Technology 23:17).

    Args:
        cpm: the estimate.
        n: number of values.
        off_target: (mean - target) / s.
        conf: two-sided.
    """
    square = _measured(off_target) ** 2
    freedom = n * (1 + square) ** 2 / (1 + 2 * square)
    return cp_interval(cpm, freedom, conf=conf)


def needed_index(n: int, *, bound: float = 1.0, conf: float = 0.95) -> float:
    """Ppk that must be seen so that its exact lower bound reaches ``bound``.

    Source: Chou, Owen and Borrego 1990: the quantile of noncentral t.

    Raises:
        NotEstimable: n is below 2.
    """
    f, root = _freedom(n, None), 3 * math.sqrt(n)
    return noncentral_t_quantile(fraction_of(conf, "confidence"), f, root * bound) / root


def _freedom(n: float, df: float | None) -> float:
    f = positive(n, "n") - 1 if df is None else df
    if not f > 0:
        raise NotEstimable("BQC-STA-001", f"{n:g} values: an index needs at least 2")
    return positive(f, "degrees of freedom")


def _spread(index: float, n: float, f: float) -> float:
    """About how far from an index its limits lie: the closer the first guess, the fewer steps."""
    return min(0.5, 3 * math.sqrt(1 / (9 * n) + _measured(index) ** 2 / (2 * f)))


def _measured(index: float) -> float:
    """The same index, where it is one that measured values can have."""
    if not abs(index) <= 1e6:
        raise NotEstimable(
            "BQC-STA-001",
            f"an index of {index:g}: the values hardly vary against the specification",
            hint="Check the unit of the limits and of the values.",
        )
    return index


def _solved(chance: Callable[[float], float], level: float, near: float, reach: float) -> float:
    """Where a chance that falls as the true index grows is a level, about ``reach`` from ``near``.

    On normal scores it is nearly a straight line, which takes few steps.
    """
    _measured(near)
    wanted = float(scipy.special.ndtri(level))

    @cache  # the ends are looked at, and handed on
    def excess(true: float) -> float:
        return float(scipy.special.ndtri(min(max(chance(true), 1e-300), 1 - 1e-16))) - wanted

    low, high = near - reach, near + reach
    for _ in range(60):
        if excess(low) > 0:
            break
        low -= high - low
    for _ in range(60):
        if excess(high) < 0:
            return float(scipy.optimize.brentq(excess, low, high, xtol=1e-12))
        high += high - low
    raise NotEstimable("BQC-STA-002", "the confidence limit of the index was not found")


def _above(seen: float, true: float, sizes: tuple[float, float], off: float) -> float:
    """Probability that the estimated Cpk exceeds what was seen."""
    n, f = sizes
    half = 3 * true + off
    low, high = max(0.0, off - 9 / math.sqrt(n)), min(half, off + 9 / math.sqrt(n))
    if high <= low:
        return 0.0
    nodes, weights = legendre(200)
    t = (high - low) / 2 * nodes + (high + low) / 2
    root = math.sqrt(n)
    apart, beside = root * (t - off), root * (t + off)
    density = root * (np.exp(-apart * apart / 2) + np.exp(-beside * beside / 2)) / _ROOT_2_PI
    inside = scipy.special.chdtr(f, f * ((half - t) / (3 * seen)) ** 2)
    return float((high - low) / 2 * weights @ (density * inside))
