"""Determining whether a donor is eligible, signed by the donor officer (requirement 8.02)."""

from dataclasses import dataclass

from batchqc.actions.donor_evaluation import determined, evidence_text
from batchqc.actions.donor_records import ApprovedPanel, records_of
from batchqc.actions.late_signing import said_late
from batchqc.actions.look_backs import NewLookBack, lock_what_came_of, look_back_by_system
from batchqc.actions.permission import require
from batchqc.actions.registers import the_donor
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.donors import ELIGIBLE, EXCEPTION
from batchqc.core.look_backs import LookBackCause
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import Archive
from batchqc.records.donors import EligibilityRow, newest_eligibility
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class NewDetermination:
    """Whose eligibility is determined, on what, and whether the donor is eligible.

    ``basis`` is of an exception the reason why the risk is not increased; ``panel`` is what the
    donor's records are held against, ``None`` where nothing is.
    """

    donor: str
    basis: str
    eligible: bool
    panel: ApprovedPanel | None = None


def determine_eligibility(
    tx: Transaction,
    archive: Archive,
    new: NewDetermination,
    *,
    credentials: Credentials,
) -> EligibilityRow | Refusal:
    """Determine a donor's eligibility, signed; a later determination replaces it, both stay.

    The signature binds every record of the donor as it is, and the panel. Where something came of a
    donor who is ineligible, or was eligible and is so by exception only, it starts the look-back,
    unless one from the donor is open.

    Args:
        tx: of a donor officer.
        archive: takes the frozen list of a look-back.
        new: what is determined.
        credentials: of the officer.

    Raises:
        Conflict: the records forbid to say so, with every reason.
    """
    require(tx, Permission.DETERMINE_ELIGIBILITY)
    check_reason(credentials.reason)
    check_reason(new.basis)
    row = the_donor(tx.session, new.donor)
    by_exception = new.panel is not None and new.panel.by_exception
    came = (not new.eligible or by_exception) and lock_what_came_of(tx, row)
    tx.lock(row.key)
    before = newest_eligibility(tx.session, [row]).get(row.id)
    records = records_of(tx.session, [row])[row.id]
    found = EligibilityRow(
        donor=row,
        number=before.number + 1 if before else 1,
        eligibility=determined(tx, records, eligible=new.eligible, panel=new.panel),
        basis=new.basis,
        evidence=evidence_text(records, new.panel.row if new.panel else None),
        panel=new.panel.row.natural_key if new.panel else "",
    )
    signature = sign(
        tx,
        credentials,
        meaning=Meaning.APPROVED,
        record=row.key,
        record_sha256=found.signed_sha256,
        rests_on=records.true_times
        | ({"it was determined": before.signature.true_at} if before else {}),
    )
    if isinstance(signature, Refusal):
        return signature
    found.signature = signature
    tx.add(found)
    tx.audit(
        "donor eligibility determined",
        rows=[signature, found],
        about=[row.key],
        reason=credentials.reason,
        before={"eligibility": before.eligibility if before else None},
        after={"eligibility": found.eligibility, "basis": new.basis, **said_late(signature)},
    )
    was_eligible = before is not None and before.eligibility == ELIGIBLE
    if came and (found.eligibility != EXCEPTION or was_eligible):
        reason = f"determined to be {found.eligibility}: {new.basis}"
        cause = LookBackCause.DONOR_INFORMATION
        look_back_by_system(
            tx, archive, NewLookBack(row.key, cause, reason, found.key), where_none_is_open=True
        )
    return found
