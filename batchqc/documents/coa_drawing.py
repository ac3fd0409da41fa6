"""Fonts, text and the canvas of a certificate.

The rules:

- A character that cannot be shown truthfully is refused before anything is drawn.
- Nothing is truncated: text wraps, and a word wider than its column breaks.
- Same content, same bytes: no clock, no randomness, no setting of the machine.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeAlias

from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from batchqc.documents.coa_canvas import TaggedCanvas
from batchqc.documents.coa_paper import Paper
from batchqc.documents.coa_tags import Tag

# Binary streams: ASCII85 would add a quarter to every certificate. ReportLab offers no other place.
rl_config.useA85 = 0

Colour: TypeAlias = tuple[float, float, float]

INK: Colour = (0.11, 0.13, 0.16)
GREY: Colour = (0.38, 0.41, 0.45)
HAIRLINE: Colour = (0.80, 0.82, 0.84)
TINT: Colour = (0.945, 0.958, 0.963)
ACCENT: Colour = (0.05, 0.30, 0.37)

# A no-break space is part of its word.
_WORD = re.compile(r"(?:\S|\u00a0)+[^\S\u00a0]*|\s+")
_BREAK_AFTER = ",;:/)]|_-·"


@dataclass(frozen=True, slots=True)
class Style:
    """Face (``sans``, ``bold``, ``mono``), size and line distance in points, colour."""

    face: str
    size: float
    leading: float
    colour: Colour = INK


class Text(NamedTuple):
    """One line of text; ``y`` is the distance of its baseline below the top of its block."""

    x: float
    y: float
    style: Style
    text: str
    tag: Tag | None = None


class Box(NamedTuple):
    """A filled or outlined rectangle, or a rule; ``y`` is its top below the top of its block."""

    x: float
    y: float
    width: float
    height: float
    fill: Colour | None = None
    outline: Colour | None = None
    tag: Tag | None = None


class Line(NamedTuple):
    """Straight lines that join points (x, and y below that of the line); ``dash`` is on and off."""

    y: float
    points: Sequence[tuple[float, float]]
    width: float
    colour: Colour
    dash: tuple[float, float] | None = None
    tag: Tag | None = None


class Plot(NamedTuple):
    """What draws itself: ``onto`` is told the canvas and where its lower left corner stands."""

    x: float
    y: float
    width: float
    height: float
    onto: Callable[[Canvas, float, float], None]
    tag: Tag | None = None


class Field(NamedTuple):
    """An empty signature field over what is drawn there; the ``last`` one locks the document."""

    x: float
    y: float
    width: float
    height: float
    name: str
    label: str
    last: bool
    tag: Tag | None = None


Mark: TypeAlias = Text | Box | Line | Plot | Field


def width_of(text: str, style: Style) -> float:
    """Width of one line in points."""
    return float(pdfmetrics.stringWidth(text, style.face, style.size))


def wrap(text: str, style: Style, width: float) -> list[str]:
    """Lines of ``text`` that fit ``width``: at least one, and together every character.

    Breaks at white space, of which one space stays at the end: whoever reads the lines as one text
    hears two words. A word wider than the column breaks after punctuation, else anywhere.
    """
    text = unicodedata.normalize("NFC", text)
    if width_of(text.rstrip(), style) <= width:
        return [text.rstrip()]
    lines: list[str] = []
    line = ""
    for word in _WORD.findall(text):
        if line and width_of((line + word).rstrip(), style) > width:
            lines.append(f"{line.rstrip()} " if line[-1].isspace() else line)
            line = ""
        line += word
        while len(line.rstrip()) > 1 and width_of(line.rstrip(), style) > width:
            cut = _cut(line, style, width)
            lines.append(line[:cut])
            line = line[cut:]
    return [*lines, line.rstrip()]


class Origin(NamedTuple):
    """Where a block begins on the page: to the right of its place on A4, and above the edge."""

    right: float
    above: float


def new_canvas(
    target: BinaryIO,
    *,
    paper: Paper,
    issued_utc: str,
    document_id: str,
    info: Mapping[str, str],
    fonts: Path,
) -> TaggedCanvas:
    """A canvas whose bytes depend on nothing but its arguments.

    Args:
        target: where the document goes when it is saved.
        paper: the sheet of every page.
        issued_utc: RFC 3339 text; becomes the creation and modification date.
        document_id: at least 32 hexadecimal digits; becomes the document's /ID.
        info: Title, Author, Subject, Keywords and Creator of the document.
        fonts: the folder of the fonts; the colours' profile lies beside it.
    """
    return TaggedCanvas(
        target,
        paper=paper,
        issued_utc=issued_utc,
        document_id=document_id,
        info=info,
        profile=_profile(fonts.parent / "colour" / "sRGB.icc"),
    )


def draw(canvas: TaggedCanvas, marks: Sequence[Mark], *, top: float) -> None:
    """Draw marks whose block begins ``top`` points below the top edge of the page."""
    at = Origin(canvas.paper.shift, canvas.paper.height - top)
    for tag, group in groupby(marks, key=attrgetter("tag")):
        together = list(group)
        canvas.begin(tag, top=at.above - together[0].y + 12)
        for mark in together:
            _draw(canvas, mark, at)
        canvas.end()
        if tag and tag.role == "Figure":
            canvas.structure.figure(tag, _bounds(together, at))


def _draw(canvas: TaggedCanvas, mark: Mark, at: Origin) -> None:
    match mark:
        case Text():
            _draw_text(canvas, mark, at)
        case Box():
            _draw_box(canvas, mark, at)
        case Line():
            _draw_line(canvas, mark, at)
        case Plot(x, y, _, height, onto):
            onto(canvas, x + at.right, at.above - y - height)
            canvas.style = None
        case Field(x, y, width, height, name, label, last):
            left, upper = x + at.right, at.above - y
            box = (left, upper - height, left + width, upper)
            canvas.signature_field(name, label, box=box, last=last)


def _bounds(marks: Sequence[Mark], at: Origin) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of what marks cover, on the page."""
    places: list[tuple[float, float]] = []
    for mark in marks:
        match mark:
            case Text(x, y, style, text):
                places += [(x, y), (x + width_of(text, style), y - style.size)]
            case Box(x, y, width, height) | Plot(x, y, width, height) | Field(x, y, width, height):
                places += [(x, y), (x + width, y + height)]
            case Line(y, points):
                places += [(x, y + down) for x, down in points]
    xs, ys = zip(*places, strict=True)
    return min(xs) + at.right, at.above - max(ys), max(xs) + at.right, at.above - min(ys)


def _draw_text(canvas: TaggedCanvas, mark: Text, at: Origin) -> None:
    style = mark.style
    if canvas.style is not style:
        canvas.setFont(style.face, style.size)
        canvas.setFillColorRGB(*style.colour)
        canvas.style = style
    canvas.write(mark.x + at.right, at.above - mark.y, mark.text)


def _draw_box(canvas: TaggedCanvas, mark: Box, at: Origin) -> None:
    if mark.fill:
        canvas.setFillColorRGB(*mark.fill)
        canvas.style = None
    if mark.outline:
        canvas.setStrokeColorRGB(*mark.outline)
        canvas.setLineWidth(0.8)
    fill, stroke = int(mark.fill is not None), int(mark.outline is not None)
    x, y = mark.x + at.right, at.above - mark.y - mark.height
    canvas.rect(x, y, mark.width, mark.height, stroke=stroke, fill=fill)


def _draw_line(canvas: TaggedCanvas, line: Line, at: Origin) -> None:
    path = canvas.beginPath()
    for number, (x, y) in enumerate(line.points):
        (path.lineTo if number else path.moveTo)(x + at.right, at.above - line.y - y)
    canvas.saveState()
    canvas.setStrokeColorRGB(*line.colour)
    canvas.setLineWidth(line.width)
    if line.dash:
        canvas.setDash(*line.dash)
    canvas.drawPath(path, stroke=1, fill=0)
    canvas.restoreState()


@lru_cache(maxsize=4)
def _profile(path: Path) -> bytes:
    return path.read_bytes()


def _cut(line: str, style: Style, width: float) -> int:
    fits = next((n for n in range(len(line) - 1, 1, -1) if width_of(line[:n], style) <= width), 1)
    punctuation = max(line.rfind(mark, fits // 2, fits) for mark in _BREAK_AFTER)
    return punctuation + 1 if punctuation > 0 else fits
