"""A transaction: session, actor, time and audit in one; nothing changes outside of one.

Rings that keep a change from escaping the audit trail:

1. A new row that no audit entry of the transaction mentions, as it is, refuses to commit.
2. Updates, deletes and all statements that pass the first ring by are refused.
3. Triggers refuse UPDATE, DELETE, TRUNCATE and replacing INSERT in the database itself, and the
   runtime role of PostgreSQL holds no right to them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, event, insert, text
from sqlalchemy.orm import Session

from batchqc.core.audit import Entry
from batchqc.core.canonical import Json
from batchqc.core.permissions import Permission
from batchqc.errors import IntegrityFailure
from batchqc.records.audit import WAIT_FOR_STANDBY, AuditEntry
from batchqc.records.base import AUDITED, Row
from batchqc.records.bulk import insert_rows, new_ids
from batchqc.records.chain import told_once, write_entries
from batchqc.records.database import COMPONENT_KEY, READ_ONLY
from batchqc.records.events import announce_events
from batchqc.records.schema import METADATA, WITNESSED
from batchqc.records.session_guards import Flushes, every_statement, passes_by, refuse_writing
from batchqc.records.turns import in_turn

_LOT: Final = "lot:"
#: Whether passwords belong to hashes, found before a transaction, while nobody waited.
Checked = Mapping[tuple[str, str], bool]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, in which role, in which time zone (IANA name), what for, and in which session.

    ``sign_in`` is the hash of the session's token; blank where there is none. ``job`` is the key of
    the job in which the system acts for the person; every entry is filed under it.
    """

    user_id: str
    role: str
    time_zone: str = "UTC"
    permission: Permission | None = None
    sign_in: str = ""
    job: str = ""


SYSTEM: Final = Actor("system", "system")


@dataclass(slots=True)
class Transaction:
    """One unit of work of one actor at one time."""

    session: Session
    actor: Actor
    now: datetime
    checked: Checked = field(default_factory=dict, repr=False)
    _written: dict[str, str] = field(default_factory=dict)
    _entries: list[Entry] = field(default_factory=list)
    _in_bulk: dict[str, str] = field(default_factory=dict)

    @property
    def engine(self) -> Engine:
        """Of the database."""
        return self.session.connection().engine

    @property
    def component_key(self) -> Path | None:
        """The file of the key of second components, where the database was opened with it."""
        path: Path | None = self.session.get_bind().get_execution_options().get(COMPONENT_KEY)
        return path

    def add(self, *rows: Row) -> None:
        """Add rows and give them their ids; an entry must mention them before the commit."""
        if self.session.get_bind().dialect.name == "sqlite":
            self._number(rows)
        self.session.add_all(rows)
        self.session.flush()

    def _number(self, rows: Iterable[Row]) -> None:
        """Give several rows of one table the ids that they would get: SQLite tells them one by one.

        Who writes is alone there, and rows with their ids are inserted together.
        """
        of_table: dict[type[Row], list[Row]] = {}
        for row in rows:
            if row.id is None:
                of_table.setdefault(type(row), []).append(row)
        for table, own in of_table.items():
            if len(own) > 1:
                ids = new_ids(self.session.connection(), METADATA.tables[table.__tablename__])
                for row, given in zip(own, ids, strict=False):
                    row.id = given

    def add_many(self, table: type[Row], values: Sequence[Mapping[str, Any]]) -> None:
        """Add very many rows of which the entry holds one common hash.

        Raises:
            IntegrityFailure: for rows of a table that entries hold one by one.
        """
        if table in WITNESSED:
            raise passes_by()
        if values:
            statement = insert(table.__table__).execution_options(**AUDITED)  # type: ignore[arg-type]  # of a declared class it is a Table
            self.session.execute(statement, list(values))

    def add_in_bulk(
        self,
        table: type[Row],
        columns: Sequence[str],
        rows: Iterable[tuple[object, ...]],
        *,
        records: Mapping[str, str] | None = None,
    ) -> None:
        """Add very many rows by the driver (COPY on PostgreSQL), values as they are stored.

        Args:
            table: whose rows they are.
            columns: the columns that each row gives.
            rows: the values.
            records: key and content hash of each, where entries hold them one by one.

        Raises:
            IntegrityFailure: for rows of such a table without them.
        """
        if table in WITNESSED and records is None:
            raise passes_by()
        self._in_bulk |= records or {}
        insert_rows(self.session.connection(), METADATA.tables[table.__tablename__], columns, rows)

    def carry_in(self, entries: Iterable[AuditEntry]) -> None:
        """Add entries of another instance's trail as they are; they mention the rows of theirs."""
        for entry in entries:
            self.session.add(entry)
            self._written |= json.loads(entry.text)["records"]
        self.session.flush()

    def audit(  # noqa: PLR0913 - who, what, why, before, after are what an entry is
        self,
        action: str,
        *,
        rows: Iterable[Row] = (),
        about: Iterable[str] = (),
        reason: str = "",
        before: Mapping[str, Json] | None = None,
        after: Mapping[str, Json] | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        """Write one audit entry.

        Args:
            action: what was done, in words of the vocabulary.
            rows: the rows that were added by it; the entry holds their hashes.
            about: keys of further records that it speaks of.
            reason: why.
            before: what was so before.
            after: what is so now.
            extra: the hashes of very many more rows, by key; the entry is not filed under these.
        """
        own = {row.key: row.content_sha256 for row in rows}
        records = own | dict(extra or {})
        self._written |= own
        for key, sha256 in (extra or {}).items():
            if self._in_bulk.get(key) == sha256:
                del self._in_bulk[key]  # it is mentioned
        offset = self.now.astimezone(ZoneInfo(self.actor.time_zone)).utcoffset()
        self._entries.append(
            Entry(
                user_id=self.actor.user_id,
                role=self.actor.role,
                at=self.now,
                offset_minutes=int(offset.total_seconds() // 60) if offset else 0,
                action=action,
                reason=reason,
                subjects=(*own, *about, *filter(None, [self.actor.job])),
                before=before or {},
                after=after or {},
                records=records,
            )
        )

    def lock(self, name: str) -> None:
        """Wait until no other transaction holds the lock ``name``; held until the end.

        SQLite has one writer anyway. PostgreSQL's advisory lock needs no right to change rows.
        """
        if name.startswith(_LOT):
            self._lock(_LOT, "pg_advisory_xact_lock_shared")
        self._lock(name, "pg_advisory_xact_lock")

    def lock_every_lot(self) -> None:
        """Wait until nobody holds the lock of any lot; for a file that names very many."""
        self._lock(_LOT, "pg_advisory_xact_lock")

    def _lock(self, name: str, how: str) -> None:
        if self.session.get_bind().dialect.name == "postgresql":
            lock = text(f"SELECT {how}(hashtextextended(:name, 0))")
            self.session.execute(lock, {"name": name})

    def wait_for_standby(self) -> None:
        """Let this transaction end only when all that is committed is on a standby's disk too.

        A commit that waits for a synchronous standby can be seen before, by whoever was cut off
        meanwhile and asks again: then it must not be told as done yet.
        """
        if self.session.get_bind().dialect.name == "postgresql":
            self.session.execute(text(WAIT_FOR_STANDBY))

    def seal(self, new_rows: Iterable[Row]) -> None:
        """Check that every new row is mentioned, then write entries, links, and events.

        Raises:
            IntegrityFailure: where a row would change without an entry.
        """
        self.session.flush()
        new = {row.key: row.content_sha256 for row in new_rows}
        silent = [key for key, sha256 in new.items() if self._written.get(key) != sha256]
        silent += self._in_bulk
        if silent:
            raise IntegrityFailure(
                "BQC-AUD-001",
                f"no audit entry mentions {', '.join(silent)}; nothing was committed",
            )
        entries, self._entries = self._entries, []
        if entries:
            announce_events(self.session, entries)  # nobody waits for it: before the lock
            write_entries(self.session, entries)


@contextmanager
def transaction(
    engine: Engine, actor: Actor, now: datetime, *, checked: Checked | None = None
) -> Iterator[Transaction]:
    """A transaction that commits at the end of the block, or changes nothing at all."""
    with in_turn(engine), Session(engine, autoflush=False) as session:
        tx = Transaction(session, actor, now, checked or {})
        flushes = Flushes()
        event.listen(session, "before_flush", flushes.begin)
        event.listen(session, "after_flush", flushes.end)
        event.listen(session, "after_rollback", flushes.end)
        event.listen(session, "before_commit", lambda _: tx.seal(flushes.new_rows))
        event.listen(session, "after_begin", every_statement(flushes.refuse_others))
        yield tx
        with told_once():
            session.commit()


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that reads one consistent state and cannot write."""
    with _reads(engine, "REPEATABLE READ") as session:
        yield session


@contextmanager
def asking(engine: Engine) -> Iterator[Session]:
    """A session for one question; on PostgreSQL a second one may see a later state.

    What is read by one statement needs no transaction, which takes two turns to the server more.
    """
    with _reads(engine, "AUTOCOMMIT") as session:
        yield session


class _Reading(Session):
    """A session that refuses every statement that writes."""


event.listen(_Reading, "after_begin", every_statement(refuse_writing))


@lru_cache(maxsize=8)  # to make one takes as long as a question
def _that_reads(engine: Engine, isolation: str) -> Engine:
    """The engine, whose connections only read, however often a session begins."""
    options: dict[str, Any] = {READ_ONLY: True}
    if engine.dialect.name == "postgresql":
        options |= {"postgresql_readonly": True, "isolation_level": isolation}
    return engine.execution_options(**options)


@contextmanager
def _reads(engine: Engine, isolation: str) -> Iterator[Session]:
    with _Reading(_that_reads(engine, isolation), autoflush=False) as session:
        yield session
        if engine.dialect.name == "postgresql":
            # Where it were rolled back, the driver would forget every prepared statement.
            session.expunge_all()  # nothing of it is written
            session.commit()
