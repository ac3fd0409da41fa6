"""The impact report as a document: titled tables on landscape pages; same text, same bytes."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from batchqc.documents.coa_fonts import as_shown

_SANS, _BOLD = "BatchqcSans", "BatchqcBold"
_TITLE = ParagraphStyle("title", fontName=_BOLD, fontSize=11, leading=16, spaceBefore=10)
_TEXT = ParagraphStyle("text", fontName=_SANS, fontSize=7.5, leading=10)
_HEAD = ParagraphStyle("head", parent=_TEXT, fontName=_BOLD)
_LOOK = TableStyle(
    [
        ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.lightgrey),
        ("LINEBELOW", (0, 0), (-1, 0), 0.75, colors.black),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
)


def impact_document(
    tables: Iterable[tuple[str, Sequence[Sequence[str]]]], fonts: Path, sha256: str
) -> bytes:
    """The bytes of the report.

    Args:
        tables: titles, each with rows of text; the first row of each is its header.
        fonts: the folder of the bundled fonts.
        sha256: of the report as data, printed on each page.
    """
    pdfmetrics.registerFont(TTFont(_SANS, fonts / "DejaVuSans.ttf"))
    pdfmetrics.registerFont(TTFont(_BOLD, fonts / "DejaVuSans-Bold.ttf"))
    found = [
        (
            as_shown(title, folder=fonts),
            [[as_shown(text, folder=fonts) for text in row] for row in rows],
        )
        for title, rows in tables
    ]
    _, pages = _built(found, sha256, pages=0)
    return _built(found, sha256, pages=pages)[0]


def _built(
    tables: Iterable[tuple[str, Sequence[Sequence[str]]]], sha256: str, *, pages: int
) -> tuple[bytes, int]:
    """The bytes, and on how many pages they are; ``pages`` is what each page says."""
    story: list[Flowable] = []
    for title, rows in tables:
        story += [Paragraph(escape(title), _TITLE), _table(rows), Spacer(1, 4 * mm)]
    width = landscape(A4)[0]

    def foot(canvas: Canvas, _: object) -> None:
        canvas.setFont(_SANS, 6.5)
        canvas.drawString(15 * mm, 8 * mm, f"Impact report, SHA-256 of its data {sha256}")
        number = f"page {canvas.getPageNumber()} of {pages}"
        canvas.drawRightString(width - 15 * mm, 8 * mm, number)

    out = BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=landscape(A4),
        leftMargin=15 * mm,
        rightMargin=15 * mm,
        topMargin=12 * mm,
        bottomMargin=15 * mm,
        title="Impact report",
        author="batchqc",
        invariant=1,
    )
    document.build(story, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue(), document.page


def _table(rows: Sequence[Sequence[str]]) -> Flowable:
    if len(rows) < 2:
        return Paragraph("none", _TEXT)
    cells = [
        [Paragraph(escape(text), _HEAD if number == 0 else _TEXT) for text in row]
        for number, row in enumerate(rows)
    ]
    widths = [1.0] * len(rows[0])
    widths[-1] = 3.0 if len(widths) > 6 else 1.0
    whole = landscape(A4)[0] - 30 * mm
    share = whole / sum(widths)
    wide = [width * share for width in widths]
    # A lot of which very many criteria change has a row that no page holds: it goes on on the next.
    table = LongTable(cells, colWidths=wide, repeatRows=1, splitInRow=1)
    table.setStyle(_LOOK)
    return table
