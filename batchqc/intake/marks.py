"""Numbers with the marks that a profile declares, written with a decimal point and none else.

Only what the declared marks allow is rewritten. ``96.90`` under a decimal comma, or ``1,25`` under
commas between thousands, is refused. So is what only looks grouped: no group begins with 0
(``0.975`` is not 975), and no power of ten follows groups (``2.450E6``).
"""

import re
from functools import lru_cache
from typing import Final

from batchqc.core.profiles import Marks
from batchqc.intake.problems import Wrong, shown

POINT: Final = Marks()


def plain_number(text: str, marks: Marks) -> str | Wrong:
    """``text`` with a decimal point and no mark between thousands; words stay as they are."""
    if marks == POINT:
        return text
    found = _pattern(marks).fullmatch(text)
    if found is None:
        if not _DIGITS.fullmatch(text):
            return text
        declared = f'decimal mark "{marks.decimal}"'
        if marks.thousands:
            declared += f', thousands mark "{marks.thousands}"'
        message = f'"{shown(text)}" is not a number in the form that the profile declares'
        hint = f"The profile says: {declared}. Choose another, or correct the export."
        return Wrong("E205", message, hint)
    whole = found["whole"].replace(marks.thousands, "") if marks.thousands else found["whole"]
    part = f".{found['part']}" if found["part"] else ""
    return f"{found['before']}{whole}{part}{found['after']}"


@lru_cache(maxsize=32)
def _pattern(marks: Marks) -> re.Pattern[str]:
    decimal, thousands = re.escape(marks.decimal), re.escape(marks.thousands)
    groups = rf"[1-9][0-9]{{0,2}}(?:{thousands}[0-9]{{3}})+(?!.*[eE])|"
    grouped = groups if thousands else ""
    return re.compile(
        rf"(?P<before>[<>≤≥]?=?\s?[-+]?)(?P<whole>{grouped}[0-9]+)(?:{decimal}(?P<part>[0-9]+))?"
        r"(?P<after>(?:[eE][-+]?[0-9]+)?\s?%?)"
    )


_DIGITS: Final = re.compile(r"[<>≤≥]?=?\s?[-+]?[0-9][0-9.,'’\s]*(?:[eE][-+]?[0-9]+)?\s*%?")
