"""``batchqc validate``: the whole qualification, its report, and its exit status."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
from pypdf import PdfReader
from sqlalchemy import Engine, make_url
from typer.testing import CliRunner, Result

from batchqc import clock
from batchqc.cli import demo
from batchqc.cli import demo_cast as cast
from batchqc.cli.demo_specification import adopt
from batchqc.cli.main import app
from batchqc.cli.qualification import scratch, whole
from batchqc.cli.qualification.backups import Backups
from batchqc.cli.qualification.protocol import (
    Finding,
    Outcome,
    failed,
    held,
    not_tested,
    perform,
    protocol,
)
from batchqc.cli.qualification.scratch import Scratch
from batchqc.cli.qualification.whole import qualify
from batchqc.cli.workplace import Workplace
from batchqc.core.canonical import canonical_bytes
from batchqc.documents.pki import PkiFiles
from batchqc.errors import Conflict, InvalidInput
from batchqc.settings import bundled
from tests.actions.state import counts
from tests.actions.test_backups import PROGRAMS
from tests.cli.qualification.conftest import WAITS_FOR_NO_DISK, place_of
from tests.databases import RUNTIME_ROLE, Databases, as_role
from tests.documents.external import nss_database, pdfsig, run
from tests.records.house import House

SEAL = "seal on the server"
#: Nothing can be said of files that no wheel was the source of; see the test of the wheel.
OF_A_WHEEL = {"IQ-SW-01": Outcome.NOT_TESTED, "IQ-SW-02": Outcome.NOT_TESTED}


@pytest.fixture(autouse=True)
def _programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(PROGRAMS), prepend=":")


@pytest.fixture
def place(house: House, pki: PkiFiles, tmp_path: Path) -> Iterator[Workplace]:
    settings = place_of(house.engine, house, pki, tmp_path / "site").settings
    found = Workplace.at(settings, now=clock.now)
    yield found
    found.engine.dispose()


@pytest.fixture
def home(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of an installation, whose checks all pass at once."""
    monkeypatch.setattr(whole, "qualify", lambda *_, **__: perform(protocol(), EVERY))
    settings = place.settings
    place.engine.dispose()
    shutil.copyfile(str(place.engine.url.database), settings.trust.parent / "batchqc.db")
    shutil.copytree(str(settings.store), settings.trust.parent / "store")
    monkeypatch.setenv("BATCHQC_SEAL_PASSPHRASE", SEAL)
    return settings.trust.parent


EVERY = {one.id: lambda: held(True, "As expected.", {"seen": "1"}) for one in protocol()}


def databases_of(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, 'batchqc_oq_')"
        return [str(one) for one in connection.exec_driver_sql(query).scalars()]


@pytest.mark.requirement("1.80")
def test_a_sound_installation_passes_every_check_and_nothing_of_it_is_changed(
    place: Workplace, house: House, database: str, pki: PkiFiles, monkeypatch: pytest.MonkeyPatch
):
    given = {"root": pki.root_pem, "revocation_list": pki.root_crl, "seal_level": "B-LTA",
             "timestamp_url": "http://127.0.0.1:9/", "token_module": "/none.so"}  # fmt: skip
    for name, value in given.items():  # of the installation: operation is tried without them
        monkeypatch.setenv(f"BATCHQC_{name.upper()}", str(value))
    before, stored = counts(house.engine), sorted(house.archive.names())
    results = {one.check.id: one.finding for one in qualify(place)}
    assert list(results) == [one.id for one in protocol()]
    here = OF_A_WHEEL | dict.fromkeys(WAITS_FOR_NO_DISK[database], Outcome.FAIL)
    assert {
        name: (one.outcome, one.observed)
        for name, one in results.items()
        if one.outcome is not here.get(name, Outcome.PASS)
    } == {}
    assert results["IQ-IN-09"].evidence == {"database": house.engine.dialect.name}
    assert counts(house.engine) == before
    assert sorted(house.archive.names()) == stored
    if house.engine.dialect.name == "postgresql":
        assert databases_of(house.engine) == []


@pytest.mark.only_on("postgresql", "SQLite needs no role to make a database")
def test_a_role_that_may_make_no_database_says_so_and_takes_one_that_it_is_given(
    place: Workplace, house: House, databases: Databases
):
    lesser = as_role(house.engine, RUNTIME_ROLE)
    settings = place.settings.model_copy(
        update={"database": lesser.url.render_as_string(hide_password=False)}
    )
    own = Workplace.at(settings, now=clock.now)
    with scratch.scratch(own) as other:
        found = other.doings()["IQ-IN-09"]()
        assert found.outcome is Outcome.NOT_TESTED
        assert "permission denied to create database" in found.observed
    with databases.new("postgresql") as empty:
        given = empty.url.render_as_string(hide_password=False)
        with scratch.scratch(own, databases=[given]) as other:
            assert other.doings()["IQ-IN-09"]().outcome is Outcome.PASS
            assert make_url(other.story.place.settings.database).database == empty.url.database
    before = counts(house.engine)
    full = house.engine.url.render_as_string(hide_password=False)
    with pytest.raises(Conflict, match="is not empty"), scratch.scratch(own, databases=[full]):
        pass
    assert counts(house.engine) == before
    own.engine.dispose()
    lesser.dispose()


def test_a_scratch_installation_leaves_nothing_behind(place: Workplace):
    with scratch.scratch(place) as other:
        folder = other.story.folder
        assert folder.is_dir()
        assert isinstance(other, Scratch)
    assert not folder.exists()


def validated(home: Path, to: Path) -> Result:
    return CliRunner().invoke(app, ["--home", str(home), "validate", "--to", str(to)])


@pytest.mark.only_on("sqlite", "a folder holds SQLite")
@pytest.mark.requirement("1.80")
def test_the_report_is_sealed_and_says_what_was_found_with_its_evidence(
    home: Path, tmp_path: Path, pki: PkiFiles
):
    done = validated(home, tmp_path / "report")
    assert done.exit_code == 0, done.output
    path = tmp_path / "report" / "validation-report.pdf"
    told = pdfsig(path, nss_database(tmp_path / "nss", pki.root_pem))
    assert "Signature is Valid" in told
    assert "Certificate is Trusted" in told
    assert "Total document signed" in told
    attached = PdfReader(path).attachments["validation-report.json"][0]
    assert attached == (tmp_path / "report" / "validation-report.json").read_bytes()
    content = json.loads(attached)
    pages = [page.extract_text() for page in PdfReader(path).pages]
    for number, text in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in text
        assert sha256(attached).hexdigest() in text
        assert "QUALIFIED" in text
        assert "NOT QUALIFIED" not in text
    whole_text = "".join(pages)
    checks = [one for part in content["sections"] for one in part["checks"]]
    assert [one["id"] for one in checks] == [one.id for one in protocol()]
    for one in checks:
        assert whole_text.count(one["id"]) >= 3  # its finding, a requirement, its evidence
        assert one["evidence_sha256"] in whole_text
        assert sha256(canonical_bytes(one["evidence"])).hexdigest() == one["evidence_sha256"]
        for requirement in one["requirements"]:
            (line,) = (line for line in content["trace"] if line["id"] == requirement)
            assert one["id"] in line["checks"]
    for word in ("Executed by", "Reviewed by (quality unit)", "Not part of this report"):
        assert word in pages[0]


@pytest.mark.only_on("sqlite", "a folder holds SQLite")
@pytest.mark.requirement("1.80")
@pytest.mark.parametrize("finding", [failed("Something else came out."), not_tested("No wheel.")])
def test_one_check_that_fails_makes_the_report_red_and_the_command_fail(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finding: Finding
):
    every = EVERY | {"OQ-AU-03": lambda: finding}
    monkeypatch.setattr(whole, "qualify", lambda *_, **__: perform(protocol(), every))
    done = validated(home, tmp_path / "report")
    assert done.exit_code == 1
    assert "NOT QUALIFIED" in done.output
    assert "OQ-AU-03" in done.output
    pages = PdfReader(tmp_path / "report" / "validation-report.pdf").pages
    assert all("NOT QUALIFIED" in page.extract_text() for page in pages)
    assert finding.observed in "".join(page.extract_text() for page in pages)


@pytest.mark.only_on("sqlite", "a folder holds SQLite")
def test_a_report_that_cannot_be_sealed_says_so_and_the_command_fails(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BATCHQC_SEAL_PASSPHRASE", "another one")
    done = validated(home, tmp_path / "report")
    assert done.exit_code == 1
    path = tmp_path / "report" / "validation-report.pdf"
    assert "NOT SEALED" in run("pdftotext", path, "-")
    assert b"/ByteRange" not in path.read_bytes()


@pytest.mark.only_on("sqlite", "a folder holds SQLite")
def test_a_report_is_never_replaced(home: Path, tmp_path: Path):
    done = validated(home, tmp_path)
    assert done.exit_code != 0
    assert not (tmp_path / "validation-report.pdf").exists()


@pytest.mark.only_on("sqlite", "a folder holds SQLite")
def test_a_folder_that_cannot_be_written_is_told_before_anything_is_done(
    home: Path, tmp_path: Path
):
    (tmp_path / "file").touch()
    done = validated(home, tmp_path / "file" / "report")
    assert isinstance(done.exception, InvalidInput)
    assert "cannot be written" in done.exception.message
    assert "PASS" not in done.output


@pytest.mark.long
@pytest.mark.requirement("1.80")
def test_a_fresh_installation_of_the_wheel_is_qualified_and_a_changed_file_is_found(
    made: Path, tmp_path: Path
):
    (package,) = (made / "venv" / "lib").glob("python*/site-packages/batchqc")
    told = {"BATCHQC_SEAL_PASSPHRASE": "seal pass phrase", "PATH": "/usr/bin:/bin"}
    words = ("root pass phrase", "seal pass phrase", "first password 1")
    facts = {
        "name": "Lakeside", "address": "1 Pier;Chicago", "time-zone": "America/Chicago",
        "admin": "adm", "admin-name": "Ada Min", "crl-url": "http://crl.example.org/root.crl",
    }  # fmt: skip

    def batchqc(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [made / "venv" / "bin" / "batchqc", "--home", "site", *arguments],
            cwd=tmp_path, env=told, input=typed, capture_output=True, text=True, check=False,
        )  # fmt: skip

    typed = "".join(f"{word}\n{word}\n" for word in words)
    given = [part for name, value in facts.items() for part in (f"--{name}", value)]
    assert batchqc("init", *given, typed=typed).returncode == 0
    done = batchqc("validate", "--to", "report")
    assert done.returncode == 0, done.stdout + done.stderr
    content = json.loads((tmp_path / "report" / "validation-report.json").read_bytes())
    assert content["verdict"] == "QUALIFIED"
    assert datetime.fromisoformat(content["made_at"]) <= clock.now()
    path = package / "_bundled" / "specs" / "uc-msc" / "uc-msc-release-v1.toml"
    kept = path.read_bytes()
    try:
        path.write_bytes(kept + b"\n# one more line\n")
        done = batchqc("validate", "--to", "another")
    finally:
        path.write_bytes(kept)
    assert done.returncode == 1
    assert "FAIL       IQ-SW-02" in done.stdout


def test_a_backup_that_is_not_made_or_lacks_a_file_is_no_pass(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
):
    with scratch.scratch(place) as other:
        demo.set_up(other.story)
        demo.people(other.story)
        adopt(other.story, bundled("specs") / cast.SPECIFICATION)
        checks = Backups(other).doings()
        assert checks["OQ-BA-02"]().outcome is Outcome.NOT_TESTED
        assert checks["OQ-BA-03"]().outcome is Outcome.NOT_TESTED
        if place.engine.dialect.name == "postgresql":
            path = os.environ["PATH"]
            monkeypatch.setenv("PATH", "/nowhere")
            found = checks["OQ-BA-01"]()
            assert (found.outcome, "pg_dump" in found.observed) == (Outcome.NOT_TESTED, True)
            monkeypatch.setenv("PATH", path)
        store = other.story.folder / "store"
        next(one for one in sorted(store.rglob("*")) if one.is_file()).unlink()
        found = checks["OQ-BA-01"]()
        assert (found.outcome, "1 are lacking" in found.observed) == (Outcome.FAIL, True)
        found = checks["OQ-BA-03"]()
        assert (found.outcome, "the archive holds no file" in found.observed) == (
            Outcome.FAIL, True
        )  # fmt: skip
        alone = Scratch(other.story, "postgresql", lacking="permission denied")
        found = Backups(alone).doings()["OQ-BA-03"]()
        assert (found.outcome, "permission denied" in found.observed) == (Outcome.NOT_TESTED, True)
