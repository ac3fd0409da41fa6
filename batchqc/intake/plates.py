"""Plates: wells named by letter and number, and what was read in each.

A row without a letter belongs to the letter above it. Only wells of which the uploader says the
sample are read; the others, such as those of standards and blanks, are listed.
"""

from collections.abc import Mapping
from typing import Final

from batchqc.intake.scan import Record
from batchqc.intake.table import Table

WELL: Final = "Well"


def wells(table: Table) -> Mapping[str, Mapping[str, Record]]:
    """By well, by what was read there: a record of one cell, at its own place."""
    found: dict[str, dict[str, Record]] = {}
    letter = ""
    for record in table.records:
        letter = record.cells[0].strip() or letter
        read = record.cells[-1].strip()
        for number, cell in zip(table.header[1:-1], record.cells[1:-1], strict=True):
            column = f"{number.strip()} ({read})"
            place = record._replace(cells=(cell,), column=column)
            found.setdefault(f"{letter}{number.strip()}", {})[read] = place
    return found
