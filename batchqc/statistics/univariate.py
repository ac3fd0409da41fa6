"""Mean, standard deviation and autocorrelation, to the digits that a float holds."""

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from batchqc.statistics.figures import Figure
from batchqc.statistics.values import Floats, spread, values_of

_SUMS: Final = "two passes, correctly rounded sums"


def mean(data: ArrayLike) -> Figure:
    """Arithmetic mean."""
    found = values_of(data)
    return Figure("mean", _mean(found), _SUMS, found.size)


def standard_deviation(data: ArrayLike) -> Figure:
    """Sample standard deviation with n - 1; needs 2 values."""
    found = values_of(data, at_least=2)
    return Figure("standard deviation", moments(found)[1], _SUMS, found.size, df=found.size - 1)


def lag1(data: ArrayLike) -> Figure:
    """Autocorrelation at lag 1 (NIST/SEMATECH e-Handbook 1.3.5.12); needs 3 unequal values."""
    found = spread(values_of(data, at_least=3), "values")
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
