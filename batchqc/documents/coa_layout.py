"""Certificate content -> PDF bytes.

Embedded fonts, drawn at canvas level: everything is laid out first, then drawn with the total
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
from batchqc.core.certificate_layouts import PaperSize
from batchqc.core.certificates import CONTENT_TYPE, EARLIER_TYPE, CertificateContent
from batchqc.documents.coa_blocks import (
    LABEL,
    SMALL,
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
from batchqc.documents.coa_marks import (
    DRAFT,
    Marked,
    document_id,
    framed,
    stamped,
    stamps_of,
    title_of,
)
from batchqc.documents.coa_paper import A4, LETTER, MARGIN, WIDTH, Paper
from batchqc.documents.coa_sections import sections
from batchqc.documents.coa_tags import Tag
from batchqc.documents.coa_watermark import draw_specimen
from batchqc.documents.coa_words import Words, withheld_lines, words_of
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
    words, paper = words_of(content, fonts.parent / "words"), _paper(content)
    stamps = stamps_of(content["specimen"], marked)
    code = "" if marked and marked.is_draft else code_text(content, sha256)
    first, running = (
        _letterhead(content, words, marked, code),
        _running_head(content, words, stamps),
    )
    foot = partial(_footer, content, words, sha256, marked)
    footer = paper.height - _BOTTOM - foot(page="").height
    pages = paginate(
        sections(content, words),
        first=footer - 14 - _TOP - first.height,
        rest=footer - 14 - _TOP - running.height,
    )
    canvas = new_canvas(
        target,
        paper=paper,
        issued_utc=made_at(content),
        document_id=document_id(sha256, marked, words),
        info={
            "Title": title_of(marked, content["number"], words),
            "Author": content["issuer"]["name"],
            "Subject": f"Lot {content['lot']['id']}",
            "Keywords": f"{content['type'].replace('/', '-', 1)} content-sha256:{sha256}",
            "Creator": f"batchqc {content['software']['batchqc']}",
        },
        fonts=fonts,
    )
    canvas.speak(words.tag)
    if content["type"] == CONTENT_TYPE and marked is None:
        what = words("data_file", number=content["number"])
        canvas.attach(Attachment(DATA_FILE, what, data))
    for number, page in enumerate(pages, 1):
        if stamps:
            draw_specimen(canvas, stamps[-1])
        head = first if number == 1 else running
        page_of = words("page", page=number, pages=len(pages))
        draw(canvas, head.marks, top=_TOP)
        draw_page(canvas, page, top=_TOP + head.height)
        draw(canvas, foot(page=page_of).marks, top=footer)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def draw_page(canvas: TaggedCanvas, page: Placed, *, top: float) -> None:
    """Draw the blocks of a page whose body begins ``top`` points below its edge."""
    for y, block in page:
        draw(canvas, block.marks, top=top + y)


def made_at(content: CertificateContent) -> str:
    """When what the document says was made: the certificate, or its rendition."""
    return (
        content["rendition"]["made"]["utc"] if "rendition" in content else content["issued"]["utc"]
    )


def _paper(content: CertificateContent) -> Paper:
    layout = content.get("layout")
    return LETTER if layout and layout["paper"] == PaperSize.LETTER else A4


def _letterhead(
    content: CertificateContent, words: Words, marked: Marked | None, code: str
) -> Block:
    """Head of page 1: who issues on the left, number and date on the right, beside the code."""
    issuer, layout = content["issuer"], content.get("layout")
    stamps = stamps_of(content["specimen"], marked)
    address = issuer["address"]
    if layout:
        address = [*(layout["address"] or address), *layout["contact"]]
    left = [(issuer["name"], _ISSUER), *((line, _ADDRESS) for line in address)]
    dated = "drafted" if content["number"] == DRAFT else "issued"
    right = [
        (words("number"), LABEL),
        (content["number"], _NUMBER),
        (words(dated, when=content["issued"]["shown"]), SMALL),
    ]
    if not code:
        marks, height = two_sides(left, right)
        frame, height = stamped(marks, height, stamps)
        return Block(height + 22, tuple(_read(mark) for mark in (*marks, *frame)))
    right.append((code_label(content, words), _ADDRESS))
    marks, height = two_sides(left, right, end=WIDTH - _BESIDE_CODE)
    height = max(height, SIZE)
    read = (_read(mark) for mark in (*marks, *framed(stamps, right=MARGIN + WIDTH, y=height + 8)))
    return Block(height + 22, (*read, code_mark(code, words, x=MARGIN + WIDTH - SIZE, y=0)))


def _read(mark: Mark) -> Mark:
    """Words of the first page's head are read; those of later ones repeat them."""
    return mark._replace(tag=Tag("P")) if isinstance(mark, Text) else mark


def _running_head(content: CertificateContent, words: Words, stamps: Sequence[str]) -> Block:
    """Head of the other pages: what it is on the left, the lot on the right."""
    left = [(words("title"), _RUNNING_LOT), (content["issuer"]["name"], _RUNNING)]
    lot = words("lot_named", lot=content["lot"]["id"])
    right = [(lot, _RUNNING_LOT), (content["number"], _RUNNING)]
    marks, height = two_sides(left, right)
    frame, height = stamped(marks, height, stamps)
    rule = Box(MARGIN, height + 6, WIDTH, 0.6, fill=ACCENT)
    return Block(height + 18, (*marks, rule, *frame))


def _footer(
    content: CertificateContent, words: Words, sha256: str, marked: Marked | None, *, page: str
) -> Block:
    identity = words("identity", number=content["number"], lot=content["lot"]["id"])
    beneath = [content["specimen"], *(marked.told(words) if marked else ())]
    if "rendition" in content:
        to = content["rendition"]["recipient"]
        beneath.append(words("rendition_foot", recipient=to, count=withheld_lines(content)))
    marks: list[Mark] = [Box(MARGIN, 0, WIDTH, 0.4, fill=HAIRLINE)]
    marks.append(Text(MARGIN + WIDTH - width_of(page, _FOOT), 13, _FOOT, page))
    y = 6.0
    for text in (identity, *filter(None, beneath)):
        for line in wrap(text, _FOOT, WIDTH - 90):
            marks.append(Text(MARGIN, y + 7, _FOOT, line))
            y += _FOOT.leading
    known = "" if marked and marked.is_draft else words("content", sha256=sha256)
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
