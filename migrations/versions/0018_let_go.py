"""What the end of a hold binds, and which certificate was reserved with it."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

LATER = {"hold_end": "content_sha", "certificate": "let_go"}


def upgrade() -> None:
    """Add the columns, blank in rows of before."""
    for table, name in LATER.items():
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=""))
