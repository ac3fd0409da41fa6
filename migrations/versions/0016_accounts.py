"""Accounts: ends of passwords and roles, deactivation, the rule of passwords, reviews of accounts."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0016"
down_revision = "0015"

LATER = {
    "password": ("ends_at",),
    "role_change": ("last_day", "training", "trained_on", "expires_on"),
}


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _refers(name: str, table: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=False)


def upgrade() -> None:
    """Add the columns, which are blank in rows of before, and the tables with their guards."""
    for table, names in LATER.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "account_change",
        _id(),
        _refers("person_id", "person"),
        _whole("number"),
        _whole("active"),
        _text("reason"),
        _text("changed_by"),
        _text("changed_at"),
        sa.UniqueConstraint("person_id", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_account_change_person_id", "account_change", ["person_id"])
    append_only("account_change", [["id"], ["person_id", "number"]])
    op.create_table(
        "password_rule",
        _id(),
        _whole("number"),
        _whole("days"),
        _text("reason"),
        _text("set_by"),
        _text("set_at"),
        sa.UniqueConstraint("number"),
        sqlite_strict=True,
    )
    append_only("password_rule", [["id"], ["number"]])
    op.create_table(
        "account_report",
        _id(),
        _text("since"),
        _text("content_sha"),
        _whole("sequence"),
        _text("head"),
        _text("made_by"),
        _text("made_at"),
        _whole("year"),
        _whole("number"),
        sa.UniqueConstraint("year", "number"),
        sqlite_strict=True,
    )
    append_only("account_report", [["id"], ["year", "number"]])
    op.create_table(
        "account_review",
        _id(),
        _refers("account_report_id", "account_report"),
        _refers("signature_id", "signature"),
        sa.UniqueConstraint("account_report_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_account_review_signature_id", "account_review", ["signature_id"])
    append_only("account_review", [["id"], ["account_report_id"]])
