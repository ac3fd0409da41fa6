"""Signing in at a real provider of single sign-on, in a browser that goes there and comes back."""

from dataclasses import replace

from playwright.sync_api import expect

from batchqc import clock
from batchqc.actions.links import link_account
from batchqc.actions.people import register_person
from batchqc.api.provider import Provider
from batchqc.core.permissions import Permission, Role
from batchqc.web.provider import VISIT
from batchqc.web.security import COOKIE
from tests.records.house import ADM
from tests.system.provider import CLIENT, SECRET, providing
from tests.web.conftest import Served, Server

SUBJECT = "subject-of-otto"


def test_somebody_without_a_password_signs_in_at_the_provider(site: Served, server: Server):
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
            otto.page.get_by_placeholder("Enter any login").fill(SUBJECT)
            otto.page.get_by_placeholder("and password").fill("any")
            otto.page.get_by_role("button", name="Sign-in").click()
            site.house.now.at = clock.now()
            agree = otto.page.get_by_role("button", name="Continue")
            agree.or_(otto.heading("My work")).first.wait_for()
            if agree.is_visible():
                agree.click()
            expect(otto.heading("My work")).to_be_visible()
            otto.wrong.clear()  # its own pages ask for a font elsewhere, and do not get it
            cookies = {one["name"]: one for one in otto.context.cookies(otto.address)}
            assert cookies[COOKIE]["sameSite"] == "Strict"
            assert VISIT not in cookies
            otto.go("/sign-in/return?code=made+up&state=made+up")
            expect(otto.heading("Sign in")).to_be_visible()
