"""Connections to PostgreSQL stay open; one whose server went away meanwhile is opened anew."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from batchqc.records import pool
from batchqc.records.database import open_database
from batchqc.records.transaction import asking, reading

pytestmark = pytest.mark.only_on("postgresql", "SQLite is in the process: nothing goes away")


def ask(engine: Engine) -> object:
    with reading(engine) as session:
        return session.scalar(text("SELECT pg_backend_pid()"))


def end(engine: Engine, process: object) -> None:
    """End a process of the server, as a restart does, over a connection beside the pool."""
    beside = open_database(engine.url)
    with beside.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": process})
    beside.dispose()


def test_a_connection_that_was_just_used_is_not_asked_whether_it_answers(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    asked: list[object] = []
    monkeypatch.setattr(engine.dialect, "do_ping", asked.append)
    for nanoseconds, pings in ((10**11, 0), (0, 2)):
        monkeypatch.setattr(pool, "_FRESH", nanoseconds)
        for reads in (reading, asking):
            with reads(engine) as session:
                session.execute(text("SELECT 1"))
        assert len(asked) == pings


def test_a_connection_whose_server_went_away_is_opened_anew(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pool, "_FRESH", 0)
    first = ask(engine)
    assert ask(engine) == first
    end(engine, first)
    assert ask(engine) not in {None, first}


def test_one_that_went_away_at_that_moment_fails_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pool, "_FRESH", 10**11)
    first = ask(engine)
    end(engine, first)
    with pytest.raises(OperationalError):
        ask(engine)
    assert ask(engine) not in {None, first}
