"""The control chart: lots in order, their phases with lines, signals, donors and limits.

Every lot is drawn, however many there are: nothing is thinned. Donors are told by shape and by a
strip below the lots; a censored result is open, with an arrow; an excluded lot is crossed; a
signal has a ring and the number of its rule.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from batchqc.documents.plots.axes import Axis, Frame, axis_of, number, tick_room
from batchqc.documents.plots.control_words import rules_at, table_of, title_of, words_of
from batchqc.documents.plots.donor_marks import Strip, looks_of
from batchqc.documents.plots.furniture import WIDTH, Key, beside, heading, keys, notes
from batchqc.documents.plots.scene import (
    BLUE,
    DASHES,
    GREY,
    INK,
    RED,
    Item,
    Line,
    Marks,
    Pen,
    Picture,
    Place,
    Shape,
    Text,
    fitted,
    told_apart,
    width_of,
)
from batchqc.documents.plots.series import ControlSeries, Point, Signal

CENTRE: Final = Pen(BLUE, 1.2)
LIMIT: Final = Pen(RED, 1.2, (7, 3))
SPEC: Final = Pen(INK, 2.0)
#: With more lots each mark tells nothing of its own, and the text of the drawing grows.
_EACH_TOLD: Final = 300
_JOINED: Final = 1000
_NAMED: Final = 40


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A chart on its frame: where each point stands."""

    series: ControlSeries
    frame: Frame
    size: float

    def at(self, point: int, value: float) -> Place:
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


def control_chart(series: ControlSeries, *, height: float = 300) -> Picture:
    """The picture of a control chart.

    Args:
        series: what is charted.
        height: of the frame, in points.
    """
    axis = _axis(series)
    left, count = tick_room(axis), len(series.points)
    across = Axis(0.4, max(count, 1) + 0.6)
    frame = Frame(across, axis, left, 52, WIDTH - left - 150, height)
    drawn = _Drawn(series, frame, _size(count))
    strip = Strip.of(series.points, frame)
    entries = _entries(series)
    below, bottom = keys(entries, frame.bottom + strip.height + _names_room(series))
    said, bottom = notes(series.notes, bottom)
    unit = f" ({series.unit})" if series.unit else ""
    label = series.attribute + unit if series.chart in _OF_VALUES else series.chart
    items = [
        *heading(title_of(series)),
        *frame.furniture("", label, ticks=False),
        *_phases(drawn),
        *_lines(drawn),
        *_points(drawn),
        *_signals(drawn),
        *strip.items,
        *_names(drawn, strip.height),
        *below,
        *said,
    ]
    return Picture(
        title_of(series), words_of(series), WIDTH, bottom + 6, items, table_of(series)
    )


_OF_VALUES: Final = frozenset({"individuals", "prediction", "Levey-Jennings", "data"})


def _axis(series: ControlSeries) -> Axis:
    values = [point.value for point in series.points if point.value is not None]
    values += [one for trace in series.traces for one in trace.values if one is not None]
    for name in ("centre", "lower", "upper"):
        values += [one for one in series.levels(name) if one is not None]
    limits = series.specification
    return axis_of(values, wanted=[one for one in (limits.lower, limits.upper) if one is not None])


def _size(count: int) -> float:
    return next(size for size, most in ((4, 60), (3, 200), (2, 1000), (1.3, count)) if count <= most)


def _phases(drawn: _Drawn) -> list[Item]:
    """Where one phase ends and the next begins, with their names."""
    frame, items = drawn.frame, list[Item]()
    spans = drawn.series.spans
    for place, (phase, (first, last)) in enumerate(
        zip(drawn.series.phases, spans, strict=True)
    ):
        left, right = frame.across(first - 0.5), frame.across(last + 0.5)
        if place:
            items.append(frame.upright(first - 0.5, Pen(GREY, 1.0, (2, 3))))
        if right - left > 24:
            shown = fitted(phase.name, right - left - 6, 10)
            items.append(Text(left + 3, frame.top - 5, shown, 10, colour=GREY))
    return items


def _lines(drawn: _Drawn) -> list[Item]:
    series, frame = drawn.series, drawn.frame
    items: list[Item] = []
    texts: list[tuple[float, str]] = []
    for name, pen, short in (
        ("centre", CENTRE, "centre"),
        ("lower", LIMIT, "LCL"),
        ("upper", LIMIT, "UCL"),
    ):
        levels = series.levels(name)  # type: ignore[arg-type]
        items.append(Line(_steps(drawn, levels), pen))
        last = levels[-1] if levels else None
        if last is not None:
            texts.append((frame.down(last), f"{short} {number(last)}"))
    limits = series.specification
    for value, short in ((limits.lower, "LSL"), (limits.upper, "USL")):
        if value is None:
            continue
        text = f"{short} {number(value)}"
        if frame.y.holds(value):
            items.append(frame.level(value, SPEC))
        else:
            text += " ↑ above" if value > frame.y.high else " ↓ below"
        texts.append((frame.down(value), text))
    items += beside(texts, x=frame.right + 8, span=(frame.top, frame.bottom), room=134)
    return items


def _steps(drawn: _Drawn, levels: Sequence[float | None]) -> list[list[Place]]:
    """A line of limits: half a lot before and after each lot, joined where it goes on."""
    runs: list[list[Place]] = [[]]
    ends = {phase.last for phase in drawn.series.phases}
    for point, level in enumerate(levels, 1):
        if level is None:
            runs.append([])
            continue
        y = drawn.frame.down(level)
        here = (drawn.frame.across(point - 0.5), y), (drawn.frame.across(point + 0.5), y)
        if len(runs[-1]) > 1 and runs[-1][-1][1] == runs[-1][-2][1] == y:
            runs[-1][-1] = here[1]
        else:
            runs[-1] += here
        if point in ends:
            runs.append([])
    return [run for run in runs if run]


def _points(drawn: _Drawn) -> list[Item]:
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


def _marked(drawn: _Drawn, found: Sequence[int], like: Marks) -> list[Item]:
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
    shown = point.shown or f"{point.qualifier}{number(point.value or 0.0)}"
    parts = (f"{n}: {point.lot}", point.made, shown, point.donor and f"donor {point.donor}")
    return ", ".join(part for part in parts if part)


def _apart(drawn: _Drawn) -> list[Item]:
    """Arrows of censored results, crosses of excluded lots, and lots without a result."""
    points = list(enumerate(drawn.series.points, 1))
    items: list[Item] = []
    size = max(drawn.size, 2.0)
    for shape, first in (("down", "<"), ("up", ">")):
        found = [
            drawn.at(n, one.value)
            for n, one in points
            if one.value is not None and one.qualifier.startswith(first)
        ]
        items.append(Marks(found, shape, size))  # type: ignore[arg-type]
    crossed = [drawn.at(n, one.value) for n, one in points if one.excluded and one.value is not None]
    items.append(Marks(crossed, "cross", size + 2))
    absent = [(drawn.frame.across(n), drawn.frame.bottom - 5) for n, one in points if one.value is None]
    items.append(Marks(absent, "cross", 2.5, GREY))
    return items


def _signals(drawn: _Drawn) -> list[Item]:
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


def _names_room(series: ControlSeries) -> float:
    names = told_apart([one.lot for one in series.points])
    return 14 + max((width_of(name, 10) for name in names), default=0)


def _names(drawn: _Drawn, below: float) -> list[Item]:
    """Lot ids below the chart, of as many lots as have room."""
    points, frame = drawn.series.points, drawn.frame
    if not points:
        middle = frame.top + frame.height / 2
        return [Text(frame.left + frame.width / 2, middle, "no lots", 14, "middle", colour=GREY)]
    every = -(-len(points) // _NAMED)
    return [
        Text(
            frame.across(n) + 4, frame.bottom + below + 6, name, 10, "end", colour=GREY, turned=True
        )
        for n, name in enumerate(told_apart([one.lot for one in points]), 1)
        if (n - 1) % every == 0
    ]  # fmt: skip


def _entries(series: ControlSeries) -> list[Key]:
    """The key: only of what the chart shows."""
    points = series.points
    found: list[tuple[bool, Key]] = [
        (any(one is not None for one in series.levels("centre")), Key("centre line", pen=CENTRE)),
        (
            any(one is not None for name in ("lower", "upper") for one in series.levels(name)),  # type: ignore[arg-type]
            Key("control limit", pen=LIMIT),
        ),
        (
            series.specification.lower is not None or series.specification.upper is not None,
            Key(f"specification {series.specification.text}".strip(), pen=SPEC),
        ),
    ]
    found += [
        (True, Key(trace.name, pen=Pen(INK, 1.3, DASHES[n % len(DASHES)])))
        for n, trace in enumerate(series.traces, 1)
    ]
    below: tuple[tuple[Shape, str, bool], ...] = (
        ("down", "below its limit (<)", any(one.qualifier.startswith("<") for one in points)),
        ("up", "above its limit (>)", any(one.qualifier.startswith(">") for one in points)),
        ("cross", "excluded from the limits", any(one.excluded for one in points)),
        ("cross", "no result (at the bottom)", any(one.value is None for one in points)),
    )
    found += [(there, Key(text, shape=shape)) for shape, text, there in below]
    rules = {mark: rule for rule, mark in _rules(series)}
    found += [
        (True, Key(rule if mark == rule else f"{mark}: {rule}", shape="ring", colour=RED))
        for mark, rule in rules.items()
    ]
    donors = [
        Key(f"donor {donor}", shape=shape, colour=colour)
        for donor, (shape, colour) in looks_of(points).items()
        if donor
    ]
    more = [Key(f"and {len(donors) - 8} more donors: see the table", shape="circle")]
    donors = donors if len(donors) <= 8 else [*donors[:8], *more]
    return [key for there, key in found if there] + donors


def _rules(series: ControlSeries) -> list[tuple[str, str]]:
    return sorted({(signal.rule, signal.mark) for signal in series.signals})
