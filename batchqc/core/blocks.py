"""Many measurements at once, by columns: how a large file goes from its cells to the records."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from batchqc.core.assays import Cell, Measurement, RunKey
from batchqc.core.canonical import utc_text


class Block(NamedTuple):
    """Measurements of one upload; every column has a member for each, in the order of the file.

    ``started`` and ``measured`` are times as text with their offset (``started`` may be ""),
    ``measured_at`` is the same moment in UTC. ``is_plain`` says that no text needs an escape in
    JSON, and that all are in Unicode NFC.
    """

    lot: Sequence[str] = ()
    test: Sequence[str] = ()
    run: Sequence[str] = ()
    sample: Sequence[str] = ()
    aliquot: Sequence[str] = ()
    analyte: Sequence[str] = ()
    replicate: Sequence[int] = ()
    value: Sequence[str] = ()
    unit: Sequence[str] = ()
    started: Sequence[str] = ()
    measured: Sequence[str] = ()
    measured_at: Sequence[str] = ()
    analyst: Sequence[str] = ()
    instrument: Sequence[str] = ()
    method: Sequence[str] = ()
    version: Sequence[str] = ()
    result_type: Sequence[str] = ()
    comment: Sequence[str] = ()
    row: Sequence[int] = ()
    line: Sequence[int] = ()
    column: Sequence[str] = ()
    original: Sequence[str] = ()
    is_plain: bool = False


def block_of(measurements: Iterable[Measurement]) -> Block:
    """Measurements by columns."""
    rows = [
        (
            one.lot, one.run.test, one.run.run, one.sample, one.aliquot, one.analyte,
            one.replicate, one.text, one.unit,
            one.started_at.isoformat() if one.started_at else "",
            one.measured_at.isoformat(), utc_text(one.measured_at),
            one.analyst, one.instrument, one.method, one.version, one.result_type, one.comment,
            one.cell.row, one.cell.line, one.cell.column, one.cell.original,
        )
        for one in measurements
    ]  # fmt: skip
    return Block._make((*zip(*rows, strict=True), False)) if rows else Block()


def measurements_of(
    block: Block, upload: str, stage_of: Callable[[str], str]
) -> Iterator[Measurement]:
    """The measurements of a block, of an upload by its number; stages are those of the samples."""
    for row in zip(*block[:-1], strict=True):
        (
            lot, test, run, sample, aliquot, analyte, replicate, value, unit, started, measured, _,
            analyst, instrument, method, version, result_type, comment, number, line, column,
            original,
        ) = row  # fmt: skip
        yield Measurement(
            run=RunKey(upload, test, run),
            lot=lot,
            sample=sample,
            stage=stage_of(sample),
            aliquot=aliquot,
            analyte=analyte,
            replicate=replicate,
            unit=unit,
            measured_at=datetime.fromisoformat(measured),
            started_at=datetime.fromisoformat(started) if started else None,
            analyst=analyst,
            instrument=instrument,
            method=method,
            version=version,
            result_type=result_type,
            cell=Cell(number, line, column, value, original),
            comment=comment,
        )
