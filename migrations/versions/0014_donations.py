"""Donations with their tests, pools and consents, and the panels that they are held against."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0014"
down_revision = "0013"


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _refers(name: str, table: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=False)


def upgrade() -> None:
    """Create the tables, their indexes and their guards; blank evidence in rows of before."""
    for name in ("evidence", "panel"):
        column = sa.Column(name, sa.Text(), nullable=False, server_default="")
        op.add_column("eligibility", column)
    _donations()
    _consents()
    _panels()


def _donations() -> None:
    op.create_table(
        "donation",
        _id(),
        _refers("donor_id", "donor"),
        _whole("number"),
        *_text("donation", "folded", "kind", "donated_on", "establishment", "address", "tissue"),
        *_text("donor_age", "donor_sex", "tested_person", "registered_by", "registered_at"),
        sa.UniqueConstraint("folded"),
        sa.UniqueConstraint("donor_id", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_donation_donor_id", "donation", ["donor_id"])
    append_only("donation", [["id"], ["folded"], ["donor_id", "number"]])
    op.create_table(
        "donor_test",
        _id(),
        _refers("donation_id", "donation"),
        _whole("number"),
        *_text("marker", "result", "person", "specimen", "taken_text", "taken_at", "laboratory"),
        *_text("statement", "kit", "document_sha256", "recorded_by", "recorded_at"),
        sa.UniqueConstraint("donation_id", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_donor_test_donation_id", "donor_test", ["donation_id"])
    append_only("donor_test", [["id"], ["donation_id", "number"]])
    op.create_table(
        "donation_pool",
        _id(),
        *_text("pool", "folded", "kind", "pooled_on", "reason", "registered_by", "registered_at"),
        sa.UniqueConstraint("folded"),
        sqlite_strict=True,
    )
    append_only("donation_pool", [["id"], ["folded"]])
    op.create_table(
        "donation_pool_part",
        _id(),
        _refers("donation_pool_id", "donation_pool"),
        _refers("donation_id", "donation"),
        sa.UniqueConstraint("donation_pool_id", "donation_id"),
        sqlite_strict=True,
    )
    for name in ("donation_pool_id", "donation_id"):
        op.create_index(f"ix_donation_pool_part_{name}", "donation_pool_part", [name])
    append_only("donation_pool_part", [["id"], ["donation_pool_id", "donation_id"]])


def _consents() -> None:
    op.create_table(
        "consent",
        _id(),
        _refers("donor_id", "donor"),
        _whole("number"),
        *_text("version", "scopes", "given_on", "document_sha256", "recorded_by", "recorded_at"),
        sa.UniqueConstraint("donor_id", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_consent_donor_id", "consent", ["donor_id"])
    append_only("consent", [["id"], ["donor_id", "number"]])
    op.create_table(
        "consent_withdrawal",
        _id(),
        _refers("consent_id", "consent"),
        *_text("withdrawn_on", "reason", "recorded_by", "recorded_at"),
        sa.UniqueConstraint("consent_id"),
        sqlite_strict=True,
    )
    append_only("consent_withdrawal", [["id"], ["consent_id"]])


def _panels() -> None:
    op.create_table(
        "donor_panel_version",
        _id(),
        *_text("panel"),
        _whole("version"),
        *_text("title", "jurisdiction", "markets", "effective", "file", "sha256", "author"),
        *_text("imported_at"),
        sa.UniqueConstraint("panel", "version"),
        sqlite_strict=True,
    )
    append_only("donor_panel_version", [["id"], ["panel", "version"]])
    op.create_table(
        "donor_panel_approval",
        _id(),
        _refers("panel_version_id", "donor_panel_version"),
        _refers("signature_id", "signature"),
        sa.UniqueConstraint("panel_version_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_donor_panel_approval_signature_id", "donor_panel_approval", ["signature_id"]
    )
    append_only("donor_panel_approval", [["id"], ["panel_version_id"]])
