"""Corrections of registration data: one person asks, another one decides."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Response
from pydantic import BaseModel, Field, StrictBool
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.corrections import decide_correction, request_correction, the_correction
from batchqc.actions.states import contested_correction
from batchqc.api.doors import Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Sent
from batchqc.api.shapes import After, Limit, Page, page
from batchqc.api.tags import TAGGED, tagged
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.corrections import Correction, decision_on

router = Routes(PREFIX, tags=["corrections"], responses=PROBLEMS)


class NewCorrection(Sent):
    """What was registered wrongly, and what it should say."""

    subject: Annotated[
        str,
        Field(
            examples=["lot:UCM-P1-T2"],
            description="lot:<id>, sample:<id>, donor:<code>, or as a record of a donor is named:"
            " donation:<id>, donor_test:<id>/<number>, consent:<code>/<number>",
        ),
    ]
    field: Annotated[
        Literal[
            "manufactured_on",
            "expires_on",
            "specification",
            "container",
            "tissue_source",
            "donation",
            "donated_on",
            "tissue",
            "tested_person",
            "donor_age",
            "result",
            "person",
            "taken_text",
            "version",
            "given_on",
        ],
        Field(examples=["expires_on"]),
    ]
    after: Annotated[str, Field(examples=["2027-12-31"])]
    reason: Annotated[str, Field(examples=["Typed the wrong year"])]


class CorrectionOut(BaseModel):
    """A correction and what became of it."""

    number: str = Field(examples=["C-2026-000001"])
    subject: str
    field: str
    before: str
    after: str
    reason: str
    requested_by: str
    requested_at: datetime
    state: Literal["waits", "approved", "refused"]
    decided_by: str


class CorrectionDecisionRequest(Signature):
    """The second person's answer."""

    approve: StrictBool


@router.get("/corrections", summary="Corrections")
def corrections(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[CorrectionOut]:
    """Every correction, in the order in which they were asked for."""
    with call.reading() as session:
        return page(
            session,
            select(Correction),
            Correction,
            after=the_correction(session, after) if after else None,
            limit=limit,
            show=lambda one: _shown(session, one),
        )


@router.get(
    "/corrections/{number}",
    response_model=CorrectionOut,
    responses=TAGGED,
    summary="One correction",
)
def one(call: SignedIn, number: str) -> Response:
    """What was asked for, and what became of it."""
    with call.reading() as session:
        shown = _shown(session, the_correction(session, number))
        state = contested_correction(number).state(session)
        return tagged(call.if_none_match, session, state, shown)


@router.post(
    "/corrections", status_code=201, response_model=CorrectionOut, summary="Ask for a correction"
)
def add(call: Writing, sent: NewCorrection) -> Response:
    """The lot waits until another person has decided."""
    with call.writing(Permission.REQUEST_CORRECTION, sent) as work:
        if work.is_new:
            correction = request_correction(work.tx, **sent.model_dump())
            work.answer(201, _shown(work.tx.session, correction))
    return work.response()


@router.post(
    "/corrections/{number}/decision",
    status_code=201,
    response_model=CorrectionOut,
    summary="Approve or refuse a correction (signed)",
)
def decide(call: Writing, number: str, sent: CorrectionDecisionRequest) -> Response:
    """Who asked for it may not decide it. Gates are computed with it from then on."""
    of = contested_correction(number)
    with call.writing(Permission.APPROVE_CORRECTION, sent, of=of) as work:
        if work.is_new:
            signed = decide_correction(
                work.tx,
                call.door.archive,
                number=number,
                approve=sent.approve,
                credentials=sent.credentials,
            )
            work.answer(
                201,
                signed
                if isinstance(signed, Refusal)
                else _shown(work.tx.session, signed.correction),
            )
    return work.response()


def _shown(session: Session, row: Correction) -> CorrectionOut:
    decision = decision_on(session, row)
    return CorrectionOut(
        number=row.natural_key,
        subject=row.subject,
        field=row.field,
        before=row.before,
        after=row.after,
        reason=row.reason,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        state="waits" if decision is None else "approved" if decision.approved else "refused",
        decided_by=decision.signature.person.user_id if decision else "",
    )
