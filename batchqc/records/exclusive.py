"""That one process at a time does something, without a transaction held meanwhile.

The lock is let go when the process ends, however it ends: a lock of the session on PostgreSQL, on
SQLite one of a file beside the database.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, text

_TAKE: Final = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_LEAVE: Final = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")


@contextmanager
def only_one(engine: Engine, name: str) -> Iterator[bool]:
    """Whether nobody else does ``name`` during the block; nothing waits."""
    alone = _on_postgresql if engine.dialect.name == "postgresql" else _on_sqlite
    with alone(engine, name) as is_mine:
        yield is_mine


@contextmanager
def _on_postgresql(engine: Engine, name: str) -> Iterator[bool]:
    options = {"isolation_level": "AUTOCOMMIT"}
    with engine.connect().execution_options(**options) as connection:
        is_mine = bool(connection.scalar(_TAKE, {"name": name}))
        try:
            yield is_mine
        finally:
            if is_mine:
                connection.execute(_LEAVE, {"name": name})


@contextmanager
def _on_sqlite(engine: Engine, name: str) -> Iterator[bool]:
    with Path(f"{engine.url.database}.{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
