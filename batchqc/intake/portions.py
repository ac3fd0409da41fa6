"""A file that is too large for memory, cut into portions that are small files.

Each portion begins with the header of the file and holds whole rows; it is read as any file is,
only that its rows are counted on from those before it. A portion is cut behind a line end that no
quotation marks enclose.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from functools import cache
from typing import BinaryIO, Final, NamedTuple

from batchqc.intake.problems import Wrong

PORTION: Final = 2_000_000
LONGEST_LINE: Final = 32_000_000

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_DELIMITERS: Final = b",;\t:"  # of files and profiles
_SEP_LINE: Final = re.compile(rb'"?sep=[^\r\n"]?"?(?:\r\n|\r|\n)', re.IGNORECASE)  # as in table


class Portion(NamedTuple):
    """Part of a file: the header again, ``head``, and ``rows``; ``end`` counts the bytes so far."""

    head: bytes
    rows: bytes
    end: int

    @property
    def data(self) -> bytes:
        """The portion as a file."""
        return self.head + self.rows


def portions(
    stream: BinaryIO, *, first: int = PORTION, size: int = PORTION
) -> Iterator[Portion | Wrong]:
    """A file in portions of about ``size`` bytes; ends with a problem where it cannot be cut.

    Its encoding has bytes of ASCII for line ends and quotation marks, as UTF-8 has.
    """
    head, kept, end, opens = b"", b"", 0, _DELIMITERS
    while True:
        block = stream.read(size if head or kept else first)
        data = kept + block
        is_last = not block
        cut = len(data) if is_last else _cut(data, opens)
        if not head:
            head = _head(data[:cut], is_last=is_last)
            opens = bytes(one for one in _DELIMITERS if one in head)
            cut = cut if is_last or not head else _cut(data, opens)
        if not head:
            cut = 0
        if not cut and len(data) > LONGEST_LINE:
            yield _no_line_end()
            return
        kept = data[cut:]
        rows = data[:cut] if end else data[len(head) : cut]
        end += cut
        if rows or (is_last and end == len(head)):
            yield Portion(head, rows, end)
        if is_last:
            return


def _cut(data: bytes, opens: bytes) -> int:
    """Behind the last line end outside of quoted cells; 0 where there is none."""
    rows = _unquoted(data, opens)
    if b"\n" in rows:
        return rows.rfind(b"\n") + 1
    at = len(rows) - rows.endswith(b"\r")  # the other half of this line end may follow
    return rows.rfind(b"\r", 0, at) + 1


def _unquoted(data: bytes, opens: bytes) -> bytes:
    """Data that begins with a row, its quoted cells blotted out.

    A quotation mark opens a cell at its beginning only; within a cell it is text, as the reader of
    rows has it: so too behind a mark that is in no header (``opens`` are those that are), for that
    separates nothing. One that is never closed reaches to the end.
    """
    if b'"' not in data:
        return data
    return _quoted(opens).sub(lambda cell: b"x" * len(cell[0]), data)


@cache
def _quoted(opens: bytes) -> re.Pattern[bytes]:
    return re.compile(rb'(?:\A|(?<=[%b\r\n]))"[^"]*(?:""[^"]*)*(?:"|\Z)' % opens)


def _head(data: bytes, *, is_last: bool) -> bytes:
    """The header with its line end, and what comes before it: byte order mark and ``sep=``.

    Empty where ``data`` does not hold all of it yet.
    """
    mark = len(BOM_UTF8) if data.startswith(BOM_UTF8) else 0
    sep = _SEP_LINE.match(data, mark)
    begins = sep.end() if sep else mark
    end = _LINE_END.search(_unquoted(data[begins:], _DELIMITERS))
    if end is None:
        return data if is_last else b""
    return data[: begins + end.end()]


def _no_line_end() -> Wrong:
    message = f"{LONGEST_LINE:,} bytes of the file hold no end of a row"
    return Wrong("E114", message, "Export the file again, with a line for each row.")
