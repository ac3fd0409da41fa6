"""What many plots share: headings, keys, and texts beside lines that do not cover each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from batchqc.documents.plots.scene import (
    GREY,
    Area,
    Item,
    Line,
    Marks,
    Pen,
    Place,
    Shape,
    Text,
    box,
    fitted,
    width_of,
    wrapped,
)

WIDTH: Final = 900.0


@dataclass(frozen=True, slots=True)
class Key:
    """What one sign of the plot means: a mark, a line or a filled patch, and its text."""

    text: str
    shape: Shape | None = None
    pen: Pen | None = None
    colour: str = GREY
    filled: bool = True

    def at(self, x: float, y: float) -> list[Item]:
        """The sign and its text, from ``x`` on, with the text on the baseline ``y``."""
        items: list[Item] = [Text(x + 30, y, self.text, colour=GREY)]
        if self.pen:
            items.append(Line([[(x, y - 4), (x + 24, y - 4)]], self.pen))
        if self.shape in {"up", "down"}:
            items.append(Marks([(x + 12, y - 4)], "circle", 3.5, self.colour, filled=False))
        if self.shape:
            items.append(Marks([(x + 12, y - 4)], self.shape, 3.5, self.colour, filled=self.filled))
        if not self.pen and not self.shape:
            items.append(Area(box(x + 4, y - 10, 18, 11), self.colour, Pen(GREY, 0.6)))
        return items


def heading(title: str, *, width: float = WIDTH) -> list[Item]:
    """The title of a plot, on the first 30 points of its height."""
    return [Text(14, 21, fitted(title, width - 28, 17), 14, bold=True)]


def keys(entries: Sequence[Key], top: float, *, width: float = WIDTH) -> tuple[list[Item], float]:
    """The keys in rows, and where the space below them begins."""
    items: list[Item] = []
    x, y = 20.0, top + 14
    for entry in entries:
        shown = Key(
            fitted(entry.text, width - 70), entry.shape, entry.pen, entry.colour, entry.filled
        )
        wide = 30 + width_of(shown.text) + 12
        if x > 20 and x + wide > width - 10:
            x, y = 20.0, y + 18
        items += shown.at(x, y)
        x += wide
    return items, y + 12 if entries else top


def notes(texts: Sequence[str], top: float, *, width: float = WIDTH) -> tuple[list[Item], float]:
    """Sentences below a plot, each on lines of its own, and where the space below begins."""
    y = top
    items: list[Item] = []
    for text in texts:
        for line in wrapped(text, width - 40):
            y += 15
            items.append(Text(20, y, line, colour=GREY))
    return items, y + 8 if items else top


def beside(texts: Sequence[tuple[float, str]], *, x: float, span: Place, room: float) -> list[Item]:
    """Texts at wanted heights, moved apart where they would cover each other.

    Args:
        texts: the wanted height of each, and the text.
        x: where they begin.
        span: top and bottom between which they stand where they fit.
        room: their width.
    """
    ordered = sorted(texts)
    places: list[float] = []
    for wanted, _ in ordered:
        places.append(max(wanted + 4, places[-1] + 13 if places else span[0] + 4))
    limit = span[1] + 4
    for number in reversed(range(len(places))):
        places[number] = min(places[number], limit)
        limit = places[number] - 13
    return [
        Text(x, place, fitted(text, room), colour=GREY)
        for place, (_, text) in zip(places, ordered, strict=True)
    ]
