"""Reviews, corrections, second entries and later decisions at a browser: two people, each once."""

import csv
import re
from datetime import timedelta
from io import StringIO

import pytest
from playwright.sync_api import expect

from batchqc.core.laboratory import Register, Rule
from batchqc.core.signatures import Refusal
from batchqc.records import lots_at_work
from batchqc.records.corrections import correction_by, decision_on
from batchqc.records.lot_reviews import audit_reviews_of, lot_reviews_of
from batchqc.records.registers import lot_by
from batchqc.records.uploads import reviews_of, runs_of
from tests.actions.correcting import request
from tests.actions.test_laboratory import rule
from tests.actions.test_later_decisions import LATER, STAGED, bring_in, registered
from tests.actions.test_open_work import register
from tests.actions.test_register_remarks import train
from tests.actions.typing_results import VIAB, enter
from tests.records.genealogy import clinic, vials
from tests.records.house import (
    ANA,
    AUD,
    BEN,
    LOT,
    PASSWORD,
    QA1,
    QA2,
    QA3,
    REV,
    adopt,
    alone,
    results,
)
from tests.web.browsing import Visitor
from tests.web.conftest import Served
from tests.web.lots import BAD, add_bad_lot, add_lots

WHY = "Compared with the raw data"


def fill(visitor: Visitor, *, reason: str = WHY, password: str = PASSWORD) -> None:
    visitor.page.get_by_label("Reason").fill(reason)
    visitor.page.get_by_label("Password", exact=True).fill(password)


def signed(site: Served, lot: str = LOT) -> tuple[int, int, int]:
    """How many reviews of runs, of the lot and of its audit trail are on record."""
    with site.house.reading() as session:
        row = lot_by(session, lot)
        assert row is not None
        reviews = reviews_of(session, runs_of(session, row))
        return len(reviews), len(lot_reviews_of(session, row)), len(audit_reviews_of(session, row))


@pytest.mark.requirement("2.06")
def test_a_lot_is_reviewed_run_by_run_then_as_a_whole_then_its_audit_trail(site: Served):
    assert site.house.upload(results()).accepted
    with site.visitor(REV) as rev:
        rev.go(f"/lots/{LOT}/review")
        expect(rev.page.get_by_text("7 runs wait for a second person")).to_be_visible()
        expect(rev.page.get_by_role("link", name="Review the lot for QC")).to_have_count(0)
        expect(rev.page.get_by_text("7 of 7 runs need your eyes")).to_be_visible()
        review_the_runs(site, rev)
        assert signed(site) == (7, 0, 0)
        rev.link("Review the lot for QC").click()
        fill(rev)
        rev.press("Sign and hand to QA")
        expect(rev.page.get_by_text("QC is done")).to_be_visible()
        expect(rev.page.get_by_text("7 of 7 runs have exceptions")).to_be_visible()
        assert signed(site) == (7, 1, 0)
    with site.visitor(QA3, java_script_enabled=False) as qa:
        row = qa.page.get_by_role("row").filter(has_text=LOT).filter(has_text="Audit trail review")
        row.get_by_role("link").click()
        expect(qa.page.get_by_text(re.compile(r"entered \d+ days")).first).to_be_visible()
        qa.link("Sign as read").click()
        head = qa.page.get_by_role("definition").filter(has_text=re.compile("^[0-9a-f]{64}$"))
        expect(head).to_have_count(2)
        fill(qa)
        qa.press("Sign the audit trail as read")
        expect(qa.page.get_by_text("Signed as read")).to_be_visible()
        assert signed(site) == (7, 1, 1)
    assert site.house.study().is_ready
    assert site.house.verify().problems == ()


def review_the_runs(site: Served, rev: Visitor) -> None:
    """Sign them, after a wrong password; the hash that is shown is the one that is bound."""
    rev.link("Review the runs").click()
    dialog = rev.page.get_by_role("dialog")
    for told in ("FLOW-250520-01", "ENDO-250520-01", "Reviewed"):
        expect(dialog.get_by_text(told).first).to_be_visible()
    shown = dialog.get_by_role("definition").filter(has_text=re.compile("^[0-9a-f]{64}$"))
    record = shown.inner_text()
    fill(rev, password="not my password")
    rev.press("Sign the review of the runs")
    expect(dialog.get_by_text("password is wrong").last).to_be_visible()
    expect(rev.page.get_by_label("Reason")).to_have_value(WHY)
    assert signed(site) == (0, 0, 0)
    rev.page.get_by_label("Password", exact=True).fill(PASSWORD)
    rev.press("Sign the review of the runs")
    expect(rev.page.get_by_text("Signed: the runs are reviewed.")).to_be_visible()
    with site.house.reading() as session:
        row = lot_by(session, LOT)
        assert row is not None
        reviews = reviews_of(session, runs_of(session, row))
        assert {one.signature.record_sha256 for one in reviews} == {record}


def test_who_may_not_review_is_told_why_and_what_came_meanwhile_is_not_signed(site: Served):
    assert site.house.upload(results(viability={"analyst": REV})).accepted
    with site.visitor(ANA) as ana:
        ana.go(f"/lots/{LOT}/review")
        expect(ana.page.get_by_text("your role does not")).to_be_visible()
        expect(ana.page.get_by_role("link", name="Review the runs")).to_have_count(0)
        ana.go(f"/lots/{LOT}/review/runs")
        expect(ana.page.get_by_text("You cannot sign this.")).to_be_visible()
        expect(ana.button("Sign the review of the runs")).to_have_count(0)
    with site.visitor(REV) as rev:
        rev.go(f"/lots/{LOT}/review")
        expect(rev.page.get_by_text("rev entered or measured").first).to_be_visible()
        expect(rev.page.get_by_role("link", name="Review the runs")).to_have_count(0)
        add_bad_lot(site.house)
        rev.go(f"/lots/{BAD}/review/runs")
        changed = alone("endotoxin", lot=BAD, value="0.2", run_id="LATE-1")
        assert site.house.upload(changed).accepted
        fill(rev)
        rev.press("Sign the review of the runs")
        expect(rev.page.get_by_role("alert").first).to_contain_text("not any more as you saw it")
        assert signed(site, BAD) == (0, 0, 0)
        rev.link("Look at it again").click()
        expect(rev.page.get_by_text("the same is measured in").first).to_be_visible()
        rev.go(f"/lots/{BAD}/review/runs")
        fill(rev)
        form = {
            name: rev.page.locator(f"input[name={name}]").first.input_value()
            for name in ("token", "key", "seen", "reason", "password")
        }
        for _ in range(2):
            answer = rev.context.request.post(
                f"{rev.address}/lots/{BAD}/review/runs",
                form=form,
                headers={"Origin": rev.address},
                max_redirects=0,
            )
            assert answer.status == 303
        assert signed(site, BAD)[0] == 7


def test_a_lot_is_not_reviewed_over_exceptions_that_the_form_did_not_show(site: Served):
    """The runs of other lots make one of this lot exceptional while its form is open."""
    assert site.house.upload(results()).accepted
    site.house.review()
    with site.visitor(REV) as rev:
        rev.go(f"/lots/{LOT}/review/lot")
        hashes = rev.page.get_by_role("definition").filter(has_text=re.compile("^[0-9a-f]{64}$"))
        shown = hashes.last.inner_text()
        others = [f"MSC-26-{number:04}" for number in range(100, 105)]
        add_lots(site.house, *others)
        for lot in others:
            used = alone("viability", lot=lot, instrument_id="VCB-009", run_id=f"V-{lot}")
            assert site.house.upload(used).accepted
        fill(rev)
        rev.press("Sign and hand to QA")
        expect(rev.page.get_by_role("alert").first).to_contain_text("not any more as you saw it")
        assert signed(site) == (7, 0, 0)
        rev.link("Look at it again").click()
        rev.go(f"/lots/{LOT}/review/lot")
        now = hashes.last.inner_text()
        assert now != shown
        fill(rev)
        rev.press("Sign and hand to QA")
        expect(rev.page.get_by_text("QC is done")).to_be_visible()
    with site.house.reading() as session:
        row = lot_by(session, LOT)
        assert row is not None
        assert [one.signature.record_sha256 for one in lot_reviews_of(session, row)] == [now]


def test_no_run_is_reviewed_that_the_form_did_not_show(site: Served):
    """A training that is registered while the form is open lets more be signed than it lists."""
    assert site.house.upload(results()).accepted
    train(site.house, REV, "SOP-QC-014")
    rule(site.house, Register.TRAINING, Rule.REFUSE)
    with site.visitor(REV) as rev:
        rev.go(f"/lots/{LOT}/review/runs")
        expect(rev.page.get_by_text("Left for others")).to_be_visible()
        train(site.house, REV, "SOP-QC-021")
        fill(rev)
        rev.press("Sign the review of the runs")
        expect(rev.page.get_by_role("alert").first).to_contain_text("not any more as you saw it")
        assert signed(site) == (0, 0, 0)
        rev.link("Look at it again").click()


@pytest.fixture(scope="module")
def laboratory(served: Served) -> Served:
    add_bad_lot(served.house)
    return served


def test_what_needs_eyes_stands_first_each_value_with_its_cell(laboratory: Served):
    with laboratory.visitor(AUD) as visitor:
        visitor.go(f"/lots/{BAD}/review")
        expect(visitor.page.get_by_role("article").first).to_contain_text("Out of specification")
        first = visitor.page.get_by_role("article").first
        for told in ("B-VIAB", "89", "> 90 %", "Does not conform", "SOP-QC-014 v3", "VCB-001"):
            expect(first).to_contain_text(told)
        first.get_by_role("button", name=re.compile(r"value, row \d+")).click()
        source = visitor.page.get_by_role("dialog", name="Where 89 was read")
        expect(source).to_contain_text("results.csv")
        assert visitor.violations() == []
        visitor.page.keyboard.press("Escape")
        visitor.page.keyboard.press("j")
        visitor.page.keyboard.press("Enter")
        expect(visitor.page).to_have_url(re.compile("#run-1$"))


def test_work_is_filtered_ordered_and_paged_by_its_address_and_the_csv_holds_all(
    laboratory: Served,
):
    lots = [f"MSC-26-{number:04}" for number in range(300, 312)]
    add_lots(laboratory.house, *lots)
    with laboratory.visitor(ANA) as ana:
        found = re.search(r"(\d+) things wait for you", ana.page.get_by_role("main").inner_text())
        assert found
        assert int(found[1]) > 50
        rows = ana.page.get_by_role("row")
        expect(rows).to_have_count(51)
        ana.link("Next page").click()
        expect(rows).to_have_count(int(found[1]) - 50 + 1)
        ana.page.get_by_role("main").get_by_label("Lot").fill("0305")
        ana.page.get_by_label("Kind", exact=True).select_option("Result")
        ana.page.get_by_label("Order").select_option("Oldest first")
        ana.press("Show")
        expect(rows.filter(has_text=lots[5])).to_have_count(7)
        expect(rows).to_have_count(8)
        with ana.page.expect_download() as download:
            ana.link("CSV").click()
        held = list(csv.DictReader(StringIO(download.value.path().read_text("utf-8-sig"))))
        assert {(one["lot"], one["kind"]) for one in held} == {(lots[5], "result")}
        assert len(held) == 7
        ana.go(f"/?of=all&lot={BAD}")
        row = rows.filter(has_text="B-VIAB")
        expect(row).to_contain_text("reviewer")
        row.get_by_role("link").click()
        expect(ana.heading(f"Review of {BAD}")).to_be_visible()
        ana.go("/reviews?lot=0013")
        ana.link(BAD).click()
        expect(ana.heading(f"Review of {BAD}")).to_be_visible()


def test_an_expired_lot_that_waits_for_a_review_is_told_to_be_expired(site: Served):
    add_bad_lot(site.house)
    site.house.now.at += timedelta(days=4000)
    with site.visitor(ANA) as ana:
        for path in ("/?of=all", "/reviews"):
            ana.go(path)
            row = ana.page.get_by_role("row").filter(has_text=BAD).first
            expect(row).to_contain_text("Expired")


def test_one_asks_for_a_correction_and_another_one_decides(site: Served):
    with site.visitor(ANA) as ana:
        ask_for_another_expiry(ana)
        expect(ana.page.get_by_role("deletion")).to_contain_text("18 May 2027")
        expect(ana.page.get_by_text("QA decides over corrections")).to_be_visible()
    own = request(site.house, f"sample:{LOT}-S01", "container", "cryobag", by=QA1)
    with site.visitor(QA1, java_script_enabled=False) as qa:
        qa.go(f"/corrections/{own}")
        expect(qa.page.get_by_text("You asked for it")).to_be_visible()
        qa.go("/corrections?state=waits")
        qa.link("C-2026-000001").click()
        qa.link("Approve").click()
        expect(qa.page.get_by_text("Signed record, SHA-256")).to_be_visible()
        fill(qa, reason="...")
        qa.press("Sign and approve")
        expect(qa.page.get_by_text("at least one real word").last).to_be_visible()
        fill(qa)
        qa.press("Sign and approve")
        expect(qa.page.get_by_text("Signed: C-2026-000001 is approved.")).to_be_visible()
        assert decided_by(site, "C-2026-000001") == (1, QA1)
        qa.go("/corrections/C-2026-000001/decision/refuse")
        expect(qa.page.get_by_text("It is decided already.")).to_be_visible()
        qa.go(f"/lots/{LOT}")
        expect(qa.page.get_by_text("usable until 17 May 2027")).to_be_visible()


def ask_for_another_expiry(ana: Visitor) -> None:
    """Blank first, then a day that is none, then one."""
    ana.go(f"/lots/{LOT}")
    ana.link("Ask for a correction").click()
    ana.link("Usable until").click()
    ana.press("Ask for this correction")
    expect(ana.page.get_by_text("Write why it was wrong.").first).to_be_visible()
    ana.page.get_by_label("What it should say").fill("18.05.2028")
    ana.page.get_by_label("Why it was wrong").fill("Typed the wrong year")
    ana.press("Ask for this correction")
    expect(ana.page.get_by_role("alert")).to_contain_text("write it as YYYY-MM-DD")
    expect(ana.page.get_by_label("Why it was wrong")).to_have_value("Typed the wrong year")
    ana.page.get_by_label("What it should say").fill("2027-05-17")
    ana.press("Ask for this correction")
    expect(ana.page.get_by_text("Waits for its decision")).to_be_visible()


def decided_by(site: Served, number: str) -> tuple[int, str]:
    """Whether a correction is approved, and by whom."""
    with site.house.reading() as session:
        row = correction_by(session, number)
        assert row is not None
        decision = decision_on(session, row)
        assert decision is not None
        return decision.approved, decision.signature.person.user_id


@pytest.mark.requirement("1.31")
def test_a_second_person_types_from_the_source_what_they_do_not_see(site: Served):
    number = enter(site.house, by=BEN).number
    other = enter(site.house, by=BEN, run="MYCO-2").number
    with site.visitor(REV) as rev:
        row = rev.page.get_by_role("row").filter(has_text=number)
        row.get_by_role("link").click()
        expect(rev.heading(f"Second entry of {number}")).to_be_visible()
        assert "Negative" not in rev.page.content()
        rev.press("Sign the second entry")
        expect(rev.page.get_by_text("as it stands on the source").first).to_be_visible()
        for name, value, told in (
            (number, "Negative", "Both typed the same"), (other, "Positive", "Does not match"),
        ):  # fmt: skip
            rev.go(f"/second-entries/{name}")
            rev.page.get_by_label("Value").fill(value)
            fill(rev)
            rev.press("Sign the second entry")
            expect(rev.page.get_by_text(told, exact=True)).to_be_visible()
            expect(rev.page.get_by_role("cell", name="Negative").first).to_be_visible()
        expect(rev.page.get_by_text("This entry is never used.")).to_be_visible()
        assert rev.violations() == []
    with site.visitor(BEN) as ben:
        third = enter(site.house, by=BEN, run="MYCO-3").number
        ben.go(f"/second-entries/{third}")
        expect(ben.page.get_by_text("You cannot sign this.")).to_be_visible()
        expect(ben.button("Sign the second entry")).to_have_count(0)


@pytest.mark.requirement("1.31")
def test_a_second_entry_without_its_unit_is_told_so_and_not_signed(site: Served):
    number = enter(site.house, VIAB, by=BEN).number
    with site.visitor(REV) as rev:
        rev.go(f"/second-entries/{number}")
        rev.page.get_by_label("Value").fill("93.40")
        fill(rev)
        rev.press("Sign the second entry")
        expect(rev.page.get_by_label("Unit")).to_have_attribute("aria-invalid", "true")
        rev.page.get_by_label("Unit").fill("%")
        fill(rev)
        rev.press("Sign the second entry")
        expect(rev.page.get_by_text("Both typed the same", exact=True)).to_be_visible()


@pytest.mark.requirement("2.24")
def test_a_released_lot_is_recalled_with_all_that_the_decision_asks_for(site: Served):
    house = site.house
    house.ready()
    vials(house, f"lot:{LOT}", f"{LOT}-V1")
    house.hand_to_qa()
    assert not isinstance(house.release(), Refusal)
    with site.visitor(QA2) as qa:
        recall(qa)
        destroy(qa)
    assert [one.disposition for one in house.study().dispositions] == [
        "released", "recalled", "destroyed",
    ]  # fmt: skip


def recall(qa: Visitor) -> None:
    """Without its particulars first."""
    qa.go(f"/lots/{LOT}")
    for act in ("Supply by exception", "Destruction"):
        expect(qa.page.get_by_role("link", name=act)).to_have_count(0)
    qa.link("Recall").click()
    dialog = qa.page.get_by_role("dialog")
    expect(dialog.get_by_text(f"{LOT}-V1 of lot:{LOT}")).to_be_visible()
    fill(qa, reason="A complaint came in")
    qa.press("Sign and recall")
    expect(dialog.get_by_text("One of I, II, III.").last).to_be_visible()
    expect(dialog.get_by_text("What is recalled, from whom.").last).to_be_visible()
    qa.page.get_by_label("Class of the recall").select_option("II")
    qa.page.get_by_label("Scope").fill("Every dose, from every site")
    fill(qa, reason="A complaint came in")
    qa.press("Sign and recall")
    expect(qa.page.get_by_text(f"Signed: {LOT} is recalled.")).to_be_visible()


def destroy(qa: Visitor) -> None:
    """With oneself as the witness first."""
    qa.link("Destruction").click()
    qa.page.get_by_label("Method").fill("Incinerated")
    qa.page.get_by_label("Witness").fill(QA2)
    fill(qa, reason="Recalled, and destroyed")
    qa.press("Sign the destruction")
    expect(qa.page.get_by_role("dialog").get_by_text("does not sign it").first).to_be_visible()
    expect(qa.page.get_by_label("Method")).to_have_value("Incinerated")
    qa.page.get_by_label("Witness").fill(ANA)
    qa.page.get_by_label("Password", exact=True).fill(PASSWORD)
    qa.press("Sign the destruction")
    expect(qa.page.get_by_text(f"Signed: {LOT} is destroyed.")).to_be_visible()


@pytest.mark.requirement("2.25")
def test_a_lot_is_released_conditionally_with_days_and_sites(site: Served):
    house = site.house
    adopt(house, STAGED)
    clinic(house, "SITE-1")
    registered(house)
    bring_in(house)
    with site.visitor(QA1, java_script_enabled=False) as qa:
        qa.go(f"/lots/{LATER}")
        qa.link("Release conditionally").click()
        day = qa.page.get_by_label("due until")
        day.fill("soon")
        fill(qa)
        qa.press("Sign and release conditionally")
        expect(qa.page.get_by_text("Type the last day").first).to_be_visible()
        day.fill("2026-06-20")
        fill(qa)
        qa.press("Sign and release conditionally")
        expect(qa.page.get_by_text("name at least one clinical site")).to_be_visible()
        qa.page.get_by_label("SITE-1").check()
        fill(qa)
        qa.press("Sign and release conditionally")
        expect(qa.page.get_by_text(f"Signed: {LATER} is conditionally released.")).to_be_visible()
    case = house.study(LATER)
    assert case.disposition == "conditionally released"
    assert len(case.dispositions) == 1


def test_work_of_very_many_lots_stands_on_the_pages_that_follow(
    site: Served, monkeypatch: pytest.MonkeyPatch
):
    lots = [LOT, *(f"MSC-26-090{n}" for n in range(3))]
    for lot in lots[1:]:
        register(site.house, lot)
        assert site.house.upload(results(lot=lot)).accepted
    monkeypatch.setattr(lots_at_work, "LOTS_AT_ONCE", 1)
    with site.visitor(REV, java_script_enabled=False) as rev:
        assert walked(rev, "/?of=all", "some lots at a time") == lots
        assert walked(rev, "/reviews", "At least 0 ") == lots[1:]
        rev.go("/?of=all&lot=0902")
        expect(rev.page.get_by_role("cell", name=lots[-1]).first).to_be_visible()
        expect(rev.page.get_by_role("cell", name=LOT)).to_have_count(0)


def walked(visitor: Visitor, path: str, said: str) -> list[str]:
    """The lots of a list, page by page."""
    visitor.go(path)
    expect(visitor.page.get_by_text(said)).to_be_visible()
    following, found = visitor.page.get_by_role("link", name="Next page"), dict[str, None]()
    while True:
        found |= dict.fromkeys(re.findall(r">(MSC-26-\d{4})<", visitor.page.content()))
        if not following.count():
            return list(found)
        following.click()
