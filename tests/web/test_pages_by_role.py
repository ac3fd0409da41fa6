"""What every role gets at every address of the pages: an answer, and no more than at the API.

What a form does is held against ``role_matrix.toml`` of the API, which is written by hand. Each
page is asked for by one role in turn, and by all of them in ``make long``.
"""

import asyncio
import re
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.routing import Route

from batchqc.actions.views import VIEWED
from batchqc.api.app import open_door
from batchqc.core.permissions import Role
from batchqc.documents.archive import FolderArchive
from batchqc.documents.pki import PkiFiles
from batchqc.records.audit import the_head
from batchqc.records.audit_search import entries_after
from batchqc.settings import Settings
from batchqc.web.app import Application
from batchqc.web.screens import SCREENS, create_pages
from batchqc.web.security import COOKIE, form_token
from tests.api.conftest import (  # noqa: F401 - fixtures
    SEAL_PASSPHRASE,
    application,
    log_key,
    seal,
)
from tests.cast import NOW
from tests.compliance.test_permissions_of_routes import HOLDERS, MATRIX, SHORT, enter, register
from tests.databases import Databases
from tests.kinds import SQLITE
from tests.records.full_house import full_copy
from tests.records.house import PASSWORD, Clock, House, terms
from tests.tiers import LONG

#: What is asked for by nobody in particular; everything else leads to the sign-in.
OPEN: Final = {
    "/static/{version}/{name:path}", "/favicon.ico", "/sign-in", "/sign-in/return",
    "/status/{number}", "/verify", "/verify/verifier.py", "/guide", "/guide/{name:path}",
}  # fmt: skip
#: Forms of one's own, which every role may send, and those of who is not signed in.
OWN: Final = {
    "/sign-out", "/lock", "/alive", "/step-up", "/password", "/accountability",
    "/account/authenticator", "/account/authenticator/code", "/account/authenticator/revocation",
    "/account/link",
    "/account/sessions/end", "/account/sessions/{sha256}/end",
    "/audit-trail/verification",
}  # fmt: skip
STRANGERS: Final = {"/sign-in", "/unlock", "/sign-in/provider", "/verify"}
#: Where a form is sent to, and the line of the matrix that says who may.
FORMS: Final = {
    "/lots/new": "POST /lots",
    "/lots/{lot}/samples/new": "POST /lots/{lot}/samples",
    "/lots/{lot}/decision/release": "POST /lots/{lot}/disposition",
    "/lots/{lot}/decision/recall": "POST /lots/{lot}/disposition recalled",
    "/lots/{lot}/hold": "POST /lots/{lot}/holds",
    "/lots/{lot}/hold/1/end": "POST /lots/{lot}/holds/{hold}/end",
    "/uploads/new": "POST /uploads",
    "/uploads/preview/{key}": "POST /uploads",
    "/manual/new": "POST /results/manual",
    "/manual/documents": "POST /results/attachments",
    "/lots/{lot}/annex16/check": "POST /lots/{lot}/annex16/check",
    "/lots/{lot}/annex16/transfer": "POST /lots/{lot}/annex16/transfer",
    "/second-entries/{number}": "POST /results/manual/{number}/verification",
    "/lots/{lot}/review/runs": "POST /lots/{lot}/review",
    "/lots/{lot}/review/lot": "POST /lots/{lot}/qc-review",
    "/lots/{lot}/review/trail": "POST /lots/{lot}/audit-review",
    "/corrections/new": "POST /corrections",
    "/corrections/C-2026-000001/decision/approve": "POST /corrections/{number}/decision",
    "/lots/{lot}/investigation": "POST /investigations",
    "/investigations/documents": "POST /investigations/documents",
    "/investigations/{number}/phase-one": "POST /investigations/{number}/phase-one",
    "/investigations/{number}/review": "POST /investigations/{number}/phase-one/review",
    "/investigations/{number}/plan": "POST /investigations/{number}/plan",
    "/investigations/{number}/conclusion": "POST /investigations/{number}/conclusion",
    "/investigations/{number}/reopening": "POST /investigations/{number}/reopening",
    "/investigations/{number}/due-date": "POST /investigations/{number}/due-date",
    "/deviations": "POST /deviations",
    "/system-stops": "POST /system-stops",
    "/system-stops/1/end": "POST /system-stops/{stop}/end",
    "/system-stops/1/withdrawal": "POST /system-stops/{stop}/withdrawal",
    "/trends/{product}/{criterion}/limits/new": "POST /trends/{product}/{criterion}/limits",
    "/trends/{product}/{criterion}/limits/1/approval":
        "POST /trends/{product}/{criterion}/limits/{version}/approval",
    "/trends/{product}/{criterion}/phases/new": "POST /trends/{product}/{criterion}/phases",
    "/quality-reviews/new": "POST /jobs/quality-reviews",
    "/quality-reviews/QR-2026-000001/reading": "POST /quality-reviews/{number}/reading",
    "/specifications/{specification}/1/impact": "POST /jobs/impact-reports",
    "/specifications/new": "POST /specifications",
    "/specifications": "POST /specifications",
    "/methods": "POST /methods",
    "/layouts": "POST /layouts",
    "/profiles": "POST /profiles",
    "/specifications/{specification}/1/approval":
        "POST /specifications/{specification}/{version}/approval",
    "/specifications/{specification}/1/withdrawal":
        "POST /specifications/{specification}/{version}/withdrawal",
    "/specifications/{specification}/1/submission":
        "POST /specifications/{specification}/{version}/submission",
    "/donors/new": "POST /donors",
    "/donors/{code}/donations/new": "POST /donors/{code}/donations",
    "/donors/{code}/donations/{donation}/tests/new":
        "POST /donors/{code}/donations/{donation}/tests",
    "/donors/{code}/consents/new": "POST /donors/{code}/consents",
    "/donors/{code}/withdrawal": "POST /donors/{code}/consent-withdrawal",
    "/donors/{code}/eligibility": "POST /donors/{code}/eligibility",
    "/banks/new": "POST /cell-banks",
    "/banks/{bank}/status": "POST /cell-banks/{bank}/status",
    "/banks/{bank}/passages/new": "POST /passages",
    "/look-backs/new": "POST /look-backs",
    "/look-backs/LB-2026-000001/closing": "POST /look-backs/{number}/closing",
    "/products/new": "POST /products",
    "/certificates/COA-2026-000001/make/issue": "POST /certificates/{number}/issue",
    "/certificates/COA-2026-000001/make/copy": "POST /certificates/{number}/copies",
    "/certificates/COA-2026-000001/make/rendition": "POST /certificates/{number}/renditions",
    "/exports/new": "POST /jobs/bundles",
    "/jobs/JOB-2026-000001/retry": "POST /jobs/{number}/retry",
    "/jobs/JOB-2026-000001/closing": "POST /jobs/{number}/closing",
    "/archive/sign/hold": "POST /archive/holds",
    "/archive/sign/rule": "POST /archive/retention-rules",
    "/administration/accounts/ben/role": "POST /people/{user_id}/roles",
    "/administration/accounts/ben/deactivation": "POST /people/{user_id}/deactivation",
    "/administration/accounts/ben/password": "POST /people/{user_id}/password-reset",
    "/administration/new-account": "POST /people",
    "/administration/new-laboratory": "POST /laboratories",
    "/administration/account-reports/new": "POST /account-reports",
    "/administration/account-reports/AR-2026-000001/review":
        "POST /account-reports/{number}/review",
    "/audit-trail/samples/new": "POST /audit-samples",
    "/audit-trail/samples/TS-2026-000001/review": "POST /audit-samples/{number}/review",
    "/administration/rules/signing": "POST /signing-rule",
    "/administration/rules/password": "POST /password-rule",
    "/administration/keys/checkpoint": "POST /log/checkpoints",
    "/administration/new-webhook": "POST /webhooks",
    "/administration/webhooks/{name}/end": "POST /webhooks/{name}/end",
    "/administration/instruments/new": "POST /instruments",
    "/administration/training/new": "POST /training",
    "/administration/materials/new": "POST /materials",
}  # fmt: skip
PLACES: Final = {
    "lot": "MSC-26-0012", "number": "OOS-2026-000001", "product": "UC-MSC", "criterion": "cd73",
    "specification": "UC-MSC-REL", "code": "DNR-UC-03", "donation": "GIFT-UC-01",
    "bank": "MCB-UC-01", "name": "warehouse", "key": "0" * 64, "kind": "methods", "version": "1",
    "act": "review", "sequence": "12", "user_id": "ben", "what": "role", "slug": "signing",
    "stop": "1", "deviation": "dev-26-001", "answer": "approve", "form": "json", "copy": "1",
    "layout": "COA-CLINIC", "table": "lots", "plot": "histogram.svg", "position": "1",
    "node": "lot:MSC-26-0012", "sha256": "0" * 64,
}  # fmt: skip
NUMBERS: Final = {
    "/certificates": "COA-2026-000001", "/status": "COA-2026-000001", "/uploads": "U-2026-000005",
    "/second-entries": "U-2026-000007", "/corrections": "C-2026-000001",
    "/quality-reviews": "QR-2026-000001", "/look-backs": "LB-2026-000001",
    "/administration": "AR-2026-000001", "/lots": "1", "/guide": "log",
    "/audit-trail": "TS-2026-000001",
}  # fmt: skip
#: Of what a form may have: with it a form of most pages is complete, and only the role is missing.
TYPED: Final = {
    "user_id": "new.person", "name": "New Person", "password": PASSWORD,
    "seen": '"' + "0" * 64 + '"',
    "reason": "Only to see who may", "role": "QA", "id": "NEW-1", "code": "", "title": "New",
    "recipient": "A clinic", "layout": "COA-CLINIC", "value": "off", "ended": "2026-06-02T10:00",
    "began": "2026-06-02T09:00", "from_day": "2099-01-01", "due_on": "2099-01-01", "link": "lots",
    "step": "record", "url": "https://erp.example/x", "product": "UC-MSC", "state": "open",
    "status": "available", "last": "1", "head": "0" * 64, "number": "OOS-2026-000001",
}  # fmt: skip
HUGE: Final = "99999999999999999999"


class Pages:
    """The pages in this process, and a session for each role."""

    def __init__(self, served: FastAPI, house: House) -> None:
        self.house, self.tokens = house, dict[str, str]()
        self._loop = asyncio.new_event_loop()
        pages = create_pages(served)
        both = Application(served, lambda: pages)
        inside = httpx.ASGITransport(both, raise_app_exceptions=False)
        self._http = httpx.AsyncClient(transport=inside, base_url="http://inside")

    def ask(self, who: str, method: str, path: str, **sent: Any) -> httpx.Response:
        headers = {"Sec-Fetch-Site": "same-origin"}
        if who:
            headers["Cookie"] = f"{COOKIE}={self.tokens[who]}"
        asked = self._http.request(method, path, headers=headers, **sent)
        return self._loop.run_until_complete(asked)

    def send(self, who: str, path: str, typed: dict[str, str]) -> httpx.Response:
        """A form of a page; with a file where it is one for files."""
        fields = typed | {"token": form_token(self.tokens[who])}
        is_file = path in {"/uploads/new", "/investigations/documents"}
        file = {"files": {"file": ("x.csv", b"x")}} if is_file else {}
        return self.ask(who, "POST", path, data=fields, **file)

    def done(self) -> list[str]:
        """What was done here, but for what auditors looked at."""
        with self.house.reading() as session:
            found = entries_after(session, self.start, limit=5000)
            return [entry.what for _link, entry in found if entry.what != VIEWED]

    def begin(self) -> None:
        with self.house.reading() as session:
            self.start = the_head(session).sequence

    def close(self) -> None:
        self._loop.run_until_complete(self._http.aclose())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


@contextmanager
def opened(served: FastAPI, house: House, **settings: Any) -> Iterator[Pages]:
    """The pages over a house."""
    state = served.state
    address = house.engine.url.render_as_string(hide_password=False)
    before = state.door
    store = house.archive.root
    settings |= {"database": address, "store": store, "waiting": store.with_name("waiting")}
    settings |= {"session_idle_minutes": 0}  # as ``enter``: whoever came in stays
    state.door = open_door(Settings(**settings), now=house.now)
    found = Pages(served, house)
    try:
        yield found
    finally:
        found.close()
        state.door.engine.dispose()
        state.door = before


@pytest.fixture(scope="module")
def pages(
    databases: Databases,
    shared_archive: FolderArchive,
    application: FastAPI,  # noqa: F811
    seal: PkiFiles,  # noqa: F811
    log_key: Path,  # noqa: F811
) -> Iterator[Pages]:
    """The pages of a house in which everything has happened, and everybody signed in."""
    phrase = SecretStr(SEAL_PASSPHRASE)
    keys = {"seal": seal.seal_p12, "seal_passphrase": phrase, "log_key": log_key}
    with full_copy(databases, SQLITE, shared_archive) as engine:
        house = House(engine, shared_archive, Clock(NOW + timedelta(days=1)))
        register(house, "qp", Role.QP, ends=terms(Role.QP))
        with opened(application, house, **keys) as found:
            found.tokens |= {who: enter(house, who) for who in HOLDERS.values()}
            found.begin()
            yield found


def routes(method: str) -> list[Route]:
    return [
        route
        for screen in SCREENS
        for route in screen.router.routes
        if isinstance(route, Route) and method in (route.methods or ())
    ]


def filled(path: str) -> str:
    """An address with something at each of its places."""
    root = "/" + path.split("/")[1]
    places = PLACES | ({"number": NUMBERS[root]} if root in NUMBERS else {})
    if path.startswith("/guide"):
        places = places | {"name": "log"}
    if "{name}/{version}" in path:
        places = places | {"name": "SOP-QC-031", "version": "2", "act": "approval"}
    if path.startswith(("/certificates", "/archive")):
        places = places | {"act": "copy" if path.startswith("/certificates") else "rule"}
    if path.startswith(("/lots", "/system-stops")):
        places = places | {"act": "end" if path.startswith("/system") else "release"}
    if path.startswith("/administration/{kind}"):
        places = places | {"kind": "training"}
    return re.sub(r"{(\w+)(:\w+)?}", lambda place: places[place[1]], path)


def who_may(line: str) -> set[Role]:
    return {SHORT[name] for name in MATRIX["routes"][line]["who"].split()}


def test_every_form_of_the_pages_has_a_line_of_the_matrix():
    sent_to = {route.path for route in routes("POST")}
    told = {first(filled(path)) for path in FORMS}
    assert sent_to - OWN - STRANGERS == told
    assert {line for line in FORMS.values() if line not in MATRIX["routes"]} == set()


def first(path: str) -> str:
    scope = {"type": "http", "method": "POST", "path": path, "headers": [], "root_path": ""}
    found = (route for route in routes("POST") if route.matches(scope)[0].name == "FULL")
    return next((route.path for route in found), f"no form is sent to {path}")


def some(at: int, of: Collection[str], many: int) -> list[str]:
    """So many of them in turn; all of them in ``make long``."""
    turned = deque(of)
    turned.rotate(-at)
    return list(turned) if LONG else list(islice(turned, many))


@pytest.mark.requirement("2.04")
def test_a_form_does_nothing_for_a_role_that_the_api_refuses(pages: Pages):
    """Who may sends a form without anything: it is not complete, but not forbidden."""
    wrong, denied = [], 0
    pages.begin()
    may = {path: {HOLDERS[role] for role in who_may(line)} for path, line in FORMS.items()}
    for at, path in enumerate(FORMS):
        for who in some(at, [who for who in HOLDERS.values() if who not in may[path]], 2):
            answer = pages.send(who, filled(path), TYPED)
            denied += "BQC-ACC-002" in answer.text
            if not 400 <= answer.status_code < 500:
                wrong.append(f"{path} by {who}, who may not: {answer.status_code}")
    assert (wrong, pages.done()) == ([], [])
    assert denied > len(FORMS) // 2  # of the others the form was not complete
    for at, path in enumerate(FORMS):
        for who in some(at, sorted(may[path]), 1):
            answer = pages.send(who, filled(path), {})
            if answer.status_code == 500 or "BQC-ACC-002" in answer.text:
                wrong.append(f"{path} by {who}, who may: {answer.status_code}")
    assert wrong == []


@pytest.mark.requirement("2.04")
def test_who_is_not_signed_in_sees_and_does_nothing_but_what_is_for_everybody(pages: Pages):
    for route in routes("GET"):
        answer = pages.ask("", "GET", filled(route.path))
        is_led = answer.headers.get("location", "").startswith("/sign-in")
        assert (answer.status_code == 303 and is_led) is (route.path not in OPEN), route.path
    for path in (*FORMS, *OWN):
        assert pages.ask("", "POST", filled(path), data=TYPED).status_code == 401, path


def test_every_page_answers_every_role_and_refuses_what_is_no_address(pages: Pages):
    wrong = []
    for at, route in enumerate(routes("GET")):
        chosen = some(at, HOLDERS.values(), 1)
        asked = [(who, filled(route.path)) for who in chosen]
        places = re.findall(r"{\w+(?::\w+)?}", route.path)
        asked += [(chosen[0], filled(route.path.replace(one, HUGE))) for one in places]
        for who, path in asked:
            answer = pages.ask(who, "GET", path)
            if answer.status_code == 500:
                wrong.append(f"{path} by {who}")
    assert wrong == []
