"""Corrections of registrations, and what they make of what was registered."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from batchqc.core.lots import LOT_DATES, Lot
from batchqc.records.absent import there
from batchqc.records.among import among
from batchqc.records.base import Numbered, Row, refers_to
from batchqc.records.list_orders import in_order
from batchqc.records.registers import LotRow, Product
from batchqc.records.signatures import SignatureRow, numbered_by


class CorrectionState(StrEnum):
    """How a correction stands."""

    WAITS = "waits"
    APPROVED = "approved"
    REFUSED = "refused"


class Correction(Numbered):
    """A correction of registration data that a second person has to decide on.

    ``subject`` is the key of the record, such as ``lot:UCM-P1-T1``.
    """

    __tablename__ = "correction"

    subject: Mapped[str] = mapped_column(index=True)
    field: Mapped[str] = mapped_column(index=True)
    before: Mapped[str]
    after: Mapped[str]
    reason: Mapped[str]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("year", "number"),)

    @property
    def natural_key(self) -> str:
        """Its public number."""
        return f"C-{self.year}-{self.number:06d}"


class CorrectionDecision(Row):
    """The second person's signed answer to a correction."""

    __tablename__ = "correction_decision"

    correction_id: Mapped[int] = mapped_column(ForeignKey("correction.id"), unique=True)
    signature_id: Mapped[int] = refers_to("signature")
    approved: Mapped[int]

    correction: Mapped[Correction] = relationship()
    signature: Mapped[SignatureRow] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the correction."""
        return self.correction.natural_key


def correction_by(session: Session, public: str) -> Correction | None:
    """The correction of a public number such as ``C-2026-000001``."""
    return numbered_by(session, Correction, "C", public)


_CORRECTIONS: Final = (
    select(Correction, CorrectionDecision)
    .outerjoin(CorrectionDecision, CorrectionDecision.correction_id == Correction.id)
    .where(among(Correction.subject, "subjects"))
    .order_by(Correction.year, Correction.number)
)


def corrections_of(
    session: Session, subjects: Iterable[str]
) -> Sequence[tuple[Correction, CorrectionDecision | None]]:
    """Every correction of some records with the decision on it, oldest first."""
    wanted = there(session, Correction.subject, subjects)
    if not wanted:
        return []
    found = session.execute(_CORRECTIONS, {"subjects": sorted(wanted)})
    return [(correction, decision) for correction, decision in found]


@dataclass(frozen=True, slots=True)
class CorrectionsWanted:
    """Which corrections: how they stand (``None``: however), and a part of their record's key."""

    state: CorrectionState | None = None
    text: str = ""
    oldest_first: bool = False


def corrections_wanted(
    session: Session, wanted: CorrectionsWanted, *, behind: Correction | None, limit: int
) -> Sequence[tuple[Correction, CorrectionDecision | None]]:
    """Corrections with their decisions; one more than ``limit`` where there are.

    ``behind`` is the one with which the page before ended.
    """
    query = (
        select(Correction, CorrectionDecision)
        .outerjoin(CorrectionDecision, CorrectionDecision.correction_id == Correction.id)
        .options(joinedload(CorrectionDecision.signature).joinedload(SignatureRow.person))
        .limit(limit + 1)
    )
    query = in_order(query, Correction.id, behind=behind, is_back=not wanted.oldest_first)
    if wanted.text:
        query = query.where(Correction.subject.icontains(wanted.text, autoescape=True))
    match wanted.state:
        case CorrectionState.WAITS:
            query = query.where(CorrectionDecision.id.is_(None))
        case CorrectionState.APPROVED:
            query = query.where(CorrectionDecision.approved == 1)
        case CorrectionState.REFUSED:
            query = query.where(CorrectionDecision.approved == 0)
        case None:
            pass
    return [(correction, decision) for correction, decision in session.execute(query)]


def decided_by(
    corrections: Iterable[tuple[Correction, CorrectionDecision | None]], moment: datetime
) -> list[tuple[Correction, CorrectionDecision | None]]:
    """Corrections as they stood at a moment: what was decided later still waits."""
    return [
        (one, decision if decision is not None and decision.signature.at <= moment else None)
        for one, decision in corrections
    ]


def decision_on(session: Session, correction: Correction) -> CorrectionDecision | None:
    """The decision on a correction, or ``None`` while it waits."""
    query = select(CorrectionDecision).where(CorrectionDecision.correction_id == correction.id)
    return session.scalar(query)


def approved_changes(
    corrections: Iterable[tuple[Correction, CorrectionDecision | None]], subject: str
) -> Sequence[tuple[str, str]]:
    """Field and new text of every approved correction of one record, oldest first."""
    return [
        (one.field, one.after)
        for one, decision in corrections
        if one.subject == subject and decision is not None and decision.approved
    ]


def corrected_lot(
    row: LotRow, corrections: Iterable[tuple[Correction, CorrectionDecision | None]]
) -> Lot:
    """A lot as registered, with its approved corrections laid over it."""
    manufactured_on, expires_on = row.dates
    lot = Lot(row.lot, row.product.code, manufactured_on, expires_on)
    for field, after in approved_changes(corrections, row.key):
        if field in LOT_DATES:
            lot = lot.corrected(field, after)
    return lot


def lots_redated(session: Session) -> list[str]:
    """The lots whose date of manufacture was corrected."""
    query = (
        select(Correction.subject)
        .join(CorrectionDecision, CorrectionDecision.correction_id == Correction.id)
        .where(Correction.field == "manufactured_on", CorrectionDecision.approved == 1)
    )
    return [one.removeprefix("lot:") for one in session.scalars(query)]


def made_on_dates(
    session: Session, product: str, only: Collection[int] | None = None
) -> list[tuple[str, str, date]]:
    """Lot, market and date of manufacture, as corrected, of lots of a product.

    ``only`` are some lots by their surrogate ids; ``None`` is all.
    """
    corrected = session.execute(
        select(Correction.subject, Correction.after)
        .join(CorrectionDecision, CorrectionDecision.correction_id == Correction.id)
        .where(Correction.field == "manufactured_on", CorrectionDecision.approved == 1)
        .order_by(Correction.year, Correction.number)
    )
    changed = {row.subject: row.after for row in corrected}
    query = (
        select(LotRow.lot, LotRow.market, LotRow.manufactured_on)
        .join(Product, Product.id == LotRow.product_id)
        .where(Product.code == product)
        .order_by(LotRow.id)
    )
    if only is not None:
        query = query.where(LotRow.id.in_(only))
    return [
        (lot, market, date.fromisoformat(changed.get(f"lot:{lot}", made_on)))
        for lot, market, made_on in session.execute(query)
    ]
