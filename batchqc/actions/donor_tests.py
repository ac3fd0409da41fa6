"""Tests of donations for infectious disease, as the laboratory reported them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from batchqc.actions.donations import the_donation
from batchqc.actions.donor_records import records_of
from batchqc.actions.look_backs import NewLookBack, lock_what_came_of, look_back_by_system
from batchqc.actions.permission import require
from batchqc.actions.registers import refuse_all, the_donor
from batchqc.actions.times import is_long_ago
from batchqc.core.eligibility import Interpretation, Person
from batchqc.core.identifiers import line_problem
from batchqc.core.look_backs import doubtful
from batchqc.core.panels import MARKERS
from batchqc.core.permissions import Permission
from batchqc.documents.archive import Archive
from batchqc.records.donations import Donation, DonorTest
from batchqc.records.registers import DonorRow
from batchqc.records.transaction import Transaction

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class NewTests:
    """Results of one specimen by one laboratory; ``results`` are pairs of marker and result."""

    donor: str
    donation: str
    person: str
    specimen: str
    taken_at: str
    laboratory: str
    statement: str
    kit: str
    document_sha256: str
    results: tuple[tuple[str, str], ...]


def record_tests(tx: Transaction, archive: Archive, new: NewTests) -> list[DonorTest]:
    """Record results of a donation. A determination of before no longer counts.

    A reactive or indeterminate result of a donor of whom something came starts the look-back
    (requirement 8.13).

    Raises:
        NotFound: there is no such donor or donation.
        InvalidInput: with everything that is wrong.
    """
    require(tx, Permission.KEEP_DONOR_RECORDS)
    donor = the_donor(tx.session, new.donor)
    donation = the_donation(tx.session, new.donation)
    doubt = doubtful(new.results)
    came = doubt is not None and lock_what_came_of(tx, donor)
    tx.lock(donor.key)
    problems = list(_tests(tx, donor, donation, new))
    refuse_all("BQC-DNR-012", "the results cannot be recorded", problems)
    so_far = len(
        [one for one in records_of(tx.session, [donor])[donor.id].tests
         if one.donation_id == donation.id]
    )  # fmt: skip
    rows = [
        DonorTest(
            donation=donation,
            number=number,
            marker=marker,
            result=result,
            person=new.person,
            specimen=new.specimen.strip(),
            taken_text=new.taken_at,
            taken_at=datetime.fromisoformat(new.taken_at),
            laboratory=new.laboratory.strip(),
            statement=new.statement.strip(),
            kit=new.kit.strip(),
            document_sha256=new.document_sha256,
            recorded_by=tx.actor.user_id,
            recorded_at=tx.now,
        )
        for number, (marker, result) in enumerate(new.results, start=so_far + 1)
    ]
    tx.add(*rows)
    tx.audit(
        "donor tests recorded",
        rows=rows,
        about=[donation.key, donor.key],
        after=dict(new.results),
    )
    if doubt is not None and came:
        cause, said = doubt
        about = next(row.key for row in rows if doubtful([(row.marker, row.result)]) is not None)
        said = f"{said}, specimen of {new.taken_at}"
        look_back_by_system(tx, archive, NewLookBack(donor.key, cause, said, about))
    return rows


def hash_problem(text: str) -> str | None:
    """Why a text is no hash of a document, or ``None``."""
    if _SHA256.fullmatch(text):
        return None
    return "the hash of the document is 64 lower-case hexadecimal digits (SHA-256)"


def taken_problem(text: str, now: datetime) -> str | None:
    """Why a specimen cannot have been taken at a time, or ``None``."""
    try:
        taken = datetime.fromisoformat(text)
    except ValueError:
        return f'the specimen: "{text}" is not an ISO 8601 time'
    if taken.tzinfo is None:
        return "the specimen: the time needs its offset, such as +07:00"
    if is_long_ago(taken):
        return f"the specimen was taken at {text}, too long ago"
    return f"the specimen was taken at {text}, in the future" if taken > now else None


def _tests(tx: Transaction, donor: DonorRow, donation: Donation, new: NewTests) -> Iterator[str]:
    if donation.donor_id != donor.id:
        yield f"{donation.donation} is no donation of donor {donor.code}"
    if new.person not in set(Person):
        yield f'"{new.person}" is not who is tested: {", ".join(Person)}'
    lines = {
        "the specimen": new.specimen, "the laboratory": new.laboratory, "the kit": new.kit,
        "the statement of the laboratory's certification": new.statement,
    }  # fmt: skip
    found = [line_problem(what, text) for what, text in lines.items()]
    found += [hash_problem(new.document_sha256), taken_problem(new.taken_at, tx.now)]
    yield from (problem for problem in found if problem)
    if not new.results:
        yield "name at least one marker with its result"
    for marker, result in new.results:
        if marker not in MARKERS:
            yield f'"{marker}" is not a marker: {", ".join(MARKERS)}'
        if result not in set(Interpretation):
            yield f'{marker}: "{result}" is not a result: {", ".join(Interpretation)}'
    if len(dict(new.results)) < len(new.results):
        yield "a marker is named twice"
