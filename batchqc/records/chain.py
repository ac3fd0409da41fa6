"""Writing at the end of the audit chain: entries, their subjects and links, and their events.

An entry is written in the transaction of what it tells, as the last thing before the commit and
behind a lock that is held until then: so ids, places and numbers of events have one order. All who
write wait for that lock, so that what can be made before it is made before it. PostgreSQL is sent
the lock, the entries and the COMMIT at once, and links the entries itself: whoever holds the lock
waits for the disk alone, however busy the process is.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from batchqc.core.audit import START, Entry, Link, entry_sha256, link_body, next_link
from batchqc.core.canonical import canonical_bytes, utc_text
from batchqc.core.events import kind_of, named
from batchqc.errors import Conflict
from batchqc.records.audit import AuditEntry, newest_link
from batchqc.records.bulk import insert_rows, new_ids
from batchqc.records.events import newest_event
from batchqc.records.schema import METADATA

_AT_ONCE: Final = 100
"""Entries in a statement of PostgreSQL, where each looks through them for the next one."""
#: How a database says that an entry is there already: its constraints, and SQLite's trigger.
_TOLD_TWICE: Final = ("audit_entry_sha256", "audit_link_entry_sha256", "audit_entry is append-only")
# The lock is asked for by a statement of its own: the next one sees what its last holder wrote.
_HOLD: Final = "SELECT pg_advisory_xact_lock(hashtextextended('audit chain', 0))"
#: The hash of a link as PostgreSQL works it out: over the bytes that core makes of one.
_SHA256: Final = "encode(sha256(convert_to('{}', 'UTF8')), 'hex')".format(
    canonical_bytes(link_body(0, "<entry>", "<previous>"))
    .decode()
    .replace("<entry>", "' || entry || '")
    .replace("<previous>", "' || previous || '")
    .replace(":0,", ":' || sequence || ',")
)
_WRITE: Final = f"""
WITH RECURSIVE written AS (
    SELECT * FROM unnest(
        %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
        %s::integer[]
    ) WITH ORDINALITY AS one (sha256, text, who, at, what, kind, subjects, more, place)
), head AS (
    SELECT sequence, sha256 FROM audit_link ORDER BY sequence DESC LIMIT 1
), link AS (
    SELECT place, sha256 AS entry, coalesce((SELECT sequence FROM head), 0) + 1 AS sequence,
        coalesce((SELECT sha256 FROM head), '{START}') AS previous
    FROM written WHERE place = 1
    UNION ALL
    SELECT written.place, written.sha256, sequence + 1, {_SHA256}
    FROM link JOIN written ON written.place = link.place + 1
), new_entry AS (
    INSERT INTO audit_entry (sha256, text, who, at, what)
    SELECT sha256, text, who, at, what FROM written ORDER BY place
    RETURNING id, sha256
), new_subject AS (
    INSERT INTO audit_subject (entry_id, subject)
    SELECT id, subject FROM unnest(%s::text[], %s::text[]) AS one (sha256, subject)
    JOIN new_entry USING (sha256)
), new_event AS (
    INSERT INTO event (number, kind, at, subjects, more, sequence, entry_sha256)
    SELECT (SELECT coalesce(max(number), 0) FROM event) + row_number() OVER (ORDER BY place),
        kind, at, subjects, more, sequence, entry
    FROM written JOIN link USING (place) WHERE kind IS NOT NULL ORDER BY place
)
INSERT INTO audit_link (sequence, entry_sha256, previous, sha256)
SELECT sequence, entry, previous, {_SHA256} FROM link ORDER BY place
"""  # noqa: S608 - of constants


class _Written(NamedTuple):
    """An entry as it is stored, with its event: ``kind`` is ``None`` where none follows."""

    sha256: str
    text: str
    who: str
    at: str
    what: str
    kind: str | None
    named: str
    more: int
    subjects: tuple[str, ...]


@contextmanager
def told_once() -> Iterator[None]:
    """Tell whose commit would write an entry that is there already.

    Raises:
        Conflict: BQC-AUD-006 the same person did the very same at the same microsecond before.
    """
    try:
        yield
    except (IntegrityError, sqlite3.IntegrityError) as problem:
        said = str(getattr(problem, "orig", None) or problem)
        if not any(one in said for one in _TOLD_TWICE):
            raise
        raise Conflict(
            "BQC-AUD-006",
            "the same was recorded for you at the same microsecond; nothing was recorded again",
            hint="If it was to be done twice, do it again.",
        ) from problem


def write_entries(session: Session, entries: Sequence[Entry]) -> None:
    """Write entries at the end of the chain, which is held until the transaction ends.

    On PostgreSQL the commit writes them: nothing may be asked of the transaction after this.
    """
    written = list(map(_written, entries))
    if session.get_bind().dialect.name == "postgresql":
        _say_last(session.connection(), written)
    else:
        _insert(session, written)


def _written(entry: Entry) -> _Written:
    text, kind = entry.text, kind_of(entry.action)
    subjects, more = named(entry.subjects) if kind else ((), 0)
    told = json.dumps(subjects, ensure_ascii=False)
    return _Written(
        entry_sha256(text), text, entry.user_id, utc_text(entry.at), entry.action, kind, told, more,
        tuple(dict.fromkeys(entry.subjects)),
    )  # fmt: skip


def _say_last(connection: Connection, written: Sequence[_Written]) -> None:
    statements: list[tuple[str, Sequence[object]]] = [(_HOLD, ())]
    for first in range(0, len(written), _AT_ONCE):
        some = written[first : first + _AT_ONCE]
        columns = [list(column) for column in zip(*(one[:-1] for one in some), strict=True)]
        filed = [(one.sha256, subject) for one in some for subject in one.subjects]
        under = [[one[0] for one in filed], [one[1] for one in filed]]
        statements.append((_WRITE, (*columns, *under)))
    driver: Any = connection.connection.driver_connection  # as ``open_database`` has it
    driver.say_last(statements)


def _insert(session: Session, written: Sequence[_Written]) -> None:
    """SQLite has one writer, who is this one."""
    ids = new_ids(session.connection(), METADATA.tables[AuditEntry.__tablename__])
    placed = list(zip(ids, written, _links(newest_link(session), written), strict=False))
    told = [(one, link) for _, one, link in placed if one.kind]
    number = newest_event(session) if told else 0
    _rows(
        session,
        "audit_entry",
        ("id", "sha256", "text", "who", "at", "what"),
        [(id_, *one[:5]) for id_, one, _ in placed],
    )
    _rows(
        session,
        "audit_subject",
        ("entry_id", "subject"),
        [(id_, subject) for id_, one, _ in placed for subject in one.subjects],
    )
    _rows(
        session,
        "audit_link",
        ("sequence", "entry_sha256", "previous", "sha256"),
        [(one.sequence, one.entry_sha256, one.previous, one.sha256) for _, _, one in placed],
    )
    _rows(session, "event", (
        "number", "kind", "at", "subjects", "more", "sequence", "entry_sha256",
    ), [
        (place, one.kind, one.at, one.named, one.more, link.sequence, one.sha256)
        for place, (one, link) in enumerate(told, start=number + 1)
    ])  # fmt: skip


def _rows(
    session: Session, table: str, columns: Sequence[str], rows: Iterable[tuple[object, ...]]
) -> None:
    insert_rows(session.connection(), METADATA.tables[table], columns, rows)


def _links(newest: Link | None, written: Sequence[_Written]) -> Iterator[Link]:
    for one in written:
        newest = next_link(newest, one.sha256)
        yield newest
