"""Every screen of trends and quality reviews in every state and every window."""

from collections.abc import Iterator
from itertools import combinations

import pytest
from playwright.sync_api import expect

from tests.records.house import ANA, LOT, PRODUCT, QA1
from tests.web.browsing import Visitor
from tests.web.conftest import Served
from tests.web.looking import look_at
from tests.web.trends import ODD, OF, REVIEW, add_trends

SCREENS = {
    "trends": "/trends",
    "a stage at which nothing judges": f"/trends?product={PRODUCT}&stage=stability",
    "a chart": OF,
    "a chart of words": f"/trends/{PRODUCT}/sterility",
    "figures": f"{OF}/figures",
    "controls": f"/trends/{PRODUCT}/endotoxin/controls",
    "no controls": f"{OF}/controls",
    "profiles": f"/trends/{PRODUCT}/profile",
    "limits": f"{OF}/limits",
    "no limits yet": f"/trends/{PRODUCT}/cd73/limits",
    "a limit set": f"{OF}/limits/1",
    "propose": f"{OF}/limits/new",
    "approve": f"{OF}/limits/2/approval",
    "approved already": f"{OF}/limits/1/approval",
    "begin a phase": f"{OF}/phases/new",
    "reviews": "/quality-reviews",
    "reviews of none": "/quality-reviews?product=NONE",
    "make a review": "/quality-reviews/new",
    "a review": f"/quality-reviews/{REVIEW}",
    "sign a review": f"/quality-reviews/{REVIEW}/reading",
    "a lot with its chart": f"/lots/{ODD}?show=viability",
}


@pytest.fixture(scope="module")
def laboratory(served: Served) -> Served:
    add_trends(served.house)
    return served


@pytest.fixture(scope="module")
def qa(laboratory: Served) -> Iterator[Visitor]:
    with laboratory.visitor(QA1) as visitor:
        yield visitor


@pytest.mark.parametrize("path", SCREENS.values(), ids=SCREENS.keys())
def test_a_screen_is_accessible_stays_in_its_window_and_does_not_move(qa: Visitor, path: str):
    look_at(qa, path)


def test_what_is_told_of_a_point_moves_nothing_and_is_accessible(qa: Visitor):
    qa.keep_nothing()
    qa.page.set_viewport_size({"width": 1440, "height": 1000})
    for scheme in ("light", "dark"):
        qa.page.emulate_media(color_scheme=scheme)
        qa.go(OF)
        qa.page.get_by_role("region", name="Control chart", exact=True).focus()
        qa.page.keyboard.press("End")
        expect(qa.page.get_by_role("link", name=f"{ODD}, 60 %, FAIL").first).to_be_focused()
        assert qa.violations() == []
        assert qa.shifts() == []


def test_without_script_trends_are_read_and_a_lot_is_found_from_its_number(laboratory: Served):
    with laboratory.visitor(ANA, java_script_enabled=False) as visitor:
        visitor.go("/trends")
        visitor.page.get_by_role("table").get_by_role("link", name="Viability", exact=True).click()
        expect(visitor.heading("Viability")).to_be_visible()
        expect(visitor.page.get_by_text("limit set 1").first).to_be_visible()
        visitor.page.get_by_label("Made from").fill("2025-06-01")
        visitor.press("Show")
        row = visitor.page.get_by_role("table").get_by_role("row", name=ODD)
        expect(row).to_contain_text("Does not conform")
        visitor.page.get_by_role("table").get_by_role("link", name=ODD).click()
        expect(visitor.heading(ODD)).to_be_visible()
        visitor.go(f"/lots/{LOT}")
        expect(visitor.heading(LOT)).to_be_visible()


#: Of each text of the charts of a page: its size on the screen, and the box that it fills.
TEXTS = """[...document.querySelectorAll('.chart svg')].map(svg => [...svg.querySelectorAll('text')]
  .map(one => { const box = one.getBoundingClientRect();
    return [one.textContent, +one.getAttribute('font-size') * svg.getScreenCTM().a,
      box.left, box.top, box.right, box.bottom] }))"""
CHARTS = {
    "lot": f"/lots/{ODD}?show=viability",
    "chart": OF,
    "figures": f"{OF}/figures",
    "controls": f"/trends/{PRODUCT}/endotoxin/controls",
    "review": f"/quality-reviews/{REVIEW}",
}


@pytest.mark.parametrize("path", CHARTS.values(), ids=CHARTS.keys())
def test_no_word_of_a_chart_is_smaller_than_12_pixels_or_lies_on_another(qa: Visitor, path: str):
    qa.go(path)
    for width in (360, 768, 1280, 1440):
        qa.resize(width, 800)
        charts = qa.page.evaluate(TEXTS)
        assert charts
        for texts in charts:
            assert texts
            assert [(width, one) for one in texts if round(one[1], 1) < 12] == []
            assert [
                (width, one[0], two[0]) for one, two in combinations(texts, 2) if _on(one, two)
            ] == []


def test_no_word_of_the_chart_of_a_control_is_cut(qa: Visitor):
    qa.go(CHARTS["controls"])
    (texts,) = qa.page.evaluate(TEXTS)
    assert [one[0] for one in texts if "…" in one[0]] == []


def _on(one: list[float], two: list[float]) -> bool:
    """Whether two boxes share more than their edges; a box is higher than its letters."""
    _, _, left, top, right, bottom = one
    _, _, other_left, other_top, other_right, other_bottom = two
    across = min(right, other_right) - max(left, other_left)
    down = min(bottom, other_bottom) - max(top, other_top)
    return across > 2 and down > 4
