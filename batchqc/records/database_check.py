"""Whether the database itself is sound: its pages, its indexes, and what rows refer to.

And whether it waits for its disk before it says that something is recorded.

SQLite examines its whole file. PostgreSQL examines with ``amcheck`` where that is installed and
may be used, and counts the pages whose checksum failed when they were read.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, Engine, exc, func, select, text

from batchqc.core.soundness import Finding, Grade
from batchqc.records.database import READ_ONLY, open_database
from batchqc.records.schema import METADATA

_RESTORE: Final = (
    "Stop the servers. Keep the database as it is, and restore a backup: `batchqc restore`."
)
_AMCHECK: Final = """
SELECT amname, pg_class.oid, relname FROM pg_class JOIN pg_am ON pg_am.oid = relam
JOIN pg_namespace ON pg_namespace.oid = relnamespace
LEFT JOIN pg_index ON indexrelid = pg_class.oid
WHERE nspname = 'public'
AND ((amname = 'btree' AND indisvalid) OR (amname = 'heap' AND relkind = 'r'))
ORDER BY relname
"""
_EXAMINE: Final = {
    "btree": "SELECT bt_index_check(CAST(:oid AS regclass))",
    "heap": "SELECT msg FROM verify_heapam(CAST(:oid AS regclass))",
}
_MAY: Final = """
SELECT bool_and(has_function_privilege(pg_proc.oid, 'EXECUTE')) FROM pg_proc
WHERE proname IN ('bt_index_check', 'verify_heapam')
"""
_OFF: Final = """
SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE tgisinternal AND tgenabled <> 'O' AND nspname = 'public' GROUP BY relname ORDER BY relname
"""

_HASTY: Final = """
SELECT name || ' = ' || setting FROM pg_settings
WHERE (name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off')
OR (name = 'synchronous_commit' AND setting = 'local'
    AND current_setting('synchronous_standby_names') <> '')
ORDER BY name
"""
_FULL: Final = 2  # PRAGMA synchronous


def hasty_settings(engine: Engine) -> list[str]:
    """By which settings a commit is answered before it is on disk, as ``fsync = off``.

    On PostgreSQL they are those of the server, the database or the role; the standby, where there
    is one, counts as a disk. On SQLite batchqc itself tells each connection to wait.
    """
    if engine.dialect.name == "postgresql":
        return _set_for_who_comes(engine)
    with engine.execution_options(**{READ_ONLY: True}).connect() as connection:
        told = connection.scalar(text("SELECT synchronous FROM pragma_synchronous"))
        return [] if told >= _FULL else [f"synchronous = {told}"]


def _set_for_who_comes(engine: Engine) -> list[str]:
    """By a connection of its own: those of before keep what the role and the database set then."""
    own = open_database(engine.url)
    try:
        with own.connect() as connection:
            return list(connection.scalars(text(_HASTY)))
    finally:
        own.dispose()


def database_findings(engine: Engine) -> Iterator[Finding]:
    """What is wrong with the database, whatever its rows say."""
    with engine.execution_options(**{READ_ONLY: True}).connect() as connection:
        if connection.dialect.name == "postgresql":
            yield from _of_postgresql(connection)
        else:
            for (problem,) in connection.execute(text("SELECT * FROM pragma_integrity_check")):
                if problem != "ok":
                    yield Finding(str(problem), "the file of the database", Grade.LOSS, _RESTORE)
        yield from _references(connection)


def _of_postgresql(connection: Connection) -> Iterator[Finding]:
    where = "the database"
    if connection.scalar(text("SELECT current_setting('data_checksums')")) != "on":
        yield Finding(
            "the server keeps no checksums of its pages: what a disk changes is found late",
            where, Grade.HARMLESS, "Stop the server, and run `pg_checksums --enable` once.",
        )  # fmt: skip
    failed = connection.scalar(
        text("SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()")
    )
    if failed:
        yield Finding(f"{failed} pages had another checksum", where, Grade.LOSS, _RESTORE)
    for (table,) in connection.execute(text(_OFF)):
        yield Finding(
            "the triggers that check what rows refer to do not fire", f"table {table}", Grade.MEND,
            f"As the owner of the database: ALTER TABLE {table} ENABLE TRIGGER ALL, and then"
            " ENABLE ALWAYS for those that keep it append-only.",
        )  # fmt: skip
    if not connection.scalar(text(_MAY)):
        yield Finding(
            "tables and indexes were not examined: amcheck is not there for this role",
            where, Grade.HARMLESS,
            "As the owner of the server: CREATE EXTENSION amcheck; or run doctor as one who may.",
        )  # fmt: skip
        return
    for kind, oid, name in connection.execute(text(_AMCHECK)).all():
        yield from _examined(connection, kind, oid, name)


def _examined(connection: Connection, kind: str, oid: int, name: str) -> Iterator[Finding]:
    try:
        with connection.begin_nested():
            found = connection.execute(text(_EXAMINE[kind]), {"oid": oid}).scalars().all()
    except exc.DBAPIError as problem:
        found = [str(problem.orig).splitlines()[0]]
    for said in found:
        if said:
            yield Finding(str(said), f"{kind} {name}", Grade.LOSS, _RESTORE)


def _references(connection: Connection) -> Iterator[Finding]:
    """Rows that refer to what is not there."""
    for table in METADATA.sorted_tables:
        for key in sorted(table.foreign_keys, key=lambda one: one.parent.name):
            target = key.column.table.alias()
            there = select(target.c[key.column.name]).where(target.c[key.column.name] == key.parent)
            lost = select(func.count()).where(key.parent.is_not(None), ~there.exists())
            if count := connection.scalar(lost.select_from(table)):
                yield Finding(
                    f"{count} rows refer to a {key.column.table.name} that is not there",
                    f"table {table.name}", Grade.LOSS, _RESTORE,
                )  # fmt: skip
