"""Review, and the decision over a lot: each signed with user id and password."""

import logging
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from batchqc.actions.certificates import issue_certificate
from batchqc.actions.dispositions import Decision, reject_lot, release_lot
from batchqc.actions.reviews import review_lot
from batchqc.api.doors import Call, Signature, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.signatures import SignatureRow
from batchqc.records.uploads import Review

router = APIRouter(tags=["lots"], responses=PROBLEMS)
_LOG: Final = logging.getLogger("batchqc.api")


class SignatureOut(BaseModel):
    """An electronic signature, and the hash of the record that it binds."""

    id: str = Field(examples=["S-2026-000012"])
    name: str
    role: str
    meaning: str
    reason: str
    record_sha256: str


class ReviewOut(BaseModel):
    """The runs that one signature reviews."""

    lot: str
    runs: list[str]
    signature: SignatureOut


class DecisionRequest(Signature):
    """What is decided over the lot; there is one decision."""

    decision: Annotated[Literal["released", "rejected"], Field(examples=["released"])]


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
    "/lots/{lot}/review",
    status_code=201,
    response_model=ReviewOut,
    summary="Review every run of a lot as the second person (signed)",
)
def review(call: Writing, lot: str, sent: Signature) -> Response:
    """Who entered or measured any of the runs may not review them.

    The answer names the runs that are signed. What waits for its second entry, or for a reviewer
    who is trained where the register refuses others, is left: see the readiness of the lot.
    """
    with call.writing(Permission.REVIEW_RESULTS, sent) as work:
        if work.is_new:
            reviews = review_lot(work.tx, call.door.archive, lot=lot, credentials=sent.credentials)
            work.answer(201, reviews if isinstance(reviews, Refusal) else _reviewed(lot, reviews))
    return work.response()


@router.post(
    "/lots/{lot}/disposition",
    status_code=201,
    response_model=DecisionOut,
    summary="Release or reject a lot (signed)",
)
def decide(call: Writing, lot: str, sent: DecisionRequest) -> Response:
    """A lot is released when this commits; its certificate is sealed after that.

    A refused release tells every reason. Where the seal cannot be used, the lot is released and the
    certificate is pending, with its number: `POST /certificates/{number}/issue` takes it up.
    """
    releases = sent.decision == "released"
    permission = Permission.RELEASE_LOT if releases else Permission.REJECT_LOT
    act = release_lot if releases else reject_lot
    with call.writing(permission, sent) as work:
        if work.is_new:
            decision = act(work.tx, call.door.archive, lot=lot, credentials=sent.credentials)
            work.answer(201, decision if isinstance(decision, Refusal) else _decided(decision))
    body = work.body()
    if body["certificate"]:
        body["certificate"]["status"] = _seal(call, body["certificate"]["number"])
    return JSONResponse(body, work.status)


def _seal(call: Call, number: str) -> Literal["issued", "pending"]:
    """Seal the certificate of a lot that is released, whatever becomes of its document."""
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


def _reviewed(lot: str, reviews: list[Review]) -> ReviewOut:
    return ReviewOut(
        lot=lot,
        runs=[str(review.assay_run.run_key) for review in reviews],
        signature=signature_out(reviews[0].signature),
    )


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
    return SignatureOut(
        id=row.natural_key,
        name=row.name,
        role=row.role,
        meaning=row.meaning,
        reason=row.reason,
        record_sha256=row.record_sha256,
    )
