"""Reviews of a lot as a whole, and of its audit trail."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0009"
down_revision = "0008"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _integer(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _create(table: str, *columns: sa.Column[str] | sa.Column[int]) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("lot_id", sa.Integer(), sa.ForeignKey("lot.id"), nullable=False),
        _integer("number"),
        *columns,
        sa.Column("signature_id", sa.Integer(), sa.ForeignKey("signature.id"), nullable=False),
        sa.UniqueConstraint("lot_id", "number"),
        sqlite_strict=True,
    )
    op.create_index(f"ix_{table}_lot_id", table, ["lot_id"])
    op.create_index(f"ix_{table}_signature_id", table, ["signature_id"])
    append_only(table, [["id"], ["lot_id", "number"]])


def upgrade() -> None:
    """Two tables."""
    _create("lot_review", _text("basis_sha256"), _text("content_sha"))
    _create(
        "audit_review", _integer("first"), _integer("last"), _text("head"), _text("content_sha")
    )
