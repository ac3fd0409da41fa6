"""What an instance lacks of a trail because it took in a part of it: a lot dossier."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from batchqc.records.audit import entry_at
from batchqc.records.imports import imports


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
    """What this instance lacks; ``stored`` gives bytes by their hash."""
    for one in imports(session):
        entry = entry_at(session, one.entries + 1)  # the import is the first that was done here
        if entry is not None and json.loads(entry.text)["records"] == {one.key: one.content_sha256}:
            return lacking_in(json.loads(stored(one.content_sha)))
    return NOTHING
