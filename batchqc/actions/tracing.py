"""From any cell of a file forward: the measurement, and every verdict and document that used it.

A verdict is current, as the records judge the lot now, or recorded, as a signed decision holds it.
A cell that nothing used says why.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.evaluation import study
from batchqc.actions.large_again import is_large, table_at
from batchqc.actions.profiles import profile_named
from batchqc.actions.sources import Files, Source, cell_of
from batchqc.actions.uploads import reading_of, the_upload
from batchqc.actions.uses import (
    DecisionUse,
    Used,
    certificates_under,
    current_uses,
    decision_use,
    recorded_uses,
)
from batchqc.core.assays import CONTROL, REPORTABLE, Measurement
from batchqc.core.entries import HIDDEN, SecondEntry
from batchqc.documents.archive import Archive
from batchqc.errors import NotFound
from batchqc.intake.contract import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from batchqc.intake.header import read_header
from batchqc.intake.problems import Report
from batchqc.records.entries import how_entered, verifications_of
from batchqc.records.uploads import AssayRun, MeasurementRow, Upload

VALUE: Final = "value"
_IDENTIFYING: Final = frozenset({*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS}) - {VALUE}


@dataclass(frozen=True, slots=True)
class CellTrace:
    """One cell of an upload and what became of it; ``not_used`` says why nothing did.

    ``problems`` are those of the whole file, as it was told when it came. ``certificates`` are
    numbers with their state: issued or pending.
    """

    upload: str
    file: str
    sha256: str
    accepted: bool
    row: int
    line: int
    column: str
    text: str
    not_used: str
    problems: tuple[Mapping[str, Any], ...] = ()
    sources: tuple[Source, ...] = ()
    verdicts: tuple[Used, ...] = ()
    decisions: tuple[DecisionUse, ...] = ()
    certificates: tuple[tuple[str, str], ...] = ()
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """A cell as the file holds it."""

    row: int
    line: int
    column: str
    text: str


def trace_cell(
    session: Session,
    archive: Archive,
    *,
    number: str,
    place: tuple[int, str],
    now: datetime,
) -> CellTrace:
    """What became of a cell of an upload.

    Args:
        session: only read.
        archive: where its bytes are.
        number: of the upload.
        place: row, as a spreadsheet counts, and the name of the column; a cell of another column
            than those of results is traced to the results of its row.
        now: the moment, as of which the verdicts are current.

    Raises:
        NotFound: there is no such upload, or no such cell in its file.
    """
    upload = the_upload(session, number)
    cell = _cell(session, upload, archive, *place)
    rows, measurements = _measurements(session, upload, cell)
    cases = {
        lot.lot: study(session, archive, lot=lot, now=now)
        for lot in {row.assay_run.lot_id: row.assay_run.lot for row in rows}.values()
    }
    own = [
        one
        for case in cases.values()
        for one in case.measurements
        if cell_of(one) in measurements and one.lot == case.row.lot
    ]
    current = [used for one in own for used in current_uses(cases[one.lot], one)]
    recorded = [
        (decision, used)
        for one in own
        for decision in cases[one.lot].dispositions
        for used in recorded_uses(archive, decision, one)
    ]
    decisions = {decision.id: decision for decision, _ in recorded}
    files = {lot: Files(case) for lot, case in cases.items()}
    verdicts = (*current, *(used for _, used in recorded))
    problems = json.loads(upload.problems)
    verified = verifications_of(session, [upload.id]).get(upload.id)
    is_hidden = how_entered(upload, verified) is SecondEntry.WAITS
    return CellTrace(
        upload=upload.natural_key,
        file=upload.file,
        sha256=upload.sha256,
        accepted=bool(upload.accepted),
        row=cell.row,
        line=cell.line,
        column=cell.column,
        text=HIDDEN if is_hidden else cell.text,
        not_used="" if verdicts else _why_not(session, archive, upload, cell, own),
        problems=() if is_hidden else tuple(problems),
        sources=tuple(files[one.lot].source(one) for one in own),
        verdicts=verdicts,
        decisions=tuple(decision_use(one) for one in decisions.values()),
        certificates=tuple(certificates_under(session, cases.values(), decisions)),
    )


def result_columns(session: Session, *, number: str, row: int) -> list[str]:
    """The columns of a row that hold measurements; the value column where it has none."""
    upload = the_upload(session, number)
    query = (
        select(MeasurementRow.column)
        .join(AssayRun, AssayRun.id == MeasurementRow.assay_run_id)
        .where(AssayRun.upload_id == upload.id, MeasurementRow.row == row)
        .order_by(MeasurementRow.id)
    )
    return list(dict.fromkeys(session.scalars(query))) or [VALUE]


def _cell(session: Session, upload: Upload, archive: Archive, row: int, column: str) -> _Place:
    """The cell; of a refused file, which may hold no table, also one that is not there."""
    try:
        return _found(session, upload, archive, row, column)
    except NotFound:
        if upload.accepted:
            raise
    return _Place(row, 0, column, "")


def _found(session: Session, upload: Upload, archive: Archive, row: int, column: str) -> _Place:
    if not upload.sha256:
        raise NotFound("BQC-UPL-003", f"the bytes of {upload.natural_key} were too many to be kept")
    of_upload = select(MeasurementRow).join(AssayRun).where(AssayRun.upload_id == upload.id)
    read = session.scalars(
        of_upload.where(MeasurementRow.row == row, MeasurementRow.column == column)
    ).first()
    if read is not None:
        return _Place(row, read.line, column, read.original or read.value)
    profile = profile_named(session, archive, upload.profile)
    table = table_at(archive, upload, profile, row)
    names = [table.column_name(index) for index in range(len(table.header))]
    if column not in names:
        hint = f"It has: {', '.join(names)}."
        raise NotFound("BQC-TRC-004", f'{upload.natural_key} has no column "{column}"', hint=hint)
    record = next((one for one in table.records if one.row == row), None)
    if record is None:
        raise NotFound(
            "BQC-TRC-005",
            f"{upload.natural_key} has no row {row} of results",
            hint="The header is row 1; blank rows are not read.",
        )
    index = names.index(column)
    line = table.lines.get((row, index), record.line)
    return _Place(row, line, column, record.cells[index])


def _measurements(
    session: Session, upload: Upload, cell: _Place
) -> tuple[Sequence[MeasurementRow], set[tuple[str, int, str]]]:
    """The measurements of a cell; those of its row where its column says what was measured."""
    query = (
        select(MeasurementRow)
        .join(AssayRun, AssayRun.id == MeasurementRow.assay_run_id)
        .where(AssayRun.upload_id == upload.id, MeasurementRow.row == cell.row)
        .order_by(MeasurementRow.id)
    )
    rows = session.scalars(query).all()
    if cell.column not in _IDENTIFYING:
        rows = [one for one in rows if one.column == cell.column]
    return rows, {(upload.natural_key, one.row, one.column) for one in rows}


def _why_not(
    session: Session,
    archive: Archive,
    upload: Upload,
    cell: _Place,
    own: Sequence[Measurement],
) -> str:
    """Why no verdict uses a cell."""
    if not upload.accepted:
        return "the upload was refused: nothing of it is used"
    if own:
        return "; ".join(dict.fromkeys(_unused(one) for one in own))
    if cell.column not in _columns_used(session, archive, upload):
        return f'the column "{cell.column}" is not read'
    if not cell.text.strip():
        return "the cell is empty: taken as not reported"
    return "no result was read from this row"


def _columns_used(session: Session, archive: Archive, upload: Upload) -> Sequence[str]:
    if not is_large(upload):
        return reading_of(session, archive, upload).columns_used
    profile = profile_named(session, archive, upload.profile)
    return read_header(table_at(archive, upload, profile, 2), Report()).used


def _unused(one: Measurement) -> str:
    if one.superseded_by:
        return f"{one.run} is superseded by the run of {one.superseded_by}"
    if one.second in {SecondEntry.WAITS, SecondEntry.MISMATCH}:
        return f"it was typed, and its second entry {one.second.value}"
    if one.retest_of:
        return f"it is a retest under {one.retest_of}, and no conclusion lets it count"
    if one.result_type == CONTROL:
        return "it is a control, and no criterion compares a result with it"
    if one.result_type != REPORTABLE:
        return f"its row is {one.result_type}: only reportable results are judged"
    return (
        f"no verdict rests on {one.run.test} {one.analyte} of this run:"
        " no criterion measures it, the run is not valid, or an investigation set it aside"
    )
