"""The moving range of neighbouring lots, on the scale of their attribute.

A gap, a censored result and the beginning of a phase are never bridged. There are limit lines only
where the set that holds is on the same scale and has its sigma from moving ranges of enough lots: a
sigma of few lots is not known well enough for them.
"""

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from batchqc.documents.plots.control import control_chart
from batchqc.documents.plots.series import ControlSeries, Phase, Point
from batchqc.errors import InvalidInput
from batchqc.statistics.chart_constants import chart_constants
from batchqc.statistics.frozen_limits import Frozen
from batchqc.statistics.lot_series import Judged, Trend, is_censored
from batchqc.web.charts import IN_PAGE, address_of, within
from batchqc.web.rendering import day

_SPAN = 2


def moving_range_svg(trend: Trend) -> Markup | None:
    """The chart of some lots of a series; ``None`` where no two neighbours have a number."""
    ranges = ranges_of(trend)
    if all(one is None for one in ranges):
        return None
    where = [address_of(trend, one) for one in trend.lots]
    points = [
        Point(one.lot.lot, value, one.lot.manufactured_on, href=to, said=_told(one, value))
        for one, value, to in zip(trend.lots, ranges, where, strict=True)
    ]
    series = ControlSeries(
        trend.criterion.title,
        trend.scale.kind,
        "moving range",
        points,
        list(_phases(trend)),
    )
    days = {to: one.lot.manufactured_on for to, one in zip(where, trend.lots, strict=True)}
    return within(control_chart(series, height=130, width=IN_PAGE), name="moving-range", days=days)


def ranges_of(trend: Trend) -> list[float | None]:
    """How far each lot lies from the one before it, on the scale; ``None`` where it has none."""
    placed = [_on_scale(trend, one) for one in trend.lots]
    found: list[float | None] = [None] if placed else []
    for (before, at), (one, here) in pairwise(zip(trend.lots, placed, strict=True)):
        known = at is not None and here is not None and before.phase == one.phase
        found.append(abs(here - at) if known and at is not None and here is not None else None)
    return found


def _on_scale(trend: Trend, one: Judged) -> float | None:
    if one.value is None or is_censored(one):
        return None
    try:
        return float(trend.scale.forward([one.value], resolution=[one.step]).values[0])
    except InvalidInput:
        return None  # the scale does not take it, and the page says so


def _phases(trend: Trend) -> Sequence[Phase]:
    sets = {f"limit set {one.number}": one for one in trend.sets if one.lines.scale == trend.scale}
    found, last = [], 0
    for phase in trend.phases:
        own = trend.lots[last : last + len(phase.lots)]
        last += len(phase.lots)
        lines = [lines_of(sets.get(one.by)) for one in own]
        centre, lower, upper = (
            [None if one is None else one[n] for one in lines] for n in range(3)
        )
        found.append(Phase(f"Phase {phase.number}", last, centre, lower, upper))
    return found


def lines_of(held: Frozen | None) -> tuple[float, float, float] | None:
    """Centre and limits of a range, D1 and D2 times sigma (Montgomery, section 6.4), or none."""
    if held is None or held.content["method"] != "individuals":
        return None
    factors, sigma = chart_constants(_SPAN), held.lines.sigma
    return factors.d2 * sigma, factors.D1 * sigma, factors.D2 * sigma


def _told(one: Judged, value: float | None) -> str:
    shown = "no step: a gap, a bound or a new phase" if value is None else f"step {value:.4g}"
    return f"{one.lot.lot}\n{shown}\nmade {day(one.lot.manufactured_on)}"
