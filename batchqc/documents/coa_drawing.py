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
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeAlias

from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

# Binary streams: ASCII85 would add a quarter to every certificate. ReportLab offers no other place.
rl_config.useA85 = 0

Colour: TypeAlias = tuple[float, float, float]

PAGE_WIDTH: float
PAGE_HEIGHT: float
PAGE_WIDTH, PAGE_HEIGHT = A4

INK: Colour = (0.11, 0.13, 0.16)
GREY: Colour = (0.38, 0.41, 0.45)
HAIRLINE: Colour = (0.80, 0.82, 0.84)
TINT: Colour = (0.945, 0.958, 0.963)
ACCENT: Colour = (0.05, 0.30, 0.37)

_FONT_FILES = {"sans": "DejaVuSans", "bold": "DejaVuSans-Bold", "mono": "DejaVuSansMono"}
_WORD = re.compile(r"\S+\s*|\s+")
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


class Box(NamedTuple):
    """A filled or outlined rectangle, or a rule; ``y`` is its top below the top of its block."""

    x: float
    y: float
    width: float
    height: float
    fill: Colour | None = None
    outline: Colour | None = None


class Line(NamedTuple):
    """Straight lines that join points (x, and y below that of the line); ``dash`` is on and off."""

    y: float
    points: Sequence[tuple[float, float]]
    width: float
    colour: Colour
    dash: tuple[float, float] | None = None


class Plot(NamedTuple):
    """What draws itself: ``onto`` is told the canvas and where its lower left corner stands."""

    x: float
    y: float
    height: float
    onto: Callable[[Canvas, float, float], None]


Mark: TypeAlias = Text | Box | Line | Plot


class _Stamp:
    """A moment as ReportLab asks for it, in UTC."""

    def __init__(self, moment: datetime) -> None:
        self.t = moment.timestamp()
        self.lt = moment.utctimetuple()
        self.YMDhms = tuple(self.lt)[:6]
        self.dhh = self.dmm = 0
        self.tzname = "UTC"


def use_fonts(folder: Path) -> None:
    """Make the certificate's fonts known to ReportLab; ``folder`` holds the DejaVu files.

    ReportLab keeps fonts in one register per process, and a font serves one open document at a
    time: the caller holds a lock from here to the end of drawing.
    """
    for font in _fonts(folder):
        pdfmetrics.registerFont(font)


def as_shown(text: str, *, folder: Path) -> str:
    """``text`` with each character that the page could not show as its number: ``[U+1F9EC]``.

    Those are characters without a glyph (the page would show an empty box); control, format and
    private-use characters; line and paragraph separators; and right-to-left letters, which would
    be drawn in the wrong order. A decided lot gets its certificate, whatever a comment says.
    """
    return unicodedata.normalize("NFC", text).translate(_shown_marks(folder))


def width_of(text: str, style: Style) -> float:
    """Width of one line in points."""
    return float(pdfmetrics.stringWidth(text, style.face, style.size))


def wrap(text: str, style: Style, width: float) -> list[str]:
    """Lines of ``text`` that fit ``width``: at least one, and together every character.

    Breaks at white space. A word wider than the column breaks after punctuation, else anywhere.
    """
    lines: list[str] = []
    line = ""
    for word in _WORD.findall(unicodedata.normalize("NFC", text)):
        if line and width_of((line + word).rstrip(), style) > width:
            lines.append(line.rstrip())
            line = ""
        line += word
        while len(line.rstrip()) > 1 and width_of(line.rstrip(), style) > width:
            cut = _cut(line, style, width)
            lines.append(line[:cut])
            line = line[cut:]
    return [*lines, line.rstrip()]


def new_canvas(
    target: BinaryIO, *, issued_utc: str, document_id: str, info: Mapping[str, str]
) -> Canvas:
    """A canvas whose bytes depend on nothing but its arguments.

    Args:
        target: where the document goes when it is saved.
        issued_utc: RFC 3339 text; becomes the creation and modification date.
        document_id: at least 32 hexadecimal digits; becomes the document's /ID.
        info: Title, Author, Subject, Keywords and Creator of the document.
    """
    canvas = Canvas(
        target,
        pagesize=A4,
        pageCompression=1,
        pdfVersion=(1, 7),
        initialFontName="sans",  # else ReportLab writes a Helvetica that is not embedded
        lang="en-GB",
    )
    # By itself ReportLab takes the time from the clock, or from a variable of the whole process.
    canvas._doc._timeStamp = _Stamp(datetime.fromisoformat(issued_utc))  # noqa: SLF001
    canvas._doc._ID = f"[<{document_id[:32]}><{document_id[:32]}>]".encode()  # noqa: SLF001
    for name, value in info.items():
        getattr(canvas, f"set{name}")(value)
    return canvas


def draw(canvas: Canvas, marks: Sequence[Mark], *, top: float) -> None:
    """Draw marks whose block begins ``top`` points below the top edge of the page."""
    for mark in marks:
        if isinstance(mark, Line):
            _draw_line(canvas, mark, top)
            continue
        y = PAGE_HEIGHT - top - mark.y
        if isinstance(mark, Plot):
            mark.onto(canvas, mark.x, y - mark.height)
            continue
        if isinstance(mark, Text):
            canvas.setFont(mark.style.face, mark.style.size)
            canvas.setFillColorRGB(*mark.style.colour)
            canvas.drawString(mark.x, y, mark.text)
            continue
        if mark.fill:
            canvas.setFillColorRGB(*mark.fill)
        if mark.outline:
            canvas.setStrokeColorRGB(*mark.outline)
            canvas.setLineWidth(0.8)
        fill, stroke = int(mark.fill is not None), int(mark.outline is not None)
        canvas.rect(mark.x, y - mark.height, mark.width, mark.height, stroke=stroke, fill=fill)


def _draw_line(canvas: Canvas, line: Line, top: float) -> None:
    path = canvas.beginPath()
    for number, (x, y) in enumerate(line.points):
        (path.lineTo if number else path.moveTo)(x, PAGE_HEIGHT - top - line.y - y)
    canvas.saveState()
    canvas.setStrokeColorRGB(*line.colour)
    canvas.setLineWidth(line.width)
    if line.dash:
        canvas.setDash(*line.dash)
    canvas.drawPath(path, stroke=1, fill=0)
    canvas.restoreState()


@lru_cache(maxsize=4)
def _fonts(folder: Path) -> tuple[TTFont, TTFont, TTFont]:
    sans, bold, mono = (TTFont(face, folder / f"{n}.ttf") for face, n in _FONT_FILES.items())
    return sans, bold, mono


@lru_cache(maxsize=4)
def _glyphs(folder: Path) -> frozenset[int]:
    """What every font of the text can draw."""
    sans, bold, _ = _fonts(folder)
    return frozenset(sans.face.charToGlyph.keys() & bold.face.charToGlyph.keys())


class _ShownMarks(dict[int, str]):
    """How each character is shown; one that is shown as it is was looked at once."""

    def __init__(self, glyphs: frozenset[int]) -> None:
        self._glyphs = glyphs

    def __missing__(self, code: int) -> str:
        mark = chr(code)
        if code not in self._glyphs or not _plain(mark):
            return f"[U+{code:04X}]"
        self[code] = mark
        return mark


@lru_cache(maxsize=4)
def _shown_marks(folder: Path) -> _ShownMarks:
    return _ShownMarks(_glyphs(folder))


def _plain(mark: str) -> bool:
    category = unicodedata.category(mark)
    directions = {"R", "AL", "AN"}
    return (
        not category.startswith("C")
        and category not in {"Zl", "Zp"}
        and unicodedata.bidirectional(mark) not in directions
    )


def _cut(line: str, style: Style, width: float) -> int:
    fits = next((n for n in range(len(line) - 1, 1, -1) if width_of(line[:n], style) <= width), 1)
    punctuation = max(line.rfind(mark, fits // 2, fits) for mark in _BREAK_AFTER)
    return punctuation + 1 if punctuation > 0 else fits
