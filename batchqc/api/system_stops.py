"""Stops of the system, during which people sign on paper and enter it afterwards."""

from fastapi import Response
from pydantic import BaseModel, Field

from batchqc.actions.system_stops import end_stop, record_stop, withdraw_stop
from batchqc.api.decisions import SignatureOut, signature_out
from batchqc.api.doors import Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.shapes import After, Limit, Page, Whole, rest_of
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.system_stops import SystemStop, stop_rows

router = Routes(PREFIX, tags=["system stops"], responses=PROBLEMS)
_TIME = "2026-03-21T16:56:00-05:00"


class StopRequest(Signature):
    """A stop; its reason says why the system was down."""

    began: str = Field(description="RFC 3339 with its offset.", examples=[_TIME])
    ended: str = Field("", description="Empty while that is not known.", examples=[_TIME])


class StopEnd(Signature):
    """The end of a stop."""

    ended: str = Field(description="RFC 3339 with its offset.", examples=[_TIME])


class StopOut(BaseModel):
    """What was told of a stop; its newest entry holds."""

    stop: int
    number: int = Field(description="The how many-th entry about this stop.")
    began: str = Field(description="Empty in the entry that withdraws the stop.")
    ended: str
    reason: str
    signature: SignatureOut


@router.get("/system-stops", summary="Stops of the system")
def stops(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[StopOut]:
    """Every entry about a stop, by stop; nothing is edited."""
    with call.reading() as session:
        rows = stop_rows(session)
        rest = rest_of(rows, [row.natural_key for row in rows], after)
        more = rest[limit - 1].natural_key if len(rest) > limit else None
        return Page(items=[_shown(row) for row in rest[:limit]], next=more)


@router.post(
    "/system-stops",
    status_code=201,
    response_model=StopOut,
    summary="Record that the system was down (signed)",
)
def record(call: Writing, sent: StopRequest) -> Response:
    """What was signed on paper between its beginning and its end may be entered late."""
    with call.writing(Permission.RECORD_STOP, sent) as work:
        if work.is_new:
            row = record_stop(
                work.tx, began=sent.began, ended=sent.ended, credentials=sent.credentials
            )
            work.answer(201, row if isinstance(row, Refusal) else _shown(row))
    return work.response()


@router.post(
    "/system-stops/{stop}/end",
    status_code=201,
    response_model=StopOut,
    summary="Record when a stop ended (signed)",
)
def end(call: Writing, stop: Whole, sent: StopEnd) -> Response:
    """Another entry about the stop; an end is told once."""
    with call.writing(Permission.RECORD_STOP, sent) as work:
        if work.is_new:
            row = end_stop(work.tx, stop=stop, ended=sent.ended, credentials=sent.credentials)
            work.answer(201, row if isinstance(row, Refusal) else _shown(row))
    return work.response()


@router.post(
    "/system-stops/{stop}/withdrawal",
    status_code=201,
    response_model=StopOut,
    summary="Withdraw a stop that was not (signed)",
)
def withdraw(call: Writing, stop: Whole, sent: Signature) -> Response:
    """Another entry about the stop; refused where paper was entered for it."""
    with call.writing(Permission.RECORD_STOP, sent) as work:
        if work.is_new:
            row = withdraw_stop(work.tx, stop=stop, credentials=sent.credentials)
            work.answer(201, row if isinstance(row, Refusal) else _shown(row))
    return work.response()


def _shown(row: SystemStop) -> StopOut:
    return StopOut(
        stop=row.stop,
        number=row.number,
        began=row.began,
        ended=row.ended,
        reason=row.reason,
        signature=signature_out(row.signature),
    )
