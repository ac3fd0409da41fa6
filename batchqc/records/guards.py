"""Whether the triggers that keep every table append-only are in place."""

from typing import Final

from sqlalchemy import Connection, inspect, text

_GUARDS: Final = {
    "sqlite": {"no_update", "no_delete", "no_replace"},
    "postgresql": {"no_change", "no_truncate"},
}
_TRIGGERS: Final = {
    "sqlite": "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": (  # only those that always fire
        "SELECT relname, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE NOT tgisinternal AND tgenabled = 'A'"
    ),
}
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
    for table, trigger in connection.execute(text(_TRIGGERS[connection.dialect.name])):
        if table in missing:
            missing[table].discard(trigger.removeprefix(f"{table}_"))
    return [table for table, guards in missing.items() if guards]
