"""Policies of the site, conditional releases, withdrawn certificates, the steps of Annex 16."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0010"
down_revision = "0009"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _integer(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _refers(table: str) -> sa.Column[int]:
    return sa.Column(f"{table}_id", sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=False)


def _create(
    table: str,
    *columns: sa.Column[str] | sa.Column[int],
    unique: list[list[str]],
    index: tuple[str, ...] = (),
) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), primary_key=True),
        *columns,
        *(sa.UniqueConstraint(*one) for one in unique),
        sqlite_strict=True,
    )
    for column in index:
        op.create_index(f"ix_{table}_{column}", table, [column])
    append_only(table, [["id"], *unique])


def upgrade() -> None:
    """Seven tables."""
    _create(
        "policy", _text("policy"), _integer("number"), _text("value"), _text("reason"),
        _refers("signature"), unique=[["policy", "number"]], index=("signature_id",),
    )  # fmt: skip
    _create(
        "pending_result", _refers("disposition"), _text("criterion"), _text("due_on"),
        unique=[["disposition_id", "criterion"]], index=("disposition_id",),
    )  # fmt: skip
    _create(
        "conditional_site", _refers("disposition"), _text("site"),
        unique=[["disposition_id", "site"]], index=("disposition_id",),
    )  # fmt: skip
    _create(
        "certificate_withdrawal", _refers("certificate"), _text("reason"), _text("about"),
        _text("withdrawn_by"), _text("withdrawn_at"), unique=[["certificate_id"]],
    )  # fmt: skip
    _create(
        "lot_check", _refers("lot"), _integer("number"), _text("basis_sha256"),
        _text("content_sha"), _refers("signature"), unique=[["lot_id", "number"]], index=("lot_id", "signature_id"),
    )  # fmt: skip
    _create(
        "certification", _integer("year"), _integer("number"), _refers("disposition"),
        _refers("lot_check"), unique=[["year", "number"], ["disposition_id"]],
        index=("lot_check_id",),
    )  # fmt: skip
    _create(
        "stock_transfer", _refers("certification"), _refers("signature"),
        unique=[["certification_id"]], index=("signature_id",),
    )  # fmt: skip
