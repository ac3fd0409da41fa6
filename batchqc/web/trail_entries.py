"""An entry of the audit trail as a page shows it: read from its stored text, and compared."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from batchqc.core.audit import own_break
from batchqc.records.audit import AuditEntry, AuditLink

_SHORT: Final = 12
_HASH: Final = 64


@dataclass(frozen=True, slots=True)
class Change:
    """One fact before and after; blank where it was or is not."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One entry, as its text says; ``broken`` says what is wrong with it, looked at alone."""

    sequence: int
    sha256: str
    at: datetime
    local: datetime
    who: str
    role: str
    what: str
    why: str
    subjects: tuple[str, ...]
    changes: tuple[Change, ...]
    broken: str
    records: Mapping[str, str] = field(default_factory=dict)


def entry_line(link: AuditLink, entry: AuditEntry) -> EntryLine:
    """What stands in an entry; the columns beside its text are not read."""
    broken = own_break(link.link, entry.text)
    try:
        body = json.loads(entry.text)
        return _read(link, body, broken)
    except (ValueError, KeyError, TypeError):
        return EntryLine(
            link.sequence, link.entry_sha256, entry.at, entry.at, entry.who, "", entry.what, "",
            (), (), broken or f"entry {link.sequence} cannot be read",
        )  # fmt: skip


def _read(link: AuditLink, body: Mapping[str, Any], broken: str) -> EntryLine:
    at = datetime.fromisoformat(body["at"]).astimezone(UTC)
    return EntryLine(
        sequence=link.sequence,
        sha256=link.entry_sha256,
        at=at,
        local=at.astimezone(timezone(timedelta(minutes=body["offset_minutes"]))),
        who=body["who"],
        role=body["role"],
        what=body["what"],
        why=body["why"],
        subjects=tuple(body["subjects"]),
        changes=_changes(body["before"], body["after"]),
        broken=broken,
        records=body["records"],
    )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    names = dict.fromkeys((*before, *after))
    return tuple(Change(name, _text(before.get(name)), _text(after.get(name))) for name in names)


def _text(found: Any) -> str:
    """A value as a person reads it."""
    match found:
        case None:
            return ""
        case str():
            return found
        case bool():
            return "yes" if found else "no"
        case list() if all(isinstance(one, str) for one in found):
            return ", ".join(found)
        case _:
            return json.dumps(found, ensure_ascii=False)


def shortened(text: str, length: int = 60) -> str:
    """A text as a list shows it: a hash by its first digits, anything else by its beginning."""
    if len(text) == _HASH and all(one in "0123456789abcdef" for one in text):
        return f"{text[:_SHORT]}…"
    return text if len(text) <= length else f"{text[:length].rstrip()}…"
