"""Random samples of the audit trail, and their signed reviews."""

from migrations_guards import guarded_table

revision = "0040"
down_revision = "0038"


def upgrade() -> None:
    """Add both tables with their guards."""
    guarded_table(
        "trail_sample",
        (),
        ("year", "number", "first", "last"),
        ("head", "content_sha", "drawn_by", "drawn_at"),
        [["year", "number"]],
    )
    guarded_table(
        "trail_sample_review",
        ("trail_sample", "signature"),
        ("number",),
        (),
        [["trail_sample_id", "number"]],
    )
