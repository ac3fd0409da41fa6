"""Signing in at a real provider of single sign-on, in a browser that goes there and comes back."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from batchqc import clock
from batchqc.actions.links import link_account
from batchqc.actions.people import register_person
from batchqc.api.openid import Provider
from batchqc.core.permissions import Permission, Role
from batchqc.web.provider import VISIT
from batchqc.web.security import COOKIE
from tests.records.house import ADM, LOT
from tests.system.provider import CLIENT, SECRET, providing
from tests.web.browsing import Visitor
from tests.web.conftest import Served, Server

SUBJECT = "subject-of-otto"
EXCEPTION = "/administration/rules/policy-supply-by-exception"


def test_who_has_no_password_signs_in_and_signs_at_the_provider(site: Served, server: Server):
    back, state = f"{server.address}/sign-in/return", server.application.state
    with providing(back) as issuer:
        state.door = replace(state.door, provider=Provider(issuer, CLIENT, SECRET, back))
        site.house.now.at = clock.now()
        with site.house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
            register_person(tx, user_id="otto", name="Otto", roles=[Role.QA], password=None)
            link_account(tx, user_id="otto", issuer=issuer, subject=SUBJECT, reason="Card seen")
        with site.visitor() as otto:
            otto.go("/sign-in")
            site.house.now.at = clock.now()
            otto.press("Sign in with single sign-on")
            at_the_provider(otto, site, "My work")
            cookies = {one["name"]: one for one in otto.context.cookies(otto.address)}
            assert cookies[COOKIE]["sameSite"] == "Strict"
            assert VISIT not in cookies
            each_form_names_what_it_signs(otto)
            sign_by_step_up(otto, site)
            a_locked_page_opens_by_a_sign_in_beside_it(otto, site)
            otto.wrong.clear()  # pages of the provider ask for a font elsewhere
            otto.go("/sign-in/return?code=made+up&state=made+up")
            expect(otto.heading("Sign in")).to_be_visible()
            otto.go("/sign-in/return?error=access_denied")
            otto.sees("the visit to single sign-on did not end with a sign-in")
            expect(otto.page.get_by_label("User id")).to_be_visible()


def sign_by_step_up(otto: Visitor, site: Served) -> None:
    """Accept the statement, reject a lot, set a policy and the rule of the archive."""
    otto.go("/accountability")
    prove(otto, site, "statement")
    otto.page.get_by_label("Reason").fill("I have read it")
    otto.press("Sign and accept")
    expect(otto.page.get_by_text("You have accepted the statement")).to_be_visible()
    otto.go(f"/lots/{LOT}/decision/reject")
    otto.page.get_by_label("Reason").fill("The donor withdrew")
    otto.press("Sign and reject")
    expect(otto.page.get_by_role("alert").first).to_contain_text("each proof signs once")
    prove(otto, site, f"lot:{LOT}")
    expect(otto.page.get_by_label("Reason")).to_have_value("The donor withdrew")
    otto.press("Sign and reject")
    expect(otto.page.get_by_text(f"Signed: {LOT} is rejected.")).to_be_visible()
    otto.go(EXCEPTION)
    prove(otto, site, "policy:supply by exception/1")
    otto.page.get_by_label("From now on").select_option("on")
    otto.page.get_by_label("Reason").fill("Decided by the committee")
    otto.press("Sign and set")
    expect(otto.page.get_by_text("Decided by the committee")).to_be_visible()
    otto.go("/archive/sign/rule")
    prove(otto, site, "retention_rule:1")
    otto.page.get_by_label("Years after the last usable day").fill("30")
    otto.page.get_by_label("Years after manufacture").fill("0")
    otto.page.get_by_label("Reason").fill("Traceability")
    otto.press("Sign the rule")
    expect(otto.page.get_by_text("Signed, and on record.")).to_be_visible()


def a_locked_page_opens_by_a_sign_in_beside_it(otto: Visitor, site: Served) -> None:
    """There is no password to type into the lock."""
    otto.page.clock.install()
    otto.go(f"/lots/{LOT}/hold")
    otto.page.get_by_label("Reason").fill("Half a reason")
    with otto.page.expect_response("**/lock"):
        otto.page.clock.run_for(16 * 60 * 1000)
    form = otto.page
    with otto.context.expect_page() as opened:
        otto.link("Sign in in another window").click()
    otto.page = opened.value
    site.house.now.at = clock.now()
    otto.press("Sign in with single sign-on")  # where they are known by now
    expect(otto.heading("My work")).to_be_visible()
    otto.page.close()
    otto.page = form
    expect(otto.heading("This page is locked")).to_be_hidden()
    expect(otto.page.get_by_label("Reason")).to_have_value("Half a reason")


def each_form_names_what_it_signs(otto: Visitor) -> None:
    """Key and meaning are those that the action signs with; else the proof would not count."""
    for path, record, meaning in (
        (f"/lots/{LOT}/hold", f"lot:{LOT}", "held"),
        (f"/lots/{LOT}/review/trail", f"lot:{LOT}", "reviewed"),
        ("/system-stops/new", "system_stop:1/1", "authored"),
        (f"/archive/sign/hold?of={LOT}", "legal_hold:LH-2026-000001", "held"),
        ("/archive/sign/rule", "retention_rule:1", "approved"),
        (f"/archive/sign/dispose?of={LOT}", "disposal:DSP-2026-000001", "disposal requested"),
        (EXCEPTION, "policy:supply by exception/1", "approved"),
        ("/account/authenticator", "person:otto", "verified"),
        ("/account/sessions/end", "person:otto", "verified"),
    ):
        otto.go(path)
        link = otto.link("Prove at single sign-on that you sign")
        asked = parse_qs(urlsplit(link.get_attribute("href") or "").query)
        assert asked == {"record": [record], "meaning": [meaning]}


def prove(otto: Visitor, site: Served, record: str) -> None:
    """Go to the provider in a window of its own, and come back proven; nothing typed is lost."""
    form = otto.page
    with otto.context.expect_page() as opened:
        otto.link("Prove at single sign-on that you sign").click()
    otto.page = opened.value
    expect(otto.page.get_by_text(record).first).to_be_visible()
    expect(otto.heading("Prove that you sign")).to_be_visible()
    otto.page.reload()  # a new window keeps the document that it began with, and axe looks at that
    site.house.now.at = clock.now()
    assert otto.violations() == []
    otto.press("Go to single sign-on")
    at_the_provider(otto, site, "You have proven who you are")
    assert otto.violations() == []
    otto.page.close()
    otto.page = form


def at_the_provider(otto: Visitor, site: Served, then: str) -> None:
    """Say who one is, and agree where one is asked, until there is a heading of ours."""
    otto.page.get_by_placeholder("Enter any login").fill(SUBJECT)
    otto.page.get_by_placeholder("and password").fill("any")
    otto.page.get_by_role("button", name="Sign-in").click()
    site.house.now.at = clock.now()
    agree = otto.page.get_by_role("button", name="Continue")
    agree.or_(otto.heading(then)).first.wait_for()
    if agree.is_visible():
        agree.click()
    expect(otto.heading(then)).to_be_visible()
