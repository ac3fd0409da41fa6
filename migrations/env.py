"""Alembic runs here: on the connection that batchqc hands over, in its transaction."""

import sys
from pathlib import Path

from alembic import context

from batchqc.records.schema import METADATA

sys.path.insert(0, str(Path(__file__).parent))  # so that versions can import guards.py

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
