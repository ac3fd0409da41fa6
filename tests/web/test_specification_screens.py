"""Specifications and the other approved documents, every screen in every window."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.records.house import ANA, QA1, SPEC, draft_in_review
from tests.web.browsing import Visitor
from tests.web.conftest import Served
from tests.web.documents import others, second_version, text_of
from tests.web.looking import look_at

SCREENS = {
    "specifications": "/specifications",
    "no version like it": "/specifications?text=nothing+like+it",
    "a version in force": "/specifications/UC-MSC-REL/1",
    "a version in review": "/specifications/UC-MSC-REL/2",
    "differences": "/specifications/UC-MSC-REL/2/differences",
    "impact": "/specifications/UC-MSC-REL/2/impact",
    "no impact yet": "/specifications/UC-MSC-REL/3/impact",
    "approval": "/specifications/UC-MSC-REL/2/approval",
    "withdrawal": "/specifications/UC-MSC-REL/1/withdrawal",
    "who may not import": "/specifications/new",
    "no methods": "/methods",
    "a profile": "/profiles/SITE-COMMA/1",
    "a layout": "/layouts/COA-DE-A4/1",
    "a donor panel": "/donor-panels/EU-2006-17/1",
}


@pytest.fixture(scope="module")
def shelf(served: Served) -> Served:
    second_version(served.house)
    draft_in_review(served.house, text_of(3).encode(), "v3.toml")
    others(served.house)
    return served


@pytest.fixture(scope="module")
def qa(shelf: Served) -> Iterator[Visitor]:
    with shelf.visitor(QA1) as visitor:
        yield visitor


@pytest.mark.parametrize("path", SCREENS.values(), ids=SCREENS.keys())
def test_a_screen_is_accessible_stays_in_its_window_and_does_not_move(qa: Visitor, path: str):
    look_at(qa, path)


def test_importing_is_accessible_in_each_of_its_states(shelf: Served):
    with shelf.visitor(SPEC) as spec:
        look_at(spec, "/specifications/new")
        spec.go("/specifications/new?like=UC-MSC-REL/2")
        assert spec.violations() == []
        spec.press("Check it")
        expect(spec.heading("Import UC-MSC-REL-next.toml?")).to_be_visible()
        assert (spec.violations(), spec.overflow()) == ([], 0)
        spec.page.get_by_label("Or paste its text").fill(text_of(4).replace("> 90", "? 90") + "[")
        spec.press("Check it")
        expect(spec.heading("cannot be imported yet")).to_be_visible()
        assert (spec.violations(), spec.overflow()) == ([], 0)


def test_who_may_do_nothing_reads_everything_and_is_told_who_may(shelf: Served):
    with shelf.visitor(ANA, java_script_enabled=False) as ana:
        ana.go("/specifications")
        expect(ana.link("New version")).to_have_count(0)
        ana.link("UC-MSC-REL v2").click()
        expect(ana.page.get_by_text("Who may approve it: QA.")).to_be_visible()
        expect(ana.page.get_by_role("link", name="Approve")).to_have_count(0)
        ana.go("/specifications/UC-MSC-REL/2/approval")
        expect(ana.page.get_by_text("your role does not allow it: QA may")).to_be_visible()
        expect(ana.button("Sign and approve")).to_have_count(0)
        ana.go("/specifications/UC-MSC-REL/3/impact")
        expect(ana.page.get_by_text("Who may assess it: QA, spec author.")).to_be_visible()
        ana.go("/specifications/UC-MSC-REL/3/differences")  # with what judges, not with a draft
        expect(ana.page.get_by_text("compared with UC-MSC-REL v1")).to_be_visible()
        row = ana.page.get_by_role("row").filter(has_text="Viability")
        expect(row).to_contain_text("> 90 % becomes ≥ 70 %")
        ana.page.get_by_label("Compare with").select_option(label="UC-MSC-REL v2, from 1 Jan 2027")
        ana.press("Compare")
        expect(ana.page.get_by_text("Both say the same")).to_be_visible()
        ana.press("Compare")  # the choice stays
        expect(ana.page.get_by_text("Both say the same")).to_be_visible()
        ana.page.get_by_label("Compare with").select_option(label="What it takes the place of")
        ana.press("Compare")
        expect(row).to_be_visible()
        ana.go("/donor-panels/new")
        expect(ana.page.get_by_text("Who may import one: donor officer.")).to_be_visible()
