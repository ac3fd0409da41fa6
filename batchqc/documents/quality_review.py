"""Content of a quality review -> PDF bytes, with the layout of certificates.

Every page carries product, period, "Page n of N" and the hash of the content, by which the data
annex is known. Same content, same bytes, on any machine.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final, cast

from batchqc.core.canonical import canonical_bytes
from batchqc.documents.coa_blocks import Block, Placed, paginate
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
from batchqc.documents.coa_watermark import draw_specimen
from batchqc.documents.review_sections import sections
from batchqc.errors import InvalidInput

CONTENT_TYPE: Final = "batchqc/quality-review/1"

_TOP: Final = 36.0
_BOTTOM: Final = 30.0
_WHO: Final = Style("bold", 8.6, 12)
_RUNNING: Final = Style("sans", 7.2, 10, GREY)
_FOOT: Final = Style("sans", 7, 10)
_FOOT_HASH: Final = Style("mono", 6, 9, GREY)

Content = Mapping[str, Any]


def review_document(content: Content, *, fonts: Path) -> bytes:
    """The review as PDF bytes.

    Args:
        content: frozen content; its hash is printed on every page.
        fonts: the folder ``fonts`` of the reports, with the DejaVu files.

    Raises:
        InvalidInput: BQC-PQR-005 for content of another type. Nothing was drawn.
    """
    if content["type"] != CONTENT_TYPE:
        raise InvalidInput("BQC-PQR-005", f"this layout draws {CONTENT_TYPE} only")
    digest = sha256(canonical_bytes(content)).hexdigest()
    target = BytesIO()
    with ONE_AT_A_TIME:
        use_fonts(fonts)
        _render(cast("Content", shown(content, fonts)), digest, target, fonts=fonts)
    return target.getvalue()


def _render(content: Content, digest: str, target: BytesIO, *, fonts: Path) -> None:
    head = _head(content)
    footer = A4.height - _BOTTOM - _foot(content, digest, page="").height
    body = footer - 14 - _TOP - head.height
    pages: Sequence[Placed] = paginate(sections(content, digest, fonts), first=body, rest=body)
    canvas = new_canvas(
        target,
        paper=A4,
        issued_utc=f"{content['period']['last']}T00:00:00.000000Z",
        document_id=digest,
        info={
            "Title": f"Product quality review {content['product']['code']}",
            "Author": content["site"]["name"],
            "Subject": _days(content),
            "Keywords": f"batchqc-quality-review/1 content-sha256:{digest}",
            "Creator": f"batchqc {content['software']}",
        },
        fonts=fonts,
    )
    for number, page in enumerate(pages, 1):
        if content["specimen"]:
            draw_specimen(canvas)
        draw(canvas, head.marks, top=_TOP)
        draw_page(canvas, page, top=_TOP + head.height)
        foot = _foot(content, digest, page=f"Page {number} of {len(pages)}")
        draw(canvas, foot.marks, top=footer)
        canvas.showPage()
    canvas.save()


def _days(content: Content) -> str:
    return f"{content['period']['first']} to {content['period']['last']}"


def _head(content: Content) -> Block:
    left = [("Product quality review", _WHO), (content["site"]["name"], _RUNNING)]
    right = [(content["product"]["code"], _WHO), (_days(content), _RUNNING)]
    marks, height = two_sides(left, right)
    return Block(height + 18, (*marks, Box(MARGIN, height + 6, WIDTH, 0.6, fill=ACCENT)))


def _foot(content: Content, digest: str, *, page: str) -> Block:
    marks: list[Mark] = [Box(MARGIN, 0, WIDTH, 0.4, fill=HAIRLINE)]
    marks.append(Text(MARGIN + WIDTH - width_of(page, _FOOT), 13, _FOOT, page))
    y = 6.0
    named = f"Quality review of {content['product']['code']}  ·  {_days(content)}"
    for text in filter(None, (named, content["specimen"])):
        for line in wrap(text, _FOOT, WIDTH - 90):
            marks.append(Text(MARGIN, y + 7, _FOOT, line))
            y += _FOOT.leading
    marks.append(Text(MARGIN, y + 7, _FOOT_HASH, f"Content SHA-256 {digest}"))
    return Block(y + _FOOT_HASH.leading, tuple(marks))
