"""Indexes without which a question reads a table that grows from end to end."""

from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Add the indexes; every look at a lot asks for the newest head that QA signed."""
    for table, column in (("audit_review", "last"), ("attempt", "at"), ("signature", "at")):
        op.create_index(f"ix_{table}_{column}", table, [column])
