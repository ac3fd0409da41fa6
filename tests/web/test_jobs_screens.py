"""The screens of jobs: what failed, what is done, and a page that follows a job by itself."""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from batchqc.actions.jobs import ask_for
from batchqc.core.canonical import utc_text
from batchqc.core.jobs import WHO_ASKS, Kind
from batchqc.records.jobs import JobProgress, JobStep
from tests.records.house import AUD, PRODUCT, QA1, House
from tests.web import conftest
from tests.web.browsing import Visitor
from tests.web.conftest import Served, Server
from tests.web.looking import look_at

FAILED, DONE = "/jobs/JOB-2026-000001", "/jobs/JOB-2026-000002"
SCREENS = {
    "jobs": "/jobs",
    "jobs that are none": "/jobs?show=closed",
    "a failed job": FAILED,
    "a job that is done": DONE,
}
FAR = {"done": 3, "total": 40}
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


def test_jobs_stand_beside_my_work_and_are_told_apart_by_their_state(qa: Visitor):
    qa.go("/")
    qa.page.get_by_role("navigation", name="What waits").get_by_role("link", name="Jobs").click()
    expect(qa.heading("Jobs")).to_be_visible()
    qa.go(FAILED)
    asked = qa.page.get_by_role("definition").filter(has_text="product NONE")
    expect(asked).to_have_text("first 2025-05-01 · last 2025-05-31 · product NONE")
    qa.go("/jobs")
    expect(qa.page.get_by_role("rowheader")).to_have_text(["JOB-2026-000002", "JOB-2026-000001"])
    for state, number in (("Failed", "JOB-2026-000001"), ("Done", "JOB-2026-000002")):
        qa.page.get_by_role("main").get_by_label("State").select_option(state)
        qa.press("Show")
        expect(qa.page.get_by_role("rowheader")).to_have_text([number])
    qa.page.get_by_role("main").get_by_label("State").select_option("Going on")
    qa.press("Show")
    expect(qa.heading("No job is like that")).to_be_visible()
    main = qa.page.get_by_role("navigation", name="Main")
    expect(main.get_by_role("link", name="My work")).to_have_attribute("aria-current", "true")


def test_a_job_that_is_not_over_tells_how_far_it_is_and_by_whom(
    house: House, server: Server, browser: Browser, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(conftest, "beside", lambda _shop: nullcontext())  # nobody does jobs
    waits = house.now() + timedelta(days=1)
    steps = (
        ("queued", {}, "begins as soon as a worker is free"),
        ("running", {}, "3 of 40"),
        ("waiting", {"due": utc_text(waits), "said": "The store does not answer"}, "tried again"),
    )
    with server.serving(house, browser) as site, site.visitor(QA1) as qa:
        for number, (state, words, sees) in enumerate(steps, 1):
            with house.acting(QA1, WHO_ASKS[Kind.QUALITY_REVIEW]) as tx:
                job = ask_for(tx, Kind.QUALITY_REVIEW, {**REVIEW, "product": PRODUCT}).job
                if state != "queued":
                    facts = {"said": "", "due": "", "link": "", "result_sha": ""} | words
                    step = JobStep(
                        job=job, number=2, tries=1, state=state, executor="lab-1/77", at=tx.now,
                        **facts,
                    )  # fmt: skip
                    tx.add(step)
                    tx.audit("job told of", rows=[step])
                    tx.add_many(JobProgress, [{"job_id": job.id, **FAR, "at": tx.now}])
            look_at(qa, f"/jobs/JOB-2026-{number:06}")
            expect(qa.page.get_by_text(sees).first).to_be_visible()
        qa.page.route("**/jobs/JOB-*", lambda one: one.fulfill(status=503, body="Restarting"))
        expect(qa.page.get_by_text("The server does not answer")).to_be_visible()
        expect(qa.page.get_by_text("tried again").first).to_be_visible()
        qa.page.unroute("**/jobs/JOB-*")
        expect(qa.page.get_by_text("The server does not answer")).to_be_hidden()
        qa.wrong.clear()  # the browser says that there was no answer
        qa.go("/jobs?show=going-on")
        expect(qa.page.get_by_role("rowheader")).to_have_count(3)
        expect(qa.page.get_by_role("row").filter(has_text="Running")).to_contain_text("3 of 40")


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
