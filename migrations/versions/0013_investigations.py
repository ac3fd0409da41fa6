"""OOS investigations with their steps, deviations, and the mark of an upload of retests."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0013"
down_revision = "0012"


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _refers(name: str, table: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=nullable)


def upgrade() -> None:
    """Add the column and the tables, and guard the tables."""
    op.add_column("upload", sa.Column("retest", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "investigation",
        _id(),
        _whole("year"),
        _whole("number"),
        _refers("lot_id", "lot"),
        *_texts("specification", "stage", "criterion", "sentence", "attributes", "runs"),
        *_texts("opened_by", "opened_at", "due_on"),
        sa.UniqueConstraint("year", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_investigation_lot_id", "investigation", ["lot_id"])
    append_only("investigation", [["id"], ["year", "number"]])
    op.create_table(
        "investigation_step",
        _id(),
        _refers("investigation_id", "investigation"),
        _whole("number"),
        *_texts("kind", "detail", "taken_by", "taken_at"),
        _refers("signature_id", "signature", nullable=True),
        sa.UniqueConstraint("investigation_id", "number"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_investigation_step_investigation_id", "investigation_step", ["investigation_id"]
    )
    append_only("investigation_step", [["id"], ["investigation_id", "number"]])
    op.create_table(
        "investigation_rule",
        _id(),
        _whole("number"),
        _whole("days"),
        *_texts("reason", "set_by", "set_at"),
        sa.UniqueConstraint("number"),
        sqlite_strict=True,
    )
    append_only("investigation_rule", [["id"], ["number"]])
    op.create_table(
        "deviation",
        _id(),
        *_texts("deviation", "folded"),
        _whole("number"),
        *_texts("title", "link", "state"),
        _whole("blocking"),
        *_texts("reason", "kept_by", "kept_at"),
        _refers("signature_id", "signature"),
        sa.UniqueConstraint("folded", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_deviation_folded", "deviation", ["folded"])
    op.create_index("ix_deviation_signature_id", "deviation", ["signature_id"])
    append_only("deviation", [["id"], ["folded", "number"]])
    op.create_table(
        "deviation_lot",
        _id(),
        _refers("deviation_id", "deviation"),
        _refers("lot_id", "lot"),
        sa.UniqueConstraint("deviation_id", "lot_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_deviation_lot_deviation_id", "deviation_lot", ["deviation_id"])
    op.create_index("ix_deviation_lot_lot_id", "deviation_lot", ["lot_id"])
    append_only("deviation_lot", [["id"], ["deviation_id", "lot_id"]])
