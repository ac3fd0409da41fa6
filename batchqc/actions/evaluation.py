"""Everything about one lot that a decision rests on, gathered once.

Facts come from the database and the store, verdicts and gates from core. What is shown as
readiness is the same object that a release is decided on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import starmap
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.approval import approval_problem
from batchqc.actions.binding import bind
from batchqc.actions.donors_today import donors_today
from batchqc.actions.integrity import HashedRows, row_damage
from batchqc.actions.known import Known
from batchqc.actions.labels import disposition_of, lacks_certification
from batchqc.actions.looked_at import Beside, SoFar, look_beside
from batchqc.actions.looked_for import runs_looked_for
from batchqc.actions.lowered import lowered_within, opened_within
from batchqc.actions.other_stages import (
    StageVerdicts,
    beside_problems,
    judged_beside,
    readable,
    unjudged,
)
from batchqc.actions.potency_looked_at import look_at_potency
from batchqc.actions.register_remarks import RegistersLookedAt, look_at_registers, signed_for
from batchqc.actions.run_facts import run_damage, run_facts, signed_rows
from batchqc.actions.run_validity import RunsLookedAt, look_at_runs
from batchqc.actions.second_entries import unsigned_entries
from batchqc.core.assays import Measurement
from batchqc.core.dispositions import LotFacts, overlays, progress, readiness
from batchqc.core.gates import Gate
from batchqc.core.hypotheses import unreported
from batchqc.core.lot_states import Disposition, Overlay, Progress
from batchqc.core.lots import Lot
from batchqc.core.specifications import Specification
from batchqc.core.verdicts import Verdict
from batchqc.documents.archive import Archive
from batchqc.records.base import Row
from batchqc.records.bindings import Binding, binding_of
from batchqc.records.containers import inventory
from batchqc.records.corrections import (
    Correction,
    CorrectionDecision,
    corrected_lot,
    corrections_of,
)
from batchqc.records.decisions import DispositionRow, dispositions_of
from batchqc.records.donors import eligibility_of
from batchqc.records.entries import EntryVerification, attachments_of, verifications_of
from batchqc.records.investigations import Taken, folded, investigations_of
from batchqc.records.lot_reviews import LotReview
from batchqc.records.once import each_once
from batchqc.records.profiles import profile_rows
from batchqc.records.registers import (
    DonorRow,
    LotRow,
    SampleRow,
    donors_of,
    lot_donors_of,
    other_specifications_of,
    samples_of,
)
from batchqc.records.specifications import (
    SpecificationApproval,
    SpecificationVersion,
    approval_of,
    history_of,
)
from batchqc.records.trends import trend_rows
from batchqc.records.uploads import (
    AssayRun,
    Review,
    Superseding,
    measurements_of,
    reviews_of,
    supersedings_of,
)


@dataclass(frozen=True, slots=True)
class LotCase:
    """A lot with all that is known about it, its verdicts and its gates."""

    row: LotRow
    lot: Lot
    binding: Binding
    specification: Specification | None
    approval: SpecificationApproval | None
    donor_rows: tuple[DonorRow, ...]
    sample_rows: tuple[SampleRow, ...]
    corrections: tuple[tuple[Correction, CorrectionDecision | None], ...]
    known: Known
    beside: tuple[StageVerdicts, ...]
    looked_at: RunsLookedAt
    registers: RegistersLookedAt
    so_far: SoFar
    further: Beside
    runs: tuple[AssayRun, ...]
    reviews: tuple[Review, ...]
    supersedings: tuple[Superseding, ...]
    verifications: tuple[EntryVerification, ...]
    dispositions: tuple[DispositionRow, ...]
    facts: LotFacts
    gates: tuple[Gate, ...]
    rows: HashedRows

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """All that was measured of it."""
        return self.known.measurements

    @property
    def version(self) -> SpecificationVersion:
        """The version of the specification that decides."""
        return self.binding.versions[0]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdict of every criterion."""
        return self.facts.verdicts

    @property
    def disposition(self) -> Disposition:
        """What the label says."""
        return self.facts.disposition

    @property
    def progress(self) -> Progress:
        """How far the work is: what QC and QA signed counts as long as it stands."""
        return progress(self.facts, has_samples=bool(self.sample_rows))

    @property
    def overlays(self) -> tuple[Overlay, ...]:
        """What lies over disposition and progress."""
        return overlays(self.facts)

    @property
    def is_ready(self) -> bool:
        """Whether every gate is open."""
        return all(gate.is_open for gate in self.gates)


@each_once
def study(session: Session, archive: Archive, *, lot: LotRow, now: datetime) -> LotCase:
    """Gather a lot's facts, judge its results and compute its gates."""
    donor_rows, sample_rows = tuple(donors_of(session, lot)), tuple(samples_of(session, [lot]))
    subjects = [lot.key, *(row.key for row in donor_rows), *(row.key for row in sample_rows)]
    runs = runs_looked_for(session, lot, donor_rows, subjects)
    corrections = tuple(corrections_of(session, subjects))
    binding = binding_of(session, lot, corrections)
    version, *others = binding.versions
    approval = approval_of(session, version)
    specification, damage = readable(archive, version)
    corrected = corrected_lot(lot, corrections)
    reviews, supersedings = tuple(reviews_of(session, runs)), tuple(supersedings_of(session, runs))
    measurements = tuple(measurements_of(session, runs))
    uploads = {run.upload_id for run in runs}
    verified, attachments = verifications_of(session, uploads), attachments_of(session, uploads)
    dispositions, zone = tuple(dispositions_of(session, lot)), ZoneInfo(lot.site.time_zone)
    donors = donors_today(session, donor_rows, corrections)
    looked = look_at_runs(session, archive, runs=runs, measurements=measurements, zone=zone)
    taken, known = _known(session, lot, Known(measurements, donors, looked.validity))
    beside, beside_damage = judged_beside(archive, others, known)
    verdicts = known.judged_by(specification) if specification else ()
    every = (*verdicts, *(verdict for one in beside for verdict in one.verdicts))
    registers = look_at_registers(
        session,
        runs=runs,
        measurements=measurements,
        signed=signed_for(runs, reviews, verified),
        looked=looked,
        verdicts=every,
    )
    own = [(specification, verdicts)] if specification else []
    so_far = SoFar(
        lot, corrected, version, donor_rows, sample_rows, runs, reviews, measurements, every, now,
        taken, known.failing([*((one.specification, one.verdicts) for one in beside), *own]),
        registers.kept,
    )  # fmt: skip
    further = look_beside(session, archive, so_far)
    potency = look_at_potency(session, lot, measurements, looked)
    rows = HashedRows(
        *potency.rows, lot, lot.site, lot.product, *lot_donors_of(session, lot),
        *_of_versions(session, lot, binding), *trend_rows(session, lot.product),
        *donor_rows, *eligibility_of(session, donor_rows), *sample_rows,
        *looked.rows, *registers.rows, *runs, *(run.upload for run in runs), *supersedings,
        *attachments, *(one for one, _ in corrections),
        *(row for one in further for row in one.rows),
        *profile_rows(session, (run.upload.profile for run in runs)),
        *signed_rows(reviews, verified.values(), dispositions, (one for _, one in corrections)),
    )  # fmt: skip
    problems = (
        _specification_problem(session, archive, lot, corrected, version, approval),
        *beside_problems(session, archive, lot, corrected, others),
    )
    facts = LotFacts(
        lot=corrected,
        disposition=disposition_of(dispositions),
        specification_problem="; ".join(filter(None, problems)),
        verdicts=verdicts,
        donors=donors,
        runs=tuple(run_facts(runs, reviews, verified)),
        today=now.astimezone(zone).date(),
        beside=(
            *(failure for one in beside for failure in one.failures),
            *unjudged(measurements, _judging(specification, beside)),
            *potency.undeclared,
        ),
        open_corrections=tuple(
            f"{one.natural_key} ({one.field} of {one.subject}) waits for a second person"
            for one, decision in corrections
            if decision is None
        ),
        damaged=(
            *damage,
            *beside_damage,
            *row_damage(
                session, lot, donor_rows, rows, methods=looked.codes, series=registers.kept.names
            ),
            *looked.damaged,
            *registers.damage(archive),
            *(said for one in further for said in one.damaged),
            *run_damage(runs, measurements, reviews),
            *potency.damaged,
            *unsigned_entries(verified.values(), attachments),
        ),
        registers=registers.against,
        lacks_certification=lacks_certification(session, dispositions, further.annex16.rows),
        is_depleted=inventory(session, [lot.id])[lot.id].is_depleted,
        qc_reviewers=frozenset(
            one.signature.person.user_id
            for one in further.lot_review.rows
            if isinstance(one, LotReview)
        ),
        lowered=tuple(lowered_within(session, lot, corrected)),
        opened=tuple(opened_within(lot, corrected, registers.kept, further.genealogy.rows)),
        unreported=unreported(measurements, _judging(specification, beside)),
        excused=known.excused,
        **further.against,
    )
    return LotCase(
        lot, corrected, binding, specification, approval, donor_rows, sample_rows, corrections,
        known, beside, looked, registers, so_far, further, runs, reviews, supersedings,
        tuple(verified.values()), dispositions, facts, readiness(facts), rows,
    )  # fmt: skip


def _known(session: Session, lot: LotRow, known: Known) -> tuple[Sequence[Taken], Known]:
    """The investigations of a lot, as rows and as what judges it."""
    taken = investigations_of(session, [lot.id])
    return taken, replace(known, investigations=tuple(starmap(folded, taken)))


def _judging(
    specification: Specification | None, beside: Sequence[StageVerdicts]
) -> list[Specification]:
    """The specifications that can be read, of every stage."""
    found = (specification, *(other.specification for other in beside))
    return [one for one in found if one is not None]


def _of_versions(session: Session, lot: LotRow, binding: Binding) -> Iterator[Row]:
    """The versions that a lot was and is bound to, with what was recorded of them."""
    beside = other_specifications_of(session, lot)
    yield from beside
    bound = (lot.specification_version, *(row.specification_version for row in beside))
    for version in {version.id: version for version in (*bound, *binding.versions)}.values():
        yield version
        yield from history_of(session, version)


def _specification_problem(
    session: Session,
    archive: Archive,
    lot: LotRow,
    corrected: Lot,
    version: SpecificationVersion,
    approval: SpecificationApproval | None,
) -> str:
    if approval is None:
        return f"{version.reference} is not approved"
    if problem := approval_problem(archive, approval):
        return problem
    day = corrected.manufactured_on
    found = bind(session, product=version.product, market=lot.market, manufactured_on=day)
    valid = found.get(version.stage)
    if valid is not None and valid.version.id == version.id:
        return ""
    right = valid.version.reference if valid else "none"
    return (
        f"{version.reference} was not the version in force on the date of manufacture {day};"
        f" {right} was"
    )
