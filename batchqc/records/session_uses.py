"""When each session was last used, as every server of the installation knows.

It is no record: a row is changed in place, told by no entry of the audit trail, and only says
whether somebody still works in a session. Who is told of a use waits for nobody: where the database
is busy, or takes nothing, the use is not kept, and what was asked for goes on.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Engine, MetaData, Table, Text, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from batchqc.records.base import Instant

SESSION_USE: Final = Table(
    "session_use",
    MetaData(),
    Column("token_sha256", Text, primary_key=True),
    Column("used_at", Instant, nullable=False),
    Column("used_from", Text, nullable=False),
)
_COLUMNS: Final = SESSION_USE.c
_PATIENCE: Final = 50  # milliseconds for a lock of somebody else


def uses_of(session: Session, tokens: Sequence[str]) -> dict[str, tuple[datetime, str]]:
    """When and from where sessions were last used, by the hashes of their tokens."""
    query = select(SESSION_USE).where(_COLUMNS.token_sha256.in_(tokens))
    return {token: (at, client) for token, at, client in session.execute(query)}


def keep_use(engine: Engine, token_sha256: str, *, at: datetime, client: str) -> bool:
    """Say that a session was used; whether that was kept."""
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    row = {"token_sha256": token_sha256, "used_at": at, "used_from": client}
    added = insert(SESSION_USE).values(row)
    said = added.on_conflict_do_update(
        index_elements=[_COLUMNS.token_sha256],
        set_={"used_at": added.excluded.used_at, "used_from": added.excluded.used_from},
        where=_COLUMNS.used_at < added.excluded.used_at,
    )
    try:
        with engine.connect() as connection, _impatient(connection):
            connection.execute(said)
            connection.commit()
    except SQLAlchemyError:
        return False
    return True


@contextmanager
def _impatient(connection: Connection) -> Iterator[None]:
    """Wait for no lock, and on PostgreSQL for no disk and no standby: the next use comes soon."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_PATIENCE}")
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
        yield
        return
    driver: Any = connection.connection.driver_connection
    (usual,) = driver.execute("PRAGMA busy_timeout").fetchone()
    driver.execute(f"PRAGMA busy_timeout={_PATIENCE}")
    try:
        yield
    finally:
        driver.execute(f"PRAGMA busy_timeout={usual}")
