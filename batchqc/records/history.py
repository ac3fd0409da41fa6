"""Every lot that a key of specifications ever judged, with its evidence, in portions."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.core.assays import CONTROL, REPORTABLE
from batchqc.core.impact import Evidence
from batchqc.records.registers import LotRow, SampleRow
from batchqc.records.specifications import SpecificationVersion
from batchqc.records.uploads import AssayRun, MeasurementRow

LOTS_AT_ONCE = 500


def lots_judged(
    session: Session, key: SpecificationVersion, *, since: str = "", until: str = ""
) -> Iterator[Sequence[LotRow]]:
    """Lots whose deciding version has the product, stage and market of ``key``, in portions.

    Args:
        session: whose objects are let go after each portion, so that memory stays flat.
        key: a version.
        since: the first date of manufacture; "" is open.
        until: the last one.
    """
    query = (
        select(LotRow)
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
    while lots := session.scalars(query.where(LotRow.id > last)).all():
        last = lots[-1].id
        yield lots


def evidence_of(
    session: Session, lots: Sequence[LotRow], *, stage: str
) -> dict[int, list[Evidence]]:
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
    rows = map(Evidence._make, session.execute(query))
    return {lot: list(own) for lot, own in groupby(rows, key=lambda one: one.lot)}
