"""The auditor's bundle, sent while it is made."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from threading import BoundedSemaphore
from typing import Final
from weakref import finalize

from fastapi.responses import StreamingResponse
from pydantic import Field
from starlette.types import Receive, Scope, Send

from batchqc.actions.export_plan import Asked
from batchqc.actions.exports import FOLDER, Exporter, export_bundle
from batchqc.api.doors import SignedIn
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Day, Sent
from batchqc.api.shapes import LARGEST
from batchqc.core.permissions import Permission
from batchqc.documents.bundle_kit import read_anchors
from batchqc.errors import Conflict

_AT_ONCE: Final = 4
"""Bundles that a process sends at once: each holds a connection to the database to its end."""
_ROOM: Final = BoundedSemaphore(_AT_ONCE)

router = Routes(PREFIX, tags=["archive"], responses=PROBLEMS)


class ExportAsked(Sent):
    """Which lots: those with a certificate that every given filter lets through.

    Days are those of the site on which the number of a certificate was given. Of each lot, every
    certificate is in the bundle.
    """

    product: str = Field("", description="The code of the lots' product.")
    lots: Sequence[str] = Field(default=(), max_length=1000, description="Ids; none is all.")
    since: Day | None = Field(default=None, description="The first day.")
    until: Day | None = Field(default=None, description="The last day.")
    checkpoint: int = Field(
        0, ge=0, le=LARGEST, description="As of the checkpoint of so many entries; 0 is the newest."
    )


class _Sending(StreamingResponse):
    """A bundle on its way; what it holds is let go at its end, whole, cut or never begun."""

    def __init__(
        self, chunks: Generator[bytes], held: ExitStack, headers: Mapping[str, str]
    ) -> None:
        super().__init__(chunks, media_type="application/zip", headers=headers)
        held.callback(chunks.close)  # not once nobody refers to it: threads do, until they work
        self._held = held
        finalize(self, held.close)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._held:
            await super().__call__(scope, receive, send)


@router.post(
    "/archive/exports",
    summary="Export certificates and all that they rest on",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}, "description": "A BagIt folder in a ZIP"}},
)
def export(call: SignedIn, sent: ExportAsked) -> StreamingResponse:
    """A bundle that verifies itself, by the script and the README in it.

    It is on record before the first byte leaves. The same question at the same checkpoint has the
    same bytes for an answer. Where a stored file is damaged, the answer ends before its last bytes,
    and opens nowhere.
    """
    door = call.door
    exporter = Exporter(
        call.person.acting(Permission.EXPORT_RECORDS),
        door.now,
        lambda: read_anchors(door.settings.trust, door.settings.timestamp_root),
        door.press.log_key,
    )
    asked = Asked(sent.product, tuple(sent.lots), sent.since, sent.until, sent.checkpoint)
    if not _ROOM.acquire(blocking=False):
        raise Conflict(
            "BQC-EXP-011",
            f"{_AT_ONCE} bundles are being sent, and no more at once",
            hint="Try again when one has ended, or let it be made as a job: POST /jobs/bundles.",
        )
    with ExitStack() as room:
        room.callback(_ROOM.release)
        found = export_bundle(door.engine, door.archive, exporter, asked)
        held = room.pop_all()
    name = f"{FOLDER}-{found.plan.checkpoint.size}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return _Sending(found.chunks(), held, headers)
