"""Triggers that make a table append-only, on both databases.

A later migration that rebuilds a table on SQLite (Alembic's batch mode) must guard it again; a
test at the newest schema lists every table with its triggers.
"""

from collections.abc import Iterable, Sequence

from alembic import op

_FUNCTION = """
CREATE FUNCTION batchqc_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP;
END $$
"""


def prepare() -> None:
    """Create what the triggers of PostgreSQL call."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_FUNCTION)


def append_only(table: str, unique: Iterable[Sequence[str]]) -> None:
    """Refuse UPDATE, DELETE, TRUNCATE and replacing INSERT on a table.

    Args:
        table: its name.
        unique: every set of columns by which a row could replace another, the id among them.
    """
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql(table)
    else:
        _guard_sqlite(table, unique)


def _guard_postgresql(table: str) -> None:
    for name, when in (
        ("no_change", "BEFORE UPDATE OR DELETE ON {} FOR EACH ROW"),
        ("no_truncate", "BEFORE TRUNCATE ON {} FOR EACH STATEMENT"),
    ):
        trigger = f"{table}_{name}"
        call = "EXECUTE FUNCTION batchqc_refuse_change()"
        op.execute(f"CREATE TRIGGER {trigger} {when.format(table)} {call}")
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


def _guard_sqlite(table: str, unique: Iterable[Sequence[str]]) -> None:
    same = " OR ".join(
        "(" + " AND ".join(f'"{column}" = NEW."{column}"' for column in columns) + ")"
        for columns in unique
    )
    for name, when in (
        ("no_update", f"BEFORE UPDATE ON {table}"),
        ("no_delete", f"BEFORE DELETE ON {table}"),
        (
            "no_replace",
            f"BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})",
        ),
    ):
        op.execute(
            f"CREATE TRIGGER {table}_{name} {when} BEGIN"
            f" SELECT RAISE(ABORT, '{table} is append-only: this is refused'); END"
        )
