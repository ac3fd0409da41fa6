"""What a plot is made of: lines, areas, marks and text, and the table of the same numbers.

The rules:

- Meaning is never told by colour alone: shape, dash, fill or a word tells it too, so that a plot
  can be read in black and white and by anyone.
- Text stays text. What no number is, is refused before anything is drawn.
- A place is in points from the top left corner.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from batchqc.documents.csv_file import csv_bytes
from batchqc.errors import InvalidInput

Place: TypeAlias = tuple[float, float]
Shape: TypeAlias = Literal[
    "circle", "square", "triangle", "diamond", "wedge", "hexagon", "bar", "hourglass",
    "ring", "cross", "up", "down",
]  # fmt: skip
Anchor: TypeAlias = Literal["start", "middle", "end"]

INK: Final = "#1a1d21"
GREY: Final = "#5b626b"
PALE: Final = "#c9cdd2"
TINT: Final = "#eef2f4"
WHITE: Final = "#ffffff"
RED: Final = "#b33c00"
BLUE: Final = "#0060a0"
#: Okabe and Ito 2008, darkened to a contrast of 3 on white; one goes with each shape of a group.
COLOURS: Final = (
    "#0060a0", "#b33c00", "#00795a", "#8a4f7d", "#7a5c00", "#1a1d21", "#2b7fa8", "#6b6b00",
)  # fmt: skip
SHAPES: Final[tuple[Shape, ...]] = (
    "circle", "square", "triangle", "diamond", "wedge", "hexagon", "bar", "hourglass",
)  # fmt: skip
DASHES: Final[tuple[tuple[float, ...], ...]] = ((), (7, 3), (2, 3), (9, 3, 2, 3))


@dataclass(frozen=True, slots=True)
class Pen:
    """How a line is drawn: colour, width in points, and lengths of dashes and gaps."""

    colour: str = INK
    width: float = 1.0
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """Unbroken runs of straight lines."""

    runs: Sequence[Sequence[Place]]
    pen: Pen = Pen()

    def __post_init__(self) -> None:
        for run in self.runs:
            _drawable(run)


@dataclass(frozen=True, slots=True)
class Area:
    """A closed outline, filled; ``said`` is told where one points at it, ``href`` is a link."""

    corners: Sequence[Place]
    fill: str | None = None
    pen: Pen | None = None
    said: str = ""
    href: str = ""

    def __post_init__(self) -> None:
        _drawable(self.corners)


@dataclass(frozen=True, slots=True)
class Marks:
    """The same mark in many places; ``size`` is half its width in points."""

    at: Sequence[Place]
    shape: Shape
    size: float = 3.5
    colour: str = INK
    filled: bool = True
    said: str = ""
    href: str = ""

    def __post_init__(self) -> None:
        _drawable(self.at)


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text on its baseline; ``turned`` reads upwards."""

    x: float
    y: float
    text: str
    size: float = 11.0
    anchor: Anchor = "start"
    bold: bool = False
    colour: str = INK
    turned: bool = False

    def __post_init__(self) -> None:
        _drawable([(self.x, self.y)])


Item: TypeAlias = Line | Area | Marks | Text


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of a plot as text, the same in its page and its CSV.

    Args:
        header: name of each column.
        rows: of cells.
        links: where a row leads, by its number from 0; none where it leads nowhere.
        marked: numbers of the rows that a short view must keep: signals and extremes.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    links: dict[int, str] = field(default_factory=dict)
    marked: frozenset[int] = frozenset()

    @property
    def csv(self) -> bytes:
        """The file of these numbers."""
        return csv_bytes([self.header, *self.rows])


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot as drawn.

    Args:
        title: what it shows, in a line.
        description: its text alternative: n, limits and signals in words.
        width: in points.
        height: in points.
        items: in the order of drawing.
        table: of the numbers drawn.
    """

    title: str
    description: str
    width: float
    height: float
    items: Sequence[Item]
    table: Table


def shifted(item: Item, down: float) -> Item:
    """The same item so much lower."""
    match item:
        case Line():
            return replace(item, runs=[[(x, y + down) for x, y in run] for run in item.runs])
        case Area():
            return replace(item, corners=[(x, y + down) for x, y in item.corners])
        case Marks():
            return replace(item, at=[(x, y + down) for x, y in item.at])
        case Text():
            return replace(item, y=item.y + down)


def box(x: float, y: float, width: float, height: float) -> tuple[Place, ...]:
    """The corners of a rectangle, from its top left corner."""
    return (x, y), (x + width, y), (x + width, y + height), (x, y + height)


def width_of(text: str, size: float = 11.0) -> float:
    """Width of a text in points, at least about that of DejaVu Sans."""
    return 0.64 * size * len(text)


def fitted(text: str, width: float, size: float = 11.0) -> str:
    """The text, or as much of both its ends as fits, with ``…`` between."""
    room = max(int(width / (0.64 * size)), 3)
    if len(text) <= room:
        return text
    tail = room // 2
    return f"{text[: room - 1 - tail]}…{text[-tail:]}"


def told_apart(names: Sequence[str], most: int = 14) -> list[str]:
    """Names of at most so many characters: where they are longer, without what all begin with.

    Of several words the first stands for the whole where it tells them apart.
    """
    same = 0
    if max(map(len, names), default=0) > most:
        first = [name.split(" ", 1)[0] for name in names]
        names = first if len({*first}) == len({*names}) else names
    if len(names) > 1 and max(map(len, names)) > most:
        low, high = min(names), max(names)
        pairs = enumerate(zip(low, high, strict=False))
        same = next((n for n, (one, other) in pairs if one != other), len(low))
    cut = [f"…{name[same:]}" if same > 1 else name for name in names]
    return [name if len(name) <= most else f"{name[: most - 1]}…" for name in cut]


def wrapped(text: str, width: float, size: float = 11.0) -> list[str]:
    """The text in lines of whole words; a word that is too long is shortened."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and width_of(longer, size) > width:
            lines.append(line)
            longer = word
        line = fitted(longer, width, size)
    return [*lines, line] if line else lines


def finite(values: Sequence[float | None], what: str) -> None:
    """Refuse what is no number; None is a missing value.

    Raises:
        InvalidInput: BQC-STA-003, with every place, counted from 1.
    """
    wrong = [n for n, one in enumerate(values, 1) if one is not None and not math.isfinite(one)]
    if wrong:
        places = ", ".join(map(str, wrong[:20])) + (" …" if len(wrong) > 20 else "")
        raise InvalidInput(
            "BQC-STA-003",
            f"{what}: not a finite number at {places}",
            hint="Give None where a value is missing.",
        )


def _drawable(places: Sequence[Place]) -> None:
    for x, y in places:
        if not (math.isfinite(x) and math.isfinite(y)):
            raise InvalidInput("BQC-STA-003", f"nothing can be drawn at ({x}, {y})")
