"""What open work is found by: for a portion of the lots at work together, never lot by lot."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, literal, select, union_all
from sqlalchemy.orm import Session, aliased

from batchqc.core.assays import REPORTABLE
from batchqc.core.identifiers import fold
from batchqc.core.lot_states import IN_USE
from batchqc.core.lots import Sample
from batchqc.records.among import constants
from batchqc.records.conditional import CertificateWithdrawal, counts_no_more
from batchqc.records.corrections import Correction, CorrectionDecision
from batchqc.records.decisions import Certificate, CertificateIssue, DispositionRow
from batchqc.records.donors import EligibilityRow
from batchqc.records.entries import EntryVerification
from batchqc.records.laboratory import Instrument, Training
from batchqc.records.lots_at_work import Portion, is_decided
from batchqc.records.people import Person
from batchqc.records.registers import (
    DonorRow,
    LotDonor,
    LotRow,
    SampleRow,
)
from batchqc.records.signatures import SignatureRow
from batchqc.records.uploads import AssayRun, MeasurementRow, Review, Upload, upload_number

_INSTRUMENT: Any = aliased(Instrument)
_TRAINING: Any = aliased(Training)


class RunAtWork(NamedTuple):
    """A run of a lot: who entered and reviewed it, and whether it waits for its second entry.

    ``changed_at`` is when it came in, or was reviewed last.
    """

    lot: str
    upload: str
    test: str
    run: str
    received_at: datetime
    entered_by: frozenset[str]
    reviewed_by: frozenset[str]
    waits: bool
    lot_id: int
    changed_at: datetime


def samples_at_work(session: Session, portion: Portion) -> dict[int, list[Sample]]:
    """The samples of lots at work, by the lot's id."""
    query = (
        select(
            SampleRow.lot_id,
            SampleRow.sample,
            LotRow.lot,
            SampleRow.stage,
            SampleRow.container,
            SampleRow.taken_at,
        )
        .join(LotRow, LotRow.id == SampleRow.lot_id)
        .where(portion.has(SampleRow.lot_id))
    )
    found: dict[int, list[Sample]] = {}
    for number, sample, lot, stage, container, taken_at in session.execute(query):
        found.setdefault(number, []).append(Sample(sample, lot, stage, container, taken_at))
    return found


def reported_at_work(session: Session, portion: Portion) -> dict[int, set[tuple[str, str, str]]]:
    """Stage, test and analyte of every reportable result of lots at work, by the lot's id.

    What a second person typed otherwise is typed anew: it is no result.
    """
    useless = select(EntryVerification.upload_id).where(EntryVerification.matches == 0)
    query = (
        select(AssayRun.lot_id, SampleRow.stage, AssayRun.test, MeasurementRow.analyte)
        .join(AssayRun, AssayRun.id == MeasurementRow.assay_run_id)
        .join(SampleRow, SampleRow.id == MeasurementRow.sample_id)
        .where(
            portion.has(AssayRun.lot_id),
            AssayRun.upload_id.not_in(useless),
            MeasurementRow.result_type == REPORTABLE,
        )
        .distinct()
    )
    found: dict[int, set[tuple[str, str, str]]] = {}
    for lot, stage, test, analyte in session.execute(query):
        found.setdefault(lot, set()).add((stage, test, analyte))
    return found


def runs_at_work(session: Session, portion: Portion) -> list[RunAtWork]:
    """Every run of lots at work, and those of decided ones that nobody reviewed."""
    left = select(AssayRun.id).where(portion.is_left(AssayRun.lot_id), ~is_reviewed())
    told = union_all(select(AssayRun.id).where(portion.has(AssayRun.lot_id)), left)
    reviewers: dict[int, set[str]] = {}
    newest: dict[int, datetime] = {}
    signed = (
        select(Review.assay_run_id, Person.user_id, SignatureRow.at)
        .join(AssayRun, AssayRun.id == Review.assay_run_id)
        .join(SignatureRow, SignatureRow.id == Review.signature_id)
        .join(Person, Person.id == SignatureRow.person_id)
        .where(portion.has(AssayRun.lot_id))
    )
    for run, person, at in session.execute(signed):
        reviewers.setdefault(run, set()).add(person)
        newest[run] = max(at, newest.get(run, at))
    query = (
        select(
            AssayRun.id, AssayRun.lot_id, AssayRun.test, AssayRun.run, AssayRun.analysts,
            LotRow.lot,
            Upload.year,
            Upload.number, Upload.received_at, Upload.uploaded_by, Upload.typed,
            EntryVerification.id.label("verification"),
        )
        .join(LotRow, LotRow.id == AssayRun.lot_id)
        .join(Upload, Upload.id == AssayRun.upload_id)
        .outerjoin(EntryVerification, EntryVerification.upload_id == Upload.id)
        .where(AssayRun.id.in_(told))
        .order_by(AssayRun.id)
    )  # fmt: skip
    return [
        RunAtWork(
            row.lot,
            upload_number(row.year, row.number),
            row.test,
            row.run,
            row.received_at,
            frozenset({row.uploaded_by, *row.analysts.splitlines()}),
            frozenset(reviewers.get(row.id, ())),
            bool(row.typed) and row.verification is None,
            row.lot_id,
            max(row.received_at, newest.get(row.id, row.received_at)),
        )
        for row in session.execute(query)
    ]


def is_reviewed() -> ColumnElement[bool]:
    """Whether somebody reviewed a run."""
    return exists().where(Review.assay_run_id == AssayRun.id)


def is_not_sealed() -> ColumnElement[bool]:
    """Whether the document of a certificate waits for its seal."""
    is_issued = exists().where(CertificateIssue.certificate_id == Certificate.id)
    return and_(~is_issued, ~counts_no_more())


def is_missed() -> ColumnElement[bool]:
    """Whether a certificate was withdrawn, is the newest of its lot, and the lot is in use."""
    decision, other = aliased(DispositionRow), aliased(Certificate)
    later = exists().where(decision.lot_id == DispositionRow.lot_id)
    in_use = exists().where(
        DispositionRow.lot_id == Certificate.lot_id,
        DispositionRow.disposition.in_(constants(IN_USE)),
        ~later.where(decision.number > DispositionRow.number),
    )
    newer = exists().where(other.lot_id == Certificate.lot_id, other.id > Certificate.id)
    is_withdrawn = Certificate.id.in_(select(CertificateWithdrawal.certificate_id))
    return and_(is_withdrawn, in_use, ~newer)


def waiting_corrections(session: Session) -> Sequence[Correction]:
    """Every correction that waits for its decision, oldest first."""
    decided = select(CorrectionDecision.correction_id)
    query = select(Correction).where(Correction.id.not_in(decided))
    return session.scalars(query.order_by(Correction.id)).all()


def lots_corrected(session: Session, subjects: Iterable[str]) -> dict[str, tuple[str, bool]]:
    """The lots that corrections of lots and samples are about, and whether they are at work."""
    named = [(key, *key.partition(":")[::2]) for key in subjects]
    is_at_work = ~is_decided(LotRow.id)
    lots = select(LotRow.folded, LotRow.lot, is_at_work).where(
        LotRow.folded.in_([fold(name) for _, kind, name in named if kind == "lot"])
    )
    samples = (
        select(SampleRow.folded, LotRow.lot, is_at_work)
        .join(LotRow, LotRow.id == SampleRow.lot_id)
        .where(SampleRow.folded.in_([fold(name) for _, kind, name in named if kind == "sample"]))
    )
    found = {
        (kind, name): (lot, is_open)
        for kind, query in (("lot", lots), ("sample", samples))
        for name, lot, is_open in session.execute(query)
    }
    places = {key: (kind, fold(name)) for key, kind, name in named}
    return {key: found[place] for key, place in places.items() if place in found}


def undetermined_donors(session: Session, portion: Portion) -> Iterator[tuple[str, str, datetime]]:
    """Lot at work, donor and when that was registered, where no eligibility was determined."""
    query = (
        select(LotRow.lot, DonorRow.code, DonorRow.registered_at)
        .join(LotDonor, LotDonor.lot_id == LotRow.id)
        .join(DonorRow, DonorRow.id == LotDonor.donor_id)
        .where(
            portion.has(LotRow.id),
            ~exists().where(EligibilityRow.donor_id == DonorRow.id),
        )
    )
    for row in session.execute(query):
        yield row[0], row[1], row[2]


def pending_certificates(session: Session, portion: Portion | None = None) -> Sequence[Certificate]:
    """Every certificate, or those of some lots, whose document waits for its seal, by number."""
    query = select(Certificate).where(is_not_sealed())
    if portion is not None:
        query = query.where(portion.tells(Certificate.lot_id))
    return session.scalars(query.order_by(Certificate.id)).all()


def lots_without_certificate(
    session: Session, portion: Portion
) -> Iterator[tuple[Certificate, bool]]:
    """The newest certificate of each lot in use of which it was withdrawn, and whether sealed."""
    query = (
        select(Certificate, CertificateIssue.id)
        .outerjoin(CertificateIssue, CertificateIssue.certificate_id == Certificate.id)
        .where(portion.tells(Certificate.lot_id), is_missed())
    )
    for row in session.execute(query.order_by(Certificate.id)):
        yield row[0], row[1] is not None


def calibrations_until(session: Session, day: date) -> Iterator[tuple[str, str]]:
    """Every instrument whose newest calibration is due until a day: its id and that day."""
    newest = select(func.max(Instrument.number)).where(Instrument.folded == _INSTRUMENT.folded)
    query = select(_INSTRUMENT.instrument, _INSTRUMENT.due_on).where(
        _INSTRUMENT.number == newest.correlate(_INSTRUMENT).scalar_subquery(),
        _INSTRUMENT.due_on <= literal(day.isoformat()),
    )
    for row in session.execute(query):
        yield row[0], row[1]


def training_until(session: Session, day: date) -> Iterator[tuple[str, str, str]]:
    """Every person and method whose newest training ends until a day, and that day."""
    newest = select(func.max(Training.number)).where(
        Training.person_id == _TRAINING.person_id, Training.method == _TRAINING.method
    )
    query = (
        select(Person.user_id, _TRAINING.method, _TRAINING.expires_on)
        .join(Person, Person.id == _TRAINING.person_id)
        .where(
            _TRAINING.number == newest.correlate(_TRAINING).scalar_subquery(),
            _TRAINING.expires_on <= literal(day.isoformat()),
        )
    )
    for row in session.execute(query):
        yield row[0], row[1], row[2]
