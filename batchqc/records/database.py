"""Opening a database: SQLite in one file, or PostgreSQL.

SQLite: foreign keys, write-ahead log, every commit on disk, one writer at a time from the first
statement on (a deferred transaction fails when it turns into a writing one under load).

An error of the database tells the statement, never the values: those would stand in logs.
"""

import re
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError

from batchqc.core.components import DRIFT
from batchqc.errors import Conflict, InvalidInput, NotFound
from batchqc.records.guards import OF_QUEUE, OF_USES, guarded
from batchqc.records.owner import as_owner
from batchqc.records.pool import ask_before_use
from batchqc.records.schema import METADATA

_PRAGMAS: Final = (
    "PRAGMA foreign_keys=ON",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=15000",
    "PRAGMA recursive_triggers=ON",
)
_PREPARED: Final = 200
"""How many statements a connection to PostgreSQL keeps prepared, some 90 kB each."""
_REVISION: Final = re.compile(r'^revision\b.*= "(\w+)"', re.MULTILINE)
_BEFORE: Final = re.compile(r'^down_revision\b.*= "(\w+)"', re.MULTILINE)
_IS_OWNER: Final = """
SELECT pg_has_role(oid, (SELECT relowner FROM pg_class WHERE oid = to_regclass('audit_entry')),
'MEMBER') FROM pg_roles WHERE rolname = :role
"""
READ_ONLY: Final = "batchqc_read_only"
COMPONENT_KEY: Final = "batchqc_component_key"
CODE_DRIFT: Final = "batchqc_code_drift"


def address_of(text: str | URL) -> URL:
    """The address of a database of a kind that batchqc knows; it is not repeated where it is none.

    Raises:
        InvalidInput: BQC-SYS-034.
    """
    try:
        url = make_url(text)
        if url.get_backend_name() in {"sqlite", "postgresql"}:
            return url
    except (ArgumentError, ValueError):  # a port that is no number
        pass
    raise InvalidInput(
        "BQC-SYS-034",
        "the address of the database is none",
        hint="Write sqlite:///file or postgresql://user:password@host/database.",
    )


def password_of(url: URL) -> str:
    """The password of an address, wherever in it that stands; "" where there is none."""
    return str(url.password or url.query.get("password", ""))


def without_password(url: URL) -> str:
    """An address as PostgreSQL's programs read it, and as anybody may."""
    bare = url.set(drivername=url.get_backend_name(), password=None)
    return bare.difference_update_query(["password"]).render_as_string()


def open_database(
    address: str | URL, *, component_key: Path | None = None, code_drift: int = DRIFT
) -> Engine:
    """An engine for ``sqlite:///file`` or ``postgresql+psycopg://…``.

    An error of a statement does not tell the values that were sent with it.

    Args:
        address: of the database.
        component_key: the file of the key that opens the secrets of authenticators in it.
        code_drift: how many time steps before and after that of now have codes that count.

    Raises:
        InvalidInput: see ``address_of``.
    """
    url = address_of(address)
    options = {COMPONENT_KEY: component_key, CODE_DRIFT: code_drift}
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
        # Whatever the server is set to: who waited for a lock reads what its last holder wrote.
        engine = create_engine(
            url, execution_options=options, hide_parameters=True, isolation_level="READ COMMITTED"
        )
        event.listen(engine, "do_connect", _connect_postgresql)
        ask_before_use(engine)
        return engine
    engine = create_engine(url, execution_options=options, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def migrate(engine: Engine, migrations: Path) -> None:
    """Bring the database to the newest schema, in one transaction.

    Raises:
        Conflict: BQC-SYS-009 it is of a later version.
        NotPermitted: BQC-SYS-038 the role may not.
    """
    from alembic import command  # noqa: PLC0415 - only who migrates waits for it
    from alembic.config import Config  # noqa: PLC0415 - only who migrates pays for it

    config = Config()
    config.set_main_option("script_location", str(migrations))
    check_not_later(engine, migrations)
    with as_owner(engine), engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def newest_revision(migrations: Path) -> str:
    """The newest revision of the schema that this software knows; nothing is run to find it."""
    texts = [path.read_text(encoding="utf-8") for path in (migrations / "versions").glob("*.py")]
    after = {before for text in texts for before in _BEFORE.findall(text)}
    (newest,) = {one for text in texts for one in _REVISION.findall(text)} - after
    return str(newest)


def lacking_tables(engine: Engine) -> list[str]:
    """The tables of this version that a database does not have, in the order of their names."""
    return sorted((METADATA.tables.keys() | OF_USES) - set(inspect(engine).get_table_names()))


def lacking_columns(engine: Engine) -> list[str]:
    """The tables and columns of this version that a database does not have, by their names."""
    found = inspect(engine).get_multi_columns()
    there = {name: {one["name"] for one in columns} for (_, name), columns in found.items()}
    return sorted(
        f"{table.name}.{column.name}" if table.name in there else table.name
        for table in METADATA.tables.values()
        for column in (table.columns if table.name in there else list(table.columns)[:1])
        if column.name not in there.get(table.name, ())
    )


def revisions_in(migrations: Path) -> list[str]:
    """Every revision that this version knows, oldest first; their names sort."""
    files = (migrations / "versions").glob("[0-9]*.py")
    return sorted(one.name.partition("_")[0] for one in files)


def revision_of(engine: Engine) -> str:
    """The revision of the schema of a database; "" where none is to be read."""
    readable = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
    if engine.dialect.name == "postgresql":
        readable = (
            "SELECT count(*) FROM pg_class WHERE oid = to_regclass('alembic_version')"
            " AND has_table_privilege(oid, 'SELECT')"
        )
    with engine.execution_options(**{READ_ONLY: True}).connect() as connection:
        if not connection.scalar(text(readable)):
            return ""
        return connection.scalar(text("SELECT version_num FROM alembic_version")) or ""


def unknown_to(engine: Engine, migrations: Path) -> str:
    """What of the schema of a database is of a later version than this one; "" where nothing is.

    The runtime role of PostgreSQL does not read the revision: then columns tell, and tables of
    records, which alone have guards.
    """
    revision = revision_of(engine)
    if revision:
        return "" if revision in revisions_in(migrations) else f"revision {revision}"
    known = METADATA.tables
    found = {
        f"{table}.{one['name']}"
        for (_, table), columns in inspect(engine).get_multi_columns().items()
        for one in columns
        if table in known and one["name"] not in known[table].columns
    }
    with engine.execution_options(**{READ_ONLY: True}).connect() as connection:
        found |= guarded(connection) - known.keys()
    return ", ".join(sorted(found))


def check_schema(engine: Engine, migrations: Path) -> None:
    """Refuse a database that this version does not know how to work with.

    Raises:
        Conflict: BQC-SYS-009 it is of a later version; BQC-SYS-007 of an earlier one.
    """
    check_not_later(engine, migrations)
    if lacking := lacking_tables(engine):
        raise Conflict(
            "BQC-SYS-007",
            f"the database is of an earlier version of batchqc: it lacks {', '.join(lacking)}",
            hint="Stop the servers, `batchqc backup` by the earlier one, then `batchqc migrate`.",
        )


def check_not_later(engine: Engine, migrations: Path) -> None:
    """Refuse a database of a later version: what that wrote, this one would not see.

    Raises:
        Conflict: BQC-SYS-009.
    """
    if later := unknown_to(engine, migrations):
        raise Conflict(
            "BQC-SYS-009",
            f"the database is of a later version of batchqc: this one does not know {later}",
            hint="Install the version that migrated it, or a later one. Nothing was changed.",
        )


def grant_runtime(engine: Engine, role: str) -> None:
    """Give a role of PostgreSQL what the running system needs, and take everything else from it.

    It reads and appends. It changes, deletes and truncates no record, makes no table, not even a
    temporary one that would hide another, and neither reads nor writes the state of migrations.
    To be run as the owner of the database, after every migration.

    Raises:
        NotFound: BQC-SYS-036 there is no such role; SQLite has none.
        InvalidInput: BQC-SYS-037 it is the owner, or may all that the owner may.
        NotPermitted: BQC-SYS-038 who runs it may not.
    """
    _expect_role(engine, role)
    quote = engine.dialect.identifier_preparer.quote
    tables = ", ".join(quote(table) for table in METADATA.tables)
    queue = ", ".join(quote(table) for table in sorted(OF_QUEUE))
    uses = ", ".join(sorted(OF_USES))
    name, database = quote(role), quote(engine.url.database or "")
    with as_owner(engine), engine.begin() as connection:
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
            f"GRANT SELECT, INSERT, UPDATE ON {uses} TO {name}",
            f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}",
        ):
            connection.exec_driver_sql(statement)


def may_change_records(engine: Engine) -> bool:
    """Whether the role by which PostgreSQL is opened may do more than read and append records."""
    if engine.dialect.name != "postgresql":
        return False
    asked = text("SELECT has_table_privilege('audit_entry', 'UPDATE, DELETE, TRUNCATE')")
    with engine.execution_options(**{READ_ONLY: True}).connect() as connection:
        return bool(connection.scalar(asked))


def _expect_role(engine: Engine, role: str) -> None:
    is_owner = None
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            is_owner = connection.scalar(text(_IS_OWNER), {"role": role})
    if is_owner is None:
        raise NotFound(
            "BQC-SYS-036",
            f"the database has no role {role}: nobody was given a right",
            hint="Make it (CREATE ROLE … LOGIN), then `batchqc migrate --runtime-role ROLE`.",
        )
    if is_owner:  # what was taken from it, it would lack for backups and migrations
        raise InvalidInput(
            "BQC-SYS-037",
            f"the role {role} is that of the owner, or may all that the owner may",
            hint="Make one for the servers (CREATE ROLE … LOGIN). No right was given or taken.",
        )


def _connect_postgresql(_: object, __: object, given: list[Any], named: dict[str, Any]) -> Any:
    from batchqc.records.last_words import LastWords  # noqa: PLC0415 - SQLite needs no driver
    from batchqc.records.plain_cursor import PlainCursor  # noqa: PLC0415 - as above

    connection = LastWords.connect(*given, cursor_factory=PlainCursor, **named)
    connection.prepared_max = _PREPARED
    return connection


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
