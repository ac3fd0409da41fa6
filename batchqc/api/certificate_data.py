"""What an issued certificate says, as JSON, FHIR, CSV or plain text."""

from typing import Annotated

from fastapi import Query, Response

from batchqc.actions.certificate_data import FORMATS, DataFormat, data_of
from batchqc.api.doors import SignedIn
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes

router = Routes(PREFIX, tags=["certificates"], responses=PROBLEMS)

_Form = Annotated[
    DataFormat,
    Query(alias="format", description="The frozen content (`json`), or what is made of it."),
]


@router.get(
    "/certificates/{number}/data",
    summary="What an issued certificate says, in a format",
    response_class=Response,
    responses={
        200: {
            "content": {media_type: {} for _, media_type, _ in FORMATS.values()},
            "headers": {
                "Certificate-Counts": {
                    "description": "`yes`; or `no` and why: it is superseded or withdrawn since.",
                    "schema": {"type": "string"},
                }
            },
        }
    },
)
def data(call: SignedIn, number: str, form: _Form = DataFormat.JSON) -> Response:
    """As it was frozen. `json` is byte for byte what its content hash is of."""
    with call.reading() as session:
        found = data_of(session, call.door.archive, number=number, form=form)
    state = found.state
    since = f"superseded by {state.superseded_by}" if state.superseded_by else "withdrawn"
    headers = {
        "Content-Disposition": f'inline; filename="{found.file}"',
        "Certificate-Counts": "yes" if state.counts else f"no, {since}",
    }
    return Response(found.data, media_type=found.media_type, headers=headers)
