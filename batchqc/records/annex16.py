"""The three steps of EU GMP Annex 16, each a record of its own; the register of certifications."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ForeignKey, UniqueConstraint, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.records.absent import there
from batchqc.records.base import Numbered, Row, refers_to
from batchqc.records.decisions import DispositionRow
from batchqc.records.registers import LotRow
from batchqc.records.rows_by import rows_by
from batchqc.records.signatures import SignatureRow, numbered_by


class LotCheck(Row):
    """Step 1: manufacture and testing were checked.

    ``basis_sha256`` covers what was checked, ``content_sha`` names it with the checklist.
    """

    __tablename__ = "lot_check"

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


class Certification(Numbered):
    """Step 2: one row of the register; its signature is the one under the decision."""

    __tablename__ = "certification"

    disposition_id: Mapped[int] = mapped_column(ForeignKey("disposition.id"), unique=True)
    lot_check_id: Mapped[int] = refers_to("lot_check")

    disposition: Mapped[DispositionRow] = relationship()
    lot_check: Mapped[LotCheck] = relationship()
    __table_args__ = (UniqueConstraint("year", "number"),)

    @property
    def natural_key(self) -> str:
        """Its public number."""
        return f"{REGISTER}-{self.year}-{self.number:06d}"


class Transfer(Row):
    """Step 3: the lot went to saleable stock, the certification taken into account."""

    __tablename__ = "stock_transfer"

    certification_id: Mapped[int] = mapped_column(ForeignKey("certification.id"), unique=True)
    signature_id: Mapped[int] = refers_to("signature")

    certification: Mapped[Certification] = relationship()
    signature: Mapped[SignatureRow] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the certification."""
        return self.certification.natural_key


REGISTER: Final = "QP"


def certification_by(session: Session, public: str) -> Certification | None:
    """The row of the register of a public number such as ``QP-2026-000001``."""
    return numbered_by(session, Certification, REGISTER, public)


def checks_of(session: Session, lot: LotRow) -> Sequence[LotCheck]:
    """The checks of a lot, oldest first."""
    return rows_by(session, LotCheck, LotCheck.lot_id, [lot.id], LotCheck.number)


_CERTIFICATIONS: Final = (
    select(Certification, Transfer)
    .join(DispositionRow, DispositionRow.id == Certification.disposition_id)
    .outerjoin(Transfer, Transfer.certification_id == Certification.id)
    .order_by(Certification.id)
)
_CERTIFICATIONS_OF_LOT: Final = _CERTIFICATIONS.where(DispositionRow.lot_id == bindparam("lot"))


def certifications_of(
    session: Session, lot: LotRow | None = None
) -> Sequence[tuple[Certification, Transfer | None]]:
    """The certifications of a lot, or of all, oldest first, each with its transfer."""
    if lot is None:
        return [(one, transfer) for one, transfer in session.execute(_CERTIFICATIONS)]
    if not there(session, DispositionRow.lot_id, [lot.id]):
        return []
    found = session.execute(_CERTIFICATIONS_OF_LOT, {"lot": lot.id})
    return [(one, transfer) for one, transfer in found]
