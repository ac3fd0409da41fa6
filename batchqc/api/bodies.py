"""Files that are sent as the raw body of a request; bytes above a limit are never kept."""

from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import Depends, Query, Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from batchqc.actions.uploads import ReceivedFile
from batchqc.api.doors import OpenDoor
from batchqc.errors import InvalidInput

LARGEST_BODY: Final = 1_000_000
_FILES: Final = frozenset({"/api/v1/uploads", "/api/v1/specifications"})
_FileName = Annotated[
    str, Query(min_length=1, max_length=200, description="The file's name, for the record.")
]


async def _received(request: Request, door: OpenDoor, file: _FileName) -> ReceivedFile:
    """The file; above the limit its bytes are counted and dropped as they come."""
    if not file.isprintable():
        raise InvalidInput("BQC-API-005", "the file's name has control characters in it")
    data, size = await _kept(request.stream(), door.settings.upload_limit)
    host = request.client.host if request.client else "unknown"
    agent = request.headers.get("user-agent", "unknown")[:200]
    return ReceivedFile(name=file, size=size, data=data, client=f"{host} {agent}")


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

#: What OpenAPI says of such a body.
RAW_CSV = {
    "requestBody": {
        "required": True,
        "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
    }
}
RAW_TOML = {
    "requestBody": {
        "required": True,
        "content": {"application/toml": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class SmallBodies:
    """Refuses a body of more than a megabyte where no file is expected, while it streams."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what is received."""
        if scope["type"] != "http" or scope["path"] in _FILES:
            await self._app(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > LARGEST_BODY:
                raise HTTPException(413, "the body is larger than a megabyte")
            return message

        await self._app(scope, counted, send)
