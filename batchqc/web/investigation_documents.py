"""Filing a document with an investigation from a page: with script or without, kept by its hash."""

from collections.abc import AsyncGenerator
from typing import Annotated, Final

from fastapi import Depends, Request, Response
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from batchqc.actions.attachments import Document
from batchqc.actions.investigations import the_investigation
from batchqc.api import investigation_documents as api
from batchqc.api.bodies import LONGEST_READ
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.sent import is_text
from batchqc.core.investigations import State
from batchqc.core.permissions import WHO_MAY, Permission, is_permitted
from batchqc.documents.malware import check_harmless
from batchqc.errors import BatchqcError, InvalidInput
from batchqc.web.calls import Form, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, check, said
from batchqc.web.rendering import gone_to, page
from batchqc.web.security import check_form, check_origin
from batchqc.web.wording import _

router = Routes()

#: Where forms with files are sent to: their bodies may be larger than others.
PATH: Final = "/investigations/documents"
_AROUND: Final = 10_000  # bytes of a form beside its file
_FIELDS: Final = 10


class _TooLarge(MultiPartException):
    """The body is larger than a form may be; the parser knows its kind, and closes its files."""


async def _sent(request: Request, call: Visit) -> tuple[Form, Document | None]:
    """The fields of a form of this session, and its file; what is too large is not kept."""
    check_origin(request.headers)
    most = call.door.settings.attachment_limit + _AROUND
    body = _counted(request, most)
    try:
        sent = await MultiPartParser(request.headers, body, max_files=1, max_fields=_FIELDS).parse()
    except _TooLarge as error:
        raise HTTPException(413, error.message) from error
    except (MultiPartException, KeyError) as error:
        raise InvalidInput(
            "BQC-WEB-031", _("this is no form with a file"),
            hint=_("Open the page again, and choose the file there."),
        ) from error  # fmt: skip
    try:
        return await _read(call, sent)
    finally:
        await sent.close()


async def _read(call: Call, sent: FormData) -> tuple[Form, Document | None]:
    fields = {name: value for name, value in sent.items() if isinstance(value, str)}
    if not all(is_text(one) for pair in fields.items() for one in pair):
        raise InvalidInput("BQC-API-008", "the form holds U+0000")
    form, file = Form(fields), sent.get("file")
    check_form(call.token, form["token"])
    if not isinstance(file, UploadFile) or not file.filename:
        return form, None
    data = await file.read()
    return form, Document(file.filename, len(data), data)


async def _counted(request: Request, most: int) -> AsyncGenerator[bytes]:
    """The body; of one that is too large the rest is read, so that the refusal is heard."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= most:
            yield chunk
        elif size > LONGEST_READ + most:
            break
    if size > most:
        raise _TooLarge(_("the document is larger than documents may be"))


Sent = Annotated[tuple[Form, Document | None], Depends(_sent)]


@router.get("/investigations/{number}/document")
def ask(request: Request, call: Visit, number: str) -> Response:
    """The form to file a document."""
    return _form(request, call, number)


@router.post(PATH)
def file(request: Request, call: Visit, sent: Sent) -> Response:
    """File it, as the API does."""
    form, document = sent
    try:
        check({"file": "" if document else _("Choose a file.")})
        if document is not None and document.data is not None:
            scanner = call.door.settings.malware_scanner
            check_harmless(scanner, document.name, [document.data])
            api.add_document(keyed(call, form), document, form["number"])
    except BatchqcError as error:
        return _form(request, call, form["number"], said(error))
    return gone_to(request, f"/investigations/{form['number']}?did=document")


def _form(request: Request, call: Call, number: str, told: Said = NOTHING_SAID) -> Response:
    with call.reading() as session:
        case = the_investigation(session, number)
        return page(
            request,
            "investigation_document.html",
            status=told.status,
            case=case,
            is_possible=case.now.state is not State.CONCLUDED,
            is_permitted=is_permitted(call.person.roles, Permission.INVESTIGATE),
            roles=sorted(WHO_MAY[Permission.INVESTIGATE]),
            most=call.door.settings.attachment_limit,
            **told.content,
        )
