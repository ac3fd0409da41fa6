"""Estimates with their intervals, one below the other: potencies of runs, equivalence, variance.

An end without a limit has an arrow; an estimate whose whole interval lies within the margins is
filled, any other one is open, and the words beside it say which.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from batchqc.documents.plots.axes import Axis, Frame, axis_of, number
from batchqc.documents.plots.furniture import WIDTH, Key, heading, keys, notes
from batchqc.documents.plots.scene import (
    BLUE,
    GREY,
    INK,
    PALE,
    RED,
    Area,
    Item,
    Line,
    Marks,
    Pen,
    Picture,
    Shape,
    Table,
    Text,
    box,
    finite,
    fitted,
    width_of,
)
from batchqc.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Estimate:
    """One row.

    Args:
        label: of what was estimated.
        value: of the estimate; None where it could not be had.
        lower: end of its interval; None where it has none.
        upper: end of its interval; None where it has none.
        n: how many values it rests on.
        summary: whether it combines the rows above it.
        said: what there is to say of it, in words.
    """

    label: str
    value: float | None
    lower: float | None = None
    upper: float | None = None
    n: int = 0
    summary: bool = False
    said: str = ""


@dataclass(frozen=True, slots=True)
class Forest:
    """Estimates with intervals.

    Args:
        title: what is shown.
        estimates: the rows, in order.
        axis: what is on the axis, with its unit.
        confidence: of the intervals, between 0 and 1.
        method: by which the estimates were made.
        margins: lower and upper margin of equivalence, where there are any.
        reference: the value of no difference, where there is one.
        log: an axis of factors.
        bars: bars from 0, as for components of variance.
        notes: limitations, in words.
    """

    title: str
    estimates: Sequence[Estimate]
    axis: str
    confidence: float
    method: str
    margins: tuple[float | None, float | None] = (None, None)
    reference: float | None = None
    log: bool = False
    bars: bool = False
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("value", "lower", "upper"):
            finite([getattr(one, name) for one in self.estimates], f"{self.title}: {name}")
        finite([*self.margins, self.reference], f"{self.title}: margins")
        if self.log and any(one.value is not None and one.value <= 0 for one in self.estimates):
            raise InvalidInput("BQC-STA-003", f"{self.title}: factors are above 0")

    def within(self, one: Estimate) -> bool | None:
        """Whether the whole interval lies within the margins; None where there are none."""
        low, high = self.margins
        if low is None and high is None:
            return None
        above = low is None or (one.lower is not None and one.lower >= low)
        below = high is None or (one.upper is not None and one.upper <= high)
        return one.value is not None and above and below


def forest_plot(forest: Forest) -> Picture:
    """The picture of the estimates; its height grows with their number."""
    rows = len(forest.estimates)
    each = 24.0 if rows <= 60 else 15.0
    labels = min(max((width_of(one.label) for one in forest.estimates), default=0) + 24, 260)
    frame = Frame(
        _axis(forest), Axis(0, 1), labels, 44, WIDTH - labels - 250, max(each * rows, 30) + 8
    )
    items: list[Item] = [*heading(forest.title), *_furniture(forest, frame)]
    for place, one in enumerate(forest.estimates):
        items += _row(forest, frame, one, frame.top + 4 + each * (place + 0.5))
    below, bottom = keys(_keys(forest), frame.bottom + 42)
    said, bottom = notes([f"{_interval(forest)}. Method: {forest.method}", *forest.notes], bottom)
    words = _words(forest)
    return Picture(forest.title, words, WIDTH, bottom + 6, [*items, *below, *said], _table(forest))


def _axis(forest: Forest) -> Axis:
    found = [
        one
        for row in forest.estimates
        for one in (row.value, row.lower, row.upper)
        if one is not None and (not forest.log or one > 0)
    ]
    wanted = [one for one in (*forest.margins, forest.reference) if one is not None]
    return axis_of([*found, *wanted], log=forest.log, zero=forest.bars)


def _furniture(forest: Forest, frame: Frame) -> list[Item]:
    corners = box(frame.left, frame.top, frame.width, frame.height)
    items: list[Item] = [Area(corners, None, Pen(GREY, 0.8))]
    for value, text in frame.x.ticks:
        items.append(frame.upright(value, Pen(PALE, 0.6)))
        x = frame.across(value)
        items.append(Text(x, frame.bottom + 16, text, 10, "middle", colour=GREY))
    middle = frame.left + frame.width / 2
    items.append(Text(middle, frame.bottom + 33, fitted(forest.axis, frame.width), anchor="middle"))
    if forest.reference is not None:
        items.append(frame.upright(forest.reference, Pen(BLUE, 1.2)))
    items += [
        frame.upright(one, Pen(RED, 1.4, (7, 3))) for one in forest.margins if one is not None
    ]
    return items


def _row(forest: Forest, frame: Frame, one: Estimate, y: float) -> list[Item]:
    items: list[Item] = [
        Text(14, y + 4, fitted(one.label, frame.left - 20), bold=one.summary),
        Text(frame.right + 8, y + 4, fitted(_shown(forest, one), 240), colour=GREY),
    ]
    if one.value is None:
        return items
    left, arrow_left = _end(frame, one.lower, frame.left)
    right, arrow_right = _end(frame, one.upper, frame.right)
    x = frame.across(one.value) if frame.x.holds(one.value) else frame.left
    if forest.bars:
        zero = frame.across(0)
        items.append(Area(box(min(zero, x), y - 7, abs(x - zero), 14), PALE, Pen(INK, 0.8)))
    if one.lower is not None or one.upper is not None:
        items.append(Line([[(left, y), (right, y)]], Pen(INK, 1.6 if one.summary else 1.2)))
        ends = [(left, arrow_left), (right, arrow_right)]
        ticks = [[(at, y - 4), (at, y + 4)] for at, arrow in ends if not arrow]
        heads = [
            [(at - way * 6, y - 4), (at, y), (at - way * 6, y + 4)]
            for (at, arrow), way in zip(ends, (-1, 1), strict=True)
            if arrow
        ]
        items.append(Line([*ticks, *heads], Pen(INK, 1.2)))
    shape: Shape = "diamond" if one.summary else "square"
    filled = forest.within(one) is not False
    items.append(Marks([(x, y)], shape, 5 if one.summary else 4, INK, filled, _told(forest, one)))
    return items


def _end(frame: Frame, value: float | None, edge: float) -> tuple[float, bool]:
    """Where an interval ends, and whether that is an arrow: it goes on beyond the frame."""
    if value is None or not frame.x.holds(value):
        return edge, True
    return frame.across(value), False


def _shown(forest: Forest, one: Estimate) -> str:
    if one.value is None:
        return one.said or "not estimable"
    interval = ""
    if one.lower is not None or one.upper is not None:
        ends = ["none" if end is None else number(end) for end in (one.lower, one.upper)]
        interval = f" ({ends[0]} to {ends[1]})"
    within = {True: ", within", False: ", not shown", None: ""}[forest.within(one)]
    return number(one.value) + interval + within


def _told(forest: Forest, one: Estimate) -> str:
    count = f", n = {one.n}" if one.n else ""
    return f"{one.label}: {_shown(forest, one)}{count}{f', {one.said}' if one.said else ''}"


def _interval(forest: Forest) -> str:
    return f"Intervals of {100 * forest.confidence:g} % confidence"


def _words(forest: Forest) -> str:
    told = "; ".join(_told(forest, one) for one in forest.estimates[:40])
    more = len(forest.estimates) - 40
    rest = f"; and {more} more in the table" if more > 0 else ""
    margins = [
        f"{name} margin {number(value)}"
        for name, value in zip(("lower", "upper"), forest.margins, strict=True)
        if value is not None
    ]
    said = [
        f"{forest.title}, n = {len(forest.estimates)} rows, {forest.axis}",
        _interval(forest),
        f"Method: {forest.method}",
        ", ".join(margins),
        told + rest,
        *(note.rstrip(".") for note in forest.notes),
    ]
    return ". ".join(one for one in said if one) + "."


def _keys(forest: Forest) -> list[Key]:
    found = [
        Key("estimate", shape="square"),
        Key("interval; an arrow: no limit", pen=Pen(INK, 1.2)),
    ]
    if forest.margins != (None, None):
        found[0] = Key("interval within the margins", shape="square")
        found += [
            Key("not shown to be within", shape="square", filled=False),
            Key("margin", pen=Pen(RED, 1.4, (7, 3))),
        ]
    if any(one.summary for one in forest.estimates):
        found.append(Key("combined", shape="diamond"))
    if forest.reference is not None:
        found.append(Key(f"reference {number(forest.reference)}", pen=Pen(BLUE, 1.2)))
    return found


def _table(forest: Forest) -> Table:
    header = (
        forest.axis,
        "Estimate",
        "Lower",
        "Upper",
        "Confidence",
        "n",
        "Within margins",
        "Said",
    )
    answer = {True: "yes", False: "not shown", None: ""}
    rows = [
        (
            one.label,
            *("" if x is None else repr(float(x)) for x in (one.value, one.lower, one.upper)),
            f"{forest.confidence:g}", str(one.n or ""), answer[forest.within(one)], one.said,
        )
        for one in forest.estimates
    ]  # fmt: skip
    return Table(header, rows)
