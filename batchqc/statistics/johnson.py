"""Johnson curves by four percentiles."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from batchqc.errors import NotEstimable
from batchqc.statistics.values import Floats

#: Normal scores of the four percentiles are ± this and ± three times this.
SCORE = 0.524


@dataclass(frozen=True, slots=True)
class Johnson:
    """A Johnson curve: a function of the value is a standard normal score.

    Args:
        family: SU (unbounded), SB (bounded) or SL (lognormal).
        gamma: shift of the score.
        eta: scale of the score, above 0.
        epsilon: location.
        lam: scale of the values, above 0.
    """

    family: Literal["SU", "SB", "SL"]
    gamma: float
    eta: float
    epsilon: float
    lam: float

    def quantile(self, p: float) -> float:
        """Value below which a part p lies."""
        at = (float(special.ndtri(p)) - self.gamma) / self.eta
        if self.family == "SU":
            return self.epsilon + self.lam * math.sinh(at)
        if self.family == "SB":
            return self.epsilon + self.lam * float(special.expit(at))
        return self.epsilon + self.lam * math.exp(at)

    def below(self, value: float) -> float:
        """Part that lies below a value."""
        u = (value - self.epsilon) / self.lam
        if self.family == "SU":
            at = math.asinh(u)
        elif u <= 0:
            return 0.0
        elif self.family == "SB":
            if u >= 1:
                return 1.0
            at = math.log(u / (1 - u))
        else:
            at = math.log(u)
        return float(special.ndtr(self.gamma + self.eta * at))


def fit_johnson(found: Floats) -> Johnson:
    """A Johnson curve through four percentiles of the values.

    Source: Slifker and Shapiro 1980 (Technometrics 22:239), with z = 0.524.

    Args:
        found: of shape (n,), at least 20 values.

    Raises:
        NotEstimable: fewer than 20 values, or ties among the percentiles.
    """
    if found.size < 20:
        raise NotEstimable("BQC-STA-001", f"{found.size} values: a Johnson curve needs 20")
    levels = special.ndtr(SCORE * np.array([-3, -1, 1, 3]))
    a, b, c, d = (float(one) for one in np.quantile(found, levels, method="hazen"))
    m, n, p = d - c, b - a, c - b
    if min(m, n, p) <= 0:
        raise NotEstimable("BQC-STA-001", "percentiles are tied: no Johnson curve goes through")
    ratio, middle = m * n / p**2, (b + c) / 2
    if abs(ratio - 1) < 1e-6:
        return _sl(m / p, p, middle)
    return _su(m / p, n / p, p, middle) if ratio > 1 else _sb(p / m, p / n, p, middle)


def _su(m: float, n: float, p: float, middle: float) -> Johnson:
    eta = 2 * SCORE / math.acosh((m + n) / 2)
    root = math.sqrt(m * n - 1)
    gamma = eta * math.asinh((n - m) / (2 * root))
    lam = 2 * p * root / ((m + n - 2) * math.sqrt(m + n + 2))
    return Johnson("SU", gamma, eta, middle + p * (n - m) / (2 * (m + n - 2)), lam)


def _sb(m: float, n: float, p: float, middle: float) -> Johnson:
    """Of p/m and p/n."""
    both = (1 + m) * (1 + n)
    eta = SCORE / math.acosh(math.sqrt(both) / 2)
    gamma = eta * math.asinh((n - m) * math.sqrt(both - 4) / (2 * (m * n - 1)))
    lam = p * math.sqrt((both - 2) ** 2 - 4) / (m * n - 1)
    epsilon = middle - lam / 2 + p * (n - m) / (2 * (m * n - 1))
    return Johnson("SB", gamma, eta, epsilon, lam)


def _sl(m: float, p: float, middle: float) -> Johnson:
    if m <= 1:
        raise NotEstimable("BQC-STA-001", "values are symmetric as a normal: use it instead")
    eta = 2 * SCORE / math.log(m)
    gamma = eta * math.log((m - 1) / (p * math.sqrt(m)))
    return Johnson("SL", gamma, eta, middle - p / 2 * (m + 1) / (m - 1), 1.0)
