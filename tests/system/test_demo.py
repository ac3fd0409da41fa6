"""The main job on published results, as a newcomer runs it."""

import hashlib
import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from pypdf import PdfReader
from rich.console import Console

from batchqc.cli.demo import demonstrate
from batchqc.documents.certificate_check import check, extract_signature, extract_signatures
from batchqc.documents.component_key import load_component_key
from batchqc.errors import Conflict
from batchqc.settings import Settings, certificate_schema
from tests.documents.external import openssl_accepts, pages_of, pdfsig, run, squeezed
from tests.documents.test_coa_layout import values_of
from tests.system.conftest import BATCHQC

AT = datetime(2026, 3, 1, tzinfo=UTC)
RELEASED = ("UCM-P1-T1", "UCM-P2-T1", "UCM-P2-T2", "UCM-P3-T1", "UCM-P3-T2", "UCM-P4-T1")


def lots(demo: Path) -> dict[str, dict[str, object]]:
    summary = json.loads((demo / "summary.json").read_text())
    return {lot["lot"]: lot for lot in summary["lots"]}


def certificate(demo: Path, lot: str) -> Path:
    return demo / str(lots(demo)[lot]["certificate"])


def test_who_goes_on_with_it_finds_every_key(demo: Path):
    settings = Settings.in_folder(demo)
    assert load_component_key(settings.component_key)  # a second component can be set up
    paths = (settings.seal, settings.log_key, settings.trust)
    assert [path for path in paths if path is None or not path.exists()] == []


@pytest.mark.requirement("4.02")
def test_eight_lots_end_as_their_results_demand(demo: Path):
    assert {name: lot["disposition"] for name, lot in lots(demo).items()} == {
        **dict.fromkeys(RELEASED, "released"),
        "UCM-P1-T2": "quarantine",
        "UCM-P4-T2": "rejected",
    }


def test_what_is_not_released_says_why_and_has_no_certificate(demo: Path):
    found = lots(demo)
    assert found["UCM-P1-T2"]["reasons"] == [
        "Results: CANNOT JUDGE: no result for IDO activity, kynurenine (IDO); UC-MSC-REL v1, ido",
        "QC review: QC has not reviewed the lot as a whole",
        "Audit trail review: QA has not reviewed the audit trail of the lot",
    ]
    assert found["UCM-P4-T2"]["reasons"] == [
        "Results: FAIL: 89 % does not meet > 90 %; UC-MSC-REL v1, viability"
    ]
    for lot in ("UCM-P1-T2", "UCM-P4-T2"):
        assert found[lot]["certificate"] is None
        assert found[lot]["sha256"] is None
    published = (demo / "certificates").glob("*_UCM-*.pdf")
    assert len(list(published)) == len(RELEASED)


def test_the_summary_names_software_specification_and_what_is_simulated(demo: Path):
    summary = json.loads((demo / "summary.json").read_text())
    assert summary["software"]
    assert summary["specification"]["id"] == "UC-MSC-REL"
    assert summary["specification"]["version"] == 1
    assert {"PBMC proliferation inhibition", "IDO activity", "dates"} <= set(summary["simulated"])
    assert "nothing is said about them" in summary["specimen"]


def test_progress_table_and_next_steps_are_told(told: str):
    assert "Upload viability.csv: U-2026-000001: 8 results read" in told
    assert "UCM-P4-T2" in told
    assert "rejected" in told
    assert "What to type next" in told
    assert "nothing is said about them" in told


@pytest.mark.requirement("5.02")
@pytest.mark.parametrize("lot", RELEASED)
def test_every_page_is_a_specimen_that_says_nothing_of_the_published_lots(demo: Path, lot: str):
    pages = pages_of(certificate(demo, lot))
    for number, page in enumerate(pages, 1):
        assert "SPECIMEN" in page
        assert "released under another specification; nothing is said about them" in page
        assert f"Page {number} of {len(pages)}" in page
    assert "simulated" in "".join(pages)


@pytest.mark.requirement("4.20")
def test_a_rounded_result_prints_what_was_reported_what_was_compared_and_the_rule(demo: Path):
    text = "".join(pages_of(certificate(demo, "UCM-P2-T1")))
    assert "19.5" in text
    assert "rounded: 20 (usp)" in text
    assert squeezed("rounded to the decimal places of the limit, five raises") in squeezed(text)


@pytest.mark.requirement("5.10")
@pytest.mark.parametrize("lot", RELEASED)
def test_third_parties_accept_each_certificate(demo: Path, nss: Path, tmp_path: Path, lot: str):
    path = certificate(demo, lot)
    told = pdfsig(path, nss)
    assert told.count("Signature is Valid.") == 2
    assert told.count("Certificate is Trusted.") == 2
    root = demo / "trust" / "root.pem"
    for extracted in extract_signatures(path.read_bytes()):
        assert openssl_accepts(extracted, root, tmp_path)
    assert check(path.read_bytes(), root_pem=root.read_bytes(), lot=lot, at=AT).passed
    assert hashlib.sha256(path.read_bytes()).hexdigest() == lots(demo)[lot]["sha256"]


@pytest.mark.requirement("5.10")
@pytest.mark.parametrize("lot", RELEASED)
def test_third_parties_refuse_each_certificate_with_a_changed_byte(
    demo: Path, nss: Path, tmp_path: Path, lot: str
):
    data = bytearray(certificate(demo, lot).read_bytes())
    place = data.index(b"stream") + 40
    data[place] ^= 1
    path = tmp_path / "tampered.pdf"
    path.write_bytes(data)
    assert "Signature is Valid." not in pdfsig(path, nss)
    assert pdfsig(path, nss).count("Digest Mismatch") == 2
    root = demo / "trust" / "root.pem"
    assert not openssl_accepts(extract_signature(bytes(data)), root, tmp_path)
    assert not check(bytes(data), root_pem=root.read_bytes(), lot=lot, at=AT).passed


def words_of_pictures(pdf: Path) -> list[str]:
    """What each picture says it shows."""
    whole = PdfReader(pdf).root_object["/StructTreeRoot"]["/K"]
    found = [one.get_object() for one in whole["/K"]]
    return [str(one["/Alt"]) for one in found if one["/S"] == "/Figure"]


@pytest.mark.requirement("5.08")
@pytest.mark.parametrize("lot", RELEASED)
def test_what_is_printed_and_what_is_embedded_are_the_same(demo: Path, tmp_path: Path, lot: str):
    path, data = certificate(demo, lot), tmp_path / "certificate.json"
    run("pdfdetach", "-savefile", "certificate.json", "-o", data, path)
    embedded = json.loads(data.read_bytes())
    pages = pages_of(path)
    for page in pages:
        assert f"Content SHA-256 {hashlib.sha256(data.read_bytes()).hexdigest()}" in page
    shown = squeezed("".join(pages))
    assert [one for one in values_of(embedded) if squeezed(one) not in shown] == []
    assert rows_read_aloud(path) == [
        [
            line["acceptance"],
            f"{line['result']} rounded: {line['rounded']} ({line['rounding']})"
            if line["rounded"]
            else line["result"],
            *filter(None, [line["unit"]]),
            (line["verdict"] or "for information").replace("_", " "),
        ]
        for line in embedded["lines"]
    ]
    for line in embedded["lines"]:
        written = line["acceptance"].replace("≥", ">=").replace("≤", "<=")
        for limit in line["accept"].get("limits", ()):
            assert f"{limit['operator']} {limit['limit']}" in written
    pictures = " ".join(words_of_pictures(path))
    for trend in embedded["trends"]:
        told = [f"{one['lot']} {one['qualifier']}{one['value']}" for one in trend["points"]]
        assert f"{trend['title']} ({trend['unit']}) of each lot: {', '.join(told)}." in pictures
        assert trend["said"] in pictures
    assert [one["criterion"] for one in embedded["trends"]] == [
        *("viability", "pbmc-inhibition", "ido"),
    ]
    schema = json.loads(certificate_schema().read_text())
    jsonschema.Draft202012Validator(schema).validate(embedded)
    reviewed, released = (one["signature"] for one in embedded["seals"])
    signed = {one["id"]: one for one in embedded["signatures"]}
    assert signed[reviewed]["user_id"] == "chi.pham"
    assert signed[released] == embedded["signatures"][-1]


def rows_read_aloud(pdf: Path) -> list[list[str]]:
    """The cells of each result but its first, as poppler finds them in the structure."""
    told = run("pdfinfo", "-struct-text", pdf)
    _, _, table = told.partition('"Verdict"')
    rows = table.partition("Table (block)")[0].split("    TR\n")
    cells = [
        re.findall(r'^ {6}TD:?\n(?:^ {9}/.*\n)?^ {8}"(.*)"$', row, re.MULTILINE) for row in rows
    ]
    return [row for row in cells if row]


def test_the_certificate_of_another_lot_is_refused(demo: Path):
    root = (demo / "trust" / "root.pem").read_bytes()
    pdf = certificate(demo, "UCM-P2-T2").read_bytes()
    report = check(pdf, root_pem=root, lot="UCM-P2-T1", at=AT)
    assert next(one.name for one in report.checks if not one.ok) == "lot"


def test_running_it_again_starts_afresh_and_says_so(demo: Path, told: str, tmp_path: Path):
    assert "Starting afresh" not in told
    again = shutil.copytree(demo, tmp_path / "again")
    before = (again / "keys" / "seal.p12").read_bytes()
    with subprocess.Popen(
        [BATCHQC, "demo", "--to", again], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        said = running.stdout.readline()
        for line in running.stdout:
            if "people" in line:
                break
        running.kill()
    assert "Starting afresh" in said
    assert not (again / "summary.json").exists()
    assert (again / "keys" / "seal.p12").read_bytes() != before


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("years of work")
    done = subprocess.run(
        [BATCHQC, "demo", "--to", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 5
    assert "BQC-DEM-001" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(Conflict, match="BQC-DEM-001"):
        demonstrate(tmp_path / "thesis.txt", Console())
