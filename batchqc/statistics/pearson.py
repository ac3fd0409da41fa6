"""Pearson curves by their first four moments, as Clements uses them."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from batchqc.errors import NotEstimable
from batchqc.statistics.quadrature import legendre


@dataclass(frozen=True, slots=True)
class Pearson:
    """A Pearson curve.

    Source: Johnson, Kotz and Balakrishnan 1994, Continuous Univariate Distributions 1, chapter 12;
    Clements 1989 (Quality Progress 22:95), whose table holds its standard quantiles.

    Args:
        mean: of the distribution.
        sd: standard deviation.
        skewness: third standard moment.
        kurtosis: fourth standard moment, 3 for a normal distribution (not the excess).

    Raises:
        NotEstimable: no distribution has these moments, or its tails are too heavy for a curve.
    """

    mean: float
    sd: float
    skewness: float
    kurtosis: float

    def __post_init__(self) -> None:
        square = self.skewness**2
        if not self.kurtosis > square + 1:
            raise NotEstimable("BQC-STA-001", "no distribution has such skewness and kurtosis")
        if 10 * self.kurtosis - 12 * square - 18 <= 0:
            raise NotEstimable("BQC-STA-001", "no Pearson curve has such skewness and kurtosis")

    def quantile(self, p: float) -> float:
        """Value below which a part p of the distribution lies."""
        if self.skewness < 0:
            return self.mean - self.sd * self._standard().ppf(1 - p)
        return self.mean + self.sd * self._standard().ppf(p)

    def below(self, value: float) -> float:
        """Part of the distribution that lies below a value."""
        z = (value - self.mean) / self.sd
        return self._standard().sf(-z) if self.skewness < 0 else self._standard().cdf(z)

    def _standard(self) -> "_Curve":
        """Of mean 0, variance 1, and no negative skewness."""
        skew, kurt = abs(self.skewness), self.kurtosis
        below = 10 * kurt - 12 * skew**2 - 18
        b0, b1 = (4 * kurt - 3 * skew**2) / below, skew * (kurt + 3) / below
        b2 = (2 * kurt - 3 * skew**2 - 6) / below
        if abs(b2) < 1e-9:
            return _Scipy(stats.pearson3(skew) if skew > 1e-9 else stats.norm())
        inner = b1 * b1 - 4 * b0 * b2
        if abs(inner) < 1e-12:
            root = -b1 / (2 * b2)
            return _Scipy(stats.invgamma(1 / b2 - 1, loc=root, scale=-(root + b1) / b2))
        if inner < 0:
            return _Four(-b1 / (2 * b2), math.sqrt(-inner) / (2 * b2), b1, b2)
        one, two = sorted((-b1 + sign * math.sqrt(inner)) / (2 * b2) for sign in (1, -1))
        m1, m2 = (one + b1) / (b2 * (two - one)), -(two + b1) / (b2 * (two - one))
        if b2 < 0:
            return _Scipy(stats.beta(m1 + 1, m2 + 1, loc=one, scale=two - one))
        return _Scipy(stats.betaprime(m2 + 1, -m1 - m2 - 1, loc=two, scale=two - one))


class _Scipy:
    def __init__(self, frozen: "stats.rv_frozen") -> None:
        self._frozen = frozen

    def ppf(self, p: float) -> float:
        return float(self._frozen.ppf(p))

    def cdf(self, z: float) -> float:
        return float(self._frozen.cdf(z))

    def sf(self, z: float) -> float:
        return float(self._frozen.sf(z))


class _Four:
    """Type IV (type VII without skewness), in the angle whose tangent is the standard distance."""

    def __init__(self, centre: float, width: float, a: float, b2: float) -> None:
        self.centre, self.width = centre, width
        self.power, self.turn = 1 / b2 - 2, (centre + a) / (b2 * width)
        peak = math.atan(-self.turn / self.power) if self.power > 0 else 0.0
        self.peak = self._log(peak)
        self.whole = self._mass(-math.pi / 2, math.pi / 2)

    def _log(self, angle: float) -> float:
        return self.power * math.log(max(math.cos(angle), 1e-300)) - self.turn * angle

    def _mass(self, low: float, high: float) -> float:
        nodes, weights = legendre(64)
        edges = np.linspace(low, high, 33)
        angle = (edges[:-1, None] + edges[1:, None]) / 2 + (high - low) / 64 * nodes
        logs = self.power * np.log(np.cos(angle)) - self.turn * angle
        return float(np.sum((high - low) / 64 * weights * np.exp(logs - self.peak)))

    def cdf(self, z: float) -> float:
        angle = math.atan((z - self.centre) / self.width)
        return self._mass(-math.pi / 2, angle) / self.whole

    def sf(self, z: float) -> float:
        angle = math.atan((z - self.centre) / self.width)
        return self._mass(angle, math.pi / 2) / self.whole

    def ppf(self, p: float) -> float:
        edge = math.pi / 2 - 1e-9
        angle = optimize.brentq(
            lambda at: self._mass(-math.pi / 2, at) / self.whole - p, -edge, edge, xtol=1e-14
        )
        return self.centre + self.width * math.tan(angle)


_Curve = _Scipy | _Four
