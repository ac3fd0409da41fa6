"""What a criterion speaks about: a measured attribute, a derived one, a group, or the donor."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from batchqc.core.acceptance import Limits
from batchqc.core.formulas import Formula
from batchqc.core.quantities import Amount, Interval


class Aggregate(StrEnum):
    """How replicates become the reportable result; ``each`` judges every replicate."""

    SINGLE = "single"
    MEAN = "mean"
    MEDIAN = "median"
    GEOMETRIC_MEAN = "geometric mean"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    EACH = "each"


class DonorFact(StrEnum):
    """What a donor criterion looks at."""

    TISSUE_SOURCE = "tissue source"
    ELIGIBILITY = "eligibility"


@dataclass(frozen=True, slots=True)
class ReplicatePlan:
    """How many replicates make one reportable result, how, and how far apart they may lie.

    ``max_cv`` is a coefficient of variation in percent (n - 1), ``max_range`` in the unit of the
    criterion. ``individual`` are limits that every replicate meets beside the aggregate's.
    """

    n: int = 1
    aggregate: Aggregate = Aggregate.SINGLE
    max_cv: Decimal | None = None
    max_range: Decimal | None = None
    individual: Limits | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What a criterion is measured by: test, analyte, method code, unit ("" for words).

    ``control`` is the aliquot of the control rows of the same run that the result is compared with.
    """

    test: str
    analyte: str
    method: str
    unit: str = ""
    replicates: ReplicatePlan = field(default_factory=ReplicatePlan)
    plausible: Interval | None = None
    window: timedelta | None = None
    planned_days: int | None = None
    control: str = ""

    @property
    def needs_start(self) -> bool:
        """Whether a result needs the time of thaw, inoculation or plating."""
        return self.window is not None or self.planned_days is not None


@dataclass(frozen=True, slots=True)
class Input:
    """What a name of a formula stands for: the result of ``criterion``, or a ``constant``."""

    name: str
    criterion: str = ""
    constant: Amount | None = None
    unit: str = ""

    @property
    def text(self) -> str:
        """The criterion or the constant, as written."""
        return self.criterion if self.constant is None else f"{self.constant.text} {self.unit}"


@dataclass(frozen=True, slots=True)
class Derived:
    """A result that is computed from the results of other criteria of the specification."""

    formula: Formula
    inputs: tuple[Input, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class Group:
    """Criteria that are judged together; ``members`` are their ids."""

    members: tuple[str, ...]


Subject = Measured | Derived | Group | DonorFact
