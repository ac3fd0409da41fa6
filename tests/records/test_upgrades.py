"""From every earlier schema, with all rows that it can hold, to the newest; never the other way."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, MetaData, Table, select, text
from sqlalchemy.exc import NoSuchTableError

from batchqc.errors import Conflict
from batchqc.records.database import check_schema, migrate, open_database, revisions_in, unknown_to
from batchqc.records.schema import METADATA
from batchqc.settings import bundled
from tests.databases import RUNTIME_ROLE, Databases, as_role, unguarded_in
from tests.records.house import House
from tests.records.tampering import tampering

MIGRATIONS = bundled("migrations")
REVISIONS = revisions_in(MIGRATIONS)
#: What takes away or narrows: a version of before that still runs would miss it, or be refused.
NARROWING = {
    "drop_table", "drop_column", "drop_constraint", "drop_index", "rename_table", "alter_column",
    "batch_alter_table",
}  # fmt: skip
Rows = dict[str, set[tuple[object, ...]]]


def upgrade(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def tables_in(engine: Engine) -> Iterator[Table]:
    """The tables of today that a database has, as it has them, before who refers to them."""
    found = MetaData()
    for table in METADATA.sorted_tables:
        try:
            yield Table(table.name, found, autoload_with=engine, resolve_fks=False)
        except NoSuchTableError:
            continue


def fill(old: Engine, newest: Engine) -> Rows:
    """Copy every row that the earlier schema can hold; all that was copied."""
    copied: Rows = {}
    tables = list(tables_in(old))
    with newest.connect() as source, old.begin() as to:
        to.execute(text("PRAGMA defer_foreign_keys=ON" if old.dialect.name == "sqlite" else
                        "SET CONSTRAINTS ALL DEFERRED"))  # fmt: skip
        for table in tables:
            names = [one.name for one in table.columns]
            raw = select(*(text(f'"{name}"') for name in names)).select_from(text(table.name))
            rows = [tuple(row) for row in source.execute(raw)]
            if rows:
                to.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in rows])
            copied[table.name] = set(rows)
    return copied


def rows_of(engine: Engine, like: Rows, columns: dict[str, list[str]]) -> Rows:
    with engine.connect() as connection:
        return {
            table: {
                tuple(row)
                for row in connection.execute(
                    select(*(text(f'"{name}"') for name in columns[table])).select_from(text(table))
                )
            }
            for table in like
        }


@pytest.mark.long
@pytest.mark.requirement("1.32")
@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_every_step_carries_all_rows_over(
    full_house: House, database: str, databases: Databases, revision: str
):
    with databases.new(database) as old:
        upgrade(old, revision)
        before = fill(old, full_house.engine)
        columns = {one.name: [column.name for column in one.columns] for one in tables_in(old)}
        assert sum(map(len, before.values())) > 100
        migrate(old, MIGRATIONS)
        assert rows_of(old, before, columns) == before
        assert unguarded_in(old) == []
        check_schema(old, MIGRATIONS)


@pytest.mark.requirement("1.32")
def test_a_database_of_a_later_version_is_refused_and_stays_as_it_is(engine: Engine):
    check_schema(engine, MIGRATIONS)
    with tampering(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for refused in (check_schema, migrate):
        with pytest.raises(Conflict, match="BQC-SYS-009") as later:
            refused(engine, MIGRATIONS)
        assert "revision 9999" in later.value.message


@pytest.mark.only_on("postgresql", "SQLite has no roles: whoever reads, reads the revision")
def test_who_may_not_read_the_revision_knows_a_later_version_by_what_it_added(engine: Engine):
    with engine.begin() as connection:
        connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {RUNTIME_ROLE}"))
    other = as_role(engine, RUNTIME_ROLE)
    try:
        assert unknown_to(other, MIGRATIONS) == ""
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE lot ADD COLUMN colour TEXT"))
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        assert unknown_to(other, MIGRATIONS) == "lot.colour"
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE lot DROP COLUMN colour"))
            connection.execute(text("CREATE TABLE of_the_site (id INTEGER)"))
            connection.execute(text("CREATE TABLE shade (id INTEGER PRIMARY KEY)"))
            connection.execute(text(
                "CREATE TRIGGER shade_no_change BEFORE UPDATE OR DELETE ON shade"
                " FOR EACH ROW EXECUTE FUNCTION batchqc_refuse_change()"
            ))  # fmt: skip
            connection.execute(text("ALTER TABLE shade ENABLE ALWAYS TRIGGER shade_no_change"))
        assert unknown_to(other, MIGRATIONS) == "shade"
    finally:
        other.dispose()


def narrowing_in(source: str) -> list[str]:
    """What a migration takes away or narrows: operations, and statements of its own."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in NARROWING:
            found.append(node.attr)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = node.value.upper().split()
            found += [one for one in ("DROP", "RENAME") if one in words]
            found += ["NOT NULL"] if "SET NOT NULL" in " ".join(words) else []
    return found


@pytest.mark.parametrize(
    "file", sorted((MIGRATIONS / "versions").glob("0*.py")), ids=lambda f: f.name[:4]
)
def test_a_migration_expands_and_never_takes_away(file: Path):
    assert narrowing_in(file.read_text()) == []


def test_what_takes_away_is_noticed():
    assert narrowing_in('op.drop_column("lot", "name")') == ["drop_column"]
    assert narrowing_in('op.execute("ALTER TABLE lot DROP COLUMN name")') == ["DROP"]
    assert narrowing_in('op.execute("ALTER TABLE lot ALTER name SET NOT NULL")') == ["NOT NULL"]


def test_revisions_are_one_line_and_their_names_sort(tmp_path: Path):
    engine = open_database(f"sqlite:///{tmp_path / 'new.db'}")
    migrate(engine, MIGRATIONS)
    with engine.connect() as connection:
        head = connection.scalar(text("SELECT version_num FROM alembic_version"))
    engine.dispose()
    assert head == REVISIONS[-1]
