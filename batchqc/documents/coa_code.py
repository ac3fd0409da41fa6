"""The QR code of a certificate: its status page with the hash of its content.

One path of rectangles, so that no hairlines show between its rows; the mask is fixed, because to
try all eight takes longer than the rest. Without a page it says number and hash as text.
Source: ISO/IEC 18004.
"""

import re
from functools import partial
from typing import Final

import segno
from reportlab.pdfgen.canvas import Canvas

from batchqc.core.certificates import CertificateContent
from batchqc.documents.coa_drawing import INK, Plot
from batchqc.documents.coa_tags import Tag
from batchqc.documents.coa_words import Words

#: Width and height of the code in points: its squares are 0.4 mm and more.
SIZE: Final = 62.0
_MASK: Final = 3
_DARK: Final = re.compile(b"\x01+")


def code_text(content: CertificateContent, sha256: str) -> str:
    """What the code says; empty for content that was frozen before there was one."""
    if "status" not in content:
        return ""
    page = content["status"]["page"]
    return f"{page}?sha256={sha256}" if page else f"{content['number']} sha256:{sha256}"


def code_label(content: CertificateContent, words: Words) -> str:
    """What stands beside the code."""
    asks = content["status"]["page"]
    return words("code_asks" if asks else "code_holds")


def code_mark(text: str, words: Words, *, x: float, y: float) -> Plot:
    """The code with its top left corner at a place of its block."""
    code = segno.make_qr(text, error="m", mask=_MASK, boost_error=False)
    rows = tuple(bytes(row) for row in code.matrix)
    figure = Tag("Figure", words=words("code", text=text))
    return Plot(x, y, SIZE, SIZE, partial(_squares, rows), figure)


def _squares(rows: tuple[bytes, ...], canvas: Canvas, x: float, y: float) -> None:
    """Written as operators: by ReportLab's path each of 600 rectangles would be formatted anew."""
    side = SIZE / len(rows)
    red, green, blue = INK
    drawn = [f"q {side:.5f} 0 0 {side:.5f} {x:.3f} {y:.3f} cm {red} {green} {blue} rg"]
    for up, row in enumerate(reversed(rows)):
        drawn += [
            f"{found.start()} {up} {found.end() - found.start()} 1 re"
            for found in _DARK.finditer(row)
        ]
    canvas._code.append(" ".join((*drawn, "f Q")))  # noqa: SLF001 - as its own methods do
