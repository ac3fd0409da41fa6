"""Installation: what was changed, taken away or opened is told; a sound installation passes."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import event, text

from batchqc.cli.qualification import place as installation
from batchqc.cli.qualification import software
from batchqc.cli.qualification.protocol import Finding, Outcome
from batchqc.cli.workplace import Workplace
from batchqc.documents.archive import FolderArchive
from batchqc.records.database import grant_runtime
from batchqc.settings import Settings, lock_file
from tests.cli.qualification.conftest import WAITS_FOR_NO_DISK
from tests.databases import HASTY, RUNTIME_ROLE
from tests.records.house import House
from tests.records.tampering import tampering


def digest(data: bytes) -> str:
    return urlsafe_b64encode(sha256(data).digest()).rstrip(b"=").decode()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, data in (("a.py", b"a"), ("_bundled/specs/x.toml", b"x")):
        path = tmp_path / "batchqc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path


RECORD = {"batchqc/a.py": digest(b"a"), "batchqc/_bundled/specs/x.toml": digest(b"x")}


@pytest.mark.requirement("1.80")
def test_files_as_their_wheel_recorded_them_pass(root: Path):
    for controlled in (False, True):
        found = software.files(root, RECORD, controlled=controlled)
        assert found.outcome is Outcome.PASS
        assert found.observed.startswith("1 of 1 files")


@pytest.mark.requirement("1.35")
@pytest.mark.parametrize("name", ["batchqc/a.py", "batchqc/_bundled/specs/x.toml"])
@pytest.mark.parametrize("how", ["Changed", "Missing", "Not of the wheel"])
def test_a_file_that_is_not_as_recorded_is_named(root: Path, name: str, how: str):
    path = root / name
    if how == "Changed":
        path.write_bytes(b"something else")
    elif how == "Missing":
        path.unlink()
    else:
        path = path.with_name(f"more{path.suffix}")
        path.write_bytes(b"")
    found = software.files(root, RECORD, controlled="_bundled" in name)
    assert found.outcome is Outcome.FAIL
    assert f"{how}: {path.relative_to(root)}" in found.observed


def test_without_a_record_nothing_can_be_said_of_the_files(root: Path):
    assert software.files(root, {}, controlled=False).outcome is Outcome.NOT_TESTED


def test_the_libraries_here_are_those_of_the_lock_file_and_another_version_is_named():
    lock, here = software.locked(lock_file().read_text()), software.installed()
    assert software.libraries(lock, here).outcome is Outcome.PASS
    found = software.libraries(lock, here | {"sqlalchemy": "0.1"})
    assert found.outcome is Outcome.FAIL
    assert "sqlalchemy is 0.1, tested with" in found.observed
    assert software.libraries(lock, {}).outcome is Outcome.FAIL
    needs = software.needed(lock_file().read_text())
    assert software.libraries(lock, here, needs).outcome is Outcome.PASS
    found = software.libraries(lock, {one: here[one] for one in here if one != "segno"}, needs)
    assert found.outcome is Outcome.FAIL
    assert "segno is not installed" in found.observed


def finding(place: Workplace, name: str) -> Finding:
    return installation.doings(place)[name]()


@pytest.mark.requirement("1.80")
def test_a_sound_installation_passes(place: Workplace, house: House, database: str):
    house.now.at = house.now.at.replace(year=2026, month=7)
    elsewhere = {"IQ-IN-08"} | WAITS_FOR_NO_DISK[database]
    wrong = {
        name: told.observed
        for name, doing in installation.doings(place).items()
        if name not in elsewhere and (told := doing()).outcome is not Outcome.PASS
    }
    assert wrong == {}
    apart = finding(place, "IQ-IN-08")  # the clock of the house is not that of the database
    assert apart.outcome is Outcome.FAIL
    assert "s from the database" in apart.observed


@pytest.mark.requirement("1.05")
def test_a_guard_that_was_taken_away_is_told(place: Workplace, house: House):
    statement = {
        "sqlite": "DROP TRIGGER measurement_no_update",
        "postgresql": "ALTER TABLE measurement DISABLE TRIGGER measurement_no_change",
    }[house.engine.dialect.name]
    with house.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    for name in ("IQ-IN-02", "IQ-IN-04"):
        found = finding(place, name)
        assert found.outcome is Outcome.FAIL
        assert "measurement" in found.observed


@pytest.mark.requirement("1.01")
def test_a_record_that_was_changed_behind_the_audit_trail_is_told(place: Workplace, house: House):
    with tampering(house.engine) as connection:
        connection.execute(text("UPDATE lot SET expires_on = '2099-01-01'"))
    found = finding(place, "IQ-IN-04")
    assert found.outcome is Outcome.FAIL
    assert "lot:" in found.observed


@pytest.mark.requirement("1.32", "5.08")
@pytest.mark.parametrize("required", [True, False])
def test_a_database_that_does_not_wait_for_its_disk_is_told_in_a_trial_too(
    place: Workplace, database: str, required: bool
):
    place = replace(place, settings=place.settings.model_copy(update={"disk_required": required}))
    if database == "sqlite":
        assert finding(place, "IQ-IN-10").outcome is Outcome.PASS
        place.engine.dispose()
        event.listen(place.engine, "connect", lambda one, _: one.execute("PRAGMA synchronous=OFF"))
    found = finding(place, "IQ-IN-10")
    assert found.outcome is Outcome.FAIL
    assert found.evidence == {"does not wait by": HASTY[database]}
    assert all(one in found.observed for one in HASTY[database])


@pytest.mark.requirement("1.41")
def test_a_file_of_the_store_that_was_changed_or_lost_its_schema_is_told(
    place: Workplace, house: House
):
    name = next(iter(house.archive.names()))
    path = house.archive.path_of(name)
    path.chmod(0o644)
    path.write_bytes(b"other bytes")
    assert finding(place, "IQ-IN-05").outcome is Outcome.FAIL
    with house.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    found = finding(place, "IQ-IN-01")
    assert found.outcome is Outcome.FAIL
    assert "revision 0001" in found.observed


@pytest.mark.requirement("1.41")
def test_the_store_of_another_installation_is_told(place: Workplace, tmp_path: Path):
    other = FolderArchive(tmp_path / "other")
    other.mark("0" * 64)
    other.put(b"a file of theirs")
    own = place.settings.model_copy(update={"store": other.root})
    there = Workplace.at(own, now=place.now)
    found = finding(there, "IQ-IN-05")
    there.engine.dispose()
    assert found.outcome is Outcome.FAIL
    assert "is the store of another installation" in found.observed


@pytest.mark.only_on("postgresql", "SQLite has no roles")
def test_somebody_besides_the_owner_who_may_change_rows_is_told(place: Workplace, house: House):
    with house.engine.begin() as connection:
        connection.exec_driver_sql(f"GRANT UPDATE ON measurement TO {RUNTIME_ROLE}")
    found = finding(place, "IQ-IN-03")
    assert found.outcome is Outcome.FAIL
    assert found.evidence == {
        "rights": [[RUNTIME_ROLE, "measurement", "UPDATE"]],
        "read as": house.engine.url.username,
    }


@pytest.mark.only_on("postgresql", "SQLite has no roles")
def test_the_rights_of_the_servers_are_in_order(place: Workplace, house: House):
    grant_runtime(house.engine, RUNTIME_ROLE)
    found = finding(place, "IQ-IN-03")
    assert (found.outcome, found.evidence["rights"]) == (Outcome.PASS, [])


@pytest.mark.only_on("postgresql", "SQLite has no roles")
@pytest.mark.parametrize("who", [RUNTIME_ROLE, "PUBLIC"])
def test_a_right_to_change_one_column_is_told(place: Workplace, house: House, who: str):
    with house.engine.begin() as connection:
        connection.exec_driver_sql(f"GRANT UPDATE (value) ON measurement TO {who}")
    found = finding(place, "IQ-IN-03")
    assert found.outcome is Outcome.FAIL
    assert [who, "measurement", "UPDATE"] in found.evidence["rights"]


@pytest.mark.only_on("sqlite", "PostgreSQL has no file")
def test_a_database_that_anybody_may_write_is_told(place: Workplace, house: House):
    Path(str(house.engine.url.database)).chmod(0o666)
    found = finding(place, "IQ-IN-03")
    assert found.outcome is Outcome.FAIL
    assert "0666" in found.observed


@pytest.mark.requirement("5.10")
def test_a_seal_that_does_not_open_and_a_key_that_is_missing_are_told(
    place: Workplace, house: House
):
    place.settings.log_key.unlink()
    assert "log_key" in finding(place, "IQ-IN-07").observed
    none = {"timestamp_root": Path("none.pem"), "revocation_list": Path("none.crl")}
    away = Workplace.at(place.settings.model_copy(update=none), now=house.now)
    for name in none:
        assert name in finding(away, "IQ-IN-07").observed
    wrong = place.settings.model_copy(update={"seal_passphrase": SecretStr("wrong")})
    found = finding(Workplace.at(wrong, now=house.now), "IQ-IN-06")
    assert found.outcome is Outcome.FAIL
    assert "The seal cannot be used" in found.observed


def test_no_secret_is_written_down():
    settings = Settings(
        database="postgresql+psycopg://batchqc:hunter2@db.example/batchqc",
        seal_passphrase=SecretStr("hunter2"),
        oidc_secret=SecretStr("hunter2"),
        timestamp_url="https://clinic:hunter2@tsa.example/tsr",
    )
    told = installation.shown_settings(settings)
    assert "hunter2" not in str(told)
    assert told["seal_passphrase"] == told["oidc_secret"] == "given"
    assert told["timestamp_url"] == "https://***@tsa.example/tsr"
    assert told["database"] == "postgresql+psycopg://batchqc:***@db.example/batchqc"
    asked = Settings(database="postgresql://batchqc@/batchqc?host=db.example&password=hunter2")
    assert "hunter2" not in str(installation.shown_settings(asked))
