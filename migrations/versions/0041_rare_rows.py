"""Indexes of rows that are few among many: typed uploads, failed attempts, renewed certificates."""

from alembic import op
from sqlalchemy import text

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    """Add the indexes, each over its few rows only.

    The one over every certificate stays, but who counts its values takes it to find all of them.
    """
    for name, table, column, which in (
        ("ix_upload_typed", "upload", "id", "typed <> ''"),
        ("ix_attempt_failed", "attempt", "id", "succeeded = 0"),
        ("ix_certificate_renewed", "certificate", "supersedes_id", "supersedes_id IS NOT NULL"),
    ):
        op.create_index(
            name, table, [column], sqlite_where=text(which), postgresql_where=text(which)
        )
