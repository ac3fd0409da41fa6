"""Accounts as administrators keep them, and what auditors looked at."""

from datetime import datetime
from typing import Annotated

from fastapi import Query, Response
from pydantic import BaseModel, Field, StrictInt

from batchqc import clock
from batchqc.actions.accounts import deactivate, reactivate, reset_password, set_password_rule
from batchqc.actions.views import views
from batchqc.api.doors import SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Sent
from batchqc.api.shapes import LARGEST, Limit, Page
from batchqc.core.permissions import Permission
from batchqc.records.audit_search import user_of
from batchqc.records.people import AccountChange, newest_password_rule

router = Routes(PREFIX, tags=["accounts"], responses=PROBLEMS)


class Reason(Sent):
    """Why."""

    reason: Annotated[str, Field(examples=["Has left the company"])]


class AccountState(BaseModel):
    """Whether an account is active, since when, and by whom."""

    user_id: str
    is_active: bool
    changed_at: datetime
    changed_by: str
    reason: str


class OneTimePassword(BaseModel):
    """Shown once; it opens nothing but its change."""

    user_id: str
    password: str
    ends_at: datetime


class PasswordRuleShape(Sent):
    """After how many days a password must be changed."""

    days: Annotated[StrictInt, Field(ge=-LARGEST, le=LARGEST, description="0 for never.")]
    reason: str


class PasswordRuleOut(BaseModel):
    """After how many days a password must be changed; 0 for never."""

    days: int


class ViewOut(BaseModel):
    """What an auditor asked for; it stands in the audit trail at this place."""

    sequence: int
    who: str
    at: datetime
    request: str
    route: str
    records: dict[str, str]


@router.post(
    "/people/{user_id}/deactivation",
    status_code=201,
    response_model=AccountState,
    summary="Deactivate an account",
)
def close(call: Writing, user_id: str, sent: Reason) -> Response:
    """Sessions end and one-time passwords die at once; what the person did stays theirs."""
    with call.writing(Permission.MANAGE_ACCOUNTS, sent) as work:
        if work.is_new:
            work.answer(201, _state(deactivate(work.tx, user_id=user_id, reason=sent.reason)))
    return work.response()


@router.post(
    "/people/{user_id}/reactivation",
    status_code=201,
    response_model=AccountState,
    summary="Reactivate an account",
)
def open_again(call: Writing, user_id: str, sent: Reason) -> Response:
    """With the roles that were not withdrawn."""
    with call.writing(Permission.MANAGE_ACCOUNTS, sent) as work:
        if work.is_new:
            work.answer(201, _state(reactivate(work.tx, user_id=user_id, reason=sent.reason)))
    return work.response()


@router.post(
    "/people/{user_id}/password-reset",
    status_code=201,
    response_model=OneTimePassword,
    summary="Set a one-time password",
)
def reset(call: Writing, user_id: str, sent: Reason) -> Response:
    """Answers it once, for a day; the person changes it before anything else. Sessions end."""
    password = clock.new_token()
    with call.writing(Permission.MANAGE_ACCOUNTS, sent) as work:
        if work.is_new:
            row = reset_password(work.tx, user_id=user_id, password=password, reason=sent.reason)
            ends_at = datetime.fromisoformat(row.ends_at)
            shown = OneTimePassword(user_id=row.person.user_id, password=password, ends_at=ends_at)
            work.answer(201, shown)
            work.keep = False
    return work.response()


@router.get("/password-rule", summary="After how many days a password must be changed")
def password_rule(call: SignedIn) -> PasswordRuleOut:
    """0 for never."""
    with call.reading() as session:
        rule = newest_password_rule(session)
        return PasswordRuleOut(days=rule.days if rule else 0)


@router.post(
    "/password-rule",
    status_code=201,
    response_model=PasswordRuleOut,
    summary="Set after how many days a password must be changed",
)
def new_password_rule(call: Writing, sent: PasswordRuleShape) -> Response:
    """It counts from the next request on, for passwords that stand as well."""
    with call.writing(Permission.MANAGE_ACCOUNTS, sent) as work:
        if work.is_new:
            row = set_password_rule(work.tx, days=sent.days, reason=sent.reason)
            work.answer(201, PasswordRuleOut(days=row.days))
    return work.response()


@router.get("/auditor-views", summary="What auditors looked at")
def auditor_views(
    call: SignedIn,
    who: Annotated[str, Query(description="Only this auditor.")] = "",
    after: Annotated[int, Query(ge=0, le=LARGEST, description="`next` of the page before.")] = 0,
    limit: Limit = 50,
) -> Page[ViewOut]:
    """Each request of an auditor, oldest first, exports and refused ones too."""
    with call.reading(Permission.SEE_ACCOUNTS) as session:
        found = views(session, after=after, limit=limit + 1, who=user_of(session, who))
    items = [
        ViewOut(
            sequence=one.sequence,
            who=one.who,
            at=one.at,
            request=one.request,
            route=one.route,
            records=dict(one.records),
        )
        for one in found[:limit]
    ]
    return Page(items=items, next=str(items[-1].sequence) if len(found) > limit else None)


def _state(change: AccountChange) -> AccountState:
    return AccountState(
        user_id=change.person.user_id,
        is_active=bool(change.active),
        changed_at=change.changed_at,
        changed_by=change.changed_by,
        reason=change.reason,
    )
