"""Signing in at the provider of single sign-on, and proving there that one signs.

The ticket of the visit stays in a cookie for the few minutes that it takes. The provider sends the
browser back from another site, so that its cookies are ``Lax``; that of a session is not, and it is
sent with the next request only, which a page of ours makes.
"""

import json
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from fastapi import Request, Response
from pydantic import SecretStr

from batchqc.actions.visits import Ticket
from batchqc.api import single_sign_on as api
from batchqc.api.doors import Door, OpenDoor
from batchqc.api.provider import the_provider
from batchqc.api.routes import Routes
from batchqc.api.session import SignInAnswer
from batchqc.api.uses import client_of
from batchqc.core.components import VISIT_MINUTES
from batchqc.errors import NotSignedIn
from batchqc.web.calls import STEP_UP, AnyForm, OwnForm, Visit, keyed
from batchqc.web.forms import built
from batchqc.web.rendering import page
from batchqc.web.security import keep_session
from batchqc.web.sessions import end_own, form_to_sign_in
from batchqc.web.wording import _

router = Routes()

VISIT: Final = "__Host-batchqc-visit"


def keep_visit(answer: Response, name: str, ticket: str) -> None:
    """Keep the ticket of a visit for as long as it may take."""
    answer.set_cookie(
        name, ticket, max_age=VISIT_MINUTES * 60, path="/", secure=True, httponly=True,
        samesite="lax",
    )  # fmt: skip


@router.post("/sign-in/provider")
def go(request: Request, door: OpenDoor, form: AnyForm) -> Response:
    """Begin a visit, and lead there: a page of ours, since no form of ours is sent elsewhere.

    The session that this browser had ends: who comes back comes without its cookie.
    """
    del form  # it is of this server
    visit = api.begin(door)
    end_own(request, door)
    answer = page(request, "provider.html", to=visit.address)
    keep_visit(answer, VISIT, visit.ticket)
    return answer


@router.get("/sign-in/return")
def come_back(
    request: Request, door: OpenDoor, code: str = "", state: str = "", error: str = ""
) -> Response:
    """Begin a session, and lead on by a page of ours, so that the browser sends its cookie."""
    stepping = request.cookies.get(STEP_UP, "")
    if code and stepping and Ticket(stepping).state == state:
        back = urlencode({"code": code, "state": state})
        return page(request, "provider.html", to=f"/step-up/return?{back}")
    ticket = "" if error else request.cookies.get(VISIT, "")
    try:
        begun = _begun(door, ticket, code, state, client_of(request))
    except NotSignedIn as refused:  # told at once: led to sign in, one would be led back here
        return form_to_sign_in(request, door, "/", error=refused)
    answer = page(request, "provider.html", to="/")
    answer.delete_cookie(VISIT, path="/", secure=True, httponly=True, samesite="lax")
    keep_session(answer, begun.token)
    return answer


def _begun(door: Door, ticket: str, code: str, state: str, client: str) -> SignInAnswer:
    if not (ticket and code):
        raise NotSignedIn(
            "BQC-WEB-005",
            _("the visit to single sign-on did not end with a sign-in"),
            hint=_("Begin again at the sign-in."),
        )
    sent = api.Returned(ticket=SecretStr(ticket), code=SecretStr(code), state=SecretStr(state))
    return api.come_back(door, sent, client)


@router.get("/step-up")
def ask(request: Request, call: Visit, record: str = "", meaning: str = "") -> Response:
    """What is proven by going there: this one signature."""
    the_provider(call.door.provider)
    return page(request, "step_up.html", record=record, meaning=meaning)


@router.post("/step-up")
def step_up(request: Request, call: Visit, form: OwnForm) -> Response:
    """Begin the visit that signs one record, and lead there."""
    sent = built(api.StepUp, {"record": form["record"], "meaning": form["meaning"]})
    visit = json.loads(bytes(api.step_up(keyed(call, form), sent).body))
    answer = page(request, "provider.html", to=visit["address"])
    keep_visit(answer, STEP_UP, visit["ticket"])
    return answer


@router.get("/step-up/return")
def stepped_up(request: Request, call: Visit, code: str, state: str) -> Response:
    """Hand in what the provider said; the signature is given in the window of its form."""
    sent = built(
        api.Returned, {"ticket": request.cookies.get(STEP_UP, ""), "code": code, "state": state}
    )
    proven = json.loads(bytes(api.stepped_up(call, sent).body))
    ends_at = datetime.fromisoformat(proven["ends_at"])
    return page(request, "stepped_up.html", ends_at=ends_at)
