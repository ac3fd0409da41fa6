"""Turns at the one writer of SQLite: who came first writes first, and readers wait for nobody."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import sleep

import pytest
from sqlalchemy import Engine, text

from batchqc.records import turns
from batchqc.records.transaction import SYSTEM, asking, transaction
from batchqc.records.turns import in_turn
from tests.cast import NOW

pytestmark = pytest.mark.only_on("sqlite", "PostgreSQL has many writers")
MORE_THAN_CONNECTIONS = 20


@contextmanager
def in_line(engine: Engine, works: list[str]) -> Iterator[list[str]]:
    """What was done, by threads that came one after another while somebody wrote."""
    done: list[str] = []

    def write(what: str) -> None:
        with transaction(engine, SYSTEM, NOW) as tx:
            tx.audit(what)
            tx.session.execute(text("SELECT 1"))  # it has begun
            done.append(what)

    with ThreadPoolExecutor(len(works)) as pool, transaction(engine, SYSTEM, NOW) as tx:
        tx.session.execute(text("SELECT 1"))
        for place, one in enumerate(works, start=2):
            pool.submit(write, one)
            while len(turns._LINES[str(engine.url.database)]) < place:
                sleep(0.001)
        yield done
        assert done == []
    assert turns._LINES == {}


def test_who_came_first_writes_first(engine: Engine):
    with in_line(engine, list("abcdefgh")) as done:
        pass
    assert done == list("abcdefgh")


def test_who_waits_for_the_writer_keeps_no_reader_from_a_connection(engine: Engine):
    with in_line(engine, ["writes"] * MORE_THAN_CONNECTIONS), asking(engine) as session:
        assert session.scalar(text("SELECT count(*) FROM audit_entry")) == 0


def test_who_fails_leaves_the_line(engine: Engine):
    with pytest.raises(ZeroDivisionError), transaction(engine, SYSTEM, NOW):
        _ = 1 / 0
    assert turns._LINES == {}


def test_who_has_waited_for_too_long_asks_sqlite(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(turns, "_LONGEST", 0.01)
    with in_turn(engine):
        with transaction(engine, SYSTEM, NOW) as tx:
            tx.audit("written beside who stands first and does not write")
        assert len(turns._LINES) == 1


def test_who_is_interrupted_while_waiting_leaves_the_line(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    def interrupted(_: Event, __: float) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(Event, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt), in_turn(engine):
        pass
    assert turns._LINES == {}
