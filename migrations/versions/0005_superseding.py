"""Versions of an assay run: which run superseded which, by whom, when and why."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0005"
down_revision = "0004"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _run(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), sa.ForeignKey("assay_run.id"), nullable=False)


def upgrade() -> None:
    """Add the reason to uploads, which is blank in those of before, and the table."""
    op.add_column("upload", sa.Column("supersedes", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "superseding",
        sa.Column("id", sa.Integer(), primary_key=True),
        _run("older_id"),
        _run("newer_id"),
        _text("superseded_by"),
        _text("superseded_at"),
        _text("reason"),
        sa.UniqueConstraint("older_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_superseding_newer_id", "superseding", ["newer_id"])
    append_only("superseding", [["id"], ["older_id"]])
