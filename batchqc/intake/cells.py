"""The cells of one row by column, and the rules that hold for a cell in every column.

A cell with a problem is reported once: what would follow from it is not reported again.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from batchqc.core.identifiers import fold, strange_character
from batchqc.core.superseding import unnamed
from batchqc.intake.problems import Place, Report, Wrong, shown
from batchqc.intake.scan import Record
from batchqc.intake.values import (
    formula_problems,
    is_spreadsheet_error,
    says_nothing,
    spreadsheet_error,
)

IDS_AND_CODES: Final = (
    "lot_id",
    "sample_id",
    "aliquot",
    "test_code",
    "analyte",
    "analyst",
    "instrument_id",
    "run_id",
    "method_id",
    "result_type",
)
OF_RESULT: Final = frozenset({"test_code", "analyte", "value", "unit"})
LONGEST: Final = 100
LONGEST_BY_COLUMN: Final = {"comment": 500, "value": 500}
#: As a spreadsheet shows a long number, and what it took for a date: 2.31E+13, 3-Jan, Mar-26.
_CHANGED: Final = re.compile(
    r"[1-9](?:\.[0-9]+)?E\+[0-9]{2,3}|[0-3]?[0-9]-(?:"
    r"Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)|"
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-[0-9]{2}"
)


class Row:
    """One row: reads cells, and reports what is wrong with them at their place."""

    def __init__(
        self,
        record: Record,
        *,
        columns: Mapping[str, int],
        names: tuple[str, ...],
        spoiled: frozenset[tuple[int, int]],
        report: Report,
        shown: Mapping[str, str],
    ) -> None:
        """Take a record.

        Args:
            record: its cells.
            columns: indexes by name.
            names: how to show each column.
            spoiled: cells that have a problem already.
            report: takes the problems.
            shown: the header of a column in the file, where it is not that of the contract.
        """
        self.record = record
        self.is_wrong = False
        self._columns = columns
        self._names = names
        self._report = report
        self._shown = shown
        self._unreadable = set()
        if spoiled:
            self._unreadable = {i for i in range(len(names)) if (record.row, i) in spoiled}
            self.is_wrong = bool(self._unreadable)
        self._check_every_cell()
        self._check_lengths()
        self._check_ids_and_codes()

    def text(self, column: str) -> str | None:
        """The cell as typed: "" where the file has no such column, ``None`` where it is wrong."""
        index = self._columns.get(column)
        if index is None:
            return ""
        return None if index in self._unreadable else self.record.cells[index]

    def typed(self, column: str) -> str:
        """The cell as typed, right or wrong."""
        index = self._columns.get(column)
        return "" if index is None else self.record.cells[index]

    def required(self, column: str) -> str | None:
        """The cell without outer spaces; ``None`` where it is wrong or blank, which is reported."""
        text = self.text(column)
        if text is None:
            return None
        if not text.strip():
            self.wrong(column, Wrong("E202", f"{column} is blank", f"Enter the {column}."))
            return None
        return text.strip()

    def optional_id(self, column: str) -> str | None:
        """An id that nothing registers, without outer spaces; ``None`` where it is wrong."""
        text = (self.text(column) or "").strip()
        if problem := free_id_problem(text, column):
            self.wrong(column, problem)
            return None
        return text

    def wrong(self, column: str, wrong: Wrong) -> None:
        """Report a problem of a cell; an error makes the row unusable."""
        self._report.add(wrong, place=self._place(column), text=self.typed(column))
        self.is_wrong = self.is_wrong or wrong.code.startswith("E")

    def _check_every_cell(self) -> None:
        """Look for what a spreadsheet left behind or would run (OWASP CSV injection)."""
        for index, cell in enumerate(self.record.cells):
            if not cell or cell[0].isalnum() or index in self._unreadable:
                continue
            for problem in spreadsheet_problems(cell, column=self._names[index]):
                self._spoil(index, problem)

    def _check_lengths(self) -> None:
        if max(map(len, self.record.cells)) <= LONGEST:
            return
        for column, index in self._columns.items():
            longest, length = longest_in(column), len(self.record.cells[index])
            if length > longest and index not in self._unreadable:
                message = f"{column} has {length:,} characters; at most {longest} are read"
                self._spoil(index, Wrong("E406", message, "Shorten it."))

    def _check_ids_and_codes(self) -> None:
        everything = "".join(self.record.cells)
        if everything.isascii() and everything.isprintable():
            return
        for column in IDS_AND_CODES:
            text = self.text(column)
            if text and not (text.isascii() and text.isprintable()):
                strange = strange_character(text)
                message = f'{column} "{shown(text)}" contains {strange}'
                hint = "Type it again, with plain letters, digits and signs only."
                self._spoil(self._columns[column], Wrong("E403", message, hint))

    def _spoil(self, index: int, wrong: Wrong) -> None:
        self._unreadable.add(index)
        self.is_wrong = True
        place = self._place(self._names[index])
        self._report.add(wrong, place=place, text=self.record.cells[index])

    def _place(self, column: str) -> Place:
        """Where a cell stands: what a wide table says by a column's header is said there."""
        if self.record.column and column in OF_RESULT:
            name = self.record.column
        else:
            name = self._shown.get(column, column)
        return Place(self.record.row, self.record.line, name)


def free_id_problem(text: str, column: str) -> Wrong | None:
    """What is wrong with an id that nothing registers; it may be blank."""
    if column == "run_id" and fold(text).endswith(unnamed("").strip()):
        message = f'"{shown(text)}" is what rows without a run_id are shown under'
        return Wrong("E202", message, "Leave the cell blank, or enter the id.")
    if text and says_nothing(text):
        message = f'"{shown(text)}" is not a {column}'
        return Wrong("E202", message, "Leave the cell blank, or enter the id.")
    if _CHANGED.fullmatch(text):
        message = (
            f'{column} "{text}" is what a spreadsheet makes of an id: others look the same now'
        )
        return Wrong("E402", message, "Format the column as text, and enter the id again.")
    return None


def spreadsheet_problems(cell: str, *, column: str) -> Iterator[Wrong]:
    """What a spreadsheet left behind in a cell or would run (OWASP CSV injection)."""
    if not (column == "value" and cell[:1] in {"+", "-"}):
        yield from formula_problems(cell, column=column)
    if column not in {"comment", "value"} and is_spreadsheet_error(cell):
        yield spreadsheet_error(cell)


def longest_in(column: str) -> int:
    """How many characters a cell of a column of the contract may have."""
    return LONGEST_BY_COLUMN.get(column, LONGEST)
