"""What an owner of the database can do, in a transaction that is undone."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from batchqc.actions.verification import verify_audit_trail
from batchqc.documents.archive import Archive

_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{0}'",
    "postgresql": (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = '{0}'::regclass"
    ),
}
_AWAY = {
    "sqlite": 'DROP TRIGGER "{1}"',
    "postgresql": 'ALTER TABLE "{0}" DISABLE TRIGGER "{1}"',
}


@contextmanager
def undone(engine: Engine) -> Iterator[Connection]:
    """A connection of which nothing stays."""
    with engine.connect() as connection:
        change = connection.begin()
        try:
            yield connection
        finally:
            change.rollback()


def unguard(connection: Connection, table: str) -> None:
    """Take the guards of a table away."""
    kind = connection.dialect.name
    for name in list(connection.scalars(text(_TRIGGERS[kind].format(table)))):
        connection.exec_driver_sql(_AWAY[kind].format(table, name))


def problems_of(connection: Connection, archive: Archive) -> list[str]:
    """What the verification of the audit trail finds, as the database is within the transaction."""
    with Session(connection, join_transaction_mode="create_savepoint") as session:
        return list(verify_audit_trail(session, archive).problems)


def refusal_of(engine: Engine, statement: str) -> str:
    """What the database answers to a statement; "" where it takes it. Nothing stays of it."""
    with undone(engine) as connection:
        try:
            rows = connection.exec_driver_sql(statement).rowcount
        except DBAPIError as refusal:
            return str(refusal.orig).strip().splitlines()[0]
    return "" if rows else "there is no such row"
