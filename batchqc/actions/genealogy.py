"""Trace forward and back in one call: every node, every edge and how each stands, or an error.

A trace that is not complete is none: whoever looks for every dose must not be shown a part of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.genealogy_integrity import graph_damage
from batchqc.actions.genealogy_states import States, states_of
from batchqc.actions.setup import own_site
from batchqc.core.genealogy import Direction, Edge, NodeKind, id_of, kind_of, problems
from batchqc.errors import IntegrityFailure, InvalidInput, NotFound
from batchqc.records.base import Row
from batchqc.records.donations import donation_by
from batchqc.records.genealogy import Graph, nodes_by, nodes_called, walk


@dataclass(frozen=True, slots=True)
class TracedNode:
    """A node, its kind and id, and how it stands."""

    key: str
    kind: NodeKind
    id: str
    status: str


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that is reached from a node, which is the first of the nodes."""

    start: str
    direction: Direction
    nodes: tuple[TracedNode, ...]
    edges: tuple[Edge, ...]


def trace(session: Session, *, node: str, direction: Direction, now: datetime) -> Trace:
    """Everything that a node was made of (back), what was made of it (forward), or both.

    Args:
        session: of one consistent state.
        node: kind and id, such as ``lot:MSC-26-0012``, or the id alone where only one has it.
        direction: which way.
        now: for what expires.

    Raises:
        NotFound: there is no such node.
        InvalidInput: nodes of several kinds have this id.
        IntegrityFailure: the trace is not complete, or not as the audit trail says; every reason.
    """
    start = the_node(session, node)
    graph, said = complete(session, {start.key: start}, direction, now)
    keys = [start.key, *sorted(graph.nodes.keys() - {start.key})]
    nodes = tuple(TracedNode(key, kind_of(key), id_of(key), said[key]) for key in keys)
    return Trace(start.key, direction, nodes, tuple(sorted(graph.edges)))


def complete(
    session: Session, start: Mapping[str, Row], direction: Direction, now: datetime
) -> tuple[Graph, dict[str, str]]:
    """A graph with how each of its nodes stands; both checked against the audit trail.

    Raises:
        IntegrityFailure: it is not complete; every reason.
    """
    graph, states, wrong = reach(session, start, direction, now)
    if wrong:
        raise IntegrityFailure(
            "BQC-GEN-001",
            f"the trace of {', '.join(start)} is not complete, and none is shown",
            hint="Stop. Run `batchqc audit verify` and call the system owner.",
            reasons=wrong,
        )
    return graph, states.said


def reach(
    session: Session, start: Mapping[str, Row], direction: Direction, now: datetime
) -> tuple[Graph, States, list[str]]:
    """As ``complete``; what is wrong is told beside what was reached, in words."""
    graph = walk(session, start, direction)
    today = now.astimezone(ZoneInfo(own_site(session).time_zone)).date()
    states = states_of(session, graph.nodes, today=today)
    wrong = [
        *problems(graph.nodes, graph.edges, traced_back=graph.back),
        *graph_damage(session, graph, states.rows),
    ]
    return graph, states, wrong


def the_node(session: Session, text: str) -> Row:
    """The node of kind and id, or of an id that one has; a donation has corrected ones too."""
    kind, colon, own = text.partition(":")
    if colon and kind in set(NodeKind):
        found = [*nodes_by(session, [text]).values()]
    else:
        kind, own, found = NodeKind.DONATION, text, nodes_called(session, text)
    if kind == NodeKind.DONATION:
        given = donation_by(session, own)
        found += [given] if given is not None and given not in found else []
    if not found:
        kinds = ", ".join(NodeKind)
        raise NotFound(
            "BQC-GEN-002",
            f"there is no {text} in the genealogy",
            hint=f"Name its kind too, such as lot:MSC-26-0012; kinds are {kinds}.",
        )
    if len(found) > 1:
        named = ", ".join(one.key for one in found)
        raise InvalidInput("BQC-GEN-003", f"{text} is the id of several: {named}")
    return found[0]
