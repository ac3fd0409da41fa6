"""Lists are ordered by the heads of their columns, by key alone, with script off, by address."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from batchqc.actions.registers import register_donor
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from tests.records.house import DON, LOT, QA1
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
    ("/audit-trail?since=2020-01-01&word=lot", "Entry", ("ascending", "descending")),
]  # fmt: skip


@pytest.fixture(scope="module")
def qa(served: Served) -> Iterator[Visitor]:
    """Every list has several lines."""
    assert not isinstance(served.house.release(), Refusal)
    investigate(served.house)
    with served.house.acting(DON, Permission.REGISTER_DONOR) as tx:
        register_donor(tx, code="DNR-0042", tissue_source="bone marrow")
    with served.visitor(QA1) as visitor:
        yield visitor


def head(visitor: Visitor, name: str) -> Locator:
    return visitor.page.get_by_role("columnheader", name=name, exact=True)


def shown(visitor: Visitor) -> list[str]:
    rows = visitor.page.get_by_role("row").all_inner_texts()[1:]
    return [" ".join(one.split()) for one in rows]


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
    orders = []
    for way in ways:
        head(qa, name).get_by_role("link").click()
        expect(head(qa, name)).to_have_attribute("aria-sort", way)
        orders.append(shown(qa))
    if ways[0] != ways[1]:
        assert len(orders[0]) > (0 if path == "/certificates" else 1)  # there is one of them
        assert orders[0] == orders[1][::-1]
    head(qa, name).get_by_role("link").click()
    expect(head(qa, name)).to_have_attribute("aria-sort", ways[0])
    qa.press("Show")
    expect(head(qa, name)).to_have_attribute("aria-sort", ways[0])
    assert shown(qa) == orders[0]


def test_a_list_in_another_order_is_accessible_and_does_not_move(qa: Visitor):
    look_at(qa, "/lots?order=expires-back")
