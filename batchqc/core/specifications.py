"""Specifications: criteria that are approved as a whole and never edited."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property

from batchqc.core.criteria import Criterion
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

    def criterion(self, *, test: str, analyte: str) -> Criterion | None:
        """The criterion that judges an analyte of a test, or ``None``."""
        return self.measured.get((test, analyte))


def closure(specification: Specification, criterion: Criterion) -> Iterator[Criterion]:
    """A criterion and everything that it is computed from, each once."""
    by_id = {one.id: one for one in specification.criteria}
    waiting, seen = [criterion.id], set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in by_id:
            continue
        seen.add(name)
        waiting.extend(by_id[name].needs)
    yield from (one for one in specification.criteria if one.id in seen)


def leaves(specification: Specification, criterion: Criterion) -> Iterator[Measured]:
    """What a criterion measures, directly or through others."""
    for one in closure(specification, criterion):
        if isinstance(one.subject, Measured):
            yield one.subject
