"""What is said last to PostgreSQL: the lock of the chain, the entries and the COMMIT at once."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from time import monotonic, sleep
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, select, text

from batchqc.core.audit import first_break
from batchqc.errors import Conflict
from batchqc.records.audit import AuditEntry, AuditLink, all_links, entry_count
from batchqc.records.database import open_database
from batchqc.records.events import EventRow
from batchqc.records.transaction import SYSTEM, reading, transaction
from tests.cast import NOW

only_postgresql = pytest.mark.only_on("postgresql", "SQLite has one writer, in its own process")
_CHAIN = "hashtextextended('audit chain', 0)"
_WRITER = """
import sys
from datetime import UTC, datetime
from batchqc.records.database import open_database
from batchqc.records.transaction import SYSTEM, transaction
with transaction(open_database(sys.argv[1]), SYSTEM, datetime.now(UTC)) as tx:
    tx.audit("noted")
"""


def until(connection: Connection, question: str) -> None:
    end = monotonic() + 30
    while not connection.scalar(text(question)):
        assert monotonic() < end, question
        sleep(0.01)


@only_postgresql
def test_whoever_comes_to_the_lock_of_the_chain_commits_though_the_process_is_stopped(
    engine: Engine,
):
    address = engine.url.render_as_string(hide_password=False)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
        other.execute(text(f"SELECT pg_advisory_lock({_CHAIN})"))
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, address])
        try:
            until(other, "SELECT count(*) FROM pg_locks WHERE NOT granted")
            os.kill(writer.pid, signal.SIGSTOP)
            other.execute(text(f"SELECT pg_advisory_unlock({_CHAIN})"))
            until(other, "SELECT count(*) FROM audit_link")
        finally:
            os.kill(writer.pid, signal.SIGCONT)
            assert writer.wait(30) == 0


@pytest.mark.requirement("1.05")
def test_very_many_entries_of_a_transaction_stand_in_one_order(engine: Engine):
    with transaction(engine, SYSTEM, NOW) as tx:
        for number in range(250):
            kind = "webhook ended" if number % 3 == 0 else "noted"
            tx.audit(
                kind, about=[f"webhook:{number}", "site:Ward", "site:Ward"], reason=str(number)
            )
    with reading(engine) as session:
        assert first_break(all_links(session)) is None
        ids = select(AuditEntry.id).order_by(AuditEntry.id)
        in_order = select(AuditEntry.id).join(
            AuditLink, AuditLink.entry_sha256 == AuditEntry.sha256
        )
        found = session.scalars(in_order.order_by(AuditLink.sequence)).all()
        assert found == session.scalars(ids).all()
        assert len(found) == 250
        events = session.scalars(select(EventRow).order_by(EventRow.number)).all()
        assert [(one.number, one.sequence) for one in events] == [
            (number, 3 * number - 2) for number in range(1, 85)
        ]
        (subjects,) = {len(one.subjects) for one in session.scalars(select(AuditEntry))}
        assert subjects == 2


def note(engine: Engine, *said: str) -> None:
    with transaction(engine, SYSTEM, NOW) as tx:
        for one in said:
            tx.audit(one)


def test_where_an_entry_cannot_be_written_nothing_is_and_the_next_one_can(engine: Engine):
    for _ in range(3):
        with pytest.raises(Conflict) as told:  # an entry has a hash of its own
            note(engine, "noted", "noted")
        assert told.value.code == "BQC-AUD-006"
        with reading(engine) as session:
            assert entry_count(session) == 0
    note(engine, "noted")
    with reading(engine) as session:
        assert session.scalars(select(AuditEntry.what)).all() == ["noted"]
    with pytest.raises(Conflict) as told:  # nor twice with one moment in two transactions
        note(engine, "noted")
    assert told.value.code == "BQC-AUD-006"
    with transaction(engine, SYSTEM, NOW + timedelta(microseconds=1)) as tx:
        tx.audit("noted")
    with reading(engine) as session:
        assert session.scalars(select(AuditEntry.what)).all() == ["noted", "noted"]


@only_postgresql
def test_what_was_to_be_said_last_is_never_said_after_a_rollback(engine: Engine):
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        for end in (driver.rollback, driver.commit):
            driver.say_last([("SELECT no_such_function()", ())])
            driver.rollback()
            end()
        with pytest.raises(psycopg.errors.UndefinedFunction):
            say(driver, "SELECT no_such_function()")
        assert driver.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def say(driver: Any, statement: str) -> None:
    driver.say_last([(statement, ())])
    driver.commit()


@only_postgresql
@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_whatever_the_server_is_set_to_who_waited_for_the_chain_writes_at_its_end(
    engine: Engine, level: str
):
    with engine.begin() as connection:
        name = connection.dialect.identifier_preparer.quote(str(engine.url.database))
        set_to = f"ALTER DATABASE {name} SET default_transaction_isolation TO '{level}'"
        connection.execute(text(set_to))
    own = open_database(engine.url)
    together = Barrier(2)

    def note(reason: str) -> None:
        with transaction(own, SYSTEM, NOW) as tx:
            tx.session.execute(text("SELECT 1"))  # it has begun
            together.wait(30)
            tx.audit("noted", reason=reason)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(note, ["one", "other"]))
    with reading(own) as session:
        assert entry_count(session) == 2
        assert first_break(all_links(session)) is None
    own.dispose()


@only_postgresql
def test_what_is_read_is_described_by_name_and_type(engine: Engine):
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute("SELECT 1::integer AS one, 'a'::text AS word")
        assert [tuple(one[:2]) for one in cursor.description] == [("one", 23), ("word", 25)]
        assert {len(one) for one in cursor.description} == {7}
        cursor.execute("SET LOCAL statement_timeout = 0")
        assert cursor.description is None
