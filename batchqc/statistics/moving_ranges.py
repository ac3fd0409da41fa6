"""Sigma of single values: from the steps between neighbours, or from all."""

from dataclasses import replace
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput
from batchqc.statistics.chart_constants import Constants, c4, chart_constants
from batchqc.statistics.figures import Figure
from batchqc.statistics.sigma_estimates import above_noise, mean_range_cv, sigma_figure
from batchqc.statistics.values import Floats, enough, spread, with_gaps

Sigma: TypeAlias = Literal["mr", "median-mr", "sd"]

_NORMAL: Final = ("values are normal", "values are independent", "mean and sigma are constant")
#: How each is made.
METHODS: Final = {
    "mr": "mean moving range / d2 (ISO 7870-2)",
    "median-mr": "median moving range / its expectation (Montgomery, section 6.4)",
    "sd": "s / c4 (Montgomery, section 6.3)",
}


def moving_ranges(data: ArrayLike, *, span: int = 2) -> Floats:
    """Range of each value and the span - 1 before it; NaN where one of them is missing.

    Returns:
        As many as there are values; the first span - 1 are NaN.

    Raises:
        InvalidInput: the span is not 2 to 1000.
    """
    found = with_gaps(data)
    chart_constants(span)
    ranges = np.full(found.shape, np.nan)
    if found.size >= span:
        high = low = found[span - 1 :]
        for back in range(1, span):
            other = found[span - 1 - back : found.size - back]
            high, low = np.maximum(high, other), np.minimum(low, other)
        ranges[span - 1 :] = high - low
    return ranges


def sigma_of_lots(
    data: ArrayLike,
    *,
    sigma: Sigma = "mr",
    constants: Constants = "exact",
    confidence: float = 0.95,
) -> Figure:
    """Sigma of single values, from neighbours or from all.

    Its interval is exact for ``sd``, and that of an equivalent chi for ``mr``.

    Args:
        data: values of the lots in order; None or NaN where missing.
        sigma: mean moving range, median moving range, or standard deviation over c4.
        constants: ``table`` for d2 as 1.128.
        confidence: of the interval.

    Raises:
        InvalidInput: a value is no number, or an option is unknown.
        NotEstimable: no two neighbouring values, or no variation.
    """
    found, kind = with_gaps(data), sigma
    if kind not in METHODS:
        raise InvalidInput("BQC-STA-003", f"sigma is from {', '.join(METHODS)}, not {kind!r}")
    present = found[~np.isnan(found)]
    if kind == "sd":
        spread(enough(present, "values", at_least=2), "values")
        value = float(present.std(ddof=1)) / c4(present.size)
        cv = float(np.sqrt(1 / c4(present.size) ** 2 - 1))
    else:
        ranges = moving_ranges(found)
        usable = ranges[~np.isnan(ranges)]
        enough(usable, "moving ranges of neighbouring values", at_least=1)
        adjacent = int(np.sum(~np.isnan(ranges[1:]) & ~np.isnan(ranges[:-1])))
        cv = mean_range_cv(usable.size, adjacent)
        factors = chart_constants(2, constants=constants)
        by_mean = float(usable.mean()) / factors.d2
        value = by_mean if kind == "mr" else float(np.median(usable)) / factors.d4
    above_noise(value, found)
    figure = sigma_figure(
        value,
        method=METHODS[kind],
        n=present.size,
        cv=cv,
        confidence=confidence,
        assumptions=_NORMAL,
    )
    return _without_interval(figure) if kind == "median-mr" else figure


def _without_interval(figure: Figure) -> Figure:
    return replace(
        figure,
        lower=None,
        upper=None,
        confidence=0.0,
        df=None,
        limitations=("no interval: the distribution of a median of moving ranges is not known",),
    )
