"""A connection to PostgreSQL that sends its last statements together with its COMMIT.

Behind a lock that others wait for, no answer has to come back before the next statement is sent:
the server has them all, and the lock is not held while a thread of this process waits for its turn.
"""

from collections.abc import Sequence
from typing import Any, Final

from psycopg import Connection
from psycopg.pq import TransactionStatus

_OVER: Final = {TransactionStatus.IDLE, TransactionStatus.UNKNOWN}
"""No transaction is left, or no connection."""
Statement = tuple[Any, Sequence[object]]


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
