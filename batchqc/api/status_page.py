"""The public status of certificates, for whoever holds one: its code leads here.

It answers who gives the hash of the certificate's content; to everybody else it says the same,
whether or not there is such a number. It names no person, no reason and no lot. For people it is a
page, which ``web.certificate_status`` answers at the same address.
"""

from datetime import date
from typing import Annotated, Final

from fastapi import Query, Response
from pydantic import BaseModel, Field

from batchqc.actions.certificate_life import PublicStatus, Stands, public_status
from batchqc.api.doors import OpenDoor
from batchqc.api.errors import PROBLEMS, problem
from batchqc.api.routes import Routes
from batchqc.records.transaction import reading

router = Routes(tags=["certificates"], responses=PROBLEMS)

UNKNOWN: Final = "no certificate has this number and this content"
_HINT: Final = "Scan the code on the certificate itself, or verify its file."
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Vary": "Accept",
}


ContentHash = Annotated[
    str, Query(max_length=200, description="SHA-256 of the certificate's content, printed on it.")
]


class StatusOut(BaseModel):
    """How a certificate stands; days are those of its site."""

    certificate: str = Field(examples=["COA-2026-000001"])
    status: Stands
    is_specimen: bool = Field(description="Made for show: it releases nothing.")
    issued_on: date | None
    withdrawn_on: date | None
    superseded_on: date | None
    superseded_by: str | None = Field(description="The number of the one that counts instead.")
    superseded_by_status: str | None = Field(description="Where the status of that one is.")


@router.get(
    "/status/{number}",
    response_model=StatusOut,
    summary="How a certificate stands, for whoever holds it",
)
def status(
    door: OpenDoor,
    number: str,
    sha256: ContentHash = "",
) -> Response:
    """Nobody needs to sign in."""
    with reading(door.engine) as session:
        found = public_status(session, number=number, sha256=sha256.strip().lower())
    if found is None:
        answer = problem(404, "BQC-CRT-047", "There is no such record", UNKNOWN, hint=_HINT)
        answer.headers.update(_HEADERS)
        return answer
    told = _out(found).model_dump_json()
    return Response(told, headers=_HEADERS, media_type="application/json")


def _out(found: PublicStatus) -> StatusOut:
    newer = found.superseded_by
    return StatusOut(
        certificate=found.number,
        status=found.stands,
        is_specimen=found.is_specimen,
        issued_on=found.issued_on,
        withdrawn_on=found.withdrawn_on,
        superseded_on=found.superseded_on,
        superseded_by=newer[0] if newer else None,
        superseded_by_status="{}?sha256={}".format(*newer) if newer else None,
    )
