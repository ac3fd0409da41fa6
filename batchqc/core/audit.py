"""Audit trail entries: their content, their canonical bytes, and the chain over them.

An entry's bytes hold neither a sequence number nor the previous hash, so that a log of another
shape can be laid over the same bytes later. The chain is a list of links beside them.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from batchqc.core.canonical import (
    LARGEST_INTEGER,
    Json,
    canonical_bytes,
    sha256_of,
    utc_text,
)

ENTRY_TYPE: Final = "batchqc/audit-entry/1"
START: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what, when and why, and what it was before and after.

    Args:
        user_id: of the person, or ``system`` for set-up.
        offset_minutes: of the local time of the actor's site.
        subjects: the records that it is filed under, by natural key.
        records: each record written with it, by natural key, with the hash of its content.
    """

    user_id: str
    role: str
    at: datetime
    offset_minutes: int
    action: str
    reason: str
    subjects: tuple[str, ...]
    before: Mapping[str, Json]
    after: Mapping[str, Json]
    records: Mapping[str, str]

    @property
    def body(self) -> Mapping[str, Json]:
        """The entry as canonical content."""
        return {
            "type": ENTRY_TYPE,
            "who": self.user_id,
            "role": self.role,
            "at": utc_text(self.at),
            "offset_minutes": self.offset_minutes,
            "what": self.action,
            "why": self.reason,
            "subjects": list(self.subjects),
            "before": self.before,
            "after": self.after,
            "records": self.records,
        }

    @property
    def text(self) -> str:
        """The canonical bytes as text; this is what is stored."""
        return canonical_bytes(self.body).decode()


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the chain: a position, the entry there, the link before, and its own hash."""

    sequence: int
    entry_sha256: str
    previous: str
    sha256: str


def entry_sha256(text: str) -> str:
    """The hash of an entry's stored text."""
    return hashlib.sha256(text.encode()).hexdigest()


def next_link(previous: Link | None, entry: str) -> Link:
    """The link that puts an entry (by its hash) behind ``previous``."""
    sequence = previous.sequence + 1 if previous else 1
    before = previous.sha256 if previous else START
    return Link(sequence, entry, before, _link_sha256(sequence, entry, before))


def first_break(links: Iterable[Link]) -> str | None:
    """What is wrong with the first link that does not follow from the one before, or ``None``."""
    previous: Link | None = None
    for link in links:
        if broken := break_behind(previous, link):
            return broken
        previous = link
    return None


def break_behind(previous: Link | None, link: Link) -> str | None:
    """What is wrong with a link behind another one, or with the first one."""
    expected = next_link(previous, link.entry_sha256)
    if link.sequence != expected.sequence:
        return f"entry {expected.sequence} is missing (found {link.sequence} in its place)"
    if link != expected:
        return f"entry {link.sequence} does not follow from the one before it"
    return None


def break_after(links: Iterable[Link], known: tuple[int, str] | None) -> str:
    """What is wrong with the chain from a link that is known on, or "".

    Args:
        links: from that link on, or all where none is known.
        known: its sequence and hash.
    """
    previous: Link | None = None
    for link in links:
        if previous is None and known is not None:
            if (link.sequence, link.sha256) != known:
                return f"entry {known[0]} of the audit trail is not the one whose head QA signed"
        elif link != next_link(previous, link.entry_sha256):
            return f"entry {link.sequence} of the audit trail does not follow from the one before"
        previous = link
    return "" if previous or known is None else f"entry {known[0]} of the audit trail is missing"


def own_break(link: Link, text: str) -> str:
    """What is wrong with one entry and its link, looked at alone, or ""."""
    if entry_sha256(text) != link.entry_sha256:
        return f"entry {link.sequence} was changed: its text has another hash"
    before = Link(link.sequence - 1, "", "", link.previous)
    if next_link(before, link.entry_sha256) != link or (link.sequence == 1) != (
        link.previous == START
    ):
        return f"entry {link.sequence} does not follow from the one before it"
    return ""


def link_body(sequence: int, entry: str, previous: str) -> dict[str, Json]:
    """A link as canonical content."""
    return {
        "type": "batchqc/audit-link/1",
        "sequence": sequence,
        "entry": entry,
        "previous": previous,
    }


def _link_sha256(sequence: int, entry: str, previous: str) -> str:
    """The hash of the body; of hashes that are some, the canonical text is at hand."""
    both = f"{entry}{previous}"
    if not (both.isascii() and both.isalnum() and sequence <= LARGEST_INTEGER):
        return sha256_of(link_body(sequence, entry, previous))
    text = (
        f'{{"entry":"{entry}","previous":"{previous}","sequence":{sequence}'
        ',"type":"batchqc/audit-link/1"}'
    )
    return hashlib.sha256(text.encode()).hexdigest()
