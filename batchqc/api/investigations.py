"""OOS investigations: listed, worked on, concluded; and patterns of testing into compliance."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Query, Response
from sqlalchemy import select

from batchqc.actions.compliance_patterns import find_patterns
from batchqc.actions.investigation_conclusions import conclude
from batchqc.actions.investigations import (
    cases,
    extend_due_date,
    perform_phase_one,
    reopen,
    review_phase_one,
    the_investigation,
)
from batchqc.actions.lots import the_lot
from batchqc.actions.lots_of_days import lots_of_days
from batchqc.actions.retest_plans import approve_plan
from batchqc.actions.states import contested_investigation, investigation_state
from batchqc.api.doors import Call, Signature, SignedIn, Work, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.investigation_shapes import (
    ConclusionShape,
    DueDate,
    InvestigationDetail,
    InvestigationOut,
    Patterns,
    PhaseOne,
    PlanShape,
    investigation_detail,
    investigation_out,
    pattern_out,
)
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Day
from batchqc.api.shapes import After, Limit, Page, page_together
from batchqc.api.tags import TAGGED, tagged
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.investigations import InvestigationRow, InvestigationStep

router = Routes(PREFIX, tags=["investigations"], responses=PROBLEMS)

Lot = Annotated[str, Query(description="Only of this lot.")]


@router.get("/investigations", summary="OOS investigations")
def investigations(
    call: SignedIn, lot: Lot = "", after: After = "", limit: Limit = 50
) -> Page[InvestigationOut]:
    """Every one, in the order in which they were opened."""
    with call.reading() as session:
        query = select(InvestigationRow)
        if lot:
            query = query.where(InvestigationRow.lot_id == the_lot(session, lot).id)
        return page_together(
            session,
            query,
            InvestigationRow,
            after=the_investigation(session, after).row if after else None,
            limit=limit,
            show=lambda rows: [investigation_out(one) for one in cases(session, rows)],
        )


@router.get("/investigations/patterns", summary="Patterns of testing into compliance")
def compliance_patterns(
    call: SignedIn, lot: Lot = "", since: Day | None = None, until: Day | None = None
) -> Patterns:
    """Of one lot, or of those of which results came in within some days; by itself, of the last 30.

    They are told, and decide nothing. A look takes 500 lots at the most.
    """
    with call.reading() as session:
        if lot:
            tested, lots = None, [the_lot(session, lot)]
        else:
            tested = lots_of_days(session, now=call.door.now(), since=since, until=until)
            lots = [*tested.lots]
        found = find_patterns(session, call.door.archive, lots=lots)
        return Patterns(
            items=[pattern_out(one) for one in found],
            since=tested.since if tested else None,
            until=tested.until if tested else None,
            lots=len(lots),
        )


@router.get(
    "/investigations/{number}",
    response_model=InvestigationDetail,
    responses=TAGGED,
    summary="One investigation with its steps and siblings",
)
def investigation(call: SignedIn, number: str) -> Response:
    """Every step with its signature, and the lots that it may concern too."""
    with call.reading() as session:
        state, detail = investigation_state(session, number), investigation_detail(session, number)
        return tagged(call.if_none_match, session, state, detail)


@router.post(
    "/investigations/{number}/phase-one",
    status_code=201,
    response_model=InvestigationDetail,
    summary="Record phase I (signed)",
)
def phase_one(call: Writing, number: str, sent: PhaseOne) -> Response:
    """Every question of the checklist answered."""
    return _signed(
        call,
        number,
        sent,
        Permission.INVESTIGATE,
        lambda work: perform_phase_one(
            work.tx,
            number=number,
            answers={name: (one.answer, one.remark) for name, one in sent.answers.items()},
            hypothesis=sent.hypothesis,
            credentials=sent.credentials,
        ),
    )


@router.post(
    "/investigations/{number}/phase-one/review",
    status_code=201,
    response_model=InvestigationDetail,
    summary="Review phase I (signed)",
)
def phase_one_review(call: Writing, number: str, sent: Signature) -> Response:
    """By a supervisor who neither measured nor performed it."""
    return _signed(
        call,
        number,
        sent,
        Permission.INVESTIGATE,
        lambda work: review_phase_one(work.tx, number=number, credentials=sent.credentials),
    )


@router.post(
    "/investigations/{number}/plan",
    status_code=201,
    response_model=InvestigationDetail,
    summary="Approve a retest plan (signed)",
)
def plan(call: Writing, number: str, sent: PlanShape) -> Response:
    """Before anything is measured again; fixed as soon as a retest is in."""
    return _signed(
        call,
        number,
        sent,
        Permission.APPROVE_RETEST_PLAN,
        lambda work: approve_plan(
            work.tx,
            call.door.archive,
            number=number,
            plan=sent.plan,
            credentials=sent.credentials,
        ),
    )


@router.post(
    "/investigations/{number}/conclusion",
    status_code=201,
    response_model=InvestigationDetail,
    summary="Conclude an investigation (signed)",
)
def conclusion(call: Writing, number: str, sent: ConclusionShape) -> Response:
    """By QA who neither measured nor reviewed."""
    return _signed(
        call,
        number,
        sent,
        Permission.CONCLUDE_INVESTIGATION,
        lambda work: conclude(
            work.tx,
            call.door.archive,
            number=number,
            wanted=sent.wanted,
            credentials=sent.credentials,
        ),
    )


@router.post(
    "/investigations/{number}/reopening",
    status_code=201,
    response_model=InvestigationDetail,
    summary="Open a concluded investigation again (signed)",
)
def reopening(call: Writing, number: str, sent: Signature) -> Response:
    """Until its next conclusion nothing that was measured again counts."""
    return _signed(
        call,
        number,
        sent,
        Permission.CONCLUDE_INVESTIGATION,
        lambda work: reopen(work.tx, number=number, credentials=sent.credentials),
    )


@router.post(
    "/investigations/{number}/due-date",
    status_code=201,
    response_model=InvestigationDetail,
    summary="Let an investigation be due later (signed)",
)
def due_date(call: Writing, number: str, sent: DueDate) -> Response:
    """With the reason."""
    return _signed(
        call,
        number,
        sent,
        Permission.CONCLUDE_INVESTIGATION,
        lambda work: extend_due_date(
            work.tx, number=number, due_on=sent.due_on, credentials=sent.credentials
        ),
    )


def _signed(
    call: Call,
    number: str,
    sent: Signature,
    permission: Permission,
    take: Callable[[Work], InvestigationStep | Refusal],
) -> Response:
    """Take a step of an investigation and answer with it as it stands then."""
    with call.writing(permission, sent, of=contested_investigation(number)) as work:
        if work.is_new:
            step = take(work)
            if isinstance(step, Refusal):
                work.answer(403, step)
            else:
                work.answer(201, investigation_detail(work.tx.session, number))
    return work.response()
