"""What fails of a lot: facts from the records, decided in core."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.donors_today import study_donors
from batchqc.actions.known import Known
from batchqc.actions.run_validity import look_at_runs
from batchqc.actions.specifications import content_of
from batchqc.core.failures import Failure
from batchqc.core.specifications import Specification
from batchqc.documents.archive import Archive
from batchqc.records.bindings import binding_of
from batchqc.records.corrections import corrections_of
from batchqc.records.investigations import folded, investigations_of
from batchqc.records.registers import LotRow
from batchqc.records.uploads import AssayRun, measurements_of, runs_of


@dataclass(frozen=True, slots=True)
class Judged:
    """The runs of a lot, what it is judged by, and the specifications that judge it."""

    runs: tuple[AssayRun, ...]
    known: Known
    specifications: tuple[Specification, ...]

    @property
    def uncovered(self) -> list[Failure]:
        """Everything that fails and that nothing investigates."""
        found = self.known.failing((one, self.known.judged_by(one)) for one in self.specifications)
        return [one for one in found if not one.is_covered(self.known.investigations)]


def judged(session: Session, archive: Archive, lot: LotRow) -> Judged:
    """A lot with all that fails or passes of it.

    Raises:
        IntegrityFailure: a specification that judges it cannot be read.
    """
    runs = tuple(runs_of(session, lot))
    measurements = tuple(measurements_of(session, runs))
    zone = ZoneInfo(lot.site.time_zone)
    looked = look_at_runs(session, archive, runs=runs, measurements=measurements, zone=zone)
    versions = binding_of(session, lot, corrections_of(session, [lot.key])).versions
    known = Known(
        measurements,
        study_donors(session, [lot.id])[lot.id],
        looked.validity,
        tuple(folded(row, steps) for row, steps in investigations_of(session, [lot.id])),
    )
    return Judged(runs, known, tuple(content_of(archive, version) for version in versions))
