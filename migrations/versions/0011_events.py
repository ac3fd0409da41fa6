"""The outbox of events, the webhooks that are told of them, and every attempt to tell."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0011"
down_revision = "0010"


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _webhook() -> sa.Column[int]:
    return sa.Column("webhook_id", sa.Integer(), sa.ForeignKey("webhook.id"), nullable=False)


def upgrade() -> None:
    """Create the tables, their indexes and their guards. What happened before makes no event."""
    op.create_table(
        "event",
        _id(),
        _whole("number"),
        _text("kind"),
        _text("at"),
        _text("subjects"),
        _whole("more"),
        _whole("sequence"),
        _text("entry_sha256"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("entry_sha256"),
        sqlite_strict=True,
    )
    op.create_index("ix_event_kind", "event", ["kind"])
    append_only("event", [["id"], ["number"], ["entry_sha256"]])
    op.create_table(
        "webhook",
        _id(),
        _text("name"),
        _text("folded"),
        _text("url"),
        _text("kinds"),
        _whole("begins_after"),
        _text("secret_sha256"),
        _text("registered_by"),
        _text("registered_at"),
        sa.UniqueConstraint("folded"),
        sqlite_strict=True,
    )
    append_only("webhook", [["id"], ["folded"]])
    op.create_table(
        "webhook_end",
        _id(),
        _webhook(),
        _text("reason"),
        _text("ended_by"),
        _text("ended_at"),
        sa.UniqueConstraint("webhook_id"),
        sqlite_strict=True,
    )
    append_only("webhook_end", [["id"], ["webhook_id"]])
    op.create_table(
        "delivery",
        _id(),
        _webhook(),
        _whole("event_number"),
        _whole("number"),
        _text("outcome"),
        _text("detail"),
        _text("at"),
        sa.UniqueConstraint("webhook_id", "event_number", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_delivery_webhook_id", "delivery", ["webhook_id"])
    append_only("delivery", [["id"], ["webhook_id", "event_number", "number"]])
