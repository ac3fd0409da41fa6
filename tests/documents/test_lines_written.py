"""A line of a document is written without ReportLab's objects, as ReportLab would write it."""

from io import BytesIO
from pathlib import Path

import pytest
from reportlab.pdfbase import pdfmetrics

from batchqc.documents.coa_canvas import TaggedCanvas
from batchqc.documents.coa_drawing import new_canvas
from batchqc.documents.coa_fonts import use_fonts
from batchqc.documents.coa_layout import ONE_AT_A_TIME
from batchqc.documents.coa_paper import A4
from batchqc.documents.lot_form import LotForm, form_document

MANY = "".join(map(chr, range(0xA1, 0x250)))  # more than one part of a font holds
LINES = ("", "(plain) \\ text", "≥ 95 %, µg/mL, −150 °C", "no\u00a0break", MANY, f"a{MANY}b{MANY}")

INFO = dict.fromkeys(("Title", "Author", "Subject", "Keywords", "Creator"), "x")


def blank(fonts: Path, target: BytesIO) -> TaggedCanvas:
    return new_canvas(
        target, paper=A4, issued_utc="2026-01-01T00:00:00Z", document_id="0" * 32, info=INFO,
        fonts=fonts,
    )  # fmt: skip


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("face", ["sans", "bold", "mono"])
def test_a_line_is_written_as_reportlab_writes_it(fonts: Path, face: str, line: str):
    documents = []
    with ONE_AT_A_TIME:
        use_fonts(fonts)
        for name in ("drawString", "write"):
            canvas = blank(fonts, target := BytesIO())
            canvas.setFont(face, 7.2)
            getattr(canvas, name)(36.125, 700, line)
            getattr(canvas, name)(1 / 3, -0.00001, "and again")
            canvas.showPage()
            canvas.save()
            documents.append(target.getvalue())
    assert documents[0] == documents[1]


def test_a_form_drawn_first_leaves_certificates_their_own_fonts(
    fonts: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pdfmetrics, "_fonts", {})
    monkeypatch.setattr(pdfmetrics, "_dynFaceNames", {})
    form_document(LotForm("Form", [("lot", "L-1")], []), fonts=fonts)
    with ONE_AT_A_TIME:
        use_fonts(fonts)
        used = {name: pdfmetrics.getFont(name).fontName for name in ("sans", "bold", "mono")}
    assert used == {"sans": "sans", "bold": "bold", "mono": "mono"}
