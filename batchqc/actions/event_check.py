"""Whether the outbox says what the audit trail says: each event follows from its entry.

An entry lacks its event where it stands behind the newest event, or where an event of its kind
stands before it: what was done before its kind was told of makes none.
"""

import json
from collections.abc import Iterator

from sqlalchemy.orm import Session

from batchqc.core.audit import entry_sha256
from batchqc.core.events import KINDS, kind_of, named
from batchqc.records.audit import AuditEntry, AuditLink
from batchqc.records.events import (
    EventRow,
    entries_without_event,
    events_with_entries,
    places_of_events,
)


def event_problems(session: Session) -> Iterator[tuple[int | None, str]]:
    """What is wrong with the events: the place of the entry, where there is one, and in words."""
    expected = 0
    for event, link, entry in events_with_entries(session):
        expected += 1
        if event.number != expected:
            yield event.sequence, f"event {expected} is missing (found {event.number} in its place)"
            expected = event.number
        if link is None or entry is None:
            yield None, f"event {event.number} follows from no entry"
        elif not _follows(event, link, entry):
            yield link.sequence, f"event {event.number} is not what entry {link.sequence} says"
    yield from _missing(session)


def _missing(session: Session) -> Iterator[tuple[int, str]]:
    newest, first = 0, dict[str, int]()
    for kind, sequence in places_of_events(session):
        newest = max(newest, sequence)
        first[kind] = min(sequence, first.get(kind, sequence))
    for what, sequence in entries_without_event(session, KINDS) if newest else ():
        if sequence > min(newest, first.get(KINDS[what], newest)):
            yield sequence, f"the event of entry {sequence} is missing"


def _follows(event: EventRow, link: AuditLink, entry: AuditEntry) -> bool:
    if entry_sha256(entry.text) != entry.sha256:
        return True  # the entry is the damage, and is named
    body = json.loads(entry.text)
    subjects, more = named(body["subjects"])
    try:
        told = event.event
    except (ValueError, TypeError):
        return False
    return (told.kind, told.at, told.subjects, told.more, told.sequence) == (
        kind_of(body["what"]), entry.at, subjects, more, link.sequence,
    )  # fmt: skip
