"""Whether the outbox says what the audit trail says: each event follows from its entry."""

import json
from collections.abc import Iterator

from sqlalchemy.orm import Session

from batchqc.core.audit import entry_sha256
from batchqc.core.events import kind_of, named
from batchqc.records.audit import AuditEntry, AuditLink
from batchqc.records.events import EventRow, events_with_entries


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


def _follows(event: EventRow, link: AuditLink, entry: AuditEntry) -> bool:
    if entry_sha256(entry.text) != entry.sha256:
        return True  # the entry is the damage, and is named
    body = json.loads(entry.text)
    subjects, more = named(body["subjects"])
    told = event.event
    return (told.kind, told.at, told.subjects, told.more, told.sequence) == (
        kind_of(body["what"]), entry.at, subjects, more, link.sequence,
    )  # fmt: skip
