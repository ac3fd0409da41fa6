"""Every screen in every state, in every window: light, dark, forced colours, without script."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.records.house import ANA, AUD, LOT, QA1
from tests.web.browsing import Visitor
from tests.web.conftest import Served
from tests.web.looking import look_at
from tests.web.lots import BAD, add_bad_lot

SCREENS = {
    "work": "/",
    "lots": "/lots",
    "lots that are none": "/lots?text=nothing+like+it",
    "ready lot": f"/lots/{LOT}",
    "another result": f"/lots/{LOT}?show=endotoxin",
    "blocked lot": f"/lots/{BAD}",
    "release": f"/lots/{LOT}/decision/release",
    "release of a blocked lot": f"/lots/{BAD}/decision/release",
    "reject": f"/lots/{LOT}/decision/reject",
    "genealogy": f"/lots/{LOT}/genealogy",
    "password": "/password",
    "statement": "/accountability",
    "no such page": "/nothing",
    "no such lot": "/lots/NONE-1",
    "no such criterion": f"/lots/{LOT}?show=nothing",
    "an address that does not fit": "/lots?order=sideways",
}


@pytest.fixture(scope="module")
def laboratory(served: Served) -> Served:
    add_bad_lot(served.house)
    return served


@pytest.fixture(scope="module")
def qa(laboratory: Served) -> Iterator[Visitor]:
    with laboratory.visitor(QA1) as visitor:
        yield visitor


@pytest.mark.parametrize("path", SCREENS.values(), ids=SCREENS.keys())
def test_a_screen_is_accessible_stays_in_its_window_and_does_not_move(qa: Visitor, path: str):
    look_at(qa, path)


@pytest.mark.parametrize("width", [1280, 1440])
def test_the_menu_is_one_row_from_1280_pixels_on_however_long_a_name_is(qa: Visitor, width: int):
    qa.page.set_viewport_size({"width": width, "height": 800})
    qa.go("/")
    banner = qa.page.get_by_role("banner")
    for part, text in (("name", "Dr. Nguyễn Thị Minh Châu Hoàng"), ("role", "QA, QP, reviewer")):
        banner.locator(f"details.me .{part}").evaluate(
            "(one, text) => { one.textContent = text }", text
        )
    heights = [one.bounding_box() for one in (banner, banner.get_by_role("navigation"))]
    assert [one and one["height"] < 60 for one in heights] == [True, True]
    for link in banner.get_by_role("link").all():
        place = link.bounding_box()
        assert place
        assert place["x"] + place["width"] <= width
    assert qa.overflow() == 0


def test_where_one_is_is_seen_in_forced_colours_too(qa: Visitor):
    qa.page.emulate_media(forced_colors="active")
    try:
        for path, menu, here, elsewhere in (
            ("/lots", "Main", "Lots", "Trends"), ("/reviews", "What waits", "Reviews", "Jobs")
        ):  # fmt: skip
            qa.go(path)
            links = qa.page.get_by_role("navigation", name=menu)
            both = [links.get_by_role("link", name=one) for one in (here, elsewhere)]
            line = "one => getComputedStyle(one).borderBottomColor"
            assert len({one.evaluate(line) for one in both}) == 2, path
    finally:
        qa.page.emulate_media(forced_colors="none")


def test_what_opens_over_a_page_is_accessible_too(qa: Visitor):
    qa.page.set_viewport_size({"width": 1440, "height": 1000})
    for scheme in ("light", "dark"):
        qa.page.emulate_media(color_scheme=scheme)
        qa.go(f"/lots/{LOT}")
        qa.page.keyboard.press("?")
        expect(qa.heading("Keyboard shortcuts")).to_be_visible()
        assert qa.violations() == []
        qa.page.keyboard.press("Escape")
        qa.page.keyboard.press("Control+k")
        qa.page.get_by_label("Lot, record or place").fill("msc")
        expect(qa.page.get_by_role("dialog").get_by_role("link", name=LOT)).to_be_visible()
        assert qa.violations() == []
        qa.page.keyboard.press("Escape")
        qa.page.keyboard.press("r")
        expect(qa.heading(f"Release {LOT}")).to_be_visible()
        assert qa.violations() == []
        qa.press("Sign and release")
        expect(qa.page.get_by_text("Not signed.")).to_be_visible()
        assert qa.violations() == []
        qa.page.keyboard.press("Escape")
        qa.page.get_by_role("button", name="value, row").first.click()
        expect(qa.page.get_by_text("SHA-256 of the file").first).to_be_visible()
        assert qa.violations() == []


def test_without_script_everything_can_be_read_and_the_form_of_a_decision_opened(
    laboratory: Served,
):
    with laboratory.visitor(QA1, java_script_enabled=False) as qa:
        qa.go("/lots")
        qa.link(LOT).click()
        qa.link("Endotoxin").click()
        expect(qa.page.get_by_text("<0.05 EU/mL meets <= 1 EU/mL").first).to_be_visible()
        qa.page.get_by_role("button", name="value, row").first.click()
        expect(qa.page.get_by_text("SHA-256 of the file").first).to_be_visible()
        qa.go(f"/lots/{LOT}")
        qa.link("Release r").click()
        expect(qa.heading(f"Release {LOT}")).to_be_visible()
        expect(qa.button("Sign and release")).to_be_visible()
        qa.link("Cancel").click()
        expect(qa.heading(LOT)).to_be_visible()


def test_the_lot_page_offers_a_decision_to_who_may_take_it_only(laboratory: Served):
    for user_id in (ANA, AUD):
        with laboratory.visitor(user_id) as visitor:
            visitor.go(f"/lots/{LOT}")
            expect(visitor.page.get_by_text("QA decides over this lot")).to_be_visible()
            expect(visitor.page.get_by_role("link", name="Release")).to_have_count(0)
            visitor.go(f"/lots/{LOT}/decision/release")
            expect(visitor.page.get_by_text("You cannot decide this")).to_be_visible()
            expect(visitor.button("Sign and release")).to_have_count(0)
            assert visitor.violations() == []
