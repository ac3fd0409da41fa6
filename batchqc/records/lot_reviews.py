"""Reviews of a lot as a whole, by QC, and of its audit trail, by QA."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

from sqlalchemy import Integer, Select, UniqueConstraint, bindparam, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.core.audit import Link
from batchqc.records.among import among, constants
from batchqc.records.audit import (
    LINK,
    TELLS_OF_PEOPLE,
    AuditEntry,
    AuditLink,
    AuditSubject,
    filed_under,
    id_at,
    newest_link,
)
from batchqc.records.base import Row, refers_to
from batchqc.records.once import once, tell
from batchqc.records.registers import LotRow
from batchqc.records.rows_by import load_their, rows_by
from batchqc.records.signatures import SignatureRow


class LotReview(Row):
    """QC's signed review of a lot as a whole.

    ``basis_sha256`` covers what it was signed over; ``content_sha`` names that in the store,
    together with what was exceptional, and is what the signature binds.
    """

    __tablename__ = "lot_review"

    lot_id: Mapped[int] = refers_to("lot")
    number: Mapped[int]
    basis_sha256: Mapped[str]
    content_sha: Mapped[str]
    signature_id: Mapped[int] = refers_to("signature")

    lot: Mapped[LotRow] = relationship()
    signature: Mapped[SignatureRow] = relationship()
    __table_args__ = (UniqueConstraint("lot_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Lot and the how many-th."""
        return f"{self.lot.lot}/{self.number}"


class AuditReview(Row):
    """QA's signed review of a lot's audit trail: from which entry to which, and the head there.

    ``content_sha`` names what was selected, in the store; the signature binds it.
    """

    __tablename__ = "audit_review"

    lot_id: Mapped[int] = refers_to("lot")
    number: Mapped[int]
    first: Mapped[int]
    last: Mapped[int] = mapped_column(index=True)
    head: Mapped[str]
    content_sha: Mapped[str]
    signature_id: Mapped[int] = refers_to("signature")

    lot: Mapped[LotRow] = relationship()
    signature: Mapped[SignatureRow] = relationship()
    __table_args__ = (UniqueConstraint("lot_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Lot and the how many-th."""
        return f"{self.lot.lot}/{self.number}"


def lot_reviews_of(session: Session, lot: LotRow) -> Sequence[LotReview]:
    """QC's reviews of a lot, oldest first."""
    found = rows_by(session, LotReview, LotReview.lot_id, [lot.id], LotReview.number)
    load_their(session, found, LotReview.signature)
    return found


def audit_reviews_of(session: Session, lot: LotRow) -> Sequence[AuditReview]:
    """QA's reviews of a lot's audit trail, oldest first."""
    found = rows_by(session, AuditReview, AuditReview.lot_id, [lot.id], AuditReview.number)
    load_their(session, found, AuditReview.signature)
    return found


_NEWEST_REVIEW: Final = (
    select(AuditReview.last, AuditReview.head).order_by(AuditReview.last.desc()).limit(1)
)
_LAST: Final = _NEWEST_REVIEW.with_only_columns(AuditReview.last).scalar_subquery()
_HEAD: Final = _NEWEST_REVIEW.with_only_columns(AuditReview.head).scalar_subquery()
_SINCE_REVIEW: Final = (
    select(_LAST, _HEAD, *LINK)
    .where(AuditLink.sequence >= func.coalesce(_LAST, 1))
    .order_by(AuditLink.sequence)
)


def links_since_review(session: Session) -> tuple[tuple[int, str] | None, list[Link]]:
    """Sequence and hash of the newest link that QA signed in any review, and the links from there.

    In order, by one statement; all links where nothing is signed.
    """
    rows = session.execute(_SINCE_REVIEW).all()
    if not rows:
        signed = session.execute(_NEWEST_REVIEW).first()
        return ((signed.last, signed.head) if signed else None), []
    last, head, *_ = rows[0]
    links = [Link(*row[2:]) for row in rows]
    tell(session, newest_link, links[-1])
    return ((last, head) if last is not None else None), links


@once
def link_at(session: Session, sequence: int) -> Link | None:
    """The link of the chain at a place."""
    row = session.execute(select(*LINK).where(AuditLink.sequence == sequence)).first()
    return None if row is None else Link(*row)


def trail_about(
    session: Session,
    subjects: Iterable[str],
    *,
    after: int = 0,
    only: Iterable[str] = (),
    but: Iterable[str] = (),
) -> Sequence[tuple[int, AuditEntry]]:
    """Entries about some records with their places in the chain, in order.

    Args:
        session: only read.
        subjects: keys of records.
        after: only those behind this place.
        only: only these actions, which the code fixes; none is all.
        but: not these actions, which the code fixes.
    """
    asked = {"subjects": sorted(subjects), "after": after}
    if not asked["subjects"]:
        return []
    found = session.execute(_about(frozenset(only), frozenset(but)), asked)
    return [(sequence, entry) for sequence, entry in found]


@cache
def _about(only: frozenset[str], but: frozenset[str]) -> Select[int, AuditEntry]:
    """How much of the trail is behind a place decides how it is best read: each asks by itself."""
    query = (
        select(AuditLink.sequence, AuditEntry)
        .join(AuditEntry, AuditEntry.sha256 == AuditLink.entry_sha256)
        .where(AuditEntry.id.in_(filed_under("subjects")))
        .where(AuditLink.sequence > bindparam("after", type_=Integer, literal_execute=True))
        .where(AuditEntry.what.not_in(constants(but)))
        .order_by(AuditLink.sequence)
    )
    return query.where(AuditEntry.what.in_(constants(only))) if only else query


def trail_of_people(
    session: Session, people: Iterable[str], *, after: int
) -> Sequence[tuple[int, AuditEntry]]:
    """Entries about some people behind a place, in order, but what people do every day.

    Of that there is so much that the others are looked for by themselves, whoever they are about.
    """
    asked = {"people": sorted(people), "after": after}
    return [(sequence, entry) for sequence, entry in session.execute(_of_people(), asked)]


@cache
def _of_people() -> Select[int, AuditEntry]:
    after = bindparam("after", type_=Integer)
    of_one = (  # asked of each: joined, everything about the people would be read
        select(AuditSubject.entry_id)
        .where(AuditSubject.entry_id == AuditEntry.id, among(AuditSubject.subject, "people"))
        .limit(1)
        .correlate(AuditEntry)
        .scalar_subquery()
    )
    return (
        select(AuditLink.sequence, AuditEntry)
        .join(AuditEntry, AuditEntry.sha256 == AuditLink.entry_sha256)
        .where(text(TELLS_OF_PEOPLE), AuditEntry.id > id_at(after), AuditEntry.id == of_one)
        .where(AuditLink.sequence + 0 > after)  # not by the index of the places: those are many
        .order_by(AuditLink.sequence)
    )
