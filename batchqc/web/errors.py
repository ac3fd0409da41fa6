"""Every error as a page: what happened, that nothing was done, what to do, and a reference.

Who is not signed in is led to the sign-in and back; whose session opens nothing but the change of
the password, or the enrolment of an authenticator, is led there. A form that was sent after the
session had ended, by a browser without script, comes back with what was typed.
"""

import logging
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from batchqc import clock
from batchqc.api.errors import status_of
from batchqc.api.logs import note_told
from batchqc.api.watching import note_refusal, request_id
from batchqc.errors import BatchqcError, InvalidInput, NotFound, NotSignedIn
from batchqc.web.calls import SIGN_IN, first_of_all, inside
from batchqc.web.rendering import page
from batchqc.web.security import COOKIE, check_origin, forget_session
from batchqc.web.wording import _

_LOG: Final = logging.getLogger("batchqc.web")
_UNFORESEEN: Final = "BQC-API-003"
_FORM: Final = "application/x-www-form-urlencoded"
#: Secrets, and what a form holds that nobody typed.
_KEPT_BACK: Final = frozenset(
    {"token", "key", "seen", "shown", "password", "code", "old", "new", "again", "data", "sha256"}
)


def handle_errors(pages: FastAPI) -> None:
    """Make every error of the pages a page."""
    pages.add_exception_handler(BatchqcError, _deliberate)
    pages.add_exception_handler(RequestValidationError, _invalid)
    pages.add_exception_handler(HTTPException, _of_http)
    pages.add_exception_handler(Exception, _unexpected)


async def _deliberate(request: Request, error: Exception) -> Response:
    if not isinstance(error, BatchqcError):
        raise error
    typed = await _typed(request) if isinstance(error, NotSignedIn) else {}
    return await run_in_threadpool(_answer, request, error, typed)


async def _typed(request: Request) -> dict[str, str]:
    """What was typed into a form of this site that nobody has read yet; no secret.

    A page with script keeps its form, and asks for the password over it.
    """
    is_form = request.headers.get("content-type", "").startswith(_FORM)
    if not is_form or request.method != "POST" or request.headers.get("hx-request") == "true":
        return {}
    try:
        check_origin(request.headers)
        sent = await request.form(max_files=0, max_fields=100)
    except (BatchqcError, HTTPException, RuntimeError):  # the last: somebody has read it
        return {}
    fields = {name: text for name, text in sent.items() if isinstance(text, str)}
    return {name: text for name, text in fields.items() if name not in _KEPT_BACK and text.strip()}


def _answer(request: Request, error: BatchqcError, typed: Mapping[str, str]) -> Response:
    if isinstance(error, NotSignedIn) and request.method in {"GET", "HEAD"}:
        return _to_sign_in(request)
    first = first_of_all(error.code)
    if first and request.url.path != first:
        return RedirectResponse(first, 303)
    return told(request, error, typed)


def told(request: Request, error: BatchqcError, typed: Mapping[str, str] | None = None) -> Response:
    """The page of an error, with what was ``typed`` into the form that it answers."""
    note_refusal(error.code)
    status, title = status_of(error)
    if status >= 500:
        _LOG.error("%s %s", error.code, error.message, exc_info=error)
    return page(
        request, "error.html", status=status, title=title, error=error, reference="", typed=typed
    )


def _to_sign_in(request: Request) -> Response:
    try:
        shown = urlsplit(request.headers.get("hx-current-url", ""))  # a part by itself is no page
    except ValueError:  # who says that they came from what is no address
        shown = urlsplit("")
    asked = shown if shown.path else request.url
    back = asked.path + (f"?{asked.query}" if asked.query else "")
    if _is_led_here(request):
        return page(request, "led_here.html", to=inside(back))
    where = SIGN_IN if back == "/" else f"{SIGN_IN}?next={quote(back, safe='/')}"
    if request.headers.get("hx-request") == "true":
        answer = Response(status_code=401, headers={"HX-Redirect": where})
    else:
        answer = RedirectResponse(where, 303)
    if COOKIE in request.cookies:
        forget_session(answer)
    return answer


def _is_led_here(request: Request) -> bool:
    """Whether a link of another site leads here: with it no browser sends who is signed in."""
    asks = (request.headers.get("sec-fetch-site"), request.headers.get("sec-fetch-mode"))
    return COOKIE not in request.cookies and asks == ("cross-site", "navigate")


def _invalid(request: Request, error: Exception) -> Response:
    """An address whose query is none of ours."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    reasons = tuple(f"{one['loc'][-1]}: {one['msg']}" for one in found)
    return told(
        request,
        InvalidInput(
            "BQC-API-001", _("the address does not fit"), reasons=reasons,
            hint=_("Go back to the list, and choose there."),
        ),
    )  # fmt: skip


def _of_http(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code != 404:
        answer = _plain(request, error)
        answer.headers.update(error.headers or {})
        return answer
    missing = NotFound(
        "BQC-WEB-003", _("there is no page at this address"),
        hint=_("Look at how it is written, or search for what you wanted."),
    )  # fmt: skip
    return told(request, missing)


def _plain(request: Request, error: HTTPException) -> Response:
    said = InvalidInput("BQC-API-002", str(error.detail), hint=_("Open the page again."))
    title = _("The request cannot be answered")
    return page(
        request, "error.html", status=error.status_code, title=title, error=said, reference=""
    )


def _unexpected(request: Request, error: Exception) -> Response:
    """What nobody foresaw: logged with a reference that the page names, that of the request."""
    reference = request_id() or clock.new_token()[:16]
    _LOG.exception("unexpected, reference %s", reference, exc_info=error)
    note_told(error)
    note_refusal(_UNFORESEEN)
    said = InvalidInput(
        _UNFORESEEN, _("this was not answered, and whether it was done is not known"),
        hint=_("Look at the record first, and tell the system owner the reference."),
    )  # fmt: skip
    title = _("Something unforeseen happened")
    return page(request, "error.html", status=500, title=title, error=said, reference=reference)
