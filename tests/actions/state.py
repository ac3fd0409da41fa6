"""What a database holds, to show that a refusal changed nothing."""

from sqlalchemy import Engine, text

from batchqc.records.schema import METADATA

TRAIL = {"audit_entry", "audit_link", "audit_subject", "event"}
_COUNTS = text(
    " UNION ALL ".join(f"SELECT '{one}', count(*) FROM {one}" for one in METADATA.tables)  # noqa: S608
)


def counts(engine: Engine) -> dict[str, int]:
    """How many rows each table has."""
    with engine.connect() as connection:
        return dict(connection.execute(_COUNTS).all())


def grown(engine: Engine, before: dict[str, int]) -> dict[str, int]:
    """By how many rows each table has grown; those that have not are left out."""
    after = counts(engine)
    return {name: after[name] - count for name, count in before.items() if after[name] != count}
