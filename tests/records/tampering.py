"""What an owner of a database can do: with the triggers out of the way, and back afterwards."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from batchqc.core.audit import Entry, Link
from batchqc.records.base import Row
from batchqc.records.chain import write_entries
from tests.databases import unguarded_in
from tests.records.house import ANA, House

CONTENT = Row.metadata.tables


# Hundreds of triggers, one by one, would take as long as the test of what they kept out.
_WRITABLE, _READ_ANEW = "PRAGMA writable_schema=ON", "PRAGMA writable_schema=RESET"
_AWAY = (
    _WRITABLE,
    "CREATE TEMP TABLE away AS SELECT * FROM sqlite_master WHERE type = 'trigger'",
    "DELETE FROM sqlite_master WHERE type = 'trigger'",
    _READ_ANEW,
)
_BACK = (_WRITABLE, "INSERT INTO sqlite_master SELECT * FROM away", _READ_ANEW)


def _altered(*changes: str) -> str:
    """One statement that alters every table of PostgreSQL."""
    every = (f"ALTER TABLE {t} {one.format(t)};" for t in CONTENT for one in changes)
    return f"DO $$ BEGIN {' '.join(every)} END $$"


_DISABLED = _altered("DISABLE TRIGGER ALL")
_ENABLED = _altered(
    "ENABLE TRIGGER ALL",
    "ENABLE ALWAYS TRIGGER {}_no_change",
    "ENABLE ALWAYS TRIGGER {}_no_truncate",
)


@contextmanager
def tampering(engine: Engine) -> Iterator[Connection]:
    """A connection of the owner with every trigger out of the way, and back afterwards."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.exec_driver_sql(_DISABLED)
            yield connection
            connection.exec_driver_sql(_ENABLED)
        return
    path = str(engine.url.database)
    own = create_engine(engine.url, creator=lambda: sqlite3.connect(path), poolclass=NullPool)
    own.dialect, own._compiled_cache = engine.dialect, engine._compiled_cache
    with own.begin() as connection:
        for statement in _AWAY:
            connection.exec_driver_sql(statement)
        yield connection
        for statement in _BACK:
            connection.exec_driver_sql(statement)


def tamper(engine: Engine, *statements: str) -> None:
    """Run statements that each change something."""
    with tampering(engine) as connection:
        for statement in statements:
            assert connection.exec_driver_sql(statement).rowcount > 0, statement
    assert unguarded_in(engine) == []


def columns_of(link: Link) -> dict[str, object]:
    return {
        name: getattr(link, name) for name in ("sequence", "entry_sha256", "previous", "sha256")
    }


def append(house: House, records: Mapping[str, str]) -> None:
    """Add an entry and its link, right in themselves, as a running system in wrong hands can."""
    entry = Entry(ANA, "analyst", house.now(), 0, "noted", "", tuple(records), {}, {}, records)
    with Session(house.engine) as session:
        write_entries(session, [entry])
        session.commit()
