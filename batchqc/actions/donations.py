"""Donations and pools of them. Everything wrong is told at once, and nothing is half registered."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.donor_records import records_of
from batchqc.actions.donors_today import donors_today
from batchqc.actions.permission import require
from batchqc.actions.registers import found_or_not, refuse_all, the_donor
from batchqc.actions.setup import own_site
from batchqc.actions.signing import check_reason
from batchqc.core.donation_ids import DonationId, IdKind, donation_id
from batchqc.core.donors import TISSUE_SOURCES
from batchqc.core.eligibility import SEXES, Person, age_problem
from batchqc.core.identifiers import line_problem
from batchqc.core.permissions import Permission
from batchqc.records.corrections import approved_changes, corrections_of
from batchqc.records.donations import (
    Donation,
    DonationPool,
    DonationPoolPart,
    donation_by,
    id_taken,
    pool_by,
)
from batchqc.records.registers import DonorRow
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class NewDonation:
    """A donation to register; the address has lines, age and sex may be blank."""

    donor: str
    kind: str
    id: str
    donated_on: date
    establishment: str
    address: str
    tissue: str
    donor_age: str = ""
    donor_sex: str = ""
    tested_person: str = Person.DONOR


def register_donation(tx: Transaction, new: NewDonation) -> Donation:
    """Register what a donor gave.

    Raises:
        InvalidInput: with everything that is wrong.
    """
    require(tx, Permission.KEEP_DONOR_RECORDS)
    donor = the_donor(tx.session, new.donor)
    tx.lock(donor.key)
    hold_ids(tx)
    found, problems = _identified(tx.session, new.kind, new.id)
    problems += [*_day_problems(tx, "the donation", new.donated_on), *_donation(tx, donor, new)]
    refuse_all("BQC-DNR-010", "the donation cannot be registered", problems)
    donation = Donation(
        donor=donor,
        number=len(records_of(tx.session, [donor])[donor.id].donations) + 1,
        donation=found.text,
        folded=found.folded,
        kind=found.kind.value,
        donated_on=new.donated_on.isoformat(),
        establishment=new.establishment.strip(),
        address=_lines(new.address),
        tissue=new.tissue,
        donor_age=new.donor_age,
        donor_sex=new.donor_sex,
        tested_person=new.tested_person,
        registered_by=tx.actor.user_id,
        registered_at=tx.now,
    )
    tx.add(donation)
    tx.audit(
        "donation registered",
        rows=[donation],
        about=[donor.key],
        after={"donated on": donation.donated_on, "tested": donation.tested_person},
    )
    return donation


def pool_donations(
    tx: Transaction, *, kind: str, pool: str, donations: tuple[str, ...], pooled_on: date,
    reason: str,
) -> DonationPool:  # fmt: skip
    """Put donations together under a new identification; theirs stay (requirement 8.10).

    Raises:
        NotFound: there is no such donation.
        InvalidInput: with everything that is wrong.
    """
    require(tx, Permission.KEEP_DONOR_RECORDS)
    check_reason(reason)
    parts = [the_donation(tx.session, one) for one in donations]
    for key in sorted({one.donor.key for one in parts}):
        tx.lock(key)  # nobody corrects the day of one meanwhile
    hold_ids(tx)
    found, problems = _identified(tx.session, kind, pool)
    problems += _day_problems(tx, "the pool", pooled_on)
    if len({one.id for one in parts}) < max(2, len(parts)):
        problems.append("a pool has at least two donations, each of them once")
    changes = corrections_of(tx.session, [one.key for one in parts])
    for one in parts:
        given = dict(approved_changes(changes, one.key)).get("donated_on", one.donated_on)
        if given > pooled_on.isoformat():
            problems.append(f"{one.donation} was donated on {given}, after it was pooled")
    refuse_all("BQC-DNR-015", "the donations cannot be pooled", problems)
    row = DonationPool(
        pool=found.text,
        folded=found.folded,
        kind=found.kind.value,
        pooled_on=pooled_on.isoformat(),
        reason=reason,
        registered_by=tx.actor.user_id,
        registered_at=tx.now,
    )
    members = [DonationPoolPart(donation_pool=row, donation=one) for one in parts]
    tx.add(row, *members)
    tx.audit(
        "donations pooled",
        rows=[row, *members],
        about=[key for one in parts for key in (one.key, one.donor.key)],
        reason=reason,
    )
    return row


def the_donation(session: Session, donation: str) -> Donation:
    """The donation of an identification, or NotFound."""
    said = f"there is no donation {donation}"
    return found_or_not(donation_by(session, donation), "BQC-DNR-011", said)


def the_pool(session: Session, pool: str) -> DonationPool:
    """The pool of an identification, or NotFound."""
    return found_or_not(pool_by(session, pool), "BQC-DNR-018", f"there is no pool {pool}")


def hold_ids(tx: Transaction) -> None:
    """No two donations or pools get one identification."""
    tx.lock("donation ids")


def site_day(tx: Transaction) -> date:
    """Today at the site."""
    return tx.now.astimezone(ZoneInfo(own_site(tx.session).time_zone)).date()


def _identified(session: Session, kind: str, text: str) -> tuple[DonationId, list[str]]:
    """The identification, and why it cannot be given."""
    if kind not in set(IdKind):
        said = f'"{kind}" is no kind of identification: {", ".join(IdKind)}'
        return DonationId(IdKind.LOCAL, text), [said]
    found = donation_id(IdKind(kind), text)
    if not isinstance(found, DonationId):
        return DonationId(IdKind(kind), text), list(found)
    taken = id_taken(session, found.text)
    return found, [
        f"{taken.natural_key} is registered already; ids are never reused"
    ] if taken else []


def _day_problems(tx: Transaction, what: str, day: date) -> list[str]:
    return [f"{what} on {day} lies in the future"] if day > site_day(tx) else []


def _donation(tx: Transaction, donor: DonorRow, new: NewDonation) -> Iterator[str]:
    (known,) = donors_today(tx.session, [donor], corrections_of(tx.session, [donor.key]))
    if new.tissue not in TISSUE_SOURCES:
        yield f'"{new.tissue}" is not a tissue source: {", ".join(TISSUE_SOURCES)}'
    elif new.tissue != known.tissue_source:
        yield f"donor {donor.code} is registered with {known.tissue_source}, not {new.tissue}"
    if new.tested_person not in set(Person):
        yield f'"{new.tested_person}" is not who is tested: {", ".join(Person)}'
    if new.donor_sex not in SEXES:
        yield f'"{new.donor_sex}" is no sex: {", ".join(one for one in SEXES if one)}, or blank'
    yield from _given(
        age_problem(new.donor_age), line_problem("the establishment", new.establishment)
    )
    address = new.address.splitlines() or [""]
    yield from _given(*(line_problem("the address", line) for line in address))


def _given(*problems: str | None) -> Iterator[str]:
    yield from (problem for problem in problems if problem)


def _lines(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines())
