"""Renditions: what a recipient gets of a certificate; and how one would look."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import select

from batchqc.actions.certificate_previews import preview_document
from batchqc.actions.certificates import the_certificate
from batchqc.actions.renditions import (
    Under,
    Wanted,
    facts_of,
    make_rendition,
    rendition_document,
)
from batchqc.api.doors import SignedIn
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Sent
from batchqc.api.shapes import After, Limit, Page, not_next, page
from batchqc.core.permissions import Permission
from batchqc.records.layouts import CertificateRendition, rendition_named

router = Routes(PREFIX, tags=["renditions"], responses=PROBLEMS)

Version = Annotated[int, Path(ge=1, le=1_000_000)]
_PDF: dict[int | str, dict[str, object]] = {200: {"content": {"application/pdf": {}}}}


class NewRendition(Sent):
    """For whom a rendition is made."""

    layout: str = Field(description="The id of a layout; its newest approved version is taken.")


class RenditionOut(BaseModel):
    """A rendition: of which certificate, under which version of which layout."""

    certificate: str = Field(examples=["COA-2026-000001"])
    layout: str
    version: int
    recipient: str
    content_sha256: str
    document_sha256: str
    made_by: str
    made_at: datetime


@router.get("/renditions", summary="Renditions of certificates")
def renditions(
    call: SignedIn,
    certificate: Annotated[str, Query(description="Of this one only.")] = "",
    after: After = "",
    limit: Limit = 50,
) -> Page[RenditionOut]:
    """In the order in which they were made. `after` is `<certificate>/<layout>/<version>`."""
    with call.reading() as session:
        query = select(CertificateRendition)
        if certificate:
            of = the_certificate(session, certificate)
            query = query.where(CertificateRendition.certificate_id == of.id)
        last = rendition_named(session, after) if after else None
        if after and last is None:
            raise not_next(after)
        return page(session, query, CertificateRendition, after=last, limit=limit, show=_shown)


@router.post(
    "/certificates/{number}/renditions",
    status_code=201,
    summary="Make a rendition for a recipient",
)
def make(call: SignedIn, number: str, sent: NewRendition) -> RenditionOut:
    """From the frozen content, sealed and on record; one that was made is answered as it is."""
    door = call.door
    made = make_rendition(
        door.engine,
        door.archive,
        door.press,
        wanted=Wanted(number, sent.layout),
        actor=call.person.acting(Permission.ISSUE_CERTIFICATE),
        clock=door.now,
    )
    return RenditionOut(**asdict(made))


@router.get(
    "/certificates/{number}/renditions/{layout}/{version}/pdf",
    summary="The sealed document of a rendition",
    response_class=Response,
    responses=_PDF,
)
def pdf(call: SignedIn, number: str, layout: str, version: Version) -> Response:
    """The PDF, byte for byte as it was sealed; anyone can verify it offline."""
    with call.reading() as session:
        wanted = Under(number, layout, version)
        document = rendition_document(session, call.door.archive, wanted=wanted)
    return Response(document, media_type="application/pdf")


@router.get(
    "/certificates/{number}/preview",
    summary="How a certificate looks under a layout",
    response_class=Response,
    responses=_PDF,
)
def preview(
    call: SignedIn,
    number: str,
    layout: Annotated[str, Query(description="The id of a layout, approved or not.")],
    version: Annotated[int, Query(ge=1, le=1_000_000)],
) -> Response:
    """A PDF that is marked on every page as a draft; it is neither sealed nor stored."""
    door = call.door
    with call.reading() as session:
        wanted = Under(number, layout, version)
        document = preview_document(
            session, door.archive, door.press, wanted=wanted, now=door.now()
        )
    return Response(document, media_type="application/pdf")


def _shown(row: CertificateRendition) -> RenditionOut:
    return RenditionOut(**asdict(facts_of(row)))
