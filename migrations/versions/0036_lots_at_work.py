"""The indexes by which the lots that expire soonest, and what came in lately, are found."""

from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """Add them: open work is looked at in portions of lots, and patterns within some days."""
    op.create_index("ix_lot_expires_on", "lot", ["expires_on"])
    op.create_index("ix_upload_received_at", "upload", ["received_at"])
