"""One's own sessions that are open, and how one ends them."""

from datetime import datetime
from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from batchqc.actions.people import the_person
from batchqc.actions.sessions import Ended, began_from, end_other_sessions, end_session
from batchqc.api.doors import Call, Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.idle import is_idle, newest_use
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.shapes import After, Limit, Page, rest_of
from batchqc.core.signatures import Refusal
from batchqc.records.people import open_sign_ins
from batchqc.records.session_uses import uses_of

router = Routes(PREFIX, tags=["session"], responses=PROBLEMS)


class SessionOut(BaseModel):
    """A session of yours that is open."""

    sha256: str = Field(description="Of its token; the session goes by it.")
    is_this: bool = Field(description="Whether it is the one that asks.")
    began_at: datetime
    began_from: str = Field(description="Address and program; blank where that is not on record.")
    last_used_at: datetime | None = Field(
        description="At whatever server, to the minute; null where no use is known."
    )
    last_used_from: str
    ends_at: datetime


class SessionsEnded(BaseModel):
    """How many were ended."""

    ended: int


@router.get("/sessions", summary="Your sessions")
def sessions(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[SessionOut]:
    """Each of your sessions that is open, the newest first."""
    with call.reading() as session:
        found = own_sessions(session, call)
    rest = rest_of(found, [one.sha256 for one in found], after)
    shown = rest[:limit]
    return Page(items=shown, next=shown[-1].sha256 if len(rest) > limit else None)


@router.post("/sessions/end", response_model=SessionsEnded, summary="End all others of yours")
def end_others(call: Writing, sent: Signature) -> Response:
    """Only the session that asks goes on; proven as when an authenticator is enrolled."""
    with call.writing(None, sent) as work:
        if work.is_new:
            work.answer(200, _told(end_other_sessions(work.tx, credentials=sent.credentials)))
    return work.response()


@router.post("/sessions/{sha256}/end", response_model=SessionsEnded, summary="End one of yours")
def end_one(
    call: Writing,
    sha256: Annotated[str, Field(description="As `GET /sessions` tells it.")],
    sent: Signature,
) -> Response:
    """End a session of yours at once; proven as when an authenticator is enrolled."""
    with call.writing(None, sent) as work:
        if work.is_new:
            ended = end_session(work.tx, token_sha256=sha256, credentials=sent.credentials)
            work.answer(200, _told(ended))
    return work.response()


def own_sessions(session: Session, call: Call) -> list[SessionOut]:
    """The open sessions of who asks, the newest first."""
    person = the_person(session, call.person.user_id)
    now, minutes = call.door.now(), call.door.settings.session_idle_minutes
    found = open_sign_ins(session, person, now)[::-1]
    began = began_from(session, found)
    kept = uses_of(session, [one.token_sha256 for one in found])
    shown = []
    for one in found:
        used = newest_use(call.door.uses.of(one.token_sha256), kept.get(one.token_sha256))
        newest = max(one.began_at, used.at if used else one.began_at)
        if is_idle(newest, minutes, now):
            continue
        shown.append(
            SessionOut(
                sha256=one.token_sha256,
                is_this=one.token_sha256 == call.person.sign_in,
                began_at=one.began_at,
                began_from=began.get(one.key, ""),
                last_used_at=used.at if used else None,
                last_used_from=used.client if used else "",
                ends_at=one.ends_at,
            )
        )
    return shown


def _told(ended: Ended | Refusal) -> SessionsEnded | Refusal:
    return ended if isinstance(ended, Refusal) else SessionsEnded(ended=ended.sessions)
