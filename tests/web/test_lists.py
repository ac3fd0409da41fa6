"""Lists: filtered, ordered and paged by their address; what they show is what the CSV holds."""

import csv
from collections.abc import Iterator
from io import StringIO

import pytest
from playwright.sync_api import expect

from batchqc.web.security import CONTENT_POLICY
from tests.records.house import LOT, QA1
from tests.web.browsing import Visitor
from tests.web.conftest import Served
from tests.web.lots import add_lots

MANY = [f"MSC-26-{number:04}" for number in range(100, 155)]


@pytest.fixture(scope="module")
def qa(served: Served) -> Iterator[Visitor]:
    add_lots(served.house, *MANY)
    with served.visitor(QA1) as visitor:
        yield visitor


def shown(visitor: Visitor) -> list[str]:
    rows = visitor.page.get_by_role("rowheader").get_by_role("link")
    return rows.all_inner_texts()


def test_every_lot_is_on_one_page_and_none_on_two(qa: Visitor):
    qa.go("/lots")
    expect(qa.page.get_by_text("56 lots")).to_be_visible()
    first = shown(qa)
    assert first == list(reversed(MANY))[:50]
    qa.link("Next page").click()
    expect(qa.link("First page")).to_be_visible()
    assert [*first, *shown(qa)] == [*reversed(MANY), LOT]
    expect(qa.link("Next page")).to_have_count(0)


def test_a_filter_is_an_address_that_can_be_sent_to_somebody(qa: Visitor):
    qa.go("/lots")
    main = qa.page.get_by_role("main")
    main.get_by_label("Lot or product").fill("26-01")
    main.get_by_label("Order").select_option("By lot, A to Z")
    main.get_by_label("Disposition").select_option("Quarantine")
    qa.press("Show")
    expect(qa.page.get_by_text("55 lots with this filter")).to_be_visible()
    address = qa.page.url
    assert shown(qa) == MANY[:50]
    qa.link("Clear").click()
    expect(qa.page.get_by_text("56 lots")).to_be_visible()
    qa.page.goto(address)
    assert shown(qa) == MANY[:50]
    expect(main.get_by_label("Lot or product")).to_have_value("26-01")


def test_the_csv_holds_every_lot_of_the_filter(qa: Visitor):
    qa.go("/lots?text=26-01&order=lot")
    with qa.page.expect_download() as found:
        qa.link("CSV").click()
    rows = list(csv.DictReader(StringIO(found.value.path().read_text("utf-8-sig"))))
    assert [one["lot"] for one in rows] == MANY
    assert {one["disposition"] for one in rows} == {"quarantine"}


def test_an_unforeseen_error_has_a_reference_that_is_in_the_log(
    site: Served, caplog: pytest.LogCaptureFixture
):
    with site.visitor(QA1) as qa:
        with site.house.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE hold_end RENAME TO hold_end_away")
        answer = qa.go("/lots")
        assert answer.status == 500
        assert answer.headers["content-security-policy"] == CONTENT_POLICY
        expect(qa.page.get_by_text("Something unforeseen happened")).to_be_visible()
        reference = qa.page.get_by_role("definition").nth(1).inner_text()
        assert f"reference {reference}" in caplog.text
        assert "hold_end" not in answer.text()
        assert qa.violations() == []
        qa.wrong.clear()  # the browser says that it is an error of the server, as it should
