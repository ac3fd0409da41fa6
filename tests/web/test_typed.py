"""Typed results and Annex 16 at a browser: what is wrong, what is recorded, and who signs."""

import csv
import re
from collections.abc import Sequence
from io import StringIO

import pytest
from playwright.sync_api import FilePayload, expect
from sqlalchemy import func, select

from batchqc.actions.accounts import change_role
from batchqc.actions.dispositions import Decision, release_lot
from batchqc.actions.entries import Entry, the_entry
from batchqc.core.annex16 import POINTS
from batchqc.core.entries import SecondEntry
from batchqc.core.permissions import Permission, Role
from batchqc.core.policies import Certifies, Policy
from batchqc.core.subjects import Measured
from batchqc.records.annex16 import certifications_of, checks_of
from batchqc.records.registers import lot_by
from batchqc.records.uploads import Upload
from batchqc.web import typed_new
from batchqc.web.typed_form import Read, shown
from tests.actions.test_later_decisions import policy
from tests.actions.typing_results import REPORT, VIAB, enter, try_to_verify
from tests.records.house import (
    ADM,
    ANA,
    AUD,
    BEN,
    LOT,
    PASSWORD,
    QA1,
    QA2,
    QA3,
    REV,
    SAMPLES,
    House,
    signing,
)
from tests.web.browsing import Visitor
from tests.web.conftest import Served

FIRST = "U-2026-000001"
SECOND = "U-2026-000002"
STERILITY = "Sterility, bacteria and fungi, 14 days"


def uploads(house: House) -> int:
    with house.reading() as session:
        return session.scalar(select(func.count()).select_from(Upload)) or 0


def entry(house: House, number: str) -> Entry:
    with house.reading() as session:
        return the_entry(session, number)


def choose(visitor: Visitor, *titles: str, lot: str = LOT) -> None:
    """Go by the scanner's Enter from the lot to the fields of some results of its first sample."""
    visitor.go("/manual/new")
    visitor.page.get_by_label("Lot", exact=True).fill(lot.lower())
    visitor.page.get_by_label("Lot", exact=True).press("Enter")
    expect(visitor.heading(f"Type results of {lot}")).to_be_visible()
    for title in titles:
        visitor.page.get_by_label(title, exact=True).first.check()
    visitor.press("Type the chosen results")


def fill(visitor: Visitor, test: str, **typed: str) -> None:
    """Type into the fields of a run, by how their labels begin; ``_`` stands for a space."""
    run = visitor.page.get_by_role("group", name=re.compile(f"^{test} "))
    for label, text in typed.items():
        run.get_by_label(label.replace("_", " "), exact=True).fill(text)


@pytest.mark.requirement("1.31")
def test_several_tests_are_typed_at_once_and_wait_for_a_second_person(site: Served):
    with site.visitor(ANA) as ana:
        choose(ana, "Viability", STERILITY)
        everything_wrong_is_said_at_once(ana)
        assert uploads(site.house) == 0
        fill_right(ana)
        ana.press("Show what is recorded")
        expect(ana.heading(f"What is recorded of {LOT}")).to_be_visible()
        assert uploads(site.house) == 0
        for text in ("93.40", "%", "no growth"):
            expect(ana.page.get_by_role("cell", name=text, exact=True)).to_be_visible()
        assert (ana.violations(), ana.overflow()) == ([], 0)
        hashes = ana.page.get_by_role("definition").filter(has_text=re.compile("^[0-9a-f]{64}$"))
        shown = hashes.all_inner_texts()
        ana.press("Record it")
        expect(ana.page.get_by_text("each entry waits for its second person")).to_be_visible()
        for number in (FIRST, SECOND):
            row = ana.page.get_by_role("row").filter(has_text=number)
            expect(row.get_by_text("Waits for its second entry")).to_be_visible()
    found = [entry(site.house, one) for one in (FIRST, SECOND)]
    assert [one.upload.sha256 for one in found] == shown
    assert [one.typed for one in found] == [(("93.40", "%"),), (("no growth", ""),)]
    assert {one.state for one in found} == {SecondEntry.WAITS}
    assert site.house.verify().problems == ()


def everything_wrong_is_said_at_once(ana: Visitor) -> None:
    """Of both runs, each beside its field; the unit is shown and cannot be typed."""
    expect(ana.page.get_by_text("%", exact=True)).to_be_visible()
    fill(ana, "VIAB", Viability="93,40", Measured_at="20.05.2025 10:00", Measured_by="nobody")
    ana.press("Show what is recorded")
    alert = ana.page.get_by_role("alert")
    expect(alert).to_contain_text("Nothing was recorded. 6 fields are wrong")
    run = ana.page.get_by_role("group", name=re.compile("^VIAB "))
    for field in ("Viability", "Measured at", "Measured by"):
        expect(run.get_by_label(field, exact=True)).to_have_attribute("aria-invalid", "true")
    expect(ana.page.get_by_text("a decimal point was expected")).to_be_visible()
    expect(ana.page.get_by_label(STERILITY)).to_have_attribute("aria-invalid", "true")
    assert ana.violations() == []


def fill_right(ana: Visitor) -> None:
    """What is accepted of viability and sterility."""
    fill(
        ana, "VIAB", Viability="93.40", Measured_at="2025-05-20T10:00:00-05:00", Measured_by=ANA,
        Method="SOP-QC-014 v3", Instrument="VCB-001", Run="VCB-9",
    )  # fmt: skip
    ana.page.get_by_label(STERILITY).select_option("no growth")
    fill(
        ana, "STER", Measured_at="2025-06-03T11:00:00-05:00", Measured_by=ANA,
        Started_at="2025-05-20T11:00:00-05:00", Method="SOP-MB-002 v6", Run="STER-9",
    )  # fmt: skip


def test_what_is_sent_again_is_recorded_once_and_what_was_changed_is_shown_first(site: Served):
    with site.visitor(ANA, java_script_enabled=False) as ana:
        ana.keep_nothing()  # else the browser asks whether it should send what was sent before
        choose(ana, "Viability", STERILITY)
        fill_right(ana)
        ana.press("Show what is recorded")
        ana.page.evaluate("() => document.querySelector('[name=\"0-0-0\"]').value = '99.9'")
        ana.press("Record it")
        expect(ana.page.get_by_text("is not what was shown")).to_be_visible()
        assert uploads(site.house) == 0
        ana.press("Show what is recorded")
        ana.press("Change it")
        expect(ana.page.get_by_label("Viability", exact=True)).to_have_value("99.9")
        fill(ana, "VIAB", Viability="93.40")
        ana.press("Show what is recorded")
        ana.press("Record it")
        expect(ana.page.get_by_text("each entry waits")).to_be_visible()
        ana.page.go_back()
        ana.press("Record it")
        expect(ana.heading("Typed results")).to_be_visible()
        assert uploads(site.house) == 2
        ana.go(f"/manual/new?lot={LOT}")
        expect(ana.page.get_by_text("2 results are on record")).to_be_visible()
        rows = ana.page.get_by_role("row").filter(has_text=SAMPLES[0])
        expect(rows.filter(has_text="viability")).to_have_count(0)


@pytest.mark.requirement("1.31")
def test_the_typist_attaches_the_source_and_the_second_person_types_blind(site: Served):
    assert enter(site.house).number == FIRST
    with site.visitor(ANA) as ana:
        ana.go(f"/manual/{FIRST}")
        expect(ana.page.get_by_role("cell", name="Negative")).to_be_visible()
        ana.link("Attach a document").click()
        ana.press("Attach it")
        expect(ana.page.get_by_role("alert")).to_contain_text("Choose a file.")
        for name, data, told in (
            ("report.exe", b"MZ\0\0", "BQC-ENT-009"),
            ("report.pdf", REPORT, "The document is attached."),
        ):
            file: FilePayload = {
                "name": name,
                "mimeType": "application/octet-stream",
                "buffer": data,
            }
            ana.page.get_by_label("Document").set_input_files(file)
            ana.press("Attach it")
            expect(ana.page.get_by_text(told)).to_be_visible()
    (document,) = entry(site.house, FIRST).attachments
    assert site.house.archive.get(document.sha256) == REPORT
    with site.visitor(REV) as rev:
        rev.go(f"/manual/{FIRST}")
        expect(rev.page.get_by_text("What was typed is hidden.")).to_be_visible()
        expect(rev.page.get_by_text("Negative")).to_have_count(0)
        expect(rev.page.get_by_text(document.sha256)).to_be_visible()
        rev.link("Type it as the second person").click()
        expect(rev.heading(f"Second entry of {FIRST}")).to_be_visible()
        rev.go(f"/manual/{FIRST}/document")
        expect(rev.page.get_by_text("ana typed it, and attaches its documents.")).to_be_visible()
        expect(rev.button("Attach it")).to_have_count(0)


@pytest.mark.requirement("1.31")
def test_what_does_not_match_is_found_in_the_list_and_typed_anew(site: Served):
    assert enter(site.house).number == FIRST
    try_to_verify(site.house, FIRST, "Positive")
    with site.visitor(ANA) as ana:
        ana.go(f"/manual?state=does+not+match&lot={LOT}")
        row = ana.page.get_by_role("row").filter(has_text=FIRST)
        expect(row.get_by_text("Does not match")).to_be_visible()
        text = ana.page.request.get(f"/manual.csv?lot={LOT}").text()
        assert [one["state"] for one in csv.DictReader(StringIO(text))] == ["does not match"]
        assert "Negative" not in text
        ana.go(f"/manual?state=waits&lot={LOT}")
        expect(ana.page.get_by_text("No typed result is like that")).to_be_visible()
        ana.go(f"/manual/{FIRST}")
        ana.link("Type it anew").click()
        rows = ana.page.get_by_role("row").filter(has_text=SAMPLES[0])
        expect(rows.filter(has_text="mycoplasma")).to_have_count(1)


def test_who_may_not_type_is_told_who_may_and_links_lead_there(site: Served):
    with site.visitor(AUD) as aud:
        aud.go("/uploads")
        aud.link("Typed results").click()
        expect(aud.page.get_by_text("Nothing was typed yet")).to_be_visible()
        expect(aud.link("Type results")).to_have_count(0)
        aud.go(f"/manual/new?lot={LOT}&of={SAMPLES[0]}:VIAB:viability")
        expect(aud.page.get_by_text("You may not do this.")).to_be_visible()
        expect(aud.page.get_by_text("It is for: analyst")).to_be_visible()
    with site.visitor(ANA) as ana:
        ana.go(f"/lots/{LOT}")
        ana.page.get_by_role("link", name=re.compile("^Type results")).click()
        expect(ana.heading(f"Type results of {LOT}")).to_be_visible()
        ana.go(f"/manual/new?lot={LOT}&of={SAMPLES[0]}:VIAB:colour")
        expect(ana.page.get_by_role("alert")).to_contain_text("BQC-WEB-090")
        many = "&".join(f"of={one}" for one in every_result(site.house))
        ana.go(f"/manual/new?lot={LOT}&{many}")
        expect(ana.page.get_by_role("alert")).to_contain_text("They are too many for one form.")


def every_result(house: House) -> list[str]:
    subjects = [one.criterion.subject for one in house.study().verdicts]
    measured = [one for one in subjects if isinstance(one, Measured)]
    return [f"{sample}:{one.test}:{one.analyte}" for sample in SAMPLES for one in measured]


@pytest.mark.requirement("2.20")
@pytest.mark.requirement("2.21")
def test_a_lot_is_checked_certified_and_transferred_on_its_pages(site: Served):
    house = site.house
    policy(house, Policy.QP_CERTIFIES, Certifies.EVERY_LOT)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=QA2, role=Role.QP, granted=True, reason="Named in the licence")
    house.ready()
    with site.visitor(QA1) as qa:
        manufacture_is_checked(qa, house)
    with house.acting(QA2, Permission.CERTIFY_LOT) as tx:
        certified = release_lot(tx, house.archive, lot=LOT, credentials=signing(QA2))
        assert isinstance(certified, Decision)
    with site.visitor(QA3) as qa:
        qa.page.get_by_role("row").filter(has_text="waits for its transfer").get_by_role(
            "link"
        ).first.click()
        qa.link("Transfer to saleable stock").click()
        sign(qa, "Sign the transfer")
        expect(qa.page.get_by_text("the lot goes to saleable stock.")).to_be_visible()
        assert steps(house) == (1, 1, 1)
        qa.go(f"/lots/{LOT}/annex16/transfer")
        expect(qa.page.get_by_text("it is transferred already")).to_be_visible()
        sign(qa, "Sign the transfer")
        expect(qa.page.get_by_role("alert")).to_contain_text("BQC-QPC-003")
        qa.go("/certifications")
        expect(qa.page.get_by_role("row").filter(has_text="QP-2026-000001")).to_contain_text(LOT)
        (row,) = csv.DictReader(
            StringIO(qa.page.request.get("/certifications.csv").body().decode("utf-8-sig"))
        )
        assert row["number"] == "QP-2026-000001"
    assert house.verify().problems == ()


def manufacture_is_checked(qa: Visitor, house: House) -> None:
    """From my work: blank, then answered with no, then signed."""
    work = qa.page.get_by_role("row").filter(
        has_text=re.compile("check of manufacture", re.IGNORECASE)
    )
    work.get_by_role("link").click()
    qa.link("Check manufacture and testing").click()
    qa.press("Sign the check")
    expect(qa.page.get_by_role("alert")).to_contain_text("Nothing was done.")
    told = qa.page.get_by_text("Say by whom or with which record it is ensured.")
    expect(told).to_have_count(2 * len(POINTS))  # at the top, and beside each field
    answer(qa, gmp="No, CAPA-4 is open")
    sign(qa, "Sign the check")
    expect(qa.page.get_by_role("alert")).to_contain_text('"gmp" is answered with no')
    assert steps(house) == (0, 0, 0)
    answer(qa)
    sign(qa, "Sign the check")
    expect(qa.page.get_by_text("manufacture and testing are checked.")).to_be_visible()
    assert steps(house) == (1, 0, 0)
    expect(qa.page.get_by_text("it is not certified by a qualified person")).to_be_visible()


def answer(qa: Visitor, **answers: str) -> None:
    """Answer every point of the check."""
    for point, what in POINTS.items():
        label = f"{point.capitalize()}: {what}"
        qa.page.get_by_label(label).fill(answers.get(point, "QA, see the batch record"))


def sign(qa: Visitor, button: str) -> None:
    qa.page.get_by_label("Reason").fill("Compared with the batch record")
    qa.page.get_by_label("Password", exact=True).fill(PASSWORD)
    qa.press(button)


def steps(house: House) -> tuple[int, int, int]:
    """How many checks, certifications and transfers are on record."""
    with house.reading() as session:
        row = lot_by(session, LOT)
        assert row is not None
        found = certifications_of(session, row)
        return len(checks_of(session, row)), len(found), sum(one is not None for _, one in found)


@pytest.mark.requirement("1.31")
def test_a_second_result_is_not_typed_from_a_form_that_is_older_than_the_first(site: Served):
    with site.visitor(ANA) as ana:
        choose(ana, "Viability")
        fill(ana, "VIAB", Viability="93.40", Measured_at="2025-05-20T10:00:00-05:00")
        older = ana.page
        ana.begin_anew()
        choose(ana, "Viability")
        fill(ana, "VIAB", Viability="93.41", Measured_at="2025-05-20T10:00:00-05:00")
        ana.press("Show what is recorded")
        ana.press("Record it")
        expect(ana.page.get_by_text(f"Recorded as {FIRST}")).to_be_visible()
        ana.page = older
        ana.press("Show what is recorded")
        expect(ana.page.get_by_text("Another result would be a retest")).to_be_visible()
        assert uploads(site.house) == 1


@pytest.mark.requirement("1.31")
def test_a_result_that_comes_while_another_one_is_recorded_stays_alone(
    site: Served, monkeypatch: pytest.MonkeyPatch
):
    """Between the last look at what is on record and the record itself."""
    seen = []

    def look(found: Sequence[Read]) -> str:
        seen.append(found)
        if len(seen) == 2:
            enter(site.house, VIAB, by=BEN, values=("93.41",))
        return shown(found)

    monkeypatch.setattr(typed_new, "shown", look)
    with site.visitor(ANA) as ana:
        choose(ana, "Viability")
        fill(ana, "VIAB", Viability="93.40", Measured_at="2025-05-20T10:00:00-05:00")
        ana.press("Show what is recorded")
        ana.press("Record it")
        expect(ana.page.get_by_text("Another result would be a retest")).to_be_visible()
    assert uploads(site.house) == 1


@pytest.mark.requirement("1.31")
@pytest.mark.parametrize("value", ["93.40", "93.41"])
def test_what_waits_is_not_found_out_by_typing_values_until_one_is_taken(site: Served, value: str):
    assert enter(site.house, VIAB).number == FIRST
    with site.visitor(BEN) as ben:
        ben.go(f"/manual/new?lot={LOT}&of={SAMPLES[0]}:VIAB:viability")
        fill(
            ben, "VIAB", Viability=value, Measured_at="2025-05-20T10:00:00-05:00",
            Measured_by=ANA, Method="SOP-QC-014 v3", Run="VCB-9",
        )  # fmt: skip
        ben.press("Show what is recorded")
        expect(ben.page.get_by_role("alert")).to_contain_text("1 field is wrong")
        expect(ben.page.get_by_text("Another result would be a retest")).to_be_visible()
        expect(ben.page.get_by_text("VCB-9 is on record")).to_have_count(0)
