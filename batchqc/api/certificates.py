"""Certificates of analysis: what they say, and their sealed documents."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from batchqc.actions.certificate_index import Standing, Wanted, find_certificates
from batchqc.actions.certificate_life import Happened, life_of
from batchqc.actions.certificate_proofs import prove_certificate
from batchqc.actions.certificate_states import Status
from batchqc.actions.certificates import (
    content_of_certificate,
    document_of,
    issue_certificate,
    the_certificate,
    the_issue,
)
from batchqc.actions.states import certificate_state
from batchqc.api.doors import SignedIn
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Day
from batchqc.api.shapes import Page, Paging
from batchqc.api.tags import TAGGED, tagged
from batchqc.core.permissions import Permission
from batchqc.documents.zip_stream import zipped
from batchqc.records.certificate_search import Hit, hits
from batchqc.records.decisions import Certificate
from batchqc.records.transaction import reading

router = Routes(PREFIX, tags=["certificates"], responses=PROBLEMS)


class CertificateOut(BaseModel):
    """A certificate: its number stands from the decision on, its document from the seal on."""

    number: str = Field(examples=["COA-2026-000001"])
    lot: str
    product: str = Field(description="The code of the lot's product.")
    disposition: str = Field(description="That it was reserved with.")
    reserved_at: datetime = Field(description="When its number was given.")
    status: Status = Field(description="Void where it was never sealed and counts no more.")
    content_sha256: str
    document_sha256: str = Field(description="Empty while it is pending.")
    supersedes: str | None
    superseded_by: str = Field(description="The certificate that counts instead, or empty.")
    withdrawn: str = Field(description="Why it no longer says what is so, or empty.")


class CertificateFilter(Paging):
    """Which certificates; days are those of the site, and everything that is given holds."""

    lot: str = ""
    product: str = Field(default="", description="The code of the lot's product.")
    donor: str = Field(default="", description="The code of one of the lot's donors.")
    disposition: str = Field(default="", description="That it was reserved with.")
    analyte: str = Field(default="", description="The code of one that it has a line of.")
    signer: str = Field(default="", description="User id or full name of one of its signers.")
    text: str = Field(
        default="", description="Words that it says; the beginning of one with * behind it."
    )
    status: Standing = ""
    since: Day | None = Field(default=None, description="The first day of its number.")
    until: Day | None = Field(default=None, description="The last day of its number.")
    newest_first: bool = Field(default=False, description="Else in the order of the numbers.")


class LifeEventOut(BaseModel):
    """What happened to a certificate."""

    what: Happened
    at: datetime
    by: str = Field(description="The user id of who did it.")
    reason: str
    about: str = Field(
        description="The certificate that it supersedes or that supersedes it, the SHA-256 of its"
        " document, the recipient of a copy, or the record for which it was withdrawn."
    )


class CertificateDetail(CertificateOut):
    """A certificate with all that happened to it, oldest first, and its frozen content."""

    life: list[LifeEventOut]
    content: dict[str, Any]


@router.get("/certificates", summary="Certificates")
def certificates(
    call: SignedIn, wanted: Annotated[CertificateFilter, Query()]
) -> Page[CertificateOut]:
    """Those that every given filter lets through, in the order of their numbers or backwards."""
    asked = Wanted(**wanted.model_dump(exclude={"after", "limit"}))
    with call.reading() as session:
        found = find_certificates(session, asked, after=wanted.after, limit=wanted.limit + 1)
    shown = [CertificateOut(**_facts(one)) for one in found[: wanted.limit]]
    return Page(items=shown, next=shown[-1].number if len(found) > wanted.limit else None)


@router.get(
    "/certificates/{number}",
    response_model=CertificateDetail,
    responses=TAGGED,
    summary="What a certificate says",
)
def one(call: SignedIn, number: str) -> Response:
    """The content as it was frozen with the decision."""
    with call.reading() as session:
        row = the_certificate(session, number)
        content = content_of_certificate(call.door.archive, row)
        life = [LifeEventOut(**asdict(one)) for one in life_of(session, row)]
        detail = CertificateDetail(**_facts_of(session, row), life=life, content=dict(content))
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
        facts = _facts_of(session, row)
    headers = {
        "ETag": f'"{facts["document_sha256"]}"',
        "Content-Disposition": f'inline; filename="{facts["number"]}_{facts["lot"]}.pdf"',
    }
    return Response(document, media_type="application/pdf", headers=headers)


@router.get(
    "/certificate-documents",
    summary="The sealed documents of several certificates",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}, "description": "The PDFs in a ZIP"}},
)
def documents(
    call: SignedIn,
    number: Annotated[list[str], Query(min_length=1, max_length=100, description="Theirs.")],
) -> StreamingResponse:
    """Each PDF byte for byte as it was sealed; none where one of them is pending or void.

    Where a stored file is damaged, the answer ends before its last bytes, and opens nowhere.
    """
    with call.reading() as session:
        rows = [the_certificate(session, one) for one in dict.fromkeys(number)]
        found = {
            f"{row.natural_key}_{row.lot.lot}.pdf": the_issue(session, row).document_sha
            for row in rows
        }
    archive = call.door.archive
    chunks = zipped((name, archive.get(sha256)) for name, sha256 in found.items())
    headers = {"Content-Disposition": 'attachment; filename="certificates.zip"'}
    return StreamingResponse(chunks, media_type="application/zip", headers=headers)


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
        return CertificateOut(**_facts_of(session, the_certificate(session, number)))


def _facts_of(session: Session, row: Certificate) -> dict[str, Any]:
    (found,) = hits(session, [row.id])
    return _facts(found)


def _facts(found: Hit) -> dict[str, Any]:
    return {
        "number": found.number,
        "lot": found.lot,
        "product": found.product,
        "disposition": found.disposition,
        "reserved_at": found.reserved_at,
        "status": found.status,
        "content_sha256": found.content_sha,
        "document_sha256": found.document_sha,
        "supersedes": found.supersedes or None,
        "superseded_by": found.superseded_by,
        "withdrawn": found.withdrawn,
    }
