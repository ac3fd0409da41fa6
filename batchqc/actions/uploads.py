"""Uploads: one file in, whole or not at all, and on record either way.

Preview and commit read by the same function. A refused file leaves its bytes, its record and its
audit entry, and nothing else; a preview leaves nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from batchqc.actions.investigation_opening import open_for_outlook
from batchqc.actions.outlook import Outlook, outlook
from batchqc.actions.overdue import hold_overdue
from batchqc.actions.permission import require
from batchqc.actions.profiles import approved_profile, profile_named
from batchqc.actions.received import (
    ReceivedFile,
    add_upload,
    check_results_name,
    is_stated_anew,
    stated_beside,
    told,
)
from batchqc.actions.registered import lots_named, registered
from batchqc.actions.retest_plans import retest_facts
from batchqc.actions.runs import store_runs
from batchqc.actions.signing import check_reason
from batchqc.actions.superseding import known_runs, lots_beside, supersede
from batchqc.core.assays import Measurement
from batchqc.core.entries import SecondEntry
from batchqc.core.identifiers import fold
from batchqc.core.permissions import Permission
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, InvalidInput, NotFound
from batchqc.intake.contract import Named, Reading, Register, read_bytes, too_large
from batchqc.records.entries import how_entered, verifications_of
from batchqc.records.investigations import investigation_by, standing_investigations
from batchqc.records.registers import lots_by
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
class UploadReport:
    """What became of a file: the number of its record, what was read, and what is wrong.

    ``outlook`` are the verdicts that it touches, as they are with it; none where it has an error.
    """

    number: str
    accepted: bool
    answered_before: bool
    sha256: str
    reading: Reading
    outlook: tuple[Outlook, ...] = ()


def preview_upload(
    session: Session, archive: Archive, *, file: ReceivedFile, now: datetime
) -> UploadReport:
    """Read a file as ``upload_results`` would, and change nothing.

    Raises:
        InvalidInput: it is said to supersede, without a reason or as a retest; or its name is no
            good (``check_results_name``).
        Conflict: the same bytes came before, and are to supersede or be read otherwise.
    """
    _check(file)
    file = _as_registered(session, file)
    if (first := _answer_to(session, file)) is not None:
        return _answered_before(session, archive, file, first, now)
    reading = _read(session, archive, file, PREVIEW, now)
    return _report(session, archive, PREVIEW, file, reading)


def upload_results(tx: Transaction, archive: Archive, *, file: ReceivedFile) -> UploadReport:
    """Receive a file: keep its bytes, read it, and store its measurements if nothing is wrong.

    The same bytes as an accepted upload are answered with that upload; nothing is stored twice.

    Raises:
        InvalidInput: it is said to supersede, without a reason or as a retest; or its name is no
            good (``check_results_name``).
    """
    require(tx, Permission.UPLOAD_RESULTS)
    _check(file)
    file = _as_registered(tx.session, file)
    year = tx.now.year
    hold_uploads(tx)
    if (first := _answer_to(tx.session, file)) is not None:
        return _answered_before(tx.session, archive, file, first, tx.now)
    if file.data is not None:
        archive.put(file.data)
    sequence = next_number(tx.session, Upload, year)
    number = upload_number(year, sequence)
    reading = _read(tx.session, archive, file, number, tx.now, tx)
    hold_overdue(tx, archive, lots_by(tx.session, {fold(one.lot) for one in reading.measurements}))
    upload = add_upload(tx, sequence, file, reading, sha256=file.sha256)
    runs = store_runs(tx, upload, reading.measurements) if reading.accepted else []
    superseded = supersede(tx, runs, file.supersedes) if file.supersedes else []
    tx.audit(
        "upload accepted" if reading.accepted else "upload refused",
        rows=[upload, *runs, *superseded],
        about=sorted(
            {*(run.lot.key for run in runs), *(one.older.key for one in superseded)},
        ),
        reason=file.supersedes or "",
        after=told(upload, reading)
        | ({"supersedes": list(reading.supersedes)} if superseded else {})
        | ({"retest of": file.retest} if file.retest else {}),
    )
    report = _report(tx.session, archive, number, file, reading)
    open_for_outlook(tx, archive, report.outlook)
    return report


def hold_uploads(tx: Transaction) -> None:
    """Let nobody else upload meanwhile, also for whom it is another year; before any lot's lock."""
    tx.lock("uploads")


def the_upload(session: Session, number: str) -> Upload:
    """The upload of a public number.

    Raises:
        NotFound: where there is none.
    """
    upload = upload_by(session, number)
    if upload is None:
        raise NotFound("BQC-UPL-002", f"there is no upload {number}")
    return upload


def read_again(session: Session, archive: Archive, upload: Upload) -> tuple[Measurement, ...]:
    """What an accepted upload says, read anew from its bytes, as of the moment it was received."""
    return reading_of(session, archive, upload).parsed


def reading_of(session: Session, archive: Archive, upload: Upload) -> Reading:
    """An upload read anew from its bytes, as of the moment it was received."""

    def register_for(named: Named) -> Register:
        return registered(session, archive, named, upload.received_at, as_registered=True)

    return read_bytes(
        archive.get(upload.sha256),
        register_for,
        upload=upload.natural_key,
        profile=profile_named(session, archive, upload.profile),
        asked=stated_beside(upload),
    )


def came_before(first: Upload) -> Conflict:
    """Bytes that were accepted are to be read otherwise, or to supersede."""
    return Conflict(
        "BQC-UPL-005",
        f"these bytes came before, as {first.natural_key}: they supersede nothing, and are read as"
        " then",
        hint="Export the file anew; what is corrected has other bytes.",
    )


def _as_registered(session: Session, file: ReceivedFile) -> ReceivedFile:
    """A file that names its profile and its investigation as they are registered."""
    if file.profile:
        file = replace(file, profile=approved_profile(session, file.profile).reference)
    row = investigation_by(session, file.retest) if file.retest else None
    return replace(file, retest=row.natural_key) if row is not None else file


def _answered_before(
    session: Session, archive: Archive, file: ReceivedFile, first: Upload, now: datetime
) -> UploadReport:
    number = first.natural_key
    profile, retest = file.profile or first.profile, file.retest or first.retest
    is_other = (profile, retest) != (first.profile, first.retest)
    if file.supersedes is not None or is_other or is_stated_anew(file.asked, first):
        raise came_before(first)
    file = replace(file, profile=profile, retest=retest, asked=stated_beside(first))
    reading = _read(session, archive, file, number, now)
    report = _report(session, archive, number, file, reading)
    return replace(report, accepted=True, answered_before=True)


def _report(
    session: Session, archive: Archive, number: str, file: ReceivedFile, reading: Reading
) -> UploadReport:
    seen = outlook(
        session,
        archive,
        upload=number,
        measurements=_as_entered(session, file, number, reading.measurements),
        superseding=file.supersedes is not None,
    )
    return UploadReport(
        number,
        reading.accepted,
        answered_before=False,
        sha256=file.sha256,
        reading=reading,
        outlook=seen,
    )


def _answer_to(session: Session, file: ReceivedFile) -> Upload | None:
    """The accepted upload of the same bytes; what was typed and did not match may be typed anew."""
    first = accepted_upload_of(session, file.sha256) if file.sha256 else None
    if first is None or not (file.typed or first.typed):
        return first
    newest = newest_upload_of(session, file.sha256)
    verified = verifications_of(session, [newest.id]).get(newest.id)
    state = how_entered(newest, verified)  # that a file says what waits is told to nobody
    is_useless = state is (SecondEntry.MISMATCH if file.typed else SecondEntry.WAITS)
    return None if is_useless else newest


def _as_entered(
    session: Session, file: ReceivedFile, number: str, measurements: Sequence[Measurement]
) -> tuple[Measurement, ...]:
    """Measurements with how their second entry stands, and the investigation they are for."""
    if not file.typed:
        return tuple(replace(one, retest_of=file.retest) for one in measurements)
    upload = upload_by(session, number)
    second = SecondEntry.WAITS
    if upload is not None:
        second = how_entered(upload, verifications_of(session, [upload.id]).get(upload.id))
    return tuple(replace(one, second=second) for one in measurements)


def _read(
    session: Session,
    archive: Archive,
    file: ReceivedFile,
    number: str,
    now: datetime,
    tx: Transaction | None = None,
) -> Reading:
    def register_for(named: Named) -> Register:
        if tx is not None:
            own = lots_named(session, named)
            beside = lots_beside(session, own) if file.supersedes is not None else set()
            for lot in sorted(named.lots | {row.folded for row in own} | beside):
                tx.lock(f"lot:{lot}")
        register = registered(session, archive, named, now)
        if _answer_to(session, file) is not None:
            return register  # its own runs are those on record
        lots, superseding = lots_named(session, named), file.supersedes is not None
        known = known_runs(session, archive, lots, superseding=superseding)
        retest = retest_facts(session, archive, file.retest) if file.retest else None
        investigations = standing_investigations(session, lots)
        return replace(register, known=known, retest=retest, investigations=investigations)

    profile = profile_named(session, archive, file.profile)
    if file.data is None:
        return too_large(file.size)
    return read_bytes(file.data, register_for, upload=number, profile=profile, asked=file.asked)


def _check(file: ReceivedFile) -> None:
    check_results_name(file.name, file.data, profile=file.profile)
    if file.supersedes is not None:
        check_reason(file.supersedes)
        if file.retest:
            raise InvalidInput("BQC-OOS-013", "a file of retests supersedes no run on record")
