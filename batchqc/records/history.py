"""Every lot that a key of specifications ever judged, with its evidence, in portions."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.core.assays import CONTROL, REPORTABLE
from batchqc.core.impact import Evidence, Grouped, grouped
from batchqc.records.registers import LotRow, SampleRow
from batchqc.records.specifications import SpecificationVersion
from batchqc.records.uploads import AssayRun, MeasurementRow

LOTS_AT_ONCE = 500


class JudgedLot(NamedTuple):
    """A lot and the version that decides over it, by their surrogate ids."""

    id: int
    lot: str
    manufactured_on: str
    version: int


def lots_judged(
    session: Session, key: SpecificationVersion, *, since: str = "", until: str = ""
) -> Iterator[Sequence[JudgedLot]]:
    """Lots whose deciding version has the product, stage and market of ``key``, in portions.

    Args:
        session: only read.
        key: a version.
        since: the first date of manufacture; "" is open.
        until: the last one.
    """
    columns = (LotRow.id, LotRow.lot, LotRow.manufactured_on, LotRow.specification_version_id)
    query = (
        select(*columns)
        .join(SpecificationVersion, SpecificationVersion.id == LotRow.specification_version_id)
        .where(
            SpecificationVersion.product == key.product,
            SpecificationVersion.stage == key.stage,
            SpecificationVersion.market == key.market,
        )
        .order_by(LotRow.id)
        .limit(LOTS_AT_ONCE)
    )
    if since:
        query = query.where(LotRow.manufactured_on >= since)
    if until:
        query = query.where(LotRow.manufactured_on <= until)
    last = 0
    while lots := [JudgedLot(*row) for row in session.execute(query.where(LotRow.id > last))]:
        last = lots[-1].id
        yield lots


def evidence_of(session: Session, lots: Sequence[JudgedLot], *, stage: str) -> dict[int, Grouped]:
    """The reportable results and controls of some lots at one stage, by lot."""
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
    rows = cast("Iterable[Evidence]", session.execute(query))  # rows are tuples of this shape
    return {lot: grouped(own) for lot, own in groupby(rows, key=itemgetter(0))}
