"""What was signed on paper and entered late is shown with both times, and with its form."""

import pytest
from playwright.sync_api import expect

from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.dispositions import reject_lot
from batchqc.actions.holds import hold_lot
from batchqc.core.permissions import Permission
from tests.actions.test_late_entries import at, paper, stop
from tests.records.house import DON, DONOR, LOT, QA1, QA2
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
