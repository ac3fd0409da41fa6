"""Signing in with a code at a browser, unlocking with one, and enrolling where all are asked."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, expect

from batchqc.records.components import confirmed_secret
from batchqc.records.people import person_by
from tests.actions.proving import code, enrolled, keyed
from tests.records.house import ADM, ANA, BEN, LOT, PASSWORD, QA1, REV, House
from tests.web.browsing import Visitor
from tests.web.conftest import Served, Server
from tests.web.looking import look_at

CODE = "Code of your authenticator"
MINUTES = 16 * 60 * 1000
PLAIN = {"java_script_enabled": False}


@pytest.fixture
def site(
    house: House, server: Server, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    """A house with the key of second components."""
    house = keyed(house, tmp_path)
    monkeypatch.setenv("BATCHQC_COMPONENT_KEY", str(tmp_path / "components.key"))
    with server.serving(house, browser) as found:
        yield found


def with_code(site: Served, user_id: str) -> pyotp.TOTP:
    """An authenticator whose code of now was not used yet."""
    totp = enrolled(site.house, user_id)
    site.house.now.at += timedelta(minutes=1)
    return totp


def come(visitor: Visitor, user_id: str, typed: str = "") -> None:
    """Sign in by the keyboard alone."""
    visitor.go("/sign-in")
    visitor.page.get_by_label("User id").focus()
    for text in (user_id, PASSWORD, typed):
        visitor.page.keyboard.type(text)
        visitor.page.keyboard.press("Tab")
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")


@pytest.mark.requirement("1.17")
def test_who_has_an_authenticator_types_its_code_and_learns_nothing_from_a_refusal(site: Served):
    with site.visitor(**PLAIN) as ana:
        ana.go("/sign-in")
        expect(ana.page.get_by_label(CODE)).to_have_count(0)  # nobody has one here
        totp = with_code(site, ANA)
        said = []
        for user_id, typed in (("nobody", ""), (ANA, ""), (ANA, "000000")):
            come(ana, user_id, typed)
            said.append(ana.page.get_by_role("alert").inner_text())
            expect(ana.page.get_by_label(CODE)).to_have_value("")
        assert said == said[:1] * 3
        now = code(site.house, totp)
        come(ana, ANA, f"{now[:3]} {now[3:]}")
        ana.go(f"/lots/{LOT}")
        expect(ana.heading(LOT)).to_be_visible()
    with site.visitor() as ben:
        come(ben, BEN)  # who has none leaves it empty
        ben.sees("My work")


def test_the_sign_in_with_a_code_looks_as_it_must(site: Served):
    with_code(site, ANA)
    with site.visitor() as nobody:
        look_at(nobody, "/sign-in")
        come(nobody, ANA)
        assert nobody.violations() == []
        nobody.resize(320, 800)
        assert nobody.overflow() == 0


def test_a_locked_page_is_unlocked_with_a_code_where_there_is_one(site: Served):
    totp = with_code(site, QA1)
    with site.visitor() as qa, site.visitor(REV) as rev:
        used = code(site.house, totp)
        come(qa, QA1, used)
        for one in (qa, rev):
            one.page.clock.install()
            one.go(f"/lots/{LOT}")
            one.page.clock.run_for(MINUTES)
        dialog = rev.page.get_by_role("dialog", name="This page is locked")
        expect(dialog.get_by_label(CODE)).to_be_hidden()
        dialog.get_by_label("Password").fill("not my password")
        rev.press("Unlock")
        expect(dialog.get_by_label(CODE)).to_be_visible()
        dialog = qa.page.get_by_role("dialog", name="This page is locked")
        assert qa.violations() == []
        for typed in ("", used):
            dialog.get_by_label("Password").fill(PASSWORD)
            dialog.get_by_label(CODE).fill(typed)
            with qa.page.expect_response("**/unlock") as answered:
                qa.press("Unlock")
            assert answered.value.status == 401
            expect(dialog.get_by_text("is wrong or missing")).to_be_visible()
            expect(dialog.get_by_label(CODE)).to_have_value("")
        dialog.get_by_label("Password").fill(PASSWORD)
        dialog.get_by_label(CODE).fill(code(site.house, totp, steps=1))
        qa.press("Unlock")
        expect(dialog).to_be_hidden()


@pytest.mark.requirement("1.16")
@pytest.mark.requirement("1.17")
def test_where_qa_asks_everybody_a_page_that_is_open_leads_to_enrolling_and_on(site: Served):
    totp = with_code(site, QA1)
    with site.visitor(BEN, **PLAIN) as ben, site.visitor(**PLAIN) as qa:
        ben.go(f"/lots/{LOT}")
        come(qa, QA1, code(site.house, totp))
        qa.go("/administration/rules/policy-code-at-sign-in")
        qa.page.get_by_label("From now on").select_option("everybody")
        qa.page.get_by_label("Reason").fill("Risk assessment 7")
        qa.page.get_by_label("Password", exact=True).fill(PASSWORD)
        qa.press("Sign and set")
        qa.sees("The rule is set.")
        for path in (f"/lots/{LOT}", "/", "/account", "/account/authenticator/revocation"):
            ben.go(path)
            expect(ben.heading("Set up an authenticator")).to_be_visible()
        ben.sees("nothing else opens before")
        ben.page.get_by_label("Reason").fill("The site asks for it")
        ben.page.get_by_label("Password", exact=True).fill(PASSWORD)
        ben.press("Make the secret")
        secret = ben.page.get_by_text("type the secret by hand").inner_text().partition(":")[2]
        own = pyotp.TOTP(secret.replace(" ", ""))
        ben.page.get_by_label("First code").fill(own.at(site.house.now.at))
        ben.press("Confirm")
        ben.sees("Its codes count")
        ben.go(f"/lots/{LOT}")
        expect(ben.heading(LOT)).to_be_visible()
    with site.house.reading() as session:
        person = person_by(session, BEN)
        assert person is not None
        assert confirmed_secret(session, person) is not None


def test_who_replaces_an_authenticator_types_a_code_of_it(site: Served):
    totp = with_code(site, ADM)
    with site.visitor() as adm:
        come(adm, ADM, code(site.house, totp))
        adm.go("/account/authenticator")
        adm.page.get_by_label("Reason").fill("A new telephone")
        adm.page.get_by_label("Password", exact=True).fill(PASSWORD)
        adm.page.get_by_label(CODE).fill("000000")
        adm.press("Make the secret")
        expect(adm.page.get_by_text("the code is wrong").last).to_be_visible()
        adm.page.get_by_label("Password", exact=True).fill(PASSWORD)
        adm.page.get_by_label(CODE).fill(code(site.house, totp, steps=1))
        adm.press("Make the secret")
        expect(adm.page.get_by_label("QR code of the secret")).to_be_visible()
