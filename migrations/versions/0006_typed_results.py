"""Results that people type: the mark of an entry, its second entry, and its documents."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0006"
down_revision = "0005"


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _refers(name: str, table: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=False)


def upgrade() -> None:
    """Add the column and the tables, and guard the tables."""
    op.add_column("upload", sa.Column("typed", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "entry_verification",
        _id(),
        _refers("upload_id", "upload"),
        _refers("signature_id", "signature"),
        _text("typed"),
        _whole("matches"),
        sa.UniqueConstraint("upload_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_entry_verification_signature_id", "entry_verification", ["signature_id"])
    append_only("entry_verification", [["id"], ["upload_id"]])
    op.create_table(
        "attachment",
        _id(),
        _refers("upload_id", "upload"),
        _whole("number"),
        _text("sha256"),
        _whole("size"),
        _text("name"),
        _text("kind"),
        _text("attached_by"),
        _text("attached_at"),
        sa.UniqueConstraint("upload_id", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_attachment_upload_id", "attachment", ["upload_id"])
    append_only("attachment", [["id"], ["upload_id", "number"]])
