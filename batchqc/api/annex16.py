"""The three steps of EU GMP Annex 16, the register of certifications, and the site's policies."""

from datetime import datetime
from typing import Annotated

from fastapi import Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.annex16 import check_manufacture, transfer_to_stock
from batchqc.actions.overdue import hold_what_is_overdue
from batchqc.actions.policies import set_policy
from batchqc.actions.states import contested_lot
from batchqc.api.decisions import SignatureOut, signature_out
from batchqc.api.doors import Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.shapes import Page, Paging, not_next, page
from batchqc.core.annex16 import POINTS
from batchqc.core.permissions import Permission
from batchqc.core.policies import Policy, choices
from batchqc.core.signatures import Refusal
from batchqc.documents.csv_file import csv_bytes
from batchqc.records.annex16 import Certification, LotCheck, Transfer, certification_by
from batchqc.records.policies import policies_of, policy_rows

router = Routes(PREFIX, tags=["decisions"], responses=PROBLEMS)


class CheckRequest(Signature):
    """The signature, and the answer to every point: by whom or with which record it is ensured."""

    answers: Annotated[dict[str, str], Field(examples=[dict.fromkeys(POINTS, "Checked by …")])]


class StepOut(BaseModel):
    """One signed step of Annex 16."""

    lot: str
    step: str = Field(examples=["checked"])
    signature: SignatureOut


class CertificationOut(BaseModel):
    """One row of the register of certifications."""

    number: str = Field(examples=["QP-2026-000001"])
    lot: str
    product: str
    disposition: str
    certified_by: SignatureOut
    certified_at: datetime
    checked_by: SignatureOut
    transferred_by: SignatureOut | None


class PolicyRequest(Signature):
    """What a policy is to be from now on."""

    value: str


class PolicyOut(BaseModel):
    """A policy: what it is, what it may be, and who said so; null where nobody did."""

    policy: Policy
    value: str
    values: list[str]
    number: int
    signature: SignatureOut | None


class PoliciesOut(BaseModel):
    """Every policy of the site."""

    items: list[PolicyOut]


class OverdueOut(BaseModel):
    """Lots that were put on hold now, because a result is overdue."""

    held: list[str]


@router.post(
    "/lots/{lot}/annex16/check",
    status_code=201,
    response_model=StepOut,
    summary="Step 1: manufacture and testing were checked (signed)",
)
def check(call: Writing, lot: str, sent: CheckRequest) -> Response:
    """Each point is answered by whom or with which record it is ensured."""
    of = contested_lot(call.door.archive, lot, call.door.now())
    with call.writing(Permission.CHECK_LOT, sent, of=of) as work:
        if work.is_new:
            row = check_manufacture(
                work.tx,
                call.door.archive,
                lot=lot,
                answers=sent.answers,
                credentials=sent.credentials,
            )
            work.answer(201, row if isinstance(row, Refusal) else _step(row.lot.lot, row))
    return work.response()


@router.post(
    "/lots/{lot}/annex16/transfer",
    status_code=201,
    response_model=StepOut,
    summary="Step 3: a certified lot goes to saleable stock (signed)",
)
def transfer(call: Writing, lot: str, sent: Signature) -> Response:
    """Step 2 is the decision itself, by a qualified person."""
    of = contested_lot(call.door.archive, lot, call.door.now())
    with call.writing(Permission.CHECK_LOT, sent, of=of) as work:
        if work.is_new:
            row = transfer_to_stock(work.tx, lot=lot, credentials=sent.credentials)
            answer = row if isinstance(row, Refusal) else _step(lot, row)
            work.answer(201, answer)
    return work.response()


@router.get("/certifications", summary="The register of certifications")
def certifications(call: SignedIn, asked: Annotated[Paging, Query()]) -> Page[CertificationOut]:
    """Every certification by a qualified person, in the order of their numbers."""
    with call.reading() as session:
        after = certification_by(session, asked.after) if asked.after else None
        if asked.after and after is None:
            raise not_next(asked.after)
        return page(
            session,
            select(Certification),
            Certification,
            after=after,
            limit=asked.limit,
            show=lambda one: _certification(session, one),
        )


@router.get(
    "/certifications.csv",
    summary="The register of certifications as CSV",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}}},
)
def certifications_csv(call: SignedIn) -> Response:
    """For an inspection: one row for each certification."""
    with call.reading() as session:
        rows_of = session.scalars(select(Certification).order_by(Certification.id))
        found = [_certification(session, one) for one in rows_of]
    header = ("number", "lot", "product", "disposition", "certified by", "certified at",
              "checked by", "transferred by", "signed on paper", "paper")  # fmt: skip
    rows = [
        (one.number, one.lot, one.product, one.disposition, one.certified_by.name,
         one.certified_at.isoformat(), one.checked_by.name,
         one.transferred_by.name if one.transferred_by else "",
         one.certified_by.happened_at, one.certified_by.paper)
        for one in found
    ]  # fmt: skip
    return Response(csv_bytes([header, *rows]), media_type="text/csv; charset=utf-8")


@router.get("/policies", summary="The policies of the site")
def policies(call: SignedIn) -> PoliciesOut:
    """What each is now, and who said so."""
    with call.reading() as session:
        now, newest = policies_of(session), {row.policy: row for row in policy_rows(session)}
        return PoliciesOut(
            items=[
                PolicyOut(
                    policy=policy,
                    value=now[policy],
                    values=list(choices(policy)),
                    number=newest[policy].number if policy in newest else 0,
                    signature=signature_out(newest[policy].signature) if policy in newest else None,
                )
                for policy in Policy
            ]
        )


@router.post(
    "/policies/{policy}",
    status_code=201,
    response_model=PolicyOut,
    summary="Set a policy of the site (signed)",
)
def decide_policy(call: Writing, policy: Policy, sent: PolicyRequest) -> Response:
    """It counts from now on; decisions of before stay as they are."""
    with call.writing(Permission.SET_POLICY, sent) as work:
        if work.is_new:
            row = set_policy(work.tx, policy=policy, value=sent.value, credentials=sent.credentials)
            answer = (
                row
                if isinstance(row, Refusal)
                else PolicyOut(
                    policy=policy,
                    value=row.value,
                    values=list(choices(policy)),
                    number=row.number,
                    signature=signature_out(row.signature),
                )
            )
            work.answer(201, answer)
    return work.response()


@router.post(
    "/overdue",
    status_code=201,
    response_model=OverdueOut,
    summary="Hold every conditionally released lot with an overdue result",
)
def overdue(call: Writing) -> Response:
    """What a daily job calls; it may be called at any time, and holds nothing twice."""
    with call.writing(Permission.HOLD_LOT) as work:
        if work.is_new:
            work.answer(201, OverdueOut(held=hold_what_is_overdue(work.tx, call.door.archive)))
    return work.response()


def _certification(session: Session, row: Certification) -> CertificationOut:
    transfer = session.scalar(select(Transfer).where(Transfer.certification_id == row.id))
    return CertificationOut(
        number=row.natural_key,
        lot=row.disposition.lot.lot,
        product=row.disposition.lot.product.code,
        disposition=row.disposition.disposition,
        certified_by=signature_out(row.disposition.signature),
        certified_at=row.disposition.decided_at,
        checked_by=signature_out(row.lot_check.signature),
        transferred_by=signature_out(transfer.signature) if transfer else None,
    )


def _step(lot: str, row: LotCheck | Transfer) -> StepOut:
    signature = row.signature
    return StepOut(lot=lot, step=signature.meaning, signature=signature_out(signature))
