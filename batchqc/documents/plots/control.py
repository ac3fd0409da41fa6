"""The control chart: lots in order, their phases with lines, signals, donors and limits.

Every lot is drawn, however many there are: nothing is thinned. Donors are told by shape and by a
strip below the lots; a censored result is open, with an arrow; an excluded lot is crossed; a
signal has a ring and the number of its rule.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from batchqc.documents.plots.axes import Axis, Frame, axis_of, number, tick_room
from batchqc.documents.plots.control_keys import CENTRE, LIMIT, SPEC, keys_of
from batchqc.documents.plots.control_marks import Drawn, points_of, signals_of
from batchqc.documents.plots.control_words import table_of, title_of, words_of
from batchqc.documents.plots.donor_marks import Strip
from batchqc.documents.plots.furniture import WIDTH, beside, heading, keys, notes
from batchqc.documents.plots.scene import (
    GREY,
    Item,
    Line,
    Pen,
    Picture,
    Place,
    Text,
    fitted,
    told_apart,
    width_of,
)
from batchqc.documents.plots.series import LINES, ControlSeries

_NAMED: Final = 40
_NAME: Final = 13
"""Points across that a lot id needs, turned."""
_SHARE: Final = 0.16
"""Of a narrow picture that is kept for them, so that pictures below each other are in line."""
_ROOM: Final = 134
"""Points across that the names of lines have, at the right of the frame."""


def control_chart(
    series: ControlSeries, *, height: float = 300, width: float = WIDTH, titled: bool = True
) -> Picture:
    """The picture of a control chart.

    Args:
        series: what is charted.
        height: of the frame, in points.
        width: of the picture, in points. Its texts are as large in a narrow one, and fewer.
        titled: whether its title stands above it; its text alternative has it anyway.
    """
    axis = _axis(series)
    left, count = tick_room(axis), len(series.points)
    across = Axis(0.4, max(count, 1) + 0.6)
    ends = _ends(series, axis)
    room: float = _ROOM
    if width < WIDTH:
        named = max((width_of(text) for _, text in ends), default=0)
        room = min(room, max(width * _SHARE, named))
    top = 52 if titled else 26
    frame = Frame(across, axis, left, top, width - left - room - 16, height)
    drawn = Drawn(series, frame, _size(count))
    strip = Strip.of(series.points, frame)
    entries = keys_of(series)
    below, bottom = keys(entries, frame.bottom + strip.height + _names_room(series), width=width)
    said, bottom = notes(series.notes, bottom, width=width)
    items = [
        *(heading(title_of(series), width=width) if titled else ()),
        *frame.furniture("", _label(series), ticks=False),
        *_phases(drawn),
        *_lines(drawn, ends, room),
        *points_of(drawn),
        *signals_of(drawn),
        *strip.items,
        *_names(drawn, strip.height),
        *below,
        *said,
    ]
    return Picture(title_of(series), words_of(series), width, bottom + 6, items, table_of(series))


def _label(series: ControlSeries) -> str:
    unit = f" ({series.unit})" if series.unit else ""
    if series.chart == "Levey-Jennings":  # the name of a control is too long to stand upright
        return f"mean of the run{unit}"
    return series.attribute + unit if series.chart in _OF_VALUES else series.chart


_OF_VALUES: Final = frozenset({"individuals", "prediction", "data"})


def _axis(series: ControlSeries) -> Axis:
    values = [point.value for point in series.points if point.value is not None]
    values += [one for trace in series.traces for one in trace.values if one is not None]
    for name in LINES:
        values += [one for one in series.levels(name) if one is not None]
    limits = series.specification
    return axis_of(values, wanted=[one for one in (limits.lower, limits.upper) if one is not None])


def _size(count: int) -> float:
    return next(
        size for size, most in ((4, 60), (3, 200), (2, 1000), (1.3, count)) if count <= most
    )


def _phases(drawn: Drawn) -> list[Item]:
    """Where one phase ends and the next begins, with their names."""
    frame, items = drawn.frame, list[Item]()
    spans = drawn.series.spans
    for place, (phase, (first, last)) in enumerate(zip(drawn.series.phases, spans, strict=True)):
        left, right = frame.across(first - 0.5), frame.across(last + 0.5)
        if place:
            items.append(frame.upright(first - 0.5, Pen(GREY, 1.0, (2, 3))))
        if right - left > 24:
            shown = fitted(phase.name, right - left - 6, 10)
            items.append(Text(left + 3, frame.top - 5, shown, 10, colour=GREY))
    return items


def _ends(series: ControlSeries, axis: Axis) -> list[tuple[float, str]]:
    """Each line that is named at its right end, and its name."""
    found = []
    for name, short in zip(LINES, ("centre", "LCL", "UCL"), strict=True):
        last = series.levels(name)[-1:]
        found += [(one, f"{short} {number(one)}") for one in last if one is not None]
    limits = series.specification
    for value, short in ((limits.lower, "LSL"), (limits.upper, "USL")):
        if value is not None:
            far = " ↑ above" if value > axis.high else " ↓ below"
            found.append((value, f"{short} {number(value)}{'' if axis.holds(value) else far}"))
    return found


def _lines(drawn: Drawn, ends: Sequence[tuple[float, str]], room: float) -> list[Item]:
    series, frame = drawn.series, drawn.frame
    items: list[Item] = [
        Line(_steps(drawn, series.levels(name)), pen)
        for name, pen in zip(LINES, (CENTRE, LIMIT, LIMIT), strict=True)
    ]
    limits = series.specification
    items += [
        frame.level(value, SPEC)
        for value in (limits.lower, limits.upper)
        if value is not None and frame.y.holds(value)
    ]
    texts = [(frame.down(value), text) for value, text in ends]
    return items + beside(texts, x=frame.right + 8, span=(frame.top, frame.bottom), room=room)


def _steps(drawn: Drawn, levels: Sequence[float | None]) -> list[list[Place]]:
    """A line of limits: half a lot before and after each lot, unbroken within a phase."""
    runs: list[list[Place]] = [[]]
    for first, last in drawn.series.spans:
        numbered = enumerate(levels[first - 1 : last], first)
        for level, same in groupby(numbered, key=lambda one: one[1]):
            points = [point for point, _ in same]
            if level is None:
                runs.append([])
                continue
            y = drawn.frame.down(level)
            ends = (points[0] - 0.5, points[-1] + 0.5)
            runs[-1] += [(drawn.frame.across(end), y) for end in ends]
        runs.append([])
    return [run for run in runs if run]


def _names_room(series: ControlSeries) -> float:
    names = told_apart([one.lot for one in series.points])
    return 14 + max((width_of(name, 10) for name in names), default=0)


def _names(drawn: Drawn, below: float) -> list[Item]:
    """Lot ids below the chart, of as many lots as have room."""
    points, frame = drawn.series.points, drawn.frame
    if not points:
        middle = frame.top + frame.height / 2
        return [Text(frame.left + frame.width / 2, middle, "no lots", 14, "middle", colour=GREY)]
    every = -(-len(points) // max(min(_NAMED, int(frame.width // _NAME)), 1))
    return [
        Text(
            frame.across(n) + 4, frame.bottom + below + 6, name, 10, "end", colour=GREY, turned=True
        )
        for n, name in enumerate(told_apart([one.lot for one in points]), 1)
        if (n - 1) % every == 0
    ]  # fmt: skip
