"""Migrations: from nothing to exactly what the code expects, whole or not at all, and guarded."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from batchqc.errors import InvalidInput, NotFound
from batchqc.records.base import Row
from batchqc.records.database import grant_runtime, migrate
from batchqc.records.guards import NOT_A_RECORD, OF_QUEUE, OF_SEARCH, OF_USES
from batchqc.records.schema import METADATA, OTHERS, WITNESSED
from batchqc.records.session_uses import SESSION_USE
from batchqc.settings import bundled
from tests.databases import Databases, tables_of, unguarded_in

TABLES = set(METADATA.tables)
BY_ID = {"ix_audit_entry_what_id", "ix_audit_entry_who_id"}  # SQLite has the id in every index
FAILING = '''
"""Begins, and fails."""
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = "{head}"
def upgrade() -> None:
    op.create_table("half", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO half VALUES (1)")
    raise RuntimeError("the power went")
'''


@pytest.fixture
def blank(database: str, databases: Databases) -> Iterator[Engine]:
    """A database without tables."""
    with databases.new(database) as engine:
        yield engine


def version_of(engine: Engine) -> str:
    with engine.connect() as connection:
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def test_migrations_lead_from_nothing_to_exactly_the_models(blank: Engine):
    migrate(blank, bundled("migrations"))
    with blank.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, METADATA)
    if blank.dialect.name == "sqlite":  # defers every reference by a pragma, whatever it declares
        found = [one for one in found if one[0] not in {"remove_fk", "add_fk"} or not _defers(one)]
        found = [one for one in found if one[0] != "add_index" or one[1].name not in BY_ID]
    beside = {one[1].name for one in found if one[0] in {"remove_table", "remove_index"}}
    assert beside >= OF_USES
    of_search = beside - OF_USES
    if blank.dialect.name == "sqlite":
        assert of_search == OF_SEARCH
    else:
        of_queue = {one for one in of_search if "procrastinate" in one}
        assert of_queue >= OF_QUEUE
        assert of_search - of_queue == {"ix_certificate_text_words"}
    assert [one for one in found if one[0] not in {"remove_table", "remove_index"}] == []


def _defers(difference: Any) -> bool:
    """Whether it is the one reference that PostgreSQL has to be told may be deferred."""
    constraint = difference[1]
    return (constraint.table.name, constraint.column_keys) == ("measurement", ["assay_run_id"])


def test_the_table_of_uses_is_exactly_as_the_code_expects_it(blank: Engine):
    migrate(blank, bundled("migrations"))
    with blank.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _: kind != "table" or name in OF_USES,
            },
        )
        assert compare_metadata(context, SESSION_USE.metadata) == []


def test_migrating_again_changes_nothing(engine: Engine):
    before = (tables_of(engine), version_of(engine))
    migrate(engine, bundled("migrations"))
    assert (tables_of(engine), version_of(engine)) == before


def test_a_migration_that_fails_leaves_nothing_of_itself(engine: Engine, tmp_path: Path):
    before = (tables_of(engine), version_of(engine))
    folder = tmp_path / "migrations"
    shutil.copytree(bundled("migrations"), folder)
    (folder / "versions" / "9999_fails.py").write_text(FAILING.format(head=before[1]))
    with pytest.raises(RuntimeError, match="the power went"):
        migrate(engine, folder)
    assert (tables_of(engine), version_of(engine)) == before


def test_a_first_migration_that_fails_leaves_an_empty_database(blank: Engine, tmp_path: Path):
    folder = tmp_path / "migrations"
    shutil.copytree(bundled("migrations"), folder)
    head = max(path.name[:4] for path in (folder / "versions").glob("0*.py"))
    (folder / "versions" / "9999_fails.py").write_text(FAILING.format(head=head))
    with pytest.raises(RuntimeError, match="the power went"):
        migrate(blank, folder)
    assert tables_of(blank) <= {NOT_A_RECORD}


@pytest.mark.requirement("1.05")
def test_every_table_is_append_only_at_the_newest_schema(engine: Engine):
    assert tables_of(engine) - {NOT_A_RECORD, *OF_SEARCH, *OF_QUEUE, *OF_USES} == TABLES
    assert unguarded_in(engine) == []


def test_a_new_table_without_guards_is_noticed(engine: Engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE diary (id INTEGER PRIMARY KEY)"))
    assert unguarded_in(engine) == ["diary"]


@pytest.mark.only_on("postgresql", "SQLite's triggers cannot be switched off, only dropped")
@pytest.mark.parametrize("how", ["DISABLE TRIGGER", "ENABLE TRIGGER", "ENABLE REPLICA TRIGGER"])
def test_a_guard_that_does_not_always_fire_is_noticed(engine: Engine, how: str):
    with engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE lot {how} lot_no_change"))
    assert unguarded_in(engine) == ["lot"]


HOLLOW = {
    "sqlite": [
        (
            "CREATE TRIGGER lot_no_update BEFORE UPDATE ON lot WHEN 0 BEGIN"
            " SELECT RAISE(ABORT, 'lot is append-only: this is refused'); END"
        ),
        "CREATE TRIGGER lot_no_update BEFORE UPDATE ON lot BEGIN SELECT 1; END",
        (
            "CREATE TRIGGER lot_no_update BEFORE UPDATE OF folded ON lot BEGIN"
            " SELECT RAISE(ABORT, 'lot is append-only: this is refused'); END"
        ),
    ],
    "postgresql": [
        (
            "CREATE TRIGGER lot_no_change BEFORE UPDATE OR DELETE ON lot FOR EACH ROW WHEN (false)"
            " EXECUTE FUNCTION batchqc_refuse_change()"
        ),
        (
            "CREATE TRIGGER lot_no_change BEFORE DELETE ON lot FOR EACH ROW"
            " EXECUTE FUNCTION batchqc_refuse_change()"
        ),
        (
            "CREATE TRIGGER lot_no_change BEFORE UPDATE OR DELETE ON lot FOR EACH ROW"
            " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
        ),
    ],
}


@pytest.mark.requirement("1.05")
@pytest.mark.parametrize("place", range(3))
def test_a_guard_that_only_bears_the_name_is_noticed(engine: Engine, place: int):
    own = HOLLOW[engine.dialect.name][place]
    name, on = own.split()[2], " ON lot" if engine.dialect.name == "postgresql" else ""
    with engine.begin() as connection:
        connection.execute(text(f"DROP TRIGGER {name}{on}"))
        connection.execute(text(own))
        if on:
            connection.execute(text(f"ALTER TABLE lot ENABLE ALWAYS TRIGGER {name}"))
    assert unguarded_in(engine) == ["lot"]


@pytest.mark.requirement("1.05")
@pytest.mark.only_on("sqlite", "PostgreSQL's INSERT never replaces")
@pytest.mark.parametrize(
    "keys",
    [
        '("id" = NEW."id") OR ("folded" = NEW."folded")) AND 0',
        '("id" = NEW."id") OR ("folded" = NEW."folded") AND 0)',
        '("id" = NEW."id") OR ("folded" = NEW."lot"))',
        '("id" = NEW."id"))',
    ],
)
def test_a_guard_that_lets_some_rows_be_replaced_is_noticed(engine: Engine, keys: str):
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER lot_no_replace"))
        connection.exec_driver_sql(
            "CREATE TRIGGER lot_no_replace BEFORE INSERT ON lot WHEN EXISTS (SELECT 1 FROM lot"
            " WHERE [] BEGIN SELECT RAISE(ABORT, 'lot is append-only: this is refused');"
            " END".replace("[]", keys)
        )
    assert unguarded_in(engine) == ["lot"]


@pytest.mark.only_on("sqlite", "PostgreSQL's INSERT never replaces")
def test_a_further_key_that_no_guard_looks_at_is_noticed(engine: Engine):
    """Of two rows that are alike in it, a newer one would replace the older one."""
    with engine.begin() as connection:
        connection.execute(text("CREATE UNIQUE INDEX of_mine ON lot (lot)"))
    assert unguarded_in(engine) == ["lot"]


@pytest.mark.requirement("1.05")
@pytest.mark.only_on("postgresql", "a file of SQLite has one table of a name")
def test_guards_of_a_table_of_the_same_name_elsewhere_guard_nothing(engine: Engine):
    guard = "CREATE TRIGGER lot_no_change BEFORE UPDATE OR DELETE ON aside.lot FOR EACH ROW"
    with engine.begin() as connection:
        for statement in (
            "DROP TRIGGER lot_no_change ON lot",
            "CREATE SCHEMA aside",
            "CREATE TABLE aside.lot (id INTEGER)",
            f"{guard} EXECUTE FUNCTION batchqc_refuse_change()",
            "ALTER TABLE aside.lot ENABLE ALWAYS TRIGGER lot_no_change",
        ):
            connection.execute(text(statement))
    assert unguarded_in(engine) == ["lot"]


@pytest.mark.only_on("postgresql", "each trigger of SQLite refuses by itself")
def test_guards_whose_function_lets_everything_pass_are_noticed(engine: Engine):
    function = "CREATE OR REPLACE FUNCTION batchqc_refuse_change() RETURNS trigger"
    with engine.begin() as connection:
        connection.execute(text(f"{function} LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"))
    assert len(unguarded_in(engine)) == len(TABLES)


@pytest.mark.only_on("sqlite", "PostgreSQL's INSERT never replaces")
def test_the_guard_against_replacing_looks_at_every_key_by_which_a_row_is_replaced(engine: Engine):
    inspector = inspect(engine)
    with engine.connect() as connection:
        query = "SELECT tbl_name, sql FROM sqlite_master WHERE name LIKE '%_no_replace'"
        bodies = {table: body for table, body in connection.execute(text(query))}  # noqa: C416
    for table in TABLES:
        keys = [["id"], *(one["column_names"] for one in inspector.get_unique_constraints(table))]
        keys += [one["column_names"] for one in inspector.get_indexes(table) if one["unique"]]
        for key in keys:
            alike = "(" + " AND ".join(f'"{column}" = NEW."{column}"' for column in key) + ")"
            assert alike in bodies[table], (table, key)


def test_every_row_is_either_witnessed_one_by_one_or_named_as_an_exception():
    mapped = {mapper.class_ for mapper in Row.registry.mappers}
    assert {*WITNESSED, *OTHERS} == mapped
    assert not set(WITNESSED) & set(OTHERS)


def test_no_column_hides_what_every_row_has():
    own = {name for name in vars(Row) if not name.startswith("_")} - {"id"}
    for mapper in Row.registry.mappers:
        assert not own & set(mapper.columns.keys()), mapper.class_


def test_a_role_that_is_not_there_is_named(engine: Engine):
    with pytest.raises(NotFound, match="has no role nobody_of_this_name"):
        grant_runtime(engine, "nobody_of_this_name")


@pytest.mark.requirement("1.52")
@pytest.mark.only_on("postgresql", "SQLite has no roles")
@pytest.mark.parametrize("who", ["owner", "member", "superuser"])
def test_the_owner_is_no_role_of_the_servers_and_keeps_its_rights(engine: Engine, who: str):
    """What was taken from it, it lacked for every backup and migration that followed."""
    role = f"too_much_{who}"
    mine = {"owner": f"REASSIGN OWNED BY lesser TO {role}", "member": f"GRANT lesser TO {role}"}
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE ROLE lesser")
        more = "SUPERUSER" if who == "superuser" else ""
        connection.exec_driver_sql(f"CREATE ROLE {role} {more}")
        for table in inspect(engine).get_table_names():
            connection.exec_driver_sql(f"ALTER TABLE {table} OWNER TO lesser")
        if who in mine:
            connection.exec_driver_sql(mine[who])
    may = text("SELECT has_table_privilege(:role, 'alembic_version', 'UPDATE')")
    try:
        with pytest.raises(InvalidInput, match="BQC-SYS-037"):
            grant_runtime(engine, role)
        with engine.connect() as connection:
            assert connection.scalar(may, {"role": role})
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"REASSIGN OWNED BY lesser, {role} TO CURRENT_USER")
            connection.exec_driver_sql(f"DROP ROLE lesser, {role}")
