"""What is printed beside sealed certificates: copies, each for somebody, and drafts."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Path, Response
from pydantic import BaseModel, Field

from batchqc.actions.certificate_copies import copied, copy_document, print_copy
from batchqc.actions.certificate_drafts import draft_content, draft_document
from batchqc.actions.evaluation import study
from batchqc.actions.lots import the_lot
from batchqc.api.doors import SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Sent
from batchqc.api.shapes import LARGEST
from batchqc.core.permissions import Permission

router = Routes(PREFIX, tags=["certificates"], responses=PROBLEMS)

_PDF: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"application/pdf": {}}}}


class CopyRequest(Sent):
    """For whom a copy is printed."""

    recipient: str = Field(examples=["Regional Hospital Da Lat, pharmacy"])


class CopyOut(BaseModel):
    """A copy on record; its PDF has an address of its own."""

    certificate: str = Field(examples=["COA-2026-000001"])
    number: int = Field(description="The how many-th copy of the certificate.")
    recipient: str
    made_by: str
    made_at: datetime
    pdf: str = Field(description="Where the PDF is, below /api/v1.")


@router.post(
    "/certificates/{number}/copies",
    status_code=201,
    response_model=CopyOut,
    summary="Print a copy of a certificate for somebody",
)
def make(call: Writing, number: str, sent: CopyRequest) -> Response:
    """A copy is marked on each page and bears no seals; that it was printed is on record."""
    with call.writing(Permission.ISSUE_CERTIFICATE, sent) as work:
        if work.is_new:
            row = print_copy(work.tx, number=number, recipient=sent.recipient)
            public = row.certificate.natural_key
            made = CopyOut(
                certificate=public,
                number=row.number,
                recipient=row.recipient,
                made_by=row.made_by,
                made_at=row.made_at,
                pdf=f"/certificates/{public}/copies/{row.number}/pdf",
            )
            work.answer(201, made)
    return work.response()


@router.get(
    "/certificates/{number}/copies/{copy}/pdf",
    summary="A copy that was printed, as PDF",
    response_class=Response,
    responses=_PDF,
)
def copy_pdf(call: SignedIn, number: str, copy: Annotated[int, Path(ge=1, le=LARGEST)]) -> Response:
    """Rendered anew: it says on each page when the certificate was withdrawn or superseded."""
    with call.reading() as session:
        found = copied(session, call.door.archive, number=number, copy=copy)
    document = copy_document(found, call.door.press.fonts)
    name = f"{found.content['number']}_{found.content['lot']['id']}_copy-{copy}.pdf"
    return _pdf(document, name)


@router.get(
    "/lots/{lot}/draft-certificate",
    summary="A draft of the certificate of a lot, as PDF",
    response_class=Response,
    responses=_PDF,
)
def draft(call: SignedIn, lot: str) -> Response:
    """What its certificate would say now; it has no number and no seals, and is not stored."""
    door = call.door
    with call.reading() as session:
        now = door.now()
        case = study(session, door.archive, lot=the_lot(session, lot), now=now)
        content = draft_content(session, door.archive, case=case, now=now)
    return _pdf(draft_document(content, door.press.fonts), f"DRAFT_{case.lot.id}.pdf")


def _pdf(document: bytes, name: str) -> Response:
    shown = {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(document, media_type="application/pdf", headers=shown)
