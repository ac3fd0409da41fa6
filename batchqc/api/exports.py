"""The auditor's bundle, sent while it is made."""

from collections.abc import Sequence

from fastapi.responses import StreamingResponse
from pydantic import Field

from batchqc.actions.export_plan import Asked
from batchqc.actions.exports import FOLDER, Exporter, export_bundle
from batchqc.api.doors import SignedIn
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Day, Sent
from batchqc.api.shapes import LARGEST
from batchqc.core.permissions import Permission
from batchqc.documents.bundle_kit import read_anchors

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
    found = export_bundle(
        door.engine,
        door.archive,
        Exporter(
            call.person.acting(Permission.EXPORT_RECORDS),
            door.now,
            lambda: read_anchors(door.settings.trust, door.settings.timestamp_root),
            door.press.log_key,
        ),
        Asked(sent.product, tuple(sent.lots), sent.since, sent.until, sent.checkpoint),
    )
    name = f"{FOLDER}-{found.plan.checkpoint.size}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(found.chunks(), media_type="application/zip", headers=headers)
