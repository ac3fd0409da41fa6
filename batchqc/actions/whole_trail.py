"""The audit trail from its first entry to its last, held against itself.

It is read in portions: of an entry only what it witnesses is kept, and its link. The texts, which
are most of a trail, are let go.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.orm import Session

from batchqc.core.audit import Link, break_behind, entry_sha256
from batchqc.core.canonical import utc_text
from batchqc.records.audit import EntryRead, entries_without_link, trail_in_portions
from batchqc.records.lacking import Lacking

LAST: Final = 2**53  # where problems stand that no entry speaks of


@dataclass(frozen=True, slots=True)
class Witness:
    """The entry that holds the hash of a row."""

    sequence: int
    sha256: str


@dataclass(slots=True)
class WholeTrail:
    """Every link, what each row was when it was written, by its key, and what is wrong.

    Changed entries witness nothing, and the first witness of a row is believed. ``newest`` is the
    largest id of an entry so far.
    """

    links: list[Link] = field(default_factory=list)
    witnesses: dict[str, Witness] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)
    newest: int = 0


def read_trail(session: Session, lacking: Lacking) -> WholeTrail:
    """Read all of it; what a dossier left out is not missed."""
    trail = WholeTrail()
    is_broken = False
    for portion in trail_in_portions(session):
        for link, entry in portion:
            broken = None if is_broken else break_behind(next(iter(trail.links[-1:]), None), link)
            trail.links.append(link)
            if broken:
                is_broken = True
                trail.problems.append((len(trail.links), broken))
            trail.problems += _entry_problems(trail, link, entry, lacking)
    for sha256 in entries_without_link(session):
        trail.problems.append((LAST, f"an entry ({sha256[:12]}) stands outside the chain"))
    return trail


def _entry_problems(
    trail: WholeTrail, link: Link, entry: EntryRead | None, lacking: Lacking
) -> Iterator[tuple[int, str]]:
    place = link.sequence
    if entry is None:
        if not lacking.entry(place):
            yield place, f"entry {place} is missing; its link is there"
        return
    if entry.id <= trail.newest:
        yield place, f"entry {place} has an id from before its place: searches can miss it"
    trail.newest = max(trail.newest, entry.id)
    if entry_sha256(entry.text) != link.entry_sha256:
        yield place, f"entry {place} was changed: its text has another hash"
        return
    body = json.loads(entry.text)
    stated = (body["who"], body["at"], body["what"], set(body["subjects"]))
    if stated != (entry.who, utc_text(entry.at), entry.what, entry.subjects):
        yield place, f"entry {place} is filed under other words than its own"
    for key, content in body["records"].items():
        first = trail.witnesses.setdefault(key, Witness(place, content))
        if first.sequence != place:
            yield place, f"entry {place} speaks of {key} as new once more"
