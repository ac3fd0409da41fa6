"""What every answer of the pages says to the browser, and how a form proves where it comes from.

A form counts when the browser says that it was sent by a page of this server, and when it carries
the token of the session that the cookie names. Whoever says nothing of where a form comes from is
refused.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from fastapi import Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from batchqc.errors import NotPermitted

COOKIE: Final = "__Host-batchqc"
"""The session. ``__Host-``: of this host alone, over HTTPS or loopback, for every path."""
CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none';"
    " object-src 'none'"
)
DATA_POLICY: Final = (
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Of what is no page, such as the answers of the API."""
_HEADERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with none at all, a form would not say where it is from
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
}
_PURPOSE: Final = b"batchqc/form/1"


class SecurityHeaders:
    """Adds the headers; what says nothing else of caching is not stored."""

    def __init__(self, app: ASGIApp, policy: str = CONTENT_POLICY) -> None:
        """Wrap ``app``; ``policy`` is of answers that have none of their own."""
        self._app, self._policy = app, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add them to the start of each answer."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Content-Security-Policy", self._policy)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)


def form_token(session: str) -> str:
    """The token that a form of a session carries; it tells nothing of the session's own."""
    return hmac.new(session.encode(), _PURPOSE, hashlib.sha256).hexdigest()


def check_origin(headers: Mapping[str, str]) -> None:
    """Refuse a form that another site's page sent, or that says nothing of who sent it.

    Raises:
        NotPermitted: it did.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    from_here = origin is not None and urlsplit(origin).netloc == headers.get("host")
    if not (from_here if site is None else site == "same-origin" and (from_here or not origin)):
        raise _foreign("this form was not sent by a page of this server")


def check_form(session: str, token: str) -> None:
    """Refuse a form that does not carry the token of its session.

    Raises:
        NotPermitted: it does not.
    """
    if not hmac.compare_digest(form_token(session).encode(), token.encode()):
        raise _foreign("this form is of another session, or of none")


def keep_session(answer: Response, token: str) -> None:
    """Give the browser a new session, for as long as it is open."""
    answer.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="strict")


def forget_session(answer: Response) -> None:
    """Take the session away."""
    answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")


def forget_pages(answer: Response) -> None:
    """Have the browser drop what it holds of pages, such as those that Back would show.

    Its storage stays: whether somebody uses the keys of the pages is kept there, and nothing else.
    """
    answer.headers["Clear-Site-Data"] = '"cache"'


def _foreign(said: str) -> NotPermitted:
    return NotPermitted(
        "BQC-WEB-001", said, hint="Nothing was done. Open the page again here, and send it anew."
    )
