"""The index by which what came in lately is found."""

from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """Add it: patterns are looked for within some days."""
    op.create_index("ix_upload_received_at", "upload", ["received_at"])
