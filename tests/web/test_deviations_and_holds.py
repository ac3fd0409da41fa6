"""Deviations, holds and stops of the system at a browser: signed by QA, and told to everybody."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from batchqc.core.lot_states import Overlay
from tests.cast import SITE_ZONE
from tests.records.house import AUD, LOT, PASSWORD, QA1, QA2
from tests.web.browsing import Visitor
from tests.web.conftest import Served
from tests.web.lots import add_lots

OTHER = "MSC-26-0120"
WHY = "As the quality system has it"


@pytest.fixture(scope="module")
def qa(served: Served) -> Iterator[Visitor]:
    add_lots(served.house, OTHER)
    with served.visitor(QA1) as visitor:
        yield visitor


def sign(visitor: Visitor, button: str, *, reason: str = WHY, password: str = PASSWORD) -> None:
    visitor.page.get_by_label("Reason", exact=True).fill(reason)
    visitor.page.get_by_label("Password", exact=True).fill(password)
    visitor.press(button)


@pytest.mark.requirement("2.22")
def test_a_deviation_blocks_its_lots_until_qa_records_that_it_is_closed(
    served: Served, qa: Visitor
):
    qa.go(f"/lots/{LOT}")
    qa.page.get_by_role("main").get_by_role("link", name="Deviations").click()
    expect(qa.page.get_by_text("No deviation is like that")).to_be_visible()
    qa.link("Record a deviation").click()
    sign(qa, "Sign and record", password="")
    for missing in ("the id that it has", "what happened", "where it stands", "your password"):
        expect(qa.page.get_by_role("alert")).to_contain_text(missing)
    qa.page.get_by_label("Id").fill("DEV-26-014")
    qa.page.get_by_label("What happened").fill("Incubator at 35 °C")
    qa.page.get_by_label("Where it stands").fill("QMS 4711")
    qa.page.get_by_label("Lots that it bears on").fill("NONE-1")
    sign(qa, "Sign and record")
    expect(qa.page.get_by_role("alert")).to_contain_text("NONE-1")
    qa.page.get_by_label("Lots that it bears on").fill(f"{LOT}\n{OTHER}")
    sign(qa, "Sign and record")
    expect(qa.page.get_by_text("Signed: the deviation is recorded.")).to_be_visible()
    expect(qa.page.get_by_text("Blocks its lots")).to_be_visible()
    qa.go(f"/lots/{LOT}")
    expect(qa.page.get_by_text("deviation DEV-26-014 is open: Incubator")).to_be_visible()
    the_same_id_is_no_new_one(qa)
    another_closes_it_meanwhile(served, qa)
    gates = served.house.study(LOT).gates
    assert all(one.is_open for one in gates if one.name == "Deviations")
    qa.go("/deviations")
    with qa.page.expect_download() as found:
        qa.link("CSV").click()
    assert f"{LOT}; {OTHER}" in found.value.path().read_text("utf-8-sig")


def the_same_id_is_no_new_one(qa: Visitor) -> None:
    qa.go(f"/deviations/new?lot={LOT}")
    qa.page.get_by_label("Id").fill("dev-26-014")
    qa.page.get_by_label("What happened").fill("Another one")
    qa.page.get_by_label("Where it stands").fill("QMS 4712")
    sign(qa, "Sign and record")
    expect(qa.page.get_by_text("It is on record already").last).to_be_visible()


def another_closes_it_meanwhile(served: Served, qa: Visitor) -> None:
    with served.visitor(QA2) as other:
        other.go("/deviations?show=open")
        other.link("DEV-26-014").click()
        qa.go("/deviations/dev-26-014")
        other.page.get_by_label("State").select_option("Closed")
        sign(other, "Sign and record")
        expect(other.page.get_by_text("Signed: the deviation is recorded.")).to_be_visible()
    qa.page.get_by_label("What happened").fill("Incubator at 34 °C")
    sign(qa, "Sign and record")
    expect(qa.page.get_by_role("alert")).to_contain_text("not any more as you saw it")


@pytest.mark.requirement("1.14")
def test_a_lot_is_held_and_let_go_by_a_signature_each(served: Served, qa: Visitor):
    qa.go(f"/lots/{OTHER}")
    qa.link("Holds").click()
    sign(qa, "Sign and hold", password="not my password")
    expect(qa.page.get_by_text("password is wrong").last).to_be_visible()
    expect(qa.page.get_by_label("Password", exact=True)).to_have_value("")  # the new form is there
    sign(qa, "Sign and hold", reason="A complaint came in")
    expect(qa.page.get_by_text("Signed: the lot is held.")).to_be_visible()
    assert Overlay.ON_HOLD in served.house.study(OTHER).overlays
    with served.visitor(AUD) as auditor:
        auditor.go(f"/lots/{OTHER}/hold")
        expect(auditor.page.get_by_text("A complaint came in")).to_be_visible()
        signer = f"{QA1.title()} of {SITE_ZONE}, QA · Held"
        expect(auditor.page.get_by_text(signer)).to_be_visible()
        expect(auditor.page.get_by_text("You cannot hold it.")).to_be_visible()
        auditor.go(f"/lots/{OTHER}/hold/1/end")
        expect(auditor.page.get_by_text("Who may: QA, QP.")).to_be_visible()
        expect(auditor.button("Sign and end the hold")).to_have_count(0)
    qa.link("End hold 1").click()
    expect(qa.page.get_by_text("A complaint came in")).to_be_visible()
    sign(qa, "Sign and end the hold", reason="The complaint was of another lot")
    expect(qa.page.get_by_text("Signed: the hold has ended.")).to_be_visible()
    assert Overlay.ON_HOLD not in served.house.study(OTHER).overlays
    qa.go(f"/lots/{OTHER}/hold/1/end")
    expect(qa.page.get_by_text("This hold has ended.")).to_be_visible()


@pytest.mark.requirement("1.40")
def test_a_stop_is_recorded_ended_and_withdrawn_and_nothing_of_it_is_edited(qa: Visitor):
    qa.go("/system-stops")
    qa.link("Record a stop").click()
    qa.page.get_by_label("Began").fill("yesterday")
    sign(qa, "Sign and record")
    expect(qa.page.get_by_role("alert")).to_contain_text("cannot have been down so")
    qa.page.get_by_label("Began").fill("2025-12-01T08:00:00-06:00")
    sign(qa, "Sign and record")
    expect(qa.page.get_by_text("Its end is not known")).to_be_visible()
    qa.link("Record its end").click()
    qa.page.get_by_label("Ended").fill("2025-12-01T09:30:00-06:00")
    sign(qa, "Sign and record")
    expect(qa.page.get_by_text("Ended", exact=True)).to_be_visible()
    qa.link("Withdraw it").click()
    sign(qa, "Sign and withdraw", reason="It was another system")
    expect(qa.page.get_by_text("Withdrawn", exact=True)).to_be_visible()
    expect(qa.page.get_by_text("2025-12-01T08:00:00-06:00").first).to_be_visible()
