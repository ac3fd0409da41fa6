"""Plates: wells named by letter and number, and what was read in each.

A row without a letter belongs to the letter above it. Only wells of which the uploader says the
sample are read; the others, such as those of standards and blanks, are listed.
"""

from collections.abc import Collection, Mapping
from typing import Final

from batchqc.intake.problems import Place, Report, Wrong, shown
from batchqc.intake.scan import Record
from batchqc.intake.table import Table

WELL: Final = "Well"


def wells(
    table: Table, wanted: Collection[str], report: Report
) -> Mapping[str, Mapping[str, Record]]:
    """By well, by what was read there: a record of one cell, at its own place.

    Two cells of a well that both say what is ``wanted`` are reported.
    """
    found: dict[str, dict[str, Record]] = {}
    letter = ""
    for record in table.records:
        letter = record.cells[0].strip() or letter
        read = record.cells[-1].strip()
        for number, cell in zip(table.header[1:-1], record.cells[1:-1], strict=True):
            column = f"{number.strip()} ({read})"
            well = f"{letter}{number.strip()}"
            own = found.setdefault(well, {})
            one = record._replace(cells=(cell,), column=column)
            first = own.setdefault(read, one)
            if read in wanted and first is not one:
                message = f"well {shown(well)} ({shown(read)}) stands in row {first.row} too"
                hint = "Export each plate alone; nobody else can say which one is right."
                place = Place(record.row, record.line, column)
                report.add(Wrong("E107", message, hint), place=place, text=cell)
    return found
