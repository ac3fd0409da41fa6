"""The audit trail at a browser: found by what an inspector asks, and red where it is broken."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from batchqc.core.signatures import Refusal
from tests.records.house import ANA, AUD, LOT, PASSWORD, QA1, QA2, House
from tests.records.tampering import tampering
from tests.web.conftest import Served


def changed(house: House, sequence: int) -> None:
    """Change the text of an entry as the owner of the database can."""
    with tampering(house.engine) as connection:
        connection.execute(
            text(
                "UPDATE audit_entry SET text = replace(text, '\"who\":', '\"Who\":') WHERE sha256 ="
                " (SELECT entry_sha256 FROM audit_link WHERE sequence = :sequence)"
            ),
            {"sequence": sequence},
        )


@pytest.mark.requirement("1.09", "1.36", "1.65")
def test_an_inspector_finds_what_was_done_with_a_lot_by_whom_and_when(served: Served):
    with served.visitor(AUD) as aud:
        aud.go("/lots")
        aud.page.keyboard.press("g")
        aud.page.keyboard.press("a")
        expect(aud.heading("Audit trail")).to_be_visible()
        aud.page.get_by_label("Lot or record").fill(LOT.lower())
        aud.page.get_by_label("Person").fill(ANA)
        aud.press("Show")
        rows = aud.page.get_by_role("row").filter(has=aud.page.get_by_role("link", name=LOT))
        expect(rows.filter(has_text="Lot registered")).to_have_count(1)
        expect(rows.filter(has_text="Lot registered")).to_contain_text("beside nothing")
        expect(aud.page.get_by_role("row").filter(has_text="Lot reviewed")).to_have_count(0)
        address = aud.page.url
        aud.page.keyboard.press("j")
        aud.page.keyboard.press("Enter")
        aud.sees("Its bytes give this hash")
        expect(aud.page.get_by_text('"type":"batchqc/audit-entry/1"')).to_be_visible()
        answer = aud.page.request.get(address.replace("/audit-trail?", "/audit-trail.csv?"))
        found = list(csv.DictReader(StringIO(answer.body().decode("utf-8-sig"))))
        assert {one["who"] for one in found} == {ANA}
        assert all(f"lot:{LOT}" in one["about"] for one in found)
        assert "lot registered" in {one["what"] for one in found}
        aud.go("/audit-trail?show=views")
        expect(aud.page.get_by_text("GET /audit-trail?show=views").first).to_be_visible()
        aud.go("/audit-trail")
        expect(
            aud.page.get_by_role("cell").filter(has_text="sked for by an auditor")
        ).to_have_count(0)


def test_days_that_are_exported_again_later_are_the_same_bytes(site: Served):
    house = site.house
    house.ready()
    day = house.now.at.date()

    def export(query: str) -> bytes:
        with site.visitor(AUD) as aud:
            answer = aud.context.request.get(f"/audit-trail.csv?show=all{query}")
            assert answer.status == 200
            return answer.body()

    asked = [f"&since=2026-01-01&until={day}&order={order}" for order in ("newest", "oldest")]
    house.now.at += timedelta(days=2)
    made = [export(one) for one in asked]
    assert made[0] != made[1]
    assert made[0].count(b"\n") > 20
    house.now.at += timedelta(days=3)
    assert not isinstance(house.release(), Refusal)
    assert [export(one) for one in asked] == made
    assert len(export("")) > len(made[0])


def test_pages_days_and_bad_addresses(served: Served):
    with served.visitor(QA1, java_script_enabled=False) as qa:
        qa.go("/audit-trail?show=all")
        first = qa.page.get_by_role("row").nth(1).get_by_role("link").first.inner_text()
        qa.page.get_by_role("link", name="Older entries").click()
        second = qa.page.get_by_role("row").nth(1).get_by_role("link").first.inner_text()
        assert int(second) == int(first) - 50
        qa.page.get_by_role("link", name="Newest entries").click()
        for query, told in (
            ("since=2030-01-01", "No entry is like that"),
            ("until=2001-01-01&show=all", "No entry is like that"),
            ("record=NONE-1", "No entry is like that"),
            ("word=%25%25", "No entry is like that"),
            ("until=9999-12-31", "Ada Min"),
            ("after=99999", "BQC-API-007"),
            ("since=31.12.2026", "the address does not fit"),
            ("order=sideways", "the address does not fit"),
        ):
            qa.go(f"/audit-trail?{query}")
            expect(qa.page.get_by_text(told, exact=False).first).to_be_visible()
        assert qa.go("/audit-trail/0").status == 404
        assert qa.page.request.get("/audit-trail/99999/entry.json").status == 404
        assert qa.page.request.get("/audit-trail/99999/proof").status in {404, 409}


@pytest.mark.requirement("1.05")
def test_a_verification_is_on_record_and_a_broken_trail_is_red_with_its_first_bad_entry(
    site: Served,
):
    with site.visitor(QA1) as qa:
        qa.go("/audit-trail")
        qa.sees("Not verified yet")
        qa.link("Verify").click()
        qa.page.get_by_role("button", name="entries now").click()
        qa.sees("Verified, and put on record.")
        expect(qa.page.get_by_text("Unbroken")).to_be_visible()
        changed(site.house, 9)
        qa.go("/audit-trail?show=all&word=site")
        qa.go("/audit-trail/9")
        expect(qa.page.get_by_text("The audit trail is broken")).to_be_visible()
        expect(qa.page.get_by_text("was changed: its text has another hash").first).to_be_visible()
        qa.go("/audit-trail/verification")
        qa.page.get_by_role("button", name="entries now").click()
        expect(qa.page.get_by_text("Entry 9 was changed", exact=False).first).to_be_visible()
        assert qa.violations() == []
        qa.go("/audit-trail")
        expect(qa.page.get_by_role("alert").get_by_text("release nothing")).to_be_visible()
        expect(qa.page.get_by_text("Broken", exact=True).first).to_be_visible()


@pytest.mark.requirement("1.66", "1.60")
def test_a_random_sample_is_drawn_read_and_signed_by_who_did_not_do_it(served: Served):
    with served.visitor(QA2) as qa:
        qa.go("/audit-trail")
        qa.link("Random reviews").click()
        qa.link("Draw a sample").click()
        dialog = qa.page.get_by_role("dialog")
        dialog.get_by_label("How many entries").fill("12")
        qa.press("Draw")
        qa.link("TS-2026-000001").click()
        qa.sees("12 entries wait for a reader")
        expect(qa.page.get_by_role("row")).to_have_count(13)
        qa.link("Review").click()
        dialog.get_by_label("Reason").fill("Read with the records that they speak of")
        dialog.get_by_label("Password", exact=True).fill(PASSWORD)
        qa.press("Sign the review")
        qa.sees(f"Reviewed by {QA2}")
        qa.go("/audit-trail/samples")
        expect(qa.page.get_by_role("row").filter(has_text=QA2)).to_have_count(1)
    with served.visitor(AUD) as aud:
        aud.go("/audit-trail/samples/TS-2026-000001")
        expect(aud.link("Review")).to_have_count(0)
        assert aud.violations() == []


def test_words_of_an_entry_are_not_broken_in_a_small_window(served: Served):
    with served.visitor(QA1) as qa:
        qa.go(f"/audit-trail?record={LOT}")
        row = qa.page.get_by_role("row").filter(has_text="Lot registered")
        row.get_by_role("link").first.click()
        table = qa.page.get_by_role("region", name="Before and after").last
        table.get_by_role("row").last.evaluate("""one => {
            one.cells[0].textContent = "disposition";
            one.cells[1].innerHTML = '<del class="hash">quarantine</del>' }""")
        qa.resize(360, 800)
        for word in ("disposition", "quarantine"):
            box = table.get_by_text(word, exact=True).bounding_box()
            assert box
            assert box["height"] < 32, word
        assert qa.overflow() == 0
