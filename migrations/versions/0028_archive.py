"""Scrubs of the store with what they found, rules of retention, legal holds, disposals."""

from alembic import op

from migrations_guards import guarded_table

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Add the tables."""
    guarded_table(
        "archive_scrub",
        (),
        ("number", "part", "checked", "found", "orphans", "leftovers", "finished"),
        ("scope", "since", "after", "upto", "scrubbed_by", "scrubbed_at"),
        [["number", "part"]],
    )
    guarded_table(
        "archive_finding",
        ("archive_scrub",),
        (),
        ("sha256", "problem"),
        [["archive_scrub_id", "sha256"]],
    )
    op.create_index("ix_archive_finding_sha256", "archive_finding", ["sha256"])
    guarded_table(
        "archive_mending",
        (),
        ("number",),
        ("sha256", "reason", "mended_by", "mended_at"),
        [["sha256", "number"]],
    )
    guarded_table(
        "retention_rule",
        ("signature",),
        ("number", "after_expiry", "after_manufacture"),
        ("reason",),
        [["number"]],
    )
    guarded_table("legal_hold", ("lot", "signature"), ("year", "number"), ("reason",), [["year", "number"]])
    guarded_table(
        "legal_hold_release", ("legal_hold", "signature"), (), ("reason",), [["legal_hold_id"]]
    )
    guarded_table(
        "disposal",
        ("lot", "signature"),
        ("year", "number"),
        ("content_sha", "reason"),
        [["year", "number"]],
    )
    guarded_table(
        "disposal_approval",
        ("disposal", "signature"),
        (),
        ("reason", "approved_at"),
        [["disposal_id"]],
    )
    guarded_table("disposed_object", ("disposal_approval",), (), ("sha256", "what"), [["sha256"]])
