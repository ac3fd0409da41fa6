"""The page of a lot: how it stands at a glance, and every number down to its cell."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.records.house import DONOR, LOT, QA1
from tests.web.browsing import Visitor
from tests.web.conftest import Served
from tests.web.looking import point_of
from tests.web.lots import BAD, add_bad_lot

TURN = 300  # ms
#: What a page does in the turn after a form is sent comes late, as where there is much to do.
LATE_TURNS = f"""const at = window.setTimeout; window.setTimeout = (act, ms, ...told) =>
  at(act, ms || (window.event?.type === "submit" ? {TURN} : 0), ...told);"""


@pytest.fixture(scope="module")
def qa(served: Served) -> Iterator[Visitor]:
    add_bad_lot(served.house)
    with served.visitor(QA1) as visitor:
        yield visitor


def row(visitor: Visitor, name: str):
    """The row of a criterion."""
    found = visitor.page.get_by_role("row").filter(has=visitor.link(name))
    expect(found).to_have_count(1)
    return found


def test_a_blocked_lot_says_what_blocks_it_and_what_to_do(qa: Visitor):
    qa.go(f"/lots/{BAD}")
    expect(qa.heading("What blocks the release")).to_be_visible()
    for told in (
        "FAIL: 89 % does not meet > 90 %",
        "no result for IDO activity, kynurenine",
        "Upload what is missing; reject the lot, or have its investigation concluded.",
        "Have a reviewer who neither measured nor uploaded review each run.",
    ):
        expect(qa.page.get_by_text(told).first).to_be_visible()
    expect(row(qa, "Viability")).to_contain_text("Does not conform")
    expect(row(qa, "IDO activity, kynurenine")).to_contain_text("Cannot be judged")
    expect(row(qa, "Endotoxin")).to_contain_text("Conforms")
    expect(qa.page.get_by_text("It cannot be released: see what blocks it.")).to_be_visible()
    expect(qa.page.get_by_role("link", name="Release")).to_have_count(0)


def test_numbers_stand_as_stored_with_their_points_below_each_other(qa: Visitor):
    qa.go(f"/lots/{LOT}")
    shown = {"Viability": "93.40", "Identity, CD90+": "100", "Endotoxin": "<0.05"}
    numbers = [row(qa, name).get_by_text(text, exact=True) for name, text in shown.items()]
    assert len({point_of(one) for one in numbers}) == 1


@pytest.mark.requirement("1.06")
def test_a_result_leads_to_the_cell_that_it_was_read_from(qa: Visitor):
    qa.go(f"/lots/{LOT}")
    qa.link("Endotoxin").click()
    expect(qa.heading("Endotoxin")).to_be_visible()
    expect(qa.page).to_have_url(re.compile(r"show=endotoxin"))
    qa.page.get_by_role("button", name=re.compile(r"value, row \d+")).click()
    source = qa.page.get_by_role("dialog", name="Where <0.05 was read")
    for told in ("results.csv", "U-2026-000001", "SOP-QC-040", "PTS-001", f"{LOT}-S01", "rev"):
        expect(source.get_by_text(told).first).to_be_visible()
    qa.page.keyboard.press("Escape")
    expect(source).to_be_hidden()
    qa.page.go_back()
    expect(qa.heading("Endotoxin")).to_be_hidden()


def test_keys_move_over_the_results_and_can_be_switched_off(qa: Visitor):
    qa.go(f"/lots/{BAD}")
    qa.link("Identity, CD73+").focus()
    qa.page.keyboard.press("j")
    expect(qa.link("Identity, CD90+")).to_be_focused()
    qa.page.keyboard.press("n")
    expect(qa.link("Viability")).to_be_focused()
    qa.page.keyboard.press("k")
    qa.page.keyboard.press("n")
    qa.page.keyboard.press("Enter")
    expect(qa.heading("Viability")).to_be_visible()
    qa.page.keyboard.press("?")
    qa.page.get_by_label("Use these keys").uncheck()
    qa.press("Close")
    qa.link("Identity, CD73+").focus()
    qa.page.keyboard.press("j")
    expect(qa.link("Identity, CD73+")).to_be_focused()
    qa.page.keyboard.press("?")
    expect(qa.heading("Keyboard shortcuts")).to_be_hidden()
    qa.page.evaluate("localStorage.clear()")


def test_keys_and_the_palette_lead_anywhere(qa: Visitor):
    qa.go(f"/lots/{BAD}")
    qa.page.keyboard.press("g")
    qa.page.keyboard.press("l")
    expect(qa.heading("Lots")).to_be_visible()
    qa.page.wait_for_load_state()
    qa.page.keyboard.press("/")
    expect(qa.page.get_by_role("searchbox", name="Find a lot")).to_be_focused()
    qa.page.keyboard.press("Escape")
    qa.page.keyboard.press("Control+k")
    qa.page.get_by_label("Lot, record or place").fill("0013")
    expect(qa.page.get_by_role("dialog").get_by_role("link", name=BAD)).to_be_visible()
    qa.page.keyboard.press("Enter")
    expect(qa.heading(BAD)).to_be_visible()
    qa.page.wait_for_load_state()
    qa.page.keyboard.press("Control+k")
    palette = qa.page.get_by_role("dialog", name="Go anywhere")
    expect(palette.get_by_role("link", name="Look-backs")).to_be_hidden()
    qa.page.get_by_label("Lot, record or place").fill("look")
    expect(palette.get_by_role("link", name="Look-backs")).to_be_visible()
    qa.page.keyboard.press("Enter")
    expect(qa.heading("No source is in doubt")).to_be_visible()


def test_the_palette_finds_records_by_their_number_and_donors_by_a_part_of_their_code(qa: Visitor):
    palette = qa.page.get_by_role("dialog", name="Go anywhere")
    for typed, found in (
        ("oos-2026-000001", "OOS-2026-000001 Investigation"),
        ("U-2026-000001", "U-2026-000001 Upload"),
        (DONOR[:-1].lower(), f"{DONOR} Donor"),
    ):
        qa.go(f"/lots/{LOT}")
        qa.page.keyboard.press("Control+k")
        qa.page.get_by_label("Lot, record or place").fill(typed)
        expect(palette.get_by_role("link", name=found)).to_be_visible()
        expect(palette.get_by_text("No lot or record is like that")).to_be_hidden()
        assert qa.violations() == []
        qa.page.keyboard.press("Enter")
        expect(qa.page.get_by_role("heading", name=found.split()[0])).to_be_visible()


def test_enter_goes_to_what_is_typed_and_not_to_what_was_found_before(qa: Visitor):
    qa.go("/")
    qa.page.keyboard.press("Control+k")
    typed = qa.page.get_by_label("Lot, record or place")
    typed.fill(LOT)
    expect(qa.page.get_by_role("dialog").get_by_role("link", name=LOT)).to_be_visible()
    typed.fill(BAD)
    qa.page.keyboard.press("Enter")
    expect(qa.heading(BAD)).to_be_visible()


def test_a_printed_page_says_what_the_screen_says_and_who_printed_it(qa: Visitor):
    qa.go(f"/lots/{LOT}?show=viability")
    qa.page.emulate_media(media="print")
    qa.page.set_viewport_size({"width": 794, "height": 1123})  # A4
    try:
        assert qa.overflow() == 0
        expect(qa.page.get_by_text(f"printed by {QA1}")).to_be_visible()
        expect(qa.page.get_by_role("row").filter(has_text="Endotoxin")).to_contain_text("Conforms")
        for name in ("Main", "Of this lot", "Path"):
            expect(qa.page.get_by_role("navigation", name=name)).to_be_hidden()
        expect(qa.page.get_by_role("link", name="Release")).to_be_hidden()
        assert qa.page.pdf()[:5] == b"%PDF-"
    finally:
        qa.page.emulate_media(media="screen")
        qa.page.set_viewport_size({"width": 1440, "height": 1000})


def test_focus_begins_where_a_form_is_wrong_and_escape_leads_back_to_the_menu(qa: Visitor):
    qa.go(f"/lots/{LOT}/hold")
    qa.press("Sign and hold")
    expect(qa.page.get_by_label("Reason")).to_be_focused()
    qa.go("/archive?lot=nothing")
    told = qa.page.get_by_role("alert").filter(has_text="nothing")
    expect(told).to_be_focused()
    menu = qa.page.locator("details.me summary")
    menu.press("Enter")
    qa.page.keyboard.press("Tab")
    expect(qa.link("Administration")).to_be_focused()
    qa.page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    expect(qa.link("Administration")).to_be_hidden()


def test_times_are_the_viewers_with_utc_on_hover(served: Served, qa: Visitor):
    qa.go(f"/lots/{LOT}")
    moment = (
        qa.page.get_by_text("Lot registered").first.locator("xpath=..").get_by_role("time").first
    )
    shown, told = moment.inner_text(), moment.get_attribute("title")
    assert told is not None
    assert told.endswith(" UTC")
    hours = (int(told[11:13]) - int(shown[-5:-3])) % 24
    assert hours == 5  # Chicago in May


def test_results_of_a_lot_are_asked_for_again_only_in_part(qa: Visitor):
    qa.go(f"/lots/{LOT}")
    with qa.page.expect_response(lambda one: "show=viability" in one.url) as answered:
        qa.link("Viability").first.click()
    body = answered.value.text()
    assert "<html" not in body
    assert "93.40" in body
    expect(qa.link("Viability").last).to_have_attribute("aria-current", "true")


def test_an_error_of_a_part_is_a_part_too(qa: Visitor):
    answer = qa.context.request.get(
        f"{qa.address}/lots/{LOT}?show=nothing", headers={"HX-Request": "true"}
    )
    assert answer.status == 404
    assert "BQC-WEB-006" in answer.text()
    assert "<html" not in answer.text()


def test_a_server_that_does_not_answer_is_told_and_nothing_is_lost(served: Served):
    with served.visitor(QA1) as qa:
        qa.go(f"/lots/{LOT}")
        qa.page.keyboard.press("r")
        expect(qa.page.get_by_label("Reason")).to_be_visible()
        qa.page.get_by_label("Reason").fill("Half a reason")
        qa.page.get_by_label("Password", exact=True).fill("typed already")
        qa.context.set_offline(True)
        qa.press("Sign and release")
        expect(qa.page.get_by_text("The server does not answer")).to_be_visible()
        expect(qa.page.get_by_label("Reason")).to_have_value("Half a reason")
        qa.context.set_offline(False)
        way = "**/decision/release"
        qa.page.route(way, lambda one: one.fulfill(status=502, body="<h1>Bad gateway</h1>"))
        qa.press("Sign and release")
        expect(qa.page.get_by_text("The server does not answer")).to_be_visible()
        expect(qa.page.get_by_label("Reason")).to_have_value("Half a reason")
        qa.page.unroute(way)
        qa.wrong.clear()  # the browser says that it is offline, as it should
        qa.press("Sign and release")
        expect(qa.page.get_by_text("password is wrong").last).to_be_visible()
        expect(qa.page.get_by_text("The server does not answer")).to_be_hidden()


def test_a_form_that_fails_before_its_button_was_off_can_be_sent_again(served: Served):
    with served.visitor(QA1) as qa:
        qa.page.add_init_script(LATE_TURNS)
        qa.go(f"/lots/{LOT}")
        qa.page.keyboard.press("r")
        qa.page.get_by_label("Reason").fill("Half a reason")
        qa.page.get_by_label("Password", exact=True).fill("typed already")
        qa.context.set_offline(True)
        qa.press("Sign and release")
        expect(qa.page.get_by_text("The server does not answer")).to_be_visible()
        qa.page.wait_for_timeout(2 * TURN)
        expect(qa.button("Sign and release")).to_be_enabled()
        qa.wrong.clear()
