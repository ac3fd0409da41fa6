"""Lists of uploads by their numbers, and what followed an upload: a query for a page each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, distinct, func, select
from sqlalchemy.orm import Session, joinedload

from batchqc.records.lists import UploadsWanted, uploads_wanted
from batchqc.records.registers import LotRow
from batchqc.records.uploads import AssayRun, Superseding, Upload


@dataclass(frozen=True, slots=True)
class SoughtUploads:
    """Which uploads: of ``wanted``, with ``text`` in the file's name, received since and until.

    ``until`` is the first moment that does not belong. ``after`` is the surrogate id of the last
    upload of the page before, or ``None``. The newest come first, or the oldest.
    """

    wanted: UploadsWanted = field(default_factory=UploadsWanted)
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    after: int | None = None
    limit: int = 50
    oldest_first: bool = False


def upload_lines(session: Session, sought: SoughtUploads) -> Sequence[Any]:
    """Facts of uploads without their problems; one more than ``limit`` of more."""
    query = _conditions(sought)
    if sought.after is not None:
        older, newer = Upload.id < sought.after, Upload.id > sought.after
        query = query.where(newer if sought.oldest_first else older)
    columns = (
        Upload.id, Upload.year, Upload.number, Upload.file, Upload.sha256, Upload.size,
        Upload.accepted, Upload.rows, Upload.uploaded_by, Upload.received_at, Upload.contract,
        Upload.profile, Upload.typed, Upload.supersedes, Upload.retest,
    )  # fmt: skip
    ordered = query.with_only_columns(*columns).order_by(
        Upload.id if sought.oldest_first else Upload.id.desc()
    )
    return session.execute(ordered.limit(sought.limit + 1)).all()


def count_uploads_up_to(session: Session, sought: SoughtUploads, most: int) -> int:
    """How many uploads there are, counted no further than ``most``."""
    found = _conditions(sought).with_only_columns(Upload.id).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(found)) or 0


def lots_of_uploads(session: Session, uploads: Iterable[int]) -> Mapping[int, tuple[str, ...]]:
    """The lots of some uploads, by the upload's surrogate id."""
    query = (
        select(AssayRun.upload_id, LotRow.lot)
        .distinct()
        .join(LotRow, LotRow.id == AssayRun.lot_id)
        .where(AssayRun.upload_id.in_(list(uploads)))
        .order_by(AssayRun.upload_id, LotRow.lot)
    )
    found: dict[int, tuple[str, ...]] = {}
    for upload, lot in session.execute(query):
        found[upload] = (*found.get(upload, ()), lot)
    return found


def first_runs_in(session: Session, upload: Upload, *, limit: int) -> Sequence[AssayRun]:
    """The first runs of an upload, each with its lot."""
    query = select(AssayRun).where(AssayRun.upload_id == upload.id)
    loaded = query.options(joinedload(AssayRun.lot)).order_by(AssayRun.id)
    return session.scalars(loaded.limit(limit)).all()


def runs_and_lots_in(session: Session, upload: Upload) -> tuple[int, int]:
    """How many runs an upload has, and of how many lots."""
    counted = select(func.count(), func.count(distinct(AssayRun.lot_id)))
    runs, lots = session.execute(counted.where(AssayRun.upload_id == upload.id)).one()
    return runs, lots


def superseded_by_runs(session: Session, runs: Iterable[AssayRun]) -> Sequence[Superseding]:
    """What some runs superseded, oldest first."""
    ids = [run.id for run in runs]
    query = select(Superseding).where(Superseding.newer_id.in_(ids)).order_by(Superseding.id)
    return session.scalars(query).all() if ids else []


def _conditions(sought: SoughtUploads) -> Select[Upload]:
    query = uploads_wanted(sought.wanted)
    if sought.text:
        part = sought.text.strip().lower()
        query = query.where(func.lower(Upload.file).contains(part, autoescape=True))
    if sought.since is not None:
        query = query.where(Upload.received_at >= sought.since)
    if sought.until is not None:
        query = query.where(Upload.received_at < sought.until)
    return query
