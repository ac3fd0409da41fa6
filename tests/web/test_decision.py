"""A lot is decided at a browser: heavy, once and clear; and never on what is not so any more."""

import pytest
from playwright.sync_api import Route, expect
from sqlalchemy import select

from batchqc.actions.holds import hold_lot
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.decisions import dispositions_of
from batchqc.records.registers import lot_by
from batchqc.records.signatures import SignatureRow
from tests.records.house import LOT, PASSWORD, QA1, QA2, REV, alone, signing
from tests.web.browsing import Visitor
from tests.web.conftest import Served

WHY = "Complies with its specification"


def decisions(site: Served) -> list[tuple[str, str, str]]:
    """What is on record of the lot: disposition, who signed, and why."""
    with site.house.reading() as session:
        row = lot_by(session, LOT)
        assert row is not None
        return [
            (one.disposition, one.signature.person.user_id, one.reason)
            for one in dispositions_of(session, row)
        ]


def fill(visitor: Visitor, *, reason: str = WHY, password: str = PASSWORD) -> None:
    visitor.page.get_by_label("Reason").fill(reason)
    visitor.page.get_by_label("Password", exact=True).fill(password)


def test_qa_releases_a_lot_by_keys_alone_and_its_certificate_stands_on_its_page(site: Served):
    site.house.ready()
    with site.visitor(QA1) as qa:
        qa.go(f"/lots/{LOT}")
        expect(qa.page.get_by_text("Nothing blocks the release")).to_be_visible()
        qa.page.keyboard.press("r")
        expect(qa.page.get_by_label("Reason")).to_be_focused()
        dialog = qa.page.get_by_role("dialog")
        for told in ("12 of 12 conform", "UC-MSC-REL v1", "Every gate is open", "Certified"):
            expect(dialog.get_by_text(told).first).to_be_visible()
        expect(qa.page.get_by_label("Password", exact=True)).to_have_value("")
        qa.page.keyboard.press("Enter")
        expect(dialog.get_by_text("Not signed.")).to_be_visible()
        expect(dialog.get_by_text("Type your password.").last).to_be_visible()
        expect(qa.page.get_by_label("Reason")).to_be_focused()
        fill(qa, password="not my password")
        qa.page.keyboard.press("Enter")
        expect(dialog.get_by_text("password is wrong").last).to_be_visible()
        expect(qa.page.get_by_label("Reason")).to_have_value(WHY)
        expect(qa.page.get_by_label("Password", exact=True)).to_have_value("")
        assert decisions(site) == []
        qa.page.get_by_label("Password", exact=True).fill(PASSWORD)
        qa.page.keyboard.press("Enter")
        expect(qa.page.get_by_text(f"Signed: {LOT} is released.")).to_be_visible()
        assert decisions(site) == [("released", QA1, WHY)]
        expect(qa.page.get_by_role("link", name="Release")).to_have_count(0)
        qa.link("COA-2026-000001").click()
        answer = qa.context.request.get(f"{qa.page.url}/pdf")
        assert answer.headers["content-type"] == "application/pdf"
        qa.page.go_back()
        assert decisions(site) == [("released", QA1, WHY)]


def test_what_changed_since_it_was_opened_is_not_signed_and_the_difference_is_told(site: Served):
    site.house.ready()
    with site.visitor(QA1) as qa:
        qa.go(f"/lots/{LOT}/decision/release")
        assert site.house.upload(alone("endotoxin", value="0.2", run_id="LATE-1")).accepted
        fill(qa)
        qa.press("Sign and release")
        told = qa.page.get_by_role("alert").first
        expect(told).to_contain_text("not any more as you saw it")
        expect(told).to_contain_text("ana (analyst): upload accepted")
        expect(qa.button("Sign and release")).to_have_count(0)
        assert decisions(site) == []
        qa.link("Look at the lot again").click()
        expect(qa.page.get_by_text("What blocks the release")).to_be_visible()


@pytest.mark.requirement("2.03")
def test_a_script_that_comes_late_takes_nobody_out_of_the_field_of_the_password(site: Served):
    site.house.ready()
    late: list[Route] = []

    def keep(route: Route) -> None:  # a bound method of a list is no handler to the browser
        late.append(route)

    with site.visitor(QA1) as qa:
        qa.go(f"/lots/{LOT}/decision/release")
        qa.page.route("**/app*.js", keep)
        qa.button("Sign and release").click(no_wait_after=True)
        password = qa.page.get_by_label("Password", exact=True)
        expect(qa.page.get_by_text("Type your password.").last).to_be_visible()
        password.focus()
        late[0].continue_()
        qa.page.wait_for_load_state()
        expect(password).to_be_focused()
        qa.page.unroute_all(behavior="ignoreErrors")


def test_a_lot_is_rejected_with_script_off(site: Served):
    site.house.ready()
    with site.visitor(QA2, java_script_enabled=False) as qa:
        qa.go(f"/lots/{LOT}")
        qa.link("Reject").click()
        qa.page.get_by_label("Reason").fill("...")
        qa.page.get_by_label("Password", exact=True).fill(PASSWORD)
        qa.press("Sign and reject")
        expect(qa.page.get_by_text("at least one real word").last).to_be_visible()
        assert decisions(site) == []
        fill(qa, reason="The donor withdrew")
        qa.press("Sign and reject")
        expect(qa.page.get_by_text(f"Signed: {LOT} is rejected.")).to_be_visible()
        assert decisions(site) == [("rejected", QA2, "The donor withdrew")]


@pytest.mark.requirement("2.04")
def test_who_reviewed_the_lot_is_told_why_they_may_not_release_it(site: Served):
    site.house.ready()
    with site.visitor(REV) as rev:
        rev.go(f"/lots/{LOT}/decision/release")
        expect(rev.page.get_by_text("You cannot decide this")).to_be_visible()


def test_what_is_sent_twice_is_signed_once(site: Served):
    site.house.ready()
    with site.visitor(QA1) as qa:
        qa.go(f"/lots/{LOT}/decision/release")
        fill(qa)
        form = {
            name: qa.page.locator(f"input[name={name}]").first.input_value()
            for name in ("token", "key", "seen", "reason", "password")
        }
        address = f"{qa.address}/lots/{LOT}/decision/release"
        for _ in range(2):
            answer = qa.context.request.post(
                address, form=form, headers={"Origin": qa.address}, max_redirects=0
            )
            assert (answer.status, answer.headers["location"]) == (303, f"/lots/{LOT}?did=release")
        assert decisions(site) == [("released", QA1, WHY)]


@pytest.mark.parametrize("act", ["hold", "decision/release"])
def test_of_two_tabs_with_the_same_form_one_signs_and_the_other_is_told_what_changed(
    site: Served, act: str
):
    """Each has a key of its own; what both saw is not so any more once one was sent."""
    site.house.ready()
    with site.visitor(QA1) as qa:
        address, forms = f"{qa.address}/lots/{LOT}/{act}", list[dict[str, str]]()
        for _ in range(2):
            qa.begin_anew()
            qa.go(f"/lots/{LOT}/{act}")
            fill(qa)
            forms.append(
                {
                    name: qa.page.locator(f"[name={name}]").last.input_value()
                    for name in ("token", "key", "seen", "reason", "password")
                }
            )
        assert forms[0]["key"] != forms[1]["key"]
        first, second = (
            qa.context.request.post(
                address, form=form, headers={"Origin": qa.address}, max_redirects=0
            )
            for form in forms
        )
        assert first.status == 303
        assert second.status in {409, 412}, second.text()
        assert "BQC-API-020" in second.text() or "BQC-REL" in second.text()
    with site.house.reading() as session:
        signed = session.scalars(select(SignatureRow).where(SignatureRow.reason == WHY)).all()
        assert [one.person.user_id for one in signed] == [QA1]


def test_of_an_answer_that_is_lost_it_is_not_told_that_nothing_was_saved(site: Served):
    def done_and_not_told(route: Route) -> None:
        route.fetch()
        route.abort()

    site.house.ready()
    with site.visitor(QA1) as qa:
        qa.go(f"/lots/{LOT}")
        qa.page.keyboard.press("r")
        fill(qa)
        qa.page.route("**/decision/release", done_and_not_told)
        qa.press("Sign and release")
        expect(qa.page.get_by_text("Whether it was done is not known.")).to_be_visible()
        assert decisions(site) == [("released", QA1, WHY)]
        qa.page.unroute("**/decision/release")
        qa.wrong.clear()  # the browser says that there was no answer
        qa.press("Sign and release")
        expect(qa.page.get_by_text(f"Signed: {LOT} is released.")).to_be_visible()
        assert decisions(site) == [("released", QA1, WHY)]


def test_who_goes_back_and_sends_again_signs_nothing_more_and_is_told_so(site: Served):
    site.house.ready()
    with site.visitor(QA1) as qa:
        qa.go(f"/lots/{LOT}/hold")
        fill(qa, reason="A complaint came in")
        form = {name: qa.page.locator(f"[name={name}]").last for name in ("key", "seen")}
        kept = {name: one.input_value() for name, one in form.items()}
        qa.press("Sign and hold")
        expect(qa.page.get_by_text("Signed: the lot is held.")).to_be_visible()
        qa.page.go_back()
        fill(qa, reason="Another complaint came in")
        for name, one in form.items():  # as the form is that a browser kept
            one.evaluate("(one, kept) => { one.value = kept }", kept[name])
        qa.press("Sign and hold")
        told = qa.page.get_by_role("alert").first
        expect(told).to_contain_text("this form was sent already, and what it says was done then")
        expect(told).to_contain_text("Nothing was done twice")
        expect(qa.page.get_by_role("heading", name="Hold 2")).to_have_count(0)


def test_what_speaks_against_a_released_lot_is_told_on_its_page(site: Served):
    site.house.ready()
    assert not isinstance(site.house.release(), Refusal)
    with site.visitor(QA1) as qa:
        qa.go(f"/lots/{LOT}")
        expect(qa.page.get_by_text("What speaks against the lot now")).to_have_count(0)
        with site.house.acting(QA2, Permission.HOLD_LOT) as tx:
            hold_lot(tx, lot=LOT, credentials=signing(QA2, "A complaint came in"))
        qa.page.reload()
        expect(qa.heading("What speaks against the lot now")).to_be_visible()
        expect(qa.page.get_by_text("A complaint came in").first).to_be_visible()
        expect(qa.page.get_by_text("On hold").first).to_be_visible()
        assert qa.violations() == []
