"""What PostgreSQL answers, described by name and type alone."""

from typing import Any, Final

from psycopg import Column, Cursor
from psycopg.pq import ExecStatus

_ROWS: Final = {ExecStatus.TUPLES_OK, ExecStatus.SINGLE_TUPLE, ExecStatus.TUPLES_CHUNK}
_NOTHING: Final = (None,) * 5
"""What else a column is described by (PEP 249)."""


class PlainCursor(Cursor[Any]):
    """As any other, but that it describes a column by its name and type alone.

    Nobody asks for more, and to make a whole description takes as long as to read a short row.
    """

    @property
    def description(self) -> list[Column] | None:
        """Name, type and nothing else of each column; ``None`` where none was asked for."""
        found = self.pgresult
        if found is None or found.status not in _ROWS:
            return None
        plain: list[Any] = [
            ((found.fname(at) or b"").decode(), found.ftype(at), *_NOTHING)
            for at in range(found.nfields)
        ]
        return plain
