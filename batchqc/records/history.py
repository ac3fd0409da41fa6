"""Every lot that a key of specifications ever judged, with its evidence, in portions."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple, cast

from sqlalchemy import ColumnElement, case, func, literal, select
from sqlalchemy.orm import Session, joinedload

from batchqc.core.assays import CONTROL, REPORTABLE, Measurement
from batchqc.core.entries import SecondEntry
from batchqc.core.impact import Evidence, Grouped, grouped
from batchqc.core.specifications import Stage
from batchqc.records.bindings import rebound_lots
from batchqc.records.corrections import CorrectionDecision, made_on_dates
from batchqc.records.donors import EligibilityRow
from batchqc.records.entries import EntryVerification
from batchqc.records.investigations import InvestigationStep
from batchqc.records.methods import MethodApproval
from batchqc.records.registers import LotRow, LotSpecification, Product, SampleRow
from batchqc.records.specifications import SpecificationVersion
from batchqc.records.typed_lines import IS_TYPED
from batchqc.records.uploads import (
    AssayRun,
    MeasurementRow,
    Superseding,
    Upload,
    measurements_of,
)

LOTS_AT_ONCE = 500
_WHOLE_LOTS_AT_ONCE: Final = 50
_WITH_THEIR_FILES: Final = (joinedload(AssayRun.upload), joinedload(AssayRun.lot))


class JudgedLot(NamedTuple):
    """A lot and the version that judges it at a stage, by their surrogate ids; 0 is none."""

    id: int
    lot: str
    manufactured_on: str
    version: int


def lots_judged(
    session: Session,
    key: SpecificationVersion,
    *,
    since: str = "",
    until: str = "",
    only: Collection[int] | None = None,
) -> Iterator[Sequence[JudgedLot]]:
    """Lots that a version of the product, stage and market of ``key`` would judge, in portions.

    A version for a market judges its lots; one for every market those that no market's own judges.

    Args:
        session: only read.
        key: a version.
        since: the first date of manufacture, ISO 8601, as corrected; "" is open.
        until: the last one.
        only: these lots, by their ids; ``None`` is all.
    """
    rebound = {
        lot: next((one for one in versions if one.stage == key.stage), None)
        for lot, versions in rebound_lots(session, key.product).items()
    }
    query = (
        select(LotRow.id, LotRow.lot, LotRow.manufactured_on)
        .join(Product, Product.id == LotRow.product_id)
        .where(Product.code == key.product)
        .order_by(LotRow.id)
        .limit(LOTS_AT_ONCE)
    )
    if key.market:
        query = query.where(LotRow.market == key.market)
    if only is not None:
        query = query.where(LotRow.id.in_(only))
    days = made_on_dates(session, key.product, only) if since or until else []
    made_on = {lot: day.isoformat() for lot, _, day in days}
    last = 0
    while rows := session.execute(query.where(LotRow.id > last)).all():
        last = rows[-1].id
        bound = _bound_at(session, key.stage, [row.id for row in rows])
        lots = []
        for row in rows:
            version, market = bound.get(row.id, (0, ""))
            if row.lot in rebound:
                anew = rebound[row.lot]
                version, market = (anew.id, anew.market) if anew else (0, "")
            day = made_on.get(row.lot, row.manufactured_on)
            if (key.market or not market) and since <= day <= (until or "9999"):
                lots.append(JudgedLot(row.id, row.lot, day, version))
        yield lots


def _bound_at(session: Session, stage: str, lots: Sequence[int]) -> dict[int, tuple[int, str]]:
    """The version, and its market, that judges each of some lots at a stage, as registered."""
    version = SpecificationVersion
    if stage == Stage.RELEASE:
        query = select(LotRow.id.label("lot_id"), version.id, version.market).join(
            version, version.id == LotRow.specification_version_id
        )
    else:
        query = select(LotSpecification.lot_id, version.id, version.market).join(
            version, version.id == LotSpecification.specification_version_id
        )
    lot = query.selected_columns[0]
    rows = session.execute(query.where(version.stage == stage, lot.in_(lots)))
    return {row[0]: (row[1], row[2]) for row in rows}


def typed_runs(session: Session, only: Collection[int] | None = None) -> dict[int, str]:
    """How each run that a person typed stands with its second entry, by the run's id.

    ``only`` are some lots by their surrogate ids; ``None`` is all.
    """
    query = (
        select(AssayRun.id, _second_entry())
        .join(Upload, Upload.id == AssayRun.upload_id)
        .outerjoin(EntryVerification, EntryVerification.upload_id == Upload.id)
        .where(IS_TYPED)
    )
    if only is not None:
        query = query.where(AssayRun.lot_id.in_(only))
    return {row[0]: row[1] for row in session.execute(query)}


def evidence_of(
    session: Session, lots: Sequence[JudgedLot], *, stage: str, typed: Mapping[int, str]
) -> dict[int, Grouped]:
    """The reportable results and controls of some lots at one stage, by lot.

    ``typed`` are the runs that a person typed, with their second entries.
    """
    query = (
        select(
            AssayRun.lot_id,
            AssayRun.id,
            AssayRun.test,
            MeasurementRow.analyte,
            MeasurementRow.result_type,
            MeasurementRow.aliquot,
            MeasurementRow.value,
            MeasurementRow.unit,
            MeasurementRow.method,
            literal(SecondEntry.NOT_NEEDED.value),
            MeasurementRow.started_text,
            MeasurementRow.measured_text,
        )
        .join(AssayRun, AssayRun.id == MeasurementRow.assay_run_id)
        .join(SampleRow, SampleRow.id == MeasurementRow.sample_id)
        .where(
            AssayRun.lot_id.in_([lot.id for lot in lots]),
            SampleRow.stage == stage,
            MeasurementRow.result_type.in_([REPORTABLE, CONTROL]),
        )
        .order_by(AssayRun.lot_id)
    )
    # Rows are tuples of this shape; read past the mapper, which takes a third of the time.
    rows = cast("Iterable[Evidence]", session.connection().execute(query))
    if typed:
        rows = (Evidence(*one)._replace(second=typed.get(one[1], "")) for one in rows)
    return {lot: grouped(own) for lot, own in groupby(rows, key=itemgetter(0))}


def superseded_lots(session: Session, only: Collection[int] | None = None) -> frozenset[int]:
    """Every lot with a superseded run, by its id; or those among some."""
    query = select(AssayRun.lot_id).join(Superseding, Superseding.older_id == AssayRun.id)
    if only is not None:
        query = query.where(AssayRun.lot_id.in_(only))
    return frozenset(session.scalars(query))


def versions_of(session: Session, lots: Iterable[int]) -> dict[int, tuple[Measurement, ...]]:
    """Every measurement of some lots that have a superseded run, by lot id."""
    ids = sorted(lots)
    found: dict[int, list[Measurement]] = {lot: [] for lot in ids}
    for first in range(0, len(ids), _WHOLE_LOTS_AT_ONCE):
        some = ids[first : first + _WHOLE_LOTS_AT_ONCE]
        query = select(LotRow.lot, LotRow.id).where(LotRow.id.in_(some))
        names = {name: lot for name, lot in session.execute(query)}  # noqa: C416 - rows are no pairs
        runs = select(AssayRun).where(AssayRun.lot_id.in_(some)).options(*_WITH_THEIR_FILES)
        for one in measurements_of(session, session.scalars(runs).all()):
            found[names[one.lot]].append(one)
    return {lot: tuple(own) for lot, own in found.items()}


def _second_entry() -> ColumnElement[str]:
    """What ``core.entries.second_entry`` says of a typed result, as an expression."""
    return case(
        (Upload.typed == "", SecondEntry.NOT_NEEDED.value),
        (EntryVerification.id.is_(None), SecondEntry.WAITS.value),
        (EntryVerification.matches == 1, SecondEntry.VERIFIED.value),
        else_=SecondEntry.MISMATCH.value,
    )


def basis_of_impact(session: Session) -> dict[str, int]:
    """How many rows there are of everything that an impact hangs on; none is ever taken away."""
    tables = (
        LotRow,
        LotSpecification,
        AssayRun,
        EligibilityRow,
        CorrectionDecision,
        EntryVerification,
        MethodApproval,
        InvestigationStep,
    )
    return {
        table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
        for table in tables
    }


def runs_on_record(session: Session) -> int:
    """How many assay runs are on record."""
    return session.scalar(select(func.count()).select_from(AssayRun)) or 0
