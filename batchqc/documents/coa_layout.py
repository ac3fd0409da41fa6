"""Certificate content -> PDF bytes.

A4, embedded fonts, drawn at canvas level: everything is laid out first, then drawn with the total
number of pages known. Every page carries certificate number, lot, "Page n of N" and the hash of the
content (requirements 5.01 and 5.02). Same content, same bytes, on any machine.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import cast

from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.certificates import CONTENT_TYPE, EARLIER_TYPE, CertificateContent
from batchqc.documents.coa_blocks import (
    LABEL,
    MARGIN,
    SMALL,
    WIDTH,
    Block,
    Placed,
    paginate,
)
from batchqc.documents.coa_canvas import Attachment, TaggedCanvas
from batchqc.documents.coa_code import SIZE, code_label, code_mark, code_text
from batchqc.documents.coa_drawing import (
    ACCENT,
    GREY,
    HAIRLINE,
    PAGE_HEIGHT,
    Box,
    Mark,
    Style,
    Text,
    draw,
    new_canvas,
    width_of,
    wrap,
)
from batchqc.documents.coa_fonts import as_shown, use_fonts
from batchqc.documents.coa_marks import DRAFT, Marked, document_id, framed, title_of, words_of
from batchqc.documents.coa_sections import sections
from batchqc.documents.coa_tags import Tag
from batchqc.documents.coa_watermark import draw_specimen
from batchqc.errors import InvalidInput

DATA_FILE = "certificate.json"

_TOP = 36.0
_BOTTOM = 30.0
_SIDE = WIDTH / 2 - 36
_ISSUER = Style("bold", 9.4, 13)
_ADDRESS = Style("sans", 7.2, 10, GREY)
_NUMBER = Style("bold", 10.4, 14)
_RUNNING = Style("sans", 7.2, 10, GREY)
_RUNNING_LOT = Style("bold", 8.6, 12)
_FOOT = Style("sans", 7, 10)
_FOOT_HASH = Style("mono", 6, 9, GREY)
_BESIDE_CODE = SIZE + 12

# ReportLab's fonts serve one open document at a time.
ONE_AT_A_TIME = Lock()


def render(content: CertificateContent, *, fonts: Path, marked: Marked | None = None) -> bytes:
    """The certificate as PDF bytes.

    Args:
        content: frozen content; its hash is printed on every page.
        fonts: the folder ``fonts`` of the reports, with the DejaVu files.
        marked: of a draft or a copy, which is not for a seal, how it is marked.

    Raises:
        InvalidInput: BQC-CRT-003 for content of another type or an unknown verdict. Nothing was
            drawn.
    """
    if content["type"] not in {CONTENT_TYPE, EARLIER_TYPE}:
        raise InvalidInput("BQC-CRT-003", f"this layout draws {CONTENT_TYPE} only")
    data = canonical_bytes(cast("Json", content))
    with ONE_AT_A_TIME:
        use_fonts(fonts)
        seen = cast("CertificateContent", shown(content, fonts))
        if marked:
            seen["seals"] = []
        return _render(seen, data, fonts=fonts, marked=marked)


def _render(
    content: CertificateContent, data: bytes, *, fonts: Path, marked: Marked | None
) -> bytes:
    sha256, target = hashlib.sha256(data).hexdigest(), BytesIO()
    words = words_of(content["specimen"], marked)
    code = "" if marked and marked.is_draft else code_text(content, sha256)
    first, running = _letterhead(content, words, code), _running_head(content, words)
    foot = partial(_footer, content, sha256, marked)
    footer = PAGE_HEIGHT - _BOTTOM - foot(page="").height
    pages = paginate(
        sections(content),
        first=footer - 14 - _TOP - first.height,
        rest=footer - 14 - _TOP - running.height,
    )
    canvas = new_canvas(
        target,
        issued_utc=content["issued"]["utc"],
        document_id=document_id(sha256, marked),
        info={
            "Title": title_of(marked, content["number"]),
            "Author": content["issuer"]["name"],
            "Subject": f"Lot {content['lot']['id']}",
            "Keywords": f"{content['type'].replace('/', '-', 1)} content-sha256:{sha256}",
            "Creator": f"batchqc {content['software']['batchqc']}",
        },
        fonts=fonts,
    )
    if content["type"] == CONTENT_TYPE and marked is None:
        what = f"What certificate {content['number']} says, for machines"
        canvas.attach(Attachment(DATA_FILE, what, data))
    for number, page in enumerate(pages, 1):
        if words:
            draw_specimen(canvas, words[-1])
        head = first if number == 1 else running
        draw(canvas, head.marks, top=_TOP)
        draw_page(canvas, page, top=_TOP + head.height)
        draw(canvas, foot(page=f"Page {number} of {len(pages)}").marks, top=footer)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def draw_page(canvas: TaggedCanvas, page: Placed, *, top: float) -> None:
    """Draw the blocks of a page whose body begins ``top`` points below its edge."""
    for y, block in page:
        draw(canvas, block.marks, top=top + y)


def _letterhead(content: CertificateContent, words: Sequence[str], code: str) -> Block:
    """Head of page 1: who issues on the left, number and date on the right, beside the code."""
    issuer = content["issuer"]
    left = [(issuer["name"], _ISSUER), *((line, _ADDRESS) for line in issuer["address"])]
    right = [
        ("Certificate number", LABEL),
        (content["number"], _NUMBER),
        (f"{'Drafted' if DRAFT in words else 'Issued'} {content['issued']['shown']}", SMALL),
    ]
    if not code:
        marks, height = two_sides(left, right)
        return Block(height + 22, tuple(_read(mark) for mark in (*marks, *framed(words))))
    right.append((code_label(content), _ADDRESS))
    marks, height = two_sides(left, right, end=WIDTH - _BESIDE_CODE)
    height = max(height, SIZE)
    read = (_read(mark) for mark in (*marks, *framed(words, right=MARGIN + WIDTH, y=height + 8)))
    return Block(height + 22, (*read, code_mark(code, x=MARGIN + WIDTH - SIZE, y=0)))


def _read(mark: Mark) -> Mark:
    """Words of the first page's head are read; those of later ones repeat them."""
    return mark._replace(tag=Tag("P")) if isinstance(mark, Text) else mark


def _running_head(content: CertificateContent, words: Sequence[str]) -> Block:
    """Head of the other pages: what it is on the left, the lot on the right."""
    left = [("Certificate of analysis", _RUNNING_LOT), (content["issuer"]["name"], _RUNNING)]
    right = [(f"Lot {content['lot']['id']}", _RUNNING_LOT), (content["number"], _RUNNING)]
    marks, height = two_sides(left, right)
    rule = Box(MARGIN, height + 6, WIDTH, 0.6, fill=ACCENT)
    return Block(height + 18, (*marks, rule, *framed(words)))


def _footer(content: CertificateContent, sha256: str, marked: Marked | None, *, page: str) -> Block:
    identity = f"Certificate {content['number']}  ·  Lot {content['lot']['id']}"
    marks: list[Mark] = [Box(MARGIN, 0, WIDTH, 0.4, fill=HAIRLINE)]
    marks.append(Text(MARGIN + WIDTH - width_of(page, _FOOT), 13, _FOOT, page))
    y = 6.0
    for line in wrap(identity, _FOOT, WIDTH - 90):
        marks.append(Text(MARGIN, y + 7, _FOOT, line))
        y += _FOOT.leading
    said = filter(None, (content["specimen"], *(marked.says if marked else ())))
    for line in (line for text in said for line in wrap(text, _FOOT, WIDTH - 90)):
        marks.append(Text(MARGIN, y + 7, _FOOT, line))
        y += _FOOT.leading
    known = "" if marked and marked.is_draft else f"Content SHA-256 {sha256}"
    marks.append(Text(MARGIN, y + 7, _FOOT_HASH, known))
    return Block(y + _FOOT_HASH.leading, tuple(marks))


def two_sides(
    left: list[tuple[str, Style]], right: list[tuple[str, Style]], *, end: float = WIDTH
) -> tuple[list[Mark], float]:
    """Lines from the left margin and lines that end so far from it, and their height."""
    marks: list[Mark] = []
    height = 0.0
    for lines, flush_right in ((left, False), (right, True)):
        y = 0.0
        for text, style in lines:
            for line in wrap(text, style, _SIDE):
                x = MARGIN + end - width_of(line, style) if flush_right else MARGIN
                marks.append(Text(x, y + style.leading * 0.78, style, line))
                y += style.leading
        height = max(height, y)
    return marks, height


def shown(value: object, fonts: Path) -> object:
    """Content with every string as the page can show it."""
    if isinstance(value, str):
        return as_shown(value, folder=fonts)
    if isinstance(value, Mapping):
        return {key: shown(item, fonts) for key, item in value.items()}
    if isinstance(value, list):
        return [shown(item, fonts) for item in value]
    return value
