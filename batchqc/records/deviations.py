"""Deviations: references to the site's own quality system, each change a row of its own."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Select, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.core.canonical import sha256_of
from batchqc.core.identifiers import fold
from batchqc.records.base import Row, refers_to
from batchqc.records.registers import LotRow
from batchqc.records.signatures import SignatureRow


class DeviationRow(Row):
    """A deviation as the site's quality system names it; the highest number is how it stands."""

    __tablename__ = "deviation"

    deviation: Mapped[str]
    folded: Mapped[str] = mapped_column(index=True)
    number: Mapped[int]
    title: Mapped[str]
    link: Mapped[str]
    state: Mapped[str]
    blocking: Mapped[int]
    reason: Mapped[str]
    kept_by: Mapped[str]
    kept_at: Mapped[datetime]
    signature_id: Mapped[int] = refers_to("signature")

    signature: Mapped[SignatureRow] = relationship()
    __table_args__ = (UniqueConstraint("folded", "number"),)

    @property
    def natural_key(self) -> str:
        """Id and the how many-th row."""
        return f"{self.folded}/{self.number}"

    @property
    def signed_sha256(self) -> str:
        """What the signature binds: all but itself."""
        own = {name: value for name, value in self.content().items() if name != "signature"}
        return sha256_of({"type": "batchqc/deviation/1", **own})


class DeviationLot(Row):
    """A lot that a deviation bears on; it bears on it from then on."""

    __tablename__ = "deviation_lot"

    deviation_id: Mapped[int] = refers_to("deviation")
    lot_id: Mapped[int] = refers_to("lot")

    deviation: Mapped[DeviationRow] = relationship()
    lot: Mapped[LotRow] = relationship()
    __table_args__ = (UniqueConstraint("deviation_id", "lot_id"),)

    @property
    def natural_key(self) -> str:
        """Lot and deviation."""
        return f"{self.lot.lot}/{self.deviation.natural_key}"


def series_of_deviation(folded: str) -> str:
    """What audit entries call a deviation, whichever of its rows they are about."""
    return f"deviation:{folded}"


def deviation_rows(session: Session, folded: Iterable[str]) -> Sequence[DeviationRow]:
    """Every row of some deviations by folded id, oldest first."""
    query = select(DeviationRow).where(DeviationRow.folded.in_(sorted(folded)))
    return session.scalars(query.order_by(DeviationRow.id)).all()


def newest_deviation(session: Session, deviation: str) -> DeviationRow | None:
    """How a deviation stands."""
    query = select(DeviationRow).where(DeviationRow.folded == fold(deviation))
    return session.scalar(query.order_by(DeviationRow.number.desc()).limit(1))


def newest_deviations() -> Select[DeviationRow]:
    """How every deviation stands."""
    newest = select(func.max(DeviationRow.id)).group_by(DeviationRow.folded)
    return select(DeviationRow).where(DeviationRow.id.in_(newest))


def deviation_lots(session: Session, folded: str) -> Sequence[DeviationLot]:
    """The lots that a deviation bears on."""
    query = select(DeviationLot).join(DeviationRow).where(DeviationRow.folded == folded)
    return session.scalars(query.order_by(DeviationLot.id)).all()


def deviations_of(session: Session, lot: LotRow) -> Sequence[DeviationLot]:
    """What bears on a lot."""
    query = select(DeviationLot).where(DeviationLot.lot_id == lot.id)
    return session.scalars(query.order_by(DeviationLot.id)).all()
