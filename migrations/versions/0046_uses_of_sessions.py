"""When each session was last used, for every server. It is no record: its rows are changed."""

from alembic import op

revision = "0046"
down_revision = "0045"

_TABLE = """
CREATE TABLE session_use (
  token_sha256 TEXT NOT NULL PRIMARY KEY,
  used_at TEXT NOT NULL,
  used_from TEXT NOT NULL
)
"""


def upgrade() -> None:
    """Add it, without the guards of records."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute(f"{_TABLE} STRICT, WITHOUT ROWID" if is_sqlite else _TABLE)
