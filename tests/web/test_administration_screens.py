"""Every screen of the audit trail, the administration, one's own account and the guide."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.databases import Databases
from tests.records.house import ADM, ANA, LOT
from tests.web.administration import HOOK, REPORT, SAMPLE, administration
from tests.web.browsing import Visitor
from tests.web.conftest import Served, Server
from tests.web.looking import look_at

_AT = "/administration"
SCREENS = {
    "audit trail": "/audit-trail?show=all",
    "entries of a lot": f"/audit-trail?record={LOT}&word=registered",
    "no entry": "/audit-trail?who=nobody",
    "a filter that there is not": "/audit-trail?since=yesterday",
    "entry": "/audit-trail/12",
    "no such entry": "/audit-trail/99999",
    "verification": "/audit-trail/verification",
    "samples": "/audit-trail/samples",
    "sample": f"/audit-trail/samples/{SAMPLE}",
    "drawing of a sample": "/audit-trail/samples/new",
    "review of a sample": f"/audit-trail/samples/{SAMPLE}/review",
    "overview": _AT,
    "accounts": f"{_AT}/accounts",
    "no account": f"{_AT}/accounts?text=nobody",
    "account": f"{_AT}/accounts/{ANA}?did=role",
    "own account as others see it": f"{_AT}/accounts/{ADM}",
    "grant": f"{_AT}/accounts/{ANA}/role",
    "deactivation": f"{_AT}/accounts/{ANA}/deactivation",
    "new account": f"{_AT}/new-account",
    "new laboratory": f"{_AT}/new-laboratory",
    "account reports": f"{_AT}/account-reports",
    "new report": f"{_AT}/account-reports/new",
    "account report": f"{_AT}/account-reports/{REPORT}",
    "review that only QA signs": f"{_AT}/account-reports/{REPORT}/review",
    "training": f"{_AT}/training",
    "instruments": f"{_AT}/instruments",
    "new training that only QA registers": f"{_AT}/training/new",
    "rules": f"{_AT}/rules",
    "password rule": f"{_AT}/rules/password",
    "keys": f"{_AT}/keys",
    "checkpoint": f"{_AT}/keys/checkpoint",
    "webhooks": f"{_AT}/webhooks",
    "webhook": f"{_AT}/webhooks/{HOOK}",
    "end of a webhook": f"{_AT}/webhooks/{HOOK}/end",
    "new webhook": f"{_AT}/new-webhook",
    "own account": "/account",
    "authenticator": "/account/authenticator",
    "its first code": "/account/authenticator/code",
    "its revocation": "/account/authenticator/revocation",
    "link": "/account/link",
    "end of a session": f"/account/sessions/{'0' * 64}/end",
    "end of all others": "/account/sessions/end",
    "guide": "/guide",
    "found in the guide": "/guide?text=checkpoint",
    "a page of the guide": "/guide/log",
    "a decision": "/guide/decisions/0030-pages",
}


@pytest.fixture(scope="module")
def served(
    databases: Databases,
    tmp_path_factory: pytest.TempPathFactory,
    server: Server,
    browser: Browser,
) -> Iterator[Served]:
    with administration(databases, tmp_path_factory, server, browser) as found:
        yield found


@pytest.fixture(scope="module")
def admin(served: Served) -> Iterator[Visitor]:
    with served.visitor(ADM) as visitor:
        yield visitor


@pytest.mark.parametrize("path", SCREENS.values(), ids=SCREENS.keys())
def test_a_screen_is_accessible_stays_in_its_window_and_does_not_move(admin: Visitor, path: str):
    look_at(admin, path)


def test_what_opens_over_a_page_is_accessible_too(admin: Visitor):
    admin.page.set_viewport_size({"width": 1440, "height": 1000})
    for scheme in ("light", "dark"):
        admin.page.emulate_media(color_scheme=scheme)
        admin.go(f"{_AT}/accounts/{ANA}")
        admin.link("Deactivate").click()
        expect(admin.heading(f"Deactivate {ANA}")).to_be_visible()
        assert admin.violations() == []
        admin.press("Deactivate the account")
        expect(admin.page.get_by_text("Not done.")).to_be_visible()
        assert admin.violations() == []
