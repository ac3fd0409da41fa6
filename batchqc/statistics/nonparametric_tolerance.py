"""Tolerance and quantile intervals without a distribution: from order statistics."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.figures import Figure
from batchqc.statistics.tolerance_factors import sides_of
from batchqc.statistics.values import fraction_of, values_of

_WILKS: Final = "order statistics (Wilks 1941; ISO 16269-6:2014, clause 7)"
_QUANTILE: Final = "order statistics (Hahn and Meeker 1991, section 5.2)"
_ASSUMED: Final = ("independent values of one continuous distribution",)


@dataclass(frozen=True, slots=True)
class OrderInterval:
    """An interval between order statistics.

    Args:
        limits: median of the data with the ends; the confidence is the one achieved.
        ranks: places of the ends among the sorted values, from 1; None for an open end.
        content: part of the population, or the quantile it is for.
    """

    limits: Figure
    ranks: tuple[int | None, int | None]
    content: float


def achieved_confidence(n: int, *, content: float, left_out: int = 1) -> float:
    """Confidence that a part ``content`` lies between order statistics.

    Args:
        n: number of values.
        content: part of the population.
        left_out: r for the r-th smallest (or largest) as a one-sided limit; r + s for the interval
            from the r-th smallest to the s-th largest.

    Raises:
        InvalidInput: content is not between 0 and 1, or left_out not between 1 and n.
    """
    fraction_of(content, "content")
    if not 1 <= left_out <= n:
        raise InvalidInput("BQC-STA-003", f"{left_out} of {n} values cannot be left out")
    return float(stats.binom.cdf(n - left_out, n, content))


def wilks_n(*, content: float, conf: float, left_out: int = 1) -> int:
    """Least n for a distribution-free tolerance interval.

    Source: Wilks 1941 (Ann Math Stat 12:91); ISO 16269-6:2014, clause 7.

    Args:
        content: part of the population.
        conf: confidence.
        left_out: 1 for one-sided with the extreme value, 2 for from least to greatest; more where
            r-th values serve as limits.

    Raises:
        InvalidInput: content or confidence is not between 0 and 1, or left_out below 1.
    """
    fraction_of(content, "content")
    fraction_of(conf, "confidence")
    if left_out < 1:
        raise InvalidInput("BQC-STA-003", "at least one value must serve as a limit")
    low, high = left_out - 1, left_out
    while achieved_confidence(high, content=content, left_out=left_out) < conf:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        enough = achieved_confidence(middle, content=content, left_out=left_out) >= conf
        low, high = (low, middle) if enough else (middle, high)
    return high


def nonparametric_tolerance(
    data: ArrayLike, *, content: float = 0.95, conf: float = 0.95, side: str = "two-sided"
) -> OrderInterval:
    """The narrowest ranks that still reach the confidence.

    A two-sided interval leaves out as many values below as above; of an odd number, one more above.

    Source: Wilks 1941; ISO 16269-6:2014, clause 7.

    Args:
        data: of shape (n,).
        content: part of the population.
        conf: confidence.
        side: ``two-sided``, ``lower`` or ``upper``.

    Raises:
        NotEstimable: n is too small; the message tells the n that is needed.
        InvalidInput: a value is missing, or content, confidence or side is none.
    """
    found = np.sort(values_of(data))
    has_lower, has_upper = sides_of(side)
    least = 2 if has_lower and has_upper else 1
    if found.size < (wanted := wilks_n(content=content, conf=conf, left_out=least)):
        raise NotEstimable(
            "BQC-STA-001",
            f"{found.size} values: {wanted} are needed for content {content:g} with confidence "
            f"{conf:g} without a distribution",
        )
    out = least
    while (
        out < found.size
        and achieved_confidence(found.size, content=content, left_out=out + 1) >= conf
    ):
        out += 1
    below = out // 2 if least == 2 else out
    lower = below if has_lower else None
    upper = found.size + 1 - (out - below if least == 2 else out) if has_upper else None
    reached = achieved_confidence(found.size, content=content, left_out=out)
    return _interval(found, (lower, upper), reached, content, _WILKS)


def quantile_interval(
    data: ArrayLike, *, quantile: float = 0.5, conf: float = 0.95
) -> OrderInterval:
    """Two-sided interval of a quantile (0.5: the median), with the confidence it achieves.

    Each end alone errs with at most (1 - conf) / 2.

    Source: Hahn and Meeker 1991, section 5.2.

    Raises:
        NotEstimable: n is too small for both ends.
        InvalidInput: a value is missing, or quantile or confidence is not between 0 and 1.
    """
    found = np.sort(values_of(data))
    fraction_of(quantile, "quantile")
    tail = (1 - fraction_of(conf, "confidence")) / 2
    below = stats.binom.cdf(np.arange(found.size), found.size, quantile)
    lower = int(np.sum(below <= tail))
    upper = int(np.sum(below < 1 - tail)) + 1
    if lower < 1 or upper > found.size:
        raise NotEstimable(
            "BQC-STA-001",
            f"{found.size} values: too few for an interval of the {quantile:g} quantile with "
            f"confidence {conf:g}",
        )
    reached = float(below[upper - 1] - below[lower - 1])
    return _interval(found, (lower, upper), reached, quantile, _QUANTILE)


def _interval(
    found: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    ranks: tuple[int | None, int | None],
    reached: float,
    content: float,
    method: str,
) -> OrderInterval:
    lower, upper = (None if rank is None else float(found[rank - 1]) for rank in ranks)
    middle = float(np.median(found))
    limits = Figure("median", middle, method, found.size, lower, upper, reached, None, _ASSUMED)
    return OrderInterval(limits, ranks, content)
