"""A plot as a ReportLab drawing, for pages of a PDF; its fonts are those of the certificates."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from reportlab.graphics import renderPDF, shapes
from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from batchqc.documents.coa_fonts import as_shown, use_fonts
from batchqc.documents.coa_layout import ONE_AT_A_TIME
from batchqc.documents.plots.scene import Area, Item, Line, Marks, Pen, Picture, Place, Text
from batchqc.documents.plots.shapes import CLOSED, ROUND, STROKES

#: A quarter of a circle as a Bézier curve: the arms of its control points.
_ARM: Final = 0.5522847498


def drawing(picture: Picture, *, fonts: Path, width: float | None = None) -> shapes.Drawing:
    """The plot as a drawing, which is a flowable of a page too.

    The caller has made the fonts known, and holds their lock until the page is drawn.

    Args:
        picture: what is drawn.
        fonts: the folder of the bundled fonts.
        width: in points, to which it is scaled; as the picture says, where left out.
    """
    inner = shapes.Group()
    for item in picture.items:
        for shape in _shapes(item, picture.height, fonts):
            inner.add(shape)
    scale = (width or picture.width) / picture.width
    inner.transform = (scale, 0, 0, scale, 0, 0)
    return shapes.Drawing(picture.width * scale, picture.height * scale, inner)


def pdf(picture: Picture, *, fonts: Path) -> bytes:
    """The plot as a document of one page; same picture, same bytes."""
    out = BytesIO()
    with ONE_AT_A_TIME:
        use_fonts(fonts)
        canvas = Canvas(
            out,
            pagesize=(picture.width, picture.height),
            invariant=1,
            lang="en-GB",
            initialFontName="sans",
        )
        canvas.setTitle(as_shown(picture.title, folder=fonts))
        canvas.setSubject(as_shown(picture.description, folder=fonts))
        renderPDF.draw(drawing(picture, fonts=fonts), canvas, 0, 0)
        canvas.save()
    return out.getvalue()


def _shapes(item: Item, height: float, fonts: Path) -> list[Any]:
    match item:
        case Line(runs, pen):
            path = shapes.Path(fillColor=None, **_stroke(pen))
            for run in runs:
                _draw(path, run, height)
            return [path]
        case Area(corners, fill, outline):
            look = _stroke(outline) if outline else {"strokeColor": None}
            path = shapes.Path(fillColor=HexColor(fill) if fill else None, **look)
            _draw(path, corners, height)
            path.closePath()
            return [path]
        case Marks():
            return [_marks(item, height)]
        case Text():
            return [_text(item, height, fonts)]


def _marks(marks: Marks, height: float) -> Any:
    strokes = marks.shape in STROKES
    bare = strokes or marks.shape == "ring"
    solid = marks.filled and not bare
    path = shapes.Path(
        fillColor=None if bare else HexColor(marks.colour if solid else "#ffffff"),
        strokeColor=None if solid else HexColor(marks.colour),
        strokeWidth=1.6 if bare else 1.2,
    )
    for x, y in marks.at:
        if marks.shape in ROUND:
            _circle(path, x, height - y, marks.size)
            continue
        for outline in STROKES[marks.shape] if strokes else [CLOSED[marks.shape]]:
            _draw(path, [(x + dx * marks.size, y + dy * marks.size) for dx, dy in outline], height)
            if not strokes:
                path.closePath()
    return path


def _circle(path: Any, x: float, y: float, r: float) -> None:
    arm = r * _ARM
    path.moveTo(x + r, y)
    path.curveTo(x + r, y + arm, x + arm, y + r, x, y + r)
    path.curveTo(x - arm, y + r, x - r, y + arm, x - r, y)
    path.curveTo(x - r, y - arm, x - arm, y - r, x, y - r)
    path.curveTo(x + arm, y - r, x + r, y - arm, x + r, y)
    path.closePath()


def _draw(path: Any, run: Sequence[Place], height: float) -> None:
    for number, (x, y) in enumerate(run):
        (path.lineTo if number else path.moveTo)(x, height - y)


def _text(item: Text, height: float, fonts: Path) -> Any:
    string = shapes.String(
        0,
        0,
        as_shown(item.text, folder=fonts),
        fontName="bold" if item.bold else "sans",
        fontSize=item.size,
        fillColor=HexColor(item.colour),
        textAnchor=item.anchor,
    )
    x, y = item.x, height - item.y
    turn = (0, 1, -1, 0, x, y) if item.turned else (1, 0, 0, 1, x, y)
    return shapes.Group(string, transform=turn)


def _stroke(pen: Pen) -> dict[str, Any]:
    dash = {"strokeDashArray": list(pen.dash)} if pen.dash else {}
    return {"strokeColor": HexColor(pen.colour), "strokeWidth": pen.width, **dash}
