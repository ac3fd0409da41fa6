"""Files of the long contract, written row by row, and how tests read them."""

import csv
from collections.abc import Iterable
from io import StringIO

from batchqc.core.specifications import Specification
from batchqc.intake.contract import Reading, read_bytes
from batchqc.intake.problems import Problem
from tests.cast import MSC, register

UPLOAD = "U-2026-000001"
HEADER = (
    "lot_id",
    "sample_id",
    "aliquot",
    "test_code",
    "analyte",
    "replicate",
    "value",
    "unit",
    "started_at",
    "measured_at",
    "analyst",
    "instrument_id",
    "run_id",
    "method_id",
    "result_type",
    "comment",
)

VIABILITY = {
    "lot_id": MSC,
    "sample_id": f"{MSC}-S01",
    "aliquot": "A1",
    "test_code": "VIAB",
    "analyte": "viability",
    "replicate": "1",
    "value": "96.90",
    "unit": "%",
    "measured_at": "2026-03-21T16:56:00-05:00",
    "analyst": "jdoe",
    "instrument_id": "VCB-001",
    "run_id": "VCB-260321-01",
    "method_id": "SOP-QC-014 v3",
    "result_type": "reportable",
}
DENSITY = {
    "test_code": "VCD",
    "analyte": "viable_cell_density",
    "value": "2.45E6",
    "unit": "cells/mL",
}
ENDOTOXIN = {
    "test_code": "ENDO",
    "analyte": "endotoxin",
    "value": "<0.05",
    "unit": "EU/mL",
    "method_id": "SOP-QC-040 v4",
}
STERILITY = {
    "test_code": "STER",
    "analyte": "growth_14d",
    "value": "No growth",
    "unit": "",
    "method_id": "SOP-MB-002 v6",
}


def file(*changes: dict[str, str], header: Iterable[str] = HEADER, delimiter: str = ",") -> bytes:
    """A file with one row for each of ``changes`` to the viability row."""
    out = StringIO(newline="")
    writer = csv.DictWriter(out, list(header), delimiter=delimiter, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(VIABILITY | change for change in changes or ({},))
    return out.getvalue().encode()


def read(data: bytes, plan: Specification | None = None) -> Reading:
    """Read a file in the world of ``tests.cast``."""
    return read_bytes(data, lambda _lots: register(plan), upload=UPLOAD)


def read_one(plan: Specification | None = None, **change: str) -> Reading:
    """Read a file with one row."""
    return read(file(change), plan)


def found(problems: Iterable[Problem]) -> list[tuple[str, int, str]]:
    """Code, row and column of each problem."""
    return [(one.code, one.row, one.column) for one in problems]
