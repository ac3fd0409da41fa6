"""Lots that are not decided for good, their samples of a day, and what is on record of them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.core.assays import REPORTABLE
from batchqc.core.lot_states import UNDECIDED
from batchqc.core.open_tests import Reported
from batchqc.records.among import constants
from batchqc.records.decisions import DispositionRow
from batchqc.records.registers import LotRow, SampleRow
from batchqc.records.uploads import AssayRun, MeasurementRow

_FURTHEST_ZONE: Final = timedelta(hours=15)


def undecided_lots(session: Session) -> Sequence[LotRow]:
    """Every lot that is undecided, or released conditionally; by id."""
    decided = select(DispositionRow.lot_id).where(
        DispositionRow.disposition.not_in(constants(UNDECIDED))
    )
    return session.scalars(
        select(LotRow).where(LotRow.id.not_in(decided)).order_by(LotRow.folded)
    ).all()


def lots_sampled_near(session: Session, day: date) -> frozenset[int]:
    """Ids of the lots of which a sample was taken on a day, wherever on earth the day is."""
    begins = datetime.combine(day, time.min, UTC)
    query = select(SampleRow.lot_id).where(
        SampleRow.taken_at >= begins - _FURTHEST_ZONE,
        SampleRow.taken_at < begins + timedelta(days=1) + _FURTHEST_ZONE,
    )
    return frozenset(session.scalars(query.distinct()))


def reported_of(session: Session, lots: Iterable[LotRow]) -> frozenset[Reported]:
    """Sample, test and analyte of every reportable result of some lots."""
    query = (
        select(SampleRow.sample, AssayRun.test, MeasurementRow.analyte)
        .join(AssayRun, AssayRun.id == MeasurementRow.assay_run_id)
        .join(SampleRow, SampleRow.id == MeasurementRow.sample_id)
        .where(
            AssayRun.lot_id.in_([lot.id for lot in lots]),
            MeasurementRow.result_type == REPORTABLE,
        )
    )
    return frozenset(
        (sample, test, analyte) for sample, test, analyte in session.execute(query.distinct())
    )
