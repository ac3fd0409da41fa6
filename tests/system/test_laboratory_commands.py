"""``batchqc method`` and ``batchqc register``, over a copy of the demonstration's records."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from batchqc.cli.demo_cast import APPROVER, AUTHOR, PASSWORD
from batchqc.cli.main import app
from batchqc.errors import Conflict, NotPermitted
from tests.records.laboratory import METHOD_FILE


@pytest.fixture
def home(demo: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo, tmp_path / "site")


def batchqc(home: Path, *arguments: str | Path, who: str = "") -> Result:
    user = ["--user", who] if who else []
    return CliRunner().invoke(
        app,
        ["--home", str(home), *map(str, arguments), *user],
        input=f"{PASSWORD}\n" if who else "",
        env={"COLUMNS": "250"},
    )


def done(home: Path, *arguments: str | Path, who: str = "") -> str:
    result = batchqc(home, *arguments, who=who)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def test_a_method_is_imported_approved_shown_and_its_runs_counted(home: Path, tmp_path: Path):
    file = tmp_path / "m.toml"
    file.write_bytes(METHOD_FILE)
    assert "No method is approved" in done(home, "method", "runs")
    assert "SOP-QC-040 v4 is imported" in done(home, "method", "import", file, who=AUTHOR)
    assert "draft" in done(home, "method", "list")
    why = ("--reason", "As the SOP has it")
    done(home, "method", "approve", "SOP-QC-040", "4", *why, who=APPROVER)
    assert "50 to 200 %" in done(home, "method", "show", "SOP-QC-040", "4")
    assert "approved" in done(home, "method", "list")
    told = done(home, "method", "runs")
    assert "SOP-QC-040" in told
    assert "recovery: there is no control result recovery of PPC" in told
    assert isinstance(batchqc(home, "method", "import", file, who=AUTHOR).exception, Conflict)


def test_the_registers_are_kept_and_used(home: Path):
    database = sqlite3.connect(home / "batchqc.db")
    analyst, test, run, year, number = database.execute(
        "SELECT uploaded_by, test, run, year, number FROM assay_run JOIN upload"
        " ON upload.id = upload_id LIMIT 1"
    ).fetchone()
    upload = f"U-{year}-{number:06d}"
    why = ("--reason", "From the audit plan")
    told = done(home, "register", "rule", "materials", "flag", *why, who=APPROVER)
    assert "The rule of materials is flag" in told
    done(home, "register", "instrument", "PTS-001", "--kind", "Reader", "--calibrated",
         "2026-01-05", "--due", "2027-01-05", who=APPROVER)  # fmt: skip
    assert "PTS-001" in done(home, "register", "show", "instruments")
    done(home, "register", "training", analyst, "SOP-QC-040", "--trained", "2026-01-05",
         "--expires", "2027-01-05", who=APPROVER)  # fmt: skip
    assert analyst in done(home, "register", "show", "training")
    done(home, "register", "material", "LAL-1", "--kind", "kit", "--lot", "L7", "--expires",
         "2001-01-05", who=APPROVER)  # fmt: skip
    assert "LAL-1" in done(home, "register", "show", "materials")
    told = done(home, "register", "use", run, "--test", test, "--upload", upload, "--material",
                "LAL-1", who=analyst)  # fmt: skip
    assert "Attention: LAL-1 expired on 2001-01-05" in told
    denied = batchqc(home, "register", "rule", "training", "off", *why, who=analyst)
    assert isinstance(denied.exception, NotPermitted)
    laboratory = database.execute("SELECT user_id FROM person WHERE is_laboratory = 1").fetchone()
    if laboratory is None:
        raise AssertionError("the demonstration has no contract laboratory")
    (home / "their.txt").write_bytes(b"theirs")
    told = done(home, "register", "certificate", laboratory[0], home / "their.txt", "--upload",
                upload, who=analyst)  # fmt: skip
    assert "their.txt is kept" in told
    assert f"their.txt over {upload}" in done(home, "register", "show", "laboratories")


def test_readiness_and_lot_tell_what_the_registers_say(home: Path):
    database = sqlite3.connect(home / "batchqc.db")
    lot, person = database.execute(
        "SELECT lot.lot, person.name FROM assay_run JOIN lot ON lot.id = lot_id JOIN person"
        " ON instr(analysts, user_id) > 0 WHERE is_laboratory = 1 LIMIT 1"
    ).fetchone()
    absent = f"no certificate of {person} over its results in U-"
    why = ("--reason", "From the audit plan")
    assert absent not in done(home, "lot", "readiness", lot)
    told = done(home, "register", "rule", "laboratories", "flag", *why, who=APPROVER)
    assert "The rule of laboratories is flag" in told
    assert f"remark: {absent}" in done(home, "lot", "readiness", lot)
    assert absent in done(home, "lot", "show", lot)
    done(home, "register", "rule", "laboratories", "refuse", *why, who=APPROVER)
    told = done(home, "lot", "readiness", lot)
    assert absent in told
    assert f"remark: {absent}" not in told
