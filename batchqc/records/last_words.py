"""A connection to PostgreSQL that sends its last statements together with its COMMIT.

Behind a lock that others wait for, no answer has to come back before the next statement is sent:
the server has them all, and the lock is not held while a thread of this process waits for its turn.
"""

from collections.abc import Sequence
from typing import Any, Final

from psycopg import Column, Connection, Cursor
from psycopg.pq import ExecStatus, TransactionStatus

_OVER: Final = {TransactionStatus.IDLE, TransactionStatus.UNKNOWN}
"""No transaction is left, or no connection."""
_ROWS: Final = {ExecStatus.TUPLES_OK, ExecStatus.SINGLE_TUPLE, ExecStatus.TUPLES_CHUNK}
_NOTHING: Final = (None,) * 5
"""What else a column is described by (PEP 249)."""
Statement = tuple[Any, Sequence[object]]


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


class LastWords(Connection[Any]):
    """As any other, until it is told what to say last."""

    _last: Sequence[Statement] = ()

    def say_last(self, statements: Sequence[Statement]) -> None:
        """Say this before the next commit; what is rolled back is never said."""
        self._last = statements

    def commit(self) -> None:
        """Commit; where one of the last statements fails, all is rolled back."""
        last, self._last = self._last, ()
        if not last:
            super().commit()
            return
        try:
            with self.pipeline():
                for statement, values in last:
                    self.execute(statement, values)
                self.execute("COMMIT", prepare=False)
        finally:
            if self.info.transaction_status not in _OVER:
                super().rollback()

    def rollback(self) -> None:
        """Change nothing."""
        self._last = ()
        super().rollback()
