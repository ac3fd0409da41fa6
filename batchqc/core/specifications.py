"""Specifications and their acceptance criteria.

A specification is approved as a whole and never edited. Each criterion says what is measured, how,
and which results pass. What passes is one exact set (``Criterion.passing``); verdicts use nothing
else.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from typing import assert_never

from batchqc.core.quantities import Interval
from batchqc.core.rounding import Rounding, passing_interval
from batchqc.core.vocabularies import Vocabulary


class Category(StrEnum):
    """What a criterion speaks about; certificates group by it."""

    IDENTITY = "identity"
    PURITY = "purity"
    QUANTITY = "quantity"
    POTENCY = "potency"
    SAFETY = "safety"
    APPEARANCE = "appearance"
    DONOR = "donor"


class Stage(StrEnum):
    """Where in the life of a lot a sample was taken."""

    DONOR = "donor"
    CELL_BANK = "cell bank"
    IN_PROCESS = "in process"
    RELEASE = "release"
    POST_THAW = "post-thaw"
    STABILITY = "stability"


class Aggregate(StrEnum):
    """How replicates become the reportable result; ``each`` judges every replicate."""

    SINGLE = "single"
    MEAN = "mean"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    EACH = "each"


class DonorFact(StrEnum):
    """What a donor criterion looks at."""

    TISSUE_SOURCE = "tissue source"
    ELIGIBILITY = "eligibility"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: an operator and a number with the digits of its text."""

    operator: str
    number: Decimal


@dataclass(frozen=True, slots=True)
class Limits:
    """Numeric acceptance: one limit, or a lower and an upper one. ``text`` is as written."""

    text: str
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """Qualitative acceptance: any of ``terms``.

    ``vocabulary`` reads results; donor facts come from registers and need none.
    """

    terms: tuple[str, ...]
    vocabulary: Vocabulary | None = None

    @property
    def text(self) -> str:
        """The accepted terms as one text."""
        return " or ".join(self.terms)


@dataclass(frozen=True, slots=True)
class ReportOnly:
    """No acceptance: the result is printed for information and has no verdict."""

    text: str = "for information"


@dataclass(frozen=True, slots=True)
class ReplicatePlan:
    """How many replicates make one reportable result, and how."""

    n: int = 1
    aggregate: Aggregate = Aggregate.SINGLE


@dataclass(frozen=True, slots=True)
class Measured:
    """What a criterion is measured by: test, analyte, method code, unit ("" for words)."""

    test: str
    analyte: str
    method: str
    unit: str = ""
    replicates: ReplicatePlan = field(default_factory=ReplicatePlan)
    plausible: Interval | None = None
    window: timedelta | None = None
    planned_days: int | None = None

    @property
    def needs_start(self) -> bool:
        """Whether a result needs the time of thaw, inoculation or plating."""
        return self.window is not None or self.planned_days is not None


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of a specification. ``subject`` is what is measured, or a fact about the donor."""

    id: str
    title: str
    category: Category
    subject: Measured | DonorFact
    accept: Limits | Words | ReportOnly
    rounding: Rounding = Rounding.ABSOLUTE
    required: bool = True
    note: str = ""

    @property
    def acceptance(self) -> str:
        """The criterion as text with its unit, as certificates print it."""
        unit = self.subject.unit if isinstance(self.subject, Measured) else ""
        text = self.accept.text
        return f"{text} {unit}" if unit and isinstance(self.accept, Limits) else text

    @property
    def passing(self) -> Interval | frozenset[str] | None:
        """Every unrounded value or term that passes; ``None`` where nothing is judged."""
        match self.accept:
            case Limits(limits=limits):
                sets = [passing_interval(x.operator, x.number, self.rounding) for x in limits]
                return reduce(Interval.intersection, sets)
            case Words(terms=terms):
                return frozenset(terms)
            case ReportOnly():
                return None
            case _:
                assert_never(self.accept)


@dataclass(frozen=True, slots=True)
class Specification:
    """One version of a specification. ``effective`` is a site-local date."""

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

    @property
    def reference(self) -> str:
        """Id and version, as people and records cite it."""
        return f"{self.id} v{self.version}"

    def criterion(self, *, test: str, analyte: str) -> Criterion | None:
        """The criterion that judges an analyte of a test, or ``None``."""
        for criterion in self.criteria:
            subject = criterion.subject
            if isinstance(subject, Measured) and (subject.test, subject.analyte) == (test, analyte):
                return criterion
        return None
