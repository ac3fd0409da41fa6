"""The public status page of certificates, for whoever holds one: its code leads here.

It answers who gives the hash of the certificate's content; to everybody else it says the same,
whether or not there is such a number. It names no person, no reason and no lot.
"""

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, Field

from batchqc.actions.certificate_life import PublicStatus, Stands, public_status
from batchqc.api.doors import OpenDoor
from batchqc.api.errors import PROBLEMS, problem
from batchqc.records.transaction import reading

router = APIRouter(tags=["certificates"], responses=PROBLEMS)

UNKNOWN: Final = "no certificate has this number and this content"
_HINT: Final = "Scan the code on the certificate itself, or verify its file."
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Vary": "Accept",
}
_WORDS: Final[dict[Stands, tuple[str, str]]] = {
    "issued": ("Issued", "It stands as it was issued."),
    "pending": ("Pending", "Its number is reserved; it is not sealed yet."),
    "superseded": ("Superseded", "Another certificate counts instead."),
    "withdrawn": ("Withdrawn", "It no longer says what is so, and none counts instead."),
    "unclear": ("Unclear", "Do not rely on it: its records were changed. Ask the site."),
}
_PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Certificate status</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
body {{ font: 1.05rem/1.55 sans-serif; color: #1c2129; background: #fff; margin: 3rem auto;
  max-width: 34rem; padding: 0 1.2rem }}
h1 {{ font-weight: normal; font-size: 1.15rem; color: #0d4d5e; margin: 0 }}
.stands {{ font-size: 2.2rem; font-weight: bold; margin: .3rem 0 }}
dl {{ border-top: 2px solid #0d4d5e; padding-top: 1rem }}
dt {{ color: #616973; font-size: .9rem }} dd {{ margin: 0 0 .7rem }} a {{ color: #0d4d5e }}
footer {{ color: #616973; font-size: .9rem; border-top: 1px solid #ccd1d6; padding-top: .8rem }}
</style></head><body><main>{body}</main>
<footer>This page tells how a certificate stands. Whether a file is genuine, its seals tell: verify
the file itself.</footer></body></html>
"""


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
    responses={200: {"content": {"text/html": {}}}},
)
def status(
    door: OpenDoor,
    number: str,
    *,
    sha256: Annotated[
        str,
        Query(max_length=200, description="SHA-256 of the certificate's content, printed on it."),
    ] = "",
    accept: Annotated[str, Header()] = "",
) -> Response:
    """A page for people, JSON for programs. Nobody needs to sign in."""
    with reading(door.engine) as session:
        found = public_status(session, number=number, sha256=sha256.strip().lower())
    if "text/html" in accept:
        body = _told(found) if found else f"<h1>Certificate</h1><p>{UNKNOWN}. {_HINT}</p>"
        page = _PAGE.format(body=body)
        return Response(page, 200 if found else 404, _HEADERS, "text/html; charset=utf-8")
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


def _told(found: PublicStatus) -> str:
    """The body of the page: fixed words, days and numbers, nothing that anybody typed."""
    word, sentence = _WORDS[found.stands]
    days = (
        ("Issued", found.issued_on),
        ("Withdrawn", found.withdrawn_on),
        ("Superseded", found.superseded_on),
    )
    facts = "".join(f"<dt>{name}</dt><dd>{day}</dd>" for name, day in days if day)
    if found.superseded_by:
        newer, sha256 = found.superseded_by
        link = f'<a href="{newer}?sha256={sha256}">{newer}</a>'
        facts += f"<dt>What counts instead</dt><dd>{link}</dd>"
    shown = "<p><strong>Specimen: it releases nothing.</strong></p>" if found.is_specimen else ""
    return (
        f'<h1>Certificate {found.number}</h1><p class="stands">{word}</p>'
        f"<p>{sentence}</p>{shown}<dl>{facts}</dl>"
    )
