"""A plot as SVG: no script, no style sheet, no font of its own; its text alternative inside."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from batchqc.documents.plots.scene import Area, Item, Line, Marks, Pen, Picture, Place, Text
from batchqc.documents.plots.shapes import CLOSED, ROUND, STROKES

MEDIA_TYPE: Final = "image/svg+xml"
_FACE: Final = "DejaVu Sans, Verdana, Arial, sans-serif"
#: What no XML document may hold, and what turns the direction of the text after it.
_UNFIT: Final = re.compile(
    r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    "|[\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def svg(picture: Picture, *, name: str = "plot") -> str:
    """The text of the SVG element.

    Args:
        picture: what is drawn.
        name: before the ids of its title and description; another one for each plot of a page.
    """
    title, about = quoteattr(f"{name}-title"), quoteattr(f"{name}-desc")
    width, height = _number(picture.width), _number(picture.height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img" aria-labelledby={title} aria-describedby={about}'
        f' font-family="{_FACE}">'
    )
    return "\n".join(
        [
            head,
            f"<title id={title}>{fit(picture.title)}</title>",
            f"<desc id={about}>{fit(picture.description)}</desc>",
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *(_written(item) for item in picture.items),
            "</svg>\n",
        ]
    )


def fit(text: str) -> str:
    """Text that any XML or HTML document may hold; what it may not is shown as ``\ufffd``."""
    return escape(_UNFIT.sub("\ufffd", text), {'"': "&quot;"})


def lead(href: str) -> str:
    """Where a link leads, ready for an attribute; nowhere, where that would not be a page."""
    scheme = re.split("[#?/]", href, maxsplit=1)[0].rpartition(":")[0]
    return fit(href) if scheme in {"", "http", "https"} else "#"


def _written(item: Item) -> str:
    match item:
        case Line(runs, pen):
            path = "".join(_path(run) for run in runs if run)
            return f'<path d="{path}" fill="none"{_stroke(pen)}/>' if path else ""
        case Area(corners, fill, outline, said, href):
            drawn = _stroke(outline) if outline else ""
            path = f'<path d="{_path(corners)}Z" fill="{fill or "none"}"{drawn}'
            return _told(path, said, href)
        case Marks():
            return _told(_marks(item), item.said, item.href) if item.at else ""
        case Text():
            return _text(item)


def _told(opened: str, said: str, href: str) -> str:
    """An element that is not closed yet, with what is told of it and where it leads."""
    drawn = f"{opened}><title>{fit(said)}</title></path>" if said else f"{opened}/>"
    return f'<a href="{lead(href)}">{drawn}</a>' if href else drawn


def _marks(marks: Marks) -> str:
    size, shape = marks.size, marks.shape
    if shape in ROUND:
        r, across = _number(size), _number(2 * size)
        drawn = f"a{r} {r} 0 1 0 {across} 0a{r} {r} 0 1 0-{across} 0"
        path = "".join(f"M{_number(x - size)} {_number(y)}{drawn}" for x, y in marks.at)
    elif shape in CLOSED:
        drawn = _relative(CLOSED[shape], size) + "z"
        path = _at(marks.at, CLOSED[shape][0], size, drawn)
    else:
        path = "".join(
            _at(marks.at, stroke[0], size, _relative(stroke, size)) for stroke in STROKES[shape]
        )
    if marks.filled and shape not in {"ring", *STROKES}:
        return f'<path d="{path}" fill="{marks.colour}"'
    inside = "none" if shape in {"ring", *STROKES} else "#ffffff"
    width = 1.6 if shape in {"ring", *STROKES} else 1.2
    return f'<path d="{path}" fill="{inside}" stroke="{marks.colour}" stroke-width="{width}"'


def _at(places: Sequence[Place], first: Place, size: float, drawn: str) -> str:
    dx, dy = first[0] * size, first[1] * size
    return "".join(f"M{_number(x + dx)} {_number(y + dy)}{drawn}" for x, y in places)


def _relative(outline: Sequence[Place], size: float) -> str:
    steps = pairwise(outline)
    return "".join(
        f"l{_number((to[0] - at[0]) * size)} {_number((to[1] - at[1]) * size)}" for at, to in steps
    )


def _text(item: Text) -> str:
    x, y = _number(item.x), _number(item.y)
    more = "" if item.anchor == "start" else f' text-anchor="{item.anchor}"'
    more += ' font-weight="bold"' if item.bold else ""
    more += f' transform="rotate(-90 {x} {y})"' if item.turned else ""
    size = _number(item.size)
    text = fit(item.text)
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{item.colour}"{more}>{text}</text>'


def _stroke(pen: Pen) -> str:
    dash = ",".join(map(_number, pen.dash))
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f' stroke="{pen.colour}" stroke-width="{_number(pen.width)}"{dashed}'


def _path(run: Sequence[Place]) -> str:
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in run)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
