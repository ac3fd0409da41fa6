"""What opens OOS investigations besides a result that fails: a person, or a sweep; and due days."""

from typing import Annotated

from fastapi import Query, Response
from pydantic import BaseModel, Field

from batchqc.actions.investigation_opening import open_by_hand, set_days_due, sweep
from batchqc.api.doors import SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.investigation_shapes import ByHand, InvestigationDetail, investigation_detail
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import COUNTED, Sent
from batchqc.api.shapes import LARGEST
from batchqc.core.permissions import Permission
from batchqc.records.investigations import days_due

router = Routes(PREFIX, tags=["investigations"], responses=PROBLEMS)


class Rule(Sent):
    """In how many days an investigation is due."""

    days: Annotated[int, Field(ge=0, le=LARGEST), COUNTED]
    reason: str = ""


class Swept(BaseModel):
    """What a sweep opened, and where to go on; 0 at the end."""

    opened: list[str]
    next: int


@router.post(
    "/investigations",
    status_code=201,
    response_model=InvestigationDetail,
    summary="Open one of results that cannot be judged",
)
def by_hand(call: Writing, sent: ByHand) -> Response:
    """Where a result fails, one opens by itself. This is for those that nobody may choose from."""
    with call.writing(Permission.INVESTIGATE, sent) as work:
        if work.is_new:
            row = open_by_hand(
                work.tx, call.door.archive, lot=sent.lot, criterion=sent.criterion,
                stage=sent.stage, reason=sent.reason,
            )  # fmt: skip
            work.answer(201, investigation_detail(work.tx.session, row.natural_key))
    return work.response()


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
