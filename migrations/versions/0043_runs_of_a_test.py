"""An index by which the newest runs of a test are found."""

from alembic import op

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    """Add the index of the test with the id behind it."""
    op.create_index("ix_assay_run_test", "assay_run", ["test", "id"])
