"""The header of a contract: exact names, in any order.

A name that is only like one of the contract (``Sample ID``, ``run_id`` with an invisible letter)
is refused and shown, because reading the file without that column would change what it says. Other
names are not read, and are listed.
"""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Final

from batchqc.intake.problems import Place, Report, Wrong, shown
from batchqc.intake.scan import Record
from batchqc.intake.table import Table
from batchqc.intake.values import formula_problems

REQUIRED_COLUMNS: Final = (
    "lot_id",
    "sample_id",
    "test_code",
    "analyte",
    "replicate",
    "value",
    "unit",
    "measured_at",
    "analyst",
)
OPTIONAL_COLUMNS: Final = (
    "aliquot",
    "started_at",
    "instrument_id",
    "run_id",
    "method_id",
    "result_type",
    "comment",
)

#: What may be stated once for a whole file of a contract.
MAY_STATE: Final = ("run_id", "method_id")

COLUMNS: Final = frozenset(REQUIRED_COLUMNS + OPTIONAL_COLUMNS)
_HINT: Final = "Take the header from the template; names are exact, in lower case."
_LIKE: Final = 0.7
_SHORT: Final = {
    "result_type": ("type", "resulttype"),
    "run_id": ("run", "runno", "runnumber", "runname"),
    "instrument_id": ("instrument", "instrumentno", "instrumentname"),
    "method_id": ("method", "methodno", "methodname"),
    "started_at": ("started", "start", "starttime"),
}
_LONGEST_NAME: Final = 40


@dataclass(frozen=True, slots=True)
class Header:
    """Which columns a file has: ``columns`` are indexes by name, ``names`` say all of them."""

    names: tuple[str, ...]
    columns: Mapping[str, int]
    used: tuple[str, ...]
    unused: tuple[str, ...]
    is_complete: bool


def read_header(
    table: Table,
    report: Report,
    *,
    required: Sequence[str] = REQUIRED_COLUMNS,
    optional: Sequence[str] = OPTIONAL_COLUMNS,
    results: Collection[int] = (),
) -> Header:
    """Find the columns of a contract, and report what is wrong with the header.

    Args:
        table: the file.
        report: takes the problems.
        required: names that must be there.
        optional: names that may be there.
        results: indexes of columns that are read for themselves.
    """
    known = (*required, *optional)
    indexes = range(len(table.header))
    names = tuple(table.column_name(index) for index in indexes)
    columns = {name: index for index, name in enumerate(table.header) if name in known}
    unused = [
        i for i in indexes
        if i not in results and table.header[i] not in known and table.header[i].strip()
    ]  # fmt: skip
    missing = [name for name in required if name not in columns]
    if missing:
        report.add(_missing(table, columns, missing), place=header_place(table))
    repeated = _report_repeated(table, report)
    absent = [name for name in known if name not in columns]
    near = {
        index: like
        for index in unused
        if (like := _near(table.header[index], known) or _cut(table.header[index], absent))
    }
    for index, like in near.items():
        message = f'the header has "{shown(table.header[index])}" where "{like}" is read'
        place = header_place(table, names[index])
        report.add(Wrong("E110", message, _HINT), place=place, text=table.header[index])
    _report_formulas(table, report)
    if columns:
        _report_unread(table, report, unused=[index for index in unused if index not in near])
    is_complete = not missing and not repeated.intersection(known)
    return Header(names, columns, tuple(columns), tuple(names[i] for i in unused), is_complete)


def _is_header(cells: Sequence[str]) -> bool:
    """Whether a row holds names of columns and no result."""
    return len(COLUMNS.intersection(map(str.strip, map(str.lower, cells)))) >= 3


def with_stated(
    table: Table, stated: Mapping[str, str], report: Report
) -> tuple[Table, dict[str, str]]:
    """The table with the columns that who uploads states for every row, and how to show those."""
    for name in stated:
        if name not in MAY_STATE:
            message = f"{name} was stated; only {' and '.join(MAY_STATE)} can be"
            report.add(Wrong("E110", message, f"Put {name} into the file."))
        elif name in table.header:
            message = f"{name} was stated, and the file has it too"
            report.add(Wrong("E107", message, "Keep one of them."), place=header_place(table, name))
    new = {name: stated[name] for name in MAY_STATE if name in stated and name not in table.header}
    records = table.records
    if new:
        cells = list(new.values())
        records = tuple(one._replace(cells=[*one.cells, *cells]) for one in records)
    widened = replace(table, header=(*table.header, *new), records=records)
    return widened, {name: f"stated: {name}" for name in new}


def is_second_header(record: Record, report: Report) -> bool:
    """Whether a row holds the header again, which is reported."""
    if not _is_header(record.cells):
        return False
    message = f"row {record.row} is a second header row"
    report.add(Wrong("E112", message, "Remove it."), place=Place(record.row, record.line))
    return True


def header_place(table: Table, column: str = "") -> Place:
    """Where the header stands."""
    has_sep_line = table.dialect is not None and table.dialect.has_sep_line
    return Place(row=1, line=2 if has_sep_line else 1, column=column)


def _missing(table: Table, columns: Mapping[str, int], missing: Sequence[str]) -> Wrong:
    if columns:
        return Wrong("E110", f"the header does not have: {', '.join(missing)}", _HINT)
    message = f"header row not found at row 1 (required: {', '.join(REQUIRED_COLUMNS)})"
    below = next((one.row for one in table.records if _is_header(one.cells)), None)
    hint = f"Row {below} looks like the header: remove what is above it." if below else _HINT
    return Wrong("E110", message, hint)


def _report_repeated(table: Table, report: Report) -> frozenset[str]:
    """Report names that stand in the header more than once."""
    where: dict[str, list[str]] = {}
    for index, name in enumerate(table.header):
        if name.strip():
            where.setdefault(name.strip(), []).append(str(index + 1))
    repeated = {name: numbers for name, numbers in where.items() if len(numbers) > 1}
    for name, numbers in repeated.items():
        index = int(numbers[0]) - 1
        listed = f"{', '.join(numbers[:-1])} and {numbers[-1]}"
        message = f'duplicate column "{table.column_name(index)}" (columns {listed})'
        place = header_place(table, table.column_name(index))
        hint = "Keep one of them; nobody else can say which one is right."
        report.add(Wrong("E107", message, hint), place=place, text=name)
    return frozenset(repeated)


def _report_formulas(table: Table, report: Report) -> None:
    for index, name in enumerate(table.header):
        for problem in formula_problems(name, column=f"header column {index + 1}"):
            report.add(problem, place=header_place(table, table.column_name(index)), text=name)


def _near(name: str, known: Sequence[str]) -> str | None:
    """The column that ``name`` is like: the same letters, or a look-alike of one."""
    if len(name) > _LONGEST_NAME:
        return None
    plain = letters(name)
    for column in known:
        wanted = letters(column)
        if plain == wanted:
            return column
        if not name.isascii() and SequenceMatcher(None, plain, wanted).ratio() > _LIKE:
            return column
    return None


def _cut(name: str, absent: Sequence[str]) -> str | None:
    """The column that a file lacks and ``name`` says in short: ``run``, ``type``, ``comments``."""
    plain = letters(name).removesuffix("s")
    return next((one for one in absent if plain in _SHORT.get(one, (one,))), None)


def letters(name: str) -> str:
    """The letters and digits of a name, by which one that is only like another is found."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in plain if character.isalnum())


def _report_unread(table: Table, report: Report, *, unused: Sequence[int]) -> None:
    if unused:
        listed = ", ".join(f'"{table.column_name(index)}"' for index in unused)
        message = f"columns that are not read: {listed}"
        hint = "Nothing in them counts; put remarks into the column comment."
        report.add(Wrong("W604", message, hint), place=header_place(table))
    for index, name in enumerate(table.header):
        if not name.strip() and index not in table.blank_columns:
            message = f"column {index + 1} has cells but no name"
            place = header_place(table, table.column_name(index))
            report.add(Wrong("E110", message, "Name the column, or delete it."), place=place)
