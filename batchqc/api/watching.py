"""What is known of a request while it is answered: for its line in the log and its counters.

A line holds the method, the template of the route, the status and how long it took; who asked, by
their user id; the code of a refusal. It holds no address as it was typed, no header and no body:
so no password, token, code, signature, or what a query says. Whoever answers adds to it from
within the request, in whichever thread.
"""

import logging
from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from batchqc import clock

HEADER: Final = "X-Request-ID"
_LOG: Final = logging.getLogger("batchqc.requests")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: Asked every few seconds by machines: a line only where the answer is no.
_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})


@dataclass(slots=True)
class Seen:
    """One request. ``id`` is new for each; what is blank is not known, or was not so."""

    id: str = ""
    method: str = ""
    route: str = ""
    status: int = 500
    seconds: float = 0
    account: str = ""
    refusal: str = ""


_SEEN: Final[ContextVar[Seen | None]] = ContextVar("seen", default=None)


def request_id() -> str:
    """The id of the request that is answered, or "" outside of one."""
    seen = _SEEN.get()
    return seen.id if seen else ""


def note_account(user_id: str) -> None:
    """Who asks, once they have proved it."""
    if seen := _SEEN.get():
        seen.account = user_id


def note_refusal(code: str) -> None:
    """With which error the request is answered."""
    if seen := _SEEN.get():
        seen.refusal = code


class Watched:
    """Gives each request its id, and tells of it once it is answered."""

    def __init__(self, app: ASGIApp, *tell: Callable[[Seen], None]) -> None:
        """Wrap ``app``; each of ``tell`` is told of every request."""
        self._app, self._tell = app, (log, *tell)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as ``app`` does, with the id in a header."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seen = Seen(clock.new_token()[:16])
        began, reset = perf_counter(), _SEEN.set(seen)

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
                MutableHeaders(scope=message)[HEADER] = seen.id
            await send(message)

        try:
            await self._app(scope, receive, answered)
        finally:
            seen.method = scope["method"] if scope["method"] in _METHODS else "other"
            seen.route = _route(scope)
            seen.seconds = perf_counter() - began
            for tell in self._tell:
                tell(seen)
            _SEEN.reset(reset)


def log(seen: Seen) -> None:
    """One line of the log."""
    if seen.route in _QUIET and seen.status < 400:
        return
    fields = {
        "method": seen.method,
        "route": seen.route,
        "status": seen.status,
        "ms": round(seen.seconds * 1000, 1),
        "account": seen.account,
        "refusal": seen.refusal,
    }
    level = logging.ERROR if seen.status >= 500 else logging.INFO
    text = "%(method)s %(route)s %(status)s in %(ms)s ms"
    _LOG.log(level, text, fields, extra={"fields": {k: v for k, v in fields.items() if v != ""}})


def _route(scope: MutableMapping[str, Any]) -> str:
    """The template of the route, never the address."""
    return str(getattr(scope.get("route"), "path", "")) or "unmatched"
