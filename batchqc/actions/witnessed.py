"""Whether rows are those that entries of the audit trail speak of."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Final

from sqlalchemy.orm import Session

from batchqc.core.audit import entry_sha256
from batchqc.records.audit import AuditEntry, entries_about
from batchqc.records.base import Row

_ANEW: Final[Callable[[Row], str]] = attrgetter("content_sha256")


def unlike_trail(session: Session, about: Iterable[str], rows: Iterable[Row]) -> Iterator[str]:
    """Which rows, of which entries about some records speak, are not as these say."""
    named = ((row.key, row) for row in rows)
    yield from unlike(named, witnessed_by(entries_about(session, about)))


def unlike(
    rows: Iterable[tuple[str, Row]],
    witnessed: Mapping[str, str],
    hash_of: Callable[[Row], str] = _ANEW,
) -> Iterator[str]:
    """Which rows, each behind its key, are not as witnessed: the hash of each by its key."""
    for key, row in rows:
        if key not in witnessed:
            yield f"no audit entry mentions {key}"
        elif witnessed[key] != hash_of(row):
            yield f"{key} is not as its audit entry says"


def witnessed_by(entries: Iterable[AuditEntry]) -> dict[str, str]:
    """The hash of each row by the first entry that speaks of it; changed entries count not."""
    found: dict[str, str] = {}
    for entry in sorted(entries, key=lambda entry: entry.id):
        if entry_sha256(entry.text) == entry.sha256:
            found = json.loads(entry.text)["records"] | found
    return found
