"""Single sign-on at a real provider: a session, and signatures by step-up."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from batchqc import clock
from batchqc.actions.links import link_account, remove_link
from batchqc.actions.people import register_person
from batchqc.api.openid import Provider
from batchqc.core.accountability import STATEMENT
from batchqc.core.permissions import Permission, Role
from tests.api.conftest import (  # noqa: F401
    Site,
    address,
    application,
    log_key,
    seal,
    settings,
    signed,
    site,
)
from tests.records.house import ADM, DON, DONOR, QA1, House
from tests.system.provider import CLIENT, REDIRECT, SECRET, Browser, providing

OTTO = "otto"
SUBJECT = "subject-of-otto"
ELIGIBILITY = f"/donors/{DONOR}/eligibility"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with providing() as found:
        yield found


@dataclass
class Otto:
    """A donor officer without a password, and a browser."""

    site: Site
    issuer: str
    browser: Browser

    def now(self) -> None:
        """What the provider says is about the real time; the house looks at its clock often."""
        self.site.house.now.at = clock.now()

    def sign_in(self, login: str = SUBJECT) -> Any:
        self.now()
        begun = self.site.http.post("/session/single-sign-on").json()
        back = self.browser.visit(begun["address"], login)
        sent = {"ticket": begun["ticket"], "code": back["code"], "state": back["state"]}
        answer = self.site.http.post("/session/single-sign-on/return", json=sent)
        if answer.status_code == 201:
            self.site.tokens[OTTO] = answer.json()["token"]
        return answer, sent

    def begin(self, record: str, meaning: str) -> dict[str, str]:
        self.now()
        answer = self.site.send(
            OTTO, "POST", "/step-up", json={"record": record, "meaning": meaning}
        )
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def step_up(self, record: str, meaning: str, login: str = SUBJECT) -> tuple[str, Any]:
        begun = self.begin(record, meaning)
        back = self.browser.visit(begun["address"], login)
        sent = {"ticket": begun["ticket"], "code": back["code"], "state": back["state"]}
        answer = self.site.send(OTTO, "POST", "/step-up/return", json=sent)
        return begun["ticket"], answer

    def sign(self, ticket: str = "", **more: Any) -> Any:
        body = {"user_id": OTTO, "reason": "Screening is complete", "step_up": ticket}
        body |= {"eligible": True, "basis": "Screening and testing"} | more
        return self.site.send(OTTO, "POST", ELIGIBILITY, json=body)


@pytest.fixture
def otto(site: Site, issuer: str) -> Iterator[Otto]:  # noqa: F811
    with coming(site, issuer) as found:
        yield found


@contextmanager
def coming(site: Site, issuer: str) -> Iterator[Otto]:  # noqa: F811
    """Otto, registered and linked to a subject of the issuer."""
    door = site.app.state.door
    site.app.state.door = replace(door, provider=Provider(issuer, CLIENT, SECRET, REDIRECT))
    house, browser = site.house, Browser()
    house.now.at = clock.now()
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        register_person(tx, user_id=OTTO, name="Otto", roles=[Role.DONOR_OFFICER], password=None)
    link(house, OTTO, issuer, SUBJECT)
    found = Otto(site, issuer, browser)
    yield found
    browser.close()
    found.browser.close()


def link(house: House, user_id: str, issuer: str, subject: str) -> None:
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        link_account(
            tx, user_id=user_id, issuer=issuer, subject=subject, reason="Identity card seen"
        )


def code_of(answer: Any) -> str:
    return str(answer.json().get("code", answer.status_code))


@pytest.mark.requirement("1.19")
def test_who_has_single_sign_on_only_signs_in_and_signs_by_step_up(otto: Otto):
    answer, sent = otto.sign_in()
    assert answer.status_code == 201, answer.text
    assert otto.site.get(OTTO, "/me") == {
        "user_id": OTTO, "name": "Otto", "roles": ["donor officer"], "must_change_password": False,
        "must_enrol_authenticator": False,
    }  # fmt: skip
    again = otto.site.http.post("/session/single-sign-on/return", json=sent)
    assert code_of(again) == "BQC-ACC-044"  # the provider redeems a code once
    assert code_of(otto.sign()) == "BQC-SIG-010"

    ticket, answer = otto.step_up(STATEMENT.key, "accepted")
    assert answer.status_code == 201, answer.text
    assert otto.browser.pages.count("login") == 2  # the provider asked anew
    accepted = {"user_id": OTTO, "reason": "I have read it", "step_up": ticket}
    answer = otto.site.send(
        OTTO, "POST", "/accountability", json=accepted | {"sha256": STATEMENT.sha256}
    )
    assert answer.status_code == 201, answer.text

    assert code_of(otto.sign()) == "BQC-SIG-014"  # a session alone never signs
    assert code_of(otto.sign(ticket)) == "BQC-SIG-014"  # used, and for another record
    ticket, _ = otto.step_up(f"donor:{DONOR}", "approved")
    assert otto.sign(ticket).status_code == 201
    assert code_of(otto.sign(ticket)) == "BQC-SIG-014"  # once
    assert otto.site.house.verify().problems == ()


@pytest.mark.requirement("1.15")
def test_a_step_up_proves_one_record_one_meaning_one_session_and_soon(otto: Otto):
    otto.sign_in()
    ticket, _ = otto.step_up(STATEMENT.key, "accepted")
    accepted = {"user_id": OTTO, "reason": "I have read it", "sha256": STATEMENT.sha256}
    otto.site.send(OTTO, "POST", "/accountability", json=accepted | {"step_up": ticket})

    unfinished = otto.begin(f"donor:{DONOR}", "approved")
    assert code_of(otto.sign(unfinished["ticket"])) == "BQC-SIG-014"
    assert otto.step_up(f"donor:{DONOR}", "approved")[1].status_code == 201
    for record, meaning in ((f"donor:{DONOR}", "reviewed"), ("lot:OTHER", "approved")):
        ticket, _ = otto.step_up(record, meaning)
        assert code_of(otto.sign(ticket)) == "BQC-SIG-014"
    first = otto.site.tokens[OTTO]
    ticket, _ = otto.step_up(f"donor:{DONOR}", "approved")
    otto.sign_in()
    assert code_of(otto.sign(ticket)) == "BQC-SIG-014"
    otto.site.tokens[OTTO] = first
    otto.site.house.now.at += timedelta(minutes=4)
    assert code_of(otto.sign(ticket)) == "BQC-SIG-014"
    ticket, _ = otto.step_up(f"donor:{DONOR}", "approved")
    assert otto.sign(ticket).status_code == 201


@pytest.mark.requirement("1.24")
def test_the_wrong_person_at_the_provider_proves_nothing_and_five_times_lock(otto: Otto):
    otto.sign_in()
    _, answer = otto.step_up(f"donor:{DONOR}", "approved", login="somebody-else")
    assert code_of(answer) == "BQC-SIG-015"
    for _ in range(4):
        _, answer = otto.step_up(f"donor:{DONOR}", "approved", login="somebody-else")
    _, answer = otto.step_up(f"donor:{DONOR}", "approved")
    assert code_of(answer) == "BQC-SIG-002"
    locked = otto.site.get(ADM, "/locked-accounts")
    assert [one["user_id"] for one in locked] == [OTTO]
    failed = otto.site.get(ADM, "/failed-attempts")["items"]
    assert {(one["user_id"], one["with_what"]) for one in failed} == {(OTTO, "single sign-on")}


@pytest.mark.requirement("1.16")
def test_no_account_is_made_by_coming_and_a_removed_link_ends_every_session(otto: Otto):
    answer, _ = otto.sign_in("nobody-here")
    assert code_of(answer) == "BQC-ACC-037"
    otto.browser = Browser()
    assert otto.sign_in()[0].status_code == 201
    house = otto.site.house
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        remove_link(tx, user_id=OTTO, reason="Left the company")
    assert otto.site.send(OTTO, "GET", "/me").status_code == 401
    assert code_of(otto.sign_in()[0]) == "BQC-ACC-037"
    entries = otto.site.get(ADM, "/audit", params={"limit": 200})
    assert "unknown subject refused" in str(entries)


@pytest.mark.requirement("1.16")
def test_a_sign_in_that_ends_at_the_provider_ends_every_session_here(site: Site):  # noqa: F811
    told = f"{site.http.base_url}session/single-sign-on/logout"
    with providing(logout=told) as issuer, coming(site, issuer) as otto:
        ends_here(otto)


def ends_here(otto: Otto) -> None:
    assert otto.sign_in()[0].status_code == 201
    first = otto.site.tokens[OTTO]
    assert otto.sign_in()[0].status_code == 201
    assert otto.site.get(OTTO, "/me")["user_id"] == OTTO
    other = otto.site.token(QA1)
    otto.now()
    otto.browser.sign_out(otto.issuer)
    assert otto.site.send(OTTO, "GET", "/me").status_code == 401
    otto.site.tokens[OTTO] = first
    assert otto.site.send(OTTO, "GET", "/me").status_code == 401
    assert otto.site.token(QA1) == other
    assert otto.site.get(QA1, "/me")["user_id"] == QA1
    entries = otto.site.get(ADM, "/audit", params={"limit": 200})
    assert "ended at single sign-on" in str(entries)
    assert otto.sign_in()[0].status_code == 201
    assert otto.browser.pages.count("login") == 2  # it asked anew
    assert otto.site.house.verify().problems == ()


def test_what_the_provider_did_not_sign_ends_nothing(otto: Otto):
    otto.sign_in()
    path = "/session/single-sign-on/logout"
    for sent in ({}, {"logout_token": ""}, {"logout_token": "x" * 20_001}):
        assert code_of(otto.site.http.post(path, data=sent)) == "BQC-API-001"
    assert code_of(otto.site.http.post(path, data={"logout_token": "x.y.z"})) == "BQC-ACC-044"
    assert otto.site.get(OTTO, "/me")["user_id"] == OTTO


@pytest.mark.requirement("1.20")
def test_a_link_of_who_has_a_password_opens_nothing_before_they_confirm_it(otto: Otto):
    link(otto.site.house, DON, otto.issuer, "subject-of-don")
    assert code_of(otto.sign_in("subject-of-don")[0]) == "BQC-ACC-037"
    confirmed = otto.site.send(DON, "POST", "/link/confirmation", json={"password": "no"})
    assert code_of(confirmed) == "BQC-SIG-001"
    sent = {"password": signed(DON)["password"]}
    assert otto.site.send(DON, "POST", "/link/confirmation", json=sent).status_code == 200
    answer, _ = otto.sign_in("subject-of-don")
    assert answer.status_code == 201
    again = otto.site.send(DON, "POST", "/link/confirmation", json=sent)
    assert code_of(again) == "BQC-ACC-035"
    assert otto.site.send(QA1, "GET", "/locked-accounts").status_code == 403


def test_a_session_is_not_told_to_who_has_another_ticket_or_state(otto: Otto):
    otto.now()
    one = otto.site.http.post("/session/single-sign-on").json()
    other = otto.site.http.post("/session/single-sign-on").json()
    back = otto.browser.visit(one["address"], SUBJECT)
    stolen = {"ticket": other["ticket"], "code": back["code"], "state": back["state"]}
    answer = otto.site.http.post("/session/single-sign-on/return", json=stolen)
    assert code_of(answer) == "BQC-ACC-044"
    unknown = {"ticket": "made up", "code": back["code"], "state": back["state"]}
    answer = otto.site.http.post("/session/single-sign-on/return", json=unknown)
    assert code_of(answer) == "BQC-ACC-044"
    right = {"ticket": one["ticket"], "code": back["code"], "state": back["state"]}
    otto.site.house.now.at += timedelta(minutes=11)
    late = otto.site.http.post("/session/single-sign-on/return", json=right)
    assert code_of(late) in {"BQC-ACC-038", "BQC-ACC-044"}
