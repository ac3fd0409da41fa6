"""What is wrong with a file: every problem has a code, a place, a message and a way to fix it.

- Codes are stable. ``E`` refuses the whole file; ``W`` is accepted, and shown before it is.
- A message quotes what the file says and tells what was expected; a hint tells how to fix it.
- All problems are collected. Reading stops early only when a file has 10,000 of one severity.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

MOST_PROBLEMS: Final = 10_000
LONGEST_QUOTE: Final = 80

CODES: Final[Mapping[str, str]] = {
    "E100": "the file is empty",
    "E101": "the file is not text but a workbook, an archive, a page or another kind of file",
    "E102": "a byte is not of the encoding of the file, or a character was lost before",
    "E103": "the file is UTF-16 or UTF-32 that a byte order mark does not announce as UTF-16",
    "E104": "a NUL byte or another control character is in a cell",
    "E105": "a quotation mark is not closed, or text follows a closing one",
    "E106": "a row has more or fewer cells than the header",
    "E107": "two columns have the same name",
    "E108": "the file ends in the middle of a row",
    "E109": "there is no data row",
    "E110": "the header is not that of the contract",
    "E111": "the columns are not separated by a comma, a semicolon or a TAB",
    "E112": "there is a second header row",
    "E113": "the file is larger than the limit, or so large and not in the long contract",
    "E114": "a cell has more than 131,072 characters",
    "E115": "reading stopped, because the file has too many problems",
    "E116": "the header has more than 1,000 columns",
    "E117": "the XML document is not well-formed, or holds what is not read",
    "E118": "the instrument says itself that a row is not sound",
    "E201": "a spreadsheet could not compute the cell",
    "E202": "a cell that must be filled is blank or says that there is nothing",
    "E203": "the cell is not a number in the form that is read",
    "E204": "the value is beyond a limit, but the limit is not stated",
    "E205": "the number has a decimal comma or a thousands mark",
    "E206": "the word is not on the list for this column or analyte",
    "E207": "the value looks like a fraction where the unit is percent",
    "E208": "the unit is not that of the specification",
    "E209": "the value is outside the range that is plausible",
    "E301": "the time is not in the one form that is read, or does not exist",
    "E302": "the time has no offset from UTC",
    "E303": "the time is in the future",
    "E304": "the time is before what must come first",
    "E401": "the lot, sample or person is not registered",
    "E402": "a spreadsheet has turned the id into a date or a number",
    "E403": "an id or code contains a character that only looks like another",
    "E404": "the test, analyte or method is not in the plan of the lot",
    "E405": "a row repeats the key of another row",
    "E406": "the text is longer than the column allows",
    "E407": "a run is on record already, or a file that supersedes holds none that is",
    "E408": "a retest is not as the approved plan of its investigation says",
    "E409": "the run is what a final decision over the lot rests on",
    "E410": "a large file holds a failing result of a lot that may be in use",
    "E411": "an investigational result that no open OOS investigation asks for",
    "E412": "a well is not as the potency analysis of its method asks",
    "E501": "the cell begins like a spreadsheet formula",
    "E701": "the instrument is not in the register, or none is stated",
    "E702": "the calibration of the instrument was overdue when it measured",
    "E703": "the analyst was not trained for the method when it was measured",
    "E704": "the method version was not approved or not in force when it was measured",
    "W401": "the lot is decided: its result stands beside the decision",
    "W601": "a listed synonym is read as a result that does not meet the criterion",
    "W602": "blank columns or rows are ignored",
    "W603": "the last row has no line end: it may have been cut",
    "W604": "columns that the contract does not know are not read",
    "W605": "an empty cell of a wide table is taken as not reported",
    "W606": "the rows end in different ways",
    "W607": "rows are left out, as the profile says",
    "W701": "the instrument is not in the register, or none is stated",
    "W702": "the calibration of the instrument was overdue when it measured",
    "W703": "the analyst was not trained for the method when it was measured",
    "W704": "the method version was not approved or not in force when it was measured",
}


class Place(NamedTuple):
    """Where: row as a spreadsheet counts it (header 1), physical line, column; 0 and "" = all."""

    row: int = 0
    line: int = 0
    column: str = ""


WHOLE_FILE: Final = Place()


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a file. ``severity`` is ``error`` or ``warning``; ``text`` is the cell's."""

    code: str
    severity: str
    row: int
    line: int
    column: str
    text: str
    message: str
    hint: str


class Wrong(NamedTuple):
    """What is wrong with a cell or a file, before its place is known."""

    code: str
    message: str
    hint: str


class Report:
    """Collects the problems of one file, in the order in which they are found."""

    def __init__(self) -> None:
        """Begin without a problem."""
        self.errors = 0
        self.warnings = 0
        self._found: dict[Problem, None] = {}

    @property
    def is_full(self) -> bool:
        """Whether reading should stop."""
        return max(self.errors, self.warnings) >= MOST_PROBLEMS

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems by row; those of the whole file come first."""
        return tuple(sorted(self._found, key=lambda one: one.row))

    def add(self, wrong: Wrong, *, place: Place = WHOLE_FILE, text: str = "") -> None:
        """Add one problem; the same one of the same place counts once."""
        severity = "error" if wrong.code.startswith("E") else "warning"
        said = shown(text)
        problem = Problem(
            wrong.code, severity, *place, said, message=wrong.message, hint=wrong.hint
        )
        self.include(problem)

    def include(self, problem: Problem) -> None:
        """Add a problem that has its place; the same one counts once."""
        if problem not in self._found:
            self._found[problem] = None
            is_error = problem.severity == "error"
            self.errors += is_error
            self.warnings += not is_error

    def stop_at(self, place: Place) -> None:
        """Say that what comes after ``place`` was not read."""
        message = f"reading stopped after row {place.row}: {MOST_PROBLEMS:,} problems were found"
        self.add(Wrong("E115", message, "Fix what is listed and try again."), place=place)


def shown(text: str) -> str:
    """``text`` for people: unprintable characters by number, and at most 80 characters."""
    if not text.isprintable():
        text = "".join(_visible(character) for character in text[: LONGEST_QUOTE + 1])
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"


def _visible(character: str) -> str:
    """A lone surrogate from U+DC80 stands for a byte that could not be decoded."""
    if character.isprintable():
        return character
    number = ord(character)
    return f"[0x{number - 0xDC00:02X}]" if 0xDC80 <= number <= 0xDCFF else f"[U+{number:04X}]"
