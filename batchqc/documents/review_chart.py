"""The chart of a quality review: lots in the order of manufacture, limits and signals."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from batchqc.documents.coa_blocks import FAINT, MARGIN, WIDTH, Block
from batchqc.documents.coa_drawing import (
    ACCENT,
    GREY,
    HAIRLINE,
    INK,
    Box,
    Colour,
    Line,
    Mark,
    Text,
    width_of,
    wrap,
)
from batchqc.documents.coa_tags import Tag

_LEFT: Final = MARGIN + 44
_RIGHT: Final = MARGIN + WIDTH - 2
_HEIGHT: Final = 132.0
_RED: Final[Colour] = (0.62, 0.12, 0.12)
_SIGNAL: Final[Colour] = (0.80, 0.33, 0.0)
#: A limit of the specification that would take more than this part of the chart is only named.
_MOST_ROOM: Final = 4.0
#: Above so many lots points are small and are not joined.
_MANY: Final = 150


@dataclass(frozen=True, slots=True)
class _Axis:
    """From a value to its height on the chart."""

    low: float
    high: float

    def y(self, value: float) -> float:
        return _HEIGHT * (self.high - value) / (self.high - self.low)


def chart_block(chart: Mapping[str, Any]) -> Block:
    """A chart as one block that is never divided, with its key below.

    Args:
        chart: as the content of a review has it: lots, values as text, lines as text or "",
            limits of the specification, and signals with the points that they name.
    """
    values = [_number(text) for text in chart["values"]]
    lines = {name: _number(chart[name]) for name in ("centre", "lower", "upper")}
    asked = [_number(chart[f"specification_{one}"]) for one in ("lower", "upper")]
    axis, off = _axis([*values, *lines.values()], asked)
    marks: list[Mark] = [*_frame(axis)]
    drawn = [limit for limit in asked if limit is not None and limit not in off]
    marks += [_level(axis, limit, _RED, (5.0, 2.0)) for limit in drawn]
    for name, level in lines.items():
        if level is not None:
            dash = None if name == "centre" else (1.5, 1.5)
            marks.append(_level(axis, level, ACCENT, dash))
    marks += _points(axis, chart["values"], values, {one[2] for one in chart["signals"]})
    marks += _ends(chart["lots"])
    figure = Tag("Figure", words=f"Chart of {chart['title']}, {chart['n']} lots")
    marks = [mark._replace(tag=figure) for mark in marks]
    y, key = _HEIGHT + 24, Tag("P")
    for line in wrap(_key(chart, off), FAINT, WIDTH):
        marks.append(Text(MARGIN, y, FAINT, line, key))
        y += FAINT.leading
    return Block(y, tuple(marks), before=6)


def _number(text: str) -> float | None:
    """A number without its qualifier; ``None`` where there is none."""
    return float(text.lstrip("<>=≤≥ ")) if text else None


def _axis(shown: Sequence[float | None], asked: Sequence[float | None]) -> tuple[_Axis, set[float]]:
    """The axis over all that is shown, and limits that are too far away to be."""
    known = [one for one in shown if one is not None]
    low, high = min(known), max(known)
    room = (high - low) or abs(high) or 1.0
    limits = [one for one in asked if one is not None]
    off = {one for one in limits if max(high, one) - min(low, one) > _MOST_ROOM * room}
    known += [one for one in limits if one not in off]
    low, high = min(known), max(known)
    pad = 0.06 * ((high - low) or abs(high) or 1.0)
    return _Axis(low - pad, high + pad), off


def _frame(axis: _Axis) -> Iterator[Mark]:
    yield Line(0, ((_LEFT, 0), (_LEFT, _HEIGHT), (_RIGHT, _HEIGHT)), 0.6, GREY)
    step = _step(axis.high - axis.low)
    places = max(0, -math.floor(math.log10(step)))
    for number in range(math.ceil(axis.low / step), math.floor(axis.high / step) + 1):
        value = number * step
        y = axis.y(value)
        text = f"{value:.{places}f}" if places < 5 and abs(value) < 1e6 else f"{value:.4g}"
        yield Line(0, ((_LEFT, y), (_RIGHT, y)), 0.3, HAIRLINE)
        yield Text(_LEFT - 4 - width_of(text, FAINT), y + 2.4, FAINT, text)


def _step(room: float) -> float:
    """1, 2 or 5 times a power of ten, so that about five lines fit."""
    power = 10.0 ** math.floor(math.log10(room / 5))
    return next(power * one for one in (1, 2, 5, 10) if power * one * 6 >= room)


def _level(axis: _Axis, value: float, colour: Colour, dash: tuple[float, float] | None) -> Line:
    y = axis.y(value)
    return Line(0, ((_LEFT, y), (_RIGHT, y)), 0.8, colour, dash)


def _points(
    axis: _Axis, texts: Sequence[str], values: Sequence[float | None], signals: set[int]
) -> Iterator[Mark]:
    room = _RIGHT - _LEFT - 12
    apart = room / max(len(values) - 1, 1)
    size = 2.6 if len(values) <= _MANY else 1.4
    places = [
        (_LEFT + 6 + number * apart, axis.y(value), number + 1)
        for number, value in enumerate(values)
        if value is not None
    ]
    if len(places) > 1 and len(values) <= _MANY:
        yield Line(0, [(x, y) for x, y, _ in places], 0.4, GREY)
    for x, y, number in places:
        sign = texts[number - 1][0]
        if sign in "<>≤≥":
            tip = y + 5 if sign in "<≤" else y - 5
            yield Line(0, ((x - 2.5, y), (x + 2.5, y)), 0.9, INK)
            yield Line(0, ((x, y), (x, tip)), 0.6, INK)
        elif number in signals:
            yield Box(x - 2.4, y - 2.4, 4.8, 4.8, fill=_SIGNAL)
        else:
            yield Box(x - size / 2, y - size / 2, size, size, fill=INK)


def _ends(lots: Sequence[str]) -> Iterator[Mark]:
    """The first and the last lot below the axis, each cut to its half."""
    half = (_RIGHT - _LEFT) / 2 - 8
    first, last = (_cut(one, half) for one in (lots[0], lots[-1]))
    yield Text(_LEFT, _HEIGHT + 10, FAINT, first)
    if len(lots) > 1:
        yield Text(_RIGHT - width_of(last, FAINT), _HEIGHT + 10, FAINT, last)


def _cut(text: str, width: float) -> str:
    lines = wrap(text, FAINT, width)
    return lines[0] if len(lines) == 1 else f"{lines[0]}…"


def _key(chart: Mapping[str, Any], off: set[float]) -> str:
    parts = ["Squares: lots in the order of manufacture"]
    if chart["signals"]:
        parts.append("large squares: signals")
    if chart["censored"]:
        parts.append("bars with a stroke: only a bound is known, on the side of the stroke")
    if chart["centre"]:
        parts.append(f"line: centre {chart['centre']}")
    if chart["lower"] or chart["upper"]:
        limits = " and ".join(filter(None, (chart["lower"], chart["upper"])))
        parts.append(f"dotted: control limits {limits}")
    parts.append(f"dashed: acceptance criterion {chart['acceptance']}")
    if off:
        parts.append("a limit of it lies off the chart")
    return "; ".join(parts) + "."
