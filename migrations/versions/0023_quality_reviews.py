"""Product quality reviews, and that QA read them."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0023"
down_revision = "0021"


def _refers(name: str, table: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=False)


def upgrade() -> None:
    """Add the tables with their guards."""
    texts = ("first", "last", "content_sha", "document_sha", "head", "made_by", "made_at")
    op.create_table(
        "quality_review",
        sa.Column("id", sa.Integer(), primary_key=True),
        _refers("product_id", "product"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("sequence", "year", "number")),
        sa.UniqueConstraint("year", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_quality_review_product_id", "quality_review", ["product_id"])
    append_only("quality_review", [["id"], ["year", "number"]])
    op.create_table(
        "quality_review_reading",
        sa.Column("id", sa.Integer(), primary_key=True),
        _refers("quality_review_id", "quality_review"),
        _refers("signature_id", "signature"),
        sa.UniqueConstraint("quality_review_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_quality_review_reading_signature_id", "quality_review_reading", ["signature_id"]
    )
    append_only("quality_review_reading", [["id"], ["quality_review_id"]])
