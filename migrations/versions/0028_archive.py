"""Scrubs of the store with what they found, rules of retention, legal holds, disposals."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Add the tables."""
    _table(
        "archive_scrub",
        (),
        ("number", "part", "checked", "found", "orphans", "leftovers", "finished"),
        ("scope", "since", "after", "upto", "scrubbed_by", "scrubbed_at"),
        [["number", "part"]],
    )
    _table(
        "archive_finding",
        ("archive_scrub",),
        (),
        ("sha256", "problem"),
        [["archive_scrub_id", "sha256"]],
    )
    op.create_index("ix_archive_finding_sha256", "archive_finding", ["sha256"])
    _table(
        "archive_mending",
        (),
        ("number",),
        ("sha256", "reason", "mended_by", "mended_at"),
        [["sha256", "number"]],
    )
    _table(
        "retention_rule",
        ("signature",),
        ("number", "after_expiry", "after_manufacture"),
        ("reason",),
        [["number"]],
    )
    _table("legal_hold", ("lot", "signature"), ("year", "number"), ("reason",), [["year", "number"]])
    _table(
        "legal_hold_release", ("legal_hold", "signature"), (), ("reason",), [["legal_hold_id"]]
    )
    _table(
        "disposal",
        ("lot", "signature"),
        ("year", "number"),
        ("content_sha", "reason"),
        [["year", "number"]],
    )
    _table(
        "disposal_approval",
        ("disposal", "signature"),
        (),
        ("reason", "approved_at"),
        [["disposal_id"]],
    )
    _table("disposed_object", ("disposal_approval",), (), ("sha256", "what"), [["sha256"]])


def _table(
    name: str,
    refers: tuple[str, ...],
    numbers: tuple[str, ...],
    texts: tuple[str, ...],
    unique: list[list[str]],
) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), primary_key=True),
        *(
            sa.Column(f"{one}_id", sa.Integer(), sa.ForeignKey(f"{one}.id"), nullable=False)
            for one in refers
        ),
        *(sa.Column(one, sa.Integer(), nullable=False) for one in numbers),
        *(sa.Column(one, sa.Text(), nullable=False) for one in texts),
        *(sa.UniqueConstraint(*one) for one in unique),
        sqlite_strict=True,
    )
    for one in refers:
        if [f"{one}_id"] not in unique:
            op.create_index(f"ix_{name}_{one}_id", name, [f"{one}_id"])
    append_only(name, [["id"], *unique])
