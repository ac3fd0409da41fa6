"""Verifying a certificate that somebody received, without an account: drop the PDF.

Nothing is stored. It is the verifier of ``batchqc certificate verify``, and what this site says of
the certificate now. Whoever does not trust this server finds how to do without it.
"""

from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Final

from fastapi import Depends, Request, Response
from starlette.datastructures import UploadFile
from starlette.types import Message, Receive

from batchqc.api import verification as api
from batchqc.api.bodies import LONGEST_READ
from batchqc.api.doors import Door, OpenDoor
from batchqc.api.routes import Routes
from batchqc.api.verification_shapes import VerificationOut
from batchqc.errors import BatchqcError, NotFound
from batchqc.web.certificate_checks import told
from batchqc.web.forms import NOTHING_SAID, Said, said
from batchqc.web.rendering import page
from batchqc.web.security import check_origin

router = Routes()

_AROUND: Final = 10_000  # what a form says around its file


class _Counted:
    """What is received, up to a limit; what is beyond it is read to its end, and told."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._size = receive, 0

    async def __call__(self) -> Message:
        message = await self._next()
        if self._size <= api.LARGEST_FILE + _AROUND:
            return message
        while message.get("more_body", False) and self._size <= LONGEST_READ:
            message = await self._next()
        api.check_size(self._size)
        return message

    async def _next(self) -> Message:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        return message


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file of a form, or why there is none."""

    name: str = ""
    data: bytes = b""
    error: BatchqcError | None = None


async def _sent(request: Request) -> AsyncIterator[SentFile]:
    check_origin(request.headers)
    with ExitStack() as place:
        try:
            place.enter_context(api.TURNS.place())
            found = await api.in_time(_file(request))
        except BatchqcError as error:
            found = SentFile(error=error)
        yield found


async def _file(request: Request) -> SentFile:
    counted = Request(request.scope, _Counted(request.receive))
    async with counted.form(max_files=1, max_fields=4) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            return SentFile()
        data = await file.read()
    name = "".join(one for one in str(file.filename) if one.isprintable())
    return SentFile(name[:120], data)


Sent = Annotated[SentFile, Depends(_sent)]


@router.get("/verify")
def ask(request: Request, door: OpenDoor) -> Response:
    """The form for a file."""
    return _page(request, door)


@router.post("/verify")
def verify(request: Request, door: OpenDoor, sent: Sent) -> Response:
    """Whether it is genuine, by whom it was signed, how it stands, and what was not examined."""
    try:
        if sent.error is not None:
            raise sent.error
        api.check_size(len(sent.data))
        return _page(request, door, sent, found=api.verified(door, sent.data))
    except BatchqcError as error:
        return _page(request, door, sent, said(error))


@router.get("/verify/verifier.py")
def verifier() -> Response:
    """The stand-alone verifier."""
    return api.verifier()


def _page(
    request: Request,
    door: Door,
    sent: SentFile | None = None,
    answer: Said = NOTHING_SAID,
    found: VerificationOut | None = None,
) -> Response:
    return page(
        request,
        "certificate_verify.html",
        status=answer.status,
        **answer.content,
        file=sent.name if sent else "",
        told=told(found) if found else None,
        root=_root(door),
        verifier=sha256(api.stand_alone()).hexdigest(),
        largest=api.LARGEST_FILE // 1_000_000,
    )


def _root(door: Door) -> str:
    """The fingerprint of the root that this server verifies with, or "" where it has none."""
    try:
        return api.fingerprint(api.anchors_of(door).root)
    except NotFound:
        return ""
