"""Opening a database: SQLite in one file, or PostgreSQL.

SQLite: foreign keys, write-ahead log, every commit on disk, one writer at a time from the first
statement on (a deferred transaction fails when it turns into a writing one under load).
"""

from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url

from batchqc.records.guards import OF_QUEUE
from batchqc.records.schema import METADATA

_PRAGMAS: Final = (
    "PRAGMA foreign_keys=ON",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=15000",
    "PRAGMA recursive_triggers=ON",
)
READ_ONLY: Final = "batchqc_read_only"
COMPONENT_KEY: Final = "batchqc_component_key"


def open_database(address: str | URL, *, component_key: Path | None = None) -> Engine:
    """An engine for ``sqlite:///file`` or ``postgresql+psycopg://…``.

    Args:
        address: of the database.
        component_key: the file of the key that opens the secrets of authenticators in it.
    """
    url = make_url(address)
    options = {COMPONENT_KEY: component_key}
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
        return create_engine(url, pool_pre_ping=True, execution_options=options)
    engine = create_engine(url, execution_options=options)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def migrate(engine: Engine, migrations: Path) -> None:
    """Bring the database to the newest schema, in one transaction."""
    from alembic import command  # noqa: PLC0415 - only who migrates waits for it
    from alembic.config import Config  # noqa: PLC0415 - only who migrates pays for it

    config = Config()
    config.set_main_option("script_location", str(migrations))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def lacking_tables(engine: Engine) -> list[str]:
    """The tables of this version that a database does not have, in the order of their names."""
    return sorted(METADATA.tables.keys() - set(inspect(engine).get_table_names()))


def grant_runtime(engine: Engine, role: str) -> None:
    """Give a role of PostgreSQL what the running system needs, and take everything else from it.

    It reads and appends. It changes, deletes and truncates no record, makes no table, not even a
    temporary one that would hide another, and neither reads nor writes the state of migrations.
    To be run as the owner of the database, after every migration.
    """
    quote = engine.dialect.identifier_preparer.quote
    tables = ", ".join(quote(table) for table in METADATA.tables)
    queue = ", ".join(quote(table) for table in sorted(OF_QUEUE))
    name, database = quote(role), quote(engine.url.database or "")
    with engine.begin() as connection:
        for statement in (
            f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}",
            f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {name}",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            f"REVOKE ALL ON SCHEMA public FROM {name}",
            f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
            f"REVOKE ALL ON DATABASE {database} FROM {name}",
            f"GRANT CONNECT ON DATABASE {database} TO {name}",
            f"GRANT USAGE ON SCHEMA public TO {name}",
            f"GRANT SELECT, INSERT ON {tables} TO {name}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {queue} TO {name}",
            f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}",
        ):
            connection.exec_driver_sql(statement)


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
