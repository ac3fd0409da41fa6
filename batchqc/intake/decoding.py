"""From bytes to text: the encoding is declared by a profile, or UTF-8, and is never guessed.

- UTF-8 with or without a byte order mark, and UTF-16 with one, are read.
- A workbook, archive, page or other file that was renamed to ``.csv`` is named and refused.
- Bytes that are not of the encoding come out as lone surrogates, which no text may hold, so that
  the table reader can name their row and column.
"""

import codecs
import re
from typing import Final, NamedTuple

from batchqc.intake.problems import Wrong

_HOW_TO_SAVE: Final = 'In the spreadsheet, choose "Save As" and "CSV UTF-8".'
_TOO_MANY_TO_LIST: Final = 1000
_LOOK_AT: Final = 4000

_KINDS: Final = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (xls)"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a compressed file (gzip)"),
    (b"BZh", "a compressed file (bzip2)"),
    (b"7z\xbc\xaf\x27\x1c", "an archive (7z)"),
    (b"Rar!", "an archive (rar)"),
    (b"\xfd7zXZ", "a compressed file (xz)"),
    (b"\x28\xb5\x2f\xfd", "a compressed file (zstd)"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "a database"),
    (b"{\\rtf", "a text document (rtf)"),
)
_TEXT_KINDS: Final = (
    (re.compile(r"<\?xml", re.IGNORECASE), "an XML document"),
    (re.compile(r"<[!a-z]", re.IGNORECASE), "a web page (HTML)"),
    (re.compile(r"[{\[]"), "JSON"),
    (re.compile(r"ID;P"), "a SYLK spreadsheet"),
)
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8 with byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16 LE"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16 BE"),
)
_UTF32_BOMS: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)

CONTROL: Final = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+"
)
UNDECODED: Final = re.compile(r"[\ud800-\udfff\ufffd]")


class Decoded(NamedTuple):
    """The text of a file and the name of its encoding."""

    text: str
    encoding: str


def decode(data: bytes, *, declared: str = "", lines_before: int = 0) -> Decoded | Wrong:
    """The text of ``data`` without byte order mark, or why it is not the text of a table.

    Args:
        data: the bytes of a file.
        declared: the encoding that a profile declares; "" is UTF-8, or UTF-16 with its mark.
        lines_before: of the file, between its header and what follows here.
    """
    if not data:
        return _empty("the file has 0 bytes")
    problem = _other_kind(data) or _unannounced(data) or _undeclared(data, declared)
    if problem is not None:
        return problem
    single = declared if declared and not declared.startswith("utf-") else ""
    decoded = Decoded(_with_surrogates(data, single), single) if single else _decode(data)
    if not decoded.text.strip():
        return _empty("the file holds nothing but spaces and line ends")
    kind = None if declared else _text_kind(decoded.text)
    return kind or _damage(decoded.text, lines_before) or decoded


def _empty(why: str) -> Wrong:
    return Wrong("E100", f"{why}; a header and at least one row were expected", _HOW_TO_SAVE)


def _other_kind(data: bytes) -> Wrong | None:
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        excel = b"xl/" in data or b"[Content_Types]" in data[:_LOOK_AT]
        return _not_csv("an Excel workbook (zip)" if excel else "an archive (zip)")
    for start, kind in _KINDS:
        if data.startswith(start):
            return _not_csv(kind)
    return None


def _not_csv(kind: str) -> Wrong:
    return Wrong("E101", f"this is {kind}, not CSV", _HOW_TO_SAVE)


def _unannounced(data: bytes) -> Wrong | None:
    """UTF-16 without a mark shows as NUL in every other byte; UTF-32 in three of four."""
    if data.startswith(_UTF32_BOMS):
        return Wrong("E103", "this is UTF-32; UTF-8 or UTF-16 was expected", _HOW_TO_SAVE)
    if data.startswith(tuple(bom for bom, _, _ in _BOMS)) or len(data) < 4:
        return None
    even, odd = data[:_LOOK_AT:2], data[1:_LOOK_AT:2]
    shares = sorted([even.count(0) / len(even), odd.count(0) / len(odd)])
    if shares[0] <= 0.5 and shares[1] > 0.9:
        message = "this looks like UTF-16 or UTF-32 without a byte order mark; UTF-8 was expected"
        return Wrong("E103", message, _HOW_TO_SAVE)
    return None


def _undeclared(data: bytes, declared: str) -> Wrong | None:
    """A byte order mark says another encoding than the profile."""
    found = next((codec for bom, codec, _ in _BOMS if data.startswith(bom)), "")
    if not declared or found.startswith(declared):
        return None
    if found or declared == "utf-16":
        said = f"is {found}" if found else "has no byte order mark"
        message = f"the profile says {declared}, and the file {said}"
        return Wrong("E103", message, "Choose the profile of this export, or export it again.")
    return None


def _decode(data: bytes) -> Decoded:
    for bom, codec, name in _BOMS:
        if data.startswith(bom):
            return Decoded(_with_surrogates(data[len(bom) :], codec), name)
    return Decoded(_with_surrogates(data, "utf-8"), "UTF-8")


def _with_surrogates(data: bytes, codec: str) -> str:
    if not codec.startswith("utf-16"):
        return data.decode(codec, errors="surrogateescape")
    whole = len(data) // 2 * 2
    rest = "".join(chr(0xDC00 + byte) if byte > 0x7F else "\ufffd" for byte in data[whole:])
    return data[:whole].decode(codec, errors="surrogatepass") + rest


def _text_kind(text: str) -> Wrong | None:
    beginning = text.lstrip()[:_LOOK_AT]
    for start, kind in _TEXT_KINDS:
        if start.match(beginning):
            return _not_csv(kind)
    return None


def _damage(text: str, lines_before: int) -> Wrong | None:
    first = CONTROL.search(text)
    if first is None:
        return None
    count = sum(map(len, CONTROL.findall(text)))
    if count <= _TOO_MANY_TO_LIST:
        return None
    line = len(re.findall(r"\r\n|\r|\n", text[: first.start()])) + 1
    line += lines_before if line > 1 else 0
    message = (
        f"{count:,} NUL bytes or other control characters, the first in line {line};"
        " a table holds none"
    )
    return Wrong("E104", message, "Export the file again; it was damaged or is not text.")
