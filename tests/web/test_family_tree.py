"""The picture of a genealogy: every node is in it, right of what it comes from."""

from batchqc.actions.genealogy import Trace, TracedNode
from batchqc.core.genealogy import Direction, Edge, id_of, kind_of
from batchqc.web.family_tree import Drawn, Picture, look_of, picture_of

DONOR, GIFT, BANK, GOOD, BAD = "donor:D-1", "donation:G-1", "cell_bank:B-1", "lot:L-1", "lot:L-2"
STANDS = {
    DONOR: "eligible", BANK: "available", GOOD: "released, on hold", BAD: "rejected, expired",
}  # fmt: skip
EDGES = [
    (GIFT, DONOR), (BANK, GIFT), (GOOD, BANK), (GOOD, DONOR), (BAD, BANK), (BAD, DONOR),
]  # fmt: skip


def traced(*more: tuple[str, str], start: str = GOOD) -> Trace:
    edges = tuple(Edge(child, parent, "of") for child, parent in [*EDGES, *more])
    keys = sorted({one for edge in edges for one in edge[:2]})
    nodes = tuple(TracedNode(key, kind_of(key), id_of(key), STANDS.get(key, "")) for key in keys)
    return Trace(start, Direction.BOTH, nodes, edges)


def boxes(picture: Picture) -> dict[str, Drawn]:
    return {one.key: one for one in picture.boxes}


def test_a_node_stands_right_of_what_it_comes_from_and_none_lies_on_another():
    picture = picture_of(traced())
    found = boxes(picture)
    for child, parent in EDGES:
        assert found[child].x > found[parent].x
    assert len({(one.x, one.y) for one in picture.boxes}) == len(picture.boxes) == 5
    assert picture.width > max(one.x for one in picture.boxes)
    assert len(picture.lines) == 4  # the donor of a bank's lot is behind the bank


def test_a_rejected_branch_is_dashed_and_what_is_held_says_so_on_a_line_of_its_own():
    picture = picture_of(traced())
    found = boxes(picture)
    assert (found[BAD].look, found[GOOD].look) == ("off", "held start")
    assert found[GOOD].said == ("released", "on hold")
    assert [one.is_off for one in picture.lines].count(True) == 1
    looks = {look_of(said) for said in ("available", "eligible", "released")}
    assert looks == {"good"}
    assert look_of("ineligible") == "off"
    assert look_of("eligible by documented exception") == "held"
    assert look_of("not determined") == "plain"


def test_many_doses_of_one_lot_are_one_box_that_leads_to_the_list_of_them():
    few = [(f"container:C-{number}", GOOD) for number in range(4)]
    many = [(f"container:E-{number}", BAD) for number in range(5)]
    shipped = [(f"shipment:SHP-2026-{number:06}", f"container:E-{number}") for number in range(2)]
    picture = picture_of(traced(*few, *many, *shipped))
    found = boxes(picture)
    assert {f"container:C-{number}" for number in range(4)} <= found.keys()
    (bundle,) = [one for one in picture.boxes if one.name == "5 containers"]
    assert bundle.href == "/lots/L-2/doses"
    assert all(found[key].x > bundle.x for key, _ in shipped)
    assert len(picture.boxes) == 5 + 4 + 1 + 2


def test_what_one_looks_from_is_never_drawn_as_one_of_many():
    many = [(f"container:E-{number}", BAD) for number in range(6)]
    picture = picture_of(traced(*many, start="container:E-0"))
    assert "start" in boxes(picture)["container:E-0"].look
    assert "5 containers" in {one.name for one in picture.boxes}


def test_too_many_nodes_are_told_and_not_drawn():
    lots = [(f"lot:M-{number}", BANK) for number in range(300)]
    picture = picture_of(traced(*lots))
    assert (picture.boxes, picture.too_many) == ((), 305)
