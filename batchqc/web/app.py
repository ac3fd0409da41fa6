"""The application of ``batchqc serve``: the API under ``/api/``, and pages everywhere else.

The pages are loaded for the first who asks for one: what only takes data, by programs, starts
sooner and holds less.
"""

import gc
from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import Final

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from batchqc import clock
from batchqc.api.app import create_app
from batchqc.api.watching import Watched
from batchqc.settings import Settings
from batchqc.web.security import DATA_POLICY, SecurityHeaders

_API: Final = "/api/"
_FOR_MACHINES: Final = frozenset({"/healthz", "/readyz", "/metrics"})


class Application:
    """Both applications behind one address; they share the installation that they serve."""

    def __init__(self, api: FastAPI, pages: Callable[[], ASGIApp]) -> None:
        """Serve ``api``, and what ``pages`` makes when somebody asks for one."""
        self.api = api
        self._pages = SecurityHeaders(_Late(pages))  # outside of all, so that errors have them too
        self._data = SecurityHeaders(api, DATA_POLICY)
        self._both = Watched(self._handed, api.state.metrics.count)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, under an id of its own."""
        await self._both(scope, receive, send)

    async def _handed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to the one that it is for; the API has the lifespan."""
        is_data = scope["type"] != "http" or scope["path"].startswith(_API)
        is_data = is_data or scope["path"] in _FOR_MACHINES
        await (self._data if is_data else self._pages)(scope, receive, send)


class _Late:
    """An application that is made by the first request of it; others are answered meanwhile."""

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._made: ASGIApp | None = None
        self._making = Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        made = self._made if self._made is not None else await run_in_threadpool(self._once)
        await made(scope, receive, send)

    def _once(self) -> ASGIApp:
        with self._making:
            if self._made is None:
                self._made = self._make()
                if gc.get_freeze_count():  # as all that the server loaded at its start
                    gc.freeze()
        return self._made


def create_application(
    settings: Settings, *, now: Callable[[], datetime] = clock.now
) -> Application:
    """The API and the pages over the installation that ``settings`` describe."""
    api = create_app(settings, now=now)
    return Application(api, lambda: _pages_of(api))


def _pages_of(api: FastAPI) -> FastAPI:
    from batchqc.web.screens import create_pages  # noqa: PLC0415 - see the docstring above

    return create_pages(api)
