"""The first page: what waits for the person who looks, and for nobody else."""

from playwright.sync_api import expect

from tests.records.house import ANA, LOT, QA1, REV
from tests.web.conftest import Served
from tests.web.lots import BAD, add_bad_lot


def test_each_sees_what_their_roles_may_do_and_goes_there(served: Served):
    with served.visitor(QA1) as qa:
        row = qa.page.get_by_role("row").filter(has_text=LOT).filter(has_text="Decision")
        row.get_by_role("link").click()
        expect(qa.heading(LOT)).to_be_visible()
    with served.visitor(REV) as rev:
        expect(rev.heading("Nothing waits for you")).to_be_visible()
        expect(rev.heading("The newest lots")).to_be_visible()
        assert rev.violations() == []
        add_bad_lot(served.house)
        rev.page.reload()
        work = rev.page.get_by_role("row").filter(has_text=BAD)
        expect(work.filter(has_text="Review").first).to_be_visible()
        expect(work.filter(has_text="Kynurenine")).to_have_count(0)
    with served.visitor(ANA) as ana:
        expect(ana.page.get_by_role("row").filter(has_text="kynurenine")).to_have_count(1)
        expect(ana.page.get_by_role("row").filter(has_text="B-VIAB")).to_have_count(0)
