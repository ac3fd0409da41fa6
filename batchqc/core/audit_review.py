"""The review of a lot's audit trail before its release (requirements 1.54 to 1.56, 1.60).

The system selects what is worth reading: changes, refusals, what was done again or late, failed
signatures and changed rights of the people involved, holds, changed rules. What is done for every
lot is counted only. An action that nobody classified is worth reading.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from batchqc.core.components import Component
from batchqc.core.lot_states import Disposition

#: What is done for every lot, and says nothing beyond that it was done.
ROUTINE: Final = frozenset(
    {
        "lot registered",
        "samples registered",
        "upload accepted",
        "second entry matches",
        "document attached",
        "results reviewed",
        "lot reviewed by QC",
        "audit trail reviewed",
        "donor registered",
        "donor eligibility determined",
        "material use recorded",
        "laboratory certificate kept",
        "certificate issued",
        "certificate copied",
        "lot checked",
        "donation registered",
        "consent recorded",
        "containers registered",
        "containers shipped",
        "shipment received",
        "administration recorded",
        "passage recorded",
        "step-up used",
    }
)

#: What follows the review, and does not make it out of date: the decision is what it was for. The
#: proof of who signs, that of the review too, tells nothing beside the entry of what is signed.
AFTER: Final = frozenset(
    {
        "step-up used",
        "audit trail reviewed",
        "lot checked",
        "certificate issued",
        "certificate copied",
        *(f"lot {disposition}" for disposition in Disposition),
    }
)

#: What people do with their own accounts every day; all else about an account is worth reading.
OF_PEOPLE: Final = frozenset(
    {
        "signed in",
        "signed out",
        *(f"{component.word} accepted" for component in Component),
        "password changed",
        "ended at single sign-on",
        "sent to single sign-on",
        "returned from single sign-on",
        "step-up used",
        "authenticator offered",
        "authenticator confirmed",
        "accountability accepted",
        "asked for by an auditor",
    }
)


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """An entry of the audit trail with its place in the chain; ``paper`` is of a late entry."""

    sequence: int
    sha256: str
    who: str
    role: str
    at: datetime
    what: str
    why: str
    subjects: tuple[str, ...]
    paper: str = ""


@dataclass(frozen=True, slots=True)
class WorthReading:
    """An entry that was selected, and why."""

    entry: TrailEntry
    because: str


@dataclass(frozen=True, slots=True)
class Selection:
    """What QA reads before a release: the entries selected, and how many of each routine kind."""

    entries: tuple[WorthReading, ...]
    routine: Mapping[str, int]


def select_entries(entries: Iterable[TrailEntry], *, late: Mapping[str, str]) -> Selection:
    """What is worth reading, in the order of the chain.

    Args:
        entries: about the lot, its people and the rules.
        late: uploads whose results came in late, in words, by key.
    """
    selected, routine, seen = [], Counter[str](), set[tuple[str, str]]()
    for entry in sorted(entries, key=lambda one: one.sequence):
        because = _because(entry, seen, late)
        if because:
            selected.append(WorthReading(entry, because))
        else:
            routine[entry.what] += 1
    return Selection(tuple(selected), dict(sorted(routine.items())))


def performers(selection: Selection) -> frozenset[str]:
    """Who did what is worth reading: they do not review it (requirement 1.54)."""
    return frozenset(one.entry.who for one in selection.entries)


def _because(entry: TrailEntry, seen: set[tuple[str, str]], late: Mapping[str, str]) -> str:
    if entry.what not in ROUTINE:
        return "not done for every lot"
    if entry.paper:
        return entry.paper
    if entry.what == "donor eligibility determined":
        done = (entry.what, entry.subjects[-1] if entry.subjects else "")
        if done in seen:
            return "determined again"
        seen.add(done)
    if entry.what == "upload accepted":
        if entry.why:
            return "it supersedes what was on record"
        return next((late[one] for one in entry.subjects if one in late), "")
    return ""
