"""Axes and the frame they make: from values to places, with ticks that people read."""

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from batchqc.documents.plots.scene import (
    GREY,
    PALE,
    WHITE,
    Area,
    Item,
    Line,
    Pen,
    Place,
    Text,
    box,
    fitted,
)
from batchqc.errors import InvalidInput

_LARGEST: Final = sys.float_info.max
#: Values that are equal to so many parts are drawn as equal: what differs is the arithmetic.
_EQUAL: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows: from ``low`` to ``high``, evenly or by factors."""

    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """How far along the axis a value stands: 0 at its low end, 1 at its high end."""
        if self.log:
            low = math.log(self.low)
            return (math.log(value) - low) / (math.log(self.high) - low)
        unit = max(abs(self.low), abs(self.high))
        return (value / unit - self.low / unit) / (self.high / unit - self.low / unit)

    def holds(self, value: float) -> bool:
        """Whether the axis reaches the value."""
        return self.low <= value <= self.high

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Values at which a line is drawn, each with its text."""
        return _decades(self.low, self.high) if self.log else _even(self.low, self.high)


def axis_of(
    values: Iterable[float],
    *,
    wanted: Iterable[float] = (),
    log: bool = False,
    zero: bool = False,
) -> Axis:
    """The axis that shows all values, with room at its ends.

    Args:
        values: all of them are on the axis; without any it goes from 0 to 1, or from 1 to 10.
        wanted: shown too where they do not press the values together more than fourfold.
        log: by factors; then all values are above 0.
        zero: begins or ends at 0, without room beyond it.

    Raises:
        InvalidInput: a value of 0 or below on an axis of factors.
    """
    found = list(values)
    if log and any(value <= 0 for value in found):
        raise InvalidInput("BQC-STA-003", "an axis of factors has no place for 0 or below")
    if not found:
        return Axis(1.0, 10.0, log=True) if log else Axis(0.0, 1.0)
    if log:
        logs = axis_of(map(math.log, found), wanted=(math.log(one) for one in wanted if one > 0))
        return Axis(math.exp(max(logs.low, -700)), math.exp(min(logs.high, 700)), log=True)
    low, high = (min([*found, 0.0]), max([*found, 0.0])) if zero else (min(found), max(found))
    if high / 2 - low / 2 <= _EQUAL * max(abs(low), abs(high)):
        room = abs(low) * 0.05 or 1.0
        low, high = low - room, high + room
    low, high = _widened(low, high, wanted)
    room = (high / 2 - low / 2) * 0.12
    floor = 0.0 if zero and low == 0 else max(low - room, -_LARGEST)
    return Axis(floor, 0.0 if zero and high == 0 else min(high + room, _LARGEST))


def number(value: float) -> str:
    """A number as people read it, to five significant digits: ``95.45``, ``1.8E8``."""
    return _tidy(f"{value or 0.0:.5g}")


@dataclass(frozen=True, slots=True)
class Frame:
    """The rectangle in which values have their places."""

    x: Axis
    y: Axis
    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its bottom edge."""
        return self.top + self.height

    def across(self, value: float) -> float:
        """Where a value of the x axis stands, never outside the frame."""
        return self.left + self.width * min(max(self.x.share(value), 0.0), 1.0)

    def down(self, value: float) -> float:
        """Where a value of the y axis stands, never outside the frame."""
        return self.bottom - self.height * min(max(self.y.share(value), 0.0), 1.0)

    def at(self, x: float, y: float) -> Place:
        """Where a pair of values stands."""
        return self.across(x), self.down(y)

    def level(self, y: float, pen: Pen) -> Line:
        """A line across the frame."""
        return Line([[(self.left, self.down(y)), (self.right, self.down(y))]], pen)

    def upright(self, x: float, pen: Pen) -> Line:
        """A line from the bottom to the top of the frame."""
        return Line([[(self.across(x), self.top), (self.across(x), self.bottom)]], pen)

    def furniture(self, x_label: str, y_label: str, *, ticks: bool = True) -> list[Item]:
        """Its outline, lines and texts of its ticks (of x where ``ticks``), names of its axes."""
        faint = Pen(PALE, 0.6)
        items: list[Item] = [
            Area(box(self.left, self.top, self.width, self.height), WHITE, Pen(GREY, 0.8))
        ]
        for value, text in self.y.ticks:
            y = self.down(value)
            items.append(Line([[(self.left, y), (self.right, y)]], faint))
            items.append(Text(self.left - 6, y + 4, text, anchor="end", colour=GREY))
        if ticks:
            for value, text in self.x.ticks:
                x = self.across(value)
                items.append(Line([[(x, self.bottom), (x, self.bottom + 4)]], Pen(GREY, 0.8)))
                items.append(Text(x, self.bottom + 17, text, anchor="middle", colour=GREY))
        middle = self.left + self.width / 2
        if x_label:
            shown = fitted(x_label, self.width)
            items.append(Text(middle, self.bottom + 34, shown, anchor="middle"))
        shown = fitted(y_label, self.height)
        halfway = self.top + self.height / 2
        items.append(Text(16, halfway, shown, anchor="middle", turned=True))
        return items


def room_for(texts: Iterable[str]) -> float:
    """How far from the left edge a frame begins whose ticks have these texts."""
    return 36 + 7.0 * max(map(len, texts), default=1)


def tick_room(axis: Axis) -> float:
    """How far from the left edge a frame with this y axis begins."""
    return room_for(text for _, text in axis.ticks)


def _widened(low: float, high: float, wanted: Iterable[float]) -> tuple[float, float]:
    span = high - low
    if not math.isfinite(span):
        return low, high
    near = [one for one in wanted if low - 1.5 * span <= one <= high + 1.5 * span]
    return min([low, *near]), max([high, *near])


def _even(low: float, high: float) -> list[tuple[float, str]]:
    span, largest = high - low, max(abs(low), abs(high))
    if not math.isfinite(span) or span <= 1e-290 or span < 1e-11 * largest:
        return [(one, number(one)) for one in (low, high)]
    power = math.floor(math.log10(span / 7))
    size = next(one for one in (1, 2, 5, 10) if span / 7 <= one * 10.0**power * (1 + 1e-9))
    if size == 10:
        size, power = 1, power + 1
    step = size * 10.0**power
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(n * step, _of_step(n * size, power, largest)) for n in range(first, last + 1)]


def _of_step(count: int, power: int, largest: float) -> str:
    """The text of ``count`` times ten to the power, with the digits that tell it from the next."""
    if count == 0:
        return "0"
    if 1e-4 <= largest < 1e6:
        return f"{count * 10.0**power:.{max(-power, 0)}f}"
    digits = len(str(abs(count))) - 1
    return f"{count / 10**digits:.{digits}f}E{power + digits}"


def _decades(low: float, high: float) -> list[tuple[float, str]]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    if high < 10 * low:
        return [(value, number(value)) for value, _ in _even(low, high) if value > 0]
    if last - first > 3:
        every = max((last - first) // 8, 1)
        found = [10.0**power for power in range(first, last + 1, every)]
    else:
        found = [m * 10.0**power for power in range(first, last + 1) for m in (1, 2, 5)]
    inside = [value for value in found if low <= value <= high]
    return [(value, number(value)) for value in inside]


def _tidy(text: str) -> str:
    mantissa, e, power = text.partition("e")
    return f"{mantissa}E{int(power)}" if e else mantissa
