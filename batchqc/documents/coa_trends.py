"""The lot on its control charts: small pictures, two beside each other, each with its words.

Drawn from what was frozen, with the axes of the pages of trends. Without limits there are points
and n, and nothing that looks like a limit.
"""

from collections.abc import Iterator, Sequence

from reportlab.pdfgen.canvas import Canvas

from batchqc.core.certificate_parts import TrendLimits, TrendPart
from batchqc.documents.coa_blocks import (
    Block,
    Cell,
    beside,
    row,
    section,
)
from batchqc.documents.coa_drawing import (
    ACCENT,
    GREY,
    HAIRLINE,
    INK,
    Colour,
    Mark,
    Plot,
    Style,
    Text,
    width_of,
)
from batchqc.documents.coa_paper import MARGIN, WIDTH
from batchqc.documents.coa_tags import Tag
from batchqc.documents.coa_words import Words
from batchqc.documents.plots.axes import Axis, Frame, axis_of, number
from batchqc.documents.plots.scene import Place

_GAP = 22.0
_PICTURE = (WIDTH - _GAP) / 2
_HEIGHT = 92.0
_SCALE_WIDTH = 30.0
_LABELS_WIDTH = 34.0
_TICK = Style("sans", 5.8, 7, GREY)
_LABEL = Style("sans", 5.8, 7, ACCENT)
_NAME = Style("bold", 7.4, 10.4)
_WORDS = Style("sans", 6.4, 9, GREY)
_OWN = Style("bold", 6.2, 8)
_LABELS_APART = 7.5


def trend_blocks(trends: Sequence[TrendPart], words: Words) -> list[Block]:
    """The pictures as a section; nothing where there are none."""
    blocks: list[Block] = []
    for place in range(0, len(trends), 2):
        left, *right = (
            _picture(trend, words, MARGIN + at * (_PICTURE + _GAP))
            for at, trend in enumerate(trends[place : place + 2])
        )
        blocks += beside(left, right[0] if right else ())  # one block, so that nothing divides it
    return section(words("trends"), blocks)


def _picture(trend: TrendPart, words: Words, x: float) -> list[Block]:
    """Name, picture and words of one series."""
    unit = f" ({trend['unit']})" if trend["unit"] else ""
    name = row([Cell(x, _PICTURE, [(trend["title"] + unit, _NAME)])], above=4, below=2)
    told = row([Cell(x, _PICTURE, [(_told(trend, words), _WORDS)])], above=2, below=6)
    drawn = [Block(_HEIGHT, tuple(_drawn(trend, words, x)))] if trend["points"] else []
    return [*name, *drawn, *told]


def _told(trend: TrendPart, words: Words) -> str:
    count, limits = len(trend["points"]), trend["limits"]
    told = [words(("no_lot", "one_lot")[count] if count < 2 else "many_lots", count=count)]
    if limits:
        lines = [f"{words(word)} {_short(text)}" for word, text in _lines(limits)]
        told.append(
            words(
                "limit_set",
                limit_set=limits["limit_set"],
                count=limits["n"],
                method=limits["method"],
                lines=", ".join(lines),
            )
        )
    return " ".join(filter(None, (*told, words.term("trend", trend["said"]))))


def _described(trend: TrendPart, words: Words) -> str:
    """The picture in words, for who cannot see it: every point of it."""
    points = (f"{one['lot']} {one['qualifier']}{one['value']}" for one in trend["points"])
    unit = f" ({trend['unit']})" if trend["unit"] else ""
    told = words("of_each_lot", title=f"{trend['title']}{unit}", points=", ".join(points))
    return f"{told} {_told(trend, words)}"


def _drawn(trend: TrendPart, words: Words, x: float) -> Iterator[Mark]:
    """Every mark bears the one tag, so that the picture is one figure."""
    figure = Tag("Figure", words=_described(trend, words))
    values = [float(one["value"]) for one in trend["points"]]
    frame = Frame(
        Axis(0.4, len(values) + 0.6),
        axis_of([*values, *(float(text) for _, text in _lines(trend["limits"]))]),
        _SCALE_WIDTH,
        3,
        _PICTURE - _SCALE_WIDTH - _LABELS_WIDTH,
        _HEIGHT - 6,
    )
    ink = _Ink()
    texts = [*_scale(frame, ink), *_limits(frame, trend["limits"], words, ink)]
    texts.append(_points(frame, trend, values, ink))
    yield Plot(x, 0, _PICTURE, _HEIGHT, ink.onto, figure)
    for text in texts:
        yield text._replace(x=text.x + x, tag=figure)


class _Ink:
    """Lines and boxes as operators: by ReportLab's paths they would take as long as the text.

    Places are in points, from the top left corner of the picture.
    """

    def __init__(self) -> None:
        self._drawn: list[str] = []

    def line(
        self, points: Sequence[Place], width: float, colour: Colour, *, dashed: bool = False
    ) -> None:
        """Straight lines that join points."""
        path = " ".join(
            f"{x:.2f} {_HEIGHT - y:.2f} {'l' if number else 'm'}"
            for number, (x, y) in enumerate(points)
        )
        self._drawn.append(f"{width} w {_colour(colour)} RG [{'3 2' * dashed}] 0 d {path} S")

    def box(self, at: Place, side: float, *, filled: bool = False) -> None:
        """A square around a place."""
        x, y = at[0] - side / 2, _HEIGHT - at[1] - side / 2
        path = f"{x:.2f} {y:.2f} {side} {side} re"
        ink = _colour(INK)
        self._drawn.append(f"{ink} rg {path} f" if filled else f"0.8 w {ink} RG [] 0 d {path} S")

    def onto(self, canvas: Canvas, x: float, y: float) -> None:
        """Draw it with its lower left corner at a place."""
        canvas._code.append(f"q 1 0 0 1 {x:.2f} {y:.2f} cm {' '.join(self._drawn)} Q")  # noqa: SLF001 - as its own methods do


def _colour(colour: Colour) -> str:
    return "{} {} {}".format(*colour)


def _scale(frame: Frame, ink: _Ink) -> Iterator[Text]:
    for value, text in frame.y.ticks:
        y = frame.down(value)
        ink.line([(frame.left, y), (frame.right, y)], 0.3, HAIRLINE)
        yield Text(frame.left - 3 - width_of(text, _TICK), y + 2, _TICK, text)
    left, right, top, bottom = frame.left, frame.right, frame.top, frame.bottom
    around = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    ink.line(around, 0.8, HAIRLINE)


def _limits(frame: Frame, limits: TrendLimits | None, words: Words, ink: _Ink) -> Iterator[Text]:
    for word, text in _lines(limits):
        y = frame.down(float(text))
        ink.line([(frame.left, y), (frame.right, y)], 0.9, ACCENT, dashed=word != "centre")
        yield Text(frame.right + 4, y + 2, _LABEL, f"{words(word)} {_short(text)}")


def _points(frame: Frame, trend: TrendPart, values: Sequence[float], ink: _Ink) -> Text:
    """The points, censored ones hollow and this lot's framed; and the label of this lot."""
    places = [frame.at(place, value) for place, value in enumerate(values, 1)]
    ink.line(places, 0.6, GREY)
    for point, at in zip(trend["points"], places, strict=True):
        ink.box(at, 3, filled=not point["qualifier"])
    ink.box(places[-1], 7.2)
    taken = [frame.down(float(text)) for _, text in _lines(trend["limits"])]
    last, y = trend["points"][-1], places[-1][1]
    label = last["qualifier"] + last["value"]
    return Text(frame.right + 4, _free(y, taken) + 2, _OWN, label)


def _free(y: float, taken: Sequence[float]) -> float:
    """The height nearest to ``y`` at which a label covers none of those that stand there."""
    places = (y, *(at + side * _LABELS_APART for at in taken for side in (-1, 1)))
    clear = (one for one in places if all(abs(one - at) >= _LABELS_APART for at in taken))
    return min(clear, key=lambda one: abs(one - y), default=y)


def _lines(limits: TrendLimits | None) -> list[tuple[str, str]]:
    """Each line that there is, with its word."""
    if limits is None:
        return []
    lines = (("upper", limits["upper"]), ("centre", limits["centre"]), ("lower", limits["lower"]))
    return [(word, text) for word, text in lines if text]


def _short(text: str) -> str:
    return number(float(text)) if text else ""
