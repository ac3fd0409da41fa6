"""Methods with their validity criteria, and the registers of the laboratory."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0004"
down_revision = "0002"


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _refers(name: str, table: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=False)


def upgrade() -> None:
    """Create the tables, their indexes and their guards."""
    op.create_table(
        "method_version",
        _id(),
        _text("method"),
        _text("version"),
        _text("title"),
        _text("effective"),
        _text("file"),
        _text("sha256"),
        _text("author"),
        _text("imported_at"),
        sa.UniqueConstraint("method", "version"),
        sqlite_strict=True,
    )
    op.create_index("ix_method_version_method", "method_version", ["method"])
    append_only("method_version", [["id"], ["method", "version"]])
    op.create_table(
        "method_approval",
        _id(),
        _refers("method_version_id", "method_version"),
        _refers("signature_id", "signature"),
        sa.UniqueConstraint("method_version_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_method_approval_signature_id", "method_approval", ["signature_id"])
    append_only("method_approval", [["id"], ["method_version_id"]])
