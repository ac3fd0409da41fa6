"""Second components of signatures: authenticators, links to single sign-on, visits, the rule."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0012"
down_revision = "0011"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _of(table: str) -> sa.Column[int]:
    return sa.Column(f"{table}_id", sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=False)


def _table(name: str, *parts: sa.Column | sa.UniqueConstraint) -> None:
    op.create_table(
        name, sa.Column("id", sa.Integer(), primary_key=True), *parts, sqlite_strict=True
    )


def upgrade() -> None:
    """Add with what it was tried to attempts, blank in those of before, and the tables."""
    for name in ("component", "step"):
        op.add_column("attempt", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    _table(
        "authenticator_change",
        _of("person"), _number("number"), _text("state"), _text("secret"), _text("reason"),
        _text("changed_by"), _text("changed_at"), sa.UniqueConstraint("person_id", "number"),
    )
    _table(
        "link_change",
        _of("person"), _number("number"), _text("state"), _text("issuer"), _text("subject"),
        _text("reason"), _text("changed_by"), _text("changed_at"),
        sa.UniqueConstraint("person_id", "number"),
    )
    _table(
        "provider_visit",
        _text("ticket_sha256"), _text("user_id"), _text("sign_in"), _text("record"),
        _text("meaning"), _text("began_at"), _text("ends_at"),
        sa.UniqueConstraint("ticket_sha256"),
    )
    _table(
        "provider_return",
        _of("provider_visit"), _of("person"), _text("authenticated_at"), _text("returned_at"),
        _text("ends_at"), sa.UniqueConstraint("provider_visit_id"),
    )
    _table(
        "proof_use",
        _of("provider_return"), _text("used_at"), sa.UniqueConstraint("provider_return_id"),
    )
    _table(
        "signing_rule",
        _number("number"), _number("with_code"), _text("reason"), _text("set_by"), _text("set_at"),
        sa.UniqueConstraint("number"),
    )
    for table, columns in (
        ("authenticator_change", ["person_id"]),
        ("link_change", ["person_id"]),
        ("link_change", ["subject"]),
        ("provider_return", ["person_id"]),
    ):
        op.create_index(f"ix_{table}_{columns[0]}", table, columns)
    for table, keys in (
        ("authenticator_change", [["id"], ["person_id", "number"]]),
        ("link_change", [["id"], ["person_id", "number"]]),
        ("provider_visit", [["id"], ["ticket_sha256"]]),
        ("provider_return", [["id"], ["provider_visit_id"]]),
        ("proof_use", [["id"], ["provider_return_id"]]),
        ("signing_rule", [["id"], ["number"]]),
    ):
        append_only(table, keys)
