"""What a qualification found -> PDF bytes, with the layout of certificates.

Every page carries the site, the verdict, "Page n of N" and the hash of the content, which is
attached as JSON with all its evidence. Same content, same bytes, on any machine.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final, cast

from batchqc.core.canonical import canonical_bytes
from batchqc.documents.coa_blocks import Block, Placed, paginate
from batchqc.documents.coa_canvas import Attachment
from batchqc.documents.coa_drawing import (
    ACCENT,
    GREY,
    HAIRLINE,
    Box,
    Mark,
    Style,
    Text,
    draw,
    new_canvas,
    width_of,
    wrap,
)
from batchqc.documents.coa_fonts import use_fonts
from batchqc.documents.coa_layout import ONE_AT_A_TIME, draw_page, shown, two_sides
from batchqc.documents.coa_paper import A4, MARGIN, WIDTH
from batchqc.documents.validation_sections import SIGNED, sections

CONTENT_TYPE: Final = "batchqc/validation-report/1"
DATA_FILE: Final = "validation-report.json"

_TOP: Final = 36.0
_BOTTOM: Final = 30.0
_WHO: Final = Style("bold", 8.6, 12)
_VERDICTS: Final = {
    "QUALIFIED": Style("bold", 8.6, 12, (0.05, 0.42, 0.22)),
    "NOT QUALIFIED": Style("bold", 8.6, 12, (0.70, 0.10, 0.10)),
}
_RUNNING: Final = Style("sans", 7.2, 10, GREY)
_FOOT: Final = Style("sans", 7, 10)
_FOOT_HASH: Final = Style("mono", 6, 9, GREY)

Content = Mapping[str, Any]


def validation_document(content: Content, *, fonts: Path) -> bytes:
    """The report as PDF/A-3a bytes, with an empty field for the seal of the site.

    Args:
        content: frozen content; its hash is printed on every page, its bytes are attached.
        fonts: the folder ``fonts`` of the reports, with the DejaVu files.
    """
    data = canonical_bytes(content)
    target = BytesIO()
    with ONE_AT_A_TIME:
        use_fonts(fonts)
        _render(cast("Content", shown(content, fonts)), data, target, fonts=fonts)
    return target.getvalue()


def _render(content: Content, data: bytes, target: BytesIO, *, fonts: Path) -> None:
    digest = sha256(data).hexdigest()
    head = _head(content)
    footer = A4.height - _BOTTOM - _foot(content, digest, page="").height
    body = footer - 14 - _TOP - head.height
    pages: Sequence[Placed] = paginate(sections(content, digest), first=body, rest=body)
    canvas = new_canvas(
        target,
        paper=A4,
        issued_utc=content["made_at"],
        document_id=digest,
        info={
            "Title": f"Validation report, {content['site']}",
            "Author": content["site"],
            "Subject": f"{content['software']}: {content['verdict']}",
            "Keywords": f"{CONTENT_TYPE} content-sha256:{digest}",
            "Creator": content["software"],
        },
        fonts=fonts,
    )
    for number, page in enumerate(pages, 1):
        draw(canvas, head.marks, top=_TOP)
        draw_page(canvas, page, top=_TOP + head.height)
        foot = _foot(content, digest, page=f"Page {number} of {len(pages)}")
        draw(canvas, foot.marks, top=footer)
        canvas.showPage()
    canvas.attach(Attachment(DATA_FILE, "What this report says, with all its evidence", data))
    canvas.save()


def _head(content: Content) -> Block:
    left = [("Validation report", _WHO), (content["site"], _RUNNING)]
    verdict = content["verdict"]
    right = [(verdict, _VERDICTS[verdict]), (content["software"], _RUNNING)]
    marks, height = two_sides(left, right)
    return Block(height + 18, (*marks, Box(MARGIN, height + 6, WIDTH, 0.6, fill=ACCENT)))


def _foot(content: Content, digest: str, *, page: str) -> Block:
    named = f"Validation report of {content['site']}, made {content['shown_at']}"
    marks: list[Mark] = [Box(MARGIN, 0, WIDTH, 0.4, fill=HAIRLINE)]
    marks.append(Text(MARGIN + WIDTH - width_of(page, _FOOT), 13, _FOOT, page))
    y = 13.0
    for line in wrap(named, _FOOT, WIDTH - 90):
        marks.append(Text(MARGIN, y, _FOOT, line))
        y += _FOOT.leading
    marks.append(Text(MARGIN, y, _FOOT_HASH, f"Content SHA-256 {digest}"))
    return Block(y + 3, tuple(marks))


__all__ = ["CONTENT_TYPE", "DATA_FILE", "SIGNED", "validation_document"]
