"""Uploads: one file in, whole or not at all, and on record either way.

Preview and commit read by the same function. A refused file leaves its bytes, its record and its
audit entry, and nothing else; a preview leaves nothing.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy.orm import Session

from batchqc.actions.permission import require
from batchqc.actions.specifications import content_of
from batchqc.core.assays import Measurement
from batchqc.core.canonical import sha256_of
from batchqc.core.identifiers import fold
from batchqc.core.lots import Sample
from batchqc.core.permissions import Permission
from batchqc.documents.archive import FolderArchive
from batchqc.errors import Conflict, NotFound
from batchqc.intake.contract import Reading, Register, RegisteredLot, read_bytes
from batchqc.intake.problems import Problem
from batchqc.records.bindings import binding_of
from batchqc.records.corrections import corrected_lot, corrections_of, decided_by
from batchqc.records.decisions import dispositions_of
from batchqc.records.people import all_people
from batchqc.records.registers import (
    LotRow,
    SampleRow,
    lots_by,
    samples_of,
)
from batchqc.records.signatures import next_number
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import (
    AssayRun,
    MeasurementRow,
    Upload,
    accepted_upload_of,
    measurement_content,
    upload_by,
    upload_number,
)

PREVIEW = "preview"


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file as it came in; ``data`` is ``None`` where it was larger than the limit."""

    name: str
    size: int
    data: bytes | None
    client: str

    @property
    def sha256(self) -> str:
        """The hash of its bytes, or "" where they were not kept."""
        return "" if self.data is None else hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class UploadReport:
    """What became of a file: the number of its record, and what was read and is wrong."""

    number: str
    accepted: bool
    answered_before: bool
    sha256: str
    reading: Reading


def preview_upload(
    session: Session, archive: FolderArchive, *, file: ReceivedFile, now: datetime
) -> UploadReport:
    """Read a file as ``upload_results`` would, and change nothing."""
    reading = _read(session, archive, file, PREVIEW, now)
    return UploadReport(
        PREVIEW, reading.accepted, answered_before=False, sha256=file.sha256, reading=reading
    )


def upload_results(tx: Transaction, archive: FolderArchive, *, file: ReceivedFile) -> UploadReport:
    """Receive a file: keep its bytes, read it, and store its measurements if nothing is wrong.

    The same bytes as an accepted upload are answered with that upload; nothing is stored twice.
    """
    require(tx, Permission.UPLOAD_RESULTS)
    year = tx.now.year
    tx.lock(f"uploads of {year}")
    first = accepted_upload_of(tx.session, file.sha256) if file.sha256 else None
    if first is not None:
        reading = _read(tx.session, archive, file, first.natural_key, tx.now)
        return UploadReport(
            first.natural_key,
            accepted=True,
            answered_before=True,
            sha256=first.sha256,
            reading=reading,
        )
    if file.data is not None:
        archive.put(file.data)
    sequence = next_number(tx.session, Upload, year)
    number = upload_number(year, sequence)
    reading = _read(tx.session, archive, file, number, tx.now, tx)
    upload = Upload(
        year=year,
        number=sequence,
        sha256=file.sha256,
        size=file.size,
        file=file.name,
        client=file.client,
        contract=reading.contract,
        accepted=int(reading.accepted),
        rows=reading.rows_read,
        problems=json.dumps([asdict(one) for one in reading.problems], ensure_ascii=False),
        uploaded_by=tx.actor.user_id,
        received_at=tx.now,
    )
    tx.add(upload)
    runs = _store_runs(tx, upload, reading.measurements) if reading.accepted else []
    tx.audit(
        "upload accepted" if reading.accepted else "upload refused",
        rows=[upload, *runs],
        about=sorted({run.lot.key for run in runs}),
        after={
            "file": file.name,
            "sha256": file.sha256,
            "rows": reading.rows_read,
            "measurements": len(reading.measurements),
            "problems": len(reading.problems),
        },
    )
    return UploadReport(
        number, reading.accepted, answered_before=False, sha256=file.sha256, reading=reading
    )


def the_upload(session: Session, number: str) -> Upload:
    """The upload of a public number.

    Raises:
        NotFound: where there is none.
    """
    upload = upload_by(session, number)
    if upload is None:
        raise NotFound("BQC-UPL-002", f"there is no upload {number}")
    return upload


def read_again(session: Session, archive: FolderArchive, upload: Upload) -> tuple[Measurement, ...]:
    """What an accepted upload says, read anew from its bytes, as of the moment it was received."""

    def register_for(lots: frozenset[str]) -> Register:
        return _register(session, archive, lots, upload.received_at, as_registered=True)

    reading = read_bytes(archive.get(upload.sha256), register_for, upload=upload.natural_key)
    return reading.parsed


def _read(
    session: Session,
    archive: FolderArchive,
    file: ReceivedFile,
    number: str,
    now: datetime,
    tx: Transaction | None = None,
) -> Reading:
    def register_for(lots: frozenset[str]) -> Register:
        if tx is not None:
            for lot in sorted(lots):
                tx.lock(f"lot:{lot}")
        return _register(session, archive, lots, now)

    if file.data is None:
        return _too_large(file)
    return read_bytes(file.data, register_for, upload=number)


def _too_large(file: ReceivedFile) -> Reading:
    message = f"the file has {file.size:,} bytes, more than are read"
    problem = Problem("E113", "error", 0, 0, "", "", message, "Split it into several files.")
    return Reading(problems=(problem,))


def _register(
    session: Session,
    archive: FolderArchive,
    lots: frozenset[str],
    now: datetime,
    *,
    as_registered: bool = False,
) -> Register:
    """What the laboratory had registered about the lots of a file at a moment.

    ``as_registered`` is before any disposition.

    Raises:
        Conflict: somebody decided a correction after the moment, which is now.
    """
    rows = lots_by(session, lots)
    return Register(
        lots={
            row.folded: _registered(session, archive, row, now, as_registered=as_registered)
            for row in rows
        },
        samples={row.folded: core_sample(row) for row in samples_of(session, rows)},
        people={person.folded: person.user_id for person in all_people(session)},
        now=now,
    )


def _registered(
    session: Session, archive: FolderArchive, row: LotRow, now: datetime, *, as_registered: bool
) -> RegisteredLot:
    decided = () if as_registered else dispositions_of(session, row)
    corrections = corrections_of(session, [row.key])
    then = decided_by(corrections, now)
    if not as_registered and then != list(corrections):
        message = f"a correction of lot {row.lot} was decided while the file came in"
        raise Conflict("BQC-UPL-004", message, hint="Send it again.")
    plan, *beside = binding_of(session, row, then).versions
    return RegisteredLot(
        id=row.lot,
        manufactured_on=corrected_lot(row, then).manufactured_on,
        time_zone=row.site.time_zone,
        specification=content_of(archive, plan),
        closed_because=f"it is {decided[-1].disposition}" if decided else "",
        beside=tuple(content_of(archive, version) for version in beside),
    )


def core_sample(row: SampleRow) -> Sample:
    """A registered sample as core knows it."""
    return Sample(
        row.sample, row.lot.lot, row.stage, row.container, datetime.fromisoformat(row.taken_text)
    )


def _store_runs(
    tx: Transaction, upload: Upload, measurements: Sequence[Measurement]
) -> list[AssayRun]:
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
    }
