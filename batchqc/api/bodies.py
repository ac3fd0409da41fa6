"""Files that are sent as the raw body of a request; bytes above a limit are never kept."""

from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import Depends, Query, Request

from batchqc.actions.uploads import ReceivedFile
from batchqc.api.doors import OpenDoor
from batchqc.errors import InvalidInput

ANY_SIZE: Final = 2**40  # counted and dropped above the limit of uploads, so that it is on record
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
