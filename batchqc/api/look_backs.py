"""Look-backs: started, listed dose by dose, and closed."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.look_backs import (
    NewLookBack,
    close_look_back,
    frozen_list,
    start_look_back,
    the_look_back,
)
from batchqc.actions.whereabouts import since_then, told_now
from batchqc.api.decisions import SignatureOut, signature_out
from batchqc.api.doors import Door, Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.shapes import After, Limit, Page, page
from batchqc.core.genealogy import NodeKind
from batchqc.core.identifiers import fold
from batchqc.core.look_backs import LookBackCause
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.documents.archive import Archive
from batchqc.records.look_backs import LookBack, closing_of

router = Routes(PREFIX, tags=["genealogy"], responses=PROBLEMS)


class LookBackRequest(Signature):
    """A look-back to start, with the signature of who starts it."""

    source: Annotated[str, Field(examples=["donor:DNR-UC-01"])]
    cause: LookBackCause
    about: str = Field(default="", description="The key of the record that caused it.")


class ClosingRequest(Signature):
    """The conclusion of a look-back, with the signature of who closes it."""

    conclusion: str


class LookBackOut(BaseModel):
    """A look-back: what was held, and whether it is open."""

    number: Annotated[str, Field(examples=["LB-2026-000001"])]
    source: str
    cause: LookBackCause
    reason: str
    about: str
    lots: list[str] = Field(description="Every descendant lot; each was held.")
    banks: list[str] = Field(description="Every descendant bank; each was quarantined.")
    doses: int
    incomplete: list[str] = Field(description="Why something may be missing; empty is complete.")
    list_sha256: str
    started_by: str
    started_at: datetime
    signature: SignatureOut | None = Field(description="Null where the system started it.")
    is_open: bool
    conclusion: str
    closed: SignatureOut | None


class DoseOut(BaseModel):
    """Where a container was when the look-back began; now how it stands, and who was given it."""

    container: str
    of: str
    status: str
    shipment: str
    site: str
    shipped_on: str
    recipient: str
    administered_on: str
    status_now: str


@router.get("/look-backs", summary="Look-backs")
def look_backs(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[LookBackOut]:
    """Every look-back, oldest first."""
    with call.reading() as session:
        return page(
            session,
            select(LookBack),
            LookBack,
            after=the_look_back(session, after) if after else None,
            limit=limit,
            show=lambda one: _look_back(call.door, session, one),
        )


@router.post(
    "/look-backs",
    status_code=201,
    response_model=LookBackOut,
    summary="Start a look-back (signed)",
)
def start(call: Writing, sent: LookBackRequest) -> Response:
    """Hold every descendant of a donor, donation, pool or bank in one transaction."""
    new = NewLookBack(sent.source, sent.cause, sent.reason, sent.about)
    with call.writing(Permission.START_LOOK_BACK, sent) as work:
        if work.is_new:
            archive = call.door.archive
            found = start_look_back(work.tx, archive, new, credentials=sent.credentials)
            if isinstance(found, Refusal):
                work.answer(201, found)
            else:
                work.answer(201, _look_back(call.door, work.tx.session, found))
    return work.response()


@router.get("/look-backs/{number}", summary="One look-back")
def one_look_back(call: SignedIn, number: str) -> LookBackOut:
    """A look-back by its number; its doses are listed apart."""
    with call.reading() as session:
        return _look_back(call.door, session, the_look_back(session, number))


@router.get("/look-backs/{number}/doses", summary="Where the doses are")
def doses(call: SignedIn, number: str, after: After = "", limit: Limit = 50) -> Page[DoseOut]:
    """Every container that comes of the source, by id, those registered since too."""
    with call.reading() as session:
        found = doses_of(session, call.door.archive, the_look_back(session, number))
        rest = [one for one in found if fold(one["container"]) > fold(after)]
        shown = rest[:limit]
        items = [DoseOut(**one) for one in told_now(session, shown)]
    more = shown[-1]["container"] if len(rest) > limit else None
    return Page(items=items, next=more)


@router.post(
    "/look-backs/{number}/closing",
    status_code=201,
    response_model=LookBackOut,
    summary="Close a look-back (signed)",
)
def close(call: Writing, number: str, sent: ClosingRequest) -> Response:
    """Holds and quarantines stay; QA lets go of each by itself."""
    with call.writing(Permission.CLOSE_LOOK_BACK, sent) as work:
        if work.is_new:
            found = close_look_back(
                work.tx, number=number, conclusion=sent.conclusion, credentials=sent.credentials
            )
            if isinstance(found, Refusal):
                work.answer(201, found)
            else:
                work.answer(201, _look_back(call.door, work.tx.session, found.look_back))
    return work.response()


def doses_of(session: Session, archive: Archive, row: LookBack) -> list[dict[str, Any]]:
    """The doses of a look-back: those of its frozen list, and what was registered of it since."""
    frozen, closing = frozen_list(archive, row), closing_of(session, row)
    more = since_then(session, frozen, closing.closed_at if closing else None)
    return sorted((*frozen["doses"], *more), key=lambda one: fold(one["container"]))


def _look_back(door: Door, session: Session, row: LookBack) -> LookBackOut:
    frozen, closing = frozen_list(door.archive, row), closing_of(session, row)
    nodes = [key for key, _ in frozen["nodes"]]
    return LookBackOut(
        number=row.natural_key,
        source=row.source,
        cause=row.known_cause,
        reason=row.reason,
        about=row.about,
        lots=[one for one in nodes if one.startswith(f"{NodeKind.LOT}:")],
        banks=[one for one in nodes if one.startswith(f"{NodeKind.CELL_BANK}:")],
        doses=len(frozen["doses"]),
        incomplete=frozen["incomplete"],
        list_sha256=row.content_sha,
        started_by=row.started_by,
        started_at=row.started_at,
        signature=signature_out(row.signature) if row.signature else None,
        is_open=closing is None,
        conclusion=closing.conclusion if closing else "",
        closed=signature_out(closing.signature) if closing else None,
    )
