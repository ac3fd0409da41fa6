"""Noncentral t by its own integral: SciPy's has no number in some regions that are needed here."""

import math

import numpy as np
import scipy

from batchqc.errors import NotEstimable
from batchqc.statistics.quadrature import legendre


def noncentral_t_cdf(t: float, df: float, shift: float) -> float:
    """P((Z + shift) / sqrt(chi-square / df) <= t), with Z standard normal.

    Source: the integral over Z of the chi-square beyond df ((Z + shift) / t)^2 (Owen 1968,
    Technometrics 10:445, section 1).

    Args:
        t: where.
        df: degrees of freedom, above 0.
        shift: noncentrality.
    """
    if t == 0:
        return float(scipy.special.ndtr(-shift))
    if t < 0:
        return 1 - noncentral_t_cdf(-t, df, -shift)
    low = max(-9.0, -shift)
    high = min(9.0, t * math.sqrt(float(scipy.special.chdtri(df, 1e-18)) / df) - shift)
    below = float(scipy.special.ndtr(-shift))
    if high <= low:
        return below
    nodes, weights = legendre(240)
    z = (high - low) / 2 * nodes + (high + low) / 2
    beyond = scipy.special.chdtrc(df, df * ((z + shift) / t) ** 2)
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return min(1.0, below + float((high - low) / 2 * weights @ (density * beyond)))


def noncentral_t_quantile(level: float, df: float, shift: float) -> float:
    """T below which a part ``level`` lies.

    Raises:
        NotEstimable: no number that a float holds does.
    """
    low = high = shift
    step = 1.0 + abs(shift) / 10
    for _ in range(80):
        if noncentral_t_cdf(low, df, shift) <= level:
            break
        low, step = low - step, 2 * step
    step = 1.0 + abs(shift) / 10
    for _ in range(80):
        if noncentral_t_cdf(high, df, shift) >= level:
            return float(
                scipy.optimize.brentq(
                    lambda t: noncentral_t_cdf(t, df, shift) - level, low, high, xtol=1e-12
                )
            )
        high, step = high + step, 2 * step
    raise NotEstimable("BQC-STA-002", "the quantile of noncentral t was not found")
