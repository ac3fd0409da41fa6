"""The index by which the lots that expire soonest are found."""

from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """Add it: open work is looked at in portions of lots, in this order."""
    op.create_index("ix_lot_expires_on", "lot", ["expires_on"])
