"""What the genealogy of a lot says for and against its release.

- A lot that names no bank is doubted as the rule of the register "genealogy" says: not at all
  (off), in a remark (flag), or so that it is not released (refuse).
- Of a lot that names banks, what contradicts stops it under every rule: other donors than those its
  banks are of, a bank that was younger, expired or is not available, a source under look-back.
- Doublings above the maximum that a bank declares are remarked on: a limit that decides is a
  criterion of the specification.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from batchqc.core.cell_banks import Parent, donors_of, donors_problem, parents_problems
from batchqc.core.doublings import Stands, level_text, stands
from batchqc.core.gates import Against
from batchqc.core.laboratory import Rule
from batchqc.core.quantities import Interval


@dataclass(frozen=True, slots=True)
class Grown:
    """The cumulative doublings of a bank or lot, and the maximum that counts for it, if any."""

    node: str
    level: Interval | None
    maximum: str


@dataclass(frozen=True, slots=True)
class Descent:
    """What a lot was made of.

    Args:
        made_on: the day of the lot, as corrected.
        donors: that it names.
        parents: the banks and donations that it names.
        has_bank: whether a bank is among all that it comes from.
        grown: the doublings of the lot and of each bank that it comes from.
        doubted: open look-backs from a source of it, and banks further back that are not available.
        evidence: the keys of the banks.
    """

    made_on: date
    donors: frozenset[str]
    parents: tuple[Parent, ...] = ()
    has_bank: bool = False
    grown: tuple[Grown, ...] = ()
    doubted: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


NO_BANK = "no cell bank is registered that the lot was made of"


def against_descent(descent: Descent, rule: Rule) -> Against:
    """What the genealogy says, each part in words."""
    missing = NO_BANK if rule is not Rule.OFF and not descent.has_bank else ""
    stops = [missing] if missing and rule is Rule.REFUSE else []
    remarks = [missing] if missing and rule is Rule.FLAG else []
    stops += _contradictions(descent)
    return Against(tuple(stops), (*remarks, *_doublings(descent.grown)), evidence=descent.evidence)


def _contradictions(descent: Descent) -> Iterator[str]:
    yield from parents_problems(descent.made_on, descent.parents)
    if descent.parents:
        mixed = donors_problem(descent.donors, donors_of(descent.parents))
        if mixed:
            yield mixed
    yield from descent.doubted


def _doublings(grown: tuple[Grown, ...]) -> Iterator[str]:
    words: Mapping[Stands, str] = {
        Stands.ABOVE: "above the declared maximum",
        Stands.UNKNOWN: "which cannot be compared with the declared maximum",
    }
    for one in grown:
        found = words.get(stands(one.level, one.maximum))
        if found:
            level = level_text(one.level)
            yield f"cumulative doublings of {one.node}: {level}, {found} {one.maximum}"
