"""Indexes by which investigations are listed by the day on which they are due."""

from alembic import op
from sqlalchemy import text

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    """Add the index of the day with the id behind it, and of the few steps that set it anew."""
    op.create_index("ix_investigation_due_on", "investigation", ["due_on", "id"])
    which = text("kind = 'due date'")
    op.create_index(
        "ix_investigation_step_due",
        "investigation_step",
        ["investigation_id"],
        sqlite_where=which,
        postgresql_where=which,
    )
