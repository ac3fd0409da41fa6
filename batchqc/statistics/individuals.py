"""Charts of single values: individuals and moving range."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from batchqc.statistics.chart_constants import Constants, chart_constants
from batchqc.statistics.control_charts import LIMITS_FROM, ControlChart, Known, level, too_few
from batchqc.statistics.figures import Figure
from batchqc.statistics.moving_ranges import METHODS, Sigma, moving_ranges, sigma_of_lots
from batchqc.statistics.sigma_estimates import above_noise, centre_figure, positive, scaled_figure
from batchqc.statistics.values import Floats, enough, with_gaps

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
        sigma: from the mean moving range, the median moving range (the centre is then the
            median, so that one wild lot moves neither), or the standard deviation of all values
            divided by c4.
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
    figure = _known_sigma(known, present.size) or sigma_of_lots(
        found, sigma=sigma, constants=constants
    )
    if known is None:
        enough(present, "values", at_least=2)
        robust = sigma == "median-mr"
        middle = float(np.median(present) if robust else present.mean())
        what = "median" if robust else "mean"
        centre = centre_figure(middle, figure, n=present.size, what=what)
    else:
        centre = Figure("centre", known.centre, "known", present.size)
    few = () if known and known.sigma else too_few(present.size, limits_from, "values")
    half = width * figure.value
    figures = {"centre": centre, "sigma": figure}
    figures |= _total(present, figure)
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
    few: tuple[str, ...] = ()
    sigma = _known_sigma(known, int(np.sum(~np.isnan(found))))
    if sigma is None:
        sigma = _of_span(found, span, constants)
        few = too_few(int(np.sum(~np.isnan(found))), limits_from, "values")
    centre = scaled_figure(sigma, factors.d2, "centre")
    return ControlChart(
        "moving range",
        moving_ranges(found, span=span),
        level(centre.value, found),
        level(sigma.value * factors.d3, found),
        None if few else level(sigma.value * factors.D1, found),
        None if few else level(sigma.value * factors.D2, found),
        {"centre": centre, "sigma": sigma},
        f"D3 and D4 of span {span} at {width:g} sigma",
        limitations=(*few, "neighbouring ranges are correlated: run rules do not apply"),
    )


def _of_span(found: Floats, span: int, constants: Constants) -> Figure:
    if span == 2:
        return sigma_of_lots(found, constants=constants)
    ranges = moving_ranges(found, span=span)
    usable = enough(ranges[~np.isnan(ranges)], "moving ranges", at_least=1)
    value = float(usable.mean()) / chart_constants(span, constants=constants).d2
    above_noise(value, found)
    why = f"no interval: ranges over {span} lots share all but one of their values"
    return Figure("sigma", value, METHODS["mr"], usable.size, limitations=(why,))


def _known_sigma(known: Known | None, n: int) -> Figure | None:
    if known is None or known.sigma is None:
        return None
    return Figure("sigma", known.sigma, "known", n)


def _total(present: Floats, sigma: Figure) -> dict[str, Figure]:
    """Sigma of all values, and how much of it that of neighbours is."""
    if present.size < 2 or np.ptp(present) <= 1e-12 * np.max(np.abs(present)):
        return {}
    total = sigma_of_lots(present, sigma="sd")
    if sigma.method != METHODS["mr"]:
        return {"sigma_total": total}
    ratio = sigma.value / total.value
    how = "sigma of moving ranges / sigma of all values"
    return {"sigma_total": total, "ratio": Figure("ratio", ratio, how, present.size)}


def _clustered(figures: dict[str, Figure]) -> tuple[str, ...]:
    ratio = figures.get("ratio")
    if ratio is None or ratio.n < LIMITS_FROM or ratio.value >= CLUSTERED_BELOW:
        return ()
    why = "lots of one donor may follow each other, or the process drift: limits may be too narrow"
    return (f"sigma of neighbours is {ratio.value:.2f} of that of all values: {why}",)
