"""The command line, over a copy of the demonstration's records."""

import csv
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from batchqc.cli.demo_cast import PASSWORD
from batchqc.cli.main import app, run
from batchqc.errors import (
    BatchqcError,
    Conflict,
    IntegrityFailure,
    InvalidInput,
    NotFound,
    NotPermitted,
    NotSignedIn,
    ReleaseBlocked,
)
from tests.ports import free_port
from tests.records.house import but_reviews
from tests.system.conftest import BATCHQC

IDO = (
    "lot_id,sample_id,aliquot,test_code,analyte,replicate,value,unit,started_at,measured_at,"
    "analyst,instrument_id,run_id,method_id,result_type,comment\n"
    "UCM-P1-T2,UCM-P1-T2-S01,A6,IDO,kynurenine,1,{value},µmol/L,2026-01-09T14:00:00+07:00,"
    "2026-01-12T14:00:00+07:00,bao.le,PHS-001,IDO-260112-01,SOP-QC-030 v2,reportable,simulated\n"
)


@pytest.fixture
def home(demo: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo, tmp_path / "site")


def batchqc(home: Path, *arguments: str | Path, typed: str = "", **environment: str) -> Result:
    typed_lines = f"{typed}\n" if typed else ""
    return CliRunner().invoke(
        app,
        ["--home", str(home), *map(str, arguments)],
        input=typed_lines,
        env={"COLUMNS": "250", "BATCHQC_SEAL_PASSPHRASE": PASSWORD, **environment},
    )


def refused(result: Result, kind: type[BatchqcError], code: str) -> BatchqcError:
    assert isinstance(result.exception, kind), (result.output, result.exception)
    assert result.exception.code == code
    return result.exception


def first_password(output: str) -> str:
    """What was made for a person and shown this once."""
    found = re.search(r"First password: (\S+)", output)
    assert found, output
    return found[1]


def counts(home: Path) -> dict[str, int]:
    database = sqlite3.connect(home / "batchqc.db")
    names = [
        row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type='table'")
    ]
    found = {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}  # noqa: S608
    database.close()
    return found


def changed(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def test_a_missing_result_is_uploaded_reviewed_and_the_lot_released(home: Path, tmp_path: Path):
    file = tmp_path / "ido.csv"
    file.write_text(IDO.format(value="13.0"))
    looked = batchqc(home, "upload", file, "--dry-run", "-u", "an.tran", typed=PASSWORD)
    assert "No problem." in looked.output
    assert batchqc(home, "upload", file, "-u", "an.tran", typed=PASSWORD).exit_code == 0
    reviewed = batchqc(
        home, "lot", "review", "UCM-P1-T2", "-u", "chi.pham", "--reason", "Agrees with raw data",
        typed=PASSWORD,
    )  # fmt: skip
    assert reviewed.exit_code == 0, reviewed.output
    whole = batchqc(
        home, "lot", "qc-review", "UCM-P1-T2", "-u", "chi.pham", "--reason", "All is in",
        typed=PASSWORD,
    )  # fmt: skip
    assert "You reviewed lot UCM-P1-T2 for QC." in whole.output, whole.output
    trail = batchqc(
        home, "lot", "audit-review", "UCM-P1-T2", "-u", "em.ngo", "--reason", "Read it",
        typed=PASSWORD,
    )  # fmt: skip
    assert "You reviewed the audit trail of lot UCM-P1-T2." in trail.output, trail.output
    ready = batchqc(home, "lot", "readiness", "UCM-P1-T2")
    assert "ready for a decision" in ready.output
    released = batchqc(
        home, "lot", "release", "UCM-P1-T2", "-u", "giang.do", "--reason", "Complies now",
        typed=PASSWORD,
    )  # fmt: skip
    number = re.search(r"Certificate (COA-\d{4}-\d{6}) is issued", released.output)
    assert number, released.output
    pdf = tmp_path / "certificate.pdf"
    assert batchqc(home, "certificate", "get", number[1], "--to", pdf).exit_code == 0
    root = home / "trust" / "root.pem"
    verified = batchqc(home, "certificate", "verify", pdf, "--root", root, "--lot", "UCM-P1-T2")
    assert "is genuine" in verified.output
    assert verified.exit_code == 0
    assert batchqc(home, "audit", "verify").exit_code == 0


@pytest.mark.requirement("5.10")
def test_certificates_are_verified_by_their_files_and_proofs(home: Path, tmp_path: Path):
    trust = ("--root", home / "trust" / "root.pem", "--log-key", home / "trust" / "log.vkey")
    pdfs, proofs = [], []
    for number in ("COA-2026-000001", "COA-2026-000002"):
        pdf, proof = tmp_path / f"{number}.pdf", tmp_path / f"{number}.json"
        assert batchqc(home, "certificate", "get", number, "--to", pdf).exit_code == 0
        made = batchqc(home, "certificate", "prove", number.lower(), "--to", proof)
        assert made.exit_code == 0, made.output
        pdfs.append(pdf)
        proofs += ["--proof", proof]
    verify = ("certificate", "verify", *pdfs, *trust, *proofs)
    done = batchqc(home, *verify, "--late", "9999", "--status")
    assert done.exit_code == 0, done.output
    assert done.output.count("is genuine") == 2
    assert done.output.count("ok     records     on record it counts now") == 2
    told = json.loads(batchqc(home, *verify, "--late", "9999", "--json").stdout)
    assert [one["certificate"] for one in told] == ["COA-2026-000001", "COA-2026-000002"]
    assert {check["outcome"] for one in told for check in one["checks"]} == {"ok", "not examined"}
    wrong = batchqc(home, *verify, "--late", "9999", "--lot", "UCM-P9-T9")
    assert wrong.exit_code == 1
    assert wrong.output.count("DOES NOT VERIFY") == 2
    assert batchqc(home, "certificate", "verify", pdfs[0]).exit_code == 2
    alone = tmp_path / "verify.py"
    assert batchqc(home, "certificate", "verifier", "--to", alone).exit_code == 0
    command = [sys.executable, alone, *pdfs, *trust, *proofs, "--late", "9999"]
    run = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.requirement("1.31")
def test_a_missing_result_is_typed_by_two_people(home: Path, tmp_path: Path):
    report = tmp_path / "report.pdf"
    report.write_bytes(b"%PDF-1.7\n%%EOF\n")
    typed = (
        "result", "enter", "--lot", "UCM-P1-T2", "--sample", "UCM-P1-T2-S01", "--test", "IDO",
        "--analyte", "kynurenine", "--value", "13.0", "--unit", "µmol/L",
        "--started-at", "2026-01-09T14:00:00+07:00", "--measured-at", "2026-01-12T14:00:00+07:00",
        "--analyst", "bao.le", "--method", "SOP-QC-030 v2", "-u", "an.tran",
    )  # fmt: skip
    zip_file = tmp_path / "bomb.pdf"
    zip_file.write_bytes(b"PK\x03\x04" + bytes(99))
    bomb = batchqc(home, *typed, "--attach", zip_file, typed=PASSWORD)
    refused(bomb, InvalidInput, "BQC-ENT-009")
    comma = batchqc(home, *typed, "--value", "13,0", typed=PASSWORD)
    refused(comma, InvalidInput, "BQC-UPL-001")
    assert "E205" in comma.output
    entered = batchqc(home, *typed, "--attach", report, typed=PASSWORD)
    number = re.search(r"(U-\d{4}-\d{6}) waits", entered.output)
    assert number, entered.output
    listed = batchqc(home, "result", "list").output
    assert "waits" in listed
    assert "13.0" not in listed + batchqc(home, "lot", "results", "UCM-P1-T2").output
    second = ("result", "verify", number[1], "--unit", "µmol/L", "--reason", "Read on the report")
    own = batchqc(home, *second, "--value", "13.0", "-u", "an.tran", typed=PASSWORD)
    refused(own, NotPermitted, "BQC-ACC-002")
    done = batchqc(home, *second, "--value", "13.0", "-u", "chi.pham", typed=PASSWORD)
    assert "is verified" in done.output, done.output
    again = batchqc(home, *second, "--value", "13.0", "-u", "chi.pham", typed=PASSWORD)
    refused(again, Conflict, "BQC-ENT-003")
    assert "13.0 µmol/L" in batchqc(home, "result", "list").output
    assert batchqc(home, "audit", "verify").exit_code == 0


@pytest.mark.requirement("1.31")
def test_several_analytes_of_one_run_are_typed_as_one_entry(home: Path):
    typed = (
        "result", "enter", "--lot", "UCM-P1-T2", "--sample", "UCM-P1-T2-S01", "--test", "FLOW",
        "--analyte", "CD73", "--value", "97.9", "--unit", "%", "--run", "F-9",
        "--measured-at", "2026-01-12T14:00:00+07:00", "--analyst", "bao.le",
        "--method", "SOP-QC-021 v5", "-u", "an.tran",
    )  # fmt: skip
    unclear = ("--also", "CD90", "--also-unit", "CD34=%", "--also-unit", "CD34=%")
    told = batchqc(home, *typed, *unclear, typed=PASSWORD)
    refused(told, InvalidInput, "BQC-ENT-012")
    assert isinstance(told.exception, InvalidInput)
    assert len(told.exception.reasons) == 3
    also = ("--also", "CD90=99.87", "--also-unit", "CD90=%")
    entered = batchqc(home, *typed, *also, typed=PASSWORD)
    number = re.search(r"(U-\d{4}-\d{6}) waits", entered.output)
    assert number, entered.output
    assert "FLOW CD73, CD90" in batchqc(home, "result", "list").output
    second = (
        "result", "verify", number[1], "--unit", "%", "--value", "97.9", "--reason",
        "Read on the print", "-u", "chi.pham",
    )  # fmt: skip
    refused(batchqc(home, *second, typed=PASSWORD), InvalidInput, "BQC-ENT-006")
    done = batchqc(home, *second, *also, typed=PASSWORD)
    assert "is verified" in done.output, done.output
    assert "97.9 %; 99.87 %" in batchqc(home, "result", "list").output


def test_a_refused_file_is_told_cell_by_cell_and_leaves_its_record_only(home: Path, tmp_path: Path):
    file = tmp_path / "ido.csv"
    file.write_text(IDO.format(value="13;0").replace("bao.le", "nobody"))
    before = counts(home)
    result = batchqc(home, "upload", file, "-u", "an.tran", typed=PASSWORD)
    refused(result, InvalidInput, "BQC-UPL-001")
    assert "E203" in result.output
    assert "E401" in result.output
    assert changed(before, counts(home)) <= {
        "upload", "attempt", "audit_entry", "audit_link", "audit_subject", "event",
        "sqlite_sequence",
    }  # fmt: skip


def test_a_missing_result_cannot_be_released_and_every_reason_is_told(home: Path):
    result = batchqc(
        home, "lot", "release", "UCM-P1-T2", "-u", "giang.do", "--reason", "We need it",
        typed=PASSWORD,
    )  # fmt: skip
    error = refused(result, ReleaseBlocked, "BQC-REL-001")
    assert len(but_reviews(error.reasons)) == 1
    assert "no result for IDO activity" in error.reasons[0]


@pytest.mark.parametrize(
    ("arguments", "kind", "code"),
    [
        (("lot", "release", "UCM-P1-T2", "-u", "an.tran", "--reason", "mine"),
         NotPermitted, "BQC-ACC-002"),
        (("lot", "show", "UCM-P9-T9"), NotFound, "BQC-REG-012"),
        (("lot", "reject", "UCM-P1-T1", "-u", "giang.do", "--reason", "too late"),
         Conflict, "BQC-REL-003"),
        (("certificate", "get", "COA-2026-000099"), NotFound, "BQC-CRT-030"),
        (("spec", "approve", "UC-MSC-REL", "1", "-u", "em.ngo", "--reason", "once more"),
         Conflict, "BQC-SPC-003"),
        (("sample", "add", "UCM-P1-T1", "UCM-P1-T1-S02", "--stage", "release",
          "--container", "vial", "--taken-at", "2020-01-05T10:00+07:00", "-u", "an.tran"),
         InvalidInput, "BQC-REG-009"),
        (("lot", "add", "UCM-P5-T1", "--product", "UC-MSC", "--made", "2026-02-01", "--expires",
          "2026-01-01", "--donor", "DNR-UC-01", "-u", "an.tran"), InvalidInput, "BQC-REG-006"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_with_its_code_and_changes_nothing(
    home: Path, arguments: tuple[str, ...], kind: type[BatchqcError], code: str
):
    before = counts(home)
    refused(batchqc(home, *arguments, typed=PASSWORD), kind, code)
    attempts = {"attempt", "audit_entry", "audit_link", "audit_subject", "sqlite_sequence"}
    assert changed(before, counts(home)) <= attempts


@pytest.mark.requirement("1.16")
def test_a_wrong_password_is_refused_remembered_and_locks_the_account(home: Path):
    before = counts(home)
    release = ("lot", "release", "UCM-P1-T2", "-u", "giang.do", "--reason", "Complies")
    for _ in range(5):
        refused(batchqc(home, *release, typed="guess"), NotSignedIn, "BQC-SIG-001")
    refused(batchqc(home, *release, typed=PASSWORD), NotSignedIn, "BQC-SIG-002")
    assert counts(home)["attempt"] == before["attempt"] + 6


def test_a_tampered_database_is_named_by_its_first_broken_entry(home: Path):
    database = sqlite3.connect(home / "batchqc.db")
    database.execute("DROP TRIGGER measurement_no_update")
    database.execute("UPDATE measurement SET value = '92' WHERE value = '89'")
    database.commit()
    database.close()
    error = refused(batchqc(home, "audit", "verify"), IntegrityFailure, "BQC-AUD-010")
    assert re.search(r"the measurements of assay_run:.*UCM-P4-T2/VIAB.* entry \d+", error.message)


def test_corrections_take_two_people_and_are_listed(home: Path):
    asked = batchqc(
        home, "correction", "request", "lot:UCM-P1-T2", "expires_on", "2027-12-31",
        "-u", "an.tran", "--reason", "Typed the wrong year", typed=PASSWORD,
    )  # fmt: skip
    assert "C-2026-000001" in asked.output
    waiting = batchqc(home, "lot", "readiness", "UCM-P1-T2")
    assert "C-2026-000001" in waiting.output
    decided = batchqc(
        home, "correction", "decide", "C-2026-000001", "-u", "em.ngo", "--reason",
        "Batch record says so", typed=PASSWORD,
    )  # fmt: skip
    assert decided.exit_code == 0, decided.output
    assert "2027-12-31" in batchqc(home, "lot", "show", "UCM-P1-T2").output
    assert "approved" in batchqc(home, "correction", "list").output


def test_people_are_registered_and_must_change_the_first_password(home: Path):
    added = batchqc(
        home, "user", "add", "new.one", "--name", "New One", "--role", "analyst", "-u", "ha.admin",
        typed=PASSWORD,
    )  # fmt: skip
    assert added.exit_code == 0, added.output
    first = first_password(added.output)
    assert len(first) > 40
    early = batchqc(
        home, "lot", "add", "UCM-P5-T1", "--product", "UC-MSC", "--made", "2026-02-01",
        "--expires", "2027-02-01", "--donor", "DNR-UC-01", "-u", "new.one", typed=first,
    )  # fmt: skip
    refused(early, NotPermitted, "BQC-ACC-003")
    own = batchqc(
        home, "user", "password", "-u", "new.one",
        typed=f"{first}\nmy-own-password-2\nmy-own-password-2\ny",
    )  # fmt: skip
    assert own.exit_code == 0, own.output
    assert "binds me as my handwritten signature does" in own.output
    later = batchqc(
        home, "lot", "add", "UCM-P5-T1", "--product", "UC-MSC", "--made", "2026-02-01",
        "--expires", "2027-02-01", "--donor", "DNR-UC-01", "-u", "new.one",
        typed="my-own-password-2",
    )  # fmt: skip
    assert "is registered and in quarantine" in later.output
    withdrawn = batchqc(
        home, "user", "role", "new.one", "analyst", "--withdraw", "-u", "ha.admin", "--reason",
        "Left the company", typed=PASSWORD,
    )  # fmt: skip
    assert withdrawn.exit_code == 0, withdrawn.output
    assert re.search(r"new\.one\s+│ New One\s+│ no role", batchqc(home, "user", "list").output)


@pytest.mark.parametrize(
    "command",
    [
        ("lot", "list"), ("lot", "show", "UCM-P1-T1"), ("lot", "results", "UCM-P4-T2"),
        ("spec", "list"), ("spec", "show", "UC-MSC-REL", "1"), ("product", "list"),
        ("donor", "list"), ("sample", "list", "UCM-P1-T1"), ("certificate", "list"),
        ("audit", "list", "--subject", "lot:UCM-P1-T1"), ("correction", "list"), ("user", "list"),
    ],
)  # fmt: skip
def test_reading_commands_print_and_change_nothing(home: Path, command: tuple[str, ...]):
    before = counts(home)
    result = batchqc(home, *command)
    assert result.exit_code == 0, result.exception
    assert result.output.strip()
    assert counts(home) == before


def test_results_of_all_lots_stand_side_by_side_as_reported(home: Path, tmp_path: Path):
    file = tmp_path / "results.csv"
    assert batchqc(home, "lot", "table", "--to", file).exit_code == 0
    rows = {row["lot"]: row for row in csv.DictReader(file.read_text("utf-8-sig").splitlines())}
    assert len(rows) == 10
    assert rows["UCM-P3-T2"]["cd73"] == "99.63"
    assert rows["UCM-P4-T2"]["negative-panel"] == "0.0"
    assert rows["UCM-P1-T1"]["endotoxin"] == "<0.1"
    assert rows["UCM-P1-T2"]["ido"] == ""
    assert "99.63" in batchqc(home, "lot", "table").output


def test_an_installation_is_set_up_from_nothing(tmp_path: Path):
    typed = "\n".join(
        [*["root passphrase"] * 2, *["seal passphrase"] * 2, *["first-password-1"] * 2]
    )
    result = batchqc(
        tmp_path, "init", "--name", "Clinic", "--address", "1 Way;Vienna", "--time-zone",
        "Europe/Vienna", "--admin", "boss", "--admin-name", "The Boss", "--crl-url",
        "http://crl.example/root.crl", typed=typed,
    )  # fmt: skip
    assert result.exit_code == 0, (result.output, result.exception)
    files = ("root.p12", "seal.p12", "root.crl", "components.key")
    for file in ("batchqc.db", *(f"keys/{name}" for name in files), "trust/root.pem"):
        assert (tmp_path / file).is_file(), file
    assert "boss" in batchqc(tmp_path, "user", "list").output
    again = batchqc(
        tmp_path, "init", "--name", "Clinic", "--address", "1 Way", "--time-zone", "Europe/Vienna",
        "--admin", "boss", "--admin-name", "The Boss", "--crl-url", "http://x/y", typed=typed,
    )  # fmt: skip
    refused(again, Conflict, "BQC-SYS-002")


SITE = (
    "--name", "Clinic", "--address", "1 Way", "--time-zone", "Europe/Vienna", "--admin", "boss",
    "--admin-name", "The Boss", "--crl-url", "http://crl.example/root.crl",
)  # fmt: skip
TYPED = "\n".join([*["root passphrase"] * 2, *["seal passphrase"] * 2, *["first-password-1"] * 2])


def test_what_hinders_a_set_up_is_told_before_anything_stands(tmp_path: Path):
    named = batchqc(tmp_path, "init", *SITE, "--log", "log of the clinic", typed=TYPED)
    refused(named, InvalidInput, "BQC-LOG-004")
    for name in ("keys/components.key", "keys/log.key", "trust/root.pem"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("of before")
        refused(batchqc(tmp_path, "init", *SITE, typed=TYPED), Conflict, "BQC-CSV-001")
        file.unlink()
    (tmp_path / "keys").rmdir()
    assert batchqc(tmp_path, "init", *SITE, typed=TYPED).exit_code == 0
    assert (tmp_path / "trust" / "log.vkey").is_file()


@pytest.mark.parametrize("name", ["COMPONENT_KEY", "LOG_KEY", "TRUST"])
def test_a_folder_that_cannot_be_written_is_told_before_a_site_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.chdir(tmp_path)
    Path("taken").write_text("a file where a folder is wanted")
    places = {
        "DATABASE": "sqlite:///a.db", "STORE": "s", "TRUST": "trust", "SEAL": "k/seal.p12",
        "LOG_KEY": "k/log.key", "COMPONENT_KEY": "k/components.key",
    }  # fmt: skip
    for one, path in (places | {name: "taken/in/it"}).items():
        monkeypatch.setenv(f"BATCHQC_{one}", path)
    told = CliRunner().invoke(app, ["init", *SITE], input=f"{TYPED}\n")
    refused(told, InvalidInput, "BQC-CSV-002")
    assert not Path("k").exists()
    monkeypatch.setenv(f"BATCHQC_{name}", places[name])
    again = CliRunner().invoke(app, ["init", *SITE], input=f"{TYPED}\n")
    assert again.exit_code == 0, (again.output, again.exception)


def test_what_auditors_are_given_lies_where_the_servers_look_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    for name, path in (
        ("DATABASE", "sqlite:///a.db"), ("STORE", "s"), ("TRUST", "for/auditors"),
        ("SEAL", "k/keys/seal.p12"), ("LOG_KEY", "k/keys/log.key"),
        ("COMPONENT_KEY", "k/keys/components.key"),
    ):  # fmt: skip
        monkeypatch.setenv(f"BATCHQC_{name}", path)
    result = CliRunner().invoke(app, ["init", *SITE], input=f"{TYPED}\n")
    assert result.exit_code == 0, (result.output, result.exception)
    assert {"root.pem", "log.vkey"} <= {one.name for one in Path("for/auditors").iterdir()}


def test_a_blank_home_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["--home", "", "lot", "list"]).exit_code == 2


def test_no_password_is_an_argument():
    for name in ("init", "upload", "user", "lot", "spec", "certificate"):
        text = batchqc(Path(), name, "--help").output
        assert not re.search(r"--pass(word|phrase)", text)


def test_a_database_that_does_not_answer_is_told_in_plain_words(tmp_path: Path):
    away = f"postgresql://clinic:hunter2@127.0.0.1:{free_port()}/batchqc"
    done = subprocess.run(
        [BATCHQC, "lot", "list"], env=os.environ | {"BATCHQC_DATABASE": away},
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr[:11]) == (6, "BQC-SYS-035")
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr


def test_what_reads_no_records_loads_nothing_of_the_database():
    program = (
        "import sys\nfrom batchqc.cli.main import run\n"
        "try: run()\nfinally: print('sqlalchemy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("\nFalse\n")


def test_entries_are_found_by_ids_in_other_letters(home: Path):
    for name, given in (("--subject", "lot:UCM-P1-T1"), ("--who", "bao.le")):
        found = batchqc(home, "audit", "list", name, given)
        kind, mark, rest = given.rpartition(":")
        other = batchqc(home, "audit", "list", name, f"{kind}{mark}{rest.swapcase()}")
        assert (other.exit_code, other.output) == (0, found.output)
        assert "No entry." not in found.output


@pytest.mark.parametrize("said", ["", "the connection is lost\nin the middle"])
def test_whatever_a_database_says_of_itself_is_no_traceback(
    said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def lost() -> None:
        raise OperationalError("SELECT 1", {}, sqlite3.OperationalError(said))

    monkeypatch.setattr("batchqc.cli.main.app", lost)
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == 6
    assert capsys.readouterr().err.startswith("BQC-SYS-035")


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("lot", "list"), 4, "BQC-SYS-006"),
        (("spec", "check", "broken.toml"), 2, "BQC-SPC-001"),
    ],
)
def test_an_error_is_plain_words_on_stderr_and_an_exit_status(
    tmp_path: Path, arguments: tuple[str, ...], status: int, code: str
):
    (tmp_path / "broken.toml").write_text('id = "X"\n')
    done = subprocess.run(
        [BATCHQC, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (status, "")
    assert code in done.stderr
    assert "Traceback" not in done.stderr
