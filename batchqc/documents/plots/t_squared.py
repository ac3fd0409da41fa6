"""Hotelling T² of lots, and the attributes that drive it at each lot that signals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from batchqc.documents.plots.axes import Axis, Frame, number
from batchqc.documents.plots.control import control_chart
from batchqc.documents.plots.panels import under
from batchqc.documents.plots.scene import (
    GREY,
    INK,
    PALE,
    Area,
    Item,
    Pen,
    Picture,
    Text,
    box,
    finite,
    fitted,
)
from batchqc.documents.plots.series import ControlSeries

#: So many lots are drawn with what drives them, the largest first; the table holds all.
_LOTS, _ATTRIBUTES = 6, 5


@dataclass(frozen=True, slots=True)
class Drivers:
    """T² and what drives it.

    Args:
        series: the chart of T².
        shares: by number of a point, attributes with what each adds to T² of that lot.
    """

    series: ControlSeries
    shares: Mapping[int, Sequence[tuple[str, float]]]

    def __post_init__(self) -> None:
        for point, found in self.shares.items():
            finite([share for _, share in found], f"what drives T² of point {point}")

    def of(self, point: int) -> list[tuple[str, float]]:
        """The attributes of a point, the strongest first."""
        return sorted(self.shares.get(point, ()), key=lambda one: -abs(one[1]))


def t_squared_chart(found: Drivers) -> Picture:
    """The picture: the chart of T², and below it bars of what drives the lots that signal."""
    chart = control_chart(found.series, height=240)
    table = replace(
        chart.table,
        header=(*chart.table.header, "Driven by"),
        rows=[
            (*row, "; ".join(f"{name} {share!r}" for name, share in found.of(n)))
            for n, row in enumerate(chart.table.rows, 1)
        ],
    )
    points = found.series.points
    told = sorted(
        (n for n in found.shares if 1 <= n <= len(points)),
        key=lambda n: -(points[n - 1].value or 0.0),
    )[:_LOTS]
    items, height = _bars(found, told)
    words = "; ".join(
        f"{points[n - 1].lot} by "
        + ", ".join(f"{name} ({number(share)})" for name, share in found.of(n)[:_ATTRIBUTES])
        for n in told
    )
    said = f"Driven: {words}." if words else ""
    return under(replace(chart, table=table), items, height, words=said)


def _bars(found: Drivers, told: Sequence[int]) -> tuple[list[Item], float]:
    if not told:
        return [], 0.0
    items: list[Item] = [Text(14, 16, "What drives the lots", 12, bold=True)]
    shares = [share for n in told for _, share in found.of(n)]
    most = max(map(abs, shares), default=1.0) or 1.0
    y = 24.0
    for n in told:
        y += 18
        items.append(Text(14, y, fitted(f"{n}: {found.series.points[n - 1].lot}", 180, 11)))
        for name, share in found.of(n)[:_ATTRIBUTES]:
            frame = Frame(Axis(0, most), Axis(0, 1), 420, y - 10, 380, 12)
            items.append(Text(412, y, fitted(name, 190), anchor="end", colour=GREY))
            long = frame.across(abs(share)) - frame.left
            items.append(Area(box(420, y - 10, long, 12), PALE, Pen(INK, 0.7)))
            items.append(Text(426 + long, y, number(share), 10, colour=GREY))
            y += 17
    return items, y + 10
