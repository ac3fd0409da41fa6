"""The blank form of a lot, on paper for when the system is down: one page, A4, to sign by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from batchqc.documents.coa_fonts import as_shown

_SANS, _BOLD = "BatchqcSans", "BatchqcBold"
_TITLE = ParagraphStyle("title", fontName=_BOLD, fontSize=12, leading=16)
_TEXT = ParagraphStyle("text", fontName=_SANS, fontSize=6.6, leading=8.4)
_HEAD = ParagraphStyle("head", parent=_TEXT, fontName=_BOLD)
_LOOK = TableStyle(
    [
        ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
    ]
)
_MARGIN: Final = 14 * mm
_WIDTH: Final = A4[0] - 2 * _MARGIN
_SIGNED: Final = (
    "Review of the runs: I neither measured nor entered them",
    "QC's review of the lot as a whole",
    "Decision: ☐ released  ☐ rejected  ☐ on hold",
)
_RULES: Final = (
    "Each person signs with the time as it is, and its offset from UTC. Nobody signs for another.",
    (
        "A lot is released on paper only where every gate is checked and open. What cannot be"
        " checked without the system is not open."
    ),
    (
        "Once the system runs again, QA records the stop, and each person enters what they signed"
        " here, with its time and the number of this form. What the system refuses is not valid."
    ),
)


@dataclass(frozen=True, slots=True)
class LotForm:
    """What is printed of a lot.

    Args:
        title: which lot of which product.
        facts: name and value.
        gates: name of each gate, whether it was open, and every reason why not.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    gates: Sequence[tuple[str, bool, Sequence[str]]]


def form_document(form: LotForm, *, fonts: Path) -> bytes:
    """The bytes of the form; reasons that one page does not hold are counted.

    Args:
        form: what is printed.
        fonts: the folder of the bundled fonts.
    """
    pdfmetrics.registerFont(TTFont(_SANS, fonts / "DejaVuSans.ttf"))
    pdfmetrics.registerFont(TTFont(_BOLD, fonts / "DejaVuSans-Bold.ttf"))
    form = LotForm(
        as_shown(form.title, folder=fonts),
        [(name, as_shown(text, folder=fonts)) for name, text in form.facts],
        [
            (name, is_open, [as_shown(reason, folder=fonts) for reason in reasons])
            for name, is_open, reasons in form.gates
        ],
    )
    for shown in (99, 3, 1):
        data, pages = _built(form, shown)
        if pages == 1:
            return data
    return _built(form, 0)[0]


def _built(form: LotForm, shown: int) -> tuple[bytes, int]:
    """The bytes and the number of pages, with so many reasons for each gate."""
    head = ("Gate", "When printed", "Why not", "Checked on paper (open / closed, evidence)")
    gates = [
        (name, "open" if is_open else "CLOSED", "; ".join(_some(reasons, shown)), "")
        for name, is_open, reasons in form.gates
    ]
    signed = ("What", "Printed name, user id, role", "Time, offset from UTC", "Reason", "Signature")
    story: list[Flowable] = [
        Paragraph(escape(form.title), _TITLE),
        Paragraph("Number of this form: ______________________", _HEAD),
        Spacer(1, 2 * mm),
        _table(form.facts, (0.25, 0.75)),
        Spacer(1, 3 * mm),
        _table([head, *gates], (0.14, 0.1, 0.46, 0.3)),
        Spacer(1, 3 * mm),
        _table([signed, *((what, "", "", "", "") for what in _SIGNED)], (0.24,) + (0.19,) * 4, 30),
        Spacer(1, 2 * mm),
        *(Paragraph(escape(rule), _TEXT) for rule in _RULES),
    ]
    out = BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=10 * mm,
        bottomMargin=10 * mm,
        title=form.title,
        author="batchqc",
        invariant=1,
    )
    document.build(story)
    return out.getvalue(), document.page


def _some(reasons: Sequence[str], shown: int) -> list[str]:
    more = len(reasons) - shown
    return [*reasons[:shown], *([f"{more} more" if shown else f"{more} reasons"] * (more > 0))]


def _table(
    rows: Sequence[Sequence[str]], shares: Sequence[float], height: float | None = None
) -> Flowable:
    cells = [
        [Paragraph(escape(text), _HEAD if number == 0 else _TEXT) for text in row]
        for number, row in enumerate(rows)
    ]
    heights = None if height is None else [None, *[height] * (len(rows) - 1)]
    widths = [share * _WIDTH for share in shares]
    # A gate may have more reasons than a page holds: then it is built anew with fewer.
    table = Table(cells, colWidths=widths, rowHeights=heights, splitInRow=int(height is None))
    table.setStyle(_LOOK)
    return table
