"""Profiles: how an instrument's files are read; what was stated beside a file; texts as typed."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0003"
down_revision = "0002"


def _later(table: str, name: str) -> None:
    """Add a text column that is blank in rows of before."""
    op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=""))


def upgrade() -> None:
    """Add the columns and tables, and guard the tables."""
    _later("upload", "profile")
    _later("upload", "stated")
    _later("measurement", "original")
    op.create_table(
        "profile_version",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("title", "file", "sha256", "author", "imported_at")
        ),
        sa.UniqueConstraint("profile", "version"),
        sqlite_strict=True,
    )
    append_only("profile_version", [["id"], ["profile", "version"]])
    op.create_table(
        "profile_approval",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "profile_version_id", sa.Integer(), sa.ForeignKey("profile_version.id"), nullable=False
        ),
        sa.Column("signature_id", sa.Integer(), sa.ForeignKey("signature.id"), nullable=False),
        sa.UniqueConstraint("profile_version_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_profile_approval_signature_id", "profile_approval", ["signature_id"])
    append_only("profile_approval", [["id"], ["profile_version_id"]])
