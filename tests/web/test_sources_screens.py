"""Donors, banks, look-backs, genealogy and registering, in every state and window."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from batchqc.core.signatures import Refusal
from tests.records.donors import DIN, adopt_panel, complete, determine, take_tests
from tests.records.genealogy import MCB, OF_BANK, WCB, live_on, vials
from tests.records.house import DON, DONOR, LOT, QA1
from tests.web.browsing import Visitor
from tests.web.conftest import Served
from tests.web.looking import look_at

#: What begins with /donors is looked at by the donor officer, everything else by QA.
SCREENS = {
    "donors": "/donors",
    "donors that are none": "/donors?text=nothing+like+it",
    "a donor with a result against": f"/donors/{DONOR}?panel=US-1271",
    "a donor without records": "/donors/DNR-UC-03",
    "no such donor": "/donors/NONE-1",
    "new donor": "/donors/new",
    "new donation": f"/donors/{DONOR}/donations/new",
    "new results": f"/donors/{DONOR}/donations/{DIN}/tests/new",
    "new consent": f"/donors/{DONOR}/consents/new",
    "withdrawal": f"/donors/{DONOR}/withdrawal",
    "eligibility": f"/donors/{DONOR}/eligibility?panel=US-1271",
    "banks": "/banks",
    "banks that are none": "/banks?text=nothing",
    "a bank": f"/banks/{MCB}",
    "a bank made of a bank": f"/banks/{WCB}",
    "status of a bank": f"/banks/{WCB}/status?to=available",
    "new bank": "/banks/new",
    "new passage": f"/banks/{MCB}/passages/new",
    "genealogy of a donor": "/genealogy/donor:DNR-UC-03",
    "genealogy of a lot": f"/lots/{LOT}/genealogy",
    "no such node": "/genealogy/NONE-1",
    "look-backs": "/look-backs",
    "look-backs that are none": "/look-backs?state=open",
    "a closed look-back": "/look-backs/LB-2026-000001",
    "an open look-back": "/look-backs/LB-2026-000002",
    "closing of a look-back": "/look-backs/LB-2026-000002/closing",
    "new look-back": "/look-backs/new",
    "new look-back from a bank": f"/look-backs/new?source=cell_bank:{WCB}",
    "new lot": "/lots/new?product=UC-MSC",
    "new sample": f"/lots/{LOT}/samples/new",
    "products": "/products",
    "new product": "/products/new",
    "doses": f"/lots/{LOT}/doses",
    "doses that are none": f"/lots/{OF_BANK}/doses",
    "what somebody else may": "/donors/new?as=qa",
}


@pytest.fixture(scope="module")
def nursery(served: Served) -> Served:
    house = served.house
    assert not isinstance(house.release(), Refusal)
    live_on(house, LOT)
    vials(house, OF_BANK, *(f"{OF_BANK}-W{number}" for number in range(6)))
    adopt_panel(house)
    complete(house)
    determine(house, panel="US-1271")
    take_tests(house, specimen="SP-LATE", results=(("HBV NAT", "reactive"),))
    return served


@pytest.fixture(scope="module")
def people(nursery: Served) -> Iterator[dict[str, Visitor]]:
    with nursery.visitor(DON) as officer, nursery.visitor(QA1) as qa:
        yield {"officer": officer, "qa": qa}


@pytest.mark.parametrize("path", SCREENS.values(), ids=SCREENS.keys())
def test_a_screen_is_accessible_stays_in_its_window_and_does_not_move(
    people: dict[str, Visitor], path: str
):
    is_of_donors = path.startswith("/donors") and "as=qa" not in path
    visitor = people["officer" if is_of_donors else "qa"]
    look_at(visitor, path)
    assert visitor.wrong == []


def test_the_list_of_doses_tells_how_their_lot_stands(people: dict[str, Visitor]):
    people["qa"].go(f"/lots/{LOT}/doses")
    expect(people["qa"].page.locator(".head").get_by_text("On hold", exact=True)).to_be_visible()


def test_why_a_look_back_began_is_told_with_its_moments_in_the_zone_of_who_reads(
    people: dict[str, Visitor],
):
    people["qa"].go("/look-backs")
    row = people["qa"].page.get_by_role("row").filter(has_text="LB-2026-000002")
    told = row.get_by_role("cell").filter(has_text="specimen of").get_by_role("time")
    expect(told).to_have_attribute("title", re.compile(r" UTC$"))
