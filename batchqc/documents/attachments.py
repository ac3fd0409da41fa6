"""What kind of document an attachment is, told by its bytes and never by its name.

Taken are PDF, PNG, JPEG, TIFF and plain text, CSV among it. Archives and workbooks, pages and
everything else are refused, and nothing is ever unpacked, rendered or run.
"""

import codecs
import re
from typing import Final

_KINDS: Final = (
    (b"%PDF-", "PDF document"),
    (b"\x89PNG\r\n\x1a\n", "PNG picture"),
    (b"\xff\xd8\xff", "JPEG picture"),
    (b"II*\x00", "TIFF picture"),
    (b"MM\x00*", "TIFF picture"),
)
TAKEN: Final = "PDF, PNG, JPEG, TIFF, or plain text such as CSV"
TEXT: Final = "plain text"

_RUN: Final = frozenset({
    "app", "application", "bat", "chm", "cmd", "com", "command", "cpl", "desktop", "exe",
    "gadget", "hta", "htm", "html", "inf", "jar", "js", "jse", "jsp", "lnk", "mht", "mhtml",
    "msc", "msi", "msp", "php", "pif", "pl", "ps1", "psm1", "py", "pyw", "rb", "reg", "scf",
    "scr", "sh", "shtml", "svg", "url", "vb", "vbe", "vbs", "workflow", "ws", "wsc", "wsf", "wsh",
    "xht", "xhtml",
})  # fmt: skip

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PDF_END: Final = 2048


def kind_of(data: bytes) -> str | None:
    """The kind of a document by its content, or ``None`` where it is none that is taken."""
    for start, kind in _KINDS:
        if data.startswith(start):
            cut_short = kind == "PDF document" and b"%%EOF" not in data[-_PDF_END:]
            return None if cut_short else kind
    return TEXT if _is_plain_text(data) else None


def is_run(name: str) -> bool:
    """Whether a computer runs what has such a name, or shows it as a page, when it is opened."""
    _, point, ending = name.rstrip(". ").rpartition(".")  # what trails is nothing to some
    return bool(point) and ending.casefold() in _RUN


def _is_plain_text(data: bytes) -> bool:
    """Whether it is UTF-8 without control characters, and no markup."""
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError:
        return False
    beginning = text.lstrip()[:1]
    return beginning not in {"", "<", "{"} and _CONTROL.search(text) is None
