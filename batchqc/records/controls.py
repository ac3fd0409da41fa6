"""Results of controls and standards of a test, over all lots, in the order of measurement."""

from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.core.assays import CONTROL, RunKey
from batchqc.records.registers import LotRow, Site
from batchqc.records.uploads import (
    AssayRun,
    MeasurementRow,
    Superseding,
    Upload,
    upload_number,
)

TYPES: Final = (CONTROL, "standard")


class Control(NamedTuple):
    """What is compared with itself only: one material by one method version at one site."""

    result_type: str
    material: str
    analyte: str
    unit: str
    method: str
    site: str


class ControlResult(NamedTuple):
    """One replicate of a control: its run, when it was measured, and its text."""

    control: Control
    run: RunKey
    measured_at: str
    value: str


def control_results(
    session: Session, tests: Collection[str], *, not_of: Collection[int] = ()
) -> Iterator[ControlResult]:
    """Every result of controls and standards of some tests; of superseded runs none.

    Args:
        session: only read.
        tests: codes.
        not_of: runs, by surrogate id, whose typed results do not stand.
    """
    superseded = select(Superseding.older_id)
    query = (
        select(
            MeasurementRow.result_type, MeasurementRow.aliquot, MeasurementRow.analyte,
            MeasurementRow.unit, MeasurementRow.method, MeasurementRow.method_version, Site.series,
            Upload.year, Upload.number, AssayRun.test, AssayRun.run, MeasurementRow.measured_text,
            MeasurementRow.value, AssayRun.id,
        )
        .join(AssayRun, AssayRun.id == MeasurementRow.assay_run_id)
        .join(Upload, Upload.id == AssayRun.upload_id)
        .join(LotRow, LotRow.id == AssayRun.lot_id)
        .join(Site, Site.id == LotRow.site_id)
        .where(
            AssayRun.test.in_(sorted(tests)),
            MeasurementRow.result_type.in_(TYPES),
            AssayRun.id.not_in(superseded),
        )
        .order_by(MeasurementRow.measured_at, AssayRun.id, MeasurementRow.id)
    )  # fmt: skip
    for row in session.execute(query):
        kind, material, analyte, unit, method, version, site = row[:7]
        year, number, test, run, measured, value, run_id = row[7:]
        if run_id in not_of:
            continue
        by = f"{method} v{version}" if version else method
        control = Control(kind, material, analyte, unit, by, site)
        yield ControlResult(
            control, RunKey(upload_number(year, number), test, run), measured, value
        )
