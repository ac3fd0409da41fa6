"""Graphs of genealogy: closures, circles, and what makes a trace incomplete."""

import random

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.genealogy import (
    Direction,
    Edge,
    NodeKind,
    id_of,
    in_circles,
    kind_of,
    problems,
    reached,
    would_circle,
)

D1, D2, G1, G2 = "donor:D-1", "donor:D-2", "donation:G-1", "donation:G-2"
MCB, WCB, LOT, VIAL = "cell_bank:M-1", "cell_bank:W-1", "lot:L-1", "container:V-1"
SHIPMENT, RECIPIENT = "shipment:SHP-2026-000001", "recipient:CH-01"
EDGES = [
    Edge(G1, D1, "donated by"), Edge(G2, D2, "donated by"), Edge(MCB, G1, "pooled of"),
    Edge(MCB, G2, "pooled of"), Edge(WCB, MCB, "made of"), Edge(LOT, WCB, "made of"),
    Edge(VIAL, LOT, "filled from"), Edge(SHIPMENT, VIAL, "holds"),
    Edge(RECIPIENT, VIAL, "administered"),
]  # fmt: skip
NODES = {node for edge in EDGES for node in edge[:2]}


@pytest.mark.requirement("8.12")
def test_a_trace_goes_forward_back_and_both_ways_with_pooling():
    assert reached(EDGES, D1, Direction.FORWARD) == NODES - {D1, D2, G2}
    assert reached(EDGES, RECIPIENT, Direction.BACK) == NODES - {RECIPIENT, SHIPMENT}
    assert reached(EDGES, LOT, Direction.BOTH) == NODES - {LOT}
    assert list(problems(NODES, EDGES, traced_back=NODES)) == []


def test_a_recipient_of_one_dose_comes_from_no_other_lot_in_the_same_shipment():
    other = [Edge("container:V-2", "lot:L-2", ""), Edge(SHIPMENT, "container:V-2", "")]
    assert "lot:L-2" not in reached([*EDGES, *other], RECIPIENT, Direction.BACK)
    assert RECIPIENT not in reached([*EDGES, *other], "lot:L-2", Direction.FORWARD)
    assert "lot:L-2" in reached([*EDGES, *other], SHIPMENT, Direction.BACK)


@pytest.mark.requirement("8.12")
def test_what_dangles_what_comes_from_nothing_and_what_comes_from_the_wrong_kind_is_told():
    lonely = "cell_bank:X-1"
    said = list(problems({*NODES, lonely} - {WCB}, EDGES, traced_back={*NODES, lonely}))
    assert said == [
        f"{WCB} is not on record; {MCB} names it",
        f"{WCB} is not on record; {LOT} names it",
        f"{lonely} comes from nothing on record",
    ]
    assert list(problems({*NODES, lonely}, EDGES, traced_back=NODES)) == []
    (wrong,) = problems({D1, RECIPIENT}, [Edge(RECIPIENT, D1, "")], traced_back=())
    assert wrong == f"{RECIPIENT} cannot come from {D1}"


def test_a_circle_is_found_before_and_after_it_is_closed():
    assert would_circle(EDGES, MCB, [WCB, G1]) == (WCB,)
    assert would_circle(EDGES, MCB, [MCB]) == (MCB,)
    assert would_circle(EDGES, WCB, [MCB]) == ()
    closed = [*EDGES, Edge(MCB, WCB, "made of")]
    assert in_circles(EDGES) == frozenset()
    assert in_circles(closed) == {MCB, WCB}
    assert list(problems(NODES, closed, traced_back=NODES)) == [f"a circle: {MCB}, {WCB}"]
    assert MCB not in reached(closed, MCB, Direction.FORWARD)


def test_a_node_is_a_kind_and_an_id():
    assert kind_of(SHIPMENT) is NodeKind.SHIPMENT
    assert id_of(SHIPMENT) == "SHP-2026-000001"
    with pytest.raises(ValueError):
        kind_of("thing:1")


@given(st.integers(), st.integers(2, 60))
def test_closures_are_those_of_networkx(seed: int, size: int):
    draw = random.Random(seed)  # noqa: S311 - a graph, no secret
    nodes = [f"cell_bank:B-{number}" for number in range(size)]
    edges = [
        Edge(nodes[child], nodes[parent], "made of")
        for child in range(1, size)
        for parent in draw.sample(range(child), k=draw.randint(1, min(3, child)))
    ]
    graph = nx.DiGraph((edge.parent, edge.child) for edge in edges)
    for node in draw.sample(nodes, 2):
        assert reached(edges, node, Direction.FORWARD) == nx.descendants(graph, node)
        assert reached(edges, node, Direction.BACK) == nx.ancestors(graph, node)
    backwards = [Edge(edge.parent, edge.child, edge.kind) for edge in edges[:3]]
    mixed = nx.DiGraph((edge.parent, edge.child) for edge in (*edges, *backwards))
    round_and_round = {
        node for part in nx.strongly_connected_components(mixed) if len(part) > 1 for node in part
    }
    assert round_and_round <= in_circles([*edges, *backwards])
    assert in_circles(edges) == frozenset()
