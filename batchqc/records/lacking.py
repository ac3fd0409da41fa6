"""What an instance lacks of a trail because it took in a part of it: a lot dossier."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.records.audit import entry_at
from batchqc.records.dossiers import STAYS
from batchqc.records.imports import imports
from batchqc.records.log import place_of


@dataclass(frozen=True, slots=True)
class Lacking:
    """Up to an entry, only those held are here; some records that these tell of are not.

    Everything after ``until`` is here.
    """

    until: int = 0
    held: frozenset[int] = frozenset()
    records: frozenset[str] = frozenset()

    def entry(self, sequence: int) -> bool:
        """Whether an entry was left out of the dossier."""
        return sequence <= self.until and sequence not in self.held


NOTHING: Final = Lacking()


def lacking_in(content: Mapping[str, Any]) -> Lacking:
    """What a dossier says that it leaves out."""
    return Lacking(content["entries"], frozenset(content["held"]), frozenset(content["left_out"]))


def lacking_here(session: Session, stored: Callable[[str], bytes]) -> Lacking:
    """What this instance lacks; ``stored`` gives bytes by their hash.

    An import is the first that was done here. One that somebody wrote behind what an instance did
    itself excuses nothing: the links that it leaves in place agree with every witness.
    """
    for one in imports(session):
        entry = entry_at(session, one.entries + 1)
        is_told = entry is not None and json.loads(entry.text)["records"] == {
            one.key: one.content_sha256
        }
        if is_told and not _did_before(session, one.entries):
            return lacking_in(json.loads(stored(one.content_sha)))
    return NOTHING


def _did_before(session: Session, until: int) -> bool:
    """Whether an entry up to a place tells of what no dossier brings, and is on record here."""
    for kind in STAYS:
        first = session.scalar(select(kind).order_by(kind.id).limit(1))
        place = None if first is None else place_of(session, first.key)
        if place is not None and place <= until:
            return True
    return False
