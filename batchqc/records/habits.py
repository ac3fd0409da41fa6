"""What a test was done with, and by whom, for other lots of a product."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.records.registers import LotRow
from batchqc.records.uploads import AssayRun, MeasurementRow

RUNS_LOOKED_AT: Final = 50


def runs_before(
    session: Session, lot: LotRow, test: str
) -> tuple[int, frozenset[str], frozenset[str]]:
    """How many of the newest runs of a test for other lots there are, their instruments, analysts.

    At most ``RUNS_LOOKED_AT`` runs are looked at.
    """
    query = (
        select(AssayRun.id)
        .join(LotRow, LotRow.id == AssayRun.lot_id)
        .where(
            AssayRun.test == test, AssayRun.lot_id != lot.id, LotRow.product_id == lot.product_id
        )
        .order_by(AssayRun.id.desc())
        .limit(RUNS_LOOKED_AT)
    )
    runs = session.scalars(query).all()
    used = session.execute(
        select(MeasurementRow.instrument, MeasurementRow.analyst)
        .where(MeasurementRow.assay_run_id.in_(runs))
        .distinct()
    ).all()
    return len(runs), frozenset(one[0] for one in used), frozenset(one[1] for one in used)
