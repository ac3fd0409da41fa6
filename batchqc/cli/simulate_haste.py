"""A new installation is written in haste: the disk is waited for once, at the end.

Until then a site that is being simulated can be lost, and is made anew. Whoever opens the database
after it, waits for the disk as everywhere.
"""

import os
from typing import Any, Final

from sqlalchemy import Engine, event

_SQLITE: Final = (
    "PRAGMA synchronous=OFF",
    "PRAGMA cache_size=-524288",  # hashes are looked up anywhere: half a GiB of them
    "PRAGMA wal_autocheckpoint=100000",
)
_POSTGRESQL: Final = (
    "SET synchronous_commit=off",
    "SET enable_seqscan=off",  # how references are checked is decided once, while tables are empty
)


def in_haste(engine: Engine) -> None:
    """Let no connection that is opened from now on wait for the disk."""
    statements = _POSTGRESQL if engine.dialect.name == "postgresql" else _SQLITE

    def hasten(connection: Any, _: object) -> None:
        for statement in statements:
            connection.execute(statement)
        connection.commit()

    event.listen(engine, "connect", hasten)


def wait_for_the_disk(engine: Engine) -> None:
    """Close what was opened in haste; what was written lies on the disk then."""
    engine.dispose()
    os.sync()
