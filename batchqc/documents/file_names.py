"""Whether a file's name and its content tell of one kind: how the name ends, how the bytes begin.

The content decides what a file is. Its name is kept and given back, so that one which promises
something else misleads whoever opens it. An ending that promises nothing (none, ``.dat``, a number)
fits everything, and bytes that nothing is known of fit what promises no beginning.
"""

import codecs
import re
from typing import Final

_TEXT: Final = "plain text"
_TABLE: Final = "a table as text"
_OLDER: Final = "an older workbook or document"
_SHEET: Final = "an older workbook or a table as text"  # so many instruments name their tables
_XML: Final = "an XML document"
_JSON: Final = "JSON"

_BEGINNINGS: Final = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"GIF8", "a GIF picture"),
    (b"PK\x03\x04", "a workbook or another archive"),
    (b"PK\x05\x06", "a workbook or another archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OLDER),
    (b"\x1f\x8b", "something compressed"),
    (b"7z\xbc\xaf\x27\x1c", "something compressed"),
    (b"Rar!\x1a\x07", "something compressed"),
    (b"{\\rtf", "a document as RTF"),
)

_ENDINGS: Final = {
    ending: kind
    for kind, endings in {
        "a PDF document": "pdf",
        "a PNG picture": "png",
        "a JPEG picture": "jpg jpeg jpe jfif",
        "a TIFF picture": "tif tiff",
        "a GIF picture": "gif",
        "a workbook or another archive": "zip xlsx xlsm xltx docx docm pptx ods odt odp",
        _OLDER: "doc ppt msg",
        _SHEET: "xls",
        "something compressed": "gz tgz 7z rar",
        "a document as RTF": "rtf",
        _XML: "xml",
        _JSON: "json",
        _TABLE: "csv tsv tab psv",
        _TEXT: "txt text log md asc toml",
    }.items()
    for ending in endings.split()
}

_TAG: Final = re.compile(rb"\s*<(\?xml|!|[A-Za-z_][\w:.-]*[\s/>])")
_OBJECT: Final = re.compile(rb"\s*[{\[]")
_MARKS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def misnamed(name: str, beginning: bytes) -> str:
    """How the end of a name contradicts the content, or "".

    ``beginning`` are the first bytes, a thousand or all.
    """
    promised, found = _ENDINGS.get(_ending(name)), _kind(beginning)
    if promised is None or not beginning.strip() or _fits(promised, found, beginning):
        return ""
    holds = "is none" if found is None else f"holds {found}"
    return f"{name} ends like {promised}, and {holds}"


def misnamed_toml(name: str) -> str:
    """How the name of a controlled document, which is TOML, promises something else, or ""."""
    promised = _ENDINGS.get(_ending(name), _TEXT)
    return "" if promised == _TEXT else f"{name} ends like {promised}, and is to be TOML"


def may_be_results(beginning: bytes, *, by_profile: bool) -> bool:
    """Whether a reader may take what begins so: text, and with a profile XML."""
    return _kind(beginning) in ({None, _XML} if by_profile else {None})


def _ending(name: str) -> str:
    _, point, ending = name.rstrip(". ").rpartition(".")  # what trails is nothing to some
    return ending.casefold() if point else ""


def _kind(beginning: bytes) -> str | None:
    """What the bytes are for certain; of text only XML is told apart."""
    for start, kind in _BEGINNINGS:
        if beginning.startswith(start):
            return kind
    return _XML if _TAG.match(_unmarked(beginning)) else None


def _fits(promised: str, found: str | None, beginning: bytes) -> bool:
    if promised == _TEXT:
        return found in {None, _XML}
    if promised == _TABLE:
        return found is None
    if promised == _SHEET:
        return found in {None, _OLDER}
    if promised == _JSON:
        return found is None and _OBJECT.match(_unmarked(beginning)) is not None
    return found == promised


def _unmarked(beginning: bytes) -> bytes:
    """Text of any encoding as its plain characters, for what stands first."""
    for mark in _MARKS:
        beginning = beginning.removeprefix(mark)
    return beginning.replace(b"\0", b"")
