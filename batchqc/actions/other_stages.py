"""What judges a lot beside the specification that decides: those of the other stages.

What fails there forbids release, and what is absent before release does; so do results of a stage
that no bound specification is for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from batchqc.actions.approval import approval_problem
from batchqc.actions.binding import BESIDE, bind
from batchqc.actions.known import Known
from batchqc.actions.specifications import content_of
from batchqc.core.assays import REPORTABLE, Measurement
from batchqc.core.lots import Lot
from batchqc.core.specifications import Specification, Stage
from batchqc.core.subjects import Measured
from batchqc.core.verdicts import Verdict
from batchqc.documents.archive import Archive
from batchqc.errors import IntegrityFailure
from batchqc.records.registers import LotRow
from batchqc.records.specifications import SpecificationVersion, approval_of


@dataclass(frozen=True, slots=True)
class StageVerdicts:
    """What a specification of another stage says of a lot; a failed result forbids release."""

    specification: Specification
    sha256: str
    verdicts: tuple[Verdict, ...]

    @property
    def failures(self) -> tuple[str, ...]:
        """Every verdict that forbids release; what is absent after thawing is not due."""
        is_later = self.specification.stage in {Stage.POST_THAW, Stage.STABILITY}
        return tuple(
            one.sentence for one in self.verdicts if one.blocks and not (is_later and one.missing)
        )


def readable(
    archive: Archive, version: SpecificationVersion
) -> tuple[Specification | None, tuple[str, ...]]:
    """The content of a version, or why it cannot be read."""
    try:
        return content_of(archive, version), ()
    except IntegrityFailure as failure:
        return None, (failure.message,)


def judged_beside(
    archive: Archive, versions: Sequence[SpecificationVersion], known: Known
) -> tuple[tuple[StageVerdicts, ...], tuple[str, ...]]:
    """The verdicts of the other stages, and what is damaged."""
    found: list[StageVerdicts] = []
    damaged: list[str] = []
    for version in versions:
        specification, damage = readable(archive, version)
        damaged += damage
        if specification is not None:
            verdicts = known.judged_by(specification)
            found.append(StageVerdicts(specification, version.sha256, verdicts))
    return tuple(found), tuple(damaged)


def beside_problems(
    session: Session,
    archive: Archive,
    lot: LotRow,
    corrected: Lot,
    versions: Sequence[SpecificationVersion],
) -> Iterator[str]:
    """Why the versions bound beside the deciding one are not those in force and approved."""
    day = corrected.manufactured_on
    found = bind(session, product=corrected.product, market=lot.market, manufactured_on=day)
    due = [found[stage] for stage in BESIDE if stage in found]
    bound, in_force = {one.id: one for one in versions}, {one.version.id for one in due}
    for one in due:
        if one.version.id not in bound:
            yield f"{one.version.reference} is in force for {one.version.stage} and not bound"
    for version in bound.values():
        if version.id not in in_force:
            yield f"{version.reference} was not the version in force on {day}"
        approval = approval_of(session, version)
        yield "" if approval is None else approval_problem(archive, approval)


def unjudged(
    measurements: Sequence[Measurement], specifications: Sequence[Specification]
) -> Iterator[str]:
    """Reportable results that no criterion of a bound specification measures."""
    judged = {
        (one.stage.value, criterion.subject.test, criterion.subject.analyte)
        for one in specifications
        for criterion in one.criteria
        if isinstance(criterion.subject, Measured)
    }
    found = {
        (one.stage, one.run.test, one.analyte)
        for one in measurements
        if one.result_type == REPORTABLE
    }
    for stage, test, analyte in sorted(found - judged):
        yield f"results of {test} {analyte}, stage {stage}, are on record and nothing judges them"
