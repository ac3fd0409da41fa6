"""Certificates of analysis: what they say, and their sealed documents."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from batchqc.actions.certificate_proofs import prove_certificate
from batchqc.actions.certificate_states import Status, state_of, status_of
from batchqc.actions.certificates import (
    content_of_certificate,
    document_of,
    issue_certificate,
    the_certificate,
)
from batchqc.actions.setup import own_site
from batchqc.actions.states import certificate_state
from batchqc.api.doors import SignedIn
from batchqc.api.errors import PROBLEMS
from batchqc.api.sent import Day
from batchqc.api.shapes import Page, Paging, page
from batchqc.api.tags import tagged
from batchqc.core.permissions import Permission
from batchqc.records.decisions import Certificate, issue_of
from batchqc.records.lists import CertificatesWanted, certificates_wanted
from batchqc.records.transaction import reading

router = APIRouter(tags=["certificates"], responses=PROBLEMS)


class CertificateOut(BaseModel):
    """A certificate: its number stands from the decision on, its document from the seal on."""

    number: str = Field(examples=["COA-2026-000001"])
    lot: str
    status: Status = Field(description="Void where it was never sealed and counts no more.")
    content_sha256: str
    document_sha256: str = Field(description="Empty while it is pending.")
    supersedes: str | None
    superseded_by: str = Field(description="The certificate that counts instead, or empty.")
    withdrawn: str = Field(description="Why it no longer says what is so, or empty.")


class CertificateFilter(Paging):
    """Which certificates; days are those of the site."""

    lot: str = ""
    product: str = Field(default="", description="The code of the lot's product.")
    donor: str = Field(default="", description="The code of one of the lot's donors.")
    status: Literal["issued", "pending", "void", ""] = ""
    since: Day | None = Field(default=None, description="The first day of its number.")
    until: Day | None = Field(default=None, description="The last day of its number.")


class CertificateDetail(CertificateOut):
    """A certificate with its frozen content."""

    content: dict[str, Any]


@router.get("/certificates", summary="Certificates")
def certificates(
    call: SignedIn, wanted: Annotated[CertificateFilter, Query()]
) -> Page[CertificateOut]:
    """Those that every given filter lets through, in the order of their numbers."""
    with call.reading() as session:
        return page(
            session,
            certificates_wanted(_wanted(session, wanted)),
            Certificate,
            after=the_certificate(session, wanted.after) if wanted.after else None,
            limit=wanted.limit,
            show=lambda one: CertificateOut(**_facts(session, one)),
        )


@router.get(
    "/certificates/{number}", response_model=CertificateDetail, summary="What a certificate says"
)
def one(call: SignedIn, number: str) -> Response:
    """The content as it was frozen with the decision."""
    with call.reading() as session:
        row = the_certificate(session, number)
        content = content_of_certificate(call.door.archive, row)
        detail = CertificateDetail(**_facts(session, row), content=dict(content))
        return tagged(call.if_none_match, session, certificate_state(session, number), detail)


@router.get(
    "/certificates/{number}/pdf",
    summary="The sealed document",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
def pdf(call: SignedIn, number: str) -> Response:
    """The PDF, byte for byte as it was sealed; anyone can verify it offline."""
    with call.reading() as session:
        document = document_of(session, call.door.archive, number=number)
        row = the_certificate(session, number)
        facts = _facts(session, row)
    headers = {
        "ETag": f'"{facts["document_sha256"]}"',
        "Content-Disposition": f'inline; filename="{facts["number"]}_{facts["lot"]}.pdf"',
    }
    return Response(document, media_type="application/pdf", headers=headers)


@router.get(
    "/certificates/{number}/proof",
    summary="Proof from the transparency log",
    response_class=Response,
    responses={200: {"content": {"application/json": {}}}},
)
def proof(call: SignedIn, number: str) -> Response:
    """That the issue is in the log, and how the certificate stands now, signed.

    Keep it beside the PDF; `batchqc certificate verify --proof` and the stand-alone verifier read
    it. It holds entries of the audit trail as they are.
    """
    door = call.door
    with call.reading() as session:
        found = prove_certificate(
            session, door.archive, door.press.log_key(), number=number, now=door.now()
        )
    return Response(found, media_type="application/json")


@router.post(
    "/certificates/{number}/issue",
    status_code=201,
    summary="Seal a pending certificate",
    responses={503: {"description": "The seal cannot be used now"}},
)
def issue(call: SignedIn, number: str) -> CertificateOut:
    """Take up a certificate whose seal failed; one that is issued is answered as it is."""
    door = call.door
    issue_certificate(
        door.engine,
        door.archive,
        door.press,
        number=number,
        actor=call.person.acting(Permission.ISSUE_CERTIFICATE),
        clock=door.now,
    )
    with reading(door.engine) as session:
        return CertificateOut(**_facts(session, the_certificate(session, number)))


def _wanted(session: Session, wanted: CertificateFilter) -> CertificatesWanted:
    """The filter with its days as moments."""
    zone = ZoneInfo(own_site(session).time_zone)
    since = datetime.combine(wanted.since, time.min, zone) if wanted.since else None
    last = wanted.until + timedelta(days=1) if wanted.until and wanted.until < date.max else None
    until = datetime.combine(last, time.min, zone) if last else None
    lot, product, donor = wanted.lot, wanted.product, wanted.donor
    return CertificatesWanted(lot, product, donor, wanted.status, since, until)


def _facts(session: Session, row: Certificate) -> dict[str, Any]:
    issued, state = issue_of(session, row), state_of(session, row)
    return {
        "number": row.natural_key,
        "lot": row.lot.lot,
        "status": status_of(session, row),
        "content_sha256": row.content_sha,
        "document_sha256": issued.document_sha if issued else "",
        "supersedes": row.supersedes.natural_key if row.supersedes else None,
        "superseded_by": state.superseded_by,
        "withdrawn": state.withdrawn,
    }
