"""How a certificate stands, for whoever holds it: the page behind the code that is printed on it.

It tells what the API tells under the same address, to who gives the hash of the content; to
everybody else it says the same. It names no person, no reason and no lot.
"""

from typing import Annotated

from fastapi import Header, Request, Response

from batchqc.actions.certificate_life import public_status
from batchqc.api import status_page as api
from batchqc.api.doors import OpenDoor
from batchqc.api.routes import Routes
from batchqc.records.transaction import reading
from batchqc.web.rendering import page

router = Routes()


@router.get("/status/{number}")
def status(
    request: Request,
    door: OpenDoor,
    number: str,
    sha256: api.ContentHash = "",
    accept: Annotated[str, Header()] = "",
) -> Response:
    """A page for people, JSON for programs; nobody needs to sign in."""
    if "text/html" not in accept:
        return api.status(door, number, sha256)
    with reading(door.engine) as session:
        found = public_status(session, number=number, sha256=sha256.strip().lower())
    answer = page(
        request, "certificate_status.html", status=200 if found else 404, found=found,
        unknown=api.UNKNOWN,
    )  # fmt: skip
    answer.headers.update({"Vary": "Accept", "X-Robots-Tag": "noindex"})
    return answer
