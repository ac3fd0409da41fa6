"""Layouts of certificates with what was signed of them, and renditions for recipients."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0026"
down_revision = "0025"


def _refers(name: str, table: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def upgrade() -> None:
    """Add the tables with their guards."""
    op.create_table(
        "layout_version",
        sa.Column("id", sa.Integer(), primary_key=True),
        *_texts("layout", "title", "recipient", "product", "file", "sha256", "author"),
        *_texts("imported_at"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.UniqueConstraint("layout", "version"),
        sqlite_strict=True,
    )
    append_only("layout_version", [["id"], ["layout", "version"]])
    op.create_table(
        "layout_submission",
        sa.Column("id", sa.Integer(), primary_key=True),
        _refers("layout_version_id", "layout_version"),
        *_texts("submitted_by", "submitted_at"),
        sa.UniqueConstraint("layout_version_id"),
        sqlite_strict=True,
    )
    append_only("layout_submission", [["id"], ["layout_version_id"]])
    for table in ("layout_approval", "layout_withdrawal"):
        op.create_table(
            table,
            sa.Column("id", sa.Integer(), primary_key=True),
            _refers("layout_version_id", "layout_version"),
            _refers("signature_id", "signature"),
            sa.UniqueConstraint("layout_version_id"),
            sqlite_strict=True,
        )
        op.create_index(f"ix_{table}_signature_id", table, ["signature_id"])
        append_only(table, [["id"], ["layout_version_id"]])
    op.create_table(
        "certificate_rendition",
        sa.Column("id", sa.Integer(), primary_key=True),
        _refers("certificate_id", "certificate"),
        _refers("layout_version_id", "layout_version"),
        *_texts("content_sha", "document_sha", "made_by", "made_at"),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.UniqueConstraint("certificate_id", "layout_version_id"),
        sqlite_strict=True,
    )
    for name in ("certificate_id", "layout_version_id"):
        op.create_index(f"ix_certificate_rendition_{name}", "certificate_rendition", [name])
    append_only("certificate_rendition", [["id"], ["certificate_id", "layout_version_id"]])
