"""Mean, standard deviation and autocorrelation, to the digits that a float holds."""

import math
from typing import Final

import numpy as np
import scipy
from numpy.typing import ArrayLike

from batchqc.statistics.figures import Figure
from batchqc.statistics.values import Floats, fraction_of, measurable, values_of

_ASSUMED: Final = ("values independent and about normal",)
_SUMS: Final = "two passes, correctly rounded sums"


def mean(data: ArrayLike, *, confidence: float = 0.95) -> Figure:
    """Arithmetic mean; of 2 values or more with its interval by Student's t."""
    found = values_of(data)
    value, df = _mean(found), found.size - 1
    if not df:
        return Figure("mean", value, _SUMS, 1, limitations=("one value has no interval",))
    tail = (1 - fraction_of(confidence, "confidence")) / 2
    half = float(scipy.stats.t.isf(tail, df)) * moments(found)[1] / math.sqrt(found.size)
    return Figure("mean", value, _SUMS, found.size, value - half, value + half, confidence, df,
                  _ASSUMED)  # fmt: skip


def standard_deviation(data: ArrayLike, *, confidence: float = 0.95) -> Figure:
    """Sample standard deviation with n - 1 and its chi-square interval; needs 2 values."""
    found = values_of(data, at_least=2)
    value, df = moments(found)[1], found.size - 1
    tail = (1 - fraction_of(confidence, "confidence")) / 2
    low, high = (
        value * math.sqrt(df / float(scipy.stats.chi2.ppf(one, df))) for one in (1 - tail, tail)
    )
    return Figure("standard deviation", value, _SUMS, found.size, low, high, confidence, df,
                  _ASSUMED)  # fmt: skip


def lag1(data: ArrayLike) -> Figure:
    """Autocorrelation at lag 1 (NIST/SEMATECH e-Handbook 1.3.5.12); needs 3 unequal values."""
    found = measurable(values_of(data, at_least=3), "values")
    off = found - _mean(found)
    value = float(np.dot(off[:-1], off[1:]) / np.dot(off, off))
    return Figure("autocorrelation at lag 1", value, "NIST e-Handbook 1.3.5.12", found.size)


def moments(found: Floats) -> tuple[float, float]:
    """Mean, and standard deviation with n - 1, of at least 2 finite numbers."""
    average = _mean(found)
    return average, _sd(found, average)


def _mean(found: Floats) -> float:
    shift = found[0]
    return float(shift + math.fsum((found - shift).tolist()) / found.size)


def _sd(found: Floats, average: float) -> float:
    off = found - average
    return math.sqrt(math.fsum((off * off).tolist()) / (found.size - 1))
