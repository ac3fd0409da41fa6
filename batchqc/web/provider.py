"""Signing in at the provider of single sign-on.

The ticket of the visit stays in a cookie for the few minutes that it takes. The provider sends the
browser back from another site, so this one cookie is ``Lax``; the session that begins then is not.
"""

from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import SecretStr

from batchqc.api import single_sign_on as api
from batchqc.api.doors import OpenDoor
from batchqc.core.components import VISIT_MINUTES
from batchqc.errors import NotSignedIn
from batchqc.web.calls import AnyForm
from batchqc.web.rendering import page
from batchqc.web.security import keep_session
from batchqc.web.wording import _

router = APIRouter()

VISIT: Final = "__Host-batchqc-visit"


@router.post("/sign-in/provider")
def go(request: Request, door: OpenDoor, form: AnyForm) -> Response:
    """Begin a visit, and lead there: a page of ours, since no form of ours is sent elsewhere."""
    del form  # it is of this server
    visit = api.begin(door)
    answer = page(request, "provider.html", to=visit.address)
    answer.set_cookie(
        VISIT, visit.ticket, max_age=VISIT_MINUTES * 60, path="/", secure=True, httponly=True,
        samesite="lax",
    )  # fmt: skip
    return answer


@router.get("/sign-in/return")
def come_back(
    request: Request, door: OpenDoor, code: str = "", state: str = "", error: str = ""
) -> Response:
    """Begin a session, and lead on by a page of ours, so that the browser sends its cookie."""
    ticket = request.cookies.get(VISIT)
    if not ticket or error or not code:
        raise NotSignedIn(
            "BQC-WEB-005",
            _("the visit to single sign-on did not end with a sign-in"),
            hint=_("Begin again at the sign-in."),
        )
    sent = api.Returned(ticket=SecretStr(ticket), code=SecretStr(code), state=SecretStr(state))
    begun = api.come_back(door, sent)
    answer = page(request, "provider.html", to="/")
    answer.delete_cookie(VISIT, path="/", secure=True, httponly=True, samesite="lax")
    keep_session(answer, begun.token)
    return answer
