"""What a database holds, to show that a refusal changed nothing."""

from sqlalchemy import Engine, func, literal, select, union_all

from batchqc.records.schema import METADATA

TRAIL = {"audit_entry", "audit_link", "audit_subject", "event"}
_COUNTS = union_all(
    *(
        select(literal(table.name, literal_execute=True), func.count()).select_from(table)
        for table in METADATA.sorted_tables
    )
)


def counts(engine: Engine) -> dict[str, int]:
    """How many rows each table has."""
    with engine.connect() as connection:
        return {name: count for name, count in connection.execute(_COUNTS)}


def grown(engine: Engine, before: dict[str, int]) -> dict[str, int]:
    """By how many rows each table has grown; those that have not are left out."""
    after = counts(engine)
    return {name: after[name] - count for name, count in before.items() if after[name] != count}
