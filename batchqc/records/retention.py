"""Rules of retention, legal holds, and disposals of raw objects, each signed."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.core.retention import RetentionRule
from batchqc.records.base import Numbered, Row, refers_to
from batchqc.records.registers import LotRow
from batchqc.records.signatures import SignatureRow, numbered_by

HOLD: Final = "LH"
DISPOSAL: Final = "DSP"


class RetentionRuleRow(Row):
    """For how long raw objects are kept, from then on; the newest counts."""

    __tablename__ = "retention_rule"

    number: Mapped[int] = mapped_column(unique=True)
    after_expiry: Mapped[int]
    after_manufacture: Mapped[int]
    reason: Mapped[str]
    signature_id: Mapped[int] = refers_to("signature")

    signature: Mapped[SignatureRow] = relationship()

    @property
    def natural_key(self) -> str:
        """The how many-th."""
        return str(self.number)

    @property
    def rule(self) -> RetentionRule:
        """As a value."""
        return RetentionRule(self.after_expiry, self.after_manufacture)


class LegalHold(Numbered):
    """Nothing that concerns a lot is disposed of, until the hold is released."""

    __tablename__ = "legal_hold"

    lot_id: Mapped[int] = refers_to("lot")
    reason: Mapped[str]
    signature_id: Mapped[int] = refers_to("signature")

    lot: Mapped[LotRow] = relationship()
    signature: Mapped[SignatureRow] = relationship()
    __table_args__ = (UniqueConstraint("year", "number"),)

    @property
    def natural_key(self) -> str:
        """Its public number."""
        return f"{HOLD}-{self.year}-{self.number:06d}"


class LegalHoldRelease(Row):
    """A legal hold lies no longer."""

    __tablename__ = "legal_hold_release"

    legal_hold_id: Mapped[int] = mapped_column(ForeignKey("legal_hold.id"), unique=True)
    reason: Mapped[str]
    signature_id: Mapped[int] = refers_to("signature")

    legal_hold: Mapped[LegalHold] = relationship()
    signature: Mapped[SignatureRow] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the hold."""
        return self.legal_hold.natural_key


class Disposal(Numbered):
    """Somebody asked for the raw objects of a lot to be disposed of.

    ``content_sha`` names in the store the objects and dates that both signatures bind.
    """

    __tablename__ = "disposal"

    lot_id: Mapped[int] = refers_to("lot")
    content_sha: Mapped[str]
    reason: Mapped[str]
    signature_id: Mapped[int] = refers_to("signature")

    lot: Mapped[LotRow] = relationship()
    signature: Mapped[SignatureRow] = relationship()
    __table_args__ = (UniqueConstraint("year", "number"),)

    @property
    def natural_key(self) -> str:
        """Its public number."""
        return f"{DISPOSAL}-{self.year}-{self.number:06d}"


class DisposalApproval(Row):
    """A second person signed a disposal: from then on its objects are gone."""

    __tablename__ = "disposal_approval"

    disposal_id: Mapped[int] = mapped_column(ForeignKey("disposal.id"), unique=True)
    reason: Mapped[str]
    approved_at: Mapped[datetime]
    signature_id: Mapped[int] = refers_to("signature")

    disposal: Mapped[Disposal] = relationship()
    signature: Mapped[SignatureRow] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the disposal."""
        return self.disposal.natural_key


class DisposedObject(Row):
    """The tombstone of one object: its hash stays, and what it was."""

    __tablename__ = "disposed_object"

    disposal_approval_id: Mapped[int] = refers_to("disposal_approval")
    sha256: Mapped[str] = mapped_column(unique=True)
    what: Mapped[str]

    disposal_approval: Mapped[DisposalApproval] = relationship()

    @property
    def natural_key(self) -> str:
        """Its hash."""
        return self.sha256


def retention_rules(session: Session) -> Sequence[RetentionRuleRow]:
    """Every rule of retention, oldest first."""
    return session.scalars(select(RetentionRuleRow).order_by(RetentionRuleRow.number)).all()


def open_legal_holds(session: Session, lots: Collection[int]) -> Sequence[LegalHold]:
    """The legal holds on some lots, by their ids, that were not released."""
    released = select(LegalHoldRelease.legal_hold_id)
    query = select(LegalHold).where(LegalHold.lot_id.in_(lots), LegalHold.id.not_in(released))
    return session.scalars(query.order_by(LegalHold.id)).all()


def legal_hold_by(session: Session, public: str) -> LegalHold | None:
    """The legal hold of a public number."""
    return numbered_by(session, LegalHold, HOLD, public)


def release_of(session: Session, hold: LegalHold) -> LegalHoldRelease | None:
    """How a legal hold ended."""
    query = select(LegalHoldRelease).where(LegalHoldRelease.legal_hold_id == hold.id)
    return session.scalar(query)


def disposal_by(session: Session, public: str) -> Disposal | None:
    """The disposal of a public number."""
    return numbered_by(session, Disposal, DISPOSAL, public)


def approval_of_disposal(session: Session, disposal: Disposal) -> DisposalApproval | None:
    """The second signature of a disposal."""
    query = select(DisposalApproval).where(DisposalApproval.disposal_id == disposal.id)
    return session.scalar(query)


def disposed_objects(
    session: Session, hashes: Collection[str] | None = None
) -> Sequence[DisposedObject]:
    """The tombstones of some hashes, or of all."""
    query = select(DisposedObject).order_by(DisposedObject.id)
    if hashes is not None:
        query = query.where(DisposedObject.sha256.in_(hashes))
    return session.scalars(query).all()


def objects_of(session: Session, approval: DisposalApproval) -> Sequence[DisposedObject]:
    """The tombstones of a disposal."""
    query = select(DisposedObject).where(DisposedObject.disposal_approval_id == approval.id)
    return session.scalars(query.order_by(DisposedObject.id)).all()
