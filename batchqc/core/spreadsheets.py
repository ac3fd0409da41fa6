"""Text that a spreadsheet would run as a formula, made harmless on the way out and back again.

A cell that begins with one of ``= + - @``, full-width or not, TAB, CR or LF gets an apostrophe,
unless it is a number (OWASP: CSV injection). An apostrophe directly before such a character is
taken off when a cell is read. So every text comes back as it was, one with an apostrophe of its own
too.
"""

import re
from typing import Final

from batchqc.core.quantities import parse_amount

APOSTROPHE: Final = "'"
_RUNS: Final = re.compile(r"'*[=+\-@＝＋－＠\t\r\n]")
_GUARDED: Final = re.compile(r"'+[=+\-@＝＋－＠\t\r\n]")


def guarded(text: str) -> str:
    """``text`` as it may stand in a CSV that leaves batchqc."""
    if _RUNS.match(text) is None or parse_amount(text) is not None:
        return text
    return APOSTROPHE + text


def unguarded(text: str) -> str:
    """What was meant by a cell of a CSV that comes in."""
    return text[1:] if _GUARDED.match(text) else text
