"""Whether the triggers that keep every table append-only are in place."""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, inspect, text

_GUARDS: Final = {
    "sqlite": {"no_update", "no_delete", "no_replace"},
    "postgresql": {"no_change", "no_truncate"},
}
_TRIGGERS: Final = {
    "sqlite": "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": r"""
SELECT relname, tgname, '' FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
JOIN pg_proc ON pg_proc.oid = tgfoid
WHERE NOT tgisinternal AND tgenabled = 'A' AND tgqual IS NULL AND tgattr = ''
AND pg_table_is_visible(pg_class.oid)
AND (tgname, tgtype) IN ((relname || '_no_change', 27), (relname || '_no_truncate', 34))
AND regexp_replace(prosrc, '\s+', ' ', 'g') =
    ' BEGIN RAISE EXCEPTION ''% is append-only: % is refused'', TG_TABLE_NAME, TG_OP; END '
""",  # that always fire, before whatever is updated, deleted or truncated, and refuse it
}
_BEFORE: Final = {
    "no_update": "UPDATE ON {}",
    "no_delete": "DELETE ON {}",
    "no_replace": "INSERT ON {} WHEN EXISTS (SELECT 1 FROM {} WHERE [])",
}
"""When those of SQLite fire; the last one looks at every key by which a row is replaced."""
_KEYS: Final = """
SELECT tbl_name, list.name, info.name FROM sqlite_master
JOIN pragma_index_list(tbl_name) AS list JOIN pragma_index_info(list.name) AS info
WHERE sqlite_master.type = 'table' AND "unique" ORDER BY info.seqno
"""
_REFUSE: Final = " BEGIN SELECT RAISE(ABORT, '{} is append-only: this is refused'); END"
NOT_A_RECORD: Final = "alembic_version"
"""Alembic updates its one row; what it says is checked by every migration."""
OF_SEARCH: Final = frozenset(
    f"certificate_words{part}" for part in ("", "_data", "_idx", "_config")
)
"""SQLite's index of the words in ``certificate_text``; it can be made anew of them."""

OF_QUEUE: Final = frozenset(
    f"procrastinate_{table}" for table in ("jobs", "workers", "events", "periodic_defers")
)
"""The job queue on PostgreSQL: which worker takes which job next; it can be made anew of them."""

OF_USES: Final = frozenset({"session_use"})
"""When each session was last used, which says whether somebody still works in it."""


def unguarded(connection: Connection) -> list[str]:
    """The tables that lack a guard, whoever made them."""
    missing = {
        table: set(_GUARDS[connection.dialect.name])
        for table in sorted(inspect(connection).get_table_names())
        if table not in {NOT_A_RECORD, *OF_SEARCH, *OF_QUEUE, *OF_USES}
    }
    keys = _keys(connection) if connection.dialect.name == "sqlite" else {}
    for table, trigger, said in connection.execute(text(_TRIGGERS[connection.dialect.name])):
        guard = trigger.removeprefix(f"{table}_")
        if table in missing and (not said or _refuses(table, guard, said, keys.get(table, []))):
            missing[table].discard(guard)
    return [table for table, guards in missing.items() if guards]


def guarded(connection: Connection) -> set[str]:
    """The tables that have a guard: those of records, of whatever version of batchqc."""
    triggers = connection.execute(text(_TRIGGERS[connection.dialect.name]))
    return {table for table, _, _ in triggers}


def _keys(connection: Connection) -> dict[str, list[list[str]]]:
    """The columns of each key of each table of SQLite, beside the id."""
    found: dict[str, dict[str, list[str]]] = {}
    for table, key, column in connection.execute(text(_KEYS)):
        found.setdefault(table, {}).setdefault(key, []).append(column)
    return {table: [*keys.values()] for table, keys in found.items()}


def _refuses(table: str, guard: str, said: str, keys: Iterable[Sequence[str]]) -> bool:
    """Whether a trigger of SQLite does what its name says: somebody may have put another there."""
    before, _, after = _BEFORE.get(guard, "?").replace("{}", table).partition("[]")
    begins, ends = f"CREATE TRIGGER {table}_{guard} BEFORE {before}", after + _REFUSE.format(table)
    rest = said.removeprefix(begins).removesuffix(ends)
    alike = {
        "(" + " AND ".join(f'"{column}" = NEW."{column}"' for column in key) + ")"
        for key in (["id"], *keys)
    }
    looks_at = set(rest.split(" OR ")) if guard == "no_replace" else {rest}
    is_whole = len(said) == len(begins) + len(rest) + len(ends)
    return is_whole and looks_at == (alike if guard == "no_replace" else {""})
