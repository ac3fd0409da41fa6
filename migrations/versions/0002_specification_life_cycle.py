"""The life cycle of specifications: submission, withdrawal, impact, markets and other stages."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0002"
down_revision = "0001"


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _refers(name: str, table: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=False)


def _later(table: str, name: str) -> None:
    """Add a text column that is blank in rows of before."""
    op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=""))


def upgrade() -> None:
    """Add the columns and tables, and guard the tables."""
    _later("specification_version", "market")
    _later("specification_approval", "content_sha")
    _later("lot", "market")
    op.create_table(
        "specification_submission",
        _id(),
        _refers("specification_version_id", "specification_version"),
        _text("submitted_by"),
        _text("submitted_at"),
        sa.UniqueConstraint("specification_version_id"),
        sqlite_strict=True,
    )
    append_only("specification_submission", [["id"], ["specification_version_id"]])
    op.create_table(
        "specification_withdrawal",
        _id(),
        _refers("specification_version_id", "specification_version"),
        _text("from_day"),
        _refers("signature_id", "signature"),
        sa.UniqueConstraint("specification_version_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_specification_withdrawal_signature_id", "specification_withdrawal", ["signature_id"]
    )
    append_only("specification_withdrawal", [["id"], ["specification_version_id"]])
    op.create_table(
        "impact_report",
        _id(),
        _refers("specification_version_id", "specification_version"),
        sa.Column("number", sa.Integer(), nullable=False),
        _text("content_sha"),
        _text("document_sha"),
        sa.Column("runs", sa.Integer(), nullable=False),
        _text("made_by"),
        _text("made_at"),
        sa.UniqueConstraint("specification_version_id", "number"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_impact_report_specification_version_id", "impact_report", ["specification_version_id"]
    )
    append_only("impact_report", [["id"], ["specification_version_id", "number"]])
    op.create_table(
        "lot_specification",
        _id(),
        _refers("lot_id", "lot"),
        _refers("specification_version_id", "specification_version"),
        _text("bound_because"),
        sa.UniqueConstraint("lot_id", "specification_version_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_lot_specification_lot_id", "lot_specification", ["lot_id"])
    op.create_index(
        "ix_lot_specification_specification_version_id",
        "lot_specification",
        ["specification_version_id"],
    )
    append_only("lot_specification", [["id"], ["lot_id", "specification_version_id"]])
