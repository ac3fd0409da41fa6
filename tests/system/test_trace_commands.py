"""Superseding and provenance on the command line, over a copy of the demonstration's records."""

import re
import shutil
from pathlib import Path

import pytest

from batchqc.cli.demo_cast import PASSWORD
from batchqc.errors import InvalidInput, NotFound
from tests.system.test_command_line import IDO, batchqc, refused

WHY = "Wrong cell was exported"


@pytest.fixture
def home(demo: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo, tmp_path / "site")


@pytest.fixture
def accepted(home: Path, tmp_path: Path) -> Path:
    """The folder, after a file with a run was accepted."""
    file = tmp_path / "ido.csv"
    file.write_text(IDO.format(value="13.0"))
    assert batchqc(home, "upload", file, "-u", "an.tran", typed=PASSWORD).exit_code == 0
    return home


def test_a_run_on_record_is_refused_unless_the_file_supersedes(accepted: Path, tmp_path: Path):
    file = tmp_path / "again.csv"
    file.write_text(IDO.format(value="13.5"))
    result = batchqc(accepted, "upload", file, "-u", "an.tran", typed=PASSWORD)
    refused(result, InvalidInput, "BQC-UPL-001")
    assert "E407" in result.output
    blank = batchqc(accepted, "upload", file, "-u", "an.tran", "--supersedes", "-", typed=PASSWORD)
    refused(blank, InvalidInput, "BQC-SIG-004")
    looked = batchqc(
        accepted, "upload", file, "-u", "an.tran", "--supersedes", WHY, "--dry-run", typed=PASSWORD
    )
    done = batchqc(accepted, "upload", file, "-u", "an.tran", "--supersedes", WHY, typed=PASSWORD)
    for told in (looked, done):
        assert told.exit_code == 0, told.output
        assert "Supersedes: run IDO-260112-01 (IDO) of U-" in told.output
    back = batchqc(accepted, "lot", "trace", "UCM-P1-T2", "ido")
    assert "13.0" in back.output
    assert "not used" in back.output
    assert "13.5" in back.output


def test_a_released_lot_is_traced_back_and_forward(home: Path):
    back = batchqc(home, "lot", "trace", "UCM-P1-T1", "viability")
    assert back.exit_code == 0, back.output
    assert "PASS" in back.output
    assert re.search(r"U-\d{4}-\d{6}: \S+\.csv, SHA-256 [0-9a-f]{64}", back.output)
    cell = re.search(r"(U-\d{4}-\d{6})\W+(\d+)", back.output)
    assert cell is not None
    upload, row = cell.groups()
    for column in ([], ["--column", "value"]):
        told = batchqc(home, "upload", "trace", upload, "--row", row, *column)
        assert told.exit_code == 0, told.output
        assert f"Cell: {upload}, row {row}" in told.output
        assert "Decision: disposition:UCM-P1-T1/1 released" in told.output
        assert "Certificate: COA-" in told.output
        assert ", issued" in told.output
    unknown = batchqc(home, "upload", "trace", upload, "--row", row, "--column", "no such column")
    refused(unknown, NotFound, "BQC-TRC-004")
    refused(batchqc(home, "lot", "trace", "UCM-P1-T1", "none"), NotFound, "BQC-TRC-001")


def test_a_cell_of_a_refused_file_is_told_with_its_problems(home: Path, tmp_path: Path):
    file = tmp_path / "ido.csv"
    file.write_text(IDO.format(value="13;0"))
    result = batchqc(home, "upload", file, "-u", "an.tran", typed=PASSWORD)
    number = next(word for word in result.output.split() if word.startswith("U-"))
    told = batchqc(home, "upload", "trace", number, "--row", "2")
    assert told.exit_code == 0, told.output
    assert "Not used: the upload was refused: nothing of it is used" in told.output
    assert "E203 row 2, value" in told.output
