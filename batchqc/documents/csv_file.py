"""The one writer of CSV files that leave batchqc: UTF-8, commas, rows that end in CRLF.

A byte order mark comes first, without which Excel misreads ``µ``. Text that a spreadsheet would
run gets an apostrophe (OWASP CSV injection); numbers stay as they are.
"""

import codecs
import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Final

from batchqc.core.spreadsheets import guarded

MEDIA_TYPE: Final = "text/csv; charset=utf-8"


def csv_bytes(rows: Iterable[Sequence[str]]) -> bytes:
    """The file that holds some rows of text, the header first."""
    out = StringIO(newline="")
    csv.writer(out).writerows([guarded(cell) for cell in row] for row in rows)
    return codecs.BOM_UTF8 + out.getvalue().encode()
