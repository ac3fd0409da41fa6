"""What a lot was made of, and what became of it."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from batchqc.actions.genealogy import Trace, TracedNode, trace
from batchqc.actions.lots import the_lot
from batchqc.core.genealogy import Direction
from batchqc.web.calls import Visit
from batchqc.web.rendering import page

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Branch:
    """A node of the tree, by what it hangs on its parent, and what hangs on it."""

    node: TracedNode
    by: str
    branches: tuple["Branch", ...]


@router.get("/lots/{lot}/genealogy")
def genealogy(request: Request, call: Visit, lot: str) -> Response:
    """Both ways: back to the donors, and forward to every container."""
    with call.reading() as session:
        row = the_lot(session, lot)
        back, forward = (
            trace(session, node=row.key, direction=way, now=call.door.now())
            for way in (Direction.BACK, Direction.FORWARD)
        )
    return page(
        request,
        "genealogy.html",
        lot=row.lot,
        back=tree(back, back.start, is_back=True),
        forward=tree(forward, forward.start, is_back=False),
    )


def tree(found: Trace, start: str, *, is_back: bool, by: str = "") -> Branch:
    """The tree of a trace from a node on; what is reached twice stands twice."""
    node = next(one for one in found.nodes if one.key == start)
    below = [
        (one.parent if is_back else one.child, one.kind)
        for one in found.edges
        if (one.child if is_back else one.parent) == start
    ]
    branches = tuple(tree(found, key, is_back=is_back, by=kind) for key, kind in below)
    return Branch(node, by, branches)
