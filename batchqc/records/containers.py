"""Vials and bags of lots and banks, what became of each, and retain samples with their custody."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.core.containers import LEFT, ContainerStatus, Inventory, inventory_of
from batchqc.core.identifiers import fold
from batchqc.records.absent import there
from batchqc.records.base import Row, refers_to
from batchqc.records.cell_banks import CellBank
from batchqc.records.registers import LotRow


class Container(Row):
    """One vial or bag, of a lot or of a bank; never of both.

    ``filled`` is volume or cells, as typed. ``expires_on`` is blank where it has the expiry of
    its lot or bank.
    """

    __tablename__ = "container"

    container: Mapped[str]
    folded: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    lot_id: Mapped[int | None] = refers_to("lot", nullable=True)
    cell_bank_id: Mapped[int | None] = refers_to("cell_bank", nullable=True)
    filled: Mapped[str]
    place: Mapped[str]
    expires_on: Mapped[str]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime]

    lot: Mapped[LotRow | None] = relationship()
    cell_bank: Mapped[CellBank | None] = relationship()

    @property
    def natural_key(self) -> str:
        """Its id."""
        return self.container

    @property
    def source(self) -> LotRow | CellBank | None:
        """What it holds cells of."""
        return self.lot or self.cell_bank


class ContainerEvent(Row):
    """What became of a container, where, at which time as stated; the newest is its status."""

    __tablename__ = "container_event"

    container_id: Mapped[int] = refers_to("container")
    number: Mapped[int]
    status: Mapped[str]
    place: Mapped[str]
    reason: Mapped[str]
    happened_at: Mapped[str]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]

    container: Mapped[Container] = relationship()
    __table_args__ = (UniqueConstraint("container_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Container and the how many-th."""
        return f"{self.container.container}/{self.number}"


class RetainSample(Row):
    """A sample that is kept: of a lot or a bank, how much of it in which unit."""

    __tablename__ = "retain_sample"

    retain: Mapped[str]
    folded: Mapped[str] = mapped_column(unique=True)
    lot_id: Mapped[int | None] = refers_to("lot", nullable=True)
    cell_bank_id: Mapped[int | None] = refers_to("cell_bank", nullable=True)
    kind: Mapped[str]
    amount: Mapped[str]
    unit: Mapped[str]
    keep_until: Mapped[str]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime]

    lot: Mapped[LotRow | None] = relationship()
    cell_bank: Mapped[CellBank | None] = relationship()

    @property
    def natural_key(self) -> str:
        """Its id."""
        return self.retain

    @property
    def source(self) -> LotRow | CellBank | None:
        """What it was taken of."""
        return self.lot or self.cell_bank


class Custody(Row):
    """Who handed a retain sample to whom, where it is then, and how much of it is left."""

    __tablename__ = "custody"

    retain_sample_id: Mapped[int] = refers_to("retain_sample")
    number: Mapped[int]
    handed_by: Mapped[str]
    handed_to: Mapped[str]
    place: Mapped[str]
    left: Mapped[str]
    reason: Mapped[str]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]

    retain_sample: Mapped[RetainSample] = relationship()
    __table_args__ = (UniqueConstraint("retain_sample_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Sample and the how many-th."""
        return f"{self.retain_sample.retain}/{self.number}"


def containers_by(session: Session, containers: Iterable[str]) -> Sequence[Container]:
    """All containers of some ids, compared without case, in the order of registration."""
    folded = sorted({fold(one) for one in containers})
    query = select(Container).where(Container.folded.in_(folded)).order_by(Container.id)
    return session.scalars(query).all()


def containers_of(session: Session, lot: int) -> Sequence[Container]:
    """The containers of a lot, by its id."""
    query = select(Container).where(Container.lot_id == lot)
    return session.scalars(query.order_by(Container.id)).all()


def events_of(session: Session, containers: Iterable[int]) -> Sequence[ContainerEvent]:
    """What became of some containers, by their ids, oldest first."""
    query = select(ContainerEvent).where(ContainerEvent.container_id.in_(list(containers)))
    return session.scalars(query.order_by(ContainerEvent.number)).all()


def newest_events(session: Session, containers: Iterable[int]) -> dict[int, ContainerEvent]:
    """The newest event of each of some containers that has one, by container id."""
    return {one.container_id: one for one in events_of(session, containers)}


def status_of(event: ContainerEvent | None) -> ContainerStatus:
    """The status after an event; without any, a container is in storage."""
    return ContainerStatus(event.status) if event else ContainerStatus.IN_STORAGE


def inventory(session: Session, lot_ids: Iterable[int]) -> dict[int, Inventory]:
    """What is left of each of some lots, by lot id; one without containers has no counts."""
    ids = list(lot_ids)
    statuses: dict[int, list[ContainerStatus]] = {lot: [] for lot in ids}
    ids = there(session, Container.lot_id, ids)
    if not ids:
        return {lot: inventory_of(()) for lot in statuses}
    newest = (
        select(ContainerEvent.container_id, ContainerEvent.status)
        .join(Container, Container.id == ContainerEvent.container_id)
        .where(Container.lot_id.in_(ids))
        .order_by(ContainerEvent.number)
    )
    told = {container: ContainerStatus(status) for container, status in session.execute(newest)}
    query = select(Container.id, Container.lot_id).where(Container.lot_id.in_(ids))
    for container, lot in session.execute(query):
        statuses[lot or 0].append(told.get(container, ContainerStatus.IN_STORAGE))
    return {lot: inventory_of(own) for lot, own in statuses.items()}


def depleted_lots() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What holds of a lot that has containers, of which none is left, as ``inventory`` counts."""
    newest = (
        select(ContainerEvent.status)
        .where(ContainerEvent.container_id == Container.id)
        .order_by(ContainerEvent.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    status = func.coalesce(newest, ContainerStatus.IN_STORAGE.value)
    own = select(Container.id).where(Container.lot_id == LotRow.id)
    return own.exists(), ~own.where(status.in_([one.value for one in LEFT])).exists()


def retain_by(session: Session, retain: str) -> RetainSample | None:
    """The retain sample of an id, compared without case."""
    return session.scalar(select(RetainSample).where(RetainSample.folded == fold(retain)))


def custody_of(session: Session, retains: Iterable[int]) -> Sequence[Custody]:
    """The custody of some retain samples, by their ids, oldest first."""
    query = select(Custody).where(Custody.retain_sample_id.in_(list(retains)))
    return session.scalars(query.order_by(Custody.number)).all()
