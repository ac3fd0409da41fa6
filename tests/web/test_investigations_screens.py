"""Every screen of investigations, deviations, holds and stops, in every state and window."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.records.house import AUD, LOT, QA2
from tests.web.browsing import Visitor
from tests.web.conftest import Served
from tests.web.investigated import (
    DEVIATION,
    ENDED,
    NUMBERS,
    PERFORMED,
    PLANNED,
    REVIEWED,
    WAITING,
    disturb,
    investigate,
)
from tests.web.looking import look_at

SCREENS = {
    "investigations": "/investigations",
    "none like it": "/investigations?lot=nothing",
    "patterns": "/investigations/patterns",
    "phase I waits": f"/investigations/{NUMBERS[WAITING]}",
    "review waits": f"/investigations/{NUMBERS[PERFORMED]}",
    "retests under way": f"/investigations/{NUMBERS[PLANNED]}",
    "concluded": f"/investigations/{NUMBERS[ENDED]}",
    "phase I": f"/investigations/{NUMBERS[WAITING]}/phase-one",
    "review": f"/investigations/{NUMBERS[PERFORMED]}/review",
    "plan": f"/investigations/{NUMBERS[REVIEWED]}/plan",
    "conclusion": f"/investigations/{NUMBERS[PLANNED]}/conclusion",
    "reopening": f"/investigations/{NUMBERS[ENDED]}/reopening",
    "document": f"/investigations/{NUMBERS[PLANNED]}/document",
    "one that nobody may ask for": f"/lots/{LOT}/investigation?criterion=viability",
    "deviations": "/deviations",
    "a new deviation": "/deviations/new",
    "a deviation": f"/deviations/{DEVIATION}",
    "holds": f"/lots/{LOT}/hold",
    "end of a hold": f"/lots/{LOT}/hold/1/end",
    "stops": "/system-stops",
    "a new stop": "/system-stops/new",
    "the end of a stop": "/system-stops/1/end",
}
#: What is seen by who may not act.
SEEN = (
    f"/investigations/{NUMBERS[WAITING]}",
    f"/investigations/{NUMBERS[WAITING]}/phase-one",
    f"/investigations/{NUMBERS[PLANNED]}/document",
    f"/deviations/{DEVIATION}",
    f"/lots/{LOT}/hold/1/end",
    "/system-stops/1/end",
)


@pytest.fixture(scope="module")
def laboratory(served: Served) -> Served:
    investigate(served.house)
    disturb(served.house, LOT)
    return served


@pytest.fixture(scope="module")
def qa(laboratory: Served) -> Iterator[Visitor]:
    with laboratory.visitor(QA2) as visitor:
        yield visitor


@pytest.mark.parametrize("path", SCREENS.values(), ids=SCREENS.keys())
def test_a_screen_is_accessible_stays_in_its_window_and_does_not_move(qa: Visitor, path: str):
    look_at(qa, path)


def test_who_may_not_act_is_told_who_may_and_finds_no_button_that_does_nothing(laboratory: Served):
    with laboratory.visitor(AUD) as auditor:
        for path in SEEN:
            auditor.go(path)
            assert auditor.violations() == []
            main = auditor.page.get_by_role("main")
            expect(main.get_by_role("button").filter(has_text="Sign")).to_have_count(0)
            expect(main.get_by_text("QA").first).to_be_visible()


def test_a_form_with_everything_wrong_and_a_dialog_are_accessible(qa: Visitor):
    qa.page.set_viewport_size({"width": 1440, "height": 1000})
    for scheme in ("light", "dark"):
        qa.page.emulate_media(color_scheme=scheme)
        qa.go(f"/investigations/{NUMBERS[WAITING]}/phase-one")
        qa.press("Sign phase I")
        expect(qa.page.get_by_text("Answer yes, no or not applicable.").last).to_be_visible()
        assert qa.violations() == []
        qa.go(f"/investigations/{NUMBERS[PERFORMED]}")
        qa.page.get_by_role("region", name="Act").get_by_role("link").click()
        expect(qa.heading(f"Review phase I of {NUMBERS[PERFORMED]}")).to_be_visible()
        assert qa.violations() == []
        qa.page.keyboard.press("Escape")
        qa.page.get_by_role("button", name="value, row").first.click()
        expect(qa.page.get_by_text("SHA-256 of the file").first).to_be_visible()
        assert qa.violations() == []
