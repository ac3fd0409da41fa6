"""The raw data of a lot in the store: what names it, which lots it concerns, what keeps it."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select, union
from sqlalchemy.orm import Session

from batchqc.actions.lots import the_lot
from batchqc.actions.setup import own_site
from batchqc.actions.stored_names import lots_concerned, rows_naming
from batchqc.core.retention import KeptLot, RawObject, RetentionRule, kept_until
from batchqc.documents.archive import Archive
from batchqc.errors import StoreUnavailable
from batchqc.records.corrections import corrected_lot, corrections_of
from batchqc.records.entries import Attachment
from batchqc.records.laboratory import LaboratoryCertificate
from batchqc.records.registers import LotRow, lot_by
from batchqc.records.retention import DisposedObject, open_legal_holds, retention_rules
from batchqc.records.transaction import reading
from batchqc.records.uploads import AssayRun, Upload

#: What is disposed of in the end; everything else that names bytes keeps them for ever.
RAW: Final = (Upload, Attachment, LaboratoryCertificate)

_AT_ONCE: Final = 500


def hashes_of_lot(session: Session, lot: LotRow) -> list[str]:
    """The hashes of the raw data of a lot, each once, in order."""
    uploads = select(AssayRun.upload_id).where(AssayRun.lot_id == lot.id)
    queries = (
        select(Upload.sha256).where(Upload.id.in_(uploads)),
        select(Attachment.sha256).where(Attachment.upload_id.in_(uploads)),
        select(LaboratoryCertificate.sha256).where(LaboratoryCertificate.upload_id.in_(uploads)),
    )
    return sorted({one for query in queries for one in session.scalars(query)})


def raw_hashes(session: Session) -> Iterator[str]:
    """The hash of all raw data that was not disposed of, each once, in order."""
    columns = (Upload.sha256, Attachment.sha256, LaboratoryCertificate.sha256)
    every = union(*(select(one.label("sha256")) for one in columns)).subquery()
    gone, after = select(DisposedObject.sha256), ""
    query = select(every.c.sha256).where(every.c.sha256.not_in(gone)).order_by(every.c.sha256)
    while names := session.scalars(query.where(every.c.sha256 > after).limit(_AT_ONCE)).all():
        yield from names
        after = names[-1]


def raw_object(session: Session, sha256: str) -> RawObject:
    """All that is known of an object that raw data names."""
    rows = list(rows_naming(session, sha256))
    raw = [one for one in rows if isinstance(one, RAW)]
    zone = ZoneInfo(own_site(session).time_zone)
    return RawObject(
        sha256,
        tuple(sorted(one.key for one in raw)),
        tuple(sorted(one.key for one in rows if not isinstance(one, RAW))),
        tuple(_kept_lots(session, lots_concerned(session, sha256))),
        max(_received(one).astimezone(zone).date() for one in raw),
    )


def rule_now(session: Session) -> RetentionRule | None:
    """The newest rule of retention."""
    rules = retention_rules(session)
    return rules[-1].rule if rules else None


def today_at_site(session: Session, now: datetime) -> date:
    """The site-local day."""
    return now.astimezone(ZoneInfo(own_site(session).time_zone)).date()


def protect(engine: Engine, archive: Archive, sha256: str) -> None:
    """Have the store itself keep an object, where it can: to the end of its last day, under holds.

    What is on record is looked at again afterwards: whoever lays a hold or lets one go meanwhile
    tells the store too, and the last word must be what is so. Bytes that the store does not hold
    are left to the scrub.
    """
    if archive.stored_at(sha256) is None:
        return
    told = None
    while told != (wanted := _protection(engine, sha256)):
        if wanted.last is not None:
            archive.retain(sha256, wanted.last)
        archive.hold(sha256, is_held=wanted.is_held)
        told = wanted


def hold_in_store(engine: Engine, archive: Archive, lot: str, *, recorded: str) -> None:
    """Set or lift the legal hold of the store on the raw data of a lot, as the records say.

    Args:
        engine: only read.
        archive: the store.
        lot: whose raw data it is.
        recorded: what has committed already, in words.

    Raises:
        StoreUnavailable: the store cannot be told; what is recorded counts all the same.
    """
    with reading(engine) as session:
        hashes = hashes_of_lot(session, the_lot(session, lot))
    try:
        for sha256 in hashes:
            protect(engine, archive, sha256)
    except StoreUnavailable as error:
        raise StoreUnavailable(
            error.code,
            f"{recorded} is on record and counts; the store could not be told: {error.message}",
            hint="Do not ask for it again. Once the store answers: `batchqc archive protect`.",
        ) from error


class _Protection(NamedTuple):
    """Until when the store keeps an object, where a rule says so, and whether a hold lies on it."""

    last: datetime | None
    is_held: bool


def _protection(engine: Engine, sha256: str) -> _Protection:
    with reading(engine) as session:
        one, rule = raw_object(session, sha256), rule_now(session)
        zone = ZoneInfo(own_site(session).time_zone)
        last = datetime.combine(kept_until(one, rule), time(23, 59, 59), zone) if rule else None
        return _Protection(last, any(lot.holds for lot in one.lots))


def _kept_lots(session: Session, lots: Iterable[str]) -> Iterator[KeptLot]:
    for name in lots:
        row = lot_by(session, name)
        if row is None:
            continue
        lot = corrected_lot(row, corrections_of(session, [row.key]))
        holds = tuple(one.natural_key for one in open_legal_holds(session, [row.id]))
        yield KeptLot(row.lot, lot.manufactured_on, lot.expires_on, holds)


def _received(row: Upload | Attachment | LaboratoryCertificate) -> datetime:
    return row.attached_at if isinstance(row, Attachment) else row.received_at
