"""Indexes by which lots are listed in the order of their dates, as corrected."""

from alembic import op

revision = "0038"
down_revision = "0036"


def upgrade() -> None:
    """Add the indexes: of each date with the id behind it, and of the field of a correction."""
    for date in ("manufactured_on", "expires_on"):
        op.create_index(f"ix_lot_{date}", "lot", [date, "id"])
    op.create_index("ix_correction_field", "correction", ["field"])
