"""Uploads: one file in, whole or not at all, and on record either way.

Preview and commit read by the same function. A refused file leaves its bytes, its record and its
audit entry, and nothing else; a preview leaves nothing.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from batchqc.actions.permission import require
from batchqc.actions.registered import registered
from batchqc.actions.runs import store_runs
from batchqc.core.assays import Measurement
from batchqc.core.entries import SecondEntry
from batchqc.core.permissions import Permission
from batchqc.documents.archive import FolderArchive
from batchqc.errors import NotFound
from batchqc.intake.contract import Reading, Register, read_bytes
from batchqc.intake.problems import Problem
from batchqc.records.entries import how_entered, verifications_of
from batchqc.records.signatures import next_number
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import (
    Upload,
    accepted_upload_of,
    newest_upload_of,
    upload_by,
    upload_number,
)

PREVIEW = "preview"


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file as it came in; ``data`` is ``None`` where it was larger than the limit.

    ``typed`` is "by hand" where a person typed the results and no file came.
    """

    name: str
    size: int
    data: bytes | None
    client: str
    typed: str = ""

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
    first = _answer_to(tx.session, file)
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
        typed=file.typed,
    )
    tx.add(upload)
    runs = store_runs(tx, upload, reading.measurements) if reading.accepted else []
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
        return registered(session, archive, lots, upload.received_at, as_registered=True)

    reading = read_bytes(archive.get(upload.sha256), register_for, upload=upload.natural_key)
    return reading.parsed


def _answer_to(session: Session, file: ReceivedFile) -> Upload | None:
    """The accepted upload of the same bytes; what was typed and did not match may be typed anew."""
    first = accepted_upload_of(session, file.sha256) if file.sha256 else None
    if first is None or not file.typed:
        return first
    newest = newest_upload_of(session, file.sha256)
    verified = verifications_of(session, [newest.id]).get(newest.id)
    is_useless = how_entered(newest, verified) is SecondEntry.MISMATCH
    return None if is_useless else newest


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
        return registered(session, archive, lots, now)

    if file.data is None:
        return _too_large(file)
    return read_bytes(file.data, register_for, upload=number)


def _too_large(file: ReceivedFile) -> Reading:
    message = f"the file has {file.size:,} bytes, more than are read"
    problem = Problem("E113", "error", 0, 0, "", "", message, "Split it into several files.")
    return Reading(problems=(problem,))
