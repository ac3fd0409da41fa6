"""What can be corrected of a donor, a donation, a test or a consent, and what it cannot become."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeAlias

from sqlalchemy.orm import Session

from batchqc.actions.donations import hold_ids, site_day, the_donation
from batchqc.actions.donor_tests import taken_problem
from batchqc.actions.look_backs import NewLookBack
from batchqc.actions.registers import found_or_not, the_donor
from batchqc.core.donation_ids import DonationId, IdKind, donation_id
from batchqc.core.donors import TISSUE_SOURCES
from batchqc.core.eligibility import Interpretation, Person, age_problem
from batchqc.core.identifiers import line_problem
from batchqc.core.look_backs import doubtful
from batchqc.records.base import Row
from batchqc.records.cell_banks import CellBank, children_of
from batchqc.records.corrections import Correction, corrected_lot, corrections_of
from batchqc.records.donations import (
    Consent,
    Donation,
    DonorTest,
    consent_by,
    consents_of,
    id_taken,
    pools_with,
    test_by,
    withdrawals_of,
)
from batchqc.records.genealogy import nodes_by
from batchqc.records.registers import DonorRow, LotRow
from batchqc.records.transaction import Transaction

DonorRecord: TypeAlias = DonorRow | Donation | DonorTest | Consent

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "donor": ("tissue_source",),
    "donation": ("donation", "donated_on", "tissue", "tested_person", "donor_age"),
    "donor_test": ("result", "person", "taken_text"),
    "consent": ("version", "given_on"),
}
#: Fields that say one of some words.
WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "tissue_source": TISSUE_SOURCES,
    "tissue": TISSUE_SOURCES,
    "tested_person": tuple(Person),
    "person": tuple(Person),
    "result": tuple(Interpretation),
}


def donor_record(session: Session, kind: str, name: str) -> tuple[DonorRecord, DonorRow]:
    """A record that can be corrected, and its donor, or NotFound."""
    if kind == "donor":
        donor = the_donor(session, name)
        return donor, donor
    if kind == "donation":
        donation = the_donation(session, name)
        return donation, donation.donor
    said = f"there is no {kind} {name}"
    if kind == "consent":
        consent = found_or_not(consent_by(session, name), "BQC-DNR-021", said)
        return consent, consent.donor
    test = found_or_not(test_by(session, name), "BQC-DNR-021", said)
    return test, test.donation.donor


def donor_record_problem(tx: Transaction, row: DonorRecord, field: str, after: str) -> str | None:
    """Why a field of a record cannot say so, or ``None``."""
    words = WORDS.get(field)
    if words is not None:
        return None if after in words else f"one of: {', '.join(words)}"
    match field:
        case "donation":
            hold_ids(tx)
            return _id_problem(tx.session, row, after)
        case "donated_on" | "given_on":
            return _day_problem(after, site_day(tx)) or _order_problem(tx.session, row, after)
        case "taken_text":
            return taken_problem(after, tx.now)
        case "donor_age":
            return age_problem(after)
        case _:
            return line_problem("the version", after)


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a correction brings into doubt: the donor, and the look-back from there."""

    donor: DonorRow
    look_back: NewLookBack


def new_doubt(correction: Correction, row: Row) -> Doubt | None:
    """What a corrected result of a test brings into doubt that it did not before, if anything."""
    if not isinstance(row, DonorTest) or correction.field != "result":
        return None
    doubt = doubtful([(row.marker, correction.after)])
    if doubt is None or correction.before == Interpretation.REACTIVE:
        return None
    cause, said = doubt
    reason = f"{correction.natural_key}, corrected to {said}: {correction.reason}"
    donor = row.donation.donor
    return Doubt(donor, NewLookBack(donor.key, cause, reason, row.key))


def _id_problem(session: Session, row: DonorRecord, after: str) -> str | None:
    kind = IdKind(row.kind) if isinstance(row, Donation) else IdKind.LOCAL
    return "; ".join(_id_problems(session, kind, after)) or None


def _id_problems(session: Session, kind: IdKind, after: str) -> Iterator[str]:
    found = donation_id(kind, after)
    if not isinstance(found, DonationId):
        yield from found
    elif found.text != after:
        yield f"write it as it is kept: {found.text}"
    elif id_taken(session, after):
        yield "it is registered already; ids are never reused"


def _order_problem(session: Session, row: DonorRecord, after: str) -> str | None:
    """What a donation would come after that was made of it; the withdrawal a consent would pass."""
    if isinstance(row, Donation):
        made = {one.key: one.pooled_on for one in pools_with(session, row)}
        children = nodes_by(session, [one.child for one in children_of(session, [row.key])])
        for key, one in children.items():
            made[key] = one.made_on if isinstance(one, CellBank) else _lot_made_on(session, one)
        said = (f"{key} was made of it on {day}" for key, day in made.items() if day < after)
        return "; ".join(said) or None
    given = consents_of(session, [row.donor]) if isinstance(row, Consent) else ()
    for one in withdrawals_of(session, given):
        if one.consent_id == row.id and one.withdrawn_on < after:
            return f"it was withdrawn on {one.withdrawn_on}, before that"
        if one.consent_id < row.id and after < one.withdrawn_on:
            return f"consent {one.consent.version} was withdrawn later, on {one.withdrawn_on}"
    return None


def _lot_made_on(session: Session, lot: Row) -> str:
    """The day of manufacture of a lot, as corrected."""
    if not isinstance(lot, LotRow):
        return date.max.isoformat()
    return corrected_lot(lot, corrections_of(session, [lot.key])).manufactured_on.isoformat()


def _day_problem(after: str, today: date) -> str | None:
    try:
        day = date.fromisoformat(after)
    except ValueError:
        return "write it as YYYY-MM-DD"
    if day.isoformat() != after:
        return "write it as YYYY-MM-DD"
    return "it lies in the future" if day > today else None
