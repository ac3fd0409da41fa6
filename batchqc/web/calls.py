"""Who asks for a page: the same call as at the API, by the session in the cookie.

A form is read before it is acted on: it comes from a page of this server, of this session, and
holds nothing that no record could.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Depends, Request

from batchqc.api.doors import Call, OpenDoor, call_by
from batchqc.api.sent import is_text
from batchqc.errors import InvalidInput, NotSignedIn
from batchqc.web.security import COOKIE, check_form, check_origin

SIGN_IN: Final = "/sign-in"
STEP_UP: Final = "__Host-batchqc-step-up"
"""The cookie with the ticket of a visit to single sign-on that signs one record."""
_LONGEST_KEY: Final = 80
#: Where a person goes whose session opens nothing else, by the code of the refusal.
_FIRST: Final = {
    "BQC-ACC-003": "/password",
    "BQC-ACC-021": "/password",
    "BQC-ACC-047": "/account/authenticator",
}


@dataclass(frozen=True, slots=True)
class Form:
    """What was typed into a form, by the name of its field; a field that is missing is blank."""

    fields: Mapping[str, str]
    step_up: str = ""
    """The ticket with which the person proved at single sign-on that they sign, if they did."""

    def __getitem__(self, name: str) -> str:
        """What was typed, without blanks around it."""
        return self.fields.get(name, "").strip()

    def secret(self, name: str) -> str:
        """What was typed, as it was typed."""
        return self.fields.get(name, "")


def visit(request: Request, door: OpenDoor) -> Call:
    """The call of who is signed in.

    Raises:
        NotSignedIn: nobody is.
    """
    token = request.cookies.get(COOKIE)
    if not token:
        raise NotSignedIn("BQC-ACC-001", "you are not signed in", hint="Sign in (again).")
    call = call_by(request, door, token)
    request.state.call = call  # so that an error is told within the frame
    return call


async def _form(request: Request) -> Form:
    check_origin(request.headers)
    sent = await request.form(max_files=0, max_fields=100)
    fields = {name: value for name, value in sent.items() if isinstance(value, str)}
    if not all(is_text(one) for pair in fields.items() for one in pair):
        raise InvalidInput("BQC-API-008", "the form holds U+0000")
    return Form(fields, request.cookies.get(STEP_UP, ""))


Visit = Annotated[Call, Depends(visit)]
AnyForm = Annotated[Form, Depends(_form)]
"""A form of somebody who need not be signed in."""


def _own_form(call: Visit, form: AnyForm) -> Form:
    check_form(call.token, form["token"])
    return form


OwnForm = Annotated[Form, Depends(_own_form)]
"""A form of the session that the cookie names."""


def keyed(call: Call, form: Form) -> Call:
    """The call with the form's own key, so that what is sent twice is done once.

    Raises:
        InvalidInput: the key is longer than those of the API.
    """
    if len(form["key"]) > _LONGEST_KEY:
        raise InvalidInput("BQC-API-001", "the key of the form is none of this server")
    return replace(call, key=form["key"] or None, if_match=form["seen"] or None)


def first_of_all(code: str) -> str:
    """The page that a refusal leads to, where something is to be done before all else; else ""."""
    return _FIRST.get(code, "")


def inside(path: str) -> str:
    """A path of this server to go on to, or the first page where it is none."""
    is_path = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return quote(path, safe="/?&=%+:,;@-._~") if is_path else "/"
