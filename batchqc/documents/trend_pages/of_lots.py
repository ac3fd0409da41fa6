"""Plots and pages of a series of lots, as it was looked at."""

from collections.abc import Sequence
from typing import Literal, cast

from batchqc.core.acceptance import Limits
from batchqc.core.criteria import Criterion
from batchqc.core.trends import is_numeric
from batchqc.documents.plots.control import control_chart
from batchqc.documents.plots.heat import Cell, HeatMap
from batchqc.documents.plots.scene import Picture
from batchqc.documents.plots.series import (
    NO_SPECIFICATION,
    ControlSeries,
    Phase,
    Point,
    Qualifier,
    Signal,
    SpecificationLimits,
)
from batchqc.documents.plots.svg import svg
from batchqc.documents.trend_pages.attribute import AttributePage
from batchqc.documents.trend_pages.folder import OVERVIEW, STYLE
from batchqc.documents.trend_pages.html import Shown
from batchqc.documents.trend_pages.of_controls import control_plots
from batchqc.documents.trend_pages.of_parts import further_plots
from batchqc.documents.trend_pages.of_profiles import profile_chart, said_of
from batchqc.documents.trend_pages.overview import AttributeLine, Overview
from batchqc.statistics.control_charts import ControlChart
from batchqc.statistics.control_history import ControlHistory
from batchqc.statistics.lot_figures import named, rules_in_force, shares, told_figures
from batchqc.statistics.lot_profiles import profiles_of
from batchqc.statistics.lot_series import Judged, Trend, is_censored, plain, qualifier_of
from batchqc.statistics.series_parts import parts_of


def control_series(trend: Trend) -> ControlSeries:
    """What the control chart of an attribute shows; of words the share of lots that fail."""
    return _values(trend) if is_numeric(trend.criterion) else _shares(trend)


def chart_of(trend: Trend) -> Picture:
    """The control chart."""
    return control_chart(control_series(trend))


def chart_svg(trend: Trend) -> bytes:
    """The control chart as SVG, with its text alternative."""
    return svg(chart_of(trend), name="trend").encode()


def plots_of(trend: Trend) -> dict[str, Picture]:
    """The further plots of an attribute by name; none of words."""
    return further_plots(trend, _specification(trend.criterion))


def page_of(trend: Trend, name: str, controls: Sequence[ControlHistory] = ()) -> AttributePage:
    """The page of an attribute; ``name`` is that of its files."""
    figures, notes = told_figures(trend) if is_numeric(trend.criterion) else ([], [])
    return AttributePage(
        trend.attribute.product,
        trend.criterion.title,
        [
            Shown(name, chart_of(trend), f"{name}.csv"),
            *(
                Shown(f"{name}-{plot}", picture, f"{name}-{plot}.csv")
                for plot, picture in plots_of(trend).items()
            ),
            *control_plots(controls, name),
        ],
        figures or [chart.figures["centre"] for _, _, chart in _shares_of(trend)],
        STYLE,
        OVERVIEW,
        f"{len(trend.lots)} lots, {trend.scale.kind} scale." + _alarms(trend),
        [one.said for one in trend.signals] + notes,
        parts_of(trend),
        f"Each phase; on the {trend.scale.kind} scale" if figures else "Figures of this attribute",
        _newest(trend),
        [one.part for one in controls],
    )


def _newest(trend: Trend) -> str:
    phase = trend.phases[-1]
    return f"Phase {phase.number}, {phase.lots[0].lot} to {phase.lots[-1].lot}"


def _alarms(trend: Trend) -> str:
    if not is_numeric(trend.criterion):
        return ""
    by, rules, average = rules_in_force(trend)
    return (
        f" The next lot is judged by {by}, {named(rules)}: where nothing changes, they"
        f" give one false alarm in {average.value:.0f} lots on average."
    )


def overview_of(product: str, trends: Sequence[Trend], names: Sequence[str]) -> Overview:
    """The page of a product: its lots by the score of each attribute."""
    places = sorted({one.lot.place for trend in trends for one in trend.lots})
    numbers = {lot: number for number, (_, lot) in enumerate(places)}
    titles = [f"{one.criterion.title} ({one.attribute.criterion})" for one in trends]
    cells = {
        (numbers[lot.lot.lot], title): Cell(
            lot.score, [one.rule for one in lot.signals], lot.lot.observed.text,
            is_censored(lot), f"{name}.html",
        )
        for trend, title, name in zip(trends, titles, names, strict=True)
        for lot in trend.lots
        if lot.lot.observed.text
    }  # fmt: skip
    heat = HeatMap(product, [lot for _, lot in places], titles, cells)
    lines = [
        _line(trend, title, f"{name}.html")
        for trend, title, name in zip(trends, titles, names, strict=True)
    ]
    found = profiles_of(trends)
    others = [Shown("profile", profile_chart(found), "profile.csv")] if found.lots else []
    alarms = "Each attribute tells what judges its next lot and how often that errs."
    return Overview(
        heat, lines, "heat.csv", STYLE, others, f"{len(places)} lots. {alarms}", said_of(found)
    )


def _line(trend: Trend, title: str, href: str) -> AttributeLine:
    seen = [one for one in trend.lots if one.lot.observed.text]
    last = seen[-1] if seen else None
    return AttributeLine(
        title,
        href,
        len(seen),
        sum(bool(one.signals) for one in trend.lots),
        f"{last.lot.observed.text} ({last.lot.lot})" if last else "no result",
        _judged_by(trend),
        trend.criterion.acceptance,
    )


def _judged_by(trend: Trend) -> str:
    if not is_numeric(trend.criterion):
        return "no limit line"
    by, rules, average = rules_in_force(trend)
    return f"{by}, {named(rules)}: one false alarm in {average.value:.0f} lots"


def _values(trend: Trend) -> ControlSeries:
    lots = trend.lots
    is_limited = any(one.lower is not None for one in lots)
    places = enumerate(lots, 1)
    return ControlSeries(
        trend.criterion.title,
        trend.criterion.unit,
        "individuals" if is_limited else "data",
        [_point(one) for one in lots],
        _phases(trend),
        [
            Signal(place, f"{one.by}: {one.rule}")
            for place, lot in places
            for one in lot.signals
        ],
        _specification(trend.criterion),
        notes=trend.limitations,
    )  # fmt: skip


def _point(one: Judged) -> Point:
    return Point(
        one.lot.lot, one.value, one.lot.manufactured_on, one.lot.observed.text,
        cast("Qualifier", qualifier_of(one)), ", ".join(one.lot.donors), one.excluded,
    )  # fmt: skip


def _phases(trend: Trend) -> list[Phase]:
    found, last = [], 0
    for phase in trend.phases:
        own = trend.lots[last : last + len(phase.lots)]
        last += len(phase.lots)
        under = [one if one.lower is not None else None for one in own]
        found.append(
            Phase(
                f"Phase {phase.number}",
                last,
                [one.centre if one else None for one in under],
                [one.lower if one else None for one in under],
                [one.upper if one else None for one in under],
                method=", ".join(sorted({one.by for one in under if one})),
            )
        )
    return found


def _specification(criterion: Criterion) -> SpecificationLimits:
    accept = criterion.accept
    if not isinstance(accept, Limits):
        return NO_SPECIFICATION
    ends: dict[Literal["lower", "upper"], float] = {}
    for one in accept.limits:
        ends["lower" if one.operator.startswith(">") else "upper"] = float(one.number)
    return SpecificationLimits(ends.get("lower"), ends.get("upper"), criterion.acceptance)


def _shares(trend: Trend) -> ControlSeries:
    points: list[Point] = []
    phases, notes = [], list(trend.limitations)
    for phase, quarters, chart in shares(trend):
        rows = list(chart.rows())
        points += [
            Point(quarter, row["value"], shown=plain(row["value"]))
            for quarter, row in zip(quarters, rows, strict=True)
        ]
        centre, lower, upper = (
            [row[name] for row in rows] for name in ("centre", "lower", "upper")
        )
        phases.append(
            Phase(f"Phase {phase.number}", len(points), centre, lower, upper, method="p chart")
        )
        notes += chart.limitations
    title = f"{trend.criterion.title}: share of lots that fail, by quarter"
    return ControlSeries(title, "", "p", points, phases, notes=notes)


def _shares_of(trend: Trend) -> list[tuple[object, object, ControlChart]]:
    return [] if is_numeric(trend.criterion) else list(shares(trend))
