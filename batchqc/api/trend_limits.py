"""Control limits of trends: proposed, approved by another person of QA, frozen; and phases."""

from typing import Annotated

from fastapi import Depends, Path, Response

from batchqc.actions.limit_sets import (
    NewLimits,
    approve_limits,
    causes_of,
    propose_limits,
    start_phase,
    the_limits,
)
from batchqc.actions.trends_of_product import frozen_of
from batchqc.api.doors import Door, Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.shapes import LARGEST, After, Limit, Page, number_of
from batchqc.api.trend_shapes import LimitsIn, LimitsOut, PhaseIn, PhaseOut
from batchqc.api.trends import asked, known
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.core.trends import Attribute
from batchqc.records.trends import LimitSet, LimitSetApproval, limit_sets_of

router = Routes(PREFIX, tags=["trends"], responses=PROBLEMS)

Number = Annotated[int, Path(ge=1, le=LARGEST)]


@router.get("/trends/{product}/{criterion}/limits", summary="Every limit set of one attribute")
def limits(
    call: SignedIn,
    wanted: Annotated[Attribute, Depends(asked)],
    after: After = "",
    limit: Limit = 50,
) -> Page[LimitsOut]:
    """Oldest first. `after` is a number."""
    with call.reading() as session:
        attribute, behind = known(session, wanted), number_of(after)
        found = [
            one
            for one in limit_sets_of(session, attribute.product, attribute)
            if one[0].number > behind
        ]
        shown = [_limits(call.door, *one) for one in found[:limit]]
    return Page(items=shown, next=str(shown[-1].number) if len(found) > limit else None)


@router.get("/trends/{product}/{criterion}/limits/{version}", summary="One limit set")
def limit_set(
    call: SignedIn,
    wanted: Annotated[Attribute, Depends(asked)],
    version: Number,
) -> LimitsOut:
    """With the lots, exclusions, method, figures and software that it was computed with."""
    with call.reading() as session:
        attribute = known(session, wanted)
        return _limits(call.door, *the_limits(session, attribute, version))


@router.post(
    "/trends/{product}/{criterion}/limits",
    status_code=201,
    response_model=LimitsOut,
    summary="Propose control limits",
)
def propose(
    call: Writing,
    wanted: Annotated[Attribute, Depends(asked)],
    sent: LimitsIn,
) -> Response:
    """Computed from the lots of a phase; they wait for the approval of another person."""
    with call.writing(Permission.PROPOSE_LIMITS, sent) as work:
        if work.is_new:
            new = NewLimits(
                known(work.tx.session, wanted),
                sent.reason,
                phase=sent.phase,
                until=sent.until,
                excluded=causes_of((one.lot, one.cause) for one in sent.excluded),
                scale=sent.scale,
                method=sent.method,
                rules=sent.rules,
            )
            row = propose_limits(work.tx, call.door.archive, new, trends=call.door.trends)
            work.answer(201, _limits(call.door, row, None))
    return work.response()


@router.post(
    "/trends/{product}/{criterion}/limits/{version}/approval",
    status_code=201,
    response_model=LimitsOut,
    summary="Approve control limits (signed)",
)
def approve(
    call: Writing,
    wanted: Annotated[Attribute, Depends(asked)],
    version: Number,
    sent: Signature,
) -> Response:
    """From then on they hold for every lot of their phase that they were made without."""
    with call.writing(Permission.APPROVE_LIMITS, sent) as work:
        if work.is_new:
            signed = approve_limits(
                work.tx,
                call.door.archive,
                attribute=known(work.tx.session, wanted),
                number=version,
                credentials=sent.credentials,
                trends=call.door.trends,
            )
            work.answer(
                201,
                signed
                if isinstance(signed, Refusal)
                else _limits(call.door, signed.limit_set, signed),
            )
    return work.response()


@router.post(
    "/trends/{product}/{criterion}/phases",
    status_code=201,
    response_model=PhaseOut,
    summary="Start a phase with a lot (signed)",
)
def phase(
    call: Writing,
    wanted: Annotated[Attribute, Depends(asked)],
    sent: PhaseIn,
) -> Response:
    """For a change of the process that no method, site or criterion shows."""
    with call.writing(Permission.START_PHASE, sent) as work:
        if work.is_new:
            begun = start_phase(
                work.tx,
                call.door.archive,
                attribute=known(work.tx.session, wanted),
                lot=sent.lot,
                credentials=sent.credentials,
                trends=call.door.trends,
            )
            work.answer(
                201,
                begun
                if isinstance(begun, Refusal)
                else PhaseOut(lot=begun.lot.lot, reason=begun.reason),
            )
    return work.response()


def _limits(door: Door, row: LimitSet, approval: LimitSetApproval | None) -> LimitsOut:
    return LimitsOut(
        number=row.number,
        first=row.first,
        reason=row.reason,
        sha256=row.content_sha,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        approved_by=approval.signature.name if approval else "",
        approved_at=approval.signature.at if approval else None,
        content=dict(frozen_of(door.archive, row).content),
    )
