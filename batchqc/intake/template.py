"""The columns of the long contract in the order of the template, and a row that waits for a value.

What is measured stays blank: ``value``, ``measured_at``, ``analyst``. What the plan says is filled.
"""

from collections.abc import Iterable
from typing import Final

from batchqc.core.open_tests import OpenReplicate

TEMPLATE_COLUMNS: Final = (
    "lot_id", "sample_id", "aliquot", "test_code", "analyte", "replicate", "value", "unit",
    "started_at", "measured_at", "analyst", "instrument_id", "run_id", "method_id", "result_type",
    "comment",
)  # fmt: skip


def template_rows(open_replicates: Iterable[OpenReplicate], *, run: str = "") -> list[list[str]]:
    """The header, and a row for each open replicate; ``run`` is its run id, where it is known."""
    rows = [list(TEMPLATE_COLUMNS)]
    for one in open_replicates:
        cells = {
            "lot_id": one.sample.lot,
            "sample_id": one.sample.id,
            "aliquot": one.aliquot,
            "test_code": one.subject.test,
            "analyte": one.subject.analyte,
            "replicate": str(one.replicate),
            "unit": one.subject.unit,
            "run_id": run,
            "method_id": one.subject.method,
            "result_type": one.result_type,
        }
        rows.append([cells.get(column, "") for column in TEMPLATE_COLUMNS])
    return rows
