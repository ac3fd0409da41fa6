"""A measurement may be written before its run, within one transaction: for very large files."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """PostgreSQL has to be told that this may be asked for; SQLite defers any reference."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE measurement ALTER CONSTRAINT measurement_assay_run_id_fkey"
            " DEFERRABLE INITIALLY IMMEDIATE"
        )
