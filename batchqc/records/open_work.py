"""What open work is found by: for all lots at work together, never lot by lot."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, exists, func, literal, select
from sqlalchemy.orm import Session, aliased

from batchqc.core.assays import REPORTABLE
from batchqc.core.lot_states import IN_USE, UNDECIDED
from batchqc.core.lots import Sample
from batchqc.records.conditional import CertificateWithdrawal, counts_no_more
from batchqc.records.corrections import Correction, CorrectionDecision
from batchqc.records.decisions import Certificate, CertificateIssue, DispositionRow
from batchqc.records.donors import EligibilityRow
from batchqc.records.entries import EntryVerification
from batchqc.records.laboratory import Instrument, Training
from batchqc.records.lists import as_corrected
from batchqc.records.people import Person
from batchqc.records.registers import (
    DonorRow,
    LotDonor,
    LotRow,
    LotSpecification,
    Product,
    SampleRow,
)
from batchqc.records.signatures import SignatureRow
from batchqc.records.uploads import AssayRun, MeasurementRow, Review, Upload, upload_number

_INSTRUMENT: Any = aliased(Instrument)
_TRAINING: Any = aliased(Training)


class LotAtWork(NamedTuple):
    """A lot, its product and last usable day as corrected, and versions as registered, by id."""

    id: int
    lot: str
    product: str
    expires_on: date
    versions: tuple[int, ...]
    market: str


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


def at_work() -> Select[int]:
    """The lots on which work is open, by id: undecided, or released conditionally."""
    decided = select(DispositionRow.lot_id).where(
        DispositionRow.disposition.not_in([one.value for one in UNDECIDED])
    )
    return select(LotRow.id).where(LotRow.id.not_in(decided))


def lots_at_work(session: Session) -> list[LotAtWork]:
    """Every lot at work, by its id as registered."""
    changes = session.execute(
        select(Correction.subject, Correction.after)
        .join(CorrectionDecision, CorrectionDecision.correction_id == Correction.id)
        .where(Correction.field == "expires_on", CorrectionDecision.approved == 1)
        .order_by(Correction.id)
    )
    corrected = {row.subject: row.after for row in changes}
    beside: dict[int, list[int]] = {}
    others = select(LotSpecification.lot_id, LotSpecification.specification_version_id)
    for lot, version in session.execute(
        others.where(LotSpecification.lot_id.in_(at_work())).order_by(LotSpecification.id)
    ):
        beside.setdefault(lot, []).append(version)
    query = (
        select(
            LotRow.id,
            LotRow.lot,
            Product.code,
            LotRow.expires_on,
            LotRow.specification_version_id,
            LotRow.market,
        )
        .join(Product, Product.id == LotRow.product_id)
        .where(LotRow.id.in_(at_work()))
        .order_by(LotRow.folded)
    )
    return [
        LotAtWork(
            number,
            lot,
            product,
            date.fromisoformat(corrected.get(f"lot:{lot}", expires_on)),
            (version, *beside.get(number, ())),
            market,
        )
        for number, lot, product, expires_on, version, market in session.execute(query)
    ]


def products_and_expiries(session: Session, named: Iterable[str]) -> dict[str, tuple[str, date]]:
    """Product and last usable day, as corrected, of lots on which something waits, by their id.

    Every lot at work is in it, and those of ``named`` that are decided.
    """
    found = {one.lot: (one.product, one.expires_on) for one in lots_at_work(session)}
    query = (
        select(LotRow.lot, Product.code, as_corrected("expires_on", LotRow.expires_on))
        .join(Product, Product.id == LotRow.product_id)
        .where(LotRow.lot.in_(sorted(set(named) - found.keys())))
    )
    rest = {lot: (product, date.fromisoformat(day)) for lot, product, day in session.execute(query)}
    return found | rest


def samples_at_work(session: Session) -> dict[int, list[Sample]]:
    """The samples of every lot at work, by the lot's id."""
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
        .where(SampleRow.lot_id.in_(at_work()))
    )
    found: dict[int, list[Sample]] = {}
    for number, sample, lot, stage, container, taken_at in session.execute(query):
        found.setdefault(number, []).append(Sample(sample, lot, stage, container, taken_at))
    return found


def reported_at_work(session: Session) -> dict[int, set[tuple[str, str, str]]]:
    """Stage, test and analyte of every reportable result of the lots at work, by the lot's id."""
    query = (
        select(AssayRun.lot_id, SampleRow.stage, AssayRun.test, MeasurementRow.analyte)
        .join(AssayRun, AssayRun.id == MeasurementRow.assay_run_id)
        .join(SampleRow, SampleRow.id == MeasurementRow.sample_id)
        .where(AssayRun.lot_id.in_(at_work()), MeasurementRow.result_type == REPORTABLE)
        .distinct()
    )
    found: dict[int, set[tuple[str, str, str]]] = {}
    for lot, stage, test, analyte in session.execute(query):
        found.setdefault(lot, set()).add((stage, test, analyte))
    return found


def runs_at_work(session: Session) -> list[RunAtWork]:
    """Every run of the lots at work, and every one of decided lots that nobody reviewed."""
    is_open = AssayRun.lot_id.in_(at_work()) | AssayRun.id.not_in(select(Review.assay_run_id))
    reviewers: dict[int, set[str]] = {}
    newest: dict[int, datetime] = {}
    signed = (
        select(Review.assay_run_id, Person.user_id, SignatureRow.at)
        .join(AssayRun, AssayRun.id == Review.assay_run_id)
        .join(SignatureRow, SignatureRow.id == Review.signature_id)
        .join(Person, Person.id == SignatureRow.person_id)
        .where(AssayRun.lot_id.in_(at_work()))
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
        .where(is_open)
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


def waiting_corrections(session: Session) -> Sequence[Correction]:
    """Every correction that waits for its decision, oldest first."""
    decided = select(CorrectionDecision.correction_id)
    query = select(Correction).where(Correction.id.not_in(decided))
    return session.scalars(query.order_by(Correction.id)).all()


def undetermined_donors(session: Session) -> Iterator[tuple[str, str, datetime]]:
    """Lot at work, donor and when that was registered, where no eligibility was determined."""
    query = (
        select(LotRow.lot, DonorRow.code, DonorRow.registered_at)
        .join(LotDonor, LotDonor.lot_id == LotRow.id)
        .join(DonorRow, DonorRow.id == LotDonor.donor_id)
        .where(
            LotRow.id.in_(at_work()),
            DonorRow.id.not_in(select(EligibilityRow.donor_id)),
        )
    )
    for row in session.execute(query):
        yield row[0], row[1], row[2]


def pending_certificates(session: Session) -> Sequence[Certificate]:
    """Every certificate whose document waits for its seal, by number."""
    issued = select(CertificateIssue.certificate_id)
    query = select(Certificate).where(Certificate.id.not_in(issued), ~counts_no_more())
    return session.scalars(query.order_by(Certificate.id)).all()


def lots_without_certificate(session: Session) -> Iterator[tuple[Certificate, bool]]:
    """The newest certificate of each lot in use of which it was withdrawn, and whether sealed."""
    newer = aliased(DispositionRow)
    later = exists().where(
        newer.lot_id == DispositionRow.lot_id, newer.number > DispositionRow.number
    )
    in_use = select(DispositionRow.lot_id).where(
        DispositionRow.disposition.in_([one.value for one in IN_USE]), ~later
    )
    newest = select(func.max(Certificate.id)).group_by(Certificate.lot_id)
    withdrawn = select(CertificateWithdrawal.certificate_id)
    query = (
        select(Certificate, CertificateIssue.id)
        .outerjoin(CertificateIssue, CertificateIssue.certificate_id == Certificate.id)
        .where(
            Certificate.id.in_(newest),
            Certificate.id.in_(withdrawn),
            Certificate.lot_id.in_(in_use),
        )
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
