"""Documents of OOS investigations: filed as evidence, and given back byte for byte."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Query, Response

from batchqc.actions.investigations import file_document, the_document
from batchqc.api.bodies import RAW_DOCUMENT, ReceivedDocument
from batchqc.api.doors import SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.investigation_shapes import InvestigationDetail, investigation_detail
from batchqc.api.routes import PREFIX, Routes
from batchqc.core.permissions import Permission

router = Routes(PREFIX, tags=["investigations"], responses=PROBLEMS)


@router.post(
    "/investigations/documents",
    status_code=201,
    response_model=InvestigationDetail,
    summary="File a document with an investigation",
    openapi_extra=RAW_DOCUMENT,
)
def add_document(
    call: Writing,
    document: ReceivedDocument,
    investigation: Annotated[str, Query(description="Its number.")],
) -> Response:
    """Evidence, raw data, a report: kept by its hash, which a conclusion names."""
    with call.writing(Permission.INVESTIGATE, f"{document.sha256} {document.size}") as work:
        if work.is_new:
            file_document(work.tx, call.door.archive, number=investigation, document=document)
            work.answer(201, investigation_detail(work.tx.session, investigation))
    return work.response()


@router.get(
    "/investigations/{number}/documents/{sha256}",
    summary="A filed document, to keep and never to show in place",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def document(call: SignedIn, number: str, sha256: str) -> Response:
    """Byte for byte as it came, checked against its hash."""
    with call.reading() as session:
        said = the_document(session, number=number, sha256=sha256).said
        data = call.door.archive.get(said["sha256"])
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(str(said['file']), safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(data, media_type="application/octet-stream", headers=headers)
