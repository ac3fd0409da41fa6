"""The lots of a control chart: their marks, the lines between them, and the rings of signals."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from batchqc.documents.plots.axes import Frame, number
from batchqc.documents.plots.donor_marks import looks_of
from batchqc.documents.plots.scene import (
    DASHES,
    GREY,
    INK,
    RED,
    Item,
    Line,
    Marks,
    Pen,
    Place,
    Shape,
    Text,
)
from batchqc.documents.plots.series import ControlSeries, Point, Signal

#: With more lots each mark tells nothing of its own, and the text of the drawing grows.
_EACH_TOLD: Final = 300
_JOINED: Final = 1000
_ARROWS: Final[tuple[tuple[Shape, str], ...]] = (("down", "<"), ("up", ">"))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart on its frame: where each point stands."""

    series: ControlSeries
    frame: Frame
    size: float

    def at(self, point: int, value: float) -> Place:
        """Where a value of a point stands; points are counted from 1."""
        return self.frame.at(point, value)

    def runs(self, values: Sequence[float | None]) -> list[list[Place]]:
        """Unbroken runs of a line: it ends where a value is missing, and at the end of a phase."""
        found: list[list[Place]] = [[]]
        ends = {phase.last for phase in self.series.phases}
        for point, value in enumerate(values, 1):
            if value is None:
                found.append([])
                continue
            found[-1].append(self.at(point, value))
            if point in ends:
                found.append([])
        return [run for run in found if run]


def points_of(drawn: Drawn) -> list[Item]:
    """Every lot that has a value, and a cross at the bottom for one that has none."""
    series, size = drawn.series, drawn.size
    items: list[Item] = []
    if len(series.points) <= _JOINED:
        joined = [None if one.qualifier else one.value for one in series.points]
        items.append(Line(drawn.runs(joined), Pen(GREY, 0.8)))
    for number_, trace in enumerate(series.traces, 1):
        pen = Pen(INK, 1.3, DASHES[number_ % len(DASHES)])
        items.append(Line(drawn.runs(trace.values), pen))
    looks = looks_of(series.points)
    groups: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for n, point in enumerate(series.points, 1):
        if point.value is not None:
            groups[point.donor, not point.qualifier].append(n)
    for (donor, filled), found in groups.items():
        shape, colour = looks[donor]
        items += _marked(drawn, found, Marks([], shape, size, colour, filled=filled))
    items += _apart(drawn)
    return items


def _marked(drawn: Drawn, found: Sequence[int], like: Marks) -> list[Item]:
    """Marks of some points: each told apart where there are few, else as one drawing."""
    points = drawn.series.points
    each = len(points) <= _EACH_TOLD
    groups = [[n] for n in found] if each else [list(found)]
    return [
        Marks(
            [drawn.at(n, points[n - 1].value or 0.0) for n in group],
            like.shape, like.size, like.colour, like.filled,
            _said(points[group[0] - 1], group[0]) if each else "",
            points[group[0] - 1].href if each else "",
        )
        for group in groups
    ]  # fmt: skip


def _said(point: Point, n: int) -> str:
    if point.said:
        return point.said
    shown = point.shown or f"{point.qualifier}{number(point.value or 0.0)}"
    parts = (f"{n}: {point.lot}", point.made, shown, point.donor and f"donor {point.donor}")
    return ", ".join(part for part in parts if part)


def _apart(drawn: Drawn) -> list[Item]:
    """Arrows of censored results, crosses of excluded lots, and lots without a result."""
    points = list(enumerate(drawn.series.points, 1))
    items: list[Item] = []
    size = max(drawn.size, 2.0)
    for shape, first in _ARROWS:
        found = [
            drawn.at(n, one.value)
            for n, one in points
            if one.value is not None and one.qualifier.startswith(first)
        ]
        items.append(Marks(found, shape, size))
    crossed = [
        drawn.at(n, one.value) for n, one in points if one.excluded and one.value is not None
    ]
    items.append(Marks(crossed, "cross", size + 2))
    absent = [
        (drawn.frame.across(n), drawn.frame.bottom - 5) for n, one in points if one.value is None
    ]
    items.append(Marks(absent, "cross", 2.5, GREY))
    return items


def signals_of(drawn: Drawn) -> list[Item]:
    """A ring around each point that signals; numbers of its rules where they have room."""
    places: dict[Place, list[str]] = defaultdict(list)
    for signal in drawn.series.signals:
        value = _value_at(drawn.series, signal)
        if value is not None and signal.mark not in places[drawn.at(signal.point, value)]:
            places[drawn.at(signal.point, value)].append(signal.mark)
    items: list[Item] = [Marks(list(places), "ring", drawn.size + 3.5, RED)]
    placed: list[Place] = []
    for (x, y), marks in sorted(places.items()):
        up = y - drawn.size - 8
        text = ",".join(sorted(marks))
        height = up if up > drawn.frame.top + 8 else y + drawn.size + 16
        if all(abs(x - px) > 9 + 6 * len(text) or abs(height - py) > 11 for px, py in placed[-30:]):
            items.append(Text(x, height, text, 10, "middle", bold=True, colour=RED))
            placed.append((x, height))
    return items


def _value_at(series: ControlSeries, signal: Signal) -> float | None:
    for trace in series.traces:
        if trace.name == signal.trace:
            return trace.values[signal.point - 1]
    return series.points[signal.point - 1].value
