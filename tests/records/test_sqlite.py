"""How SQLite is opened: what each connection is told, and when a transaction begins."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError

from batchqc.records.audit import entry_count
from batchqc.records.people import Person
from batchqc.records.transaction import SYSTEM, reading, transaction
from tests.cast import NOW

pytestmark = pytest.mark.only_on("sqlite", "it is about how a file is opened")

PRAGMAS = {
    "foreign_keys": 1,
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: every commit is on disk
    "busy_timeout": 15000,
    "recursive_triggers": 1,
}


def test_each_connection_is_told_the_same(engine: Engine):
    reader = engine.execution_options(batchqc_read_only=True)
    with reader.connect() as first, reader.connect() as second, reader.connect() as third:
        for connection in (first, second, third):
            told = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in PRAGMAS
            }
            assert told == PRAGMAS


def test_a_row_that_refers_to_nothing_is_refused(engine: Engine):
    with engine.connect() as connection, pytest.raises(IntegrityError, match="FOREIGN KEY"):
        connection.execute(
            text("INSERT INTO sign_out (sign_in_id, at) VALUES (99, '2026-01-01T00:00:00Z')")
        )


def test_a_writing_transaction_holds_the_lock_from_its_first_statement(engine: Engine):
    path = Path(str(engine.url.database))
    with transaction(engine, SYSTEM, NOW) as tx:
        tx.session.scalar(select(Person))  # it only reads so far
        other = sqlite3.connect(path, timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_a_reading_session_holds_nobody_up(engine: Engine):
    path = Path(str(engine.url.database))
    with reading(engine) as session:
        session.scalar(select(Person))
        other = sqlite3.connect(path, timeout=0)
        other.execute("BEGIN IMMEDIATE")
        other.rollback()
        other.close()


def test_one_that_reads_first_and_writes_then_waits_for_another_and_never_fails(engine: Engine):
    # With a deferred BEGIN it fails with "database is locked" when it turns into a writing one.
    def read_and_write(what: str) -> None:
        with transaction(engine, SYSTEM, NOW) as tx:
            tx.session.scalar(select(Person))
            sleep(0.02)
            tx.audit(what)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read_and_write, "abcdefgh"))
    with reading(engine) as session:
        assert entry_count(session) == 8


def test_two_sessions_read_while_one_writes(engine: Engine):
    with transaction(engine, SYSTEM, NOW) as tx:
        tx.audit("something happened")
        with reading(engine) as session:
            assert session.execute(text("SELECT count(*) FROM audit_entry")).scalar_one() == 0
    with reading(engine) as session:
        assert session.execute(text("SELECT count(*) FROM audit_entry")).scalar_one() == 1
