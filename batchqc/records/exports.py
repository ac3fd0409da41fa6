"""What an export holds: lots, certificates and uploads as the log was at a checkpoint."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from batchqc.core.identifiers import fold
from batchqc.records.among import constants
from batchqc.records.audit import AuditEntry, AuditLink, AuditSubject
from batchqc.records.decisions import Certificate
from batchqc.records.lists import CertificatesWanted, certificates_wanted
from batchqc.records.registers import LotRow
from batchqc.records.specifications import SpecificationVersion

_AT_ONCE: Final = 500  # keys in one statement


@dataclass(frozen=True, slots=True)
class ExportWanted:
    """Which lots: those with a certificate whose number was given in a time, of a product.

    ``lots`` are ids; without any, all. ``since`` is the first moment, ``until`` the one before
    which the number was given.
    """

    product: str = ""
    lots: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


def lots_wanted(session: Session, wanted: ExportWanted) -> Sequence[int]:
    """Surrogate ids of the lots, in the order in which they were registered."""
    return session.scalars(_lots(wanted).order_by(LotRow.id)).all()


def counts_wanted(session: Session, wanted: ExportWanted) -> tuple[int, int]:
    """How many lots, and how many certificates these have, whenever their numbers were given."""
    lots = _lots(wanted).subquery()
    query = select(func.count(Certificate.lot_id.distinct()), func.count(Certificate.id))
    found = session.execute(query.where(Certificate.lot_id.in_(select(lots.c.id)))).one()
    return found[0], found[1]


def exports_behind(
    session: Session, what: str, sequence: int, *, limit: int, oldest_first: bool
) -> Sequence[tuple[AuditLink, AuditEntry]]:
    """Entries of one action, newest or oldest first, behind a place in the trail; 0 is none."""
    query = (
        select(AuditLink, AuditEntry)
        .join(AuditEntry, AuditEntry.sha256 == AuditLink.entry_sha256)
        .where(AuditEntry.what == what)
        .limit(limit)
    )
    place = AuditLink.sequence
    if sequence:
        query = query.where(place > sequence if oldest_first else place < sequence)
    query = query.order_by(place if oldest_first else place.desc())
    return [(link, entry) for link, entry in session.execute(query)]


def _lots(wanted: ExportWanted) -> Select[int]:
    filters = CertificatesWanted(product=wanted.product, since=wanted.since, until=wanted.until)
    query: Select[int] = certificates_wanted(filters).with_only_columns(LotRow.id)
    if wanted.lots:
        query = query.where(LotRow.folded.in_([fold(one) for one in wanted.lots]))
    return query.distinct()


def certificates_of_lot(session: Session, lot: LotRow) -> Sequence[Certificate]:
    """Every certificate of a lot, in the order of their numbers."""
    query = select(Certificate).where(Certificate.lot_id == lot.id)
    return session.scalars(query.order_by(Certificate.year, Certificate.number)).all()


def places_of(session: Session, records: Iterable[str]) -> dict[str, int]:
    """The sequence of the first entry that is filed under each of some keys, where there is one."""
    keys, found = sorted(set(records)), dict[str, int]()
    for at in range(0, len(keys), _AT_ONCE):
        query = (
            select(AuditSubject.subject, func.min(AuditLink.sequence))
            .join(AuditEntry, AuditEntry.id == AuditSubject.entry_id)
            .join(AuditLink, AuditLink.entry_sha256 == AuditEntry.sha256)
            .where(AuditSubject.subject.in_(keys[at : at + _AT_ONCE]))
            .group_by(AuditSubject.subject)
        )
        rows = session.execute(query)
        found |= {subject: place for subject, place in rows}  # noqa: C416 - rows are no pairs
    return found


def links_with_entries(
    session: Session, about: Iterable[str], *, until: int, but: Iterable[str] = ()
) -> Sequence[tuple[AuditLink, AuditEntry]]:
    """Entries that are filed under one of some keys, in order, up to a place in the trail."""
    of_subjects = select(AuditSubject.entry_id).where(AuditSubject.subject.in_(sorted(about)))
    query = (
        select(AuditLink, AuditEntry)
        .join(AuditEntry, AuditEntry.sha256 == AuditLink.entry_sha256)
        .where(AuditEntry.id.in_(of_subjects), AuditLink.sequence <= until)
        .where(AuditEntry.what.not_in(constants(but)))
        .order_by(AuditLink.sequence)
    )
    return [(link, entry) for link, entry in session.execute(query)]


def has_entry_about(session: Session, record: str, what: str) -> bool:
    """Whether an entry of an action is filed under the key of a record."""
    query = (
        select(AuditEntry.id)
        .join(AuditSubject, AuditSubject.entry_id == AuditEntry.id)
        .where(AuditSubject.subject == record, AuditEntry.what == what)
    )
    return session.scalar(query.limit(1)) is not None


def entry_hashes(session: Session, *, until: int) -> Iterator[str]:
    """The hash of each entry of the trail up to a place, in order."""
    query = select(AuditLink.entry_sha256).where(AuditLink.sequence <= until)
    rows = session.scalars(query.order_by(AuditLink.sequence).execution_options(yield_per=1000))
    yield from rows


def versions_by_sha(session: Session, hashes: Iterable[str]) -> Sequence[SpecificationVersion]:
    """The specification versions with some approved bytes."""
    query = select(SpecificationVersion).where(SpecificationVersion.sha256.in_(sorted(hashes)))
    return session.scalars(query.order_by(SpecificationVersion.id)).all()
