"""Copies of certificates, and for whom each was printed."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Add the table with its guards."""
    op.create_table(
        "certificate_copy",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("certificate_id", sa.Integer(), sa.ForeignKey("certificate.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("recipient", "made_by", "made_at")),
        sa.UniqueConstraint("certificate_id", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_certificate_copy_certificate_id", "certificate_copy", ["certificate_id"])
    append_only("certificate_copy", [["id"], ["certificate_id", "number"]])
