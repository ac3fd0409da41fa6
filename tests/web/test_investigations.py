"""A result out of specification, from its failure to what becomes of the lot, at a browser."""

import csv
from io import StringIO

import httpx
import pytest
from playwright.sync_api import expect

from batchqc.core.conclusions import CHECKLIST
from batchqc.core.investigations import State
from batchqc.core.lot_states import Disposition
from tests.actions.investigating import case_of, retest
from tests.actions.typing_results import REPORT
from tests.api.conftest import NO_AUTHORITIES
from tests.records.house import (
    ANA,
    AUD,
    BEN,
    PASSWORD,
    QA1,
    QA2,
    REV,
    alone,
)
from tests.web.browsing import Visitor
from tests.web.conftest import Served
from tests.web.investigated import (
    ENDED,
    NUMBERS,
    PERFORMED,
    PLANNED,
    REVIEWED,
    WAITING,
    fail,
    investigate,
)
from tests.web.lots import add_lots

LOT, OOS = "MSC-26-0110", "OOS-2026-000006"
RUN = f"V-{LOT}"
WHY = "Looked at the bench and the raw data"


def sign(visitor: Visitor, button: str, *, reason: str = WHY, password: str = PASSWORD) -> None:
    visitor.page.get_by_label("Reason", exact=True).fill(reason)
    visitor.page.get_by_label("Password", exact=True).fill(password)
    visitor.press(button)


def answer(visitor: Visitor, **other: str) -> None:
    """Every question of phase I: yes, where nothing else is said."""
    for name, question in CHECKLIST.items():
        group = visitor.page.get_by_role("group", name=question)
        group.get_by_label(other.get(name, "Yes"), exact=True).check()


@pytest.fixture(scope="module")
def laboratory(served: Served) -> Served:
    investigate(served.house)
    return served


@pytest.mark.requirement("3.02")
@pytest.mark.requirement("3.04")
@pytest.mark.requirement("3.08")
def test_a_failing_lot_is_investigated_retested_and_concluded_until_its_gate_is_open(
    laboratory: Served,
):
    house = laboratory.house
    add_lots(house, LOT)
    fail(house, LOT)
    the_analyst_performs_phase_one(laboratory)
    the_analyst_files_a_document(laboratory)
    the_supervisor_reviews_it(laboratory)
    qa_plans_what_the_method_allows(laboratory)
    for text, run in (("95.1", "FLOW-R1"), ("94.2", "FLOW-R2")):
        cells = {"lot_id": LOT, "sample_id": f"{LOT}-S01"}
        assert retest(house, text, run, OOS, **cells).accepted
    qa_concludes_what_is_reviewed(laboratory)
    assert all(one.is_open for one in house.study(LOT).gates if one.name == "Investigations")
    assert house.verify().problems == ()


def the_analyst_performs_phase_one(laboratory: Served) -> None:
    with laboratory.visitor(ANA) as ana:
        ana.page.get_by_role("row").filter(has_text=OOS).get_by_role("link").click()
        expect(ana.heading("The original result")).to_be_visible()
        ana.page.get_by_role("region", name="Act").get_by_role("link", name="Perform").click()
        answer(ana, instrument="No")
        sign(ana, "Sign phase I", password="not my password")
        expect(ana.page.get_by_text("Say why, since the answer is not yes.").last).to_be_visible()
        assert case_of(laboratory.house, OOS).now.state is State.PHASE_I
        remark = "Remark on: " + CHECKLIST["instrument"]
        ana.page.get_by_label(remark).fill("The counter was blocked")
        sign(ana, "Sign phase I", password="not my password")
        expect(ana.page.get_by_text("password is wrong").last).to_be_visible()
        expect(ana.page.get_by_label(remark)).to_have_value("The counter was blocked")
        sign(ana, "Sign phase I")
        expect(ana.page.get_by_text("Signed: phase I is performed.")).to_be_visible()
        expect(ana.page.get_by_text("another person has to do it")).to_be_visible()
        ana.go(f"/investigations/{OOS}/review")
        expect(ana.page.get_by_text("You cannot sign this.")).to_be_visible()
        expect(ana.button("Sign the review")).to_have_count(0)


def the_analyst_files_a_document(laboratory: Served) -> None:
    with laboratory.visitor(ANA) as ana:
        ana.go(f"/investigations/{OOS}")
        ana.link("File a document").click()
        ana.page.get_by_label("Document", exact=True).set_input_files(
            {"name": "logbook.html", "mimeType": "text/html", "buffer": b"<html></html>"}
        )
        ana.press("File it")
        expect(ana.page.get_by_text("the document is not taken")).to_be_visible()
        ana.page.get_by_label("Document", exact=True).set_input_files(
            {"name": "logbook.pdf", "mimeType": "application/pdf", "buffer": REPORT}
        )
        ana.press("File it")
        expect(ana.page.get_by_text("The document is filed.")).to_be_visible()
        with ana.page.expect_download() as found:
            ana.page.get_by_role("link", name="logbook.pdf").click()
        assert found.value.path().read_bytes() == REPORT


def the_supervisor_reviews_it(laboratory: Served) -> None:
    with laboratory.visitor(REV) as rev:
        rev.go(f"/investigations/{OOS}")
        rev.page.get_by_role("region", name="Act").get_by_role("link").click()
        dialog = rev.page.get_by_role("dialog")
        expect(dialog.get_by_text("The counter was blocked")).to_be_visible()
        sign(rev, "Sign the review")
        expect(rev.page.get_by_text("Signed: phase I is reviewed.")).to_be_visible()
        again = rev.page.get_by_role("listitem").filter(has_text="Measured again")
        expect(again).to_contain_text("not planned")


def qa_plans_what_the_method_allows(laboratory: Served) -> None:
    with laboratory.visitor(QA1) as qa:
        qa.go(f"/investigations/{OOS}/plan")
        expect(qa.page.get_by_text("2 retests", exact=True)).to_be_visible()
        qa.page.get_by_label("Measured again by").fill(f"{ANA}, nobody")
        qa.page.get_by_label("Retests of the original sample").fill("3")
        sign(qa, "Sign and approve the plan")
        told = qa.page.get_by_role("alert")
        for wrong in ("allows 2 retests", "name a second analyst", "nobody has the user id nobody"):
            expect(told).to_contain_text(wrong)
        qa.page.get_by_label("Measured again by").fill(BEN)
        qa.page.get_by_label("Retests of the original sample").fill("2")
        sign(qa, "Sign and approve the plan")
        expect(qa.page.get_by_text("0 of 2")).to_be_visible()


def qa_concludes_what_is_reviewed(laboratory: Served) -> None:
    with laboratory.visitor(QA2) as qa:
        qa.go(f"/investigations/{OOS}/conclusion")
        expect(qa.page.get_by_text("nobody has reviewed it").first).to_be_visible()
        expect(qa.page.get_by_label("Assignable laboratory cause")).to_have_count(0)
        laboratory.house.review(LOT)
        qa.page.reload()
        expect(qa.page.get_by_text(f"89.1 % (viability) in run {RUN}")).to_be_visible()
        expect(qa.page.get_by_text("95.1 % (viability) in run FLOW-R1")).to_be_visible()
        qa.page.get_by_label("Assignable laboratory cause").check()
        sign(qa, "Sign the conclusion")
        for missing in ("Write what shows it.", "Choose the cause.", "Choose the document"):
            expect(qa.page.get_by_text(missing).last).to_be_visible()
        qa.page.get_by_label("Evidence").fill("The counter was blocked")
        qa.page.get_by_label("Cause", exact=True).select_option("Instrument failure")
        qa.page.get_by_label("Document that shows it").select_option(index=1)
        sign(qa, "Sign the conclusion")
        expect(qa.page.get_by_text("The original does not count")).to_be_visible()
        original = qa.page.get_by_role("region", name="Values of the original result")
        expect(original.get_by_role("cell", name="89.1 %")).to_be_visible()
        expect(original.get_by_text("set aside")).to_be_visible()
        expect(qa.page.get_by_text("original invalidated by").first).to_be_visible()
        qa.page.get_by_role("link", name="Look at the lot").click()
        expect(qa.link(OOS)).to_be_visible()


@pytest.mark.requirement("3.10")
def test_with_script_off_the_original_stands_and_the_lot_is_rejected(laboratory: Served):
    with laboratory.visitor(QA2, java_script_enabled=False) as qa:
        number = NUMBERS[REVIEWED]
        qa.go(f"/investigations/{number}")
        qa.page.get_by_role("region", name="Act").get_by_role("link", name="Conclude").click()
        qa.page.get_by_label("The original stands").check()
        qa.page.get_by_label("Evidence").fill("Dixon's test shows an outlier")
        sign(qa, "Sign the conclusion")
        expect(qa.page.get_by_role("alert")).to_contain_text("an outlier test is informational")
        expect(qa.page.get_by_label("The original stands")).to_be_checked()
        qa.page.get_by_label("Evidence").fill("Nothing in the laboratory explains it")
        sign(qa, "Sign the conclusion")
        expect(qa.page.get_by_text("it counts and fails, whatever").first).to_be_visible()
        qa.link("Look at the lot").click()
        qa.link("Reject").click()
        sign(qa, "Sign and reject", reason="Out of specification: viability")
        expect(qa.page.get_by_text(f"Signed: {REVIEWED} is rejected.")).to_be_visible()
    assert laboratory.house.study(REVIEWED).disposition is Disposition.REJECTED


def test_what_changed_since_the_form_was_opened_is_not_signed_and_is_told(laboratory: Served):
    number = NUMBERS[PERFORMED]
    with laboratory.visitor(REV) as rev:
        rev.go(f"/investigations/{number}/review")
        data = alone("viability", lot=PERFORMED, value="95", run_id=f"W-{PERFORMED}")
        assert laboratory.house.upload(data, by=BEN).accepted
        sign(rev, "Sign the review")
        expect(rev.page.get_by_role("alert")).to_contain_text("not any more as you saw it")
        expect(rev.button("Sign the review")).to_have_count(0)
        rev.link("Look at it again").click()
        expect(rev.heading("Also on record, without a plan")).to_be_visible()
        assert case_of(laboratory.house, number).now.state is State.REVIEW
        rev.go(f"/investigations/{number}/review")
        rev.page.get_by_label("Reason", exact=True).fill(WHY)
        form = {
            name: rev.page.locator(f"main input[name={name}]").first.input_value()
            for name in ("token", "key", "seen", "reason")
        } | {"password": PASSWORD}
        address = f"{rev.address}/investigations/{number}/review"
        for _ in range(2):
            sent = rev.context.request.post(
                address, form=form, headers={"Origin": rev.address}, max_redirects=0
            )
            assert sent.status == 303
        assert case_of(laboratory.house, number).now.state is State.CONCLUSION
        kinds = [step.kind for step in case_of(laboratory.house, number).steps]
        assert kinds == ["phase I", "phase I reviewed"]
        rev.go(f"/investigations/patterns?lot={PERFORMED}")
        expect(rev.page.get_by_text("Passes without or beyond an approved plan")).to_be_visible()
        forged = rev.context.request.post(
            address, form=form | {"token": "other"}, headers={"Origin": rev.address}
        )
        assert forged.status == 403


def test_a_later_day_and_an_opening_anew_are_signed_by_qa_alone(laboratory: Served):
    with laboratory.visitor(QA1) as qa:
        qa.go(f"/investigations/{NUMBERS[WAITING]}")
        qa.link("Extend the due date").click()
        qa.page.get_by_label("Due on").fill("2026-06-02")
        sign(qa, "Sign the later day")
        expect(qa.page.get_by_role("alert")).to_contain_text("name a later day")
        qa.page.get_by_label("Due on").fill("2026-12-01")
        sign(qa, "Sign the later day")
        expect(qa.page.get_by_text("1 Dec 2026").first).to_be_visible()
        qa.go(f"/investigations/{NUMBERS[ENDED]}")
        qa.link("Open again").click()
        sign(qa, "Sign and open again")
        expect(qa.page.get_by_text("Signed: the investigation is open again.")).to_be_visible()
        qa.go("/lots/NONE-1/hold")
        expect(qa.page.get_by_text("NONE-1").first).to_be_visible()
    with laboratory.visitor(AUD) as auditor:
        auditor.go(f"/investigations/{NUMBERS[ENDED]}")
        expect(auditor.page.get_by_text("Conclude: QA.")).to_be_visible()
        auditor.go(f"/investigations/{NUMBERS[PLANNED]}")
        expect(auditor.page.get_by_text("1 of 2")).to_be_visible()
        expect(auditor.page.get_by_text("Change the plan")).to_have_count(0)
        auditor.go(f"/investigations/{NUMBERS[ENDED]}/conclusion")
        expect(auditor.page.get_by_text("Your role does not allow it.")).to_be_visible()


def test_the_list_is_an_address_and_the_csv_holds_the_same(laboratory: Served):
    with laboratory.visitor(AUD) as auditor:
        auditor.go("/investigations")
        main = auditor.page.get_by_role("main")
        main.get_by_label("Lot", exact=True).fill(PLANNED)
        main.get_by_label("State").select_option("Retests under way")
        auditor.press("Show")
        expect(auditor.page.get_by_role("row")).to_have_count(2)
        assert "show=retests" in auditor.page.url
        with auditor.page.expect_download() as found:
            auditor.link("CSV").click()
        (row,) = csv.DictReader(StringIO(found.value.path().read_text("utf-8-sig")))
        assert (row["investigation"], row["lot"]) == (NUMBERS[PLANNED], PLANNED)
        main.get_by_label("Person").fill("nobody")
        auditor.press("Show")
        expect(auditor.page.get_by_text("No investigation is like that")).to_be_visible()


def test_a_document_that_is_too_large_or_of_no_form_is_refused_and_nothing_is_filed(
    laboratory: Served,
):
    number = NUMBERS[WAITING]
    before = len(case_of(laboratory.house, number).steps)
    with laboratory.visitor(ANA) as ana:
        ana.go(f"/investigations/{number}/document")
        address = f"{ana.address}/investigations/documents"
        form = {
            name: ana.page.locator(f"main input[name={name}]").first.input_value()
            for name in ("token", "key", "number")
        }
        large = ("x.txt", b"x" * 20_100_000, "text/plain")
        headers = {"Origin": ana.address}
        cookies = {one["name"]: one["value"] for one in ana.context.cookies()}
        # Through the browser's own client it would take as long as ten tests.
        sent = httpx.post(
            address, data=form, files={"file": large}, headers=headers, cookies=cookies,
            verify=NO_AUTHORITIES, timeout=60,
        )  # fmt: skip
        assert (sent.status_code, "larger than documents may be" in sent.text) == (413, True)
        plain = ana.context.request.post(address, form=form, headers=headers)
        assert (plain.status, "BQC-WEB-031" in plain.text()) == (422, True)
        foreign = ana.context.request.post(address, multipart=form, headers={"Origin": "http://x"})
        assert foreign.status == 403
        ana.press("File it")
        expect(ana.page.get_by_text("Choose a file.").last).to_be_visible()
    assert len(case_of(laboratory.house, number).steps) == before
