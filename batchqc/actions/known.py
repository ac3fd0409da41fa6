"""What a lot is judged by, whichever specification judges it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from batchqc.core.assays import Measurement, RunKey
from batchqc.core.donors import Donor
from batchqc.core.failures import Failure, failures
from batchqc.core.investigations import Investigation
from batchqc.core.judging import judge
from batchqc.core.runs import RunValidity, Validity
from batchqc.core.specifications import Specification
from batchqc.core.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Known:
    """All measurements of a lot, its donors, the validity of its runs, its investigations."""

    measurements: tuple[Measurement, ...]
    donors: tuple[Donor, ...]
    validity: Mapping[RunKey, RunValidity]
    investigations: tuple[Investigation, ...] = ()

    @property
    def invalid(self) -> frozenset[RunKey]:
        """The invalid runs."""
        void = Validity.INVALID
        return frozenset(run for run, one in self.validity.items() if one.validity is void)

    @property
    def excused(self) -> tuple[tuple[str, str], ...]:
        """By number, who concluded an investigation with a cause in the laboratory."""
        return tuple(
            (one.number, one.conclusion.by)
            for one in self.investigations
            if one.conclusion is not None and one.conclusion.is_cause
        )

    def judged_by(self, specification: Specification) -> tuple[Verdict, ...]:
        """The verdict of every criterion."""
        return judge(
            specification,
            self.measurements,
            self.donors,
            validity=self.validity,
            investigations=self.investigations,
        )

    def failing(
        self, judged: Iterable[tuple[Specification, Iterable[Verdict]]]
    ) -> tuple[Failure, ...]:
        """What fails specifications, each with its verdicts."""
        return tuple(
            failure
            for specification, verdicts in judged
            for failure in failures(
                specification, verdicts, self.measurements, self.donors, self.validity
            )
        )
