"""The lots of a product that were made in a period, each judged by what it is bound to.

Results, verdicts and dispositions are those on record when the review is made.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.donors_today import study_donors
from batchqc.actions.known import Known
from batchqc.actions.other_stages import readable
from batchqc.actions.register_remarks import look_at_registers, signed_for
from batchqc.actions.run_validity import RunsLookedAt, approved_methods, validity_of_lots
from batchqc.core.assays import Measurement, RunKey
from batchqc.core.donors import Donor
from batchqc.core.lot_states import Disposition
from batchqc.core.methods import Method
from batchqc.core.quality_reviews import Period
from batchqc.core.runs import RunValidity
from batchqc.core.specifications import Specification
from batchqc.core.verdicts import Verdict
from batchqc.documents.archive import Archive
from batchqc.records.bindings import binding_of
from batchqc.records.corrections import corrections_of, made_on_dates
from batchqc.records.decisions import newest_dispositions
from batchqc.records.entries import verifications_of
from batchqc.records.investigations import folded, investigations_of
from batchqc.records.methods import method_approvals
from batchqc.records.registers import LotRow, Product, other_specifications_among
from batchqc.records.specifications import SpecificationVersion
from batchqc.records.uploads import AssayRun, measurements_of, reviews_of

LOTS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ReviewedLot:
    """A lot with its donors, its disposition, and its verdicts by the versions that judge it."""

    row: LotRow
    made_on: date
    donors: tuple[Donor, ...]
    disposition: str
    judged: tuple[tuple[SpecificationVersion, Verdict], ...]

    @property
    def donor(self) -> str:
        """The donor or donors, by code."""
        return " + ".join(one.code for one in self.donors) or "none"


@dataclass(slots=True)
class ReviewedLots:
    """The lots in the order of manufacture, and what was found beside them.

    ``registers`` are what the registers of the laboratory say, each with whether it stops a
    release; ``damaged`` is what could not be read.
    """

    lots: list[ReviewedLot] = field(default_factory=list)
    registers: set[tuple[str, str]] = field(default_factory=set)
    damaged: set[str] = field(default_factory=set)

    @property
    def ids(self) -> list[int]:
        """The surrogate ids of the lots."""
        return [one.row.id for one in self.lots]


def reviewed_lots(
    session: Session, archive: Archive, *, product: Product, period: Period
) -> ReviewedLots:
    """The lots whose date of manufacture, as corrected, lies in the period."""
    made_on = {
        lot: day
        for lot, _, day in made_on_dates(session, product.code)
        if period.first <= day <= period.last
    }
    rows = [
        one
        for one in session.scalars(select(LotRow).where(LotRow.product_id == product.id))
        if one.lot in made_on
    ]
    rows.sort(key=lambda one: (made_on[one.lot], one.folded))
    found = ReviewedLots()
    shelf = _Shelf(archive, approved_methods(archive, method_approvals(session)))
    for start in range(0, len(rows), LOTS_AT_ONCE):
        some = rows[start : start + LOTS_AT_ONCE]
        found.lots += _judged(session, found, shelf, some, made_on)
    found.damaged |= shelf.damaged
    return found


@dataclass(slots=True)
class _Shelf:
    """Specifications, each read once, and every approved method."""

    archive: Archive
    methods: Sequence[Method]
    read: dict[int, Specification | None] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)

    def specification(self, version: SpecificationVersion) -> Specification | None:
        if version.id not in self.read:
            self.read[version.id], damage = readable(self.archive, version)
            self.damaged |= {f"{version.reference} cannot be read: {one}" for one in damage}
        return self.read[version.id]


def _judged(
    session: Session,
    found: ReviewedLots,
    shelf: _Shelf,
    rows: Sequence[LotRow],
    made_on: Mapping[str, date],
) -> Iterator[ReviewedLot]:
    ids = [row.id for row in rows]
    corrections = corrections_of(session, [row.key for row in rows])
    own_corrections = defaultdict(list)
    for one in corrections:
        own_corrections[one[0].subject].append(one)
    beside = other_specifications_among(session, ids)
    donors = study_donors(session, ids)
    decided = newest_dispositions(session, ids)
    runs = session.scalars(select(AssayRun).where(AssayRun.lot_id.in_(ids))).all()
    measured = defaultdict(list)
    for measurement in measurements_of(session, runs):
        measured[measurement.lot].append(measurement)
    _, validity = validity_of_lots(session, shelf.methods, ids)
    taken = investigations_of(session, ids)
    lots = []
    for row in rows:
        binding = binding_of(session, row, own_corrections[row.key], beside.get(row.id, ()))
        known = Known(
            tuple(measured[row.lot]),
            donors[row.id],
            validity.get(row.id, {}),
            tuple(folded(one, steps) for one, steps in taken if one.lot_id == row.id),
        )
        judged = tuple(
            (version, verdict)
            for version in binding.versions
            for specification in [shelf.specification(version)]
            if specification is not None
            for verdict in known.judged_by(specification)
        )
        disposition = decided.get(row.id, Disposition.QUARANTINE.value)
        lots.append(ReviewedLot(row, made_on[row.lot], donors[row.id], disposition, judged))
    every = [one for own in measured.values() for one in own]
    _look_at_registers(session, found, runs, every, (lots, shelf.methods, validity))
    yield from lots


def _look_at_registers(
    session: Session,
    found: ReviewedLots,
    runs: Sequence[AssayRun],
    measurements: Sequence[Measurement],
    known: tuple[
        Sequence[ReviewedLot], Sequence[Method], Mapping[int, Mapping[RunKey, RunValidity]]
    ],
) -> None:
    lots, methods, validity = known
    verified = verifications_of(session, {run.upload_id for run in runs})
    said = look_at_registers(
        session,
        runs=runs,
        measurements=measurements,
        signed=signed_for(runs, reviews_of(session, runs), verified),
        looked=RunsLookedAt(
            {run: one for own in validity.values() for run, one in own.items()},
            frozenset(one.method for one in measurements),
            tuple(methods),
        ),
        verdicts=[verdict for lot in lots for _, verdict in lot.judged],
    )
    found.registers |= {(text, "remark") for text in said.against.remarks}
    found.registers |= {(text, "stops a release") for text in said.against.stops}
    found.damaged |= set(said.damaged)
