"""The application of ``batchqc serve``: the API under ``/api/``, and pages everywhere else."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from batchqc import __version__, clock
from batchqc.api.app import create_app
from batchqc.api.bodies import LivelyBodies, SmallBodies
from batchqc.api.routes import serve
from batchqc.api.watching import Watched
from batchqc.settings import Settings
from batchqc.web import (
    account_acts,
    account_reviews,
    accounts,
    administration,
    annex16,
    archive,
    archive_acts,
    audit_trail,
    bank_acts,
    banks,
    certificate,
    certificate_acts,
    certificate_list,
    certificate_status,
    certifications,
    controlled_acts,
    controlled_new,
    controlled_pages,
    correction_decisions,
    corrections,
    decisions,
    determinations,
    deviations,
    donor_acts,
    donors,
    doses,
    exports,
    genealogy,
    guide,
    holds,
    home,
    investigation,
    investigation_acts,
    investigation_documents,
    investigation_patterns,
    investigations,
    jobs,
    look_back_acts,
    look_backs,
    lot,
    lots,
    new_accounts,
    new_lots,
    own_account,
    palette,
    passwords,
    products,
    provider,
    quality_reviews,
    register_acts,
    registers,
    review_list,
    review_signing,
    reviews,
    rules,
    second_entries,
    sessions,
    site_keys,
    specification,
    specification_impact,
    specifications,
    static_files,
    system_stops,
    trail_entry,
    trail_samples,
    trend_charts,
    trend_figures,
    trend_limits,
    trend_phases,
    trends,
    typed,
    typed_new,
    upload_new,
    uploads,
    verify,
    webhooks,
    work,
)
from batchqc.web.errors import handle_errors
from batchqc.web.security import DATA_POLICY, SecurityHeaders
from batchqc.web.waiting import WaitingFiles

_API: Final = "/api/"
_FOR_MACHINES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
#: Forms with a file; each of them counts what it is sent.
_FILES: Final = frozenset(
    {"/uploads/new", "/verify", investigation_documents.PATH, typed.DOCUMENTS}
)
_SCREENS: Final = (  # of two addresses that fit, the first counts: `/lots/new` before `/lots/{lot}`
    static_files, sessions, provider, passwords, own_account, home, work, palette,
    lots, new_lots, decisions, genealogy, doses, holds, annex16, certifications, lot,
    upload_new, uploads, typed_new, typed, second_entries,
    review_list, reviews, review_signing, corrections, correction_decisions,
    investigations, investigation_patterns, investigation_documents, investigation,
    investigation_acts, deviations, system_stops,
    trends, trend_figures, trend_charts, trend_limits, trend_phases, quality_reviews,
    specifications, specification, specification_impact, controlled_new, controlled_pages,
    controlled_acts,
    donor_acts, determinations, donors, bank_acts, banks, look_back_acts, look_backs,
    products,
    certificate_list, certificate, certificate_acts, certificate_status, verify, exports, archive,
    archive_acts,
    audit_trail, trail_samples, trail_entry, administration, accounts, account_acts, new_accounts,
    account_reviews, rules, site_keys, webhooks, register_acts, registers, guide, jobs,
)  # fmt: skip


class Application:
    """Both applications behind one address; they share the installation that they serve."""

    def __init__(self, api: FastAPI, pages: ASGIApp) -> None:
        """Serve ``api`` and ``pages``."""
        self.api = api
        self._pages = SecurityHeaders(pages)  # outside of all, so that errors have them too
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
    pages.state.waiting = WaitingFiles(api.state.door.settings.waiting)
    pages.add_middleware(SmallBodies, but=_FILES)
    pages.add_middleware(LivelyBodies)
    pages.add_middleware(GZipMiddleware, minimum_size=500, compresslevel=6)
    handle_errors(pages)
    serve(pages, (screen.router for screen in _SCREENS))
    return pages
