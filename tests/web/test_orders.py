"""Lists are ordered by the heads of their columns, by key alone, with script off, by address."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, expect

from batchqc.actions.deviations import NewDeviation, keep_deviation
from batchqc.actions.exports import EXPORTED
from batchqc.actions.jobs import ask_for
from batchqc.actions.registers import register_donor
from batchqc.core.cell_banks import BankKind
from batchqc.core.deviations import State
from batchqc.core.jobs import WHO_ASKS, Kind
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from tests.actions.correcting import request
from tests.actions.test_look_backs import look_back
from tests.actions.typing_results import enter
from tests.records.genealogy import GIVEN, MCB, WCB, WORKING_ON, bank, donate, new_bank
from tests.records.house import ANA, DON, DONOR, LOT, QA1, House, signing
from tests.web.browsing import Visitor
from tests.web.conftest import Served
from tests.web.investigated import LOTS, investigate
from tests.web.looking import look_at

ORDERED = [
    ("/lots", "Usable until", ("ascending", "descending")),
    ("/lots", "Lot", ("ascending", "descending")),
    ("/uploads", "Received", ("ascending", "descending")),
    ("/certificates", "Numbered", ("ascending", "descending")),
    ("/donors", "Donor", ("descending", "ascending")),
    ("/investigations", "Opened", ("descending", "ascending")),
    ("/investigations?show=open", "Number", ("descending", "ascending")),
    ("/investigations?show=concluded", "Due", ("other", "other")),
    (f"/audit-trail?record={LOTS[0]}", "When", ("ascending", "descending")),
    ("/audit-trail?since=2020-01-01&word=deviation", "Entry", ("ascending", "descending")),
    ("/donors", "Registered", ("descending", "ascending")),
    ("/banks", "Bank", ("ascending", "descending")),
    ("/banks", "Made on", ("descending", "ascending")),
    ("/banks", "Usable until", ("ascending", "descending")),
    ("/look-backs", "Look-back", ("ascending", "descending")),
    ("/look-backs", "Started", ("ascending", "descending")),
    ("/deviations", "Deviation", ("ascending", "descending")),
    ("/deviations?show=open", "Recorded", ("ascending", "descending")),
    ("/corrections?state=waits", "Correction", ("ascending", "descending")),
    ("/corrections", "Asked for", ("ascending", "descending")),
    ("/manual", "Entry", ("ascending", "descending")),
    ("/manual?state=waits", "Typed", ("ascending", "descending")),
    ("/jobs", "Number", ("ascending", "descending")),
    ("/exports", "When", ("ascending", "descending")),
]  # fmt: skip
NO_REVIEW = {"product": "NONE", "first": "2025-05-01", "last": "2025-05-31"}
COUNTS = ("lots", "certificates", "issued", "uploads")
BUNDLE = {
    "asked": {"product": "", "lots": [], "since": "", "until": ""},
    "counts": dict.fromkeys(COUNTS, 1),
    "lots.jsonl sha256": "0" * 64,
}


@pytest.fixture(scope="module")
def qa(served: Served) -> Iterator[Visitor]:
    """Every list has several lines."""
    assert not isinstance(served.house.release(), Refusal)
    investigate(served.house)
    with served.house.acting(DON, Permission.REGISTER_DONOR) as tx:
        register_donor(tx, code="DNR-0042", tissue_source="bone marrow")
    genealogy(served.house)
    papers(served.house)
    with served.visitor(QA1) as visitor:
        for number in (1, 2):
            visitor.go(
                f"/jobs/JOB-2026-00000{number}"
            )  # it may not have begun: the page follows it
            expect(visitor.page.get_by_text("It failed, and is not tried again")).to_be_visible()
        yield visitor


def genealogy(house: House) -> None:
    """Two banks, and a look-back from each of two donors."""
    donate(house)
    bank(house, new_bank(MCB, BankKind.MASTER, GIVEN))
    bank(house, new_bank(WCB, BankKind.WORKING, MCB, made_on=WORKING_ON, basis=""))
    for source in (DONOR, "DNR-0042"):
        look_back(house, f"donor:{source}")


def papers(house: House) -> None:
    """Two of each: deviations, corrections, typed results, jobs that fail, and exports."""
    for name in ("DEV-2", "DEV-1"):
        with house.acting(QA1, Permission.KEEP_DEVIATIONS) as tx:
            new = NewDeviation(name, "Incubator at 35 °C", "QMS 4711", State.OPEN, True, LOTS)
            assert not isinstance(
                keep_deviation(tx, deviation=new, credentials=signing(QA1)), Refusal
            )
    for lot in LOTS[:2]:
        request(house, f"lot:{lot}", "expires_on", "2027-05-17", by=ANA)
        enter(house, lot=lot, sample=f"{lot}-S01", analyst=ANA, run=f"STER-{lot}")
    for number in range(2):
        with house.acting(QA1, WHO_ASKS[Kind.QUALITY_REVIEW]) as tx:
            ask_for(tx, Kind.QUALITY_REVIEW, NO_REVIEW)
        with house.acting(QA1, Permission.EXPORT_RECORDS) as tx:
            tx.audit(EXPORTED, after=BUNDLE | {"entries": number})


def head(visitor: Visitor, name: str) -> Locator:
    return visitor.page.get_by_role("columnheader", name=name, exact=True)


#: A list at an address: by the word of each head its direction and where it leads; the rows; where
#: its filter leads, which is a form that a browser sends as it came. Nothing of it is drawn.
_LIST = """address => new Promise((done, failed) => {
  const asking = new XMLHttpRequest(), plain = one => one.textContent.replace(/\\s+/g, ' ').trim()
  asking.open('GET', address)
  asking.responseType = 'document'
  asking.onerror = failed
  asking.onload = () => {
    const all = (what) => [...asking.response.querySelectorAll(what)]
    const show = all('form[method=get] button').find(one => plain(one) === 'Show')
    const asked = show && new URLSearchParams(new FormData(show.form, show))
    done({
      heads: Object.fromEntries(all('thead th').map(one =>
        [plain(one), [one.getAttribute('aria-sort'), one.querySelector('a')?.href]])),
      rows: all('tbody tr').map(plain), filter: show && `${show.form.action}?${asked}` }) }
  asking.send() })"""


@dataclass(frozen=True)
class Listed:
    """What stands at the address of a list."""

    heads: dict[str, tuple[str | None, str]]
    rows: list[str]
    filter: str | None


def listed(visitor: Visitor, address: str) -> Listed:
    """Ask for it without going there."""
    return Listed(**visitor.page.evaluate(_LIST, address))


@pytest.mark.parametrize("scripted", [True, False], ids=["script on", "script off"])
@pytest.mark.usefixtures("qa")
def test_the_head_of_a_column_orders_a_list_and_turns_it_by_key_alone(
    served: Served, *, scripted: bool
):
    with served.visitor(QA1, java_script_enabled=scripted) as visitor:
        visitor.go("/lots")
        assert head(visitor, "Registered").get_attribute("aria-sort") == "descending"
        made = head(visitor, "Made on")
        assert made.get_attribute("aria-sort") is None
        for way in ("descending", "ascending", "descending"):
            made.get_by_role("link").focus()
            visitor.page.keyboard.press("Enter")
            expect(made).to_have_attribute("aria-sort", way)
        assert head(visitor, "Registered").get_attribute("aria-sort") is None
        assert visitor.page.url.endswith("/lots?order=made-back")
        assert visitor.page.get_by_label("Order").input_value() == "made-back"
        lots = visitor.page.get_by_role("rowheader").all_inner_texts()
        assert lots == [*reversed(LOTS), LOT]  # made on one day, and registered in this order


@pytest.mark.parametrize(("path", "name", "ways"), ORDERED)
def test_a_list_is_ordered_both_ways_and_a_filter_keeps_the_order(
    qa: Visitor, path: str, name: str, ways: tuple[str, str]
):
    qa.go(path)
    address = head(qa, name).get_by_role("link").get_attribute("href")
    orders = []
    for way in (*ways, ways[0]):
        assert address
        found = listed(qa, address)
        sort, address = found.heads[name]
        assert sort == way
        orders.append(found.rows)
    if ways[0] != ways[1]:
        assert len(orders[0]) > (0 if path == "/certificates" else 1)  # there is one of them
        assert orders[0] == orders[1][::-1]
    if path == "/exports":  # it has no filter
        return
    expect(qa.button("Show")).to_be_visible()
    assert found.filter
    filtered = listed(qa, found.filter)
    assert filtered.heads[name][0] == ways[0]
    assert filtered.rows == orders[0]


def test_a_list_in_another_order_is_accessible_and_does_not_move(qa: Visitor):
    look_at(qa, "/lots?order=expires-back")
