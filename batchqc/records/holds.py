"""Holds on lots, and their end; a lot is on hold until each of its holds has ended."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKey, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.records.absent import there
from batchqc.records.among import among
from batchqc.records.base import Row, added_later, refers_to
from batchqc.records.registers import LotRow
from batchqc.records.signatures import SignatureRow


class Hold(Row):
    """A lot is held: by QA with a signature, or by the system for what it found.

    ``cause`` is one of ``core.holds.Cause``; ``about`` is the key of the record that it is for.
    """

    __tablename__ = "hold"

    lot_id: Mapped[int] = refers_to("lot")
    number: Mapped[int]
    cause: Mapped[str]
    about: Mapped[str]
    reason: Mapped[str]
    held_by: Mapped[str]
    held_at: Mapped[datetime]
    signature_id: Mapped[int | None] = mapped_column(ForeignKey("signature.id"))

    lot: Mapped[LotRow] = relationship()
    signature: Mapped[SignatureRow | None] = relationship()
    __table_args__ = (UniqueConstraint("lot_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Lot and the how many-th."""
        return f"{self.lot.lot}/{self.number}"

    @property
    def began_at(self) -> datetime:
        """Since when it lies over the lot: where it was signed on paper first, since then."""
        return self.held_at if self.signature is None else self.signature.true_at


class HoldEnd(Row):
    """The end of one hold, signed.

    ``content_sha`` names in the store what the signature binds, where doses of the lot may be given
    again: the lot as it counts then. Else it is "", and the signature binds the hold.
    """

    __tablename__ = "hold_end"

    hold_id: Mapped[int] = mapped_column(ForeignKey("hold.id"), unique=True)
    reason: Mapped[str]
    signature_id: Mapped[int] = refers_to("signature")
    content_sha: Mapped[str] = added_later()

    hold: Mapped[Hold] = relationship()
    signature: Mapped[SignatureRow] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the hold."""
        return self.hold.natural_key


_HOLDS: Final = (
    select(Hold, HoldEnd)
    .outerjoin(HoldEnd, HoldEnd.hold_id == Hold.id)
    .where(among(Hold.lot_id, "lots"))
    .order_by(Hold.id)
)


def holds_of(session: Session, lots: Iterable[int]) -> Sequence[tuple[Hold, HoldEnd | None]]:
    """Every hold of some lots, by their ids, with its end where it has one; oldest first."""
    own = there(session, Hold.lot_id, lots)
    found = session.execute(_HOLDS, {"lots": own}) if own else ()
    return [(hold, end) for hold, end in found]


def open_holds(session: Session, lots: Iterable[int]) -> Sequence[Hold]:
    """The holds of some lots, by their ids, that have not ended."""
    return [hold for hold, end in holds_of(session, lots) if end is None]


def next_hold(session: Session, lot: LotRow) -> int:
    """The number of a lot's next hold; the caller holds the lot's lock."""
    newest = session.scalar(select(func.max(Hold.number)).where(Hold.lot_id == lot.id))
    return (newest or 0) + 1
