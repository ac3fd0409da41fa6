"""Vials and bags, what became of each, what is left of a lot, and retain samples."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from batchqc.actions.cell_banks import permission_to
from batchqc.actions.containers import (
    Move,
    NewContainer,
    expiry_of,
    move_containers,
    register_containers,
)
from batchqc.actions.doses import doses_of
from batchqc.actions.lots import the_lot
from batchqc.actions.retains import Handing, NewRetain, hand_over, register_retain, the_retain
from batchqc.api.doors import SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Day, Sent
from batchqc.core.containers import ContainerStatus
from batchqc.core.permissions import Permission
from batchqc.records.containers import (
    Container,
    RetainSample,
    containers_of,
    custody_of,
    inventory,
    newest_events,
    status_of,
)

router = Routes(PREFIX, tags=["genealogy"], responses=PROBLEMS)


class ContainerShape(Sent):
    """A container to register; without an expiry of its own it has that of its lot or bank."""

    id: Annotated[str, Field(examples=["UCM-P5-T1-V001"])]
    kind: Annotated[str, Field(examples=["vial"])]
    filled: Annotated[str, Field(examples=["1E7 cells in 1 mL"])]
    place: Annotated[str, Field(examples=["Tank 3, rack 2, box 1"])]
    expires_on: Day | None = None


class ContainersRequest(Sent):
    """Containers of one lot or bank."""

    of: Annotated[str, Field(examples=["lot:UCM-P5-T1"])]
    containers: Annotated[list[ContainerShape], Field(min_length=1, max_length=1000)]


class ContainerOut(BaseModel):
    """A container and how it stands."""

    id: str
    of: str
    kind: str
    filled: str
    place: str
    expires_on: str
    status: ContainerStatus
    since: str = Field(description="As stated; empty while it lies where it was put.")


class ContainersOut(BaseModel):
    """Containers that were registered or moved."""

    items: list[ContainerOut]


class DoseOut(BaseModel):
    """Where a container is; "" where it never went."""

    container: str
    of: str
    status: str
    shipment: str
    site: str
    shipped_on: str
    recipient: str
    administered_on: str


class DosesOut(BaseModel):
    """Where the doses of a lot are."""

    lot: str
    doses: list[DoseOut]


class InventoryOut(ContainersOut):
    """What is left of a lot: how many containers stand how."""

    lot: str
    counts: dict[ContainerStatus, int]
    depleted: bool


class MoveRequest(Sent):
    """What became of containers; `happened_at` is kept as typed, with its offset."""

    containers: Annotated[list[str], Field(min_length=1, max_length=1000)]
    status: ContainerStatus
    place: str
    happened_at: Annotated[str, Field(examples=["2026-06-01T09:30:00-05:00"])]
    reason: str


class RetainRequest(Sent):
    """A retain sample to register."""

    id: Annotated[str, Field(examples=["RET-2026-001"])]
    of: Annotated[str, Field(examples=["lot:UCM-P5-T1"])]
    kind: Annotated[str, Field(examples=["final product"])]
    amount: Annotated[str, Field(examples=["3"])]
    unit: Annotated[str, Field(examples=["vials"])]
    keep_until: Day
    place: str
    handed_to: str


class HandingRequest(Sent):
    """Who hands a retain sample to whom, where it is then, and how much is left."""

    handed_by: str
    handed_to: str
    place: str
    left: Annotated[str, Field(examples=["2"])]
    reason: str


class CustodyOut(BaseModel):
    """One step of custody."""

    number: int
    handed_by: str
    handed_to: str
    place: str
    left: str
    reason: str
    recorded_by: str
    recorded_at: datetime


class RetainOut(BaseModel):
    """A retain sample with its custody, oldest first."""

    id: str
    of: str
    kind: str
    amount: str
    unit: str
    keep_until: str
    custody: list[CustodyOut]


@router.post(
    "/containers", status_code=201, response_model=ContainersOut, summary="Register containers"
)
def add_containers(call: Writing, sent: ContainersRequest) -> Response:
    """All of them, or none."""
    new = [NewContainer(**one.model_dump()) for one in sent.containers]
    with call.writing(Permission.KEEP_BANKS, sent) as work:
        if work.is_new:
            rows = register_containers(work.tx, of=sent.of, containers=new)
            work.answer(201, ContainersOut(items=_containers(work.tx.session, rows)))
    return work.response()


@router.post(
    "/container-moves",
    status_code=201,
    response_model=ContainersOut,
    summary="Record what became of containers",
)
def move(call: Writing, sent: MoveRequest) -> Response:
    """All of them, or none; only QA lets anything out of quarantine."""
    to = Move(tuple(sent.containers), sent.status, sent.place, sent.happened_at, sent.reason)
    with call.writing(permission_to(sent.status), sent) as work:
        if work.is_new:
            rows = [one.container for one in move_containers(work.tx, to)]
            work.answer(201, ContainersOut(items=_containers(work.tx.session, rows)))
    return work.response()


@router.get("/lots/{lot}/containers", summary="Containers of a lot, and what is left")
def of_lot(call: SignedIn, lot: str) -> InventoryOut:
    """Every container with its own status; each inherits that of the lot."""
    with call.reading() as session:
        row = the_lot(session, lot)
        found = inventory(session, [row.id])[row.id]
        return InventoryOut(
            lot=row.lot,
            counts=dict(found.counts),
            depleted=found.is_depleted,
            items=_containers(session, containers_of(session, row.id)),
        )


@router.get("/lots/{lot}/doses", summary="Where the doses of a lot are")
def doses(call: SignedIn, lot: str) -> DosesOut:
    """In storage, at which site since when, given to which pseudonym."""
    with call.reading() as session:
        row = the_lot(session, lot)
        found = doses_of(session, row, call.door.now())
        return DosesOut(lot=row.lot, doses=[DoseOut(**asdict(one)) for one in found])


@router.post(
    "/retain-samples", status_code=201, response_model=RetainOut, summary="Register a retain sample"
)
def add_retain(call: Writing, sent: RetainRequest) -> Response:
    """Its custody begins with whoever takes it."""
    with call.writing(Permission.KEEP_BANKS, sent) as work:
        if work.is_new:
            row = register_retain(work.tx, NewRetain(**sent.model_dump()))
            work.answer(201, _retain(work.tx.session, row))
    return work.response()


@router.get("/retain-samples/{retain}", summary="One retain sample with its custody")
def one_retain(call: SignedIn, retain: str) -> RetainOut:
    """A retain sample by its id."""
    with call.reading() as session:
        return _retain(session, the_retain(session, retain))


@router.post(
    "/retain-samples/{retain}/custody",
    status_code=201,
    response_model=RetainOut,
    summary="Hand a retain sample over",
)
def hand(call: Writing, retain: str, sent: HandingRequest) -> Response:
    """There is never more of it than before, and only who has it hands it over."""
    with call.writing(Permission.KEEP_BANKS, sent) as work:
        if work.is_new:
            event = hand_over(work.tx, Handing(retain, **sent.model_dump()))
            work.answer(201, _retain(work.tx.session, event.retain_sample))
    return work.response()


def _containers(session: Session, rows: Sequence[Container]) -> list[ContainerOut]:
    newest = newest_events(session, [row.id for row in rows])
    return [
        ContainerOut(
            id=row.container,
            of=row.source.key if row.source else "",
            kind=row.kind,
            filled=row.filled,
            place=newest[row.id].place if row.id in newest else row.place,
            expires_on=expiry_of(session, row).isoformat(),
            status=status_of(newest.get(row.id)),
            since=newest[row.id].happened_at if row.id in newest else "",
        )
        for row in rows
    ]


def _retain(session: Session, row: RetainSample) -> RetainOut:
    return RetainOut(
        id=row.retain,
        of=row.source.key if row.source else "",
        kind=row.kind,
        amount=row.amount,
        unit=row.unit,
        keep_until=row.keep_until,
        custody=[
            CustodyOut(
                number=one.number,
                handed_by=one.handed_by,
                handed_to=one.handed_to,
                place=one.place,
                left=one.left,
                reason=one.reason,
                recorded_by=one.recorded_by,
                recorded_at=one.recorded_at,
            )
            for one in custody_of(session, [row.id])
        ],
    )
