"""Stops of the system, and the true time and the form of what was signed on paper meanwhile."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the columns, blank in signatures of before, and the table."""
    for name in ("happened_at", "paper"):
        op.add_column("signature", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "system_stop",
        sa.Column("id", sa.Integer(), primary_key=True),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("stop", "number")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("began", "ended", "reason")),
        sa.Column("signature_id", sa.Integer(), sa.ForeignKey("signature.id"), nullable=False),
        sa.UniqueConstraint("stop", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_system_stop_signature_id", "system_stop", ["signature_id"])
    append_only("system_stop", [["id"], ["stop", "number"]])
