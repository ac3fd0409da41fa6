"""The application of ``batchqc serve``: the API under ``/api/``, and pages everywhere else."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from batchqc import __version__, clock
from batchqc.api.app import create_app
from batchqc.api.bodies import SmallBodies
from batchqc.settings import Settings
from batchqc.web import (
    decisions,
    genealogy,
    home,
    lot,
    lots,
    palette,
    passwords,
    provider,
    sessions,
    static_files,
)
from batchqc.web.errors import handle_errors
from batchqc.web.security import SecurityHeaders

_API: Final = "/api/"
_SCREENS: Final = (
    static_files, sessions, provider, passwords, home, palette, lots, decisions, genealogy, lot,
)  # fmt: skip


class Application:
    """Both applications behind one address; they share the installation that they serve."""

    def __init__(self, api: FastAPI, pages: ASGIApp) -> None:
        """Serve ``api`` and ``pages``."""
        self.api = api
        self._pages = SecurityHeaders(pages)  # outside of all, so that errors have them too

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to the one that it is for; the API has the lifespan."""
        is_page = scope["type"] == "http" and not scope["path"].startswith(_API)
        await (self._pages if is_page else self.api)(scope, receive, send)


def create_application(
    settings: Settings, *, now: Callable[[], datetime] = clock.now
) -> Application:
    """The API and the pages over the installation that ``settings`` describe."""
    api = create_app(settings, now=now)
    return Application(api, create_pages(api))


def create_pages(api: FastAPI) -> FastAPI:
    """The pages over the installation that ``api`` serves."""
    pages = FastAPI(
        title="batchqc", version=__version__, openapi_url=None, docs_url=None, redoc_url=None,
        redirect_slashes=False,
    )  # fmt: skip
    pages.state = api.state  # one door, whichever way people come in
    pages.add_middleware(SmallBodies, but=frozenset())
    pages.add_middleware(GZipMiddleware, minimum_size=500, compresslevel=6)
    handle_errors(pages)
    for screen in _SCREENS:
        pages.include_router(screen.router)
    return pages
