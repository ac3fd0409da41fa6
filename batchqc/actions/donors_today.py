"""Donors as they stand today: corrected, with their newest eligibility determination."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from batchqc.actions.donor_records import records_of
from batchqc.core.donors import Donor
from batchqc.core.eligibility import consent_problems
from batchqc.records.corrections import (
    Correction,
    CorrectionDecision,
    approved_changes,
    corrections_of,
)
from batchqc.records.donors import newest_eligibility
from batchqc.records.registers import DonorRow, lot_donors_among


def study_donors(session: Session, lots: Sequence[int]) -> dict[int, tuple[Donor, ...]]:
    """The donors of some lots as they stand today, by lot id, of lots by their ids."""
    pairs, rows = lot_donors_among(session, lots)
    corrections = tuple(corrections_of(session, [row.key for row in rows]))
    known = dict(
        zip((row.id for row in rows), donors_today(session, rows, corrections), strict=True)
    )
    found: dict[int, tuple[Donor, ...]] = dict.fromkeys(lots, ())
    for lot, donor in pairs:
        found[lot] += (known[donor],)
    return found


def donors_today(
    session: Session,
    rows: Sequence[DonorRow],
    corrections: Sequence[tuple[Correction, CorrectionDecision | None]],
) -> tuple[Donor, ...]:
    """Some donors with approved corrections laid over them, and their newest eligibility."""
    eligibility = newest_eligibility(session, rows)
    return tuple(
        Donor(
            row.code,
            dict(approved_changes(corrections, row.key)).get("tissue_source", row.tissue_source),
            eligibility[row.id].eligibility if row.id in eligibility else "",
        )
        for row in rows
    )


def no_new_lots(session: Session, donors: list[DonorRow]) -> list[str]:
    """Why no new lot may come from some donors: their consent was withdrawn."""
    found = [(one.donor.code, one.consented) for one in records_of(session, donors).values()]
    return [
        f"donor {code}: {said}"
        for code, one in found
        if one is not None
        for said in consent_problems(one)
    ]
