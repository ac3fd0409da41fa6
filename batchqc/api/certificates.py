"""Certificates of analysis: what they say, and their sealed documents."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.certificates import (
    content_of_certificate,
    document_of,
    issue_certificate,
    the_certificate,
)
from batchqc.actions.states import certificate_state
from batchqc.api.doors import SignedIn
from batchqc.api.errors import PROBLEMS
from batchqc.api.shapes import After, Limit, Page, page
from batchqc.api.tags import tagged
from batchqc.core.permissions import Permission
from batchqc.records.decisions import Certificate, issue_of
from batchqc.records.transaction import reading

router = APIRouter(tags=["certificates"], responses=PROBLEMS)


class CertificateOut(BaseModel):
    """A certificate: its number stands from the decision on, its document from the seal on."""

    number: str = Field(examples=["COA-2026-000001"])
    lot: str
    status: Literal["issued", "pending"]
    content_sha256: str
    document_sha256: str = Field(description="Empty while it is pending.")
    supersedes: str | None


class CertificateDetail(CertificateOut):
    """A certificate with its frozen content."""

    content: dict[str, Any]


@router.get("/certificates", summary="Certificates")
def certificates(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[CertificateOut]:
    """Every certificate, in the order of their numbers."""
    with call.reading() as session:
        return page(
            session,
            select(Certificate),
            Certificate,
            after=the_certificate(session, after) if after else None,
            limit=limit,
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


def _facts(session: Session, row: Certificate) -> dict[str, Any]:
    issued = issue_of(session, row)
    return {
        "number": row.natural_key,
        "lot": row.lot.lot,
        "status": "issued" if issued else "pending",
        "content_sha256": row.content_sha,
        "document_sha256": issued.document_sha if issued else "",
        "supersedes": row.supersedes.natural_key if row.supersedes else None,
    }
