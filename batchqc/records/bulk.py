"""Very many rows at once, by what the driver has for it: COPY on PostgreSQL, a prepared INSERT."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count, islice
from typing import Any

from sqlalchemy import Connection, Table, func, select, text

from batchqc.records.base import AUDITED

_IDS_AT_ONCE = 1000
_ROWS_AT_ONCE = 50


def insert_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[tuple[object, ...]]
) -> None:
    """Insert rows of values as they are stored. Called by a transaction only."""
    quote = connection.dialect.identifier_preparer.quote
    names = f"{quote(table.name)} ({', '.join(map(quote, columns))})"
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        with driver.cursor() as cursor, cursor.copy(f"COPY {names} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    one = f"({', '.join('?' * len(columns))})"
    for some in _batches(rows):
        statement = f"INSERT INTO {names} VALUES {', '.join([one] * len(some))}"  # noqa: S608 - names of our own tables
        driver.execute(statement, tuple(chain.from_iterable(some)))


def _batches(rows: Iterable[tuple[object, ...]]) -> Iterator[list[tuple[object, ...]]]:
    """Rows by the fifty: SQLite takes that many at once faster than one by one."""
    iterator = iter(rows)
    while some := list(islice(iterator, _ROWS_AT_ONCE)):
        yield some


def expect_many(connection: Connection) -> None:
    """Prepare for very many rows.

    Until the end of the transaction, a row may refer to one that comes after it. This connection
    to SQLite keeps 64 MiB of pages in memory from now on.
    """
    statements = ["PRAGMA defer_foreign_keys=ON", "PRAGMA cache_size=-65536"]
    if connection.dialect.name == "postgresql":
        statements = ["SET CONSTRAINTS ALL DEFERRED"]
    for statement in statements:  # these alone: options of a connection would last
        connection.exec_driver_sql(statement, execution_options=AUDITED)


def new_ids(connection: Connection, table: Table) -> Iterator[int]:
    """Ids for new rows of a table, as many as are asked for.

    PostgreSQL gives them from the sequence of the table. SQLite has one writer: they follow the
    largest there is.
    """
    if connection.dialect.name != "postgresql":
        largest = connection.execute(select(func.max(table.c.id))).scalar()
        yield from count((largest or 0) + 1)
    query = text(
        "SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :many)"
    )
    while True:
        given = connection.execute(query, {"table": table.name, "many": _IDS_AT_ONCE})
        yield from given.scalars().all()
