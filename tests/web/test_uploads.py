"""Results come in by a browser: from a file to the record, and nothing of it by accident."""

import csv
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, expect

from batchqc.actions.entries import enter_result
from batchqc.core.permissions import Permission
from batchqc.intake.typed import TypedResult
from batchqc.records.lists import UploadsWanted
from batchqc.records.upload_lines import SoughtUploads, upload_lines
from tests.cast import NOW
from tests.records.house import ANA, BEN, LOT, QA1, REV, SAMPLES, House, alone, results
from tests.scanner import EICAR, clamd
from tests.web.browsing import Visitor
from tests.web.conftest import Served, Server

CHOOSE = "Choose the file of results"
WRONG = results(viability={"value": "93,4"}, CD73={"lot_id": "MSC-99-9999"})
_DROP = """(zone, files) => {
  const data = new DataTransfer();
  for (const [name, text] of files) data.items.add(new File([text], name));
  const kind = {dataTransfer: data, bubbles: true, cancelable: true};
  zone.dispatchEvent(new DragEvent('dragover', kind));
  zone.dispatchEvent(new DragEvent('drop', kind));
}"""


def named(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "text/csv", "buffer": data}


def drop(visitor: Visitor, *files: tuple[str, bytes]) -> None:
    """Let files fall on the page, as from a folder."""
    visitor.page.get_by_role("main").evaluate(
        _DROP, [(name, data.decode()) for name, data in files]
    )


def recorded(house: House) -> list[tuple[str, bool, str]]:
    """Every upload on record, oldest first: its file, whether it was accepted, and its hash."""
    with house.reading() as session:
        found = upload_lines(session, SoughtUploads(UploadsWanted()))
        return [(one.file, bool(one.accepted), one.sha256) for one in reversed(found)]


def sent_form(visitor: Visitor) -> dict[str, str]:
    """The hidden fields of the first form of the page that posts."""
    return {
        name: visitor.page.locator(f"main form input[name={name}]").first.input_value()
        for name in ("token", "key")
    }


def test_a_file_is_read_mended_dropped_again_and_recorded_without_a_mouse(site: Served):
    good = results()
    with site.visitor(ANA) as ana:
        ana.page.keyboard.type("gu")
        expect(ana.heading("There is no upload yet")).to_be_visible()
        with ana.page.expect_navigation():
            ana.link("Upload a file").press("Enter")
        ana.page.get_by_label(CHOOSE).set_input_files(named("march.csv", WRONG))
        expect(ana.heading("march.csv")).to_be_focused()
        expect(ana.page.get_by_role("cell", name="problem: 93,4")).to_be_visible()
        for text, told in (('has a decimal ","', "Write digits with"), ("MSC-99-9999", "E401")):
            below = ana.page.get_by_role("listitem").filter(has_text=text)
            expect(below).to_contain_text(told)
        expect(ana.page.get_by_role("button", name="Record")).to_have_count(0)
        drop(ana, ("one.csv", good), ("two.csv", good))
        ana.sees("One file at a time")
        drop(ana, ("march.csv", good))
        ana.sees("It can be recorded")
        ana.page.reload()
        ana.sees("It can be recorded")
        rows = ana.page.get_by_role("row").filter(has_text="Viability")
        expect(rows.first).to_contain_text("Conforms")
        assert recorded(site.house) == []
        ana.heading("march.csv").focus()
        for _ in range(2):  # over the link to the lot
            ana.page.keyboard.press("Tab")
        expect(ana.button("Record 10 results")).to_be_focused()
        ana.page.keyboard.press("Enter")
        ana.sees("Recorded as U-2026-000001.")
        [(name, accepted, digest)] = recorded(site.house)
        assert (name, accepted) == ("march.csv", True)
        expect(ana.page.get_by_text(digest)).to_be_visible()
        expect(ana.page.get_by_role("row").filter(has_text="VCB-250520-01").first).to_contain_text(
            "Waits for review"
        )


@pytest.mark.requirement("1.08")
def test_what_is_recorded_is_found_as_it_was_and_is_never_recorded_twice(site: Served):
    good = results()
    with site.visitor(ANA) as ana:
        ana.go("/uploads/new")
        drop(ana, ("march.csv", good))
        ana.sees("It can be recorded")
        form, address = sent_form(ana), ana.page.url
        ana.press("Record 10 results")
        ana.sees("Recorded as U-2026-000001.")
        with ana.page.expect_download() as found:
            ana.link("File as received").click()
        assert found.value.path().read_bytes() == good
        assert found.value.suggested_filename == "U-2026-000001_march.csv"
        for key in (form["key"], "another-key"):  # sent again, and again from another window
            answer = ana.context.request.post(
                address, form=form | {"key": key}, headers={"Origin": ana.address}, max_redirects=0
            )
            assert answer.headers["location"].startswith("/uploads/U-2026-000001?did=")
        assert len(recorded(site.house)) == 1
        ana.go("/uploads/new")
        drop(ana, ("copy.csv", good))
        ana.sees("These bytes are on record already.")
        expect(ana.link("U-2026-000001")).to_be_visible()
        expect(ana.page.get_by_role("button", name="Record")).to_have_count(0)


def test_a_file_is_recorded_with_script_off_and_what_changed_meanwhile_refuses_it(site: Served):
    with site.visitor(ANA, java_script_enabled=False) as ana:
        ana.go("/uploads/new")
        ana.press("Read the file")
        expect(ana.page.get_by_text("Choose a file.").first).to_be_visible()
        ana.page.get_by_label(CHOOSE).set_input_files(named("a.csv", alone("viability")))
        ana.press("Read the file")
        ana.press("Record 1 result")
        ana.sees("Accepted")
        ana.go("/uploads/new")
        ana.page.get_by_text("What the file does not say itself").click()
        ana.page.get_by_label("Why it supersedes runs on record").fill("...")
        ana.page.get_by_label(CHOOSE).set_input_files(named("b.csv", alone("CD73")))
        ana.press("Read the file")
        expect(ana.page.get_by_text("at least one real word").first).to_be_visible()
        ana.page.get_by_label("Why it supersedes runs on record").fill("")
        ana.page.get_by_label(CHOOSE).set_input_files(named("b.csv", alone("CD73")))
        ana.press("Read the file")
        assert site.house.upload(alone("CD73", comment="by the API")).accepted
        ana.press("Record 1 result")
        ana.sees("This file is refused, and stays on record as it came.")
        expect(ana.page.get_by_role("listitem").filter(has_text="E407").first).to_be_visible()
        assert [one[:2] for one in recorded(site.house)] == [
            ("a.csv", True), ("results.csv", True), ("b.csv", False),
        ]  # fmt: skip


def test_only_who_may_upload_sends_a_file_and_only_they_see_it_wait(served: Served):
    with served.visitor(ANA) as ana, served.visitor(QA1) as qa, served.visitor(BEN) as ben:
        ana.go("/uploads/new")
        ana.page.get_by_label(CHOOSE).set_input_files(named("mine.csv", WRONG))
        ana.sees("It is refused as it is")
        with ana.page.expect_download() as found:
            ana.link("File with its problems").click()
        assert "what to do" in found.value.path().read_text("utf-8-sig")
        ben.go(ana.page.url)
        ben.sees("This file does not wait here any more")
        before = recorded(served.house)
        for visitor in (qa, ben):
            visitor.go("/uploads/new")
        qa.sees("Analysts upload results; your role does not.")
        expect(qa.button("Read the file")).to_have_count(0)
        own = {**sent_form(ben), "file": named("x.csv", results())}
        here = {"Origin": ben.address}
        for who, form, headers, status, said in (
            (qa, own, here, 403, "upload results"),
            (ben, own | {"token": "x"}, here, 403, "of another session"),
            (ben, own, {"Origin": "https://elsewhere.example"}, 403, "not sent by a page"),
            (ben, own | {"file": named("x\u2028.csv", results())}, here, 422, "Rename it"),
            (ben, own | {"stated": "analyst"}, here, 422, "is not name=text"),
            (ben, own | {"profile": "NONE v9"}, here, 303, ""),
        ):
            url = f"{ben.address}/uploads/new"
            answer = who.context.request.post(url, multipart=form, headers=headers, max_redirects=0)
            assert (answer.status, said in answer.text()) == (status, True), said
        ben.go(answer.headers["location"])
        ben.sees("There is no approved profile NONE v9")
        plain = ben.context.request.post(f"{ben.address}/uploads/new", form=form, headers=here)
        assert (plain.status, "Choose a file." in plain.text()) == (422, True)
        broken = ben.context.request.post(
            url,
            data=b"--x\r\nno",
            headers=here | {"Content-Type": "multipart/form-data; boundary=x y"},
        )
        assert (broken.status, "BQC-WEB-0" in broken.text()) == (422, True)
        assert recorded(served.house) == before


def test_what_is_too_large_is_not_kept_and_a_server_that_is_away_is_told(
    served: Served, server: Server
):
    state = server.application.state
    whole = state.door
    state.door = replace(whole, settings=whole.settings.model_copy(update={"upload_limit": 2000}))
    large = results() + b" " * 200_000
    with served.visitor(ANA) as ana:
        ana.go("/uploads/new")
        drop(ana, ("large.csv", large))
        ana.sees("This file is larger than what is read here.")
        for size in (2001, len(large)):
            answer = ana.context.request.post(
                f"{ana.address}/uploads/new",
                multipart=sent_form(ana) | {"file": named("large.csv", large[:size])},
                headers={"Origin": ana.address},
            )
            assert (answer.status, "BQC-WEB-010" in answer.text()) == (422, True)
        state.door = whole
        ana.context.route("**/uploads/new", lambda route: route.abort())
        drop(ana, ("good.csv", b"away"))
        ana.sees("The server does not answer. Nothing was recorded")
        expect(ana.button("Read the file")).to_be_enabled()
        ana.wrong.clear()  # the browser says that the address was not reached, as it should


def test_malware_is_refused_on_the_form_and_nothing_waits_of_it(served: Served, server: Server):
    state, before = server.application.state, recorded(served.house)
    whole = state.door
    with clamd() as scanner, served.visitor(ANA) as ana:
        scanned = whole.settings.model_copy(update={"malware_scanner": scanner.socket})
        state.door = replace(whole, settings=scanned)
        ana.go("/uploads/new")
        ana.page.get_by_label(CHOOSE).set_input_files(named("march.csv", EICAR))
        ana.sees("The scanner knows march.csv as Batchqc.Tried")
        ana.sees("Do not open it.")
        ana.page.get_by_label(CHOOSE).set_input_files(named("good.csv", alone("viability")))
        expect(ana.heading("good.csv")).to_be_visible()
        state.door = whole
    assert recorded(served.house) == before


def test_the_list_is_filtered_and_paged_by_its_address_and_all_of_it_is_in_the_csv(served: Served):
    house = served.house
    for number in range(52):
        house.upload(alone("viability", value=f"9{number}"), by=BEN, name=f"late_{number}.csv")
    with served.visitor(REV) as rev:
        rev.go("/uploads")
        first = rev.page.get_by_role("row").nth(1)
        expect(first).to_contain_text("late_51.csv")
        expect(first).to_contain_text("Refused")
        rev.page.get_by_label("File").fill("LATE_")
        rev.page.get_by_label("State").select_option("Refused")
        rev.page.get_by_label("Uploaded by").fill("BEN")
        rev.press("Show")
        expect(rev.page.get_by_text("52 uploads with this filter")).to_be_visible()
        rev.link("Next page").click()
        expect(rev.page.get_by_role("row")).to_have_count(3)
        with rev.page.expect_download() as found:
            rev.link("CSV").click()
        rows = list(csv.DictReader(StringIO(found.value.path().read_text("utf-8-sig"))))
        assert [one["file"] for one in rows] == [f"late_{n}.csv" for n in range(51, -1, -1)]
        assert {one["state"] for one in rows} == {"refused"}
        rev.page.get_by_role("row").nth(1).get_by_role("link").click()
        rev.sees("This file is refused, and stays on record as it came.")
        expect(rev.page.get_by_role("listitem").filter(has_text="E407").first).to_be_visible()
        day = NOW.date().isoformat()
        for query, count in (
            (f"lot={LOT}&state=accepted", "1 upload"),
            (f"since={day}&until={day}", "53 uploads"),
            (f"until={(NOW - timedelta(days=2)).date().isoformat()}", "0 uploads"),
            ("since=0001-01-01&until=9999-12-31&state=accepted", "1 upload"),
        ):
            rev.go(f"/uploads?{query}")
            expect(rev.page.get_by_text(f"{count} with this filter")).to_be_visible()
        assert rev.go("/uploads?since=yesterday").status == 422


def test_a_template_is_made_for_lots_and_why_it_cannot_be_is_told(served: Served):
    with served.visitor(ANA) as ana:
        ana.go("/uploads/new")
        ana.press("Template")
        ana.sees("neither a lot nor a day nor a run is named")
        ana.page.get_by_label("Lots").fill("NONE-1")
        ana.press("Template")
        ana.sees("There is no lot NONE-1")
        expect(ana.page.get_by_label("Lots")).to_have_value("NONE-1")


def test_what_was_typed_by_hand_is_hidden_from_who_verifies_it(served: Served):
    house = served.house
    typed = TypedResult(
        lot=LOT, sample=SAMPLES[0], test="VIAB", analyte="viability", values=("92.17",), unit="%",
        measured_at="2025-05-21T10:00:00-05:00", analyst=ANA, run="VCB-250521-09", aliquot="A1",
        instrument="VCB-001", method="SOP-QC-014 v3",
    )  # fmt: skip
    with house.acting(ANA, Permission.UPLOAD_RESULTS) as tx:
        report = enter_result(tx, house.archive, result=typed, client="tests")
    assert report.accepted, report.reading.problems
    with served.visitor(REV) as rev, served.visitor(ANA) as ana:
        for visitor, sees in ((rev, False), (ana, True)):
            visitor.go(f"/uploads/{report.number}?rows=every")
            expect(visitor.page.get_by_text("92.17")).to_have_count(int(sees))
            expect(visitor.page.get_by_text("What was typed is hidden.")).to_have_count(
                int(not sees)
            )
            expect(visitor.link("File as received")).to_have_count(int(sees))
        answer = rev.go(f"/uploads/{report.number}/annotated.csv")
        assert answer.status == 403


def test_bytes_that_the_store_lost_are_told_on_the_page_of_their_upload(site: Served):
    report = site.house.upload(alone("viability"))
    next(Path(site.house.archive.root).rglob(f"*{report.sha256[4:]}*")).unlink()
    with site.visitor(QA1) as qa:
        qa.go(f"/uploads/{report.number}")
        expect(qa.page.get_by_role("alert")).to_be_visible()
        expect(qa.page.get_by_role("row").filter(has_text="VCB-250520-01")).to_be_visible()
        expect(qa.link("File as received")).to_have_count(0)


@pytest.mark.parametrize("path", ["uploads", "uploads.csv"])
def test_uploads_until_the_end_of_the_calendar_are_listed(site: Served, path: str):
    with site.visitor(ANA) as ana:
        for day in ("9999-12-31", "9999-12-30", "0001-01-01"):
            answer = ana.context.request.get(f"/{path}?until={day}")
            assert answer.status == 200, day
