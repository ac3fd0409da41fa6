"""Charts of counts: p, np, c and u."""

from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.control_charts import (
    LIMITS_FROM,
    ControlChart,
    Known,
    level,
    one_or_more,
    too_few,
)
from batchqc.statistics.figures import Figure
from batchqc.statistics.sigma_estimates import between_0_and_1, positive
from batchqc.statistics.values import LARGEST, Floats, with_gaps

_BINOMIAL: Final = ("each item has the same chance", "items are independent")
_POISSON: Final = ("events are independent", "their rate per unit is constant")


def p_chart(
    defective: ArrayLike,
    size: ArrayLike,
    *,
    width: float = 3.0,
    alpha: float | None = None,
    known: Known | None = None,
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """Share of items that are so: mean share ± width sqrt(p (1 - p) / n), within 0 and 1.

    The centre is the total of items that are so over all items (Montgomery, section 7.2); its
    interval is exact (Clopper and Pearson 1934).

    Args:
        defective: whole counts of each lot; None or NaN where missing.
        size: items looked at, one number or one for each lot.
        width: of the limits, in sigma.
        alpha: instead of a width, the chance of a false alarm, both sides together: limits are then
            quantiles of the counts themselves, right for small counts too; a count outside them has
            a chance of at most alpha / 2 on its side.
        known: centre that was fixed before.
        limits_from: with fewer lots there is no limit line.

    Raises:
        InvalidInput: counts are no whole numbers, or exceed their size.
        NotEstimable: no lot has a count.
    """
    found, sizes = _counts(defective, size, items=True)
    return _shares("p", found, sizes, _Drawn(width, alpha, known, limits_from))


def np_chart(
    defective: ArrayLike,
    size: ArrayLike,
    *,
    width: float = 3.0,
    alpha: float | None = None,
    known: Known | None = None,
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """Number of items that are so: n p ± width sqrt(n p (1 - p)) (Montgomery, section 7.2).

    Arguments and errors are those of :func:`p_chart`; a known centre is a share.
    """
    found, sizes = _counts(defective, size, items=True)
    chart = _shares("np", found, sizes, _Drawn(width, alpha, known, limits_from))
    return _times(chart, sizes)


def c_chart(
    count: ArrayLike,
    *,
    width: float = 3.0,
    alpha: float | None = None,
    known: Known | None = None,
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """Number of events in equal units: c ± width sqrt(c), not below 0 (Montgomery, section 7.3).

    The interval of the centre is exact (Garwood 1936). Arguments and errors as of :func:`p_chart`.
    """
    found, sizes = _counts(count, 1.0, items=False)
    return _rates("c", found, sizes, _Drawn(width, alpha, known, limits_from))


def u_chart(
    count: ArrayLike,
    size: ArrayLike,
    *,
    width: float = 3.0,
    alpha: float | None = None,
    known: Known | None = None,
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """Events per unit: mean rate ± width sqrt(u / n), not below 0 (Montgomery, section 7.3).

    Arguments and errors are those of :func:`p_chart`; sizes are units and need not be whole.
    """
    found, sizes = _counts(count, size, items=False)
    return _rates("u", found, sizes, _Drawn(width, alpha, known, limits_from))


def share_figure(events: float, items: float, *, confidence: float = 0.95) -> Figure:
    """A share with its exact interval (Clopper and Pearson 1934).

    Raises:
        InvalidInput: not 0 <= events <= items, or no items.
    """
    if not (0 < items < LARGEST and 0 <= events <= items):
        raise InvalidInput("BQC-STA-003", f"{events:g} events in {items:g} items are no share")
    tail = (1 - confidence) / 2
    lower = float(scipy.stats.beta.ppf(tail, events, items - events + 1)) if events > 0 else 0.0
    upper = float(scipy.stats.beta.isf(tail, events + 1, items - events)) if events < items else 1.0
    return Figure(
        "centre", events / items, "total over total; exact interval (Clopper and Pearson 1934)",
        int(items), lower, upper, confidence, assumptions=_BINOMIAL,
    )  # fmt: skip


def rate_figure(events: float, units: float, *, n: int, confidence: float = 0.95) -> Figure:
    """A rate per unit with its exact interval (Garwood 1936).

    Raises:
        InvalidInput: events are negative, or there are no units.
    """
    if not (1 / LARGEST < units < LARGEST and 0 <= events < LARGEST):
        raise InvalidInput("BQC-STA-003", f"{events:g} events in {units:g} units are no rate")
    tail = (1 - confidence) / 2
    lower = float(scipy.stats.chi2.ppf(tail, 2 * events) / 2) if events > 0 else 0.0
    upper = float(scipy.stats.chi2.isf(tail, 2 * (events + 1)) / 2)
    return Figure(
        "centre", events / units, "total over total; exact interval (Garwood 1936)",
        n, lower / units, upper / units, confidence, assumptions=_POISSON,
    )  # fmt: skip


class _Drawn(NamedTuple):
    """How a chart is drawn."""

    width: float
    alpha: float | None
    known: Known | None
    limits_from: int


def _shares(name: str, found: Floats, sizes: Floats, drawn: _Drawn) -> ControlChart:
    here = ~np.isnan(found)
    known = drawn.known
    if known is not None and not 0 <= known.centre <= 1:
        raise InvalidInput("BQC-STA-003", f"a known share of {known.centre:g} is not in 0 to 1")
    centre = (
        share_figure(float(found[here].sum()), float(sizes[here].sum()))
        if known is None
        else Figure("centre", known.centre, "known", int(here.sum()), assumptions=_BINOMIAL)
    )
    sigma = np.sqrt(centre.value * (1 - centre.value) / sizes)
    chart = _chart(name, found / sizes, centre, sigma, 1.0, drawn)
    return _exact(chart, sizes, scipy.stats.binom(sizes, centre.value), drawn.alpha)


def _rates(name: str, found: Floats, sizes: Floats, drawn: _Drawn) -> ControlChart:
    here = ~np.isnan(found)
    known = drawn.known
    if known is not None and known.centre < 0:
        raise InvalidInput("BQC-STA-003", f"a known rate of {known.centre:g} is below 0")
    lots = int(here.sum())
    centre = (
        rate_figure(float(found[here].sum()), float(sizes[here].sum()), n=lots)
        if known is None
        else Figure("centre", known.centre, "known", lots, assumptions=_POISSON)
    )
    sigma = np.sqrt(centre.value / sizes)
    chart = _chart(name, found / sizes, centre, sigma, np.inf, drawn)
    return _exact(chart, sizes, scipy.stats.poisson(sizes * centre.value), drawn.alpha)


def _chart(
    name: str, points: Floats, centre: Figure, sigma: Floats, ceiling: float, drawn: _Drawn
) -> ControlChart:
    half = positive(drawn.width, "width of limits") * sigma
    lots = int(np.sum(~np.isnan(points)))
    few = () if drawn.known else too_few(lots, drawn.limits_from, "lots")
    if not few and not np.any(sigma > 0):
        few = (f"every lot gave {centre.value:g}: no variation to draw limits from",)
    return ControlChart(
        name,
        points,
        level(centre.value, points),
        sigma,
        None if few else np.maximum(0.0, centre.value - half),
        None if few else np.minimum(ceiling, centre.value + half),
        {"centre": centre},
        f"centre ± {drawn.width:g} sigma of each lot",
        limitations=few,
    )


def _exact(chart: ControlChart, sizes: Floats, counts: Any, alpha: float | None) -> ControlChart:
    """Limits at the quantiles of the counts, where a chance was asked for."""
    if alpha is None or chart.lower is None:
        return chart
    tail = between_0_and_1(alpha, "alpha") / 2
    lower, upper = counts.ppf(tail) / sizes, counts.isf(tail) / sizes
    if not np.isfinite([lower[~np.isnan(sizes)], upper[~np.isnan(sizes)]]).all():
        raise NotEstimable(
            "BQC-STA-001",
            f"{chart.name}: quantiles of counts as large as these are beyond floats",
            hint="For large counts use limits in sigma: leave alpha out.",
        )
    return replace(
        chart,
        lower=lower,
        upper=upper,
        limits=f"quantiles of the counts, alpha {alpha:g}",
        skewed=True,
    )


def _times(chart: ControlChart, sizes: Floats) -> ControlChart:
    return replace(
        chart,
        points=chart.points * sizes,
        centre=chart.centre * sizes,
        sigma=chart.sigma * sizes,
        lower=None if chart.lower is None else chart.lower * sizes,
        upper=None if chart.upper is None else chart.upper * sizes,
    )


def _counts(count: ArrayLike, size: ArrayLike, *, items: bool) -> tuple[Floats, Floats]:
    """Counts and sizes of the same shape, missing together."""
    found = with_gaps(count, "counts")
    sizes = one_or_more(size, "sizes")
    if sizes.size not in (1, found.size):
        raise InvalidInput("BQC-STA-003", f"{found.size} counts have {sizes.size} sizes")
    sizes = np.broadcast_to(sizes, found.shape).copy()
    gone = np.isnan(found) | np.isnan(sizes)
    found = found.copy()
    found[gone] = sizes[gone] = np.nan
    if gone.all():
        raise NotEstimable("BQC-STA-001", "there is no lot with a count")
    whole = [found[~gone], *([sizes[~gone]] if items else [])]
    if any(np.any((one < 0) | (one != np.round(one))) for one in whole):
        raise InvalidInput("BQC-STA-003", "counts are whole numbers from 0")
    if np.any(sizes[~gone] <= 0):
        raise InvalidInput("BQC-STA-003", "a size is not above 0; leave out a lot of no size")
    if items and np.any(found[~gone] > sizes[~gone]):
        raise InvalidInput(
            "BQC-STA-003",
            "a lot has more items that are so than items that were looked at",
            hint="Look whether counts and sizes were swapped.",
        )
    return found, sizes
