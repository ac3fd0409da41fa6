"""What an owner of a database can do: with the triggers out of the way, and back afterwards."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from batchqc.core.audit import Entry, Link
from batchqc.records.audit import write_entries
from batchqc.records.base import Row
from tests.databases import unguarded_in
from tests.records.house import ANA, House

CONTENT = Row.metadata.tables


@contextmanager
def tampering(engine: Engine) -> Iterator[Connection]:
    """A connection of the owner with every trigger out of the way, and back afterwards."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            for table in CONTENT:
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            yield connection
            for table in CONTENT:
                connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
                for name in (f"{table}_no_change", f"{table}_no_truncate"):
                    connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
        return
    path = str(engine.url.database)
    own = create_engine(engine.url, creator=lambda: sqlite3.connect(path), poolclass=NullPool)
    with own.begin() as connection:
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        triggers = connection.exec_driver_sql(query).all()
        for name, _ in triggers:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        yield connection
        for _, statement in triggers:
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
