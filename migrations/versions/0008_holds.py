"""Holds on lots, and their end."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0008"
down_revision = "0007"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _refers(name: str, table: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=nullable)


def upgrade() -> None:
    """Two tables."""
    op.create_table(
        "hold",
        sa.Column("id", sa.Integer(), primary_key=True),
        _refers("lot_id", "lot"),
        sa.Column("number", sa.Integer(), nullable=False),
        *(_text(name) for name in ("cause", "about", "reason", "held_by", "held_at")),
        _refers("signature_id", "signature", nullable=True),
        sa.UniqueConstraint("lot_id", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_hold_lot_id", "hold", ["lot_id"])
    append_only("hold", [["id"], ["lot_id", "number"]])
    op.create_table(
        "hold_end",
        sa.Column("id", sa.Integer(), primary_key=True),
        _refers("hold_id", "hold"),
        _text("reason"),
        _refers("signature_id", "signature"),
        sa.UniqueConstraint("hold_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_hold_end_signature_id", "hold_end", ["signature_id"])
    append_only("hold_end", [["id"], ["hold_id"]])
