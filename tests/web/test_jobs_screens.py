"""The screens of jobs: what failed, what is done, and a page that follows a job by itself."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from batchqc.actions.jobs import ask_for
from batchqc.core.jobs import WHO_ASKS, Kind
from tests.records.house import AUD, PRODUCT, QA1
from tests.web.browsing import Visitor
from tests.web.conftest import Served
from tests.web.looking import look_at

FAILED, DONE = "/jobs/JOB-2026-000001", "/jobs/JOB-2026-000002"
SCREENS = {"jobs": "/jobs", "a failed job": FAILED, "a job that is done": DONE}
REVIEW = {"product": "NONE", "first": "2025-05-01", "last": "2025-05-31"}


@pytest.fixture(scope="module")
def qa(served: Served) -> Iterator[Visitor]:
    """QA asked for a review of a product that is gone, and for one that is made."""
    for wanted in (REVIEW, REVIEW | {"product": PRODUCT}):
        with served.house.acting(QA1, WHO_ASKS[Kind.QUALITY_REVIEW]) as tx:
            ask_for(tx, Kind.QUALITY_REVIEW, wanted)  # type: ignore[arg-type]
    with served.visitor(QA1) as visitor:
        visitor.go(FAILED)  # it may not have begun: the page follows it
        expect(visitor.page.get_by_text("It failed, and is not tried again")).to_be_visible()
        visitor.go(DONE)
        expect(visitor.link("Look at it")).to_be_visible()
        yield visitor


@pytest.mark.parametrize("path", SCREENS.values(), ids=SCREENS.keys())
def test_a_screen_is_accessible_stays_in_its_window_and_does_not_move(qa: Visitor, path: str):
    look_at(qa, path)


def test_what_failed_stands_in_my_work_until_somebody_sees_to_it(qa: Visitor):
    qa.go("/?kind=job")
    qa.page.get_by_role("link").filter(has_text="JOB-2026-000001").click()
    qa.page.get_by_label("Reason").fill("...")
    qa.press("Close it")
    expect(qa.page.get_by_role("alert").first).to_contain_text("at least one real word")
    qa.page.get_by_label("Reason").fill("The product was mistyped")
    qa.press("Close it")
    expect(qa.page.get_by_text("Closed").first).to_be_visible()
    expect(qa.button("Try again")).to_have_count(0)


def test_the_job_of_somebody_else_is_not_shown(served: Served, qa: Visitor):
    qa.go("/jobs")
    with served.visitor(AUD) as auditor:
        auditor.go("/jobs")
        expect(auditor.heading("There is no job")).to_be_visible()
        answer = auditor.page.goto(f"{auditor.address}{DONE}")
        assert answer
        assert answer.status == 403
        expect(auditor.page.get_by_text("BQC-JOB-003")).to_be_visible()
