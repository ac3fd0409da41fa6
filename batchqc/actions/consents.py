"""Consents of donors, and their withdrawal, which no new lot comes after (requirement 8.07)."""

from collections.abc import Iterator
from datetime import date

from batchqc.actions.donations import site_day
from batchqc.actions.donor_records import records_of
from batchqc.actions.donor_tests import hash_problem
from batchqc.actions.look_backs import NewLookBack, lock_what_came_of, look_back_by_system
from batchqc.actions.permission import require
from batchqc.actions.registers import refuse_all, the_donor
from batchqc.actions.signing import check_reason
from batchqc.core.eligibility import Consented, Scope
from batchqc.core.identifiers import line_problem
from batchqc.core.look_backs import LookBackCause
from batchqc.core.permissions import Permission
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict
from batchqc.records.donations import Consent, ConsentWithdrawal
from batchqc.records.transaction import Transaction


def record_consent(
    tx: Transaction,
    *,
    donor: str,
    version: str,
    scopes: tuple[str, ...],
    given_on: date,
    document_sha256: str,
) -> Consent:
    """Record the version of a consent that a donor gave; it counts instead of an earlier one.

    Raises:
        InvalidInput: with everything that is wrong.
    """
    require(tx, Permission.KEEP_DONOR_RECORDS)
    row = the_donor(tx.session, donor)
    tx.lock(row.key)
    records = records_of(tx.session, [row])[row.id]
    problems = [
        *(one for one in (line_problem("the version", version),) if one),
        *_scope_problems(scopes),
        *_given_problems(records.consented, given_on, site_day(tx)),
        *(one for one in (hash_problem(document_sha256),) if one),
    ]
    refuse_all("BQC-DNR-013", "the consent cannot be recorded", problems)
    consent = Consent(
        donor=row,
        number=len(records.consents) + 1,
        version=version.strip(),
        scopes="\n".join(one.value for one in Scope if one in scopes),
        given_on=given_on.isoformat(),
        document_sha256=document_sha256,
        recorded_by=tx.actor.user_id,
        recorded_at=tx.now,
    )
    tx.add(consent)
    tx.audit(
        "consent recorded",
        rows=[consent],
        about=[row.key],
        after={"version": consent.version, "scopes": consent.scopes.splitlines()},
    )
    return consent


def withdraw_consent(
    tx: Transaction, archive: Archive, *, donor: str, withdrawn_on: date, reason: str
) -> ConsentWithdrawal:
    """Record that a donor withdrew the consent; lots that are not decided cannot be released.

    Where something came of the donor, it starts the look-back (requirement 8.13).

    Raises:
        Conflict: there is no consent, or it was withdrawn before.
        InvalidInput: the date cannot be.
    """
    require(tx, Permission.KEEP_DONOR_RECORDS)
    check_reason(reason)
    row = the_donor(tx.session, donor)
    came = lock_what_came_of(tx, row)
    tx.lock(row.key)
    records = records_of(tx.session, [row])[row.id]
    consented = records.consented
    if consented is None:
        raise Conflict("BQC-DNR-014", f"no consent of donor {row.code} is on record")
    if consented.withdrawn_on is not None:
        said = f"consent {consented.name} was withdrawn on {consented.withdrawn_on} already"
        raise Conflict("BQC-DNR-016", said)
    problems = []
    if withdrawn_on > site_day(tx):
        problems.append(f"the withdrawal on {withdrawn_on} lies in the future")
    if withdrawn_on < consented.given_on:
        problems.append(f"the consent was given later, on {consented.given_on}")
    refuse_all("BQC-DNR-017", "the withdrawal cannot be recorded", problems)
    withdrawal = ConsentWithdrawal(
        consent=records.consents[-1],
        withdrawn_on=withdrawn_on.isoformat(),
        reason=reason,
        recorded_by=tx.actor.user_id,
        recorded_at=tx.now,
    )
    tx.add(withdrawal)
    tx.audit(
        "consent withdrawn",
        rows=[withdrawal],
        about=[records.consents[-1].key, row.key],
        reason=reason,
        after={"withdrawn on": withdrawal.withdrawn_on},
    )
    if came:
        cause = LookBackCause.CONSENT_WITHDRAWN
        look_back_by_system(tx, archive, NewLookBack(row.key, cause, reason, withdrawal.key))
    return withdrawal


def _scope_problems(scopes: tuple[str, ...]) -> Iterator[str]:
    if not scopes:
        yield f"name what was consented to: {', '.join(Scope)}"
    for scope in scopes:
        if scope not in set(Scope):
            yield f'"{scope}" is not a scope: {", ".join(Scope)}'


def _given_problems(before: Consented | None, given_on: date, today: date) -> Iterator[str]:
    if given_on > today:
        yield f"the consent on {given_on} lies in the future"
    if before is not None and given_on < (before.withdrawn_on or before.given_on):
        did = "withdrawn" if before.withdrawn_on else "given"
        day = before.withdrawn_on or before.given_on
        yield f"consent {before.name} was {did} later, on {day}"
