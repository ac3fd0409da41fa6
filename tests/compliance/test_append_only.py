"""Attacks on stored rows, table by table: each is refused, and nothing has changed.

The owner of the database may do everything but what the triggers refuse. The running system has
PostgreSQL's runtime role, which lacks the right to begin with; on SQLite it opens the same file.
"""

# ruff: noqa: S608 - statements are made of the names of our own tables: that is what is attacked

import dataclasses
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import Engine, Table, UniqueConstraint, create_engine, text
from sqlalchemy.exc import DatabaseError, ProgrammingError

from batchqc.actions.certificates import Press, issue_certificate
from batchqc.actions.dispositions import Decision
from batchqc.actions.people import change_password
from batchqc.core.permissions import Permission
from batchqc.errors import NotPermitted
from batchqc.records.base import Row
from batchqc.records.database import grant_runtime, may_change_records, migrate, open_database
from batchqc.records.guards import OF_QUEUE, OF_USES
from batchqc.records.owner import as_owner
from batchqc.settings import bundled
from tests.databases import RUNTIME_ROLE as ROLE
from tests.databases import as_role
from tests.records.house import ANA, PASSWORD, QA1, House

TABLES = [Row.metadata.tables[name] for name in sorted(Row.metadata.tables)]
Attack = Callable[[Table], list[str]]


def rest(table: Table) -> str:
    """Every column but the id."""
    return ", ".join(f'"{column.name}"' for column in table.columns if column.name != "id")


def payload(table: Table) -> tuple[str, str]:
    """A column, no key where there is another, and another value for it."""
    others = [column for column in table.columns if column.name != "id"]
    column = min(others, key=lambda one: bool(one.foreign_keys))
    return f'"{column.name}"', "77" if column.type.compile() == "INTEGER" else "'77'"


def keys(table: Table) -> list[str]:
    """Every key by which a row could replace another, but its id."""
    found = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
    names = [[column.name for column in one.columns] for one in found]
    names += [[column.name] for column in table.columns if column.unique]
    return [", ".join(f'"{name}"' for name in one) for one in names]


def update(table: Table) -> list[str]:
    column, value = payload(table)
    return [
        f"UPDATE {table.name} SET {column} = {value}",
        f"UPDATE {table.name} SET {column} = {column}",
        f"UPDATE {table.name} SET id = id + 1000",
    ]


def delete(table: Table) -> list[str]:
    return [
        f"DELETE FROM {table.name}",
        f"DELETE FROM {table.name} WHERE id = (SELECT max(id) FROM {table.name})",
        f"DELETE FROM {table.name} RETURNING id",
    ]


def upsert(table: Table) -> list[str]:
    column, value = payload(table)
    names = f"id, {rest(table)}"
    insert = f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {table.name} WHERE true"
    return [
        f"{insert} ON CONFLICT ({key}) DO UPDATE SET {column} = {value}"
        for key in ("id", *keys(table))
    ]


def replace(table: Table) -> list[str]:
    """Rows over themselves by id, as text and under its other names; and by every other key."""
    column, value = payload(table)
    others, of = rest(table), f"FROM {table.name}"
    into = f"INTO {table.name} (id, {others}) SELECT"
    by_key = [
        f"INSERT OR REPLACE INTO {table.name} ({others}) SELECT {others} {of}",
        f"INSERT OR REPLACE {into} id + 1000, {others} {of}",
        f"UPDATE OR REPLACE {table.name} SET id = id + 1000",
    ]
    return [
        f"INSERT OR REPLACE {into} id, {others.replace(column, value)} {of}",
        f"REPLACE {into} id, {others} {of}",
        f"REPLACE {into} CAST(id AS TEXT), {others} {of}",
        f"REPLACE {into} CAST(id AS REAL), {others} {of}",
        f"REPLACE INTO {table.name} (rowid, {others}) SELECT id, {others} {of}",
        f"REPLACE INTO {table.name} (_rowid_, {others}) SELECT id, {others} {of}",
        *(by_key if keys(table) else []),
    ]


def by_rowid(table: Table) -> list[str]:
    column, value = payload(table)
    return [
        f"UPDATE {table.name} SET {column} = {value} WHERE rowid = (SELECT min(id) FROM {table})",
        f"UPDATE {table.name} SET rowid = rowid + 1000",
        f"UPDATE OR REPLACE {table.name} SET oid = 1",
    ]


def truncate(table: Table) -> list[str]:
    return [
        f"TRUNCATE {table.name} CASCADE",
        f"TRUNCATE {', '.join(one.name for one in TABLES)} RESTART IDENTITY",
    ]


def merge(table: Table) -> list[str]:
    column, value = payload(table)
    into = f"MERGE INTO {table.name} t USING {table.name} s ON t.id = s.id WHEN MATCHED THEN"
    return [
        f"{into} UPDATE SET {column} = {value}",
        f"{into} DELETE",
        f"UPDATE {table.name} SET {column} = {value} WHERE ctid = (SELECT min(ctid) FROM {table})",
        f"WITH gone AS (DELETE FROM {table.name} RETURNING id) SELECT * FROM gone",
    ]


COMMON: Mapping[str, Attack] = {"update": update, "delete": delete, "upsert": upsert}
SQLITE: Mapping[str, Attack] = COMMON | {"replace": replace, "rowid": by_rowid}
POSTGRESQL: Mapping[str, Attack] = COMMON | {"truncate": truncate, "merge": merge}
OF_THE_SYSTEM = (
    "ALTER TABLE lot DISABLE TRIGGER ALL",
    "DROP TRIGGER lot_no_change ON lot",
    "CREATE OR REPLACE FUNCTION batchqc_refuse_change() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
    "DROP FUNCTION batchqc_refuse_change CASCADE",
    "ALTER TABLE lot ADD COLUMN note text",
    "DROP TABLE answer",
    "CREATE TABLE diary (id integer)",
    "CREATE TEMPORARY TABLE lot (id integer)",
    "CREATE TRIGGER other BEFORE INSERT ON lot EXECUTE FUNCTION batchqc_refuse_change()",
    "CREATE RULE other AS ON INSERT TO lot DO INSTEAD NOTHING",
    "SET session_replication_role = replica",
    "SELECT setval('lot_id_seq', 1)",
    "ALTER SEQUENCE lot_id_seq RESTART",
    "LOCK TABLE lot IN ACCESS EXCLUSIVE MODE",
    "SELECT * FROM lot FOR UPDATE",
    "UPDATE alembic_version SET version_num = '9999'",
    "INSERT INTO alembic_version VALUES ('9999')",
    "SELECT * FROM alembic_version",
    "SELECT rolpassword FROM pg_authid",
    "SET ROLE postgres",
    "CREATE ROLE another",
    "COPY (SELECT 1) TO PROGRAM 'true'",
)


def everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with engine.connect() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(text(f"SELECT * FROM {table.name} ORDER BY id"))
            ]
            for table in TABLES
        }


def not_refused(engine: Engine, statements: list[str], because: str) -> list[str]:
    """The statements that were not refused, or for another reason than ``because``."""
    found = []
    for statement in statements:
        with engine.connect() as connection:
            try:
                connection.exec_driver_sql(statement)
                connection.commit()
                found.append(statement)
            except DatabaseError as error:
                if because not in str(error.orig):
                    found.append(f"{statement}: {error.orig}")
    return found


@pytest.fixture
def plain(full_house: House) -> Iterator[Engine]:
    """The database as its owner opens it, without what batchqc tells SQLite on each connection."""
    url = full_house.engine.url
    if url.get_backend_name() == "postgresql":
        yield full_house.engine
        return
    engine = create_engine(url, creator=lambda: sqlite3.connect(str(url.database)))
    yield engine
    engine.dispose()


@pytest.fixture
def runtime(full_house: House) -> Iterator[Engine]:
    """The database as the running system opens it."""
    if full_house.engine.dialect.name == "sqlite":
        yield full_house.engine
        return
    grant_runtime(full_house.engine, ROLE)
    engine = as_role(full_house.engine, ROLE)
    yield engine
    engine.dispose()


def test_there_is_a_row_in_every_table_to_attack(full_house: House):
    assert {
        name: len(rows) for name, rows in everything(full_house.engine).items() if not rows
    } == {}


@pytest.mark.requirement("1.05", "3.13")
@pytest.mark.requirement("1.52")
def test_the_owner_changes_deletes_and_replaces_no_row_of_any_table(plain: Engine, database: str):
    before = everything(plain)
    attacks = SQLITE if database == "sqlite" else POSTGRESQL
    for attack in attacks.values():
        for table in TABLES:
            assert not_refused(plain, attack(table), "append-only") == []
    assert everything(plain) == before


@pytest.mark.requirement("1.05", "3.13", "10.02")
def test_the_running_system_changes_deletes_and_replaces_no_row_of_any_table(
    runtime: Engine, database: str, full_house: House
):
    before = everything(full_house.engine)
    attacks = SQLITE if database == "sqlite" else POSTGRESQL
    because = "append-only" if database == "sqlite" else "permission denied"
    for attack in attacks.values():
        for table in TABLES:
            assert not_refused(runtime, attack(table), because) == []
    assert everything(full_house.engine) == before


@pytest.mark.requirement("1.52")
@pytest.mark.only_on("postgresql", "SQLite knows no roles of replication")
def test_a_superuser_who_poses_as_replication_is_refused_too(full_house: House):
    engine = full_house.engine
    before = everything(engine)
    for table in TABLES:
        for statement in (*update(table), *delete(table), *truncate(table)):
            with engine.connect() as connection:
                connection.exec_driver_sql("SET session_replication_role = replica")
                with pytest.raises(DatabaseError, match="append-only"):
                    connection.exec_driver_sql(statement)
    assert everything(engine) == before


@pytest.mark.requirement("1.52")
@pytest.mark.only_on("postgresql", "SQLite knows no rights")
def test_the_running_system_cannot_touch_what_guards_the_tables(runtime: Engine, full_house: House):
    before = everything(full_house.engine)
    found = [
        one
        for one in not_refused(runtime, list(OF_THE_SYSTEM), "permission denied")
        if "must be owner" not in one and "must be able" not in one
    ]
    assert found == []
    assert everything(full_house.engine) == before


@pytest.mark.requirement("1.05")
@pytest.mark.only_on("postgresql", "SQLite knows no rights")
def test_the_running_system_holds_exactly_the_rights_to_read_and_to_append(
    runtime: Engine, full_house: House
):
    engine = full_house.engine
    query = text(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
        " WHERE grantee IN (:role, 'PUBLIC') AND table_schema = 'public'"
    )
    with engine.connect() as connection:
        held = {(table, right) for table, right in connection.execute(query, {"role": ROLE})}
        owned = connection.scalar(
            text("SELECT count(*) FROM pg_class WHERE relowner = CAST(:role AS regrole)"),
            {"role": ROLE},
        )
    queue = {(table, right) for table, right in held if table in OF_QUEUE}
    uses = {(table, right) for table, right in held if table in OF_USES}
    assert held - queue - uses == {
        (table.name, right) for table in TABLES for right in ("SELECT", "INSERT")
    }
    assert {right for _, right in queue} == {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert {right for _, right in uses} == {"SELECT", "INSERT", "UPDATE"}
    assert owned == 0


@pytest.mark.only_on("postgresql", "SQLite knows no rights")
def test_rights_that_somebody_gave_too_freely_are_taken_back(runtime: Engine, full_house: House):
    with full_house.engine.begin() as connection:
        connection.exec_driver_sql(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {ROLE}")
        connection.exec_driver_sql(f"GRANT ALL ON SCHEMA public TO {ROLE}")
    grant_runtime(full_house.engine, ROLE)
    refused = ["TRUNCATE lot CASCADE", "CREATE TABLE diary (id integer)"]
    assert not_refused(runtime, refused, "permission denied") == []


@pytest.mark.only_on("postgresql", "SQLite knows no rights")
def test_a_role_that_may_change_records_is_known_from_that_of_the_servers(
    runtime: Engine, full_house: House
):
    assert may_change_records(full_house.engine)
    assert not may_change_records(runtime)


@pytest.mark.only_on("postgresql", "SQLite has no roles")
def test_a_role_without_the_rights_of_the_owner_is_told_that_it_does_not_migrate(
    runtime: Engine, full_house: House
):
    def migrated() -> None:
        migrate(runtime, bundled("migrations"))

    for do in (migrated, lambda: grant_runtime(runtime, ROLE)):
        with pytest.raises(NotPermitted, match=rf"BQC-SYS-038: the role {ROLE} may not") as refused:
            do()
        assert "as the owner of the database" in refused.value.hint
    migrate(full_house.engine, bundled("migrations"))
    with (
        pytest.raises(ProgrammingError, match="no_such_table"),
        as_owner(runtime),
        runtime.connect() as connection,
    ):
        connection.exec_driver_sql("SELECT * FROM no_such_table")


@pytest.mark.requirement("1.05")
def test_the_running_system_does_its_work_with_those_rights(
    house: House, database: str, press: Press
):
    if database == "postgresql":
        grant_runtime(house.engine, ROLE)
        own = as_role(house.engine, ROLE)
    else:
        own = open_database(str(house.engine.url))
    try:
        work(dataclasses.replace(house, engine=own, prepared=None), press)
    finally:
        own.dispose()


def work(house: House, press: Press) -> None:
    """From a password to a certificate."""
    house.ready()
    decision = house.release()
    assert isinstance(decision, Decision)
    document = issue_certificate(
        house.engine,
        house.archive,
        press,
        number="COA-2026-000001",
        actor=house.actor(QA1, Permission.ISSUE_CERTIFICATE),
        clock=house.now,
    )
    assert document.startswith(b"%PDF")
    with house.alone(ANA) as tx:
        refusal = change_password(tx, user_id=ANA, old=PASSWORD, new="another horse 2")
        assert refusal is None
    assert house.verify().problems == ()
