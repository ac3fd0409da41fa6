"""Measurements as read from a file, and the assay runs they belong to.

A run as stored is one run id of one test in one upload. Another file for the same run is other
content, and so another version of the run, stored beside the first: nothing replaces what was
read before.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from batchqc.core.entries import HIDDEN, SecondEntry
from batchqc.core.quantities import Amount, parse_amount

REPORTABLE: Final = "reportable"
CONTROL: Final = "control"
INVESTIGATIONAL: Final = "investigational"  # of a hypothesis; it never counts (requirement 3.07)
RESULT_TYPES: Final = (REPORTABLE, "raw", CONTROL, "standard", "blank", INVESTIGATIONAL)


@dataclass(frozen=True, slots=True)
class RunKey:
    """One assay run as stored: the upload it came with, its test and its run id."""

    upload: str
    test: str
    run: str

    def __str__(self) -> str:
        return f"run {self.run} ({self.test}) of {self.upload}"


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a value was read: row as a spreadsheet counts it, physical line, column name, text.

    ``original`` is the text in the file where a declared profile made ``text`` of it (``96,90``).
    """

    row: int
    line: int
    column: str
    text: str
    original: str = ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One replicate: the text of its value and all that it was measured with.

    ``method`` is the method's code; ``version`` may be empty. Times carry their offset.
    ``superseded_by`` is the upload that has the next version of its run, or ""; ``second`` says
    whether a typed result has been typed by a second person; ``retest_of`` is the number of the
    investigation under whose plan it was measured again, or "". ``again`` is value and unit as the
    second person typed them, where these do not match. ``wells`` are the runs from whose wells it
    was computed and declared; none where it was measured directly.
    """

    run: RunKey
    lot: str
    sample: str
    stage: str
    aliquot: str
    analyte: str
    replicate: int
    unit: str
    measured_at: datetime
    started_at: datetime | None
    analyst: str
    instrument: str
    method: str
    version: str
    result_type: str
    cell: Cell
    comment: str = ""
    superseded_by: str = ""
    second: SecondEntry = SecondEntry.NOT_NEEDED
    retest_of: str = ""
    again: tuple[str, str] | None = None
    wells: tuple[RunKey, ...] = ()

    @property
    def text(self) -> str:
        """The value as typed."""
        return self.cell.text

    @property
    def shown(self) -> "Measurement":
        """It as anybody may see it: what waits for its second entry is hidden."""
        if self.second is not SecondEntry.WAITS:
            return self
        cell = replace(self.cell, text=HIDDEN, original="")
        return replace(self, cell=cell, unit=HIDDEN, comment=HIDDEN)

    @property
    def amount(self) -> Amount | None:
        """The value as a number, where it is one."""
        return amount_of(self.text, self.unit)

    @property
    def elapsed(self) -> timedelta | None:
        """From thaw, inoculation or plating to the measurement."""
        return None if self.started_at is None else self.measured_at - self.started_at


def amount_of(text: str, unit: str) -> Amount | None:
    """The number in a value cell; a trailing ``%`` is read where the unit is ``%``."""
    if unit == "%" and text.endswith("%"):
        text = text[:-1].rstrip()
    return parse_amount(text)
