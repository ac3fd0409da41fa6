"""What was signed on paper and entered late is shown with both times, and with its form."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from playwright.sync_api import expect

from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.dispositions import Decision, reject_lot, release_lot
from batchqc.actions.holds import hold_lot
from batchqc.actions.system_stops import record_stop
from batchqc.core.permissions import Permission
from tests.actions.test_guarded_decisions import certified, check
from tests.actions.test_late_entries import at, paper, stop
from tests.records.house import DON, DONOR, LOT, QA1, QA2, QA3, signing
from tests.web.conftest import Served
from tests.web.lots import add_lots

OTHER = "MSC-26-0130"


@pytest.mark.requirement("1.14", "1.40")
def test_a_page_tells_when_it_was_signed_on_paper(served: Served):
    house = served.house
    stop(house)
    with house.acting(DON, Permission.DETERMINE_ELIGIBILITY) as tx:
        wanted = NewDetermination(DONOR, "Screening", eligible=True)
        determine_eligibility(tx, house.archive, wanted, credentials=paper(DON, at(0, 30), "F-11"))
    add_lots(house, OTHER)
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        reject_lot(tx, house.archive, lot=OTHER, credentials=paper(QA1, at(3)))
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        hold_lot(tx, lot=LOT, credentials=paper(QA1, at(3, 30), "F-13"))
    with served.visitor(QA2) as qa:
        for path, time, form in (
            (f"/donors/{DONOR}", at(0, 30), "F-11"),
            (f"/lots/{OTHER}", at(3), "F-12"),
            (f"/lots/{LOT}/hold", at(3, 30), "F-13"),
        ):
            qa.go(path)
            said = f"signed on paper {time}, form {form}, and entered late"
            expect(qa.page.get_by_text(said).first).to_be_visible()


@pytest.mark.requirement("1.14", "1.40", "2.21")
def test_a_certification_on_paper_is_shown_and_listed_with_both_times(site: Served):
    house = site.house
    certified(house)
    check(house)
    began = house.now()
    house.now.at += timedelta(hours=8)
    ended = house.now.at - timedelta(hours=1)
    with house.acting(QA3, Permission.RECORD_STOP) as tx:
        record_stop(
            tx, began=began.isoformat(), ended=ended.isoformat(), credentials=signing(QA3)
        )  # fmt: skip
    when = (began + timedelta(hours=2)).isoformat(timespec="seconds")
    with house.acting(QA2, Permission.CERTIFY_LOT) as tx:
        decision = release_lot(tx, house.archive, lot=LOT, credentials=paper(QA2, when, "F-21"))
        assert isinstance(decision, Decision)
    said = f"signed on paper {when}, form F-21, and entered late"
    with site.visitor(QA1) as qa:
        for path in (f"/lots/{LOT}/annex16", "/certifications"):
            qa.go(path)
            expect(qa.page.get_by_text(said)).to_be_visible()
        body = qa.page.request.get("/certifications.csv").body().decode("utf-8-sig")
        (row,) = csv.DictReader(StringIO(body))
        assert (row["signed on paper"], row["paper"]) == (when, "F-21")
