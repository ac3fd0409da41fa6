"""An index of the audit trail: entries of a person in their order."""

from alembic import op

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    """Add it; SQLite has the ids in every index."""
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_audit_entry_who_id", "audit_entry", ["who", "id"])
