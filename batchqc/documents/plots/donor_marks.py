"""Donors on a chart: a shape and a colour of each, and the strip that names them below the lots."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from batchqc.documents.plots.axes import Frame
from batchqc.documents.plots.scene import (
    COLOURS,
    GREY,
    INK,
    SHAPES,
    TINT,
    WHITE,
    Area,
    Item,
    Pen,
    Shape,
    Text,
    box,
    fitted,
)
from batchqc.documents.plots.series import Point

#: More changes of donor than this leave no room for names: the table tells them.
_CHANGES = 200


def looks_of(points: Sequence[Point]) -> dict[str, tuple[Shape, str]]:
    """Shape and colour of each donor, in their order on the chart; from the ninth on they recur."""
    donors = list(dict.fromkeys(point.donor for point in points))
    named = [donor for donor in donors if donor]
    looks = {
        donor: (SHAPES[n % len(SHAPES)], COLOURS[n % len(COLOURS)]) for n, donor in enumerate(named)
    }
    return {**looks, "": ("circle", INK)}


@dataclass(frozen=True, slots=True)
class Strip:
    """Names of donors below the lots, one field for each unbroken run of a donor's lots."""

    items: Sequence[Item]
    height: float

    @classmethod
    def of(cls, points: Sequence[Point], frame: Frame) -> "Strip":
        """The strip of a chart; empty where no donor is named, or where there is no room."""
        runs = _runs(points)
        if not any(donor for donor, _, _ in runs) or len(runs) > _CHANGES:
            return cls((), 0.0)
        items: list[Item] = [
            Text(frame.left - 6, frame.bottom + 16, "donor", 10, "end", colour=GREY)
        ]
        for place, (donor, first, last) in enumerate(runs):
            left, right = frame.across(first - 0.5), frame.across(last + 0.5)
            field = box(left, frame.bottom + 4, right - left, 17)
            fill = WHITE if place % 2 else TINT
            items.append(Area(field, fill, Pen(GREY, 0.5), f"donor {donor or 'not known'}"))
            if right - left > 6 + 6.4 * min(len(donor), 3):
                shown = fitted(donor, right - left - 4, 10)
                middle = (left + right) / 2
                items.append(Text(middle, frame.bottom + 16, shown, 10, "middle"))
        return cls(items, 22.0)


def _runs(points: Sequence[Point]) -> list[tuple[str, int, int]]:
    """Each unbroken run: its donor, and the numbers of its first and last point."""
    found = []
    numbered = enumerate(points, 1)
    for donor, run in groupby(numbered, key=lambda one: one[1].donor):
        places = [n for n, _ in run]
        found.append((donor, places[0], places[-1]))
    return found
