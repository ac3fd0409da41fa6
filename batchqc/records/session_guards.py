"""What a session refuses, whoever wrote the statement: change beside its flushes, or any change."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, event
from sqlalchemy.orm import Session

from batchqc.errors import IntegrityFailure
from batchqc.records.audit import AuditEntry, AuditLink, AuditSubject
from batchqc.records.events import EventRow

if TYPE_CHECKING:
    from batchqc.records.base import Row

_READS: Final = re.compile(r"\s*SELECT\b", re.IGNORECASE)
_AUDIT_ROWS: Final = (AuditEntry, AuditLink, AuditSubject, EventRow)


class Flushes:
    """What the flushes of a session add; nothing but a flush may write."""

    def __init__(self) -> None:
        self.new_rows: list[Row] = []
        self._flushing = False

    def begin(self, session: Session, *_: object) -> None:
        """Refuse a flush that changes or deletes a row; remember what it adds."""
        if session.deleted or any(session.is_modified(row) for row in session.dirty):
            raise IntegrityFailure(
                "BQC-AUD-002", "records are appended, never changed; nothing was committed"
            )
        self.new_rows.extend(row for row in session.new if not isinstance(row, _AUDIT_ROWS))
        self._flushing = True

    def end(self, *_: object) -> None:
        """A flush is over."""
        self._flushing = False

    def refuse_others(self, *arguments: Any) -> None:
        """Refuse a writing statement outside of a flush, however it came to the connection."""
        _, _, statement, _, context, _ = arguments
        audited = context.execution_options.get("audited", False)
        if not (self._flushing or audited or _READS.match(statement)):
            raise passes_by()


def every_statement(guard: Callable[..., None]) -> Callable[..., None]:
    """What lets ``guard`` see every statement of a session's connection."""

    def watch(_session: Session, _transaction: object, connection: Connection) -> None:
        event.listen(connection, "before_cursor_execute", guard)

    return watch


def refuse_writing(*arguments: Any) -> None:
    """Refuse every statement that writes: of a session that only reads."""
    if not _READS.match(arguments[2]):
        raise IntegrityFailure("BQC-AUD-004", "this session only reads; nothing was committed")


def passes_by() -> IntegrityFailure:
    """What a statement is told that no entry of the audit trail would tell of."""
    return IntegrityFailure(
        "BQC-AUD-003", "this statement passes the audit trail by; nothing was committed"
    )
