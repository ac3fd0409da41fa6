"""Assay runs as they are stored: the measurements of one run id of one test in one upload."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from batchqc.core.assays import Measurement
from batchqc.core.canonical import sha256_of
from batchqc.core.identifiers import fold
from batchqc.records.registers import LotRow, lots_by, samples_of
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import AssayRun, MeasurementRow, Upload, measurement_content


def store_runs(
    tx: Transaction, upload: Upload, measurements: Sequence[Measurement]
) -> list[AssayRun]:
    """Add the runs of an accepted upload with their measurements."""
    lots = {fold(row.lot): row for row in lots_by(tx.session, {fold(m.lot) for m in measurements})}
    samples = {row.folded: row.id for row in samples_of(tx.session, lots.values())}
    ordered = sorted(measurements, key=_run_of)
    grouped = [(key, list(own)) for key, own in groupby(ordered, key=_run_of)]
    runs = [_run_row(upload, lots[fold(lot)], test, run, own) for (lot, test, run), own in grouped]
    tx.add(*runs)
    values = [
        _measurement_values(one, run.id, samples)
        for run, (_, own) in zip(runs, grouped, strict=True)
        for one in own
    ]
    tx.add_many(MeasurementRow, values)
    return runs


def _run_of(one: Measurement) -> tuple[str, str, str]:
    return (one.lot, one.run.test, one.run.run)


def _run_row(
    upload: Upload, lot: LotRow, test: str, run: str, own: Iterable[Measurement]
) -> AssayRun:
    own = list(own)
    return AssayRun(
        upload=upload,
        lot=lot,
        test=test,
        run=run,
        analysts="\n".join(sorted({one.analyst for one in own})),
        measurements_sha256=sha256_of(measurement_content(own)),
    )


def _measurement_values(
    one: Measurement, run_id: int, samples: Mapping[str, int]
) -> Mapping[str, object]:
    return {
        "assay_run_id": run_id,
        "sample_id": samples[fold(one.sample)],
        "aliquot": one.aliquot,
        "analyte": one.analyte,
        "replicate": one.replicate,
        "value": one.text,
        "unit": one.unit,
        "started_text": one.started_at.isoformat() if one.started_at else "",
        "measured_text": one.measured_at.isoformat(),
        "measured_at": one.measured_at,
        "analyst": one.analyst,
        "instrument": one.instrument,
        "method": one.method,
        "method_version": one.version,
        "result_type": one.result_type,
        "comment": one.comment,
        "row": one.cell.row,
        "line": one.cell.line,
        "column": one.cell.column,
        "original": one.cell.original,
    }
