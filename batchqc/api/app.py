"""The application: ``/api/v1``, described by itself under ``/api/v1/docs``."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI

from batchqc import __version__, clock
from batchqc.actions.certificates import Press
from batchqc.actions.own_store import check_of
from batchqc.api import (
    account_reports,
    accounts,
    annex16,
    archive,
    audit,
    authenticators,
    certificate_copies,
    certificate_data,
    certificates,
    containers,
    corrections,
    decisions,
    description,
    deviations,
    donor_panels,
    donors,
    entries,
    events,
    exports,
    genealogy,
    health,
    holds,
    investigation_documents,
    investigation_opening,
    investigations,
    jobs,
    laboratory,
    layouts,
    links,
    log,
    look_backs,
    lot_form,
    lots,
    methods,
    metrics,
    open_work,
    people,
    potency,
    profiles,
    quality_reviews,
    registers,
    renditions,
    results,
    review_series,
    reviews,
    session,
    sessions,
    shipments,
    single_sign_on,
    specification_tools,
    specifications,
    status_page,
    system_stops,
    tracing,
    trail_samples,
    trend_figures,
    trend_limits,
    trends,
    upload_files,
    uploads,
    verification,
)
from batchqc.api.bodies import LivelyBodies, SmallBodies
from batchqc.api.doors import Door
from batchqc.api.errors import handle_errors
from batchqc.api.provider import provider_of
from batchqc.api.routes import PREFIX, serve
from batchqc.documents.log_key import load_log_key
from batchqc.documents.stores import open_archive
from batchqc.errors import SigningUnavailable
from batchqc.records.database import open_database
from batchqc.settings import Settings, bundled

if TYPE_CHECKING:
    from batchqc.documents.pades import SealKey

_FILES: Final = frozenset(
    f"{PREFIX}/{path}"
    for path in (
        "uploads",
        "profiles",
        "layouts",
        "specifications",
        "specifications/lint",
        "results/attachments",
        "methods",
        "laboratory-certificates",
        "investigations/documents",
        "donor-panels",
        "verification",
    )
)
_NOUNS: Final = (
    session, sessions, single_sign_on, authenticators, people, accounts, links, account_reports,
    registers, donors, donor_panels, laboratory, specifications, specification_tools, methods,
    lots, results, reviews, review_series, decisions, annex16, holds, investigation_documents,
    investigation_opening, investigations, deviations, genealogy, containers, shipments, look_backs,
    profiles, upload_files, uploads, entries, corrections, certificates, certificate_data,
    description, audit, trail_samples, tracing, trends, trend_limits, trend_figures, potency,
    quality_reviews, events, open_work, system_stops, lot_form, log, certificate_copies, archive,
    exports, jobs, layouts, renditions, verification,
    status_page,  # short, for codes on paper
    health, metrics,  # where machines look for them
)  # fmt: skip


def create_app(settings: Settings, *, now: Callable[[], datetime] = clock.now) -> FastAPI:
    """The application over the installation that ``settings`` describe."""
    app = FastAPI(
        title="batchqc",
        summary="Batch release QC for cell therapy products",
        description="From assay CSV to a certificate of analysis that anyone can verify. Sign in"
        " with POST /session, then send the token as a bearer. Everything that is signed carries"
        " both components anew. Errors are application/problem+json with a stable code.",
        version=__version__,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # description.py: no viewer from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # one address for one thing
        lifespan=_closed_at_the_end,
    )
    app.state.door = open_door(settings, now=now)
    app.state.metrics = metrics.Metrics()
    app.add_middleware(SmallBodies, but=_FILES)
    app.add_middleware(LivelyBodies)
    handle_errors(app)
    serve(app, (noun.router for noun in _NOUNS))
    return app


def open_door(settings: Settings, *, now: Callable[[], datetime] = clock.now) -> Door:
    """The installation that ``settings`` describe, as an application works with it."""
    engine = open_database(
        settings.database,
        component_key=settings.component_key,
        code_drift=settings.code_drift,
    )
    return Door(
        settings,
        engine,
        open_archive(
            settings.store,
            endpoint=settings.store_endpoint,
            region=settings.store_region,
            check=check_of(engine),
        ),
        Press(
            bundled("reports") / "fonts",
            cache(lambda: _seal_key(settings)),
            lambda: load_log_key(settings.log_key),  # read anew: it may be rolled over
            settings.sealing,
        ),
        now,
        provider_of(settings),
    )


@asynccontextmanager
async def _closed_at_the_end(app: FastAPI) -> AsyncIterator[None]:
    """Close the connections to the database that nobody uses any more."""
    yield
    app.state.door.engine.dispose()


def _seal_key(settings: Settings) -> "SealKey":
    from batchqc.documents.pades import open_seal  # noqa: PLC0415 - a second, at the first seal

    if settings.seal_passphrase is None:
        raise SigningUnavailable(
            "BQC-CRT-032",
            "the passphrase of the seal key is not set",
            hint="Set BATCHQC_SEAL_PASSPHRASE, then POST /certificates/{number}/issue.",
        )
    passphrase = settings.seal_passphrase.get_secret_value()
    return open_seal(settings.seal, passphrase, settings.token)
