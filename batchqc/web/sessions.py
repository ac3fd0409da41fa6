"""Signing in and out, and the lock of a page that nobody works at.

A page that locks itself ends its session at once, on the server; what was typed stays in the page.
Who unlocks it begins a new session, as the same person.
"""

from typing import Annotated

from fastapi import Depends, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import SecretStr

from batchqc.api import session as api
from batchqc.api.doors import Door, OpenDoor, call_by
from batchqc.api.idle import who_asks
from batchqc.api.routes import Routes
from batchqc.api.uses import client_of
from batchqc.errors import BatchqcError, NotSignedIn
from batchqc.records.components import has_authenticators
from batchqc.records.transaction import reading
from batchqc.web.calls import AnyForm, Form, OwnForm, Visit, inside
from batchqc.web.errors import told
from batchqc.web.rendering import page
from batchqc.web.security import (
    COOKIE,
    check_form,
    forget_pages,
    forget_session,
    form_token,
    keep_session,
)
from batchqc.web.wording import _

router = Routes()


@router.get("/sign-in")
def ask(
    request: Request, door: OpenDoor, next_page: Annotated[str, Query(alias="next")] = "/"
) -> Response:
    """The form to sign in."""
    return form_to_sign_in(request, door, next_page)


@router.post("/sign-in")
def sign_in(request: Request, door: OpenDoor, form: AnyForm) -> Response:
    """Begin a session under a new token, and end the one that this browser had."""
    try:
        token = _begin(door, form, client_of(request)).token
    except BatchqcError as error:
        return form_to_sign_in(request, door, form["next"], form, error)
    end_own(request, door)
    answer = RedirectResponse(inside(form["next"]), 303)
    keep_session(answer, token)
    return answer


@router.post("/sign-out")
def sign_out(call: Visit, form: OwnForm) -> Response:
    """End the session at once."""
    del form  # it is of this session
    api.end(call)
    answer = RedirectResponse("/sign-in", 303)
    forget_session(answer)
    forget_pages(answer)
    return answer


@router.post("/lock")
def lock(call: Visit, form: OwnForm) -> Response:
    """End the session of a page that nobody works at; the page keeps what was typed."""
    del form
    api.end(call)
    answer = JSONResponse({})
    forget_session(answer)
    return answer


def _used(request: Request, door: OpenDoor) -> str:
    """The token of a session, which this uses; nothing that an auditor asks for is behind it."""
    token = request.cookies.get(COOKIE, "")
    who_asks(door, token, client=client_of(request))
    return token


@router.post("/alive")
def alive(token: Annotated[str, Depends(_used)], form: AnyForm) -> Response:
    """Somebody works at a page that asks for nothing: their session is in use."""
    check_form(token, form["token"])
    return JSONResponse({})


@router.post("/unlock")
def unlock(request: Request, door: OpenDoor, form: AnyForm) -> Response:
    """Begin a new session, for the page to go on with."""
    try:
        begun = _begin(door, form, client_of(request))
    except BatchqcError as error:
        return JSONResponse({"message": f"{error.message}. {error.hint}"}, 401)
    end_own(request, door)
    left = int((begun.ends_at - door.now()).total_seconds())
    answer = JSONResponse({"token": form_token(begun.token), "left": left})
    keep_session(answer, begun.token)
    return answer


def _begin(door: Door, form: Form, client: str) -> api.SignInAnswer:
    user_id, password = form["user_id"], form.secret("password")
    if not user_id or not password:
        raise NotSignedIn(
            "BQC-WEB-004", _("user id and password are both needed"), hint=_("Type both.")
        )
    sent = api.SignInRequest(
        user_id=user_id, password=SecretStr(password), code=SecretStr(form["code"].replace(" ", ""))
    )
    return api.begin(door, sent, client)


def end_own(request: Request, door: Door) -> None:
    """End the session that the browser had, if it is one."""
    token = request.cookies.get(COOKIE)
    if token:
        try:
            api.end(call_by(request, door, token))
        except BatchqcError:
            return  # it was over


def form_to_sign_in(
    request: Request,
    door: Door,
    next_page: str,
    form: Form | None = None,
    error: BatchqcError | None = None,
) -> Response:
    """The form, with why nobody was signed in."""
    if error is not None and not isinstance(error, NotSignedIn):
        return told(request, error)
    with reading(door.engine) as session:
        asks_code = has_authenticators(session)
    return page(
        request,
        "sign_in.html",
        status=401 if error else 200,
        next=inside(next_page),
        user_id=form["user_id"] if form else "",
        error=error,
        has_provider=door.provider is not None,
        asks_code=asks_code,
    )
