"""What three kinds of user come for, from signing in to the end, as people do it at a browser.

Each is seen in light and in dark. They find their way by what a page shows: labels, roles and
words, from one page to the next, and never by an address, an id or the API. What stands on record
before they come is set up by fixtures.
"""

import ast
import csv
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, expect

from batchqc.core.conclusions import CHECKLIST
from tests.actions.investigating import METHOD
from tests.actions.typing_results import REPORT
from tests.records.house import (
    ANA,
    AUD,
    BEN,
    GOOD,
    LOT,
    QA1,
    QA2,
    QA3,
    REV,
    SAMPLES,
    House,
    alone,
    results,
)
from tests.records.laboratory import adopt_method
from tests.web.certified import FIRST, released, with_root
from tests.web.conftest import Served, Server
from tests.web.hands import Dropping, Keys, Mouse

LOOKS = pytest.mark.parametrize("look", ["light", "dark"])
SEALING = 30_000  # milliseconds: two seals and a checkpoint, beside everything else
WHY = "Compared with the raw data"
OOS, RETEST = "OOS-2026-000001", "VCB-R1"


#: What sees or does more than somebody before a page.
BEYOND = {
    "locator", "query_selector", "get_by_test_id", "evaluate", "evaluate_handle", "content", "goto",
    "go", "request", "route", "acting", "reading", "set_input_files", "dispatch_event",
}  # fmt: skip


def test_journeys_are_made_by_what_a_page_shows():
    tree = ast.parse(Path(__file__).read_text())
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert used & BEYOND == set()


@pytest.fixture
def certifying(site: Served, server: Server) -> Iterator[Served]:
    """A site that hands out the root of its seal."""
    with with_root(server):
        yield site


@pytest.fixture
def failing(certifying: Served) -> Served:
    """A lot with everything in, whose viability fails."""
    adopt_method(certifying.house, METHOD)
    assert certifying.house.upload(results(viability={"value": "89.1"})).accepted
    return certifying


@pytest.fixture
def archived(certifying: Served, server: Server) -> Served:
    """A released lot with its certificate."""
    certifying.house.ready()
    assert released(certifying, server)
    return certifying


@pytest.mark.parametrize(
    ("look", "hands"), [("light", Dropping), ("dark", Mouse), ("dark", Keys)],
    ids=["light-dropping", "dark-choosing", "dark-by keyboard"],
)  # fmt: skip
def test_an_analyst_brings_in_results_and_a_second_person_reviews_them(
    site: Served, tmp_path: Path, look: str, hands: type[Mouse]
):
    with site.visitor(color_scheme=look) as ana:
        analyst = hands(ana)
        analyst.sign_in(ANA)
        template = the_template(analyst)
        wrong, right = tmp_path / "wrong.csv", tmp_path / "results.csv"
        wrong.write_text(filled(template, "93,4"))
        right.write_text(filled(template, "93.40"))
        analyst.give("Choose the file of results", wrong)
        expect(ana.heading("wrong.csv")).to_be_visible()
        row = ana.page.get_by_role("row").filter(has_text="VCB-250520-01")
        expect(row.get_by_role("cell", name="problem: 93,4")).to_be_visible()
        below = ana.page.get_by_role("listitem").filter(has_text='has a decimal ","')
        expect(below).to_contain_text("To do")
        expect(ana.page.get_by_role("button", name="Record")).to_have_count(0)
        analyst.give("Choose the mended file", right)
        ana.sees("It can be recorded")
        makes = ana.page.get_by_role("region", name="Verdicts with this file")
        expect(makes.get_by_role("row").filter(has_text="Viability")).to_contain_text("Conforms")
        analyst.press(ana.button("Record 10 results"))
        ana.sees("Recorded as U-2026-000001.")
        assert ana.violations() == []
    with site.visitor(color_scheme=look) as rev:
        reviewer = hands(rev)
        reviewer.sign_in(REV)
        the_runs_are_reviewed(reviewer)
        assert rev.violations() == []


def the_template(analyst: Mouse) -> str:
    """The file in which everything that is still to be measured has a row."""
    visitor = analyst.visitor
    expect(visitor.page.get_by_role("row").filter(has_text=LOT).first).to_be_visible()
    analyst.goes_to("Uploads")
    analyst.press(visitor.link("Upload a file"))
    analyst.fill(visitor.page.get_by_label("Lots"), LOT)
    with visitor.page.expect_download() as found:
        analyst.press(visitor.button("Template"))
    return found.value.path().read_text("utf-8-sig")


def filled(template: str, viability: str) -> str:
    """Fill in what was measured, of the first sample alone."""
    reader = csv.DictReader(StringIO(template))
    text = StringIO()
    writer = csv.DictWriter(text, reader.fieldnames or ())
    writer.writeheader()
    for row in reader:
        if row["sample_id"] == SAMPLES[0] and row["result_type"] == "reportable":
            measured = {"measured_at": "2025-05-20T10:00:00-05:00", "analyst": ANA}
            writer.writerow(row | measured | GOOD[row["analyte"]])
    return text.getvalue().replace("93.40", f'"{viability}"')


def the_runs_are_reviewed(reviewer: Mouse) -> None:
    """From what waits for the reviewer, by exception, with a signature."""
    visitor = reviewer.visitor
    opens(reviewer, LOT, "Review")
    expect(visitor.heading(f"Review of {LOT}")).to_be_visible()
    reviewer.press(visitor.link("Review the runs"))
    reviewer.sign("Sign the review of the runs", WHY)
    visitor.sees("Signed: the runs are reviewed.")


@LOOKS
def test_qa_frees_a_blocked_lot_by_an_investigation_and_its_certificate_is_genuine(
    failing: Served, tmp_path: Path, look: str
):
    with ExitStack() as windows:
        ana, ben, rev, qa, other, third = (
            windows.enter_context(at_work(failing, user_id, look))
            for user_id in (ANA, BEN, REV, QA1, QA2, QA3)
        )
        qa_finds_what_blocks(qa)
        analyst_answers_and_files(ana)
        reviewer_signs_phase_one(rev)
        qa_plans_a_retest(qa)
        data = alone("viability", **measured_again(failing.house))
        (tmp_path / "retest.csv").write_bytes(data)
        second_analyst_uploads(ben, tmp_path / "retest.csv")
        the_runs_are_reviewed(rev)
        qa_concludes(other)
        reviewer_hands_to_qa(rev)
        qa_reads_the_audit_trail(third)
        qa_releases(qa)
        expect(qa.page.get_by_text("Genuine", exact=True)).to_be_visible(timeout=SEALING)
        expect(qa.page.get_by_text("It says what is so.")).to_be_visible()
        assert qa.visitor.violations() == []


@contextmanager
def at_work(site: Served, user_id: str, look: str) -> Iterator[Mouse]:
    """Somebody who signed in, in a window of their own."""
    with site.visitor(color_scheme=look) as visitor:
        person = Mouse(visitor)
        person.sign_in(user_id)
        yield person


def measured_again(house: House) -> dict[str, str]:
    """What the second analyst finds, a minute from now."""
    began = (house.now.at + timedelta(seconds=1)).isoformat()
    house.now.at += timedelta(minutes=1)
    return {"value": "95.1", "run_id": RETEST, "measured_at": began, "analyst": BEN}


def qa_finds_what_blocks(qa: Mouse) -> None:
    visitor = qa.visitor
    qa.goes_to("Lots")
    qa.press(visitor.link(LOT))
    expect(visitor.heading("What blocks the release")).to_be_visible()
    expect(visitor.page.get_by_role("link", name="Release")).to_have_count(0)
    qa.press(visitor.link(OOS).first)
    expect(visitor.heading("The original result")).to_be_visible()


def analyst_answers_and_files(ana: Mouse) -> None:
    page, visitor = ana.page, ana.visitor
    opens(ana, OOS)
    ana.press(page.get_by_role("region", name="Act").get_by_role("link", name="Perform"))
    for question in CHECKLIST.values():
        group = page.get_by_role("group", name=question)
        ana.press(group.get_by_label("Yes", exact=True))
    ana.sign("Sign phase I", WHY)
    visitor.sees("Signed: phase I is performed.")
    ana.press(visitor.link("File a document"))
    file: FilePayload = {"name": "log.pdf", "mimeType": "application/pdf", "buffer": REPORT}
    ana.give("Document", file)
    ana.press(visitor.button("File it"))
    visitor.sees("The document is filed.")


def opens(person: Mouse, thing: str, kind: str = "") -> None:
    """Something that waits for them."""
    person.goes_to("My work")
    row = person.page.get_by_role("row").filter(has_text=thing).filter(has_text=kind)
    person.press(row.get_by_role("link").first)


def reviewer_signs_phase_one(rev: Mouse) -> None:
    opens(rev, OOS)
    rev.press(rev.page.get_by_role("region", name="Act").get_by_role("link", name="Review"))
    rev.sign("Sign the review", WHY)
    rev.visitor.sees("Signed: phase I is reviewed.")


def qa_plans_a_retest(qa: Mouse) -> None:
    opens(qa, OOS)
    qa.press(qa.page.get_by_role("region", name="Act").get_by_role("link", name="Plan retests"))
    qa.fill(qa.page.get_by_label("Measured again by"), BEN)
    qa.fill(qa.page.get_by_label("Retests of the original sample"), "1")
    qa.sign("Sign and approve the plan", WHY)
    qa.visitor.sees("0 of 1")


def second_analyst_uploads(ben: Mouse, file: Path) -> None:
    visitor = ben.visitor
    ben.goes_to("Uploads")
    ben.press(visitor.link("Upload a file"))
    ben.press(ben.page.get_by_text("What the file does not say itself"))
    ben.fill(ben.page.get_by_label("Investigation whose retests it holds"), OOS)
    ben.give("Choose the file of results", file)
    ben.press(visitor.button("Record 1 result"))
    visitor.sees("Recorded as U-2026-000002.")


def qa_concludes(qa: Mouse) -> None:
    page = qa.page
    opens(qa, OOS)
    qa.press(page.get_by_role("region", name="Act").get_by_role("link", name="Conclude"))
    qa.press(page.get_by_label("Assignable laboratory cause"))
    qa.fill(page.get_by_label("Evidence"), "The counter was blocked")
    page.get_by_label("Cause", exact=True).select_option("Instrument failure")
    page.get_by_label("Document that shows it").select_option(index=1)
    qa.sign("Sign the conclusion", WHY)
    qa.visitor.sees("The original does not count")


def reviewer_hands_to_qa(rev: Mouse) -> None:
    opens(rev, LOT)
    rev.press(rev.visitor.link("Review the lot for QC"))
    rev.sign("Sign and hand to QA", WHY)
    rev.visitor.sees("QC is done")


def qa_reads_the_audit_trail(qa: Mouse) -> None:
    opens(qa, LOT, "Audit trail review")
    qa.press(qa.visitor.link("Sign as read"))
    qa.sign("Sign the audit trail as read", WHY)
    qa.visitor.sees("Signed: the audit trail is read.")


def test_qa_releases_a_lot_by_keyboard_alone(certifying: Served):
    certifying.house.ready()
    with certifying.visitor(color_scheme="light") as visitor:
        qa = Keys(visitor)
        qa.sign_in(QA1)
        qa_releases(qa)
        expect(visitor.page.get_by_text("Genuine", exact=True)).to_be_visible(timeout=SEALING)


def qa_releases(qa: Mouse) -> None:
    """And seals the certificate, and opens it."""
    visitor = qa.visitor
    opens(qa, LOT, "Decision")
    expect(visitor.heading("Nothing blocks the release")).to_be_visible()
    qa.press(qa.page.get_by_role("link", name="Release"))
    expect(qa.page.get_by_role("dialog").get_by_text("12 of 12 conform")).to_be_visible()
    qa.sign("Sign and release", "Complies with its specification")
    visitor.sees(f"Signed: {LOT} is released.")
    qa.press(visitor.link(FIRST))


@LOOKS
def test_an_auditor_finds_a_certificate_verifies_it_and_takes_a_bundle_that_verifies_itself(
    archived: Served, server: Server, tmp_path: Path, look: str
):
    document = tmp_path / "received.pdf"
    with at_work(archived, AUD, look) as auditor:
        visitor, page = auditor.visitor, auditor.page
        auditor.goes_to("Certificates")
        auditor.fill(page.get_by_label("Words on the certificate"), "viab*")
        auditor.press(visitor.button("Show"))
        visitor.sees("1 certificate with this filter")
        auditor.press(visitor.link(FIRST))
        expect(page.get_by_text("Genuine", exact=True)).to_be_visible()
        with page.expect_download() as found:
            auditor.press(visitor.link("Download PDF"))
        found.value.save_as(document)
        bundle = a_bundle(auditor, tmp_path)
        assert visitor.violations() == []
    with archived.visitor(color_scheme=look) as visitor:
        stranger = Dropping(visitor)
        stranger.comes()
        stranger.press(visitor.link("Verify a certificate without an account"))
        stranger.give("PDF of the certificate", document)
        expect(visitor.heading("Genuine")).to_be_visible()
        visitor.sees("It counts today")
        assert visitor.violations() == []
    root = str(server.seal.root_pem)
    command = [sys.executable, "verify/verify_bundle.py", "--root", root]
    said = subprocess.run(command, cwd=bundle, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, ""), said.stdout
    assert said.stdout.splitlines()[-1] == "Everything holds."


def a_bundle(auditor: Mouse, folder: Path) -> Path:
    """Everything about one lot, unzipped."""
    visitor = auditor.visitor
    auditor.goes_to("Certificates")
    auditor.press(visitor.link("Exports"))
    auditor.press(visitor.link("New bundle").first)
    auditor.fill(auditor.page.get_by_label("Lots"), LOT)
    auditor.press(visitor.button("Count"))
    visitor.sees("1 lot 1 certificate")
    auditor.press(visitor.button("Make the bundle"))
    expect(visitor.link("Download")).to_be_visible()
    with auditor.page.expect_download() as found:
        auditor.press(visitor.link("Download"))
    with zipfile.ZipFile(found.value.path()) as file:
        file.extractall(folder)
    return folder / "batchqc-bundle"
