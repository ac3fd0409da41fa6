"""A record that can be corrected: whose it is, which of its fields, and what they say now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from batchqc.actions.donor_corrections import FIELDS, DonorRecord, donor_record
from batchqc.actions.lots import the_lot
from batchqc.core.lots import LOT_DATES, SAMPLE_FIELDS
from batchqc.errors import InvalidInput, NotFound
from batchqc.records.bindings import REBOUND, binding_of
from batchqc.records.corrections import (
    Correction,
    CorrectionDecision,
    approved_changes,
    corrections_of,
)
from batchqc.records.registers import DonorRow, LotRow, SampleRow, sample_by

LOT_FIELDS: Final = (*LOT_DATES, REBOUND)


@dataclass(frozen=True, slots=True)
class CorrectedRecord:
    """A record that can be corrected, with the lot or the donor that it belongs to."""

    row: LotRow | SampleRow | DonorRecord
    lot: LotRow | None
    fields: tuple[str, ...]
    donor: DonorRow | None = None

    @property
    def about(self) -> list[str]:
        """What audit entries on it speak of."""
        return list(dict.fromkeys(one.key for one in (self.row, self.donor) if one is not None))


@dataclass(frozen=True, slots=True)
class Correctable:
    """A record that can be corrected: its key, its lot (or ""), and each field as it is now."""

    subject: str
    lot: str
    fields: Mapping[str, str]


def correctable(session: Session, subject: str) -> Correctable:
    """What can be corrected of a record, and what it says now.

    Raises:
        NotFound, InvalidInput: the record is none, or none that can be corrected.
    """
    found = corrected_record(session, subject)
    corrections = corrections_of(session, [found.row.key])
    now = {field: now_says(session, found, corrections, field) for field in found.fields}
    return Correctable(found.row.key, found.lot.lot if found.lot else "", now)


def corrected_record(session: Session, subject: str) -> CorrectedRecord:
    """The record of a key such as ``lot:UCM-P1-T1``.

    Raises:
        NotFound, InvalidInput: there is none, or none that can be corrected.
    """
    kind, _, name = subject.partition(":")
    match kind:
        case "lot":
            lot = the_lot(session, name)
            return CorrectedRecord(lot, lot, LOT_FIELDS)
        case "sample":
            sample = sample_by(session, name)
            if sample is None:
                raise NotFound("BQC-COR-002", f"there is no sample {name}")
            return CorrectedRecord(sample, sample.lot, SAMPLE_FIELDS)
        case "donor" | "donation" | "donor_test" | "consent":
            row, donor = donor_record(session, kind, name)
            return CorrectedRecord(row, None, FIELDS[kind], donor)
        case _:
            raise InvalidInput(
                "BQC-COR-003",
                f'"{subject}" names nothing that can be corrected',
                hint="Name it as lot:<id>, sample:<id>, donor:<code> or as its record is named.",
            )


def now_says(
    session: Session,
    found: CorrectedRecord,
    corrections: Sequence[tuple[Correction, CorrectionDecision | None]],
    field: str,
) -> str:
    """What a field says, with what was approved."""
    if isinstance(found.row, LotRow) and field == REBOUND:
        return binding_of(session, found.row, corrections).text
    now = dict(approved_changes(corrections, found.row.key))
    return now.get(field, str(getattr(found.row, field)))
