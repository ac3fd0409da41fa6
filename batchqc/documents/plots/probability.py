"""The normal probability plot: ordered results against the normal distribution."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from batchqc.documents.plots.axes import Frame, axis_of, tick_room
from batchqc.documents.plots.furniture import WIDTH, Key, heading, keys, notes
from batchqc.documents.plots.scene import (
    BLUE,
    GREY,
    INK,
    Item,
    Line,
    Marks,
    Pen,
    Picture,
    Table,
    Text,
    finite,
)
from batchqc.statistics.censored_ranks import plotting_positions

_FITTED = Pen(BLUE, 1.4, (7, 3))


@dataclass(frozen=True, slots=True)
class Ordered:
    """Results of an attribute, measured or below a limit.

    Args:
        attribute: what was measured.
        unit: of the results.
        values: measured ones.
        below: limits of results that are only known to lie below them.
        line: mean and standard deviation of the normal distribution to compare with.
        said: of a test of normality, in words.
        notes: limitations, in words.
    """

    attribute: str
    unit: str
    values: Sequence[float]
    below: Sequence[float] = ()
    line: tuple[float, float] | None = None
    said: str = ""
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        finite([*self.values, *self.below, *(self.line or ())], f"{self.attribute}: values")


def probability_plot(data: Ordered, *, height: float = 300) -> Picture:
    """The picture; censored results take their ranks (Hirsch and Stedinger 1987), not a place."""
    points = _points(data)
    across = axis_of([z for _, z in points] or [-1, 1])
    fitted = [] if data.line is None else [data.line[0] + data.line[1] * z for z in _ends(points)]
    down = axis_of([value for value, _ in points], wanted=fitted)
    left = tick_room(down)
    frame = Frame(across, down, left, 44, WIDTH - left - 40, height)
    unit = f" ({data.unit})" if data.unit else ""
    title = f"{data.attribute}{unit}: normal probability plot"
    items: list[Item] = [
        *heading(title),
        *frame.furniture("standard normal quantile", data.attribute + unit),
        Marks([frame.at(z, value) for value, z in points], "circle", 3.5, INK, filled=False),
    ]
    found = [Key("measured", shape="circle", filled=False)]
    if data.line is not None and points:
        ends = zip(_ends(points), fitted, strict=True)
        items.append(Line([[frame.at(z, value) for z, value in ends]], _FITTED))
        found.append(Key("normal distribution of the same mean and SD", pen=_FITTED))
    if not points:
        items.append(Text(left + 20, 84, "no measured results", 14, colour=GREY))
    below, bottom = keys(found, frame.bottom + 42)
    hidden = f"{len(data.below)} results below a limit take their ranks only" if data.below else ""
    said = [one for one in (hidden, data.said, *data.notes) if one]
    drawn, bottom = notes(said, bottom)
    count = len(data.values) + len(data.below)
    words = [f"{title}, n = {count}", *(one.rstrip(".") for one in said)]
    rows = [(repr(float(value)), repr(z)) for value, z in points]
    table = Table((data.attribute + unit, "Standard normal quantile"), rows)
    items += [*below, *drawn]
    return Picture(title, ". ".join(words) + ".", WIDTH, bottom + 6, items, table)


def _points(data: Ordered) -> list[tuple[float, float]]:
    """Measured results in order, each with its normal quantile."""
    if not data.values:
        return []
    found = np.array([*data.values, *data.below], dtype=float)
    hidden = np.arange(found.size) >= len(data.values)
    positions = plotting_positions(found, hidden)[: len(data.values)]
    normal = NormalDist()
    pairs = zip(data.values, positions.tolist(), strict=True)
    return sorted((float(value), normal.inv_cdf(share)) for value, share in pairs)


def _ends(points: Sequence[tuple[float, float]]) -> list[float]:
    return [points[0][1], points[-1][1]] if points else []
