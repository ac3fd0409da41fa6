"""Where a lot comes from and where it went: nodes, what was made of what, and both closures.

- A node is named by its kind and id, such as ``lot:MSC-26-0012``; an edge leads from a child to one
  of its parents. Pooling gives a child several parents.
- A trace is complete or it is none: a node that is missing, a node without the parent that it must
  have, and a circle are problems, and who asks is told of every one.
- A container's shipment and its recipient are both its children: doses of several lots travel in
  one shipment, and a recipient of one of them is no descendant of the others.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class NodeKind(StrEnum):
    """What a node is."""

    DONOR = "donor"
    DONATION = "donation"
    POOL = "donation_pool"
    CELL_BANK = "cell_bank"
    LOT = "lot"
    CONTAINER = "container"
    RETAIN_SAMPLE = "retain_sample"
    SHIPMENT = "shipment"
    RECIPIENT = "recipient"


class Direction(StrEnum):
    """Which way to trace."""

    FORWARD = "forward"
    BACK = "back"
    BOTH = "both"


class Edge(NamedTuple):
    """That a child comes from a parent, and how."""

    child: str
    parent: str
    kind: str


#: What each kind may come from; a donor comes from nothing, everything else from something.
PARENTS: Final[Mapping[NodeKind, frozenset[NodeKind]]] = {
    NodeKind.DONOR: frozenset(),
    NodeKind.DONATION: frozenset({NodeKind.DONOR}),
    NodeKind.POOL: frozenset({NodeKind.DONATION}),
    NodeKind.CELL_BANK: frozenset({NodeKind.DONATION, NodeKind.POOL, NodeKind.CELL_BANK}),
    NodeKind.LOT: frozenset({NodeKind.DONOR, NodeKind.DONATION, NodeKind.POOL, NodeKind.CELL_BANK}),
    NodeKind.CONTAINER: frozenset({NodeKind.CELL_BANK, NodeKind.LOT}),
    NodeKind.RETAIN_SAMPLE: frozenset({NodeKind.CELL_BANK, NodeKind.LOT}),
    NodeKind.SHIPMENT: frozenset({NodeKind.CONTAINER}),
    NodeKind.RECIPIENT: frozenset({NodeKind.CONTAINER}),
}


def kind_of(node: str) -> NodeKind:
    """The kind of a node.

    Raises:
        ValueError: it names no kind.
    """
    return NodeKind(node.partition(":")[0])


def id_of(node: str) -> str:
    """The id of a node."""
    return node.partition(":")[2]


def reached(edges: Iterable[Edge], start: str, direction: Direction) -> frozenset[str]:
    """Every node that is reached from ``start`` one way, without ``start``; or both ways."""
    known = tuple(edges)
    if direction is Direction.BOTH:
        both = (reached(known, start, one) for one in (Direction.FORWARD, Direction.BACK))
        return frozenset[str]().union(*both)
    following: dict[str, list[str]] = {}
    for edge in known:
        here, there = edge.parent, edge.child
        if direction is Direction.BACK:
            here, there = there, here
        following.setdefault(here, []).append(there)
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for node in following.get(waiting.pop(), ()):
            if node not in found:
                found.add(node)
                waiting.append(node)
    return frozenset(found - {start})


def would_circle(edges: Iterable[Edge], child: str, parents: Iterable[str]) -> tuple[str, ...]:
    """The parents from which ``child`` cannot be made: they are made of it, or are it."""
    descendants = reached(edges, child, Direction.FORWARD) | {child}
    return tuple(one for one in parents if one in descendants)


def in_circles(edges: Iterable[Edge]) -> frozenset[str]:
    """Every node of a circle, and those between two circles."""
    left = set(edges)
    while True:
        children = {edge.child for edge in left}
        parents = {edge.parent for edge in left}
        both = {edge for edge in left if edge.parent in children and edge.child in parents}
        if len(both) == len(left):
            return frozenset(children)
        left = both


def problems(
    nodes: Collection[str], edges: Iterable[Edge], *, traced_back: Collection[str]
) -> Iterator[str]:
    """Everything that makes a trace incomplete, in words.

    Args:
        nodes: that are on record.
        edges: between them.
        traced_back: the nodes whose parents were looked for.
    """
    known, all_nodes = tuple(edges), frozenset(nodes)
    for edge in known:
        for node, other in ((edge.child, edge.parent), (edge.parent, edge.child)):
            if node not in all_nodes:
                yield f"{node} is not on record; {other} names it"
        if kind_of(edge.parent) not in PARENTS[kind_of(edge.child)]:
            yield f"{edge.child} cannot come from {edge.parent}"
    with_parents = {edge.child for edge in known}
    for node in sorted(frozenset(traced_back) & all_nodes - with_parents):
        if PARENTS[kind_of(node)]:
            yield f"{node} comes from nothing on record"
    circle = in_circles(known)
    if circle:
        yield f"a circle: {', '.join(sorted(circle))}"
