"""What a person types, as the bytes of a file of the long contract.

It is then read like any file, by the same rules: nothing that a file may not say can be typed.
"""

import csv
from dataclasses import dataclass
from io import StringIO
from typing import Final

from batchqc.core.assays import REPORTABLE
from batchqc.core.entries import TypedAnalyte
from batchqc.intake.header import OPTIONAL_COLUMNS, REQUIRED_COLUMNS

COLUMNS: Final = (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedResult:
    """One result: its replicates in order, and what they were measured with; all as typed.

    ``also`` are further analytes of the same run, of which everything else is alike.
    """

    lot: str
    sample: str
    test: str
    analyte: str
    values: tuple[str, ...]
    unit: str
    measured_at: str
    analyst: str
    aliquot: str = ""
    started_at: str = ""
    instrument: str = ""
    run: str = ""
    method: str = ""
    comment: str = ""
    also: tuple[TypedAnalyte, ...] = ()

    @property
    def analytes(self) -> tuple[TypedAnalyte, ...]:
        """Every analyte, in the order of the file."""
        return (TypedAnalyte(self.analyte, self.values, self.unit), *self.also)


def long_csv(result: TypedResult) -> bytes:
    """The same bytes for the same result: every cell in quotation marks, a row a replicate.

    Raises:
        UnicodeEncodeError: a text holds half a surrogate pair, which no file does.
    """
    out = StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    replicates = (
        (one.analyte, one.unit, number, value)
        for one in result.analytes
        for number, value in enumerate(one.values, start=1)
    )
    for analyte, unit, replicate, value in replicates:
        cells = {
            "lot_id": result.lot,
            "sample_id": result.sample,
            "test_code": result.test,
            "analyte": analyte,
            "replicate": str(replicate),
            "value": value,
            "unit": unit,
            "measured_at": result.measured_at,
            "analyst": result.analyst,
            "aliquot": result.aliquot,
            "started_at": result.started_at,
            "instrument_id": result.instrument,
            "run_id": result.run,
            "method_id": result.method,
            "result_type": REPORTABLE,
            "comment": result.comment,
        }
        writer.writerow([cells[name] for name in COLUMNS])
    return out.getvalue().encode()
