"""Deviations: references to the site's own quality system, each change a row of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.core.canonical import sha256_of
from batchqc.core.identifiers import fold
from batchqc.records.base import Row, refers_to
from batchqc.records.list_orders import in_order
from batchqc.records.registers import LotRow
from batchqc.records.rows_by import rows_by
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
    return rows_by(session, DeviationLot, DeviationLot.lot_id, [lot.id])


@dataclass(frozen=True, slots=True)
class DeviationLine:
    """How a deviation stands, with the lots that it bears on."""

    row: DeviationRow
    lots: tuple[str, ...]


class Order(StrEnum):
    """In which order deviations are listed: by what was recorded, or by id."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NUMBER = "id"
    NUMBER_BACK = "id-back"


@dataclass(frozen=True, slots=True)
class DeviationsWanted:
    """Which deviations: of a state, or bearing on a lot; "" is any. A table small by nature."""

    state: str = ""
    lot: str = ""
    order: Order = Order.NEWEST


def deviation_lines(
    session: Session, wanted: DeviationsWanted, *, after: int = 0, limit: int = 50
) -> list[DeviationLine]:
    """Deviations as they stand.

    Args:
        session: only read.
        wanted: which, in which order.
        after: the id of the row with which the page before ended; 0 is none.
        limit: how many at the most.
    """
    query = newest_deviations()
    if wanted.state:
        query = query.where(DeviationRow.state == wanted.state)
    if wanted.lot:
        folded = fold(wanted.lot)
        of_lot = select(DeviationLot.deviation_id).join(LotRow).where(LotRow.folded == folded)
        bearing = select(DeviationRow.folded).where(DeviationRow.id.in_(of_lot))
        query = query.where(DeviationRow.folded.in_(bearing))
    query = in_order(
        query,
        DeviationRow.folded
        if wanted.order in {Order.NUMBER, Order.NUMBER_BACK}
        else DeviationRow.id,
        behind=session.get(DeviationRow, after) if after else None,
        is_back=wanted.order in {Order.NEWEST, Order.NUMBER_BACK},
    )
    rows = session.scalars(query.limit(limit)).all()
    lots: dict[str, list[str]] = {}
    named = (
        select(DeviationRow.folded, LotRow.lot)
        .join(DeviationLot, DeviationLot.deviation_id == DeviationRow.id)
        .join(LotRow, LotRow.id == DeviationLot.lot_id)
        .where(DeviationRow.folded.in_([row.folded for row in rows]))
        .order_by(LotRow.folded)
    )
    for folded, name in session.execute(named):
        lots.setdefault(folded, []).append(name)
    return [DeviationLine(row, tuple(lots.get(row.folded, ()))) for row in rows]


def count_open_deviations(session: Session) -> tuple[int, int]:
    """How many deviations are open, and how many of those block."""
    rows = newest_deviations().where(DeviationRow.state == "open").subquery()
    query = select(func.count(), func.coalesce(func.sum(rows.c.blocking), 0))
    count, blocking = session.execute(query.select_from(rows)).one()
    return count, blocking
