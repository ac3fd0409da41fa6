"""PostgreSQL restored to a point in time, from a base backup and archived logs of its writing."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

import batchqc
from batchqc.actions.certificates import Press, issue_certificate
from batchqc.actions.checkpoints import sign_checkpoint
from batchqc.actions.doctor import Examined, Installation, examine_installation
from batchqc.actions.later_decisions import decide_later
from batchqc.actions.witnessing import export
from batchqc.core.lot_states import Disposition
from batchqc.core.permissions import Permission
from batchqc.core.soundness import Grade
from batchqc.documents.archive import Archive, FolderArchive
from batchqc.documents.verifier.case import Question
from batchqc.records.database import migrate, open_database
from batchqc.records.decisions import dispositions_of
from batchqc.records.registers import LotRow
from batchqc.records.transaction import SYSTEM, transaction
from batchqc.settings import bundled
from tests.actions.test_backups import PROGRAMS
from tests.kinds import quick_folder
from tests.records.house import LOT, QA1, QA2, Clock, House, archive_of, furnish, signing

NUMBER = "COA-2026-000001"
_USER = "pgserver"
"""Whom the server runs as where the tests run as root, which it refuses."""


def run(*command: str | Path) -> None:
    user = _USER if os.geteuid() == 0 else None
    words: list[str] = [str(PROGRAMS / command[0]), *map(str, command[1:])]
    done = subprocess.run(
        words, check=False, user=user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short one, for the path of the socket; the server's own."""
    made = quick_folder()
    if os.geteuid() == 0:
        shutil.chown(made, _USER, _USER)
    yield made
    shutil.rmtree(made)


@contextmanager
def serving(data: Path) -> Iterator[Engine]:
    """A server over a folder of data, and its database."""
    log = data.parent / f"{data.name}.log"
    run("pg_ctl", "-D", data, "-l", log, "-w", "-t", "120", "start")
    engine = open_database(f"postgresql://postgres@/postgres?host={data.parent}")
    try:
        yield engine
    finally:
        engine.dispose()
        run("pg_ctl", "-D", data, "-m", "fast", "-w", "stop")


def asked(engine: Engine, question: str) -> object:
    with engine.connect() as connection:
        return connection.scalar(text(question))


def owned(path: Path, *, is_folder: bool = False) -> None:
    """Make a file or a folder that belongs to whom the server runs as."""
    path.mkdir() if is_folder else path.touch()
    if os.geteuid() == 0:
        shutil.chown(path, _USER, _USER)


def examined(engine: Engine, archive: Archive, press: Press, witness: Path | None) -> Examined:
    root = press.sealing.root.certificate.read_bytes()
    question = Question(root, Clock().at + timedelta(hours=1))
    what = Installation(engine, archive, bundled("migrations"), question, witness=witness)
    return examine_installation(what)


def lived(engine: Engine, press: Press, folder: Path, base: Path) -> str:
    """A base backup, a release, a moment, a recall, and a witness that knows of it; the moment."""
    furnish(engine)
    house = House(engine, archive_of(folder), Clock())
    run("pg_basebackup", "-D", base, "-h", base.parent, "-U", "postgres", "-X", "none")
    house.ready()
    house.release()
    issue_certificate(
        engine, house.archive, press,
        number=NUMBER, actor=house.actor(QA1, Permission.ISSUE_CERTIFICATE), clock=house.now,
    )  # fmt: skip
    shutil.copytree(house.archive.root, folder / "then")
    (folder / "witness").mkdir()
    moment = str(asked(engine, "SELECT clock_timestamp()::text"))
    with house.acting(QA2, Permission.DECIDE_LATER) as tx:
        decide_later(
            tx, house.archive, lot=LOT, wanted=Disposition.RECALLED,
            particulars={"class": "I", "scope": "every dose"}, credentials=signing(QA2),
        )  # fmt: skip
    with transaction(engine, SYSTEM, house.now()) as tx:
        sign_checkpoint(tx, press.log_key())
    with house.reading() as session:
        export(session, house.archive, folder / "witness")
    return moment


def archiving(logs: Path) -> str:
    """The command of the guide by which logs are archived, into a folder."""
    guide = (Path(batchqc.__file__).parent / "guide" / "backup.md").read_text()
    (command,) = re.findall(r"^archive_command = '(.+)'$", guide, re.MULTILINE)
    return command.replace("/mnt/wal", str(logs))


@pytest.mark.requirement("1.32")
def test_a_log_is_archived_whole_and_once_however_often_that_was_begun(tmp_path: Path):
    (tmp_path / "log").write_bytes(b"written" * 9)
    (tmp_path / "cp").write_text('#!/bin/sh\nhead -c 9 "$1" >"$2"; exit 1\n')  # the disk is full
    (tmp_path / "cp").chmod(0o755)
    logs = tmp_path / "logs"
    logs.mkdir()
    command = archiving(logs).replace("%p", str(tmp_path / "log")).replace("%f", "0001")

    def archived(path: str = "/usr/bin:/bin") -> bool:
        return (
            subprocess.run(["sh", "-c", command], env={"PATH": path}, check=False).returncode == 0
        )

    assert not archived(f"{tmp_path}:/usr/bin:/bin")
    assert not (logs / "0001").exists()
    assert archived()
    assert archived()  # the server was killed before it had noted that
    assert (logs / "0001").read_bytes() == b"written" * 9
    (tmp_path / "log").write_bytes(b"another")
    assert not archived()
    assert (logs / "0001").read_bytes() == b"written" * 9


@pytest.mark.long
@pytest.mark.requirement("1.32")
def test_a_database_is_restored_to_between_two_decisions(
    folder: Path, press: Press, tmp_path: Path
):
    data, base, logs = folder / "data", folder / "base", folder / "logs"
    run("initdb", "-D", data, "-U", "postgres", "--data-checksums", "-A", "trust")
    owned(logs, is_folder=True)
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(
            f"listen_addresses = ''\nunix_socket_directories = '{folder}'\n"
            f"archive_mode = on\narchive_command = '{archiving(logs)}'\n"
        )
    with serving(data) as engine:
        migrate(engine, bundled("migrations"))
        moment = lived(engine, press, tmp_path, base)
        log = asked(engine, "SELECT pg_walfile_name(pg_switch_wal())")
        for _ in range(600):
            if str(asked(engine, "SELECT last_archived_wal FROM pg_stat_archiver")) >= str(log):
                break
            time.sleep(0.1)
        assert decided(engine) == ["released", "recalled"]
    with (base / "postgresql.conf").open("a") as settings:
        settings.write(
            f"restore_command = 'cp {logs}/%f %p'\nrecovery_target_time = '{moment}'\n"
            "recovery_target_action = 'promote'\narchive_mode = off\n"
        )
    owned(base / "recovery.signal")
    with serving(base) as engine:
        for _ in range(600):
            if asked(engine, "SELECT NOT pg_is_in_recovery()"):
                break
            time.sleep(0.1)
        assert decided(engine) == ["released"]
        assert examined(engine, FolderArchive(tmp_path / "then"), press, None).is_clean
        store = FolderArchive(tmp_path / "store")
        alone = examined(engine, store, press, None)
        witnessed = examined(engine, store, press, tmp_path / "witness")
    (left,) = [one.what for one in alone.findings if one.where.startswith("archived")]
    assert f"that lot {LOT} is recalled, over the newest entry (lost, if the database" in left
    lost = [one for one in witnessed.findings if one.grade is Grade.LOSS]
    assert any("rolled back" in one.what or "is not there" in one.what for one in lost), lost


def decided(engine: Engine) -> list[str]:
    with House(engine, FolderArchive(Path())).reading() as session:
        lot = session.query(LotRow).filter_by(lot=LOT).one()
        return [one.disposition for one in dispositions_of(session, lot)]
