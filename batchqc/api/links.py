"""What administrators see and do of accounts: links, failed attempts, locks."""

from datetime import datetime
from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, Field
from sqlalchemy import select

from batchqc.actions.access import locked_accounts
from batchqc.actions.links import link_account, remove_link
from batchqc.api.doors import SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Sent
from batchqc.api.shapes import After, Limit, Page, page
from batchqc.core.permissions import Permission
from batchqc.records.people import HAS_FAILED, Attempt, attempt_by

router = Routes(PREFIX, tags=["accounts"], responses=PROBLEMS)


class NewLink(Sent):
    """A subject of an issuer, both exactly as the issuer writes them."""

    issuer: Annotated[str, Field(examples=["https://login.example.org"])]
    subject: Annotated[str, Field(examples=["a8f5f167f44f4964e6c998dee827110c"])]
    reason: Annotated[str, Field(examples=["Identity card seen by HR"])]


class LinkRemoval(Sent):
    """Why a link is removed."""

    reason: Annotated[str, Field(examples=["Left the company"])]


class LinkOut(BaseModel):
    """Whether an account is linked; a link of who has a password waits for them to confirm it."""

    user_id: str
    linked: bool


class AttemptOut(BaseModel):
    """A failed attempt to prove who one is."""

    user_id: str
    with_what: str = Field(examples=["password"])
    purpose: str
    at: datetime


class LockedOut(BaseModel):
    """An account that is locked now, and until when."""

    user_id: str
    until: datetime


@router.post(
    "/people/{user_id}/link", status_code=201, response_model=LinkOut, summary="Link an account"
)
def link(call: Writing, user_id: str, sent: NewLink) -> Response:
    """Link an account to single sign-on; nobody links their own."""
    with call.writing(Permission.MANAGE_ACCOUNTS, sent) as work:
        if work.is_new:
            link_account(
                work.tx,
                user_id=user_id,
                issuer=sent.issuer,
                subject=sent.subject,
                reason=sent.reason,
            )
            work.answer(201, LinkOut(user_id=user_id, linked=True))
    return work.response()


@router.post("/people/{user_id}/link/removal", response_model=LinkOut, summary="Remove a link")
def unlink(call: Writing, user_id: str, sent: LinkRemoval) -> Response:
    """Remove the link of an account; every session of it ends at once."""
    with call.writing(Permission.MANAGE_ACCOUNTS, sent) as work:
        if work.is_new:
            remove_link(work.tx, user_id=user_id, reason=sent.reason)
            work.answer(200, LinkOut(user_id=user_id, linked=False))
    return work.response()


@router.get("/failed-attempts", summary="Failed attempts")
def failed(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[AttemptOut]:
    """Every failed attempt of a registered person, in the order in which they came."""
    call.person.acting(Permission.MANAGE_ACCOUNTS)
    with call.reading() as session:
        return page(
            session,
            select(Attempt).where(HAS_FAILED),
            Attempt,
            after=attempt_by(session, after) if after else None,
            limit=limit,
            show=lambda one: AttemptOut(
                user_id=one.person.user_id,
                with_what=one.component or "password",
                purpose=one.purpose,
                at=one.at,
            ),
        )


@router.get("/locked-accounts", summary="Accounts that are locked now")
def locked(call: SignedIn) -> list[LockedOut]:
    """Each with the time at which it opens again."""
    call.person.acting(Permission.MANAGE_ACCOUNTS)
    with call.reading() as session:
        found = locked_accounts(session, now=call.door.now())
    return [LockedOut(user_id=user_id, until=until) for user_id, until in found]
