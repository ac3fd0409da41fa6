"""Writing at the end of the audit chain: entries, their subjects and links, and their events.

An entry is written in the transaction of what it tells, as the last thing before the commit and
behind a lock that is held until then: so ids, places and numbers of events have one order. All who
write wait for that lock. What can be made before it is made before it, and PostgreSQL is asked
twice behind it: for the end of the chain, and to write everything at once.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from batchqc.core.audit import Entry, Link, entry_sha256, next_link
from batchqc.core.canonical import utc_text
from batchqc.core.events import kind_of, named
from batchqc.records.audit import AuditEntry, newest_link
from batchqc.records.bulk import Rows, insert_together, new_ids
from batchqc.records.events import newest_event
from batchqc.records.schema import METADATA

# The lock is asked for by a statement of its own: the next one sees what its last holder wrote.
_HOLD: Final = "SELECT pg_advisory_xact_lock(hashtextextended('audit chain', 0))"
_END: Final = """
SELECT link.sequence, link.entry_sha256, link.previous, link.sha256, {newest_event},
    ARRAY(SELECT nextval(pg_get_serial_sequence('audit_entry', 'id'))
          FROM generate_series(1, {many}))
FROM (VALUES (1)) AS one
LEFT JOIN (SELECT * FROM audit_link ORDER BY sequence DESC LIMIT 1) AS link ON true
"""
_NEWEST_EVENT: Final = "(SELECT coalesce(max(number), 0) FROM event)"


class _Written(NamedTuple):
    """An entry with its text, the hash of that, and the kind of its event."""

    entry: Entry
    text: str
    sha256: str
    event: str | None


class _End(NamedTuple):
    """The newest link, the number of the newest event, and ids for new entries."""

    link: Link | None
    event: int
    ids: Sequence[int]


def write_entries(session: Session, entries: Sequence[Entry]) -> None:
    """Hold the end of the chain until the transaction ends, and write entries behind it."""
    written = [
        _Written(one, text, entry_sha256(text), kind_of(one.action))
        for one, text in ((one, one.text) for one in entries)
    ]
    end = _held(session, len(written), asks_event=any(one.event for one in written))
    links = []
    link = end.link
    for one in written:
        link = next_link(link, one.sha256)
        links.append(link)
    insert_together(
        session.connection(),
        [
            _rows("audit_entry", ("id", "sha256", "text", "who", "at", "what"), [
                (id_, one.sha256, one.text, one.entry.user_id, utc_text(one.entry.at),
                 one.entry.action)
                for id_, one in zip(end.ids, written, strict=True)
            ]),
            _rows("audit_subject", ("entry_id", "subject"), [
                (id_, subject)
                for id_, one in zip(end.ids, written, strict=True)
                for subject in dict.fromkeys(one.entry.subjects)
            ]),
            _rows("audit_link", ("sequence", "entry_sha256", "previous", "sha256"), [
                (one.sequence, one.entry_sha256, one.previous, one.sha256) for one in links
            ]),
            _rows("event", (
                "number", "kind", "at", "subjects", "more", "sequence", "entry_sha256",
            ), list(_events(written, links, end.event))),
        ],
    )  # fmt: skip


def _held(session: Session, many: int, *, asks_event: bool) -> _End:
    """The end of the chain, behind the lock; the number of the newest event only if it is asked."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        return _held_on_postgresql(connection, many, asks_event=asks_event)
    event = newest_event(session) if asks_event else 0
    ids = new_ids(connection, METADATA.tables[AuditEntry.__tablename__])
    return _End(newest_link(session), event, [next(ids) for _ in range(many)])


def _held_on_postgresql(connection: Connection, many: int, *, asks_event: bool) -> _End:
    """Both statements are sent at once: whoever holds the lock does not wait for a way between."""
    end = _END.format(many=int(many), newest_event=_NEWEST_EVENT if asks_event else "0")
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.execute(f"{_HOLD}; {end}", prepare=False)  # two at once cannot be prepared
        cursor.nextset()
        *link, event, ids = cursor.fetchone()
    return _End(Link(*link) if link[0] else None, event, ids)


def _events(
    written: Sequence[_Written], links: Sequence[Link], newest: int
) -> Iterator[tuple[object, ...]]:
    number = newest
    for one, link in zip(written, links, strict=True):
        if one.event is None:
            continue
        number += 1
        subjects, more = named(one.entry.subjects)
        yield (
            number, one.event, utc_text(one.entry.at), json.dumps(subjects, ensure_ascii=False),
            more, link.sequence, one.sha256,
        )  # fmt: skip


def _rows(table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> Rows:
    return Rows(METADATA.tables[table], columns, rows)
