"""A page that nobody works at locks itself: its session ends, and what was typed stays."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from batchqc.settings import Settings
from batchqc.web.security import COOKIE
from tests.records.house import LOT, PASSWORD, QA1, QA2
from tests.web.conftest import Served, Visitor

MINUTES = 15 * 60 * 1000


def test_an_idle_page_warns_then_locks_and_goes_on_with_what_was_typed(served: Served):
    with served.visitor(QA1) as qa:
        qa.page.clock.install()
        qa.go(f"/lots/{LOT}/decision/release")
        qa.page.get_by_label("Reason").fill("Half a reason")
        (before,) = [one["value"] for one in qa.context.cookies() if one["name"] == COOKIE]
        qa.page.clock.run_for(MINUTES - 60_000)
        expect(qa.page.get_by_text("locks itself in two minutes")).to_be_visible()
        assert qa.violations() == []
        with qa.page.expect_response("**/lock"):
            qa.page.clock.run_for(61_000)
        expect(qa.heading("This page is locked")).to_be_visible()
        assert qa.violations() == []
        assert not [one for one in qa.context.cookies() if one["name"] == COOKIE]
        ended = qa.context.request.get(
            f"{qa.address}/", headers={"Cookie": f"{COOKIE}={before}"}, max_redirects=0
        )
        assert ended.status == 303
        qa.page.keyboard.press("Escape")
        expect(qa.heading("This page is locked")).to_be_visible()
        dialog = qa.page.get_by_role("dialog", name="This page is locked")
        dialog.get_by_label("Password").fill("not my password")
        qa.press("Unlock")
        expect(dialog.get_by_text("password is wrong")).to_be_visible()
        dialog.get_by_label("Password").fill(PASSWORD)
        qa.press("Unlock")
        expect(dialog).to_be_hidden()
        expect(qa.page.get_by_label("Reason")).to_have_value("Half a reason")
        qa.page.get_by_label("Password", exact=True).fill("not my password")
        qa.press("Sign and release")
        expect(qa.page.get_by_text("password is wrong").first).to_be_visible()


def locked(visitor: Visitor) -> None:
    with visitor.page.expect_response("**/lock"):
        visitor.page.clock.run_for(MINUTES + 1000)
    expect(visitor.heading("This page is locked")).to_be_visible()


def test_a_page_that_stays_locked_is_replaced_and_comes_back_with_nothing(served: Served):
    with served.visitor(QA1) as qa:
        qa.page.clock.install()
        qa.go("/lots")
        qa.go(f"/lots/{LOT}/decision/release")
        qa.page.get_by_label("Reason").fill("Half a reason")
        locked(qa)
        expect(qa.page.get_by_text("What you typed is still here, for 15 minutes")).to_be_visible()
        qa.page.clock.run_for(MINUTES - 60_000)
        expect(qa.page.get_by_label("Reason")).to_have_value("Half a reason")
        qa.page.clock.run_for(61_000)
        qa.page.wait_for_url("**/sign-in")
        expect(qa.page.get_by_label("User id")).to_be_visible()
        assert LOT not in qa.page.content()
        qa.page.go_back()  # to the page before: the locked one is no part of what was visited
        expect(qa.page.get_by_label("User id")).to_be_visible()
        assert qa.page.url == f"{qa.address}/sign-in?next=/lots"
        assert LOT not in qa.page.content()
        qa.page.go_forward()
        expect(qa.page.get_by_label("User id")).to_be_visible()
        assert qa.page.url == f"{qa.address}/sign-in"


def test_a_page_that_stays_locked_is_emptied_where_no_other_page_comes(served: Served):
    with served.visitor(QA1) as qa:
        qa.page.clock.install()
        qa.go(f"/lots/{LOT}/decision/release")
        qa.page.get_by_label("Reason").fill("Half a reason")
        locked(qa)
        qa.page.route("**/sign-in", lambda route: route.fulfill(status=204))  # nothing to show
        with qa.page.expect_response("**/sign-in"):
            qa.page.clock.run_for(MINUTES + 1000)
        expect(qa.page.locator("body > *")).to_have_count(0)
        assert qa.page.url.endswith(f"/lots/{LOT}/decision/release")
        assert qa.page.title() == "batchqc"
        assert LOT not in qa.page.content()


def test_what_was_typed_is_kept_as_long_again_each_time_a_page_is_unlocked(served: Served):
    with served.visitor(QA1) as qa:
        qa.page.clock.install()
        qa.go(f"/lots/{LOT}/decision/release")
        qa.page.get_by_label("Reason").fill("Half a reason")
        for _ in range(2):
            locked(qa)
            qa.page.clock.run_for(MINUTES - 60_000)
            qa.page.get_by_role("dialog").get_by_label("Password").fill(PASSWORD)
            qa.press("Unlock")
            expect(qa.page.get_by_role("dialog", name="This page is locked")).to_be_hidden()
            expect(qa.page.get_by_label("Reason")).to_have_value("Half a reason")


def test_who_signs_out_takes_every_page_beside_along_before_long(served: Served):
    with served.visitor(QA1) as qa:
        qa.page.clock.install()
        qa.go(f"/lots/{LOT}/hold")
        qa.page.get_by_label("Reason").fill("Half a reason")
        first = qa.page
        qa.page = qa.context.new_page()
        qa.go("/")
        qa.page.locator("details.me summary").click()
        with qa.page.expect_response("**/sign-out") as answered:
            qa.press("Sign out")
        assert answered.value.all_headers()["clear-site-data"] == '"cache"'
        qa.page.get_by_label("User id").wait_for()
        expect(first.get_by_role("heading", name="This page is locked")).to_be_visible()
        qa.page.go_back()
        expect(qa.page.get_by_label("User id")).to_be_visible()
        first.clock.run_for(MINUTES + 1000)
        first.wait_for_url("**/sign-in")
        expect(first.get_by_label("User id")).to_be_visible()
        assert LOT not in first.content()


def test_who_uses_no_keys_uses_none_after_signing_out(served: Served):
    with served.visitor(QA1) as qa:
        qa.go("/")
        qa.page.keyboard.press("?")
        qa.page.get_by_label("Use these keys").uncheck()
        qa.page.get_by_role("button", name="Close").click()
        qa.page.locator("details.me summary").click()
        qa.press("Sign out")
        qa.page.get_by_label("User id").wait_for()
        qa.sign_in(QA1)
        qa.page.keyboard.press("?")
        expect(qa.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


def test_work_at_a_page_that_asks_for_nothing_keeps_its_session_in_use(served: Served):
    began = served.house.now.at
    with served.visitor(QA1) as qa:
        qa.page.clock.install()
        qa.go(f"/lots/{LOT}/decision/release")
        try:
            for _ in range(3):
                served.house.now.at += timedelta(minutes=20)
                qa.page.clock.run_for(4 * 60_000)
                with qa.page.expect_response("**/alive") as told:
                    qa.page.keyboard.press("Shift")
                assert told.value.status == 200
            qa.go(f"/lots/{LOT}")
            expect(qa.page).to_have_url(f"{qa.address}/lots/{LOT}")
        finally:
            served.house.now.at = began


def test_a_session_that_the_server_found_idle_leads_to_the_sign_in_and_locks_its_form(
    served: Served,
):
    began = served.house.now.at
    with served.visitor(QA1) as qa:
        qa.go(f"/lots/{LOT}")
        qa.page.keyboard.press("r")
        qa.page.get_by_label("Reason").fill("Half a reason")
        qa.page.get_by_label("Password", exact=True).fill(PASSWORD)
        try:
            served.house.now.at += timedelta(minutes=32)
            beside = qa.context.new_page()
            beside.goto(f"{qa.address}/lots")
            expect(beside.get_by_label("User id")).to_be_visible()
            qa.press("Sign and release")
            dialog = qa.page.get_by_role("dialog", name="This page is locked")
            expect(dialog).to_be_visible()
            expect(qa.page.get_by_label("Reason")).to_have_value("Half a reason")
        finally:
            served.house.now.at = began


def heard(page: Page, beside: Page) -> None:
    """Wait until a page has heard all that another one told it so far, such as that it came."""
    beside.evaluate(
        """() => { const channel = new BroadcastChannel("alive")
          window.heard = new Promise(done => {
            channel.onmessage = ({ data }) => data.last && done() }) }"""
    )
    page.evaluate("() => new Promise(done => requestAnimationFrame(done))")
    page.evaluate("() => new BroadcastChannel('alive').postMessage({ last: true })")
    beside.evaluate("() => window.heard")


def test_work_at_one_page_keeps_the_session_of_the_page_beside_it(served: Served):
    with served.visitor(QA1) as qa:
        qa.page.clock.install()
        qa.go(f"/lots/{LOT}")
        idle = qa.page
        qa.page = qa.context.new_page()
        qa.go(f"/lots/{LOT}/decision/release")
        heard(qa.page, idle)
        qa.page.clock.run_for(MINUTES - 60_000)
        expect(idle.get_by_text("locks itself in two minutes")).to_be_visible()
        qa.page.keyboard.press("Shift")
        expect(idle.get_by_text("locks itself in two minutes")).to_be_hidden()
        qa.page.clock.run_for(120_000)
        for page in (idle, qa.page):
            expect(page.get_by_role("heading", name="This page is locked")).to_be_hidden()
        assert [one for one in qa.context.cookies() if one["name"] == COOKIE]


def test_unlocking_one_page_unlocks_the_page_beside_it_with_what_was_typed(served: Served):
    with served.visitor(QA1) as qa:
        qa.page.clock.install()
        qa.go(f"/lots/{LOT}/decision/release")
        qa.page.get_by_label("Reason").fill("Half a reason")
        first = qa.page
        qa.page = qa.context.new_page()
        qa.go(f"/lots/{LOT}/decision/reject")
        qa.page.get_by_label("Reason").fill("Another reason")
        with qa.page.expect_response("**/lock"):
            qa.page.clock.run_for(MINUTES + 1000)
        for page in (first, qa.page):
            expect(page.get_by_role("heading", name="This page is locked")).to_be_visible()
        qa.page.get_by_role("dialog").get_by_label("Password").fill(PASSWORD)
        qa.press("Unlock")
        for page, reason in ((first, "Half a reason"), (qa.page, "Another reason")):
            expect(page.get_by_role("heading", name="This page is locked")).to_be_hidden()
            expect(page.get_by_label("Reason")).to_have_value(reason)
        qa.page = first
        qa.page.get_by_label("Password", exact=True).fill("not my password")
        qa.press("Sign and release")
        expect(qa.page.get_by_text("password is wrong").first).to_be_visible()


def test_a_form_whose_session_ended_elsewhere_is_locked_and_sent_after_all(served: Served):
    with served.visitor(QA1) as qa:
        qa.go(f"/lots/{LOT}")
        qa.page.keyboard.press("r")
        qa.page.get_by_label("Reason").fill("Half a reason")
        qa.page.get_by_label("Password", exact=True).fill("not my password")
        qa.context.clear_cookies(name=COOKIE)
        qa.press("Sign and release")
        dialog = qa.page.get_by_role("dialog", name="This page is locked")
        dialog.get_by_label("Password").fill(PASSWORD)
        qa.press("Unlock")
        expect(dialog).to_be_hidden()
        expect(qa.page.get_by_label("Reason")).to_have_value("Half a reason")
        qa.press("Sign and release")
        expect(qa.page.get_by_text("password is wrong").first).to_be_visible()


def test_who_signs_out_locks_the_page_beside_it_with_what_was_typed(served: Served):
    with served.visitor(QA1) as qa:
        qa.go(f"/lots/{LOT}/hold")
        qa.page.get_by_label("Reason").fill("Half a reason")
        first = qa.page
        qa.page = qa.context.new_page()
        qa.go("/")
        qa.page.locator("details.me summary").click()
        qa.press("Sign out")
        qa.page.get_by_label("User id").wait_for()
        qa.page = first
        dialog = qa.page.get_by_role("dialog", name="This page is locked")
        dialog.get_by_label("Password").fill(PASSWORD)
        qa.press("Unlock")
        expect(dialog).to_be_hidden()
        expect(qa.page.get_by_label("Reason")).to_have_value("Half a reason")


def test_who_signs_in_anew_beside_a_page_goes_on_with_what_was_typed_there(served: Served):
    with served.visitor(QA1) as qa:
        qa.go(f"/lots/{LOT}/decision/release")
        qa.page.get_by_label("Reason").fill("Half a reason")
        first = qa.page
        qa.page = qa.context.new_page()
        qa.sign_in(QA1)
        qa.page = first
        qa.page.get_by_label("Password", exact=True).fill("not my password")
        qa.press("Sign and release")
        expect(qa.page.get_by_text("password is wrong").first).to_be_visible()


def test_the_form_of_another_person_stays_theirs(served: Served):
    with served.visitor(QA1) as qa:
        qa.go(f"/lots/{LOT}/decision/release")
        qa.page.get_by_label("Reason").fill("Half a reason")
        first = qa.page
        qa.page = qa.context.new_page()
        qa.sign_in(QA2)
        qa.page = first
        qa.page.get_by_label("Password", exact=True).fill(PASSWORD)
        qa.press("Sign and release")
        expect(qa.page.get_by_text("this form is of another session")).to_be_visible()


def test_a_page_from_before_the_end_of_a_session_lasts_as_long_as_the_new_one(served: Served):
    began = served.house.now.at
    with served.visitor(QA1) as qa:
        hours = timedelta(hours=Settings.model_fields["session_hours"].default)
        try:
            while served.house.now.at < began + hours - timedelta(minutes=25):
                served.house.now.at += timedelta(minutes=20)
                assert qa.context.request.get(f"{qa.address}/lots", max_redirects=0).status == 200
            served.house.now.at = began + hours - timedelta(seconds=30)
            qa.page.clock.install()
            qa.go(f"/lots/{LOT}")
            with qa.page.expect_response("**/lock"):
                qa.page.clock.run_for(31_000)
            qa.page.get_by_role("dialog").get_by_label("Password").fill(PASSWORD)
            qa.press("Unlock")
            expect(qa.heading("This page is locked")).to_be_hidden()
            qa.page.clock.run_for(120_000)
            expect(qa.heading("This page is locked")).to_be_hidden()
        finally:
            served.house.now.at = began


def test_no_key_opens_anything_over_the_lock(served: Served):
    with served.visitor(QA1) as qa:
        qa.page.clock.install()
        qa.go(f"/lots/{LOT}/decision/release")
        with qa.page.expect_response("**/lock"):
            qa.page.clock.run_for(MINUTES + 1000)
        expect(qa.heading("This page is locked")).to_be_visible()
        qa.page.keyboard.press("Control+k")
        expect(qa.page.get_by_role("dialog", name="Go anywhere")).to_be_hidden()


@pytest.mark.parametrize("sign", ["key", "pointer"])
def test_a_sign_of_life_keeps_a_page_open(served: Served, sign: str):
    with served.visitor(QA1) as qa:
        qa.page.clock.install()
        qa.go(f"/lots/{LOT}")
        qa.page.clock.run_for(MINUTES - 60_000)
        if sign == "key":
            qa.page.keyboard.press("Shift")
        else:
            qa.page.mouse.move(200, 300)
        qa.page.clock.run_for(120_000)
        expect(qa.heading("This page is locked")).to_be_hidden()
        expect(qa.page.get_by_text("locks itself in two minutes")).to_be_hidden()


def test_without_script_what_was_typed_comes_back_where_the_session_ended(served: Served):
    with served.visitor(QA1, java_script_enabled=False) as qa:
        qa.go(f"/lots/{LOT}/decision/release")
        qa.page.get_by_label("Reason").fill("Half a <b>reason</b>")
        qa.page.get_by_label("Password", exact=True).fill("my secret password")
        qa.context.clear_cookies(name=COOKIE)
        qa.press("Sign and release")
        expect(qa.heading("What you typed")).to_be_visible()
        expect(qa.page.get_by_label("reason")).to_have_value("Half a <b>reason</b>")
        shown = qa.page.content()
        assert "my secret password" not in shown
        assert "token" not in qa.page.get_by_role("main").inner_text()
        qa.wrong.clear()  # the browser tells the 401 of the form


def test_a_form_of_another_site_is_not_given_back(served: Served):
    with served.visitor() as stranger:
        path = f"/lots/{LOT}/decision/release"
        sent = {"reason": "Words of a stranger"}
        for headers, given in (
            ({"Sec-Fetch-Site": "cross-site"}, False),
            ({}, False),
            ({"Sec-Fetch-Site": "same-origin", "HX-Request": "true"}, False),
            ({"Sec-Fetch-Site": "same-origin"}, True),
        ):
            answer = stranger.context.request.post(path, form=sent, headers=headers)
            assert (answer.status, "Words of a stranger" in answer.text()) == (401, given), headers
