"""The wide contract, version 1: one row for each sample, one column for each analyte.

- A column of results is named ``FLOW.CD73 [%]``; one of words needs no unit (``STER.growth_14d``).
  The test may be left out where the plans of the file's lots have the analyte in one test only.
- Each filled cell becomes a row of the long contract and is read by its rules, at its own place.
- A column that is only like one of results (``ster.growth_14d``, ``CD73 (%)``) is refused.
- An empty cell is "not reported" and never 0: a warning names it.
"""

import re
from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from batchqc.core.subjects import Measured
from batchqc.intake.header import Header, header_place, is_second_header, letters, read_header
from batchqc.intake.problems import Place, Report, Wrong
from batchqc.intake.register import Register
from batchqc.intake.scan import Record
from batchqc.intake.table import Table

WIDE_CONTRACT: Final = "batchqc wide v1"
WIDE_REQUIRED: Final = ("lot_id", "sample_id", "replicate", "measured_at", "analyst")
WIDE_OPTIONAL: Final = (
    "aliquot", "started_at", "instrument_id", "run_id", "method_id", "result_type", "comment",
)  # fmt: skip

_LONG_ONLY: Final = frozenset({"test_code", "analyte", "value", "unit"})
_NAME: Final = re.compile(
    r"(?:(?P<test>[A-Za-z0-9_+/-]+)\.)?(?P<analyte>[^\s\[\]][^\[\]]*?)(?P<unit> ?\[.*\])?"
)
_ROWS_NAMED: Final = 5


class Column(NamedTuple):
    """A column of results: where it stands, and what the long contract would say of its cells."""

    at: int
    name: str
    test: str
    analyte: str
    unit: str


def is_wide(names: Sequence[str]) -> bool:
    """Whether a header is that of the wide contract: results stand in columns of their own."""
    return not _LONG_ONLY.intersection(names) and any(_looks_like_results(one) for one in names)


def unfold(table: Table, register: Register, report: Report) -> tuple[Header, Table]:
    """The rows of the long contract that a wide table holds, and how its columns are used."""
    planned = dict.fromkeys(_planned(register))
    named = [i for i, name in enumerate(table.header) if _holds_results(name, planned)]
    header = read_header(
        table, report, required=WIDE_REQUIRED, optional=WIDE_OPTIONAL, results=frozenset(named)
    )
    columns = [
        column for index in named if (column := _column(table, index, planned, report)) is not None
    ]
    _report_twice(table, columns, report)
    _report_like(table, {*named, *header.columns.values()}, planned, report)
    long = (*header.columns, *sorted(_LONG_ONLY))
    places = {name: index for index, name in enumerate(long)}
    used = {table.header[one.at]: one.at for one in columns}
    indexes = list(header.columns.values())
    unfolded = table
    if header.is_complete:
        unfolded = _unfolded(table, columns, indexes, report)
    return replace(header, names=long, columns=places, used=(*header.used, *used)), unfolded


def _unfolded(
    table: Table, columns: Sequence[Column], indexes: Sequence[int], report: Report
) -> Table:
    rows = [record for record in table.records if not is_second_header(record, report)]
    records = [
        Record(
            record.row,
            record.line,
            [
                *(record.cells[index] for index in indexes),
                *(column.analyte, column.test, column.unit, record.cells[column.at]),
            ],  # as _LONG_ONLY is sorted
            column.name,
        )
        for record in rows
        for column in columns
        if record.cells[column.at].strip() and (record.row, column.at) not in table.spoiled
    ]
    for column in columns:
        empty = [record for record in rows if not record.cells[column.at].strip()]
        if empty:
            _report_empty(column, empty, report)
    if rows and not records:
        message = "no cell under a column of results is filled"
        report.add(Wrong("E109", message, "Enter what was measured."))
    places = {old: new for new, old in enumerate(indexes)}
    spoiled = frozenset((row, places[old]) for row, old in table.spoiled if old in places)
    return replace(table, records=tuple(records), spoiled=spoiled)


def _looks_like_results(name: str) -> bool:
    found = _NAME.fullmatch(name)
    return found is not None and bool(found["test"] or found["unit"])


def _said(name: str, planned: Collection[Measured]) -> tuple[str, str, str | None] | None:
    """Test, analyte and unit that a column names: by its first point, unless it is planned so."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    unit, rest = found["unit"], name.removesuffix(found["unit"] or "")
    unit = unit and unit.strip()[1:-1]  # which may have brackets itself: [[pH]]
    for one in planned:
        if rest == f"{one.test}.{one.analyte}":
            return one.test, one.analyte, unit
    if any(rest == one.analyte for one in planned):
        return "", rest, unit
    return found["test"] or "", found["analyte"], unit


def _holds_results(name: str, planned: Collection[Measured]) -> bool:
    """Whether a column is read: it names a unit, or a test that some lot of the file plans."""
    said = _said(name, planned)
    return said is not None and (said[2] is not None or said[0] in {one.test for one in planned})


def _column(
    table: Table, index: int, planned: Collection[Measured], report: Report
) -> Column | None:
    """What a column of results holds, where its test is known."""
    said = _said(table.header[index], planned)
    if said is None:
        return None
    name, (test, analyte, unit) = table.column_name(index), said
    if test:
        return Column(index, name, test, analyte, unit or "")
    tests = sorted({one.test for one in planned if one.analyte == analyte})
    if len(tests) == 1:
        return Column(index, name, tests[0], analyte, unit or "")
    message = f'column "{name}" does not say its test'
    if tests:
        message += f"; {analyte} is measured by {' and '.join(tests)}"
    else:
        message += ", and no plan of the lots in this file has it"
    hint = "Name the column TEST.analyte [unit], such as FLOW.CD73 [%]."
    report.add(Wrong("E110", message, hint), place=header_place(table, name))
    return None


def _planned(register: Register) -> Iterator[Measured]:
    for lot in register.lots.values():
        for plan in (lot.specification, *lot.beside):
            for criterion in plan.criteria:
                if isinstance(criterion.subject, Measured):
                    yield criterion.subject


def _report_twice(table: Table, columns: Sequence[Column], report: Report) -> None:
    """Two columns of one analyte: nobody could say which one is right."""
    first: dict[tuple[str, str], Column] = {}
    for column in columns:
        other = first.setdefault((column.test, column.analyte), column)
        if other is not column and other.name != column.name:
            message = f'columns "{other.name}" and "{column.name}" are both {column.test}'
            message += f".{column.analyte}"
            hint = "Keep one of them; nobody else can say which one is right."
            report.add(Wrong("E107", message, hint), place=header_place(table, column.name))


def _report_like(
    table: Table, used: Container[int], planned: Collection[Measured], report: Report
) -> None:
    """Columns that are not read, and are named like what is planned: a result would be lost."""
    wanted = {letters(one.analyte): one for one in planned}
    wanted |= {letters(f"{one.test}{one.analyte}"): one for one in planned}
    for index, typed in enumerate(table.header):
        parts = (typed, typed.partition(".")[2])
        like = next((wanted[own] for own in map(letters, parts) if own in wanted), None)
        if like is None or index in used:
            continue
        name, unit = table.column_name(index), f" [{like.unit}]" if like.unit else ""
        message = f'the header has "{name}" where "{like.test}.{like.analyte}{unit}" is read'
        hint = "Name it so; or rename the column if it holds no result."
        report.add(Wrong("E110", message, hint), place=header_place(table, name), text=typed)


def _report_empty(column: Column, records: Sequence[Record], report: Report) -> None:
    rows = ", ".join(str(record.row) for record in records[:_ROWS_NAMED])
    more = f" and {len(records) - _ROWS_NAMED} more" if len(records) > _ROWS_NAMED else ""
    noun = "cell" if len(records) == 1 else "cells"
    where = "row" if len(records) == 1 else "rows"
    message = (
        f"{len(records)} empty {noun} ({column.analyte}, {where} {rows}{more}):"
        ' taken as "not reported", never as 0'
    )
    place = Place(records[0].row, records[0].line, column.name)
    report.add(
        Wrong("W605", message, "Nothing needs to be done if it was not measured."), place=place
    )
