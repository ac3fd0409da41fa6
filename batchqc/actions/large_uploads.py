"""Files that are too large for memory: the results of an old system, in one go or not at all.

Portions are stored as they are read, in one transaction: where anything is wrong in the end, where
the work is cancelled or the machine fails, nothing of them is there. Running it again begins anew;
what was accepted is answered with its first upload.
"""

import gc
import json
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from batchqc.actions.large_reading import (
    Piece,
    Source,
    pieces,
    pieces_beside,
    reading_process,
)
from batchqc.actions.permission import require
from batchqc.actions.profiles import approved_profile
from batchqc.actions.uploads import PREVIEW, UploadReport, as_text, came_before
from batchqc.core.permissions import Permission
from batchqc.documents.archive import FolderArchive, Staged
from batchqc.intake.contract import Asked, Reading
from batchqc.records.blocks import (
    MEASUREMENT_COLUMNS,
    RUN_COLUMNS,
    RunInParts,
    measurement_rows,
    measurement_texts,
)
from batchqc.records.bulk import expect_many, new_ids
from batchqc.records.schema import METADATA
from batchqc.records.signatures import next_number
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import (
    AssayRun,
    MeasurementRow,
    Upload,
    accepted_upload_of,
    upload_number,
)

_CHUNK: Final = 1_000_000
_RUNS_AN_ENTRY: Final = 500

#: Begins a transaction of who uploads.
Begin = Callable[[], AbstractContextManager[Transaction]]
#: Told how far the work is: bytes read so far of all, and results read.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class LargeFile:
    """A file on disk, and what is stated beside it."""

    path: Path
    client: str
    profile: str = ""
    asked: Asked = field(default_factory=Asked)
    progress: Progress = lambda *_: None


def preview_large(
    session: Session, archive: FolderArchive, *, file: LargeFile, now: datetime
) -> UploadReport:
    """Read a large file as ``upload_large`` would, and change nothing."""
    with _staged(archive, file) as staged:
        file = _resolved(session, file)
        first = accepted_upload_of(session, staged.sha256)
        if first is not None:
            return _answered(file, first)
        source = _source(file, staged, PREVIEW, now)
        reading = _read(file, pieces(session, archive, source))
        return _report(PREVIEW, staged, reading)


def upload_large(begin: Begin, archive: FolderArchive, *, file: LargeFile) -> UploadReport:
    """Receive a large file: store what it says if nothing is wrong, and keep its bytes.

    No verdict is computed, and it supersedes nothing on record. Everything else is as for any
    upload.

    Args:
        begin: begins a transaction of who uploads; where the file is refused, a second one holds
            the record of it.
        archive: the store.
        file: the file.
    """
    with (
        _no_search_for_cycles(),
        reading_process() as process,
        _staged(archive, file) as staged,
    ):
        try:
            with begin() as tx:
                return _received(tx, archive, file, staged, process)
        except _RefusedError as refused:
            file, reading = refused.file, refused.reading
        with begin() as tx:
            tx.lock(f"uploads of {tx.now.year}")
            return _Store(tx).finish(file, staged, reading)


def _received(
    tx: Transaction,
    archive: FolderArchive,
    file: LargeFile,
    staged: Staged,
    process: subprocess.Popen[bytes],
) -> UploadReport:
    require(tx, Permission.UPLOAD_RESULTS)
    file = _resolved(tx.session, file)
    tx.lock(f"uploads of {tx.now.year}")
    first = accepted_upload_of(tx.session, staged.sha256)
    if first is not None:
        return _answered(file, first)
    tx.lock_every_lot()
    store = _Store(tx)
    source = _source(file, staged, store.number, tx.now)
    reading = _read(file, pieces_beside(process, tx.engine, archive, source), store.take)
    if not reading.accepted:
        raise _RefusedError(file, reading)
    return store.finish(file, staged, reading)


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Leave the search for garbage in cycles for later: pieces and runs are very many, and none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _RefusedError(Exception):
    """Takes back what was stored of a file that has an error."""

    def __init__(self, file: LargeFile, reading: Reading) -> None:
        super().__init__()
        self.file = file
        self.reading = reading


@contextmanager
def _staged(archive: FolderArchive, file: LargeFile) -> Iterator[Staged]:
    """A private copy of the file, so that what is read is what is kept."""
    with file.path.open("rb") as stream:
        chunks = iter(lambda: stream.read(_CHUNK), b"")
        with archive.staged(chunks) as staged:
            yield staged


def _answered(file: LargeFile, first: Upload) -> UploadReport:
    if file.profile and file.profile != first.profile:
        raise came_before(first)
    reading = Reading(contract=first.contract, rows_read=first.rows)
    return UploadReport(
        first.natural_key, accepted=True, answered_before=True, sha256=first.sha256, reading=reading
    )


def _report(number: str, staged: Staged, reading: Reading) -> UploadReport:
    return UploadReport(
        number, reading.accepted, answered_before=False, sha256=staged.sha256, reading=reading
    )


def _source(file: LargeFile, staged: Staged, number: str, now: datetime) -> Source:
    return Source(staged.path, file.profile, file.asked, number, now)


def _resolved(session: Session, file: LargeFile) -> LargeFile:
    """With the reference of the approved profile that is named: asked once, read and recorded."""
    if not file.profile:
        return file
    return replace(file, profile=approved_profile(session, file.profile).reference)


def _read(
    file: LargeFile,
    found: Iterable[Piece | Reading],
    take: Callable[[Piece], None] = lambda _: None,
) -> Reading:
    """Read a file to its end; what is read before the first error is taken."""
    rows = 0
    for one in found:
        if isinstance(one, Reading):
            return one
        if one.is_sound:
            take(one)
        rows += len(one.block.row)
        file.progress(one.done, rows)
    raise AssertionError("what was read comes in the end")


class _Runs(dict[tuple[str, str, str], RunInParts]):
    """The runs of a file by lot, test and run id; each has its surrogate id from the first."""

    def __init__(self, ids: Iterator[int]) -> None:
        super().__init__()
        self._ids = ids

    def __missing__(self, name: tuple[str, str, str]) -> RunInParts:
        self[name] = run = RunInParts(next(self._ids), *name)
        return run


class _Store:
    """Stores pieces as they come; in the end the upload, its runs, and the audit entries."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._year = tx.now.year
        self._sequence = next_number(tx.session, Upload, self._year)
        self._lots: dict[str, int] = {}
        self._samples: dict[str, int] = {}
        connection = tx.session.connection()
        self._runs = _Runs(new_ids(connection, METADATA.tables[AssayRun.__tablename__]))
        expect_many(connection)

    @property
    def number(self) -> str:
        """Of the upload."""
        return upload_number(self._year, self._sequence)

    def take(self, piece: Piece) -> None:
        """Store the measurements of a piece."""
        block = piece.block
        self._lots |= piece.ids.lots
        self._samples |= piece.ids.samples
        runs = [self._runs[name] for name in zip(block.lot, block.test, block.run, strict=True)]
        texts = measurement_texts(block)
        for run, text, person in zip(runs, texts, block.analyst, strict=True):
            run.texts.append(text)
            run.people.add(person)
        for run in dict.fromkeys(runs):
            run.close_block(is_plain=block.is_plain)
        samples = [self._samples[one] for one in block.sample]
        rows = measurement_rows(block, [run.id for run in runs], samples)
        self._tx.add_in_bulk(MeasurementRow, MEASUREMENT_COLUMNS, rows)

    def finish(self, file: LargeFile, staged: Staged, reading: Reading) -> UploadReport:
        """Store the upload and its runs, with an audit entry for every few hundred of them."""
        upload = Upload(
            year=self._year,
            number=self._sequence,
            sha256=staged.sha256,
            size=staged.path.stat().st_size,
            file=file.path.name,
            client=file.client,
            contract=reading.contract,
            profile=file.profile,
            stated=as_text(file.asked),
            accepted=int(reading.accepted),
            rows=reading.rows_read,
            problems=json.dumps([asdict(one) for one in reading.problems], ensure_ascii=False),
            uploaded_by=self._tx.actor.user_id,
            received_at=self._tx.now,
        )
        self._tx.add(upload)
        batches = _batches(sorted(self._runs.values(), key=lambda run: (run.lot, run.id)))
        for part, runs in enumerate(batches, start=1):
            self._tx.audit(
                "upload accepted" if reading.accepted else "upload refused",
                rows=[upload] if part == 1 else [],
                extra=self._store_runs(upload, runs),
                about=[f"lot:{lot}" for lot in dict.fromkeys(run.lot for run in runs)],
                after={
                    "upload": upload.natural_key,
                    "file": upload.file,
                    "sha256": upload.sha256,
                    "rows": reading.rows_read,
                    "measurements": reading.results,
                    "problems": len(reading.problems),
                    "part": f"{part} of {len(batches)}",
                },
            )
        staged.keep()
        return _report(self.number, staged, reading)

    def _store_runs(self, upload: Upload, runs: Sequence[RunInParts]) -> dict[str, str]:
        """Store some runs; the content hash of each by its key."""
        records, rows = {}, []
        for run in runs:
            covered = run.measurements_sha256
            records[run.key_in(self.number)] = run.content_sha256(self.number, covered)
            lot = self._lots[run.lot]
            rows.append((run.id, upload.id, lot, run.test, run.run, run.analysts, covered))
        self._tx.add_in_bulk(AssayRun, RUN_COLUMNS, rows, records=records)
        return records


def _batches(runs: Sequence[RunInParts]) -> list[list[RunInParts]]:
    """Runs by the hundred, those of one lot together; one empty batch where there is none."""
    batches: list[list[RunInParts]] = [[]]
    for _, own in groupby(runs, key=lambda run: run.lot):
        if len(batches[-1]) >= _RUNS_AN_ENTRY:
            batches.append([])
        batches[-1] += own
    return batches
