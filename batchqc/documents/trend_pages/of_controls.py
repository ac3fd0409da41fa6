"""The Levey-Jennings charts of the controls of an attribute."""

from collections.abc import Iterator, Sequence

from batchqc.documents.plots.control import control_chart
from batchqc.documents.plots.scene import Picture
from batchqc.documents.plots.series import ControlSeries, Phase, Point, Signal
from batchqc.documents.trend_pages.html import Shown
from batchqc.statistics.control_history import ControlHistory


def control_plots(found: Sequence[ControlHistory], name: str) -> Iterator[Shown]:
    """A chart for each control with a number; ``name`` is that of the files of the attribute."""
    for number, picture in enumerate(control_pictures(found), 1):
        if picture is not None:
            yield Shown(f"{name}-control-{number}", picture, f"{name}-control-{number}.csv")


def control_pictures(found: Sequence[ControlHistory]) -> list[Picture | None]:
    """The chart of each control; none of one without a number."""
    return [_chart(one) if one.means else None for one in found]


def _chart(one: ControlHistory) -> Picture:
    lower, centre, upper = one.lines or (None, None, None)
    points = [
        Point(run, mean, day, f"{mean:.6g}")
        for run, mean, day in zip(one.runs, one.means, one.days, strict=True)
    ]
    phase = Phase("own runs", len(points), centre, lower, upper, len(points), "mean ± 3 SD")
    signals = [Signal(each.run, f"Westgard {each.rule}") for each in one.signals]
    series = ControlSeries(
        one.name, one.unit, "Levey-Jennings", points, [phase], signals, notes=one.part.said
    )
    return control_chart(series)
