"""Charts of subgroups: means, ranges and standard deviations; sizes may differ."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from batchqc.statistics.chart_constants import ChartConstants, Constants, chart_constants
from batchqc.statistics.control_charts import LIMITS_FROM, ControlChart, Known, level, too_few
from batchqc.statistics.figures import Figure
from batchqc.statistics.sigma_estimates import centre_figure, positive, scaled_figure
from batchqc.statistics.subgroups import Subgroups, Within, sigma_within, subgroups_of
from batchqc.statistics.values import Floats


def xbar(
    groups: Sequence[ArrayLike] | Subgroups,
    *,
    within: Within = "range",
    width: float = 3.0,
    known: Known | None = None,
    constants: Constants = "exact",
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """Chart of subgroup means: grand mean ± width sigma / sqrt(size) (ISO 7870-2).

    Args:
        groups: as for :func:`subgroups_of`.
        within: how sigma within subgroups is estimated.
        width: of the limits, in standard deviations of a mean.
        known: centre, and perhaps sigma of one value, that were fixed before.
        constants: ``table`` rounds d2, d3 and c4 as printed tables do.
        limits_from: with fewer degrees of freedom within subgroups there is no limit line.

    Raises:
        InvalidInput: a value is no number, or an option is unknown.
        NotEstimable: no subgroup has 2 values, or there is no variation within.
    """
    found = subgroups_of(groups)
    positive(width, "width of limits")
    sigma, few = _sigma_and_few(found, within, known, constants, limits_from)
    if known:
        centre = Figure("centre", known.centre, "known", int(found.sizes.sum()))
    else:
        total = int(found.sizes.sum())
        centre = centre_figure(found.grand_mean, sigma, n=total, what="mean of all values")
    line = level(centre.value, found.means)
    spread = np.where(found.sizes > 0, sigma.value / np.sqrt(np.maximum(found.sizes, 1)), np.nan)
    return ControlChart(
        "xbar",
        found.means,
        line,
        spread,
        None if few else line - width * spread,
        None if few else line + width * spread,
        {"centre": centre, "sigma": sigma},
        f"centre ± {width:g} sigma / sqrt(size)",
        limitations=few,
    )


def ranges(
    groups: Sequence[ArrayLike] | Subgroups,
    *,
    within: Within = "range",
    width: float = 3.0,
    known: Known | None = None,
    constants: Constants = "exact",
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """R chart: (d2 ± width d3) sigma, not below 0 (ISO 7870-2; Montgomery, section 6.2).

    Arguments and errors are those of :func:`xbar`.
    """
    found = subgroups_of(groups)
    estimate = _sigma_and_few(found, within, known, constants, limits_from)
    factors = {
        size: (one.d2, one.d3, one.D1, one.D2) for size, one in _by_size(found, width, constants)
    }
    return _of_spread("R", found.ranges, found, factors, estimate)


def deviations(
    groups: Sequence[ArrayLike] | Subgroups,
    *,
    within: Within = "sd",
    width: float = 3.0,
    known: Known | None = None,
    constants: Constants = "exact",
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """S chart: (c4 ± width sqrt(1 - c4^2)) sigma, not below 0 (Montgomery, section 6.3).

    Arguments and errors are those of :func:`xbar`.
    """
    found = subgroups_of(groups)
    estimate = _sigma_and_few(found, within, known, constants, limits_from)
    factors = {
        size: (one.c4, one.c5, one.B5, one.B6) for size, one in _by_size(found, width, constants)
    }
    return _of_spread("S", found.deviations, found, factors, estimate)


def _sigma_and_few(
    found: Subgroups, within: Within, known: Known | None, constants: Constants, limits_from: int
) -> tuple[Figure, tuple[str, ...]]:
    if known and known.sigma:
        return Figure("sigma", known.sigma, "known", int(found.sizes.sum())), ()
    few = too_few(found.df, limits_from, "degrees of freedom within subgroups")
    return sigma_within(found, within=within, constants=constants), few


def _by_size(
    found: Subgroups, width: float, constants: Constants
) -> Iterator[tuple[int, ChartConstants]]:
    """The constants of each size of 2 or more."""
    positive(width, "width of limits")
    for size in (int(one) for one in np.unique(found.sizes) if one > 1):
        yield size, chart_constants(size, width=width, constants=constants)


def _of_spread(
    name: str,
    points: Floats,
    found: Subgroups,
    lines: Mapping[int, tuple[float, ...]],
    estimate: tuple[Figure, tuple[str, ...]],
) -> ControlChart:
    """A chart of R or S from its mean, standard deviation and limits in sigma, by size."""
    sigma, few = estimate
    table = np.full((4, points.size), np.nan)
    for size, one in lines.items():
        table[:, found.sizes == size] = np.array(one)[:, None] * sigma.value
    centre, spread, lower, upper = table
    figures = {"sigma": sigma}
    if len(lines) == 1:
        figures["centre"] = scaled_figure(sigma, next(iter(lines.values()))[0], "centre")
    return ControlChart(
        name,
        points,
        centre,
        spread,
        None if few else lower,
        None if few else upper,
        figures,
        "mean ± width standard deviations of it, not below 0",
        limitations=few,
    )
