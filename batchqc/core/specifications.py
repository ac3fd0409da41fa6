"""Specifications: criteria that are approved as a whole and never edited."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property

from batchqc.core.criteria import Criterion
from batchqc.core.order import in_order
from batchqc.core.rounding import Rounding
from batchqc.core.subjects import Measured
from batchqc.core.vocabularies import Vocabulary


class Stage(StrEnum):
    """Where in the life of a lot a sample was taken."""

    DONOR = "donor"
    CELL_BANK = "cell bank"
    IN_PROCESS = "in process"
    RELEASE = "release"
    POST_THAW = "post-thaw"
    STABILITY = "stability"


@dataclass(frozen=True)
class Specification:
    """One version of a specification. ``effective`` is a site-local date.

    ``market`` is where lots go that it judges; "" judges those without one of their own.
    """

    id: str
    version: int
    product: str
    stage: Stage
    title: str
    effective: date
    rounding: Rounding
    criteria: tuple[Criterion, ...]
    decision_rule: str
    vocabularies: tuple[Vocabulary, ...] = ()
    sources: tuple[str, ...] = ()
    market: str = ""

    @property
    def reference(self) -> str:
        """Id and version, as people and records cite it."""
        return f"{self.id} v{self.version}"

    @cached_property
    def measured(self) -> Mapping[tuple[str, str], Criterion]:
        """The criterion of each test and analyte."""
        return {
            (criterion.subject.test, criterion.subject.analyte): criterion
            for criterion in self.criteria
            if isinstance(criterion.subject, Measured)
        }

    @cached_property
    def ordered(self) -> tuple[Sequence[Criterion], Sequence[Criterion]]:
        """Every criterion after those it is computed from, and those that wait for themselves."""
        return in_order(self.criteria)

    @cached_property
    def closures(self) -> Mapping[str, tuple[Criterion, ...]]:
        """Each criterion, by its id, with everything that it is computed from, each once."""
        by_id = {one.id: one for one in self.criteria}
        return {
            name: tuple(one for one in self.criteria if one.id in needed)
            for name in by_id
            for needed in [_needed(by_id, name)]
        }

    def criterion(self, *, test: str, analyte: str) -> Criterion | None:
        """The criterion that judges an analyte of a test, or ``None``."""
        return self.measured.get((test, analyte))


def closure(specification: Specification, criterion: Criterion) -> tuple[Criterion, ...]:
    """A criterion and everything that it is computed from, each once."""
    return specification.closures.get(criterion.id, ())


def leaves(specification: Specification, criterion: Criterion) -> Iterator[Measured]:
    """What a criterion measures, directly or through others."""
    for one in closure(specification, criterion):
        if isinstance(one.subject, Measured):
            yield one.subject


def _needed(by_id: Mapping[str, Criterion], name: str) -> set[str]:
    """The ids of what a criterion is computed from, and its own."""
    waiting, seen = [name], set[str]()
    while waiting:
        found = waiting.pop()
        if found not in seen and found in by_id:
            seen.add(found)
            waiting.extend(by_id[found].needs)
    return seen
