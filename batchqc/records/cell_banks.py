"""Cell banks, what was made of what, passages, and whether cells may be taken from a bank."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.core.cell_banks import BankStatus
from batchqc.core.identifiers import fold
from batchqc.records.base import Row, refers_to
from batchqc.records.once import once
from batchqc.records.rows_by import rows_by


class CellBank(Row):
    """A bank as registered: generation, dates of the site, place, how many containers, passage.

    ``is_pool`` is 1 where cells of several donors are mixed in it on purpose. ``passage`` is the
    passage at which it was frozen. ``basis`` documents what its doublings count from where it is
    the first of its line; ``max_doublings`` is blank where none is declared.
    """

    __tablename__ = "cell_bank"

    bank: Mapped[str]
    folded: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    is_pool: Mapped[int]
    made_on: Mapped[str]
    expires_on: Mapped[str]
    place: Mapped[str]
    containers: Mapped[int]
    passage: Mapped[int]
    basis: Mapped[str]
    max_doublings: Mapped[str]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime]

    @property
    def natural_key(self) -> str:
        """Its id."""
        return self.bank


class Derivation(Row):
    """That a bank or a lot was made of a bank or a donation, each named by its key."""

    __tablename__ = "derivation"

    child: Mapped[str] = mapped_column(index=True)
    parent: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]

    __table_args__ = (UniqueConstraint("child", "parent"),)

    @property
    def natural_key(self) -> str:
        """Child and parent."""
        return f"{self.child} from {self.parent}"


class Passage(Row):
    """One passage on the way to a bank or a lot: cells seeded and harvested, as typed.

    A row with a higher number of the same passage replaces the earlier ones, with its reason.
    """

    __tablename__ = "passage"

    node: Mapped[str] = mapped_column(index=True)
    passage: Mapped[int]
    number: Mapped[int]
    seeded: Mapped[str]
    harvested: Mapped[str]
    harvested_on: Mapped[str]
    reason: Mapped[str]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("node", "passage", "number"),)

    @property
    def natural_key(self) -> str:
        """Of what, which passage, and the how many-th row of it."""
        return f"{self.node}/{self.passage}/{self.number}"


class CellBankEvent(Row):
    """That a bank was quarantined, made available again or destroyed; the newest counts."""

    __tablename__ = "cell_bank_event"

    cell_bank_id: Mapped[int] = refers_to("cell_bank")
    number: Mapped[int]
    status: Mapped[str]
    reason: Mapped[str]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]

    cell_bank: Mapped[CellBank] = relationship()
    __table_args__ = (UniqueConstraint("cell_bank_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Bank and the how many-th."""
        return f"{self.cell_bank.bank}/{self.number}"


def bank_by(session: Session, bank: str) -> CellBank | None:
    """The bank of an id, compared without case."""
    return session.scalar(select(CellBank).where(CellBank.folded == fold(bank)))


@once
def parents_of(session: Session, children: Iterable[str]) -> Sequence[Derivation]:
    """What some banks or lots, by their keys, were made of."""
    return rows_by(session, Derivation, Derivation.child, children)


def children_of(session: Session, parents: Iterable[str]) -> Sequence[Derivation]:
    """What was made of some banks or donations, by their keys."""
    return rows_by(session, Derivation, Derivation.parent, parents)


def passages_of(session: Session, nodes: Iterable[str]) -> Sequence[Passage]:
    """Every row of every passage of some banks or lots, by their keys, oldest first."""
    return rows_by(session, Passage, Passage.node, nodes, Passage.passage, Passage.number)


def bank_events_of(session: Session, banks: Iterable[CellBank]) -> Sequence[CellBankEvent]:
    """What became of some banks, oldest first."""
    ids = {one.id for one in banks}
    if not ids:
        return []
    query = select(CellBankEvent).where(CellBankEvent.cell_bank_id.in_(ids))
    return session.scalars(query.order_by(CellBankEvent.number)).all()


def bank_statuses(session: Session, banks: Iterable[CellBank]) -> dict[int, BankStatus]:
    """The status of each of some banks, by id."""
    known = tuple(banks)
    told = {one.cell_bank_id: BankStatus(one.status) for one in bank_events_of(session, known)}
    return {one.id: told.get(one.id, BankStatus.AVAILABLE) for one in known}
