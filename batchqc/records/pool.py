"""Connections that are kept open: before its use each is asked whether its server still answers.

As ``pool_pre_ping`` of SQLAlchemy does, but for one that was used a moment ago, as every second one
of a request was: to ask is a turn to the server.
"""

from time import monotonic_ns
from typing import Any, Final

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

_FRESH: Final = 250_000_000
"""Nanoseconds after its use in which a connection is not asked."""
_USED: Final = "batchqc_used"


def ask_before_use(engine: Engine) -> None:
    """Ask connections of an engine; where one does not answer, all are opened anew."""

    def note(_: object, entry: ConnectionPoolEntry) -> None:
        entry.info[_USED] = monotonic_ns()

    def ask(connection: Any, entry: ConnectionPoolEntry, _: object) -> None:
        used = entry.info.get(_USED)  # of a new one there is none
        if used is None or monotonic_ns() - used < _FRESH:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine, "checkin", note)
    event.listen(engine, "checkout", ask)
