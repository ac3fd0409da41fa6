"""The genealogy of a lot, or of any node: a picture, and a table that names every node."""

from typing import Any, Final

from fastapi import Request, Response

from batchqc.actions.genealogy import Trace, trace
from batchqc.actions.lots import the_lot
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.genealogy import Direction, NodeKind, reached
from batchqc.documents.csv_file import csv_bytes
from batchqc.web.calls import Visit
from batchqc.web.family_tree import look_of, picture_of
from batchqc.web.rendering import page

router = Routes()

_COLUMNS: Final = ("kind", "id", "stands", "way", "comes_from")


@router.get("/lots/{lot}/genealogy")
def genealogy(request: Request, call: Visit, lot: str) -> Response:
    """Both ways: back to the donors, and forward to every container."""
    with call.reading() as session:
        key = the_lot(session, lot).key
    return _shown(request, call, key, Direction.BOTH)


@router.get("/genealogy.csv")
def as_csv(call: Visit, node: str, direction: Direction = Direction.BOTH) -> Response:
    """Every node with what it comes from."""
    rows = [
        (
            one["kind"], one["id"], one["stands"], one["way"],
            "; ".join(f"{parent} ({how})" for parent, how in one["parents"]),
        )
        for one in _rows(_traced(call, node, direction))
    ]  # fmt: skip
    return csv_answer(csv_bytes([_COLUMNS, *rows]), "genealogy.csv")


@router.get("/genealogy/{node:path}")
def of_node(
    request: Request,
    call: Visit,
    node: str,
    direction: Direction = Direction.BOTH,
) -> Response:
    """The same of a donor, a bank, a container, a shipment or whatever has an id."""
    return _shown(request, call, node, direction)


def _traced(call: Call, node: str, direction: Direction) -> Trace:
    with call.reading() as session:
        return trace(session, node=node, direction=direction, now=call.door.now())


def _shown(request: Request, call: Call, node: str, direction: Direction) -> Response:
    found = _traced(call, node, direction)
    start = found.nodes[0]
    return page(
        request,
        "genealogy.html",
        start=start,
        is_lot=start.kind is NodeKind.LOT,
        direction=direction,
        directions=list(Direction),
        picture=picture_of(found),
        rows=_rows(found),
    )


def _rows(found: Trace) -> list[dict[str, Any]]:
    """Every node as a row of the table: what it is, which way it lies, and what it comes from."""
    back = reached(found.edges, found.start, Direction.BACK)
    parents: dict[str, list[tuple[str, str]]] = {}
    for edge in found.edges:
        parents.setdefault(edge.child, []).append((edge.parent, edge.kind))
    order = {kind: number for number, kind in enumerate(NodeKind)}
    return [
        {
            "key": one.key,
            "kind": one.kind.replace("_", " "),
            "id": one.id,
            "stands": one.status,
            "look": look_of(one.status),
            "way": "itself" if one.key == found.start else "back" if one.key in back else "forward",
            "parents": parents.get(one.key, []),
        }
        for one in sorted(found.nodes, key=lambda node: (order[node.kind], node.id))
    ]
