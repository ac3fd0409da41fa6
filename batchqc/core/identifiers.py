"""Identifiers of lots, samples, donors, people and codes, as people type and compare them.

Compared without case, kept as registered, never reused. An id that a spreadsheet would turn into
a date or a number is refused when it is registered, so that it cannot come back changed.
"""

import re
import unicodedata
from typing import Final

from batchqc.core.drawable import undrawable

_ID: Final = re.compile(r"[A-Z0-9][A-Z0-9._-]{3,39}", re.IGNORECASE | re.ASCII)
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/-]{0,39}")
_USER: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}", re.IGNORECASE | re.ASCII)
_MONTH: Final = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"  # in the spreadsheet's English
)
_DATE: Final = re.compile(
    rf"\d{{1,4}}[-/. ]?{_MONTH}(?:[-/. ]?\d{{1,4}})?|{_MONTH}[-/. ]?\d{{1,4}}"
    r"|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}",
    re.IGNORECASE | re.ASCII,
)
_NUMBER: Final = re.compile(r"[\d.]+(?:e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


def fold(text: str) -> str:
    """The form in which identifiers are compared: NFC, no outer spaces, no case."""
    return unicodedata.normalize("NFC", text.strip()).casefold()


def looks_like_a_date(text: str) -> bool:
    """Whether a spreadsheet would show or store ``text`` as a date (``1-Mar``, ``SEP2``)."""
    return _DATE.fullmatch(text.strip()) is not None


def id_problem(text: str) -> str | None:
    """Why ``text`` cannot be registered as the id of a lot, sample or donor, or ``None``."""
    if _ID.fullmatch(text) is None or not re.search(r"[A-Za-z]", text) or "-" not in text:
        return (
            f'"{text}" is not an id: 4 to 40 of A-Z 0-9 . _ - with at least one letter and one "-"'
        )
    if looks_like_a_date(text) or _NUMBER.fullmatch(text):
        return f'"{text}" is not an id: a spreadsheet would change it into a date or a number'
    return None


def code_problem(text: str) -> str | None:
    """Why ``text`` cannot be the code of a test, analyte, product or method, or ``None``."""
    if _CODE.fullmatch(text) is None:
        return f'"{text}" is not a code: 1 to 40 of A-Z a-z 0-9 . _ + / -'
    return None


def user_problem(text: str) -> str | None:
    """Why ``text`` cannot be a user id, or ``None``."""
    if _USER.fullmatch(text) is None:
        return f'"{text}" is not a user id: 2 to 40 of a-z 0-9 . _ -'
    return None


def line_problem(what: str, text: str) -> str | None:
    """Why ``text`` cannot stand on a certificate as ``what``, or ``None``: one printable line."""
    strange = next((character for character in text.strip() if not character.isprintable()), None)
    if strange is not None:
        return f"{what} is one line of printable characters; this one holds U+{ord(strange):04X}"
    if mark := undrawable(text):
        return f"{what} is printed on certificates, and no font of theirs draws {mark}"
    return None if text.strip() else f"{what} is missing"


def strange_character(text: str) -> str | None:
    """The first character that looks like plain ASCII but is not, described, or ``None``.

    Identifiers and codes are ASCII after NFKC; a Cyrillic ``С`` or a zero-width space in one is
    never read as something else.
    """
    for character in text:
        if ord(character) > 126 or ord(character) < 32:
            name = unicodedata.name(character, "unnamed")
            return f"U+{ord(character):04X} ({name.title()})"
    return None
