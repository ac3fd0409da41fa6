"""Indexes of the audit trail: entries of an action in their order, and what is told of people."""

from alembic import op
from sqlalchemy import text

revision = "0044"
down_revision = "0043"

#: What people do with their own accounts every day, and what names nobody, are not in it.
_TELLS_OF_PEOPLE = """what NOT IN (
    'accountability accepted', 'asked for by an auditor', 'authenticator confirmed',
    'authenticator offered', 'code accepted', 'ended at single sign-on', 'password accepted',
    'password and code accepted', 'password changed', 'returned from single sign-on',
    'sent to single sign-on', 'signed in', 'signed out', 'single sign-on accepted',
    'step-up used')
    AND text LIKE '%"person:%'"""


def upgrade() -> None:
    """Add both; SQLite has the ids in every index, and needs only the second."""
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_audit_entry_what_id", "audit_entry", ["what", "id"])
    op.create_index(
        "ix_audit_entry_of_people",
        "audit_entry",
        ["id"],
        sqlite_where=text(_TELLS_OF_PEOPLE),
        postgresql_where=text(_TELLS_OF_PEOPLE),
    )
