"""The lot on its control charts: small pictures, two beside each other, each with its words.

Drawn from what was frozen, with the axes of the pages of trends. Without limits there are points
and n, and nothing that looks like a limit.
"""

from collections.abc import Iterator, Sequence

from batchqc.core.certificate_parts import TrendLimits, TrendPart
from batchqc.documents.coa_blocks import (
    MARGIN,
    WIDTH,
    Block,
    Cell,
    beside,
    row,
    section,
)
from batchqc.documents.coa_drawing import (
    ACCENT,
    GREY,
    HAIRLINE,
    INK,
    Box,
    Line,
    Mark,
    Style,
    Text,
    width_of,
)
from batchqc.documents.coa_tags import Tag
from batchqc.documents.plots.axes import Axis, Frame, axis_of, number

_GAP = 22.0
_PICTURE = (WIDTH - _GAP) / 2
_HEIGHT = 92.0
_SCALE_WIDTH = 30.0
_LABELS_WIDTH = 34.0
_TICK = Style("sans", 5.8, 7, GREY)
_LABEL = Style("sans", 5.8, 7, ACCENT)
_NAME = Style("bold", 7.4, 10.4)
_WORDS = Style("sans", 6.4, 9, GREY)
_OWN = Style("bold", 6.2, 8)
_LABELS_APART = 7.5


def trend_blocks(trends: Sequence[TrendPart]) -> list[Block]:
    """The pictures as a section; nothing where there are none."""
    blocks: list[Block] = []
    for place in range(0, len(trends), 2):
        pair = [
            _picture(trend, MARGIN + at * (_PICTURE + _GAP))
            for at, trend in enumerate(trends[place : place + 2])
        ]
        blocks += beside(pair[0], pair[1]) if len(pair) == 2 else pair[0]
    return section("The lot in its series", blocks)


def _picture(trend: TrendPart, x: float) -> list[Block]:
    """Name, picture and words of one series."""
    unit = f" ({trend['unit']})" if trend["unit"] else ""
    name = row([Cell(x, _PICTURE, [(trend["title"] + unit, _NAME)])], above=4, below=2)
    words = row([Cell(x, _PICTURE, [(_words(trend), _WORDS)])], above=2, below=6)
    drawn = [Block(_HEIGHT, tuple(_drawn(trend, x)))] if trend["points"] else []
    return [*name, *drawn, *words]


def _words(trend: TrendPart) -> str:
    count, limits = len(trend["points"]), trend["limits"]
    told = [f"n = {count} lot{'s' * (count != 1)}{', this one last' * (count > 0)}."]
    if limits:
        lines = [f"{word} {_short(text)}" for word, text in _lines(limits)]
        told.append(
            f"Limit set {limits['limit_set']} of {limits['n']} lots, {limits['method']}:"
            f" {', '.join(lines)}."
        )
    return " ".join(filter(None, (*told, trend["said"])))


def _described(trend: TrendPart) -> str:
    """The picture in words, for who cannot see it."""
    last = trend["points"][-1]
    own = f"{last['qualifier']}{last['value']} {trend['unit']}".strip()
    return f"{trend['title']}: lot {last['lot']} {own} among its series; {_words(trend)}"


def _drawn(trend: TrendPart, x: float) -> Iterator[Mark]:
    """Every mark bears the one tag, so that the picture is one figure."""
    figure = Tag("Figure", words=_described(trend))
    values = [float(one["value"]) for one in trend["points"]]
    axis = axis_of([*values, *(float(text) for _, text in _lines(trend["limits"]))])
    frame = Frame(
        Axis(0.4, len(values) + 0.6),
        axis,
        x + _SCALE_WIDTH,
        3,
        _PICTURE - _SCALE_WIDTH - _LABELS_WIDTH,
        _HEIGHT - 6,
    )
    marks = (*_scale(frame), *_limits(frame, trend["limits"]), *_points(frame, trend, values))
    for mark in marks:
        yield mark._replace(tag=figure)


def _scale(frame: Frame) -> Iterator[Mark]:
    yield Box(frame.left, frame.top, frame.width, frame.height, outline=HAIRLINE)
    for value, text in frame.y.ticks:
        y = frame.down(value)
        yield Line(y, [(frame.left, 0), (frame.right, 0)], 0.3, HAIRLINE)
        yield Text(frame.left - 3 - width_of(text, _TICK), y + 2, _TICK, text)


def _limits(frame: Frame, limits: TrendLimits | None) -> Iterator[Mark]:
    for word, text in _lines(limits):
        y = frame.down(float(text))
        dash = None if word == "centre" else (3, 2)
        yield Line(y, [(frame.left, 0), (frame.right, 0)], 0.9, ACCENT, dash)
        yield Text(frame.right + 4, y + 2, _LABEL, f"{word} {_short(text)}")


def _points(frame: Frame, trend: TrendPart, values: Sequence[float]) -> Iterator[Mark]:
    places = [frame.at(place, value) for place, value in enumerate(values, 1)]
    yield Line(0, places, 0.6, GREY)
    for point, (x, y) in zip(trend["points"], places, strict=True):
        side = 3.0
        if point["qualifier"]:  # censored: hollow, with its sign
            yield Box(x - side / 2, y - side / 2, side, side, outline=INK)
        else:
            yield Box(x - side / 2, y - side / 2, side, side, fill=INK)
    x, y = places[-1]
    yield Box(x - 3.6, y - 3.6, 7.2, 7.2, outline=INK)
    taken = [frame.down(float(text)) for _, text in _lines(trend["limits"])]
    last = trend["points"][-1]
    yield Text(frame.right + 4, _free(y, taken) + 2, _OWN, last["qualifier"] + last["value"])


def _free(y: float, taken: Sequence[float]) -> float:
    """The height nearest to ``y`` at which a label covers none of those that stand there."""
    places = (y, *(at + side * _LABELS_APART for at in taken for side in (-1, 1)))
    clear = (one for one in places if all(abs(one - at) >= _LABELS_APART for at in taken))
    return min(clear, key=lambda one: abs(one - y), default=y)


def _lines(limits: TrendLimits | None) -> list[tuple[str, str]]:
    """Each line that there is, with its word."""
    if limits is None:
        return []
    lines = (("upper", limits["upper"]), ("centre", limits["centre"]), ("lower", limits["lower"]))
    return [(word, text) for word, text in lines if text]


def _short(text: str) -> str:
    return number(float(text)) if text else ""
