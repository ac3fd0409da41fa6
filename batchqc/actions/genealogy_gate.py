"""What is looked at of a lot's genealogy whenever the lot is looked at."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from sqlalchemy.orm import Session

from batchqc.actions.genealogy_integrity import graph_damage
from batchqc.actions.genealogy_states import states_of
from batchqc.actions.origins import Origin, look_back_problems
from batchqc.core.cell_banks import BankStatus
from batchqc.core.doublings import doublings, levels
from batchqc.core.gates import Against
from batchqc.core.genealogy import Direction, Edge, NodeKind, kind_of, problems
from batchqc.core.genealogy_gate import Descent, Grown, against_descent
from batchqc.core.laboratory import Register, Rule
from batchqc.core.lots import Lot
from batchqc.core.quantities import Interval
from batchqc.records.base import Row
from batchqc.records.cell_banks import (
    CellBank,
    Passage,
    bank_events_of,
    bank_statuses,
    parents_of,
    passages_of,
)
from batchqc.records.genealogy import nodes_by, walk
from batchqc.records.laboratory import rules_of
from batchqc.records.look_backs import closing_of, look_backs_from, open_look_backs
from batchqc.records.registers import DonorRow, LotRow

#: What is said of a lot, the rows that say so, what is wrong with them beside the audit trail, and
#: the keys of what it comes from.
Said = tuple[Against, tuple[Row, ...], tuple[str, ...], tuple[str, ...]]


def look_at_genealogy(
    session: Session, lot: LotRow, corrected: Lot, donors: Sequence[DonorRow]
) -> Said:
    """What a lot was made of, what stands against that, and the rows that it rests on."""
    rule = rules_of(session).get(Register.GENEALOGY, Rule.OFF)
    made_of = parents_of(session, [lot.key])
    found = nodes_by(session, (one.parent for one in made_of))
    origin = Origin(session, [found[one.parent] for one in made_of if one.parent in found])
    banks = [one for one in origin.graph.nodes.values() if isinstance(one, CellBank)]
    passages = passages_of(session, [lot.key, *(one.key for one in banks)])
    edges = {Edge(one.child, one.parent, one.kind) for one in made_of} | origin.graph.edges.keys()
    sources = {*origin.graph.nodes, *(one.key for one in donors)}
    if not made_of and open_look_backs(session):  # the lot names no donation or bank of a donor
        sources |= walk(session, {one.key: one for one in donors}, Direction.FORWARD).nodes.keys()
    descent = Descent(
        made_on=corrected.manufactured_on,
        donors=frozenset(one.code for one in donors),
        parents=tuple(origin.parents),
        has_bank=bool(banks),
        grown=tuple(_grown(lot.key, edges, banks, passages)),
        doubted=(*look_back_problems(session, sources), *_further(session, origin, banks)),
        evidence=tuple(sorted(one.key for one in banks)),
    )
    own = [one for one in passages if one.node == lot.key]
    events = bank_events_of(session, banks)
    rows = (*made_of, *own, *events, *_look_backs(session, [one.key for one in donors]))
    damaged = [f"{one.parent} is not on record" for one in made_of if one.parent not in found]
    if made_of:
        graph = origin.graph
        states = states_of(session, graph.nodes, today=corrected.manufactured_on)
        damaged += problems(graph.nodes, graph.edges, traced_back=graph.back)
        damaged += graph_damage(session, graph, states.rows)
    return against_descent(descent, rule), rows, tuple(damaged), tuple(sorted(origin.graph.nodes))


def levels_back(session: Session, node: str) -> dict[str, Interval | None]:
    """The cumulative doublings of a bank or lot, by its key, and of what it comes from."""
    graph = walk(session, nodes_by(session, [node]), Direction.BACK)
    return _levels(graph.edges, passages_of(session, graph.nodes))


def _grown(
    lot: str, edges: set[Edge], banks: Sequence[CellBank], passages: Sequence[Passage]
) -> Iterator[Grown]:
    """The doublings of each bank, and of the lot against the maximum of each bank behind it."""
    found = _levels(edges, passages)
    for one in banks:
        if one.max_doublings:
            yield Grown(one.key, found[one.key], one.max_doublings)
            yield Grown(lot, found[lot], one.max_doublings)


def _levels(
    edges: Mapping[Edge, Row] | set[Edge], passages: Sequence[Passage]
) -> dict[str, Interval | None]:
    made = {NodeKind.LOT, NodeKind.CELL_BANK}
    parents: dict[str, list[str]] = {}
    for edge in edges:
        if kind_of(edge.child) in made and kind_of(edge.parent) is not NodeKind.DONOR:
            parents.setdefault(edge.child, []).append(edge.parent)
    newest = {(one.node, one.passage): one for one in passages}  # later rows come later
    own: dict[str, list[Interval]] = {}
    for one in newest.values():
        level = doublings(Decimal(one.seeded), Decimal(one.harvested))
        own.setdefault(one.node, []).append(level)
    return levels(parents, own)


def _further(session: Session, origin: Origin, banks: Sequence[CellBank]) -> Iterator[str]:
    """The banks further back from which no cells may be taken."""
    statuses = bank_statuses(session, banks)
    for one in banks:
        if one.key not in origin.rows and statuses[one.id] is not BankStatus.AVAILABLE:
            yield f"{one.key} is {statuses[one.id]}"


def _look_backs(session: Session, sources: list[str]) -> list[Row]:
    """Every look-back from some nodes, how it was closed, and the signatures."""
    rows: list[Row] = []
    for one in look_backs_from(session, sources):
        closing = closing_of(session, one)
        rows += [row for row in (one, one.signature, closing) if row is not None]
        rows += [closing.signature] if closing is not None else []
    return rows
