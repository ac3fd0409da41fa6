"""How far each certificate proves itself, and renewals of that."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Add the table with its guards, and two columns, blank in rows of before."""
    for name in ("level", "provable_until"):
        column = sa.Column(name, sa.Text(), nullable=False, server_default="")
        op.add_column("certificate_issue", column)
    texts = ("document_sha", "provable_until", "renewed_by", "renewed_at")
    op.create_table(
        "certificate_renewal",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "certificate_id", sa.Integer(), sa.ForeignKey("certificate.id"), nullable=False
        ),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("number", "size")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.UniqueConstraint("certificate_id", "number"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_certificate_renewal_certificate_id", "certificate_renewal", ["certificate_id"]
    )
    append_only("certificate_renewal", [["id"], ["certificate_id", "number"]])
