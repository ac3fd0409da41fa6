"""Stability: results over time, degradation lines with their confidence limit, and the crossing."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from batchqc.documents.plots.axes import Frame, axis_of, number, tick_room
from batchqc.documents.plots.furniture import WIDTH, Key, beside, heading, keys, notes
from batchqc.documents.plots.scene import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    RED,
    SHAPES,
    Item,
    Line,
    Marks,
    Pen,
    Picture,
    Place,
    Table,
    Text,
    finite,
)

_FIT, _BOUND, _CRITERION = Pen(BLUE, 1.4), Pen(RED, 1.2, (7, 3)), Pen(INK, 2.0)
_CROSSING = Pen(RED, 1.4, (2, 3))


@dataclass(frozen=True, slots=True)
class Batch:
    """Results of one lot or of the common line: times and values, its line and confidence limits.

    Args:
        name: of the lot; ``all lots`` for a common line.
        points: times and results.
        line: times and fitted values, in order.
        bounds: confidence limits of the mean, each as times and values, in order.
    """

    name: str
    points: Sequence[Place] = ()
    line: Sequence[Place] = ()
    bounds: Sequence[Sequence[Place]] = ()

    def __post_init__(self) -> None:
        for places in (self.points, self.line, *self.bounds):
            finite(list(chain.from_iterable(places)), f"{self.name}: times and values")


@dataclass(frozen=True, slots=True)
class Decline:
    """A stability study.

    Args:
        attribute: what was measured.
        unit: of the results.
        time: name and unit of time.
        batches: lots and common lines.
        lower: the lower acceptance criterion.
        upper: the upper acceptance criterion.
        crossing: when a confidence limit first meets a criterion; None where it does not.
        said: shelf life, pooling and model, in words.
        notes: limitations, in words.
    """

    attribute: str
    unit: str
    time: str
    batches: Sequence[Batch]
    lower: float | None = None
    upper: float | None = None
    crossing: float | None = None
    said: str = ""
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        finite([self.lower, self.upper, self.crossing], f"{self.attribute}: criteria and crossing")


def stability_plot(study: Decline, *, height: float = 320) -> Picture:
    """The picture of the study."""
    places = [
        place
        for batch in study.batches
        for run in (batch.points, batch.line, *batch.bounds)
        for place in run
    ]
    beyond = [] if study.crossing is None else [study.crossing]
    across = axis_of([x for x, _ in places] + beyond * bool(places), zero=True)
    criteria = [one for one in (study.lower, study.upper) if one is not None]
    down = axis_of([y for _, y in places], wanted=criteria)
    left = tick_room(down)
    frame = Frame(across, down, left, 44, WIDTH - left - 150, height)
    unit = f" ({study.unit})" if study.unit else ""
    title = f"{study.attribute}{unit}: stability"
    items = [*heading(title), *frame.furniture(study.time, study.attribute + unit)]
    items += _lines(study, frame)
    for n, batch in enumerate(study.batches):
        shape, colour = SHAPES[n % len(SHAPES)], COLOURS[n % len(COLOURS)]
        items.append(Line([[frame.at(*place) for place in batch.line]], _FIT))
        items.append(Line([[frame.at(*place) for place in one] for one in batch.bounds], _BOUND))
        at = [frame.at(*place) for place in batch.points]
        items.append(Marks(at, shape, 3.5, colour, said=batch.name))
    if not places:
        items.append(Text(frame.left + 20, frame.top + 40, "no results", 14, colour=GREY))
    below, bottom = keys(_keys(study), frame.bottom + 42)
    told, bottom = notes([one for one in (study.said, *study.notes) if one], bottom)
    words = _words(study, title)
    return Picture(title, words, WIDTH, bottom + 6, [*items, *below, *told], _table(study))


def _lines(study: Decline, frame: Frame) -> list[Item]:
    items: list[Item] = []
    texts = []
    for value, name in ((study.lower, "LSL"), (study.upper, "USL")):
        if value is None:
            continue
        text = f"{name} {number(value)}"
        if frame.y.holds(value):
            items.append(frame.level(value, _CRITERION))
        else:
            text += " ↑ above" if value > frame.y.high else " ↓ below"
        texts.append((frame.down(value), text))
    items += beside(texts, x=frame.right + 8, span=(frame.top, frame.bottom), room=134)
    if study.crossing is not None and frame.x.holds(study.crossing):
        items.append(frame.upright(study.crossing, _CROSSING))
    return items


def _keys(study: Decline) -> list[Key]:
    found = [
        Key(batch.name, SHAPES[n % len(SHAPES)], colour=COLOURS[n % len(COLOURS)])
        for n, batch in enumerate(study.batches)
        if batch.points
    ]
    more = [Key(f"and {len(found) - 12} more lots: see the table")] * (len(found) > 12)
    found = [*found[:12], *more]
    if any(batch.line for batch in study.batches):
        found.append(Key("fitted line", pen=_FIT))
    if any(batch.bounds for batch in study.batches):
        found.append(Key("confidence limit of the mean", pen=_BOUND))
    if study.lower is not None or study.upper is not None:
        found.append(Key("acceptance criterion", pen=_CRITERION))
    if study.crossing is not None:
        found.append(Key(f"crossing at {number(study.crossing)}", pen=_CROSSING))
    return found


def _words(study: Decline, title: str) -> str:
    count = sum(len(batch.points) for batch in study.batches)
    lots = [batch.name for batch in study.batches if batch.points]
    named = ", ".join(lots[:20]) + (f" and {len(lots) - 20} more" if len(lots) > 20 else "")
    criteria = [
        f"{name} criterion {number(value)}"
        for name, value in (("lower", study.lower), ("upper", study.upper))
        if value is not None
    ]
    meets = "no confidence limit meets a criterion"
    if study.crossing is not None:
        meets = f"a confidence limit meets a criterion at {number(study.crossing)}"
    said = [
        f"{title}, n = {count} results of {len(lots)} lots over {study.time}"
        + (f": {named}" if named else ""),
        ", ".join([*criteria, meets]) if criteria else "",
        study.said.rstrip("."),
        *(note.rstrip(".") for note in study.notes),
    ]
    return ". ".join(one for one in said if one) + "."


def _table(study: Decline) -> Table:
    rows = [
        (batch.name, kind, repr(float(x)), repr(float(y)))
        for batch in study.batches
        for kind, run in (
            ("result", batch.points),
            ("line", batch.line),
            *(("confidence limit", one) for one in batch.bounds),
        )
        for x, y in run
    ]
    marked = frozenset(n for n, row in enumerate(rows) if row[1] == "result")
    unit = f" ({study.unit})" if study.unit else ""
    return Table(("Lot", "What", study.time, study.attribute + unit), rows, {}, marked)
