"""Files that are too large for memory: the results of an old system, in one go or not at all.

Portions are stored as they are read, in one transaction: where anything is wrong in the end, where
the work is cancelled or the machine fails, nothing of them is there. Running it again begins anew;
what was accepted is answered with its first upload.
"""

import gc
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from batchqc.actions.large_reading import (
    Piece,
    Source,
    pieces,
    pieces_beside,
    reading_process,
)
from batchqc.actions.large_store import LargeFile, Store
from batchqc.actions.late_failures import failing_late, lots_in_use
from batchqc.actions.overdue import hold_overdue
from batchqc.actions.permission import require
from batchqc.actions.profiles import approved_profile
from batchqc.actions.received import BEGINNING, check_results_name, is_stated_anew
from batchqc.actions.uploads import PREVIEW, UploadReport, came_before, hold_uploads
from batchqc.core.permissions import Permission
from batchqc.documents.archive import Archive
from batchqc.documents.stored import Staged
from batchqc.intake.after_decision import refused_late
from batchqc.intake.contract import Reading
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import Upload, accepted_upload_of, measurements_in

_CHUNK: Final = 1_000_000

#: Begins a transaction of who uploads.
Begin = Callable[[], AbstractContextManager[Transaction]]


def preview_large(
    session: Session, archive: Archive, *, file: LargeFile, now: datetime
) -> UploadReport:
    """Read a large file as ``upload_large`` would, and change nothing."""
    with _staged(archive, file) as staged:
        file = _resolved(session, file, staged)
        first = accepted_upload_of(session, staged.sha256)
        if first is not None:
            return _answered(session, file, first)
        source = _source(file, staged, PREVIEW, now)
        reading = _read(file, pieces(session, archive, source))
        return _report(PREVIEW, staged, reading)


def upload_large(begin: Begin, archive: Archive, *, file: LargeFile) -> UploadReport:
    """Receive a large file: store what it says if nothing is wrong, and keep its bytes.

    No verdict is computed but of lots of which doses may be given: where one fails, the file is
    refused, since an ordinary file holds the lot at once. It supersedes nothing on record.
    Everything else is as for any upload.

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
            hold_uploads(tx)
            return _stored(Store(tx), file, staged, reading)


def _received(
    tx: Transaction,
    archive: Archive,
    file: LargeFile,
    staged: Staged,
    process: subprocess.Popen[bytes],
) -> UploadReport:
    require(tx, Permission.UPLOAD_RESULTS)
    file = _resolved(tx.session, file, staged)
    hold_uploads(tx)
    first = accepted_upload_of(tx.session, staged.sha256)
    if first is not None:
        return _answered(tx.session, file, first)
    tx.lock_every_lot()
    store = Store(tx)
    source = _source(file, staged, store.number, tx.now)
    reading = _read(file, pieces_beside(process, tx.engine, archive, source), store.take)
    if not reading.accepted:
        raise _RefusedError(file, reading)
    lots = lots_in_use(tx.session, store.lots)
    for lot in lots:
        hold_overdue(tx, archive, [lot])
    store.finish(file, staged, reading)
    failing = [one for lot in lots for one in failing_late(tx, archive, lot, store.number)]
    if failing:
        raise _RefusedError(file, refused_late(reading, failing))
    staged.keep()
    return _report(store.number, staged, reading)


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
def _staged(archive: Archive, file: LargeFile) -> Iterator[Staged]:
    """A private copy of the file, so that what is read is what is kept."""
    with file.path.open("rb") as stream:
        chunks = iter(lambda: stream.read(_CHUNK), b"")
        with archive.staged(chunks) as staged:
            yield staged


def _answered(session: Session, file: LargeFile, first: Upload) -> UploadReport:
    is_other = bool(file.profile) and file.profile != first.profile
    if is_other or is_stated_anew(file.asked, first):
        raise came_before(first)
    count = measurements_in(session, first)
    reading = Reading(contract=first.contract, rows_read=first.rows, counted=count)
    return UploadReport(
        first.natural_key, accepted=True, answered_before=True, sha256=first.sha256, reading=reading
    )


def _stored(store: Store, file: LargeFile, staged: Staged, reading: Reading) -> UploadReport:
    store.finish(file, staged, reading)
    staged.keep()
    return _report(store.number, staged, reading)


def _report(number: str, staged: Staged, reading: Reading) -> UploadReport:
    return UploadReport(
        number, reading.accepted, answered_before=False, sha256=staged.sha256, reading=reading
    )


def _source(file: LargeFile, staged: Staged, number: str, now: datetime) -> Source:
    return Source(staged.path, file.profile, file.asked, number, now)


def _resolved(session: Session, file: LargeFile, staged: Staged) -> LargeFile:
    """With the reference of the approved profile that is named: asked once, read and recorded."""
    with staged.path.open("rb") as stream:
        check_results_name(file.path.name, stream.read(BEGINNING), profile=file.profile)
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
