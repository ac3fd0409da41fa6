"""Certificates in a browser: found, verified, sealed, copied, taken along; and by strangers."""

import csv
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from batchqc.actions.certificate_states import withdraw_certificate
from batchqc.actions.lots import the_lot
from batchqc.api import verification
from batchqc.core.permissions import Permission
from batchqc.documents.bundle.verify_bundle import main as verify_bundle
from batchqc.documents.certificate_check import PAGES
from batchqc.documents.verifier.examination import _STEPS
from batchqc.web.certificate_checks import QUESTIONS
from tests.api.conftest import NO_AUTHORITIES
from tests.records.house import ANA, AUD, LOT, PASSWORD, QA1, QA2
from tests.records.layouts import FOR_CLINIC, adopt_layout
from tests.web.certified import (
    FIRST,
    SECOND,
    content_hash,
    released,
    superseded,
    with_root,
)
from tests.web.conftest import Served, Server

PEOPLE = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
HERE = {"Sec-Fetch-Site": "same-origin"}
SEALING = 30_000  # milliseconds: two seals and a checkpoint, beside everything else
#: The specification of the house requires everything.
COMPLETE = FOR_CLINIC.replace(b'withhold = ["ido"]\n', b"")


@pytest.fixture(scope="module")
def sealed(served: Served, server: Server) -> Iterator[bytes]:
    """The certificate of the lot, while it is in force."""
    adopt_layout(served.house, COMPLETE)
    with with_root(server):
        yield released(served, server)


@pytest.fixture(scope="module")
def pdf(sealed: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("received") / "received.pdf"
    path.write_bytes(sealed)
    return path


@pytest.fixture(scope="module")
def raw(served: Served, sealed: bytes) -> Iterator[httpx.Client]:
    """A client without an account that says of itself what it likes."""
    assert sealed
    with httpx.Client(base_url=served.address, verify=NO_AUTHORITIES, timeout=60) as client:
        yield client


def posted(raw: httpx.Client, data: bytes, **headers: str) -> httpx.Response:
    file = {"file": ("received.pdf", data, "application/pdf")}
    return raw.post("/verify", files=file, headers=HERE | headers)


def told_of(text: str) -> str:
    """What a page says, without the time and what else is new each time."""
    main = re.search(r"<main.*</main>", text, re.DOTALL)
    assert main is not None
    return main[0]


def test_every_check_of_the_verifier_is_asked_in_words():
    assert set(QUESTIONS) == {step.name for step in (*_STEPS, PAGES)}


@pytest.mark.requirement("5.07")
def test_anybody_verifies_a_file_by_keyboard_and_sees_that_it_counts(
    served: Served, pdf: Path, tmp_path: Path
):
    with served.visitor() as stranger:
        stranger.go("/sign-in")
        stranger.link("Verify a certificate without an account").click()
        stranger.press("Verify")  # without a file, the browser asks for one
        field = stranger.page.get_by_label("PDF of the certificate")
        field.set_input_files(pdf)
        field.focus()
        stranger.page.keyboard.press("Tab")
        stranger.page.keyboard.press("Enter")
        expect(stranger.heading("Genuine")).to_be_visible()
        expect(stranger.page.get_by_text("It counts today")).to_be_visible()
        expect(stranger.page.get_by_text(f"Lot {LOT} complies")).to_be_visible()
        expect(stranger.page.get_by_text("Certified by Qa1")).to_be_visible()
        unexamined = stranger.page.get_by_text("No proof from the log was given")
        expect(unexamined).to_be_visible()
        assert stranger.page.get_by_role("main").get_by_role("time").count() >= 4
        assert stranger.violations() == []
        with stranger.page.expect_download() as found:
            stranger.link("verify.py").click()
        assert found.value.path().read_bytes() == verification.stand_alone()
        changed = tmp_path / "changed.pdf"
        changed.write_bytes(pdf.read_bytes().replace(LOT.encode(), b"MSC-26-9999"))
        stranger.page.get_by_label("PDF of the certificate").set_input_files(changed)
        stranger.press("Verify")
        expect(stranger.heading("Not genuine")).to_be_visible()
        expect(stranger.page.get_by_text("It counts today")).to_have_count(0)


def test_a_file_is_dropped_and_verified_and_without_script_the_form_does_the_same(
    served: Served, pdf: Path
):
    with served.visitor() as stranger:
        stranger.go("/verify")
        data = stranger.page.evaluate_handle(
            """bytes => { const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], 'a.pdf')); return data }""",
            list(pdf.read_bytes()),
        )
        target = stranger.page.get_by_text("Drop it here, or choose it.")
        target.dispatch_event("dragover", {"dataTransfer": data})
        target.dispatch_event("drop", {"dataTransfer": data})
        expect(stranger.heading("Genuine")).to_be_visible()
    with served.visitor(java_script_enabled=False) as plain:
        plain.go("/verify")
        plain.page.get_by_label("PDF of the certificate").set_input_files(pdf)
        plain.press("Verify")
        expect(plain.heading("Genuine")).to_be_visible()


def test_hostile_files_and_forms_get_an_answer_and_leave_nothing(
    raw: httpx.Client, served: Served, sealed: bytes
):
    before = sorted(path.name for path in served.house.archive.root.rglob("*"))
    for data in (b"%PDF-1.7", b"\0" * 9_000_000, sealed[:-40], sealed + b"\n", sealed[1000:]):
        answer = posted(raw, data)
        assert (answer.status_code, "Not genuine" in answer.text) == (200, True)
        assert LOT not in answer.text  # nothing is told of what is not proven
    for data in (b"", b"\0" * 10_000_001, b"\0" * 15_000_000):
        answer = posted(raw, data)
        assert (answer.status_code, "BQC-CRT-070" in answer.text) == (422, True)
    assert raw.post("/verify", headers=HERE).status_code == 422
    assert raw.post("/verify", data={"file": "text"}, headers=HERE).status_code == 422
    two = [("file", ("a.pdf", sealed)), ("file", ("b.pdf", sealed))]
    assert raw.post("/verify", files=two, headers=HERE).status_code == 400
    for foreign in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        answer = raw.post("/verify", files={"file": ("a.pdf", sealed)}, headers=foreign)
        assert (answer.status_code, "BQC-WEB-001" in answer.text) == (403, True)
    name = {"file": ("<blink>\x1b[2J.pdf", sealed, "application/pdf")}
    shown = raw.post("/verify", files=name, headers=HERE).text
    assert "Genuine" in shown
    assert "<blink>" not in shown
    assert "\x1b" not in shown
    assert before == sorted(path.name for path in served.house.archive.root.rglob("*"))


def test_programs_verify_without_an_account_too(raw: httpx.Client, sealed: bytes):
    found = raw.post("/api/v1/verification", content=sealed).json()
    assert (found["genuine"], found["certificate"], found["lot"]) == (True, FIRST, LOT)
    assert (found["here"]["counts"], found["complete"]) == ("counts", False)
    assert "reason" not in found["here"]
    none = raw.post("/api/v1/verification", content=b"nothing").json()
    assert (none["genuine"], none["lot"], none["signatures"]) == (False, "", [])
    assert none["here"]["counts"] == "not asked"
    large = raw.post("/api/v1/verification", content=b"\0" * 10_000_001)
    assert (large.status_code, large.json()["code"]) == (422, "BQC-CRT-070")


def test_who_comes_while_many_wait_is_sent_away_at_once(raw: httpx.Client, sealed: bytes):
    with ExitStack() as places:
        for _ in range(8):
            places.enter_context(verification.TURNS.place())
        answer = posted(raw, sealed)
        assert (answer.status_code, "BQC-CRT-071" in answer.text) == (409, True)
        found = raw.post("/api/v1/verification", content=sealed)
        assert (found.status_code, found.json()["code"]) == (409, "BQC-CRT-071")
    assert "Genuine" in posted(raw, sealed).text


def test_a_file_whose_seal_ended_is_told_as_on_record_and_any_other_as_before(
    raw: httpx.Client, served: Served, sealed: bytes
):
    now = served.house.now.at
    try:
        served.house.now.at = now + timedelta(days=40 * 365)
        shown, other = posted(raw, sealed).text, posted(raw, sealed[:-40]).text
    finally:
        served.house.now.at = now
    assert "On record, and not proven by its seal any more" in shown
    assert "The records of this site say that this very file was issued." in shown
    assert LOT in shown
    assert "it was changed" not in shown
    assert "Not genuine" in other
    assert "it was changed" in other
    assert LOT not in other


def test_a_site_without_its_root_verifies_nothing_and_says_so(
    raw: httpx.Client, server: Server, sealed: bytes
):
    state = server.application.state
    door = state.door
    try:
        missing = door.settings.model_copy(update={"trust": Path("/nowhere")})
        object.__setattr__(door, "settings", missing)
        answer = posted(raw, sealed)
        assert (answer.status_code, "BQC-CRT-072" in answer.text) == (404, True)
        assert "/nowhere" not in answer.text
        assert "Ask the site for root.pem" in raw.get("/verify").text
    finally:
        trust = {"trust": server.seal.root_pem.parent}
        object.__setattr__(door, "settings", door.settings.model_copy(update=trust))


def test_a_certificate_is_found_by_what_it_says_and_its_row_opens_it(served: Served, sealed: bytes):
    assert sealed
    with served.visitor(AUD) as auditor:
        auditor.go("/")
        auditor.page.keyboard.press("g")
        auditor.page.keyboard.press("c")
        expect(auditor.heading("Certificates")).to_be_visible()
        main = auditor.page.get_by_role("main")
        main.get_by_label("Words on the certificate").fill("viab*")
        main.get_by_label("State").select_option("Issued")
        main.get_by_text("More filters").click()
        main.get_by_label("Analyte").fill("CD73")
        main.get_by_label("Signer").fill("qa1")
        auditor.press("Show")
        expect(auditor.page.get_by_text("1 certificate with this filter")).to_be_visible()
        expect(auditor.page.get_by_role("columnheader", name="Lot, as certified")).to_be_visible()
        with auditor.page.expect_download() as found:
            auditor.link("CSV").click()
        (row,) = csv.DictReader(StringIO(found.value.path().read_text("utf-8-sig")))
        assert (row["certificate"], row["lot"], row["status"]) == (FIRST, LOT, "issued")
        auditor.page.keyboard.press("j")
        auditor.page.keyboard.press("Enter")
        expect(auditor.heading(FIRST)).to_be_visible()
        auditor.go("/certificates?text=%2B%2B")
        expect(auditor.page.get_by_role("alert").first).to_contain_text("holds no word")
        auditor.go(f"/certificates?after={SECOND}")
        expect(auditor.page.get_by_role("alert").first).to_contain_text("there is no certificate")


def test_its_page_verifies_it_and_gives_everything_away(served: Served, sealed: bytes):
    with served.visitor(AUD, java_script_enabled=False) as auditor:
        auditor.go(f"/certificates/{FIRST}")
        expect(auditor.page.get_by_text("In force")).to_be_visible()
        expect(auditor.page.get_by_text("Genuine", exact=True)).to_be_visible()
        expect(auditor.page.get_by_text("Certified by Qa1")).to_be_visible()
        expect(auditor.page.locator(".head").get_by_text("Released", exact=True)).to_be_visible()
        auditor.page.get_by_text("checks hold").last.click()
        expect(auditor.page.get_by_text("Its issue is in the transparency log")).to_be_visible()
        data = take(auditor, "Data (JSON)")
        assert data["number"] == FIRST
        assert take(auditor, "Proof from the log")["certificate"] == FIRST
        assert take(auditor, "FHIR R5 (JSON)")["resourceType"]
        opened = auditor.link("Open PDF (new tab)").get_attribute("href")
        answer = auditor.context.request.get(f"{auditor.address}{opened}")
        assert answer.body() == sealed


def take(visitor: Any, name: str) -> Any:
    """The JSON that a link gives."""
    path = visitor.link(name).get_attribute("href")
    answer = visitor.context.request.get(f"{visitor.address}{path}")
    assert answer.ok
    return json.loads(answer.body())


@pytest.mark.requirement("5.07")
def test_qa_makes_a_copy_and_a_rendition_and_each_is_on_record_once(served: Served, sealed: bytes):
    assert sealed
    with served.visitor(QA1) as qa:
        qa.go(f"/certificates/{FIRST}")
        qa.link("Print a copy").click()
        qa.press("Print the copy")
        expect(qa.page.get_by_text("Say for whom the copy is.").last).to_be_visible()
        assert qa.violations() == []
        qa.page.get_by_label("For whom").fill("Regional Hospital")
        qa.press("Print the copy")
        expect(qa.page.get_by_text("Copy 1 is on record.")).to_be_visible()
        copy = qa.link("Copy 1").get_attribute("href")
        assert qa.context.request.get(f"{qa.address}{copy}").body().startswith(b"%PDF")
        qa.link("Make a rendition").click()
        qa.page.get_by_label("Layout").select_option(index=1)
        qa.press("Make the rendition")
        expect(qa.page.get_by_text("The rendition is sealed.")).to_be_visible(timeout=SEALING)
        rendition = qa.link("COA-CLINIC v1").get_attribute("href")
        document = qa.context.request.get(f"{qa.address}{rendition}").body()
        qa.go("/verify")
        file: Any = {"name": "r.pdf", "mimeType": "application/pdf", "buffer": document}
        qa.page.get_by_label("PDF of the certificate").set_input_files(file)
        qa.press("Verify")
        expect(qa.page.get_by_text("a rendition of certificate")).to_be_visible()
        expect(qa.page.get_by_text("It counts today")).to_be_visible()


def test_a_form_that_is_sent_twice_makes_one_copy(served: Served, sealed: bytes):
    assert sealed
    with served.visitor(QA1, java_script_enabled=False) as qa:
        qa.go(f"/certificates/{FIRST}/make/copy")
        fields = {
            name: qa.page.locator(f"main input[name={name}]").get_attribute("value") or ""
            for name in ("token", "key")
        }
        sent = fields | {"recipient": "Second Hospital"}
        path = f"{qa.address}/certificates/{FIRST}/make/copy"
        for _ in range(2):
            headers = {"Origin": qa.address}
            assert qa.context.request.post(path, form=sent, headers=headers).ok
        qa.go(f"/certificates/{FIRST}")
        expect(qa.page.get_by_text("Second Hospital").first).to_be_visible()
        expect(qa.link("Copy 2")).to_have_count(1)
        expect(qa.link("Copy 3")).to_have_count(0)


def test_an_auditor_sees_how_much_a_bundle_holds_takes_it_and_finds_it_on_record(
    served: Served, server: Server, sealed: bytes, tmp_path: Path
):
    assert sealed
    with served.visitor(AUD) as auditor:
        auditor.go("/exports")
        expect(auditor.heading("Nothing was exported yet")).to_be_visible()
        auditor.link("New bundle").first.click()
        auditor.page.get_by_label("Lots").fill("NONE-1, NONE-2")
        auditor.press("Count")
        told = auditor.page.get_by_role("alert").first
        expect(told).to_contain_text("there is no lot NONE-1")
        expect(told).to_contain_text("there is no lot NONE-2")
        auditor.page.get_by_label("Lots").fill(LOT)
        auditor.press("Count")
        expect(auditor.page.get_by_text("1 lot 1 certificate")).to_be_visible()
        assert auditor.violations() == []
        auditor.press("Make the bundle")
        with auditor.page.expect_download() as found:
            auditor.link("Download").click()  # the page follows the job by itself
        with zipfile.ZipFile(BytesIO(found.value.path().read_bytes())) as file:
            file.extractall(tmp_path)
        root = str(server.seal.root_pem)
        assert verify_bundle([str(tmp_path / "batchqc-bundle"), "--root", root]) == 0
        auditor.go("/exports")
        expect(auditor.page.get_by_role("row").filter(has_text=AUD)).to_have_count(1)
        auditor.link(LOT).click()
        expect(auditor.page.get_by_label("Lots")).to_have_value(LOT)
    with served.visitor(ANA) as ana:
        ana.go("/exports/new")
        expect(ana.page.get_by_text("You cannot export.")).to_be_visible()
        expect(ana.button("Make the bundle")).to_have_count(0)


def test_qa_sets_the_rule_of_the_archive(served: Served, sealed: bytes):
    assert sealed
    with served.visitor(QA1) as qa:
        qa.go("/archive")
        expect(qa.page.get_by_text("The archive was never read again")).to_be_visible()
        qa.link("Set the rule").click()
        qa.page.get_by_label("Years after the last usable day").fill("many")
        fill(qa)
        qa.press("Sign the rule")
        expect(qa.page.get_by_text("Write a whole number of years.").last).to_be_visible()
        qa.page.get_by_label("Years after the last usable day").fill("0")
        qa.page.get_by_label("Years after manufacture").fill("0")
        fill(qa)
        qa.press("Sign the rule")
        expect(qa.page.get_by_role("alert").first).to_contain_text("1 year after the lot expires")
        qa.page.get_by_label("Years after the last usable day").fill("30")
        fill(qa, "wrong password 1")
        qa.press("Sign the rule")
        expect(qa.page.get_by_text("password is wrong").last).to_be_visible()
        fill(qa)
        qa.press("Sign the rule")
        expect(qa.page.get_by_text("years after the last usable day")).to_be_visible()


def test_qa_lays_a_hold_and_another_one_releases_it_without_script(served: Served, sealed: bytes):
    assert sealed
    with served.visitor(QA1) as qa:
        qa.go("/archive")
        qa.page.get_by_label("Lot", exact=True).fill(LOT)
        qa.press("Show")
        expect(qa.page.get_by_text("upload U-2026-000001").first).to_be_visible()
        qa.page.get_by_role("link", name="Lay a legal hold").click()
        fill(qa)
        qa.press("Sign and hold")
        expect(qa.page.get_by_text("LH-2026-000001").first).to_be_visible()
    with served.visitor(QA2, java_script_enabled=False) as other:
        other.go("/archive")
        other.page.get_by_role("link", name="Release the hold").click()
        fill(other)
        other.press("Sign and release the hold")
        expect(other.page.get_by_text("Released", exact=True)).to_be_visible()
        other.go("/archive?lot=NONE-1")
        expect(other.page.get_by_role("alert").first).to_contain_text("NONE-1")


def fill(visitor: Any, password: str = PASSWORD) -> None:
    visitor.page.get_by_label("Reason").fill("Decided by the board")
    visitor.page.get_by_label("Password", exact=True).fill(password)


@pytest.fixture(scope="module")
def replaced(served: Served, sealed: bytes) -> bytes:
    """The same, after another one superseded it: for the last tests, since it is so for all."""
    superseded(served.house)
    return sealed


@pytest.mark.requirement("5.07")
def test_the_code_on_paper_leads_to_a_page_that_tells_nothing_but_how_it_stands(
    served: Served, raw: httpx.Client
):
    first = content_hash(served.house, FIRST)
    page = raw.get(f"/status/{FIRST}", params={"sha256": first}, headers=PEOPLE)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert (page.headers["cache-control"], page.headers["x-robots-tag"]) == ("no-store", "noindex")
    assert "It stands as it was issued." in page.text
    assert raw.get(f"/status/{FIRST}", params={"sha256": first}).json()["status"] == "issued"
    for secret in (LOT, "qa1", "Qa1"):
        assert secret not in page.text
    questions = [
        (FIRST, ""), (FIRST, "0" * 64), (FIRST, first[:63]), ("COA-2026-000009", first),
        ("x", "x"), ("<script>", "<script>"),
    ]  # fmt: skip
    answers = [
        raw.get(f"/status/{number}", params={"sha256": sha256}, headers=PEOPLE)
        for number, sha256 in questions
    ]
    assert {one.status_code for one in answers} == {404}
    assert len({told_of(one.text) for one in answers}) == 1


@pytest.mark.requirement("5.07")
def test_strangers_learn_that_a_genuine_certificate_is_superseded(
    served: Served, raw: httpx.Client, replaced: bytes
):
    first = content_hash(served.house, FIRST)
    page = raw.get(f"/status/{FIRST}", params={"sha256": first}, headers=PEOPLE)
    assert "Another certificate counts instead." in page.text
    assert "fails" not in page.text  # why it is so is nobody's business
    (link,) = re.findall(rf'href="({SECOND}[^"]*)"', page.text)
    assert "it is not sealed yet" in raw.get(f"/status/{link}", headers=PEOPLE).text
    shown = posted(raw, replaced).text
    assert "Genuine" in shown
    assert "It is superseded" in shown
    assert "fails" not in told_of(shown)
    assert f'href="/status/{SECOND}?sha256=' in shown


def test_what_is_superseded_is_genuine_and_leads_to_what_is_pending_which_qa_seals(
    served: Served, replaced: bytes
):
    assert replaced
    with served.visitor(QA2) as qa:
        qa.go(f"/certificates/{FIRST}")
        expect(qa.page.get_by_text("Another certificate took its place:")).to_be_visible()
        expect(qa.page.get_by_text("Genuine", exact=True)).to_be_visible()
        expect(qa.page.get_by_text("Nothing came since that ends it")).to_be_visible()
        qa.link(SECOND).first.click()
        expect(qa.page.get_by_text("Its number is reserved; it is not sealed yet.")).to_be_visible()
        qa.link("Seal it").click()
        qa.press("Seal it")
        expect(qa.page.get_by_text(f"{SECOND} is sealed.")).to_be_visible(timeout=SEALING)
        expect(qa.page.get_by_text("In force")).to_be_visible()
        qa.go(f"/certificates/{SECOND}/make/issue")
        expect(qa.page.get_by_text("Only a pending certificate is sealed")).to_be_visible()


@pytest.mark.requirement("5.07")
def test_nobody_is_told_that_a_certificate_counts_which_was_withdrawn_in_its_turn(
    served: Served, raw: httpx.Client, replaced: bytes
):
    """As of a lot that was recalled: who holds the first certificate is warned at once."""
    with served.house.acting(QA1, Permission.HOLD_LOT) as tx:
        withdraw_certificate(tx, the_lot(tx.session, LOT), reason="Recalled", about="lot:x")
    first = content_hash(served.house, FIRST)
    page = raw.get(f"/status/{FIRST}", params={"sha256": first}, headers=PEOPLE)
    for shown in (page.text, posted(raw, replaced).text):
        assert "none counts instead" in shown
        assert "Another certificate counts" not in shown
        assert SECOND not in shown
