"""Lot dossiers that were imported from another instance."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Add the table with its guards."""
    texts = (
        "lot", "site", "log_keys", "head", "content_sha", "dossier_sha", "reason", "imported_at",
    )
    op.create_table(
        "dossier_import",
        sa.Column("id", sa.Integer(), primary_key=True),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("number", "entries")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.UniqueConstraint("number"),
        sqlite_strict=True,
    )
    append_only("dossier_import", [["id"], ["number"]])
