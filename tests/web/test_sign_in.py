"""Signing in and out at a browser, and what a form of somebody else cannot do."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from playwright.sync_api import Browser, expect

from batchqc.actions.people import register_person
from batchqc.core.permissions import Permission, Role
from batchqc.web.security import CONTENT_POLICY, COOKIE
from tests.api.conftest import NO_AUTHORITIES
from tests.databases import Databases
from tests.kinds import SQLITE
from tests.records.house import (
    ADM,
    ANA,
    BEN,
    FIRST_PASSWORD,
    LOT,
    PASSWORD,
    QA1,
    REV,
    Clock,
    House,
    archive_of,
    terms,
)
from tests.web.conftest import Served, Server

OWN = "a password of my own 7"
HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def raw(served: Served) -> Iterator[httpx.Client]:
    """A client that says of itself what it likes."""
    with httpx.Client(base_url=served.address, verify=NO_AUTHORITIES, timeout=60) as client:
        yield client


def signed_in(raw: httpx.Client, user_id: str) -> tuple[str, str]:
    """The session of a person, and the token that its forms carry."""
    typed = {"user_id": user_id, "password": PASSWORD, "next": "/"}
    answer = raw.post("/sign-in", data=typed, headers=HERE)
    assert answer.status_code == 303, answer.text
    cookie = re.search(rf"{COOKIE}=([^;]+)", answer.headers["set-cookie"])
    assert cookie is not None
    page = raw.get("/password", headers={"Cookie": f"{COOKIE}={cookie[1]}"})
    token = re.search(r'name="token" value="([0-9a-f]{64})"', page.text)
    assert token is not None
    return cookie[1], token[1]


def test_who_asks_for_a_page_signs_in_and_is_led_to_it(served: Served):
    with served.visitor() as ana:
        ana.go(f"/lots/{LOT}?show=viability")
        expect(ana.heading("Sign in")).to_be_visible()
        ana.page.get_by_label("User id").fill(ANA)
        ana.page.get_by_label("Password").fill(PASSWORD)
        ana.press("Sign in")
        expect(ana.heading(LOT)).to_be_visible()
        assert ana.page.url.endswith(f"/lots/{LOT}?show=viability")


def test_who_is_signed_out_while_a_script_asks_is_led_back_to_the_page_that_was_open(
    served: Served,
):
    with served.visitor(QA1) as qa:
        qa.go(f"/lots/{LOT}?show=viability")
        qa.context.clear_cookies()
        qa.page.keyboard.press("Control+k")
        qa.page.keyboard.type("MSC")
        expect(qa.heading("Sign in")).to_be_visible()
        qa.page.get_by_label("User id").fill(QA1)
        qa.page.get_by_label("Password").fill(PASSWORD)
        qa.press("Sign in")
        expect(qa.heading(LOT)).to_be_visible()
        assert qa.page.url.endswith(f"/lots/{LOT}?show=viability")


def test_who_says_to_come_from_what_is_no_address_is_led_to_the_sign_in(raw: httpx.Client):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://["}
    answer = raw.get(f"/lots/{LOT}", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == f"/sign-in?next=/lots/{LOT}"


def test_the_session_is_a_cookie_that_no_script_and_no_other_site_gets(served: Served):
    with served.visitor() as ana:
        ana.sign_in(ANA)
        (cookie,) = [one for one in ana.context.cookies() if one["name"] == COOKIE]
        assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Strict")
        assert (cookie["path"], cookie["expires"]) == ("/", -1)
        first = cookie["value"]
        assert first not in ana.page.content()
        ana.sign_in(ANA)
        (cookie,) = [one for one in ana.context.cookies() if one["name"] == COOKIE]
        assert cookie["value"] != first
        old = {"Cookie": f"{COOKIE}={first}"}
        assert httpx.get(f"{served.address}/", headers=old, verify=NO_AUTHORITIES).is_redirect


def test_a_database_without_a_site_says_what_to_do(
    databases: Databases, tmp_path: Path, server: Server, browser: Browser, raw: httpx.Client
):
    with (
        databases.copy(SQLITE) as engine,
        server.serving(House(engine, archive_of(tmp_path), Clock()), browser),
    ):
        for path, sent in (("/sign-in", {}), ("/lots", {"Cookie": f"{COOKIE}=some"})):
            answer = raw.get(path, headers=sent)
            assert (answer.status_code, "BQC-SYS-005" in answer.text) == (404, True)
            assert "Run `batchqc init`." in answer.text


def test_a_session_that_somebody_planted_is_nobodys_after_the_sign_in(raw: httpx.Client):
    """Whoever gives a browser a session of theirs, or one made up, gets none of who signs in."""
    attackers, _ = signed_in(raw, REV)
    for planted in (attackers, "made up"):
        typed = {"user_id": QA1, "password": PASSWORD, "next": "/"}
        cookie = {"Cookie": f"{COOKIE}={planted}"}
        answer = raw.post("/sign-in", data=typed, headers=HERE | cookie)
        given = re.search(rf"{COOKIE}=([^;]+)", answer.headers["set-cookie"])
        assert given is not None
        assert given[1] != planted
        assert raw.get("/lots", headers=cookie).status_code == 303


def test_who_goes_to_the_provider_leaves_no_session_behind(site: Served, server: Server):
    """The browser comes back from another site, and so without the cookie of the session."""
    state = server.application.state
    there = SimpleNamespace(address=lambda *_ticket, **_anew: "https://login.example.org/")
    state.door = replace(state.door, provider=there)
    with httpx.Client(base_url=site.address, verify=NO_AUTHORITIES, timeout=60) as raw:
        cookie = {"Cookie": f"{COOKIE}={signed_in(raw, QA1)[0]}"}
        answer = raw.post("/sign-in/provider", headers=HERE | cookie)
        assert (answer.status_code, "https://login.example.org/" in answer.text) == (200, True)
        assert raw.get("/lots", headers=cookie).status_code == 303


def test_signing_out_ends_the_session(served: Served):
    with served.visitor() as rev:
        rev.sign_in(REV)
        (cookie,) = [one for one in rev.context.cookies() if one["name"] == COOKIE]
        rev.page.get_by_text("reviewer").first.click()
        rev.press("Sign out")
        expect(rev.heading("Sign in")).to_be_visible()
        old = {"Cookie": f"{COOKIE}={cookie['value']}"}
        assert httpx.get(f"{served.address}/", headers=old, verify=NO_AUTHORITIES).is_redirect


def test_a_wrong_password_is_told_and_the_user_id_stays(served: Served):
    with served.visitor() as ben:
        ben.sign_in(BEN, "not my password")
        expect(ben.page.get_by_role("alert").first).to_contain_text("password is wrong")
        expect(ben.page.get_by_label("User id")).to_have_value(BEN)
        expect(ben.page.get_by_label("Password")).to_have_value("")
        assert ben.violations() == []
        ben.sign_in(BEN)
        expect(ben.page.get_by_text("1 failed attempt since")).to_be_visible()


@pytest.mark.requirement("1.24")
def test_a_locked_account_says_until_when_and_who_unlocks_it(site: Served):
    with site.visitor() as ben:
        for _ in range(6):
            ben.sign_in(BEN, "not my password")
        told = ben.page.get_by_role("alert").first
        expect(told).to_contain_text("ben is locked after 5 failures")
        expect(told).to_contain_text(re.compile(r"Wait until \d\d:\d\d UTC, or ask an admin"))


def test_a_first_password_opens_nothing_but_its_change(site: Served):
    with site.house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        register_person(
            tx, user_id="new", name="New Person", roles=[Role.QA], password=FIRST_PASSWORD,
            terms=terms(Role.QA),
        )  # fmt: skip
    with site.visitor() as new:
        new.sign_in("new", FIRST_PASSWORD)
        expect(new.heading("Your password")).to_be_visible()
        new.go("/lots")
        expect(new.heading("Your password")).to_be_visible()
        new.page.get_by_label("Password until now").fill(FIRST_PASSWORD)
        new.page.get_by_label("New password", exact=True).fill(OWN)
        new.page.get_by_label("New password, again").fill("another one")
        new.press("Set the password")
        expect(new.page.get_by_text("not the same as above")).to_be_visible()
        assert new.violations() == []
        new.page.get_by_label("Password until now").fill(FIRST_PASSWORD)
        new.page.get_by_label("New password", exact=True).fill(OWN)
        new.page.get_by_label("New password, again").fill(OWN)
        new.page.get_by_label("I have read this").check()
        new.press("Set the password")
        expect(new.page.get_by_text("Your password is changed")).to_be_visible()
        new.go("/password")
        expect(new.page.get_by_text("Statement of accountability")).to_have_count(0)


def test_a_form_of_another_site_is_refused_and_does_nothing(served: Served, raw: httpx.Client):
    session, token = signed_in(raw, QA1)
    cookie, typed = {"Cookie": f"{COOKIE}={session}"}, {"token": token}
    host = served.address.removeprefix("http://")
    for from_where in (
        {},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": f"http://{host}"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "null"},
        {"Origin": "https://elsewhere.example"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://elsewhere.example"},
    ):
        answer = raw.post("/sign-out", data=typed, headers=cookie | from_where)
        assert (answer.status_code, "BQC-WEB-001" in answer.text) == (403, True), from_where
    for wrong in ({}, {"token": ""}, {"token": "0" * 64}, {"token": signed_in(raw, REV)[1]}):
        answer = raw.post("/sign-out", data=wrong, headers=cookie | HERE)
        assert (answer.status_code, "BQC-WEB-001" in answer.text) == (403, True), wrong
    assert raw.get("/lots", headers=cookie).status_code == 200
    ended = raw.post("/sign-out", data=typed, headers=cookie | {"Origin": f"http://{host}"})
    assert ended.status_code == 303
    assert raw.get("/lots", headers=cookie).status_code == 303


def test_every_answer_says_what_a_browser_may_do_with_it(raw: httpx.Client):
    session, _ = signed_in(raw, QA1)
    cookie = {"Cookie": f"{COOKIE}={session}"}
    for path in ("/sign-in", "/", "/lots", f"/lots/{LOT}", "/nothing", "/lots.csv"):
        answer = raw.get(path, headers=cookie)
        assert answer.headers["content-security-policy"] == CONTENT_POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["strict-transport-security"].endswith("; includeSubDomains")
        assert "unsafe" not in CONTENT_POLICY
    assert "default-src 'none'" in CONTENT_POLICY


def test_answers_of_the_api_run_nothing_and_are_not_kept(raw: httpx.Client):
    for path in ("/api/v1/health", "/api/v1/lots", "/api/v1/nothing", "/api/v1/docs"):
        answer = raw.get(path)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert "'self'" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    assert "<script" not in answer.text
    assert "POST /api/v1/lots/{lot}/disposition" in answer.text


def test_a_link_of_another_site_leads_in_and_ends_no_session(raw: httpx.Client):
    """A browser does not send the session along with it; the page it opens leads on by itself."""
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    answer = raw.get(f"/lots/{LOT}?show=viability", headers=link)
    assert f'content="0;url=/lots/{LOT}?show=viability"' in answer.text
    assert "set-cookie" not in answer.headers
    answer = raw.get("/lots")
    assert (answer.status_code, "set-cookie" in answer.headers) == (303, False)
    answer = raw.get("/lots", headers={"Cookie": f"{COOKIE}=over"})
    assert 'batchqc=""' in answer.headers["set-cookie"]


def test_a_key_of_a_form_is_not_longer_than_those_of_the_api(raw: httpx.Client):
    session, token = signed_in(raw, QA1)
    typed = {"token": token, "key": "k" * 81, "password": PASSWORD, "reason": "Donor withdrew"}
    headers = {"Cookie": f"{COOKIE}={session}"} | HERE
    answer = raw.post(f"/lots/{LOT}/hold", data=typed, headers=headers)
    assert (answer.status_code, "the key of the form" in answer.text) == (422, True)


@pytest.mark.parametrize("to", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere"])
def test_nobody_is_led_to_another_site_by_signing_in(raw: httpx.Client, to: str):
    typed = {"user_id": ANA, "password": PASSWORD, "next": to}
    answer = raw.post("/sign-in", data=typed, headers=HERE)
    assert answer.headers["location"] == "/"
