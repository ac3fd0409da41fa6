"""Holds on lots."""

from datetime import datetime

from fastapi import Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from batchqc.actions.holds import hold_lot
from batchqc.actions.letting_go import let_go
from batchqc.actions.lots import the_lot
from batchqc.actions.states import contested_lot
from batchqc.api.decisions import SignatureOut, seal, signature_out
from batchqc.api.doors import Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.shapes import Whole
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.decisions import certificate_let_go
from batchqc.records.holds import Hold, HoldEnd, holds_of

router = Routes(PREFIX, tags=["lots"], responses=PROBLEMS)


class HoldOut(BaseModel):
    """One hold; the lot is on hold until each has ended."""

    number: int
    cause: str = Field(examples=["QA"])
    about: str = Field(description="The record that it is for.", examples=["lot:UCM-P5-T1"])
    reason: str
    held_by: str
    held_at: datetime
    signature: SignatureOut | None = Field(description="Null where the system held the lot.")
    end: SignatureOut | None = Field(description="Who let the lot go; null while it is held.")
    certificate: str = Field(
        description="The number that was reserved with its end, where one was withdrawn; or empty."
    )


class HoldsOut(BaseModel):
    """Every hold of a lot, oldest first."""

    lot: str
    on_hold: bool
    items: list[HoldOut]


@router.get("/lots/{lot}/holds", summary="Holds of a lot")
def holds(call: SignedIn, lot: str) -> HoldsOut:
    """Every hold, with its end where it has one."""
    with call.reading() as session:
        return _holds(session, lot)


@router.post(
    "/lots/{lot}/holds", status_code=201, response_model=HoldsOut, summary="Hold a lot (signed)"
)
def hold(call: Writing, lot: str, sent: Signature) -> Response:
    """Hold a lot, whatever its disposition; it cannot be released while it is held."""
    of = contested_lot(call.door.archive, lot, call.door.now())
    with call.writing(Permission.HOLD_LOT, sent, of=of) as work:
        if work.is_new:
            held = hold_lot(work.tx, lot=lot, credentials=sent.credentials)
            work.answer(201, held if isinstance(held, Refusal) else _holds(work.tx.session, lot))
    return work.response()


@router.post(
    "/lots/{lot}/holds/{hold}/end",
    status_code=201,
    response_model=HoldsOut,
    summary="Let a lot go (signed)",
)
def end(call: Writing, lot: str, hold: Whole, sent: Signature) -> Response:
    """End one hold; others stay.

    Where the lot's certificate was withdrawn, the end of the last hold reserves another, which is
    sealed after that as the certificate of a release is.
    """
    of = contested_lot(call.door.archive, lot, call.door.now())
    with call.writing(Permission.HOLD_LOT, sent, of=of) as work:
        if work.is_new:
            ended = let_go(
                work.tx, call.door.archive, lot=lot, number=hold, credentials=sent.credentials
            )
            work.answer(201, ended if isinstance(ended, Refusal) else _holds(work.tx.session, lot))
    for one in work.body().get("items", []):
        if one["number"] == hold and one["certificate"]:
            seal(call, one["certificate"])
    return work.response()


def _holds(session: Session, lot: str) -> HoldsOut:
    row = the_lot(session, lot)
    found = holds_of(session, [row.id])
    return HoldsOut(
        lot=row.lot,
        on_hold=any(end is None for _, end in found),
        items=[_hold(session, one, end) for one, end in found],
    )


def _hold(session: Session, row: Hold, end: HoldEnd | None) -> HoldOut:
    reserved = certificate_let_go(session, row.lot_id, end.key) if end else None
    return HoldOut(
        number=row.number,
        cause=row.cause,
        about=row.about,
        reason=row.reason,
        held_by=row.held_by,
        held_at=row.held_at,
        signature=signature_out(row.signature) if row.signature else None,
        end=signature_out(end.signature) if end else None,
        certificate=reserved.natural_key if reserved else "",
    )
