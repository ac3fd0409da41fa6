"""The pages: every screen, one after the other. They are loaded for the first of them."""

from typing import Final

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from batchqc import __version__
from batchqc.api.bodies import LivelyBodies, SmallBodies
from batchqc.api.routes import serve
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
    investigation_new,
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
from batchqc.web.waiting import WaitingFiles

#: Forms with a file; each of them counts what it is sent.
_FILES: Final = frozenset(
    {"/uploads/new", "/verify", investigation_documents.PATH, typed.DOCUMENTS}
)
SCREENS: Final = (  # of two addresses that fit, the first counts: `/lots/new` before `/lots/{lot}`
    static_files, sessions, provider, passwords, own_account, home, work, palette,
    lots, new_lots, decisions, genealogy, doses, holds, annex16, certifications, lot,
    upload_new, uploads, typed_new, typed, second_entries,
    review_list, reviews, review_signing, corrections, correction_decisions,
    investigations, investigation_patterns, investigation_documents, investigation,
    investigation_acts, investigation_new, deviations, system_stops,
    trends, trend_figures, trend_charts, trend_limits, trend_phases, quality_reviews,
    specifications, specification, specification_impact, controlled_new, controlled_acts,
    controlled_pages,
    donor_acts, determinations, donors, bank_acts, banks, look_back_acts, look_backs,
    products,
    certificate_list, certificate, certificate_acts, certificate_status, verify, exports, archive,
    archive_acts,
    audit_trail, trail_samples, trail_entry, administration, accounts, account_acts, new_accounts,
    account_reviews, rules, site_keys, webhooks, register_acts, registers, guide, jobs,
)  # fmt: skip


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
    # Level 3 takes a third of the time of level 6, and a tenth more bytes.
    pages.add_middleware(GZipMiddleware, minimum_size=500, compresslevel=3)
    handle_errors(pages)
    serve(pages, (screen.router for screen in SCREENS))
    return pages
