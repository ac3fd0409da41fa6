"""A page that nobody works at locks itself: its session ends, and what was typed stays."""

import pytest
from playwright.sync_api import expect

from batchqc.web.security import COOKIE
from tests.records.house import LOT, PASSWORD, QA1
from tests.web.conftest import Served

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


def test_work_at_one_page_keeps_the_session_of_the_page_beside_it(served: Served):
    with served.visitor(QA1) as qa:
        qa.page.clock.install()
        qa.go(f"/lots/{LOT}")
        idle = qa.page
        qa.page = qa.context.new_page()
        qa.go(f"/lots/{LOT}/decision/release")
        qa.page.clock.run_for(MINUTES - 60_000)
        expect(idle.get_by_text("locks itself in two minutes")).to_be_visible()
        qa.page.keyboard.press("Shift")
        expect(idle.get_by_text("locks itself in two minutes")).to_be_hidden()
        qa.page.clock.run_for(120_000)
        for page in (idle, qa.page):
            expect(page.get_by_role("heading", name="This page is locked")).to_be_hidden()
        assert [one for one in qa.context.cookies() if one["name"] == COOKIE]


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
