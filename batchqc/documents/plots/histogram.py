"""The capability histogram: results in classes, with tolerance interval and specification."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from batchqc.documents.plots.axes import Axis, Frame, axis_of, number, tick_room
from batchqc.documents.plots.figures import said_of
from batchqc.documents.plots.furniture import WIDTH, Key, heading, keys, notes
from batchqc.documents.plots.scene import (
    BLUE,
    GREY,
    INK,
    PALE,
    RED,
    WHITE,
    Anchor,
    Area,
    Item,
    Pen,
    Picture,
    Table,
    Text,
    box,
    finite,
)
from batchqc.documents.plots.series import NO_SPECIFICATION, SpecificationLimits
from batchqc.statistics.figures import Figure

_SPEC, _TOLERANCE, _MEAN = Pen(INK, 2.2), Pen(RED, 1.4, (7, 3)), Pen(BLUE, 1.4, (2, 3))


@dataclass(frozen=True, slots=True)
class Spread:
    """Results of an attribute.

    Args:
        attribute: what was measured.
        unit: of the results.
        values: measured ones.
        censored: limits of results that are only known to lie beyond them.
        specification: of the attribute.
        tolerance: lower and upper end of the tolerance interval, where there are any.
        figures: capability, tolerance and all else to tell.
        notes: limitations, in words.
    """

    attribute: str
    unit: str
    values: Sequence[float]
    censored: Sequence[float] = ()
    specification: SpecificationLimits = NO_SPECIFICATION
    tolerance: tuple[float | None, float | None] = (None, None)
    figures: Sequence[Figure] = ()
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        finite(self.values, f"{self.attribute}: values")
        finite(self.censored, f"{self.attribute}: limits of censored results")
        limits = self.specification
        finite([limits.lower, limits.upper, *self.tolerance], f"{self.attribute}: lines")


def histogram(data: Spread, *, height: float = 260) -> Picture:
    """The picture; the classes have one width (Sturges 1926), 40 of them at most."""
    found = [*data.values, *data.censored]
    axis = axis_of(found, wanted=[one for one, _, _ in _lines(data)])
    classes = _classes(data, found)
    most = max((measured + hidden for _, _, measured, hidden in classes), default=1)
    counts = Axis(0, most * 1.08)
    left = tick_room(counts)
    frame = Frame(axis, counts, left, 74, WIDTH - left - 30, height)
    unit = f" ({data.unit})" if data.unit else ""
    title = f"{data.attribute}{unit}: distribution and capability"
    below, bottom = keys(_keys(data), frame.bottom + 42)
    told = [said_of(one) for one in data.figures]
    said, bottom = notes([*told, *data.notes], bottom)
    items = [
        *heading(title),
        *frame.furniture(data.attribute + unit, "lots"),
        *_bars(frame, classes),
        *_uprights(data, frame),
        *below,
        *said,
    ]
    words = _words(data, title)
    return Picture(title, words, WIDTH, bottom + 6, items, _table(classes))


_Class = tuple[float, float, int, int]


def _classes(data: Spread, found: Sequence[float]) -> list[_Class]:
    """Low and high end of each class, and how many measured and censored results it holds."""
    if not found:
        return []
    axis = axis_of(found)
    low, high = (min(found), max(found)) if min(found) < max(found) else (axis.low, axis.high)
    count = min(math.ceil(math.log2(len(found))) + 1, 40)
    narrow = Axis(low, high)
    if not high / 2 - low / 2 > 1e-12 * max(abs(low), abs(high)):
        narrow, count = axis, 1
    tally = [[0, 0] for _ in range(count)]
    for kind, values in enumerate((data.values, data.censored)):
        for value in values:
            tally[min(max(int(narrow.share(value) * count), 0), count - 1)][kind] += 1
    edges = [narrow.low * (1 - n / count) + narrow.high * (n / count) for n in range(count + 1)]
    return [(edges[n], edges[n + 1], tally[n][0], tally[n][1]) for n in range(count)]


def _bars(frame: Frame, classes: Sequence[_Class]) -> list[Item]:
    items: list[Item] = []
    for low, high, measured, hidden in classes:
        left, right = frame.across(low), frame.across(high)
        for first, last, fill in ((0, measured, PALE), (measured, measured + hidden, WHITE)):
            if last > first:
                top, bottom = frame.down(last), frame.down(first)
                said = f"{number(low)} to {number(high)}: {last - first} lots"
                corners = box(left, top, right - left, bottom - top)
                items.append(Area(corners, fill, Pen(INK, 0.8), said))
    return items


def _lines(data: Spread) -> list[tuple[float, Pen, str]]:
    limits = data.specification
    named = (
        (limits.lower, _SPEC, "LSL"),
        (limits.upper, _SPEC, "USL"),
        (data.tolerance[0], _TOLERANCE, "TI"),
        (data.tolerance[1], _TOLERANCE, "TI"),
    )
    found = [(value, pen, name) for value, pen, name in named if value is not None]
    if data.values and not data.censored:  # a mean of the measured alone would mislead
        count = len(data.values)
        found.append((sum(value / count for value in data.values), _MEAN, "mean"))
    return found


def _uprights(data: Spread, frame: Frame) -> list[Item]:
    items: list[Item] = []
    for n, (value, pen, name) in enumerate(sorted(_lines(data), key=lambda one: one[0])):
        text = f"{name} {number(value)}"
        anchor: Anchor = "middle"
        if frame.x.holds(value):
            items.append(frame.upright(value, pen))
        else:
            text = f"← {text}" if value < frame.x.low else f"{text} →"
        x = frame.across(value)
        if x < frame.left + 45:
            x, anchor = frame.left, "start"
        elif x > frame.right - 45:
            x, anchor = frame.right, "end"
        items.append(Text(x, frame.top - 4 - 13 * (n % 3), text, 10, anchor, colour=GREY))
    if not data.values and not data.censored:
        items.append(Text(frame.left + 20, frame.top + 40, "no results", 14, colour=GREY))
    return items


def _keys(data: Spread) -> list[Key]:
    names = {name for _, _, name in _lines(data)}
    found = [Key("measured", colour=PALE)]
    found += [Key("censored, at its limit", colour=WHITE)] if data.censored else []
    found += [Key("specification", pen=_SPEC)] if names & {"LSL", "USL"} else []
    found += [Key("tolerance interval", pen=_TOLERANCE)] if "TI" in names else []
    return [*found, *([Key("mean", pen=_MEAN)] if "mean" in names else [])]


def _words(data: Spread, title: str) -> str:
    lines = ", ".join(f"{name} {number(value)}" for value, _, name in _lines(data))
    found = [*data.values, *data.censored]
    reach = f", from {number(min(found))} to {number(max(found))}" if found else ""
    hidden = f", {len(data.censored)} of them censored" if data.censored else ""
    said = [
        f"{title}, n = {len(found)}{hidden}{reach}",
        lines,
        *(said_of(one) for one in data.figures),
        *(note.rstrip(".") for note in data.notes),
    ]
    return ". ".join(one for one in said if one) + "."


def _table(classes: Sequence[_Class]) -> Table:
    rows = [
        (f"{low:.10g}", f"{high:.10g}", str(seen), str(hidden))
        for low, high, seen, hidden in classes
    ]
    return Table(("From", "To", "Measured", "Censored"), rows)
