"""OOS investigations: listed, worked on, concluded; and patterns of testing into compliance."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import select

from batchqc.actions.compliance_patterns import find_patterns
from batchqc.actions.investigation_conclusions import conclude
from batchqc.actions.investigation_opening import set_days_due, sweep
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
from batchqc.api.sent import COUNTED, Day, Sent
from batchqc.api.shapes import LARGEST, After, Limit, Page, page_together
from batchqc.api.tags import TAGGED, tagged
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.investigations import InvestigationRow, InvestigationStep, days_due

router = Routes(PREFIX, tags=["investigations"], responses=PROBLEMS)

Lot = Annotated[str, Query(description="Only of this lot.")]


class Rule(Sent):
    """In how many days an investigation is due."""

    days: Annotated[int, Field(ge=0, le=LARGEST), COUNTED]
    reason: str = ""


class Swept(BaseModel):
    """What a sweep opened, and where to go on; 0 at the end."""

    opened: list[str]
    next: int


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


@router.get("/investigations/rule", summary="In how many days an investigation is due")
def rule(call: SignedIn) -> Rule:
    """The rule for those that are opened now."""
    with call.reading() as session:
        return Rule(days=days_due(session))


@router.post(
    "/investigations/rule", status_code=201, response_model=Rule, summary="Set the due days"
)
def new_rule(call: Writing, sent: Rule) -> Response:
    """It counts for investigations that are opened from now on."""
    with call.writing(Permission.SET_REGISTER_RULE, sent) as work:
        if work.is_new:
            row = set_days_due(work.tx, days=sent.days, reason=sent.reason)
            work.answer(201, Rule(days=row.days, reason=row.reason))
    return work.response()


@router.post(
    "/investigations/sweep",
    status_code=201,
    response_model=Swept,
    summary="Open what is missing for the next lots",
)
def new_sweep(call: Writing, after: Annotated[int, Query(ge=0, le=LARGEST)] = 0) -> Response:
    """For results of files that show no verdicts; a few hundred lots at a time."""
    with call.writing(Permission.INVESTIGATE, str(after)) as work:
        if work.is_new:
            opened, then = sweep(work.tx, call.door.archive, after=after)
            work.answer(201, Swept(opened=opened, next=then))
    return work.response()


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
