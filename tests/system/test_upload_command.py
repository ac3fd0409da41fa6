"""The template, the preview and the annotated file on the command line."""

import csv
import os
import signal
from pathlib import Path

import pytest

from batchqc.actions import large_store
from batchqc.actions.uploads import UploadReport
from batchqc.cli.demo_cast import PASSWORD
from batchqc.cli.large_upload import CANCELLED
from batchqc.cli.upload_seen import print_report
from batchqc.documents.csv_file import csv_bytes
from batchqc.errors import Conflict, InvalidInput, NotFound, ScannerUnavailable
from batchqc.intake.contract import Reading
from batchqc.intake.table import Dialect
from tests.intake.cytometry import WORKSPACE
from tests.intake.files import HEADER
from tests.intake.test_elements import read
from tests.scanner import EICAR, clamd
from tests.system.test_command_line import (
    IDO,
    batchqc,
    changed,
    counts,
    home,  # noqa: F401 - a fixture
    refused,
)

ME = ("-u", "an.tran")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_what_is_open_is_written_filled_previewed_and_uploaded(home: Path, tmp_path: Path):  # noqa: F811 - a fixture
    file = tmp_path / "template.csv"
    written = batchqc(home, "upload", "template", "--lot", "UCM-P1-T2", "--to", file)
    assert f"{file} is written." in written.output, written.exception
    (row,) = rows_of(file)
    assert (row["analyte"], row["unit"], row["value"]) == ("kynurenine", "µmol/L", "")
    row |= {
        "value": "13.0", "measured_at": "2026-01-12T14:00:00+07:00", "analyst": "bao.le",
        "instrument_id": "PHS-001", "run_id": "IDO-260112-01",
    }  # fmt: skip
    file.write_bytes(csv_bytes([HEADER, [row[name] for name in HEADER]]))
    before = counts(home)
    looked = batchqc(home, "upload", *ME, file, "--dry-run", typed=PASSWORD)
    assert looked.exit_code == 0, looked.exception
    assert changed(before, counts(home)) <= {"sqlite_sequence", "attempt", "audit_entry",
                                             "audit_link", "audit_subject"}  # fmt: skip
    for said in (
        "Contract: batchqc long v1",
        "UTF-8 with byte order mark, columns separated by comma, rows end in CRLF",
        "13.0 µmol/L",
        "PASS: 13.0 µmol/L meets",
        "Columns not used: none",
        "Assumed: nothing",
        "No problem.",
    ):
        assert said in looked.output
    assert "The file would be accepted." in looked.output
    done = batchqc(home, "upload", file, *ME, typed=PASSWORD)
    assert "PASS: 13.0 µmol/L meets" in done.output
    assert "The file is accepted." in done.output
    nothing = batchqc(home, "upload", "template", "--lot", "UCM-P1-T2", "--to", tmp_path / "n.csv")
    refused(nothing, NotFound, "BQC-TPL-002")
    assert not (tmp_path / "n.csv").exists()


def test_a_template_is_of_something_and_replaces_nothing(home: Path, tmp_path: Path):  # noqa: F811 - a fixture
    file = tmp_path / "there.csv"
    file.write_text("mine")
    lot = ("--lot", "UCM-P1-T2")
    refused(batchqc(home, "upload", "template", *lot, "--to", file), Conflict, "BQC-CSV-001")
    assert file.read_text() == "mine"
    away = tmp_path / "no" / "folder.csv"
    refused(batchqc(home, "upload", "template", *lot, "--to", away), InvalidInput, "BQC-CSV-002")
    refused(batchqc(home, "upload", "template"), InvalidInput, "BQC-TPL-001")
    unknown = batchqc(home, "upload", "template", "--lot", "UCM-P9-T9")
    refused(unknown, NotFound, "BQC-REG-012")
    run = ("--run", "IDO-9", "--test", "IDO", "--to", tmp_path / "run.csv")
    assert batchqc(home, "upload", "template", *run).exit_code == 0
    assert [row["run_id"] for row in rows_of(tmp_path / "run.csv")] == ["IDO-9"]
    never = batchqc(home, "upload", "template", "--day", "2024-02-29")
    refused(never, NotFound, "BQC-TPL-002")


def test_problems_are_written_beside_the_rows_of_a_file(home: Path, tmp_path: Path):  # noqa: F811 - a fixture
    file, out = tmp_path / "ido.csv", tmp_path / "annotated.csv"
    file.write_text(IDO.format(value='"13,0"').replace("simulated", "=simulated"))
    result = batchqc(
        home, "upload", file, "--dry-run", "--annotated", out, *ME, typed=PASSWORD
    )  # fmt: skip
    refused(result, InvalidInput, "BQC-UPL-001")
    assert "No verdict: the file has an error." in result.output
    assert "No value can be read." in result.output
    (row,) = rows_of(out)
    assert (row["value"], row["comment"]) == ("13,0", "'=simulated")
    assert "value: E205" in row["problems"]
    assert "comment: E501" in row["problems"]
    before = counts(home)
    again = batchqc(home, "upload", file, "--annotated", out, *ME, typed=PASSWORD)
    refused(again, Conflict, "BQC-CSV-001")
    assert counts(home) == before


def test_an_upload_is_told_though_its_annotated_file_cannot_be_written(
    home: Path,  # noqa: F811 - a fixture
    tmp_path: Path,
):
    file = tmp_path / "ido.csv"
    file.write_text(IDO.format(value="13.0"))
    nowhere = ("--annotated", tmp_path / "no folder" / "a.csv")
    result = batchqc(home, "upload", file, *nowhere, *ME, typed=PASSWORD)
    refused(result, InvalidInput, "BQC-CSV-002")
    assert "The file is accepted." in result.output
    file.write_text(IDO.format(value='"13,0"'))
    result = batchqc(home, "upload", file, *nowhere, *ME, typed=PASSWORD)
    refused(result, InvalidInput, "BQC-UPL-001")
    assert "BQC-CSV-002" in result.output


def test_upload_tells_how_to_use_it_and_takes_a_file_by_its_command_too(
    home: Path,  # noqa: F811 - a fixture
    tmp_path: Path,
):
    told = batchqc(home, "upload", "--help").output
    assert "template" in told
    assert "batchqc upload results.csv" in told
    assert "--annotated" in batchqc(home, "upload", "file", "--help").output
    file = tmp_path / "none.csv"
    file.write_text("")
    for start in ((), ("file",)):
        result = batchqc(home, "upload", *start, file, "--dry-run", *ME, typed=PASSWORD)
        refused(result, InvalidInput, "BQC-UPL-001")
        assert "E100" in result.output
        assert "Written as: no table" in result.output
    missing = batchqc(home, "upload", "not-there.csv", *ME, typed=PASSWORD)
    assert missing.exit_code == 2
    assert "not-there.csv" in missing.output


def test_a_preview_shows_the_line_of_each_value_and_how_the_file_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("COLUMNS", "250")
    reading = read(WORKSPACE)
    print_report(UploadReport("", accepted=True, answered_before=False, sha256="", reading=reading))
    told = capsys.readouterr().out
    assert "Written as: UTF-8, XML" in told
    assert "Contract: profile FLOWJO-WORKSPACE v1" in told
    lines = [n for n, one in enumerate(WORKSPACE.split("\n"), 1) if 'count="34058"' in one]
    (value,) = (line.split("│") for line in told.split("\n") if " 34058 " in line)
    assert [one.strip() for one in value[:3]] == ["3", str(lines[1]), "Live/CD73+"]


def test_a_preview_names_each_delimiter_that_a_profile_may_declare(
    capsys: pytest.CaptureFixture[str],
):
    page = Reading(dialect=Dialect("UTF-8", ":", "LF", has_sep_line=False))
    print_report(UploadReport("", accepted=True, answered_before=False, sha256="", reading=page))
    assert "columns separated by :" in capsys.readouterr().out


@pytest.fixture
def old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """More rows of controls than are read at once, and the limit set so that they are."""
    monkeypatch.setenv("BATCHQC_UPLOAD_LIMIT", "50000")
    file = tmp_path / "old.csv"
    lines = IDO.format(value="13.0").splitlines()
    names = lines[0].split(",")
    cells = dict(zip(names, lines[1].split(","), strict=True))
    cells |= {"result_type": "control", "aliquot": "PC"}
    rows = [[(cells | {"replicate": str(n)})[name] for name in names] for n in range(1, 600)]
    file.write_bytes(csv_bytes([names, *rows]))
    return file


def test_a_large_file_is_read_in_portions_with_its_progress(home: Path, old_file: Path):  # noqa: F811 - a fixture
    before = counts(home)
    looked = batchqc(home, "upload", *ME, old_file, "--dry-run", typed=PASSWORD)
    assert "The file would be accepted." in looked.output, looked.output
    assert "rows/s" in looked.output
    assert changed(before, counts(home)) <= {"sqlite_sequence", "attempt", "audit_entry",
                                             "audit_link", "audit_subject"}  # fmt: skip
    done = batchqc(home, "upload", *ME, old_file, typed=PASSWORD)
    assert "Results: 599" in done.output
    assert "The file is accepted." in done.output
    again = batchqc(home, "upload", *ME, old_file, typed=PASSWORD)
    assert "these bytes came before" in again.output
    assert "Results: 599" in again.output
    assert "No value can be read" not in again.output
    assert batchqc(home, "audit", "verify").exit_code == 0


def test_malware_is_refused_and_so_is_what_nobody_can_scan(
    home: Path,  # noqa: F811 - a fixture
    old_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    small.write_bytes(EICAR)
    large.write_bytes(old_file.read_bytes() + EICAR)
    kept = sorted((home / "store").rglob("*"))
    report = ("investigation", "file", "OOS-2026-000001", small, *ME)
    certificate = ("register", "certificate", "bao.le", small, "--upload", "U-1", *ME)
    with clamd() as scanner:
        monkeypatch.setenv("BATCHQC_MALWARE_SCANNER", scanner.socket)
        for command in (("upload", *ME, small), ("upload", *ME, large), report, certificate):
            told = batchqc(home, *command, typed=PASSWORD)
            refused(told, InvalidInput, "BQC-MAL-001")
        done = batchqc(home, "upload", *ME, old_file, "--dry-run", typed=PASSWORD)
        assert "The file would be accepted." in done.output, done.exception
    told = batchqc(home, "upload", *ME, old_file, typed=PASSWORD)
    refused(told, ScannerUnavailable, "BQC-MAL-002")
    assert sorted((home / "store").rglob("*")) == kept


def test_an_interrupt_leaves_nothing_of_a_large_file(
    home: Path,  # noqa: F811 - a fixture
    old_file: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    before, stored = counts(home), {*(home / "store").rglob("*")}
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # nohup would ignore it
    with monkeypatch.context() as interrupted:
        interrupted.setattr(
            large_store.Store, "take", lambda *_: os.kill(os.getpid(), signal.SIGINT)
        )
        stopped = batchqc(home, "upload", *ME, old_file, typed=PASSWORD)
    signal.signal(signal.SIGINT, handler)
    assert stopped.exit_code == CANCELLED
    assert "Cancelled: nothing of the file is stored." in stopped.output
    assert changed(before, counts(home)) <= {"sqlite_sequence", "attempt", "audit_entry",
                                             "audit_link", "audit_subject"}  # fmt: skip
    assert {*(home / "store").rglob("*")} == stored
    assert batchqc(home, "upload", *ME, old_file, typed=PASSWORD).exit_code == 0


def test_a_large_file_is_refused_with_its_problems_and_supersedes_nothing(
    home: Path,  # noqa: F811 - a fixture
    old_file: Path,
    tmp_path: Path,
):
    old_file.write_bytes(old_file.read_bytes().replace(b",400,", b",four,"))
    bad = batchqc(home, "upload", *ME, old_file, typed=PASSWORD)
    refused(bad, InvalidInput, "BQC-UPL-001")
    assert "E203" in bad.output
    assert "401" in bad.output
    for option in (("--supersedes", "Corrected"), ("--annotated", str(tmp_path / "a.csv"))):
        many = batchqc(home, "upload", *ME, old_file, *option, typed=PASSWORD)
        refused(many, InvalidInput, "BQC-UPL-006")
