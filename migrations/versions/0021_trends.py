"""Frozen control limits with their approval, and phases that QA began."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0021"
down_revision = "0018"

_ATTRIBUTE = ("stage", "market", "criterion")
_OF = ["product_id", "stage", "market", "criterion"]


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "limit_set",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("product_id", sa.Integer(), sa.ForeignKey("product.id"), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _ATTRIBUTE),
        sa.Column("number", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("first", "content_sha", "reason", "proposed_by", "proposed_at")
        ),
        sa.UniqueConstraint(*_OF, "number"),
        sqlite_strict=True,
    )
    op.create_table(
        "limit_set_approval",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "limit_set_id",
            sa.Integer(),
            sa.ForeignKey("limit_set.id"),
            nullable=False,
            unique=True,
        ),
        sa.Column("signature_id", sa.Integer(), sa.ForeignKey("signature.id"), nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "trend_phase",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("product_id", sa.Integer(), sa.ForeignKey("product.id"), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _ATTRIBUTE),
        sa.Column("lot_id", sa.Integer(), sa.ForeignKey("lot.id"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("signature_id", sa.Integer(), sa.ForeignKey("signature.id"), nullable=False),
        sa.UniqueConstraint(*_OF, "lot_id"),
        sqlite_strict=True,
    )
    for table, column in (
        ("limit_set", "product_id"),
        ("limit_set_approval", "signature_id"),
        ("trend_phase", "product_id"),
        ("trend_phase", "lot_id"),
        ("trend_phase", "signature_id"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])
    append_only("limit_set", [["id"], [*_OF, "number"]])
    append_only("limit_set_approval", [["id"], ["limit_set_id"]])
    append_only("trend_phase", [["id"], [*_OF, "lot_id"]])
