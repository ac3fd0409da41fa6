"""Whether what a trace shows is what the audit trail witnessed, and all of it.

Every row that a trace rests on is compared with the first entry that speaks of it. What an entry
about a shown node speaks of, and the trace should have met and did not, is missing: a trace from
which somebody took a row is no trace.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from sqlalchemy.orm import Session

from batchqc.core.audit import entry_sha256
from batchqc.core.genealogy import NodeKind
from batchqc.records.audit import AuditEntry, entries_about
from batchqc.records.base import Row
from batchqc.records.genealogy import Graph, portions

#: Kinds of rows that an edge is, and what parts their names into child and parent.
_EDGES: Final[Mapping[str, tuple[str, str, str]]] = {
    "derivation": (" from ", "", ""),  # both are named by their keys
    "lot_donor": ("/", f"{NodeKind.LOT}:", f"{NodeKind.DONOR}:"),
    "donation_pool_part": ("/", f"{NodeKind.POOL}:", f"{NodeKind.DONATION}:"),
    "shipped_container": ("/", f"{NodeKind.SHIPMENT}:", f"{NodeKind.CONTAINER}:"),
    "administration": ("/", f"{NodeKind.RECIPIENT}:", f"{NodeKind.CONTAINER}:"),
}
#: Kinds of rows that say how a node stands, and the kind of this node.
_STATES: Final[Mapping[str, NodeKind]] = {
    "eligibility": NodeKind.DONOR,
    "cell_bank_event": NodeKind.CELL_BANK,
    "container_event": NodeKind.CONTAINER,
    "custody": NodeKind.RETAIN_SAMPLE,
    "receipt": NodeKind.SHIPMENT,
    "disposition": NodeKind.LOT,
    "hold": NodeKind.LOT,
    "hold_end": NodeKind.LOT,
}
#: Kinds of nodes that are registered under their one parent: the entry is filed under both.
_UNDER: Final = frozenset({NodeKind.DONATION, NodeKind.CONTAINER, NodeKind.RETAIN_SAMPLE})
#: Filed under the source that they are from, and under no other node.
_LOOK_BACKS: Final = frozenset({"look_back", "look_back_closing"})
#: Of lots: they change the expiry. What is corrected of a donor is looked at with the donor.
_CORRECTIONS: Final = frozenset({"correction", "correction_decision"})
_LOT: Final = f"{NodeKind.LOT}:"


def graph_damage(session: Session, graph: Graph, states: Iterable[Row]) -> Iterator[str]:
    """What is wrong with the rows of a graph, in words.

    Args:
        session: to read the audit trail.
        graph: what was reached.
        states: the rows that say how its nodes stand.
    """
    rows = (*graph.nodes.values(), *graph.edges.values(), *states)
    present = {row.key: row for row in rows}
    witnessed: dict[str, str] = {}
    expected: set[str] = set()
    for subjects, records in _entries(session, present):
        witnessed = records | witnessed
        expected |= {key for key in records if _belongs(key, subjects, graph)}
    for key, row in present.items():
        if key not in witnessed:
            yield f"no audit entry mentions {key}"
        elif witnessed[key] != row.content_sha256:
            yield f"{key} is not as its audit entry says"
    for key in sorted(expected - present.keys()):
        yield f"{key} is missing; an audit entry speaks of it"


def _entries(
    session: Session, keys: Iterable[str]
) -> Iterator[tuple[frozenset[str], dict[str, str]]]:
    """Subjects and records of every entry about some rows, oldest first; changed ones count not."""
    found: dict[int, AuditEntry] = {}
    for some in portions(keys):
        found |= {entry.id: entry for entry in entries_about(session, some)}
    for _, entry in sorted(found.items()):
        if entry_sha256(entry.text) == entry.sha256:
            body = json.loads(entry.text)
            yield frozenset(body["subjects"]), body["records"]


def _belongs(key: str, subjects: AbstractSet[str], graph: Graph) -> bool:
    """Whether a row of this key must have been met."""
    kind, _, name = key.partition(":")
    if kind in _EDGES:
        between, of, to = _EDGES[kind]
        child, _, parent = name.partition(between)
        return f"{of}{child}" in graph.back or f"{to}{parent}" in graph.forward
    if kind in _STATES:
        return f"{_STATES[kind]}:{name.partition('/')[0]}" in graph.nodes
    if kind == "passage":
        return name.rsplit("/", 2)[0] in graph.nodes
    if kind in _LOOK_BACKS:
        return any(one in graph.nodes for one in subjects)
    if kind in _CORRECTIONS:
        return any(one in graph.nodes and one.startswith(_LOT) for one in subjects)
    is_under = kind in _UNDER
    return is_under and any(one in graph.forward and _is_source(one) for one in subjects)


def _is_source(node: str) -> bool:
    """Whether something is registered under nodes of this kind."""
    return node.startswith((f"{NodeKind.DONOR}:", f"{NodeKind.LOT}:", f"{NodeKind.CELL_BANK}:"))
