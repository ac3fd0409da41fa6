"""Out of trend: a point, or a slope, that does not belong to what was seen before.

Regression control chart, by-time-point and slope methods of the PhRMA CMC statistics team (Pharm
Technol 2003, 27(4):38) and the ECA guide on OOE/OOT 2016. A flag opens an assessment; it is no
OOS.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

from batchqc.errors import NotEstimable
from batchqc.statistics.checks import confidence_of, same_length
from batchqc.statistics.figures import Figure
from batchqc.statistics.regression import (
    LinearFit,
    mean_response,
    polynomial_regression,
    prediction,
)
from batchqc.statistics.stability_lines import study_of
from batchqc.statistics.values import Floats, spread, values_of

_SMALLEST: Final = 1e-290
_NORMAL: Final = "values are independent and normal"


@dataclass(frozen=True, slots=True)
class OutOfTrend:
    """What was expected, and whether a new value lies outside.

    Args:
        expected: with the prediction interval in which the new value belongs.
        seen: the new value; None where there is none yet.
        outside: whether it lies outside; None where there is none yet.
    """

    expected: Figure
    seen: float | None
    outside: bool | None


@dataclass(frozen=True, slots=True)
class NextPoint:
    """Of one lot at its next time.

    Args:
        fit: line through the earlier points.
        mean: confidence interval of the mean at the new time.
        point: the prediction interval, with what was seen.
    """

    fit: LinearFit
    mean: Figure
    point: OutOfTrend


def next_point(
    time: ArrayLike,
    y: ArrayLike,
    at: float,
    seen: float | None = None,
    *,
    confidence: float = 0.95,
) -> NextPoint:
    """Regression control chart: does the next point follow the line of the earlier ones?

    Args:
        time: of the earlier points; at least 3.
        y: the earlier results.
        at: the new time.
        seen: the new result, where there is one.
        confidence: of both intervals.

    Raises:
        NotEstimable: fewer than 3 points, or all at one time.
    """
    fit = polynomial_regression(time, y)
    terms = (1.0, values_of([at], "new time")[0])
    expected = prediction(fit, terms, confidence=confidence)
    mean = mean_response(fit, terms, confidence=confidence)
    return NextPoint(fit, mean, _judged(expected, seen))


def by_time_point(
    history: ArrayLike, seen: float | None = None, *, confidence: float = 0.95
) -> OutOfTrend:
    """Does a result belong to those that earlier lots gave at the same time point?

    Args:
        history: one result of each earlier lot at this time; at least 3, not all equal.
        seen: of the new lot.
        confidence: of the prediction interval.

    Raises:
        NotEstimable: too few lots, or all equal.
    """
    old = spread(values_of(history, "history", at_least=3), "history")
    return _judged(_next(old, "result at this time", confidence), seen)


def slope_in_history(
    slopes: ArrayLike, seen: float | None = None, *, confidence: float = 0.95
) -> OutOfTrend:
    """Does a slope belong to those of earlier lots (measured at the same times)?

    Args:
        slopes: of the earlier lots; at least 3, not all equal.
        seen: slope of the new lot.
        confidence: of the prediction interval.

    Raises:
        NotEstimable: too few lots, or all equal.
    """
    old = spread(values_of(slopes, "slopes", at_least=3), "slopes")
    return _judged(_next(old, "slope", confidence), seen)


def slope_by_random_coefficients(
    batch: Sequence[object],
    time: ArrayLike,
    y: ArrayLike,
    new: tuple[ArrayLike, ArrayLike],
    *,
    confidence: float = 0.95,
) -> OutOfTrend:
    """Does the slope of a new lot belong to a normal population of slopes?

    Each slope varies about the mean by the variance between lots plus its own error (one error
    variance for all); the variance between lots is its REML estimate given the error (DerSimonian
    and Laird 1986 state the model; Carter and Yang 1986 that of random coefficients). The limits
    use t with the number of earlier lots less one.

    Args:
        batch: earlier lots, of each point.
        time: of each earlier point.
        y: result of each earlier point.
        new: times and results of the new lot; at least 2 different times.
        confidence: of the interval.

    Raises:
        NotEstimable: fewer than 3 earlier lots, or too few points.
    """
    study = study_of(batch, time, y)
    values_of(np.zeros(len(study.batches)), "earlier lots", at_least=3)
    found = [_slope(t, v) for t, v in zip(study.times, study.values, strict=True)]
    slopes, sxx = (np.array([one[k] for one in found]) for k in range(2))
    error = sum(one[2] for one in found) / (study.n - 2 * len(found))
    at = spread(values_of(new[0], "new times", at_least=2), "new times")
    fresh = values_of(new[1], "new y")
    same_length(at, fresh, "new times", "new y")
    seen, own, _ = _slope(at, fresh)
    between = _between(slopes, error / sxx)
    variances = between + error / sxx
    if not np.all(variances > _SMALLEST):
        raise NotEstimable("BQC-STA-001", "slopes without any error or difference: no interval")
    weights = 1 / variances
    mean = float(weights @ slopes / weights.sum())
    half = float(stats.t.ppf((1 + confidence_of(confidence)) / 2, len(found) - 1)) * math.sqrt(
        between + error / own + 1 / weights.sum()
    )
    expected = Figure(
        "slope", mean, "random coefficients, REML between lots (Carter and Yang 1986)", study.n,
        mean - half, mean + half, confidence, len(found) - 1.0,
        ("slopes of lots are normal", "one error variance"),
    )  # fmt: skip
    return _judged(expected, seen)


def _slope(t: Floats, y: Floats) -> tuple[float, float, float]:
    """Slope, Sxx and residual sum of squares."""
    off, rise = t - t.mean(), y - y.mean()
    sxx = float(off @ off)
    slope = float(off @ rise) / sxx
    return slope, sxx, float(np.sum((rise - slope * off) ** 2))


def _between(slopes: Floats, errors: Floats) -> float:
    """REML variance between lots when the errors are known."""
    top = 10 * float(slopes.var(ddof=1)) + 1e-300

    def deviance(share: float) -> float:
        weights = 1 / (share * top + errors + 1e-300)
        mean = weights @ slopes / weights.sum()
        off = slopes - mean
        return float(-np.log(weights).sum() + math.log(weights.sum()) + weights @ (off * off))

    found = optimize.minimize_scalar(deviance, bounds=(0.0, 1.0), options={"xatol": 1e-10})
    return 0.0 if deviance(0.0) <= found.fun else float(found.x) * top


def _next(old: Floats, name: str, confidence: float) -> Figure:
    n, mean = old.size, float(old.mean())
    t = float(stats.t.ppf((1 + confidence_of(confidence)) / 2, n - 1))
    half = t * float(old.std(ddof=1)) * math.sqrt(1 + 1 / n)
    return Figure(name, mean, "normal prediction interval (Hahn and Meeker 1991, 4.7)", n,
                  mean - half, mean + half, confidence, n - 1.0, (_NORMAL,))  # fmt: skip


def _judged(expected: Figure, seen: float | None) -> OutOfTrend:
    if seen is None:
        return OutOfTrend(expected, None, None)
    value = float(values_of([seen], "the new value")[0])
    low, high = float(expected.lower or 0.0), float(expected.upper or 0.0)
    return OutOfTrend(expected, value, not low <= value <= high)
