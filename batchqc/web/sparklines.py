"""A small chart of a series: values in their order, lines that hold, and what signals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from batchqc.core.acceptance import Limits
from batchqc.core.trends import is_numeric
from batchqc.statistics.lot_series import Judged, Trend, is_censored

WIDTH: Final = 260.0
HEIGHT: Final = 56.0
_EDGE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Places in points from the top left corner, and lines as the ``d`` of a path.

    ``path`` joins the values, ``limits`` are frozen control limits, ``specification`` is what the
    criterion accepts; ``at`` are values, ``open_at`` bounds of censored ones, ``alerts`` signals.
    """

    path: str
    limits: str
    specification: str
    at: tuple[tuple[float, float], ...]
    open_at: tuple[tuple[float, float], ...]
    alerts: tuple[tuple[float, float], ...]
    width: float = WIDTH
    height: float = HEIGHT


def sparkline_of(trend: Trend, lots: Sequence[Judged]) -> Sparkline | None:
    """Of some lots in a row; ``None`` of words, and where no lot has a number."""
    values = [one.value for one in lots if one.value is not None]
    if not values or not is_numeric(trend.criterion):
        return None
    levels = [level for one in lots for level in (one.lower, one.upper) if level is not None]
    low, high = min([*values, *levels]), max([*values, *levels])
    room = (high - low) or abs(high) or 1.0
    wanted = [one for one in _ends(trend) if low - room <= one <= high + room]
    low, high = min([low, *wanted]), max([high, *wanted])
    frame = _Frame(low, (high - low) or abs(high) or 1.0, len(lots))
    placed = [(n, one) for n, one in enumerate(lots) if one.value is not None]
    return Sparkline(
        path=frame.joined([None if is_censored(one) else one.value for one in lots]),
        limits=frame.steps([one.lower for one in lots]) + frame.steps([one.upper for one in lots]),
        specification="".join(f"M0 {frame.down(one)}H{WIDTH}" for one in wanted),
        at=frame.each((n, one) for n, one in placed if not is_censored(one)),
        open_at=frame.each((n, one) for n, one in placed if is_censored(one)),
        alerts=frame.each((n, one) for n, one in placed if one.signals),
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    low: float
    span: float
    count: int

    def across(self, place: float) -> float:
        room = (WIDTH - 2 * _EDGE) / max(self.count - 1, 1)
        return round(_EDGE + place * room, 1)

    def down(self, value: float) -> float:
        share = (value - self.low) / self.span
        return round(HEIGHT - _EDGE - share * (HEIGHT - 2 * _EDGE), 1)

    def each(self, found: Iterable[tuple[int, Judged]]) -> tuple[tuple[float, float], ...]:
        return tuple((self.across(n), self.down(one.value or 0.0)) for n, one in found)

    def joined(self, values: Sequence[float | None]) -> str:
        drawn, pen = [], "M"
        for n, value in enumerate(values):
            if value is None:
                pen = "M"
                continue
            drawn.append(f"{pen}{self.across(n)} {self.down(value)}")
            pen = "L"
        return "".join(drawn)

    def steps(self, levels: Sequence[float | None]) -> str:
        drawn = [
            f"M{self.across(n - 0.5)} {self.down(level)}H{self.across(n + 0.5)}"
            for n, level in enumerate(levels)
            if level is not None
        ]
        return "".join(drawn)


def _ends(trend: Trend) -> list[float]:
    accept = trend.criterion.accept
    return [float(one.number) for one in accept.limits] if isinstance(accept, Limits) else []
