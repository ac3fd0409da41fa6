"""Gauge R&R by averages and ranges (AIAG form), with exact constants."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy import integrate, special

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.values import Floats, positive, values_of


@dataclass(frozen=True, slots=True)
class RangeStudy:
    """Standard deviations by averages and ranges: ev, av, grr, pv, tv, and 1.41 pv / grr."""

    ev: float
    av: float
    grr: float
    pv: float
    tv: float
    ndc: float

    def percent(self, sd: float) -> float:
        """Of the total standard deviation."""
        return 100 * sd / self.tv

    def of_tolerance(self, sd: float, tolerance: float, sigmas: float = 6.0) -> float:
        """Spread of sigmas standard deviations, as a percentage of the tolerance."""
        return 100 * sigmas * sd / positive(tolerance, "tolerance")


def gauge_ranges(values: ArrayLike) -> RangeStudy:
    """Repeatability and reproducibility by averages and ranges.

    Knows no interaction and no intervals; prefer `batchqc.statistics.gauge.gauge_study`.

    Source: AIAG MSA 4th edition 2010, chapter III-B, form of averages and ranges; its constants K1,
    K2, K3 are 1 / d2* (Duncan 1974), computed here and not read from a table.

    Args:
        values: of shape (parts, operators, trials), at least 2 of each.

    Raises:
        NotEstimable: fewer than two of something, or trials are all equal.
        InvalidInput: the array has not three axes.
    """
    cells = np.asarray(values, dtype=object)
    array: Floats = values_of(cells.ravel()).reshape(cells.shape)
    if array.ndim != 3:
        raise InvalidInput(
            "BQC-STA-003", f"a gauge study has three axes (part, operator, trial), not {array.ndim}"
        )
    parts, operators, trials = array.shape
    if min(array.shape) < 2:
        raise NotEstimable("BQC-STA-001", "parts, operators and trials: two of each are the least")
    ranges = np.ptp(array, axis=2)
    ev = float(ranges.mean()) / (d2_star(trials, parts * operators))
    if not ev:
        raise NotEstimable("BQC-STA-001", "repeated trials are all equal: no repeatability")
    between = float(np.ptp(array.mean(axis=(0, 2)))) / d2_star(operators, 1)
    av = math.sqrt(max(between**2 - ev**2 / (parts * trials), 0.0))
    pv = float(np.ptp(array.mean(axis=(1, 2)))) / d2_star(parts, 1)
    grr = math.hypot(ev, av)
    return RangeStudy(ev, av, grr, pv, math.hypot(grr, pv), 1.41 * pv / grr)


@cache
def d2_star(size: int, samples: int) -> float:
    """Divisor of the mean of ranges of ``samples`` samples of ``size`` normal values each.

    AIAG uses the limit d2 for more than 15 samples. Source: Duncan 1974: the root of
    d2^2 + d3^2 / samples.
    """
    mean, _ = integrate.quad(lambda x: _outside(x, size), -12, 12, epsabs=1e-12, limit=200)
    if samples > 15:
        return float(mean)
    square, _ = integrate.dblquad(
        lambda y, x: _both(x, y, size), -9, 9, lambda x: x, 9, epsabs=1e-9, epsrel=1e-9
    )
    return math.sqrt(mean**2 + (2 * square - mean**2) / samples)


def _outside(x: float, size: int) -> float:
    below = float(special.ndtr(x))
    return float(1 - below**size - (1 - below) ** size)


def _both(x: float, y: float, size: int) -> float:
    """Probability that the least value is below x and the greatest above y, for x below y."""
    low, high = float(special.ndtr(x)), float(special.ndtr(y))
    return float(1 - high**size - (1 - low) ** size + (high - low) ** size)
