"""Charts of single values: individuals, moving range, and prediction limits for few lots."""

from dataclasses import replace
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.chart_constants import Constants, c4, chart_constants
from batchqc.statistics.control_charts import LIMITS_FROM, ControlChart, Known, level, too_few
from batchqc.statistics.figures import Figure
from batchqc.statistics.sigma_estimates import (
    between_0_and_1,
    centre_figure,
    mean_range_cv,
    positive,
    sigma_figure,
)
from batchqc.statistics.values import Floats, enough, spread, with_gaps

Sigma: TypeAlias = Literal["mr", "median-mr", "sd"]
Sides: TypeAlias = Literal["both", "lower", "upper"]

_NORMAL: Final = ("values are normal", "values are independent", "mean and sigma are constant")
_METHODS: Final = {
    "mr": "mean moving range / d2 (ISO 7870-2)",
    "median-mr": "median moving range / its expectation (Montgomery, section 6.4)",
    "sd": "s / c4 (Montgomery, section 6.3)",
}
#: Of the standard deviation of all values: below, neighbours are alike (donors, drift).
CLUSTERED_BELOW: Final = 0.85


def individuals(
    data: ArrayLike,
    *,
    sigma: Sigma = "mr",
    width: float = 3.0,
    known: Known | None = None,
    constants: Constants = "exact",
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """Individuals chart: each lot, and the mean plus and minus a number of sigma.

    Args:
        data: values of the lots in order of manufacture; None or NaN where missing. A moving range
            is taken between two neighbours that are both present: a gap is never bridged.
        sigma: from the mean moving range, the median moving range (the centre stays the mean), or
            the standard deviation of all values divided by c4.
        width: of the limits, in sigma.
        known: centre, and perhaps sigma, that were fixed before.
        constants: ``table`` for d2 as 1.128.
        limits_from: with fewer values than this there is no limit line.

    Raises:
        InvalidInput: a value is no number, or an option is unknown.
        NotEstimable: fewer than 2 neighbouring values, or no variation, where sigma is not known.
    """
    found = with_gaps(data)
    present = found[~np.isnan(found)]
    positive(width, "width of limits")
    figure = _known_sigma(known, present.size) or _sigma(found, sigma, constants)
    if known is None:
        enough(present, "values", at_least=2)
        centre = centre_figure(float(present.mean()), figure, n=present.size, what="mean")
    else:
        centre = Figure("centre", known.centre, "known", present.size)
    few = () if known and known.sigma else too_few(present.size, limits_from, "values")
    half = width * figure.value
    figures = {"centre": centre, "sigma": figure}
    if present.size > 1 and np.ptp(present) > 0:
        figures["sigma_total"] = _sigma(found, "sd", "exact")
    return ControlChart(
        "individuals",
        found,
        level(centre.value, found),
        level(figure.value, found),
        None if few else level(centre.value - half, found),
        None if few else level(centre.value + half, found),
        figures,
        f"centre ± {width:g} sigma",
        limitations=(*few, *_clustered(figures)),
    )


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
        windows = np.lib.stride_tricks.sliding_window_view(found, span)
        ranges[span - 1 :] = windows.max(axis=1) - windows.min(axis=1)
    return ranges


def moving_range(
    data: ArrayLike,
    *,
    span: int = 2,
    width: float = 3.0,
    known: Known | None = None,
    constants: Constants = "exact",
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """Moving range chart: limits D3 and D4 times the mean moving range (Montgomery, section 6.4).

    Its points are correlated, so that run rules on it say little; use only what lies beyond.

    Args:
        data: values of the lots, as for :func:`individuals`.
        span: values in each range.
        width: of the limits, in standard deviations of a range.
        known: sigma of the values, where it was fixed before.
        constants: ``table`` for d2 as 1.128.
        limits_from: with fewer values than this there is no limit line.

    Raises:
        InvalidInput: a value is no number, or an option is unknown.
        NotEstimable: no range, or no variation, where sigma is not known.
    """
    found = with_gaps(data)
    factors = chart_constants(span, width=width, constants=constants)
    ranges = moving_ranges(found, span=span)
    usable = ranges[~np.isnan(ranges)]
    few: tuple[str, ...] = ()
    if known and known.sigma:
        value = known.sigma
    else:
        enough(usable, "moving ranges", at_least=1)
        value = float(usable.mean()) / factors.d2
        few = too_few(int(np.sum(~np.isnan(found))), limits_from, "values")
        _moved(value, found)
    mean = Figure("centre", value * factors.d2, "mean moving range", usable.size)
    return ControlChart(
        "moving range",
        ranges,
        level(mean.value, found),
        level(value * factors.d3, found),
        None if few else level(value * factors.D1, found),
        None if few else level(value * factors.D2, found),
        {"centre": mean, "sigma": Figure("sigma", value, _METHODS["mr"], usable.size)},
        f"D3 and D4 of span {span} at {width:g} sigma",
        limitations=(*few, "neighbouring ranges are correlated: run rules do not apply"),
    )


def prediction(
    data: ArrayLike,
    *,
    alpha: float = 0.0027,
    sides: Sides = "both",
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """Individuals chart with limits for one further lot: right for few lots.

    Mean ± t(1 - alpha/2, m - 1) s sqrt(1 + 1/m) (Hahn and Meeker 1991, section 4.2); one-sided
    with t(1 - alpha). A further lot of the same process lies outside with probability alpha,
    however few lots there were. Apply it to further lots by ``applied_to``.

    Args:
        data: values of the lots of phase I, as for :func:`individuals`.
        alpha: probability of a false alarm for one further lot; 0.0027 is that of 3 sigma.
        sides: which limits there are.
        limits_from: with fewer values than this there is no limit line.

    Raises:
        InvalidInput: a value is no number, or alpha is not between 0 and 1.
        NotEstimable: fewer than 2 values, or no variation.
    """
    found = with_gaps(data)
    present = spread(enough(found[~np.isnan(found)], "values", at_least=2), "values")
    n = present.size
    s, mean = float(present.std(ddof=1)), float(present.mean())
    k = prediction_factor(n, alpha=alpha, sides=sides)
    few = too_few(n, limits_from, "values")
    deviation = _sigma(found, "sd", "exact")
    return ControlChart(
        "individuals, prediction limits",
        found,
        level(mean, found),
        level(s * np.sqrt(1 + 1 / n), found),
        None if few or sides == "upper" else level(mean - k * s, found),
        None if few or sides == "lower" else level(mean + k * s, found),
        {
            "centre": centre_figure(mean, deviation, n=n, what="mean"),
            "sigma": deviation,
            "s": Figure("s", s, "standard deviation, n - 1", n, df=n - 1),
            "k": Figure("k", k, "t sqrt(1 + 1/m)", n, df=n - 1),
        },
        f"prediction limits for one further lot, alpha {alpha:g}, {sides}",
        df=n - 1,
        limitations=few,
    )


def prediction_factor(m: int, *, alpha: float = 0.0027, sides: Sides = "both") -> float:
    """How many s from the mean of m lots the limits for one further lot lie.

    t(1 - alpha/2, m - 1) sqrt(1 + 1/m), one-sided with t(1 - alpha) (Hahn and Meeker 1991,
    section 4.2).

    Raises:
        InvalidInput: alpha is not between 0 and 1, or sides are unknown.
        NotEstimable: m is below 2.
    """
    between_0_and_1(alpha, "alpha")
    if sides not in get_args(Sides):
        raise InvalidInput("BQC-STA-003", f"sides are both, lower or upper, not {sides!r}")
    if m < 2:
        raise NotEstimable("BQC-STA-001", f"{m} lots say nothing of variation")
    quantile = student.isf(alpha / 2 if sides == "both" else alpha, m - 1)
    return float(quantile * np.sqrt(1 + 1 / m))


def _sigma(found: Floats, kind: str, constants: Constants, confidence: float = 0.95) -> Figure:
    if kind not in _METHODS:
        raise InvalidInput("BQC-STA-003", f"sigma is from {', '.join(_METHODS)}, not {kind!r}")
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
    _moved(value, found)
    figure = sigma_figure(
        value,
        method=_METHODS[kind],
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


def _moved(value: float, found: Floats) -> None:
    size = np.nanmax(np.abs(found))
    if value <= 8 * np.finfo(np.float64).eps * size:
        raise NotEstimable(
            "BQC-STA-001",
            "sigma of moving ranges is 0: neighbouring values are equal",
            hint="Look whether the values were rounded or copied; try the standard deviation.",
        )


def _known_sigma(known: Known | None, n: int) -> Figure | None:
    if known is None or known.sigma is None:
        return None
    return Figure("sigma", known.sigma, "known", n)


def _clustered(figures: dict[str, Figure]) -> tuple[str, ...]:
    total = figures.get("sigma_total")
    if total is None or total.n < LIMITS_FROM or figures["sigma"].method != _METHODS["mr"]:
        return ()
    ratio = figures["sigma"].value / total.value
    if ratio >= CLUSTERED_BELOW:
        return ()
    why = "lots of one donor may follow each other, or the process drift: limits may be too narrow"
    return (f"sigma of neighbours is {ratio:.2f} of that of all values: {why}",)
