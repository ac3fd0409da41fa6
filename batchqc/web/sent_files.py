"""A form with one file in it, as a browser sends it: bytes above the limit are never kept.

It is read only for a person who is signed in and may upload, and it comes from a page of this
server and of this session, like every form.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from batchqc.actions.received import ReceivedFile
from batchqc.api.bodies import LONGEST_READ
from batchqc.api.doors import OpenDoor
from batchqc.api.sent import is_text
from batchqc.api.uses import client_of
from batchqc.core.permissions import Permission
from batchqc.errors import InvalidInput
from batchqc.web.calls import Form, Visit
from batchqc.web.forms import WrongForm
from batchqc.web.security import check_form, check_origin
from batchqc.web.wording import _

_FIELDS = 100_000  # bytes of everything beside the file


class TooLarge(MultiPartException):
    """More was sent than the limit; it was not kept."""


@dataclass(frozen=True, slots=True)
class FileForm:
    """What was typed, and the file; ``None`` where none was chosen or it was too large."""

    form: Form
    file: ReceivedFile | None
    is_too_large: bool = False

    def chosen(self) -> ReceivedFile:
        """The file.

        Raises:
            InvalidInput: BQC-WEB-010 it was larger than the limit.
            WrongForm: BQC-WEB-007 none was chosen, or its name cannot be kept.
        """
        if self.is_too_large:
            raise InvalidInput(
                "BQC-WEB-010",
                _("the file is larger than what is read here; nothing of it was kept"),
                hint=_(
                    "Split it, or have the system owner read it: batchqc upload takes any size."
                ),
            )
        if self.file is None:
            raise WrongForm({"file": _("Choose a file.")})
        if not self.file.name.isprintable() or len(self.file.name) > 200:
            raise WrongForm(
                {"file": _("Rename it: a name is at most 200 characters, and no control marks.")}
            )
        return self.file


async def _sent(request: Request, call: Visit, door: OpenDoor) -> FileForm:
    check_origin(request.headers)
    call.person.acting(Permission.UPLOAD_RESULTS)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise WrongForm({"file": _("Choose a file.")})
    limit = door.settings.upload_limit
    within = _within(request, limit + _FIELDS)
    try:
        found = await MultiPartParser(request.headers, within, max_files=1, max_fields=20).parse()
    except TooLarge:
        return FileForm(Form({}), None, is_too_large=True)
    except MultiPartException as error:
        raise InvalidInput(
            "BQC-WEB-013", _("the form cannot be read"), hint=_("Open the page, and send it anew.")
        ) from error
    try:
        return await _received(request, found, token=call.token, limit=limit)
    finally:
        await found.close()


async def _received(request: Request, sent: FormData, *, token: str, limit: int) -> FileForm:
    fields = {name: value for name, value in sent.items() if isinstance(value, str)}
    if not all(is_text(one) for pair in fields.items() for one in pair):
        raise InvalidInput("BQC-API-008", "the form holds U+0000")
    form, file = Form(fields), sent.get("file")
    check_form(token, form["token"])
    if not isinstance(file, UploadFile) or not file.filename:
        return FileForm(form, None)
    if (file.size or 0) > limit:
        return FileForm(form, None, is_too_large=True)
    data = await file.read()
    return FileForm(form, ReceivedFile(file.filename, len(data), data, client_of(request)))


async def _within(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """What is sent, up to a limit; more is read for a while, so that the answer is heard."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            yield chunk
        elif size > limit + LONGEST_READ:
            break
    if size > limit:
        raise TooLarge("too large")


OwnFile = Annotated[FileForm, Depends(_sent)]
"""A form with a file, of who may upload."""
