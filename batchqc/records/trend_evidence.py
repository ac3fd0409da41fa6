"""What series of lots are read from: their measurements in bulk, and what changed since."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Final, TypeVar, cast

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from batchqc.core.assays import CONTROL, INVESTIGATIONAL, REPORTABLE, Cell, Measurement, RunKey
from batchqc.core.entries import SecondEntry
from batchqc.core.identifiers import fold
from batchqc.records.audit import AuditEntry, AuditLink, AuditSubject
from batchqc.records.cell_banks import Derivation
from batchqc.records.history import JudgedLot
from batchqc.records.registers import DonorRow, LotDonor, LotRow, Product, SampleRow, Site
from batchqc.records.uploads import AssayRun, MeasurementRow, Upload, upload_number

Key = TypeVar("Key")

_BANK: Final = "cell_bank:"
#: Entries that add a review and a signature, and nothing that a series is made of.
_REVIEWS: Final = ("results reviewed", "lot reviewed by QC", "audit trail reviewed")


def measured_in(
    session: Session,
    lots: Sequence[JudgedLot],
    *,
    stage: str,
    pairs: Iterable[tuple[str, str]],
    typed: Mapping[int, str],
) -> dict[int, Sequence[Measurement]]:
    """What was measured of some tests and analytes of some lots at one stage, by lot.

    Results, controls in whatever case their analyte is written, and what was measured of a
    hypothesis. Of lots with superseded runs or
    investigations not enough is read: they are read whole.

    Args:
        session: only read.
        lots: whose.
        stage: of their samples.
        pairs: tests with analytes.
        typed: how each run that a person typed stands with its second entry, by its id.
    """
    wanted = [
        (AssayRun.test == test)
        & or_(
            MeasurementRow.analyte == analyte,
            (MeasurementRow.result_type == CONTROL)
            & (func.lower(MeasurementRow.analyte) == fold(analyte)),  # ASCII, both
        )
        for test, analyte in pairs
    ]
    if not wanted:
        return {}
    query = (
        select(
            AssayRun.lot_id, AssayRun.id, Upload.year, Upload.number, AssayRun.test, AssayRun.run,
            SampleRow.sample, MeasurementRow.aliquot, MeasurementRow.analyte,
            MeasurementRow.replicate, MeasurementRow.value, MeasurementRow.unit,
            MeasurementRow.started_text, MeasurementRow.measured_text, MeasurementRow.analyst,
            MeasurementRow.instrument, MeasurementRow.method, MeasurementRow.method_version,
            MeasurementRow.result_type, MeasurementRow.row, MeasurementRow.line,
            MeasurementRow.column,
        )
        .join(AssayRun, AssayRun.id == MeasurementRow.assay_run_id)
        .join(Upload, Upload.id == AssayRun.upload_id)
        .join(SampleRow, SampleRow.id == MeasurementRow.sample_id)
        .where(
            AssayRun.lot_id.in_([lot.id for lot in lots]),
            SampleRow.stage == stage,
            MeasurementRow.result_type.in_([REPORTABLE, CONTROL, INVESTIGATIONAL]),
            or_(*wanted),
        )
        .order_by(AssayRun.lot_id, AssayRun.id, MeasurementRow.row, MeasurementRow.id)
    )  # fmt: skip
    rows = session.connection().execute(query)
    return {
        lot: [_measurement(one, stage, typed) for one in own]
        for lot, own in groupby(rows, key=itemgetter(0))
    }


def sites_of(session: Session, lots: Iterable[int]) -> dict[int, str]:
    """The site of each of some lots, by the series of its certificates."""
    query = select(LotRow.id, Site.series).join(Site, Site.id == LotRow.site_id)
    return {row[0]: row[1] for row in session.execute(query.where(LotRow.id.in_(list(lots))))}


def donor_codes(session: Session, lots: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """The donors of each of some lots."""
    query = (
        select(LotDonor.lot_id, DonorRow.code)
        .join(DonorRow, DonorRow.id == LotDonor.donor_id)
        .where(LotDonor.lot_id.in_(list(lots)))
        .order_by(LotDonor.id)
    )
    return _gathered((row[0], row[1]) for row in session.execute(query))


def banks_of(session: Session, lots: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The cell banks that each of some lots, by id, was made of."""
    query = select(Derivation.child, Derivation.parent).where(
        Derivation.child.in_([f"lot:{lot}" for lot in lots]), Derivation.parent.startswith(_BANK)
    )
    pairs = session.execute(query.order_by(Derivation.id))
    return _gathered(
        (child.removeprefix("lot:"), parent.removeprefix(_BANK)) for child, parent in pairs
    )


def told_between(session: Session, after: int, until: int) -> Iterator[str]:
    """The keys of all records that entries behind a place in the audit trail speak of, up to one.

    That a lot is registered is filed under its donors too, and changes nothing of them; nor does a
    review change the lot and the runs that it names.
    """
    of_donors = (AuditEntry.what == "lot registered") & AuditSubject.subject.startswith("donor:")
    of_reviews = AuditEntry.what.in_(_REVIEWS) & or_(
        AuditSubject.subject.startswith("lot:"), AuditSubject.subject.startswith("assay_run:")
    )
    query = (
        select(AuditSubject.subject)
        .join(AuditEntry, AuditEntry.id == AuditSubject.entry_id)
        .join(AuditLink, AuditLink.entry_sha256 == AuditEntry.sha256)
        .where(AuditLink.sequence > after, AuditLink.sequence <= until)
        .where(~of_donors, ~of_reviews)
    )
    return iter(set(session.scalars(query)))  # were they distinct, SQLite would read all subjects


def lots_named(
    session: Session,
    *,
    lots: Iterable[str] = (),
    samples: Iterable[str] = (),
    uploads: Iterable[tuple[int, int]] = (),
    donors: Iterable[str] = (),
) -> frozenset[int]:
    """Lots, by their surrogate ids, that some records are about.

    Args:
        session: only read.
        lots: ids as registered.
        samples: ids as registered.
        uploads: year and number.
        donors: codes.
    """
    found = set(session.scalars(select(LotRow.id).where(LotRow.folded.in_(_folded(lots)))))
    found |= set(
        session.scalars(select(SampleRow.lot_id).where(SampleRow.folded.in_(_folded(samples))))
    )
    of_donors = select(LotDonor.lot_id).join(DonorRow, DonorRow.id == LotDonor.donor_id)
    found |= set(session.scalars(of_donors.where(DonorRow.folded.in_(_folded(donors)))))
    of_uploads = select(AssayRun.lot_id).join(Upload, Upload.id == AssayRun.upload_id)
    for year, number in sorted(set(uploads)):
        found |= set(
            session.scalars(of_uploads.where(Upload.year == year, Upload.number == number))
        )
    return frozenset(found)


def _folded(names: Iterable[str]) -> list[str]:
    """The names as they are looked for: by an index."""
    return sorted({fold(one) for one in names})


def by_product(session: Session, lots: frozenset[int]) -> dict[str, set[int]]:
    """Lots, by their surrogate ids, under the codes of their products."""
    found: dict[str, set[int]] = {}
    query = select(Product.code, LotRow.id).join(LotRow, LotRow.product_id == Product.id)
    for product, lot in session.execute(query.where(LotRow.id.in_(lots))) if lots else ():
        found.setdefault(product, set()).add(lot)
    return found


def _measurement(row: Sequence[object], stage: str, typed: Mapping[int, str]) -> Measurement:
    (
        _, run_id, year, number, test, run, sample, aliquot, analyte, replicate, value, unit,
        started, measured, analyst, instrument, method, version, result_type, at, line, column,
    ) = cast("tuple[int, int, int, int, str, str, str, str, str, int, str, str, str, str, str,"
             " str, str, str, str, int, int, str]", row)  # fmt: skip
    return Measurement(
        run=RunKey(upload_number(year, number), test, run),
        lot="",
        sample=sample,
        stage=stage,
        aliquot=aliquot,
        analyte=analyte,
        replicate=replicate,
        unit=unit,
        measured_at=datetime.fromisoformat(measured),
        started_at=datetime.fromisoformat(started) if started else None,
        analyst=analyst,
        instrument=instrument,
        method=method,
        version=version,
        result_type=result_type,
        cell=Cell(at, line, column, value),
        second=SecondEntry(typed.get(run_id, SecondEntry.NOT_NEEDED)),
    )


def _gathered(pairs: Iterable[tuple[Key, str]]) -> dict[Key, tuple[str, ...]]:
    found: dict[Key, tuple[str, ...]] = {}
    for key, value in pairs:
        found[key] = (*found.get(key, ()), value)
    return found
