"""Two people at once, in an order that is forced: the second comes while the first has acted.

The first stands before its commit until the second is done, or waits for a lock. Nothing sleeps.

With ``BATCHQC_WITHOUT_LOCKS=1`` in the environment the locks that a test names are not taken (on
SQLite: a transaction begins as a deferred one); each test must fail then.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from threading import get_ident
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from batchqc.core.signatures import Refusal
from batchqc.errors import BatchqcError
from batchqc.records import database, transaction, turns
from batchqc.records.base import Row
from batchqc.records.transaction import Transaction
from tests.records.house import Clock, House

WITHOUT_LOCKS = bool(os.environ.get("BATCHQC_WITHOUT_LOCKS"))
DONE = "done"
_LOOK_AGAIN = 0.005
_LONGEST = 30
_WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")

Work = Callable[[House], object]


def interleaved(house: House, first: Work, second: Work) -> tuple[str, str]:
    """What became of each: ``done``, or the code of its refusal.

    ``second`` begins when ``first`` has done everything but its commit.
    """
    own = get_ident()
    later: list[Future[str]] = []
    seal = Transaction.seal
    with (
        _watch(house.engine, own) as is_stuck,
        ThreadPoolExecutor(1) as pool,
        pytest.MonkeyPatch.context() as patch,
    ):

        def pause(tx: Transaction, rows: Iterable[Row]) -> None:
            if get_ident() == own and not later:
                other = replace(house, now=Clock(house.now.at + timedelta(minutes=1)))
                later.append(pool.submit(_attempt, other, second))
                until = monotonic() + _LONGEST
                while not wait_for(later, timeout=_LOOK_AGAIN).done and not is_stuck():
                    assert monotonic() < until, "the second neither ends nor waits"
            seal(tx, rows)

        patch.setattr(Transaction, "seal", pause)
        told = _attempt(house, first)
        assert later, f"the first did not come to its commit: {told}"
        return told, later[0].result()


@contextmanager
def taken_out(engine: Engine, *names: str) -> Iterator[None]:
    """Without the locks whose names begin so, where the environment asks for it."""
    if not WITHOUT_LOCKS:
        yield
    elif engine.dialect.name == "postgresql":
        lock = Transaction._lock

        def take(tx: Transaction, name: str, how: str) -> None:
            if not name.startswith(names):
                lock(tx, name, how)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Transaction, "_lock", take)
            yield
    else:
        event.remove(engine, "begin", database._begin_sqlite)
        event.listen(engine, "begin", _begin_deferred)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(transaction, "in_turn", nullcontext)
            yield


def _attempt(house: House, work: Work) -> str:
    try:
        found = work(house)
    except BatchqcError as refused:
        return refused.code
    return found.code if isinstance(found, Refusal) else DONE


@contextmanager
def _watch(engine: Engine, own: int) -> Iterator[Callable[[], bool]]:
    """Tells whether the other thread waits: for a lock, or to write where only one writes.

    To be left when the other thread has ended: it may be telling the listener something.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield lambda: bool(connection.scalar(_WAITING))
        return
    writes: list[str] = []

    def listen(*arguments: Any) -> None:
        if get_ident() != own and arguments[2].startswith(("BEGIN IMMEDIATE", "INSERT")):
            writes.append(arguments[2])

    event.listen(engine, "before_cursor_execute", listen)
    yield lambda: bool(writes) or len(turns._LINES.get(str(engine.url.database), ())) > 1
    event.remove(engine, "before_cursor_execute", listen)


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
