"""Files that are sent as the raw body of a request; bytes above a limit are never kept."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Annotated, Final

from fastapi import Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from batchqc.actions.attachments import Document
from batchqc.actions.received import ReceivedFile
from batchqc.api.doors import OpenDoor
from batchqc.api.uses import client_of
from batchqc.documents.malware import check_harmless
from batchqc.errors import InvalidInput
from batchqc.intake.contract import Asked
from batchqc.intake.stated import pairs

LARGEST_BODY: Final = 1_000_000  # where no file is expected
LONGEST_READ: Final = 20_000_000  # who sends more may find the connection closed, not an answer
SLOWEST: Final = 10_000  # bytes in a second, once the first minute is over
_FileName = Annotated[
    str, Query(min_length=1, max_length=200, description="The file's name, for the record.")
]


async def _received(request: Request, door: OpenDoor, file: _FileName) -> ReceivedFile:
    """The file; above the limit its bytes are counted and dropped as they come."""
    if not file.isprintable():
        raise InvalidInput("BQC-API-005", "the file's name has control characters in it")
    data, size = await _kept(request.stream(), door.settings.upload_limit)
    await _scanned(door.settings.malware_scanner, file, data)
    return ReceivedFile(name=file, size=size, data=data, client=client_of(request))


async def _document(request: Request, door: OpenDoor, file: _FileName) -> Document:
    """A document of a typed result; above its limit the bytes are counted and dropped."""
    data, size = await _kept(request.stream(), door.settings.attachment_limit)
    await _scanned(door.settings.malware_scanner, file, data)
    return Document(name=file, size=size, data=data)


async def _scanned(scanner: str, name: str, data: bytes | None) -> None:
    """Have what came scanned, where there is a scanner; other requests are answered meanwhile."""
    if scanner and data is not None:
        await run_in_threadpool(check_harmless, scanner, name, [data])


async def _kept(stream: AsyncIterator[bytes], limit: int) -> tuple[bytes | None, int]:
    chunks: list[bytes] = []
    size = 0
    async for chunk in stream:
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        else:
            chunks.clear()
    return (b"".join(chunks) if size <= limit else None), size


Received = Annotated[ReceivedFile, Depends(_received)]
ReceivedDocument = Annotated[Document, Depends(_document)]


@dataclass(frozen=True, slots=True)
class StatedBeside:
    """What is stated beside a file: its profile, cells for every row, and names of samples."""

    profile: str
    stated: tuple[str, ...]
    samples: tuple[str, ...]

    def beside(self, file: ReceivedFile) -> ReceivedFile:
        """The file with it."""
        asked = Asked(pairs(self.stated), pairs(self.samples, at_last=True))
        return replace(file, profile=self.profile, asked=asked)


def _stated(
    profile: Annotated[
        str, Query(description="By which the file is read; blank is a contract.")
    ] = "",
    stated: Annotated[list[str] | None, Query(description="`analyst=jdoe`, for every row.")] = None,
    sample: Annotated[
        list[str] | None,
        Query(description="`CLB001=MSC-26-0012-S01`: the name in the file, and the sample."),
    ] = None,
) -> StatedBeside:
    return StatedBeside(profile.strip(), tuple(stated or ()), tuple(sample or ()))


Stated = Annotated[StatedBeside, Depends(_stated)]


class LivelyBodies:
    """Refuses a body that trickles: a minute for any, and more for as much as has come by then.

    Whoever sends slowly holds a connection and what came so far, and nothing else; not for ever.
    """

    def __init__(self, app: ASGIApp, *, seconds: float = 60) -> None:
        """Wrap ``app``; ``seconds`` are what any body may take."""
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for each part of the body no longer than it may take."""
        began, size, is_open = asyncio.get_running_loop().time(), 0, scope["type"] == "http"

        async def timed() -> Message:
            nonlocal size, is_open
            if not is_open:  # the body has come; what is waited for is that the client leaves
                return await receive()
            try:
                async with asyncio.timeout_at(began + self._seconds + size / SLOWEST):
                    message = await receive()
            except TimeoutError as error:
                said = "the body came too slowly; nothing of it was kept"
                raise HTTPException(408, said, {"Connection": "close"}) from error
            size += len(message.get("body", b""))
            is_open = message.get("more_body", False)
            return message

        await self._app(scope, timed, send)


class SmallBodies:
    """Refuses a body of more than a megabyte where no file is expected, and never keeps it.

    The limit of the framework answers in plain text where the length is declared; here the refusal
    is an error like every other, and becomes a problem.
    """

    def __init__(self, app: ASGIApp, but: frozenset[str]) -> None:
        """Wrap ``app``; ``but`` are the paths that expect a file."""
        self._app = app
        self._but = but

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what is received; what is too much is read to its end, so that we are heard."""
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size <= LARGEST_BODY:
                return message
            while message.get("more_body", False) and size <= LONGEST_READ:
                message = await receive()
                size += len(message.get("body", b""))
            raise HTTPException(413, "the body is larger than a megabyte")

        is_file = scope["type"] != "http" or scope["path"] in self._but
        await self._app(scope, receive if is_file else counted, send)


#: What OpenAPI says of such a body.
RAW_CSV = {
    "requestBody": {
        "required": True,
        "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
    }
}
RAW_DOCUMENT = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
RAW_TOML = {
    "requestBody": {
        "required": True,
        "content": {"application/toml": {"schema": {"type": "string", "format": "binary"}}},
    }
}
