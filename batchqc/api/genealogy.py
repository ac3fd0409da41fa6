"""Genealogy: traces both ways, and cell banks with their passages."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field, StrictBool
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.cell_banks import (
    NewBank,
    NewPassage,
    permission_to,
    record_passage,
    register_bank,
    set_bank_status,
    the_bank,
)
from batchqc.actions.genealogy import trace
from batchqc.actions.genealogy_gate import levels_back
from batchqc.actions.joined import add_parents
from batchqc.actions.lot_origins import name_origin
from batchqc.api.doors import SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import COUNTED, Day, Sent
from batchqc.api.shapes import After, Limit, Page, Whole, page
from batchqc.core.cell_banks import BankKind, BankStatus
from batchqc.core.doublings import level_text
from batchqc.core.genealogy import Direction, NodeKind
from batchqc.core.permissions import Permission
from batchqc.records.cell_banks import CellBank, bank_statuses, parents_of

router = Routes(PREFIX, tags=["genealogy"], responses=PROBLEMS)

Node = Annotated[str, Field(examples=["lot:UCM-P5-T1"], description="Kind and id.")]


class NodeOut(BaseModel):
    """A node and how it stands."""

    key: Node
    kind: NodeKind
    id: str
    status: str


class EdgeOut(BaseModel):
    """That a child comes from a parent."""

    child: Node
    parent: Node
    kind: str = Field(examples=["pooled of"])


class TraceOut(BaseModel):
    """Everything that is reached, or the request is answered by an integrity error."""

    start: Node
    direction: Direction
    nodes: list[NodeOut]
    edges: list[EdgeOut]


class BankRequest(Sent):
    """A bank to register. Dates are site-local; `expires_on` is its last usable day."""

    id: Annotated[str, Field(examples=["MCB-UC-01"])]
    kind: BankKind
    made_of: Annotated[list[str], Field(min_length=1, description="Donations, pools or banks.")]
    made_on: Day
    expires_on: Day
    place: str
    containers: Whole
    passage: Annotated[Whole, Field(description="At which it was frozen.")]
    is_pool: StrictBool = Field(default=False, description="Whether donors are mixed on purpose.")
    basis: str = Field(default="", description="What doublings count from, of a first bank.")
    max_doublings: str = Field(default="", examples=["20"], description="Blank: none declared.")


class BankOut(BaseModel):
    """A bank as registered, and how it stands."""

    id: str
    kind: BankKind
    made_of: list[Node]
    made_on: str
    expires_on: str
    place: str
    containers: int
    passage: int
    is_pool: bool
    basis: str
    max_doublings: str
    doublings: str = Field(description="Cumulative, cut after two places; or not known.")
    status: BankStatus
    registered_by: str
    registered_at: datetime


class ParentsRequest(Sent):
    """What a bank or a lot was made of, found or named later."""

    made_of: Annotated[list[str], Field(min_length=1)]
    reason: str


class OriginOut(BaseModel):
    """What a lot was made of."""

    lot: Node
    made_of: list[Node]


class StatusRequest(Sent):
    """What a bank is from now on."""

    status: BankStatus
    reason: str


class PassageRequest(Sent):
    """One passage on the way to a bank or a lot. Cells are numbers as text."""

    node: Node
    passage: Annotated[int, Field(ge=0, le=1000), COUNTED]
    seeded: Annotated[str, Field(examples=["5E5"])]
    harvested: Annotated[str, Field(examples=["8.2E6"])]
    harvested_on: Day
    reason: str = Field(default="", description="Why, where an earlier row is replaced.")


class PassageOut(PassageRequest):
    """A passage as recorded, and the doublings from isolation on, as they are known now."""

    number: int
    cumulative: str


@router.get("/genealogy/{node:path}/trace", summary="Trace forward, back, or both ways")
def trace_node(
    call: SignedIn,
    node: Annotated[str, Path(description="Kind and id, or an id that only one node has.")],
    direction: Annotated[Direction, Query(description="Which way.")] = Direction.BOTH,
) -> TraceOut:
    """Every node, every edge and how each stands: complete, or an error that says what is not."""
    with call.reading() as session:
        found = trace(session, node=node, direction=direction, now=call.door.now())
    return TraceOut(
        start=found.start,
        direction=found.direction,
        nodes=[
            NodeOut(key=one.key, kind=one.kind, id=one.id, status=one.status) for one in found.nodes
        ],
        edges=[EdgeOut(**one._asdict()) for one in found.edges],
    )


@router.get("/cell-banks", summary="Cell banks")
def banks(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[BankOut]:
    """Every bank, in the order of registration."""
    with call.reading() as session:
        return page(
            session,
            select(CellBank),
            CellBank,
            after=the_bank(session, after) if after else None,
            limit=limit,
            show=lambda one: _bank(session, one),
        )


@router.post("/cell-banks", status_code=201, response_model=BankOut, summary="Register a cell bank")
def add_bank(call: Writing, sent: BankRequest) -> Response:
    """Register a bank with what it is made of."""
    new = NewBank(**sent.model_dump() | {"made_of": tuple(sent.made_of)})
    with call.writing(Permission.KEEP_BANKS, sent) as work:
        if work.is_new:
            work.answer(201, _bank(work.tx.session, register_bank(work.tx, new)))
    return work.response()


@router.get("/cell-banks/{bank}", summary="One cell bank")
def one_bank(call: SignedIn, bank: str) -> BankOut:
    """A bank by its id, compared without case."""
    with call.reading() as session:
        return _bank(session, the_bank(session, bank))


@router.post(
    "/cell-banks/{bank}/parents",
    status_code=201,
    response_model=BankOut,
    summary="Say what else a bank was made of",
)
def more_parents(call: Writing, bank: str, sent: ParentsRequest) -> Response:
    """A circle, and mixed donors in what is no pool, are refused.

    Where what is added is in doubt, everything that came of the bank is held, by a look-back.
    """
    with call.writing(Permission.KEEP_BANKS, sent) as work:
        if work.is_new:
            made_of = tuple(sent.made_of)
            archive = call.door.archive
            add_parents(work.tx, archive, child=bank, made_of=made_of, reason=sent.reason)
            work.answer(201, _bank(work.tx.session, the_bank(work.tx.session, bank)))
    return work.response()


@router.post(
    "/cell-banks/{bank}/status",
    status_code=201,
    response_model=BankOut,
    summary="Quarantine a bank, let it out, or record its destruction",
)
def bank_status(call: Writing, bank: str, sent: StatusRequest) -> Response:
    """Only QA lets a bank out of quarantine, and not while it is under look-back."""
    with call.writing(permission_to(sent.status), sent) as work:
        if work.is_new:
            set_bank_status(work.tx, bank=bank, status=sent.status, reason=sent.reason)
            work.answer(201, _bank(work.tx.session, the_bank(work.tx.session, bank)))
    return work.response()


@router.post(
    "/lots/{lot}/origin",
    status_code=201,
    response_model=OriginOut,
    summary="Say later of which banks a lot was made",
)
def lot_made_of(call: Writing, lot: str, sent: ParentsRequest) -> Response:
    """Once, before the lot is decided; its donors are exactly those of the banks."""
    with call.writing(Permission.REGISTER_LOT, sent) as work:
        if work.is_new:
            edges = name_origin(work.tx, lot=lot, made_of=sent.made_of, reason=sent.reason)
            work.answer(201, OriginOut(lot=edges[0].child, made_of=[one.parent for one in edges]))
    return work.response()


@router.post("/passages", status_code=201, response_model=PassageOut, summary="Record a passage")
def add_passage(call: Writing, sent: PassageRequest) -> Response:
    """A row is never changed; a later row of the same passage replaces it, and says why."""
    with call.writing(Permission.KEEP_BANKS, sent) as work:
        if work.is_new:
            row = record_passage(work.tx, NewPassage(**sent.model_dump()))
            level = levels_back(work.tx.session, row.node).get(row.node)
            said = sent.model_dump() | {"node": row.node}
            work.answer(
                201,
                PassageOut.model_construct(**said, number=row.number, cumulative=level_text(level)),
            )
    return work.response()


def _bank(session: Session, row: CellBank) -> BankOut:
    return BankOut(
        id=row.bank,
        kind=BankKind(row.kind),
        made_of=[one.parent for one in parents_of(session, [row.key])],
        made_on=row.made_on,
        expires_on=row.expires_on,
        place=row.place,
        containers=row.containers,
        passage=row.passage,
        is_pool=bool(row.is_pool),
        basis=row.basis,
        max_doublings=row.max_doublings,
        doublings=level_text(levels_back(session, row.key).get(row.key)),
        status=bank_statuses(session, [row])[row.id],
        registered_by=row.registered_by,
        registered_at=row.registered_at,
    )
