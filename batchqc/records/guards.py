"""Whether the triggers that keep every table append-only are in place."""

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
AND (tgname, tgtype) IN ((relname || '_no_change', 27), (relname || '_no_truncate', 34))
AND regexp_replace(prosrc, '\s+', ' ', 'g') =
    ' BEGIN RAISE EXCEPTION ''% is append-only: % is refused'', TG_TABLE_NAME, TG_OP; END '
""",  # that always fire, before whatever is updated, deleted or truncated, and refuse it
}
_BEFORE: Final = {
    "no_update": "UPDATE ON {}",
    "no_delete": "DELETE ON {}",
    "no_replace": 'INSERT ON {} WHEN EXISTS (SELECT 1 FROM {} WHERE ("id" = NEW."id")',
}
"""When those of SQLite fire; behind the last one stand further keys."""
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


def unguarded(connection: Connection) -> list[str]:
    """The tables that lack a guard, whoever made them."""
    missing = {
        table: set(_GUARDS[connection.dialect.name])
        for table in sorted(inspect(connection).get_table_names())
        if table not in {NOT_A_RECORD, *OF_SEARCH, *OF_QUEUE}
    }
    for table, trigger, said in connection.execute(text(_TRIGGERS[connection.dialect.name])):
        guard = trigger.removeprefix(f"{table}_")
        if table in missing and (not said or _refuses(table, guard, said)):
            missing[table].discard(guard)
    return [table for table, guards in missing.items() if guards]


def _refuses(table: str, guard: str, said: str) -> bool:
    """Whether a trigger of SQLite does what its name says: somebody may have put another there."""
    before = f"CREATE TRIGGER {table}_{guard} BEFORE {_BEFORE.get(guard, '?')}".replace("{}", table)
    rest = said.removeprefix(before).removesuffix(_REFUSE.format(table))
    is_whole = len(said) == len(before) + len(rest) + len(_REFUSE.format(table))
    return is_whole and (rest.startswith((" OR (", ")")) if guard == "no_replace" else not rest)
