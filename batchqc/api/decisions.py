"""The decision over a lot, signed with both components."""

import logging
from datetime import datetime
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import object_session

from batchqc.actions.annex16 import permission_to_release
from batchqc.actions.certificates import issue_certificate
from batchqc.actions.conditional_release import release_conditionally
from batchqc.actions.dispositions import Decision, reject_lot, release_lot
from batchqc.actions.later_decisions import decide_later
from batchqc.actions.setup import own_site
from batchqc.actions.states import contested_lot
from batchqc.api.doors import Call, Signature, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Day
from batchqc.core.lot_states import Disposition
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.documents.archive import Archive
from batchqc.records.registers import lot_by
from batchqc.records.signatures import SignatureRow
from batchqc.records.transaction import Transaction

router = Routes(PREFIX, tags=["lots"], responses=PROBLEMS)
_LOG: Final = logging.getLogger("batchqc.api")


class SignatureOut(BaseModel):
    """An electronic signature, and the record that it binds with its hash."""

    id: str = Field(examples=["S-2026-000012"])
    user_id: str
    name: str = Field(description="Printed name at the time of signing.")
    role: str
    meaning: str
    reason: str
    signed_at: datetime
    time_zone: str = Field(description="Of the site; `signed_at` shows its offset.")
    happened_at: str = Field(description="When it was signed on paper, of a late entry; or empty.")
    paper: str = Field(description="The paper form that was entered late; or empty.")
    record: str = Field(examples=["lot:UCM-P1-T1"])
    record_sha256: str


class DecisionRequest(Signature):
    """What is decided over the lot."""

    decision: Annotated[
        Literal[
            "released",
            "conditionally released",
            "rejected",
            "recalled",
            "supplied by exception",
            "destroyed",
        ],
        Field(examples=["released"]),
    ]
    due: Annotated[
        dict[str, Day],
        Field(
            default_factory=dict,
            description="Of a conditional release: when each pending criterion is due.",
            examples=[{"sterility": "2026-03-01"}],
        ),
    ]
    sites: Annotated[
        list[str],
        Field(
            default_factory=list,
            description="Of a conditional release: clinical sites that may have doses.",
        ),
    ]
    particulars: Annotated[
        dict[str, str],
        Field(default_factory=dict, description="Of a recall, a supply, a destruction."),
    ]


class CertificateState(BaseModel):
    """The certificate of a released lot; it is pending while the seal cannot be used."""

    number: str = Field(examples=["COA-2026-000001"])
    status: Literal["issued", "pending"]
    pdf: str = Field(examples=["/api/v1/certificates/COA-2026-000001/pdf"])


class DecisionOut(BaseModel):
    """A decision that has committed."""

    lot: str
    disposition: str
    content_sha256: str = Field(description="Of the decision content, which the signature binds.")
    signature: SignatureOut
    certificate: CertificateState | None


@router.post(
    "/lots/{lot}/disposition",
    status_code=201,
    response_model=DecisionOut,
    summary="Release or reject a lot (signed)",
)
def decide(call: Writing, lot: str, sent: DecisionRequest) -> Response:
    """A lot is released when this commits; its certificate is sealed after that.

    Who releases a lot that a qualified person certifies holds that role. A refused decision tells
    every reason. Where the seal cannot be used, the lot is released and the
    certificate is pending, with its number: `POST /certificates/{number}/issue` takes it up.
    """
    of = contested_lot(call.door.archive, lot, call.door.now())
    with call.writing(_permission(call, lot, sent), sent, of=of) as work:
        if work.is_new:
            decision = _decide(work.tx, call.door.archive, lot, sent)
            work.answer(201, decision if isinstance(decision, Refusal) else _decided(decision))
    body = work.body()
    if body["certificate"]:
        body["certificate"]["status"] = seal(call, body["certificate"]["number"])
    return JSONResponse(body, work.status)


def _permission(call: Call, lot: str, sent: DecisionRequest) -> Permission:
    """What who decides must be permitted; a release depends on who certifies the lot."""
    match Disposition(sent.decision):
        case Disposition.RELEASED | Disposition.CONDITIONAL:
            with call.reading() as session:
                row = lot_by(session, lot)
                return permission_to_release(session, row) if row else Permission.RELEASE_LOT
        case Disposition.REJECTED:
            return Permission.REJECT_LOT
        case _:
            return Permission.DECIDE_LATER


def _decide(
    tx: Transaction, archive: Archive, lot: str, sent: DecisionRequest
) -> Decision | Refusal:
    credentials, wanted = sent.credentials, Disposition(sent.decision)
    match wanted:
        case Disposition.RELEASED:
            return release_lot(tx, archive, lot=lot, credentials=credentials)
        case Disposition.CONDITIONAL:
            return release_conditionally(
                tx, archive, lot=lot, due=sent.due, sites=sent.sites, credentials=credentials
            )
        case Disposition.REJECTED:
            return reject_lot(tx, archive, lot=lot, credentials=credentials)
        case _:
            return decide_later(
                tx, archive, lot=lot, wanted=wanted, particulars=sent.particulars,
                credentials=credentials,
            )  # fmt: skip


def seal(call: Call, number: str) -> Literal["issued", "pending"]:
    """Seal the certificate of a lot that is released or let go, whatever becomes of it."""
    door = call.door
    try:
        issue_certificate(
            door.engine,
            door.archive,
            door.press,
            number=number,
            actor=call.person.acting(Permission.ISSUE_CERTIFICATE),
            clock=door.now,
        )
    except Exception:  # noqa: BLE001 - the decision has committed; an error would deny it
        _LOG.exception("certificate %s is pending", number)
        return "pending"
    return "issued"


def _decided(decision: Decision) -> DecisionOut:
    row, certificate = decision.disposition, decision.certificate
    number = certificate.natural_key if certificate else ""
    return DecisionOut(
        lot=row.lot.lot,
        disposition=row.disposition,
        content_sha256=row.content_sha,
        signature=signature_out(row.signature),
        certificate=CertificateState(
            number=number, status="pending", pdf=f"/api/v1/certificates/{number}/pdf"
        )
        if certificate
        else None,
    )


def signature_out(row: SignatureRow) -> SignatureOut:
    """A signature as it is shown."""
    session = object_session(row)
    zone = own_site(session).time_zone if session else "UTC"
    return SignatureOut(
        id=row.natural_key,
        user_id=row.person.user_id,
        name=row.name,
        role=row.role,
        meaning=row.meaning,
        reason=row.reason,
        signed_at=row.at.astimezone(ZoneInfo(zone)),
        time_zone=zone,
        happened_at=row.happened_at,
        paper=row.paper,
        record=row.record,
        record_sha256=row.record_sha256,
    )
