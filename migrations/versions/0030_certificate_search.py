"""The index of certificates: terms, words, and what finds the words on each database."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Add the tables. What is in the store fills them: `batchqc certificate index`."""
    op.create_index("ix_certificate_supersedes_id", "certificate", ["supersedes_id"])
    op.create_table(
        "certificate_term",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("certificate_id", sa.Integer(), sa.ForeignKey("certificate.id"), nullable=False),
        sa.UniqueConstraint("kind", "value", "certificate_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "certificate_text",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("certificate_id", sa.Integer(), sa.ForeignKey("certificate.id"), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.UniqueConstraint("certificate_id"),
        sqlite_strict=True,
    )
    append_only("certificate_term", [["id"], ["kind", "value", "certificate_id"]])
    append_only("certificate_text", [["id"], ["certificate_id"]])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE INDEX ix_certificate_text_words ON certificate_text"
            " USING gin (array_to_tsvector(string_to_array(words, ' ')))"
        )
        return
    op.execute(
        "CREATE VIRTUAL TABLE certificate_words USING fts5(words, content='certificate_text',"
        " content_rowid='certificate_id', detail=none, columnsize=0,"
        " tokenize='unicode61 remove_diacritics 0')"
    )
    op.execute(
        "CREATE TRIGGER certificate_text_words AFTER INSERT ON certificate_text BEGIN"
        " INSERT INTO certificate_words (rowid, words) VALUES (NEW.certificate_id, NEW.words); END"
    )
