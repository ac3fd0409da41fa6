"""When sessions were last used: kept in place, waited for by nobody, and no record."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, text

from batchqc.records.session_uses import keep_use, uses_of
from batchqc.records.transaction import reading
from tests.cast import NOW

FROM = "127.0.0.1 bench 1.0"
LATER = NOW + timedelta(minutes=5)


def kept(engine: Engine) -> dict[str, tuple[object, str]]:
    with reading(engine) as session:
        return dict(uses_of(session, ["a", "b", "c"]))


def test_each_session_has_one_row_with_its_newest_use(engine: Engine):
    assert kept(engine) == {}
    assert keep_use(engine, "a", at=NOW, client=FROM)
    assert keep_use(engine, "b", at=NOW, client=FROM)
    assert keep_use(engine, "a", at=LATER, client="10.0.0.1 desk 2.0")
    assert kept(engine) == {"a": (LATER, "10.0.0.1 desk 2.0"), "b": (NOW, FROM)}
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM session_use")) == 2


def test_a_use_that_is_told_late_hides_no_newer_one(engine: Engine):
    assert keep_use(engine, "a", at=LATER, client=FROM)
    assert keep_use(engine, "a", at=NOW, client="late")
    assert kept(engine) == {"a": (LATER, FROM)}


@pytest.fixture
def held(engine: Engine) -> Iterator[Engine]:
    """Somebody else writes, and does not end."""
    assert keep_use(engine, "a", at=NOW, client=FROM)
    with engine.begin() as connection:
        connection.execute(text("UPDATE session_use SET used_from = 'x' WHERE token_sha256 = 'a'"))
        yield engine
        connection.rollback()


def test_who_finds_the_database_busy_does_not_wait_and_keeps_nothing(held: Engine):
    began = time.monotonic()
    assert not keep_use(held, "a", at=LATER, client=FROM)
    assert time.monotonic() - began < 5
    assert kept(held) == {"a": (NOW, FROM)}


@pytest.mark.only_on("sqlite", "PostgreSQL's patience ends with its transaction")
def test_who_writes_records_waits_as_long_as_before(engine: Engine):
    assert keep_use(engine, "a", at=NOW, client=FROM)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 15000


@pytest.mark.only_on("postgresql", "SQLite's patience is of the connection")
def test_the_next_transaction_waits_for_disk_and_locks_again(engine: Engine):
    with engine.connect() as connection:
        connection.exec_driver_sql("SET synchronous_commit = on")
        connection.commit()
    assert keep_use(engine, "a", at=NOW, client=FROM)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "0"
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def test_a_database_that_takes_nothing_is_no_error(engine: Engine):
    assert keep_use(engine, "a", at=NOW, client=FROM)

    def read_only(connection: object, cursor: object, *rest: object) -> None:
        if engine.dialect.name == "sqlite":
            cursor.execute("PRAGMA query_only=ON")  # type: ignore[attr-defined]
        else:
            cursor.execute("SET TRANSACTION READ ONLY")  # type: ignore[attr-defined]

    event.listen(engine, "before_cursor_execute", read_only)
    try:
        assert not keep_use(engine, "a", at=LATER, client=FROM)
    finally:
        event.remove(engine, "before_cursor_execute", read_only)
        engine.dispose()
    assert kept(engine) == {"a": (NOW, FROM)}


def test_a_database_that_lacks_the_table_is_no_error(engine: Engine):
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE session_use"))
    assert not keep_use(engine, "a", at=NOW, client=FROM)
