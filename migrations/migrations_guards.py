"""Triggers that make a table append-only, on both databases.

A later migration that rebuilds a table on SQLite (Alembic's batch mode) must guard it again; a
test at the newest schema lists every table with its triggers.
"""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
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


def guarded_table(
    name: str,
    refers: tuple[str, ...],
    numbers: tuple[str, ...],
    texts: tuple[str, ...],
    unique: list[list[str]],
) -> None:
    """Create an append-only table of whole numbers and texts, each with a value.

    Args:
        name: of the table.
        refers: tables that it refers to; each is indexed.
        numbers: columns of whole numbers.
        texts: columns of text.
        unique: every set of columns by which a row could replace another, but the id.
    """
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), primary_key=True),
        *(
            sa.Column(f"{one}_id", sa.Integer(), sa.ForeignKey(f"{one}.id"), nullable=False)
            for one in refers
        ),
        *(sa.Column(one, sa.Integer(), nullable=False) for one in numbers),
        *(sa.Column(one, sa.Text(), nullable=False) for one in texts),
        *(sa.UniqueConstraint(*one) for one in unique),
        sqlite_strict=True,
    )
    for one in refers:
        if [f"{one}_id"] not in unique:
            op.create_index(f"ix_{name}_{one}_id", name, [f"{one}_id"])
    append_only(name, [["id"], *unique])


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
