"""``batchqc backup``, ``restore`` and ``drill``, over a copy of the demonstration's records."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from batchqc.cli.demo_cast import APPROVER, PASSWORD
from batchqc.cli.main import app
from batchqc.errors import Conflict, IntegrityFailure, InvalidInput, NotFound
from tests.system.test_command_line import refused
from tests.system.test_laboratory_commands import batchqc, done, home

__all__ = ["home"]  # a fixture


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCHQC_SEAL_PASSPHRASE", PASSWORD)


def restore(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["restore", *map(str, arguments)], env={"COLUMNS": "250"})


@pytest.mark.requirement("1.32")
def test_a_backup_is_made_restored_verified_and_drilled(home: Path, tmp_path: Path):
    backups, new = tmp_path / "backups", tmp_path / "new"
    why = ("--reason", "The monthly drill")
    none = batchqc(home, "drill", "--from", tmp_path, *why, who=APPROVER)
    refused(none, NotFound, "BQC-BAK-001")
    told = done(home, "backup", "--to", backups)
    assert "Not in it, to be kept apart: keys of the seal" in told
    secret = [one.name for one in backups.rglob("*") if one.suffix in {".p12", ".key"}]
    assert secret == []
    went = restore("--from", backups, "--to", new, "--root", home / "trust" / "root.pem")
    assert went.exit_code == 0, (went.output, went.exception)
    assert "Everything agrees." in went.output
    assert "COA-" in done(new, "certificate", "list")
    refused(restore("--from", backups, "--to", new), Conflict, "BQC-BAK-003")
    told = done(home, "drill", "--from", backups, *why, who=APPROVER)
    assert "was made 0 hours ago" in told[: told.index("is the record")]
    (record,) = (backups / "drills").glob("*.json")
    said = json.loads(record.read_text())
    expected = {"restored and sound": True, "age": "0 hours"}
    assert (said["who"], said["after"] | expected) == (APPROVER, said["after"])
    proved = (record.with_suffix(".tlog-proof"), record, "--key", home / "trust" / "log.vkey")
    assert "of the log" in done(home, "log", "verify", *proved)
    assert "entries verified" in done(home, "audit", "verify")
    stored = next(one for one in (backups / "store").rglob("*") if one.is_file())
    stored.chmod(0o644)
    stored.write_bytes(b"rotten")
    failed = batchqc(home, "drill", "--from", backups, *why, who=APPROVER)
    error = refused(failed, IntegrityFailure, "BQC-BAK-012")
    assert any("is damaged in the backup" in one for one in error.reasons)
    newest = max((backups / "drills").glob("*.json"), key=lambda one: int(one.stem.split("-")[1]))
    assert json.loads(newest.read_text())["after"]["restored and sound"] is False


def test_what_is_missing_is_asked_for(home: Path, tmp_path: Path):
    backups = tmp_path / "backups"
    (home / "trust" / "root.pem").unlink()
    stored = next(one for one in (home / "store").glob("*/*") if one.is_file())
    stored.unlink()
    refused(batchqc(home, "backup", "--to", backups), IntegrityFailure, "BQC-BAK-007")
    new = tmp_path / "new"
    refused(restore("--from", backups, "--to", new), InvalidInput, "BQC-BAK-011")
    went = restore("--from", backups, "--to", new, "--root", home / "keys" / "root.pem")
    error = refused(went, IntegrityFailure, "BQC-SYS-008")
    assert any(f"the archive holds no file {stored.name}" in one for one in error.reasons)


def test_a_place_that_cannot_be_written_is_told_in_words(home: Path, tmp_path: Path):
    file = tmp_path / "file"
    file.touch()
    refused(batchqc(home, "backup", "--to", file), InvalidInput, "BQC-CSV-002")
    refused(batchqc(home, "pki", "dev", file), InvalidInput, "BQC-CSV-002")
    assert batchqc(home, "serve", "--port", "65536").exit_code == 2
    done(home, "backup", "--to", tmp_path / "backups")
    from_there = ("--from", tmp_path / "backups", "--root", home / "trust" / "root.pem")
    refused(restore(*from_there, "--to", file), InvalidInput, "BQC-CSV-002")
    new = (*from_there, "--to", tmp_path / "new")
    for none in ("nonsense", "mysql://db.example/batchqc", "postgresql://db.example:x/batchqc"):
        refused(restore(*new, "--database", none), InvalidInput, "BQC-SYS-034")
    assert not (tmp_path / "new").exists()


@pytest.mark.requirement("1.32")
def test_the_store_itself_is_no_backup(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    link = tmp_path / "link"
    link.symlink_to(home)
    for to in (home, link, home / "store" / "backups"):
        refused(batchqc(home, "backup", "--to", to), InvalidInput, "BQC-BAK-013")
    monkeypatch.chdir(home)
    assert batchqc(home, "backup", "--to", "").exit_code == 2
    assert restore("--from", tmp_path, "--to", "").exit_code == 2
    assert not (home / "backups").exists()


@pytest.mark.requirement("1.32")
def test_a_drill_is_on_record_however_it_ended_or_did_not_begin(home: Path, tmp_path: Path):
    backups, why = tmp_path / "backups", ("--reason", "The monthly drill")
    done(home, "backup", "--to", backups)
    (backups / "drills").touch()
    begun = batchqc(home, "drill", "--from", backups, *why, who=APPROVER)
    refused(begun, InvalidInput, "BQC-CSV-002")
    (backups / "drills").unlink()
    assert "restored in a drill" not in done(home, "audit", "list", "--limit", "9999")
    (home / "trust" / "root.pem").unlink()
    failed = batchqc(home, "drill", "--from", backups, *why, who=APPROVER)
    error = refused(failed, IntegrityFailure, "BQC-BAK-012")
    assert "root.pem" in error.reasons[0]
    assert "restored in a drill" in done(home, "audit", "list", "--limit", "9999")


@pytest.mark.requirement("1.32")
def test_the_backup_of_a_copy_of_the_installation_is_no_drill_of_it(home: Path, tmp_path: Path):
    """A copy to try things with has the same keys, and its backups lie in the same folder."""
    backups, copy, why = tmp_path / "backups", tmp_path / "copy", ("--reason", "The monthly drill")
    done(home, "backup", "--to", backups)
    assert restore("--from", backups, "--to", copy).exit_code == 0
    shutil.copytree(home / "keys", copy / "keys", dirs_exist_ok=True)
    done(copy, "backup", "--to", tmp_path / "elsewhere")  # what is on record parts here
    shutil.rmtree(backups / "backups")
    done(copy, "backup", "--to", backups)
    failed = batchqc(home, "drill", "--from", backups, *why, who=APPROVER)
    error = refused(failed, IntegrityFailure, "BQC-BAK-012")
    assert error.reasons[0].startswith("BQC-BAK-015")
