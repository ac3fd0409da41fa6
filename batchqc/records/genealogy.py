"""Walking from nodes to what was made of them, or to what they were made of, level by level.

Each level is asked for at once, however many nodes it has. An edge comes with the row that records
it. What is reached is by its key, whether or not there is such a row: a node that is named and
absent is no node of the graph, and its edge dangles.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from batchqc.core.donation_ids import known_by
from batchqc.core.genealogy import Direction, Edge, NodeKind, id_of, kind_of
from batchqc.core.identifiers import fold
from batchqc.records.base import Row
from batchqc.records.cell_banks import CellBank, Derivation
from batchqc.records.containers import Container, RetainSample
from batchqc.records.donations import Donation, DonationPool, DonationPoolPart
from batchqc.records.registers import DonorRow, LotDonor, LotRow
from batchqc.records.rows_by import rows_by
from batchqc.records.shipments import Administration, Recipient, Shipment, ShippedContainer
from batchqc.records.signatures import parse_number

AT_ONCE: Final = 5000
Item = TypeVar("Item")
Loaded = TypeVar("Loaded", bound=Row)
_Id = InstrumentedAttribute[int] | InstrumentedAttribute[int | None]


class Found(NamedTuple):
    """An edge, and the row that records it."""

    edge: Edge
    row: Row


@dataclass(slots=True)
class Graph:
    """What was reached: nodes with their rows by key, and edges with the rows that record them.

    ``forward`` are the nodes whose children were looked for, ``back`` those whose parents were.
    """

    nodes: dict[str, Row] = field(default_factory=dict)
    edges: dict[Edge, Row] = field(default_factory=dict)
    forward: set[str] = field(default_factory=set)
    back: set[str] = field(default_factory=set)


class _Table(NamedTuple):
    table: type[Any]
    column: Any
    known_by: Callable[[str], str] = fold


_TABLES: Final[Mapping[NodeKind, _Table]] = {
    NodeKind.DONOR: _Table(DonorRow, DonorRow.folded),
    NodeKind.DONATION: _Table(Donation, Donation.folded, known_by),
    NodeKind.POOL: _Table(DonationPool, DonationPool.folded, known_by),
    NodeKind.CELL_BANK: _Table(CellBank, CellBank.folded),
    NodeKind.LOT: _Table(LotRow, LotRow.folded),
    NodeKind.CONTAINER: _Table(Container, Container.folded),
    NodeKind.RETAIN_SAMPLE: _Table(RetainSample, RetainSample.folded),
    NodeKind.RECIPIENT: _Table(Recipient, Recipient.folded),
}


def nodes_by(session: Session, keys: Iterable[str]) -> dict[str, Row]:
    """The rows of some nodes by the key that they have; one that is absent is left out."""
    by_kind: dict[NodeKind, list[str]] = {}
    for key in keys:
        by_kind.setdefault(kind_of(key), []).append(id_of(key))
    return {
        row.key: row
        for kind, ids in by_kind.items()
        for some in portions(ids)
        for row in _rows(session, kind, some)
    }


def nodes_called(session: Session, text: str) -> list[Row]:
    """Every node of an id, of whatever kind."""
    return [row for kind in NodeKind for row in _rows(session, kind, [text])]


def portions(items: Iterable[Item]) -> Iterator[list[Item]]:
    """As many as one statement takes."""
    known = list(items)
    for start in range(0, len(known), AT_ONCE):
        yield known[start : start + AT_ONCE]


def walk(session: Session, start: Mapping[str, Row], direction: Direction) -> Graph:
    """Everything that is reached from some nodes one way, with them; or both ways."""
    found = Graph(dict(start))
    if direction is not Direction.BACK:
        found.forward |= _go(session, found, start, step=_children, far=lambda one: one.child)
    if direction is not Direction.FORWARD:
        found.back |= _go(session, found, start, step=_parents, far=lambda one: one.parent)
    return found


def _go(
    session: Session,
    found: Graph,
    start: Mapping[str, Row],
    *,
    step: Callable[[Session, Sequence[Row]], Iterable[Found]],
    far: Callable[[Edge], str],
) -> set[str]:
    """Add what is reached one way to a graph; returns every node from which was looked on."""
    level, seen = dict(start), set(start)
    while level:
        reached = [one for some in portions(level.values()) for one in step(session, some)]
        found.edges |= {one.edge: one.row for one in reached}
        new = {far(one.edge) for one in reached} - seen
        seen |= new
        level = nodes_by(session, new)
        found.nodes |= level
    return seen


def _rows(session: Session, kind: NodeKind, ids: Sequence[str]) -> Sequence[Row]:
    if kind is NodeKind.SHIPMENT:
        parsed = [one for one in map(parse_number, ids) if one and one[0] == "SHP"]
        numbers = [(year, number) for _, year, number in parsed]
        query = select(Shipment).where(tuple_(Shipment.year, Shipment.number).in_(numbers))
        return session.scalars(query).all()
    one = _TABLES[kind]
    folded = sorted({one.known_by(text) for text in ids})
    rows: Sequence[Row] = session.scalars(select(one.table).where(one.column.in_(folded))).all()
    return rows


def _children(session: Session, level: Sequence[Row]) -> Iterator[Found]:
    """What was made of some nodes, and what became of them."""
    donors, donations = _ids(level, DonorRow), _ids(level, Donation)
    for gift in rows_by(session, Donation, Donation.donor_id, donors):
        yield Found(Edge(gift.key, _key(gift, "donor"), "donated by"), gift)
    yield from _lot_donors(session, LotDonor.donor_id, donors, LotRow, LotDonor.lot_id)
    yield from _pool_parts(session, DonationPoolPart.donation_id, donations)
    yield from _derivations(session, Derivation.parent, level)
    banks, lots = _ids(level, CellBank), _ids(level, LotRow)
    for column, ids in ((Container.cell_bank_id, banks), (Container.lot_id, lots)):
        for one in rows_by(session, Container, column, ids):
            yield from _from_source(one)
    for column, ids in ((RetainSample.cell_bank_id, banks), (RetainSample.lot_id, lots)):
        for kept in rows_by(session, RetainSample, column, ids):
            yield from _from_source(kept)
    containers = _ids(level, Container)
    yield from _shipped(session, ShippedContainer.container_id, containers)
    yield from _administered(session, Administration.container_id, containers)


def _parents(session: Session, level: Sequence[Row]) -> Iterator[Found]:
    """What some nodes were made of, and where they come from."""
    _held = _load(session, DonorRow, [one.donor_id for one in level if isinstance(one, Donation)])
    for gift in level:
        if isinstance(gift, Donation):
            yield Found(Edge(gift.key, _key(gift, "donor"), "donated by"), gift)
    pools = _ids(level, DonationPool)
    yield from _pool_parts(session, DonationPoolPart.donation_pool_id, pools)
    lots = _ids(level, LotRow)
    yield from _lot_donors(session, LotDonor.lot_id, lots, DonorRow, LotDonor.donor_id)
    yield from _derivations(session, Derivation.child, level)
    kept: list[Container | RetainSample] = [
        one for one in level if isinstance(one, (Container, RetainSample))
    ]
    of_lots = _load(session, LotRow, [one.lot_id for one in kept if one.lot_id])
    of_banks = _load(session, CellBank, [one.cell_bank_id for one in kept if one.cell_bank_id])
    for own in kept:
        yield from _from_source(own)
    del of_lots, of_banks  # they were held so that each source was asked for once
    yield from _shipped(session, ShippedContainer.shipment_id, _ids(level, Shipment))
    yield from _administered(session, Administration.recipient_id, _ids(level, Recipient))


def _lot_donors(
    session: Session, column: _Id, ids: Sequence[int], others: type[Any], of: _Id
) -> Iterator[Found]:
    rows = list(rows_by(session, LotDonor, column, ids))
    _held = _load(session, others, [getattr(one, of.key) for one in rows])
    for one in rows:
        yield Found(Edge(_key(one, "lot"), _key(one, "donor"), "of the donor"), one)


def _pool_parts(session: Session, column: _Id, ids: Sequence[int]) -> Iterator[Found]:
    for part in rows_by(session, DonationPoolPart, column, ids):
        yield Found(Edge(_key(part, "donation_pool"), _key(part, "donation"), "pooled"), part)


def _derivations(
    session: Session, column: InstrumentedAttribute[str], level: Sequence[Row]
) -> Iterator[Found]:
    kinds = (Donation, DonationPool, CellBank, LotRow)
    keys = [one.key for one in level if isinstance(one, kinds)]
    for made in rows_by(session, Derivation, column, keys):
        yield Found(Edge(made.child, made.parent, made.kind), made)


def _from_source(own: Container | RetainSample) -> Iterator[Found]:
    kind = "filled from" if isinstance(own, Container) else "retained of"
    for of, number in (("lot", own.lot_id), ("cell_bank", own.cell_bank_id)):
        if number is not None:
            yield Found(Edge(own.key, _key(own, of), kind), own)


def _shipped(session: Session, column: _Id, ids: Sequence[int]) -> Iterator[Found]:
    rows = list(rows_by(session, ShippedContainer, column, ids))
    _shipments = _load(session, Shipment, [one.shipment_id for one in rows])
    _containers = _load(session, Container, [one.container_id for one in rows])
    for one in rows:
        yield Found(Edge(_key(one, "shipment"), _key(one, "container"), "holds"), one)


def _administered(session: Session, column: _Id, ids: Sequence[int]) -> Iterator[Found]:
    rows = list(rows_by(session, Administration, column, ids))
    _recipients = _load(session, Recipient, [one.recipient_id for one in rows])
    _containers = _load(session, Container, [one.container_id for one in rows])
    for one in rows:
        yield Found(Edge(_key(one, "recipient"), _key(one, "container"), "administered"), one)


def _key(row: Row, name: str) -> str:
    """The key of what a row refers to; by its surrogate id where somebody removed it."""
    other: Row | None = getattr(row, name)
    return f"{name}:#{getattr(row, f'{name}_id')}" if other is None else other.key


def _ids(level: Iterable[Row], table: type[Row]) -> list[int]:
    return [one.id for one in level if isinstance(one, table)]


def _load(session: Session, table: type[Loaded], ids: Iterable[int]) -> list[Loaded]:
    """The rows of some ids: while they are held, references to them ask for nothing."""
    return [row for some in portions(set(ids)) for row in rows_by(session, table, table.id, some)]
