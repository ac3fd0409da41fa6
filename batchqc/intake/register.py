"""What the laboratory has registered and a file may refer to. Intake creates none of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from batchqc.core.investigations import Investigation
from batchqc.core.laboratory import Laboratory
from batchqc.core.lots import Sample
from batchqc.core.methods import Method
from batchqc.core.retests import Retest
from batchqc.core.specifications import Specification
from batchqc.intake.known_runs import KnownRuns


@dataclass(frozen=True, slots=True)
class RegisteredLot:
    """A lot with the specification that is its plan, and those of other stages ``beside`` it.

    ``manufactured_on`` is a date in ``time_zone``, the IANA name of the site's zone.
    ``decided`` is what a final decision says of the lot, beside which its results stand; or "".
    """

    id: str
    manufactured_on: date
    time_zone: str
    specification: Specification
    decided: str = ""
    beside: tuple[Specification, ...] = ()

    def plan_at(self, stage: str) -> Specification | None:
        """The specification of a stage, or ``None`` where no result of it would be judged."""
        return next((one for one in (self.specification, *self.beside) if one.stage == stage), None)


@dataclass(frozen=True, slots=True)
class Named:
    """Folded ids of the lots and samples that a file names."""

    lots: frozenset[str] = frozenset()
    samples: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Register:
    """Lots, samples and people by folded id, and the moment at which the file is read.

    ``people`` are users and contract laboratories, by folded id, as registered; ``laboratory``
    holds the registers that rows are held against; ``retest`` is the plan that a file of retests
    is held against; ``investigations`` are those of each lot, by folded id, as they stand, and
    ``None`` where a file is only read again. ``analysed`` are the
    approved method versions that have a potency analysis.
    """

    lots: Mapping[str, RegisteredLot]
    samples: Mapping[str, Sample]
    people: Mapping[str, str]
    now: datetime
    known: KnownRuns = field(default_factory=KnownRuns)
    laboratory: Laboratory = field(default_factory=Laboratory)
    retest: Retest | None = None
    investigations: Mapping[str, Sequence[Investigation]] | None = None
    analysed: tuple[Method, ...] = ()
