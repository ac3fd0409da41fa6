"""The decision over a lot: release or reject, signed, with its content frozen.

A lot is released when this transaction commits; its certificate has its number and its content
then, and is sealed afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from batchqc.actions.annex16 import certify, may_release
from batchqc.actions.certificate_states import withdraw_certificate
from batchqc.actions.certificates import reserve_certificate
from batchqc.actions.deciding import audit_decision, case_to_decide, lock_to_decide, sign_decision
from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.overdue import hold_overdue
from batchqc.actions.permission import require
from batchqc.actions.signing import Credentials, check_reason
from batchqc.core.dispositions import signer_gate
from batchqc.core.gates import Gate, blocking_reasons
from batchqc.core.lot_states import Disposition, may_decide
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, NotPermitted, ReleaseBlocked
from batchqc.records.decisions import Certificate, DispositionRow
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and the certificate that was reserved for it."""

    disposition: DispositionRow
    certificate: Certificate | None


def release_lot(
    tx: Transaction,
    archive: Archive,
    *,
    lot: str,
    credentials: Credentials,
) -> Decision | Refusal:
    """Release a lot whose every gate is open, and reserve its certificate.

    A lot that is found to be overdue is held, and that is on record though nothing is released.

    Args:
        tx: of the person who signs.
        archive: the store.
        lot: its id.
        credentials: both components of the signature, and the reason.

    Raises:
        NotPermitted: only this person may not; another one may.
        ReleaseBlocked: with every reason.
    """
    check_reason(credentials.reason)
    row = lock_to_decide(tx, lot)
    held = hold_overdue(tx, archive, [row])
    case = study(tx.session, archive, lot=row, now=tx.now)
    may_release(tx, case)
    if held:
        said = "; ".join(one.reason for one in held)
        return Refusal(
            "BQC-REL-007",
            f"lot {case.lot.id} is held from now on: {said}",
            "Find out why it is late; QA lets the lot go. See its readiness for all that is open.",
        )
    check_gates(tx, case, case.gates)
    signed = sign_decision(tx, archive, case, Disposition.RELEASED, credentials)
    if isinstance(signed, Refusal):
        return signed
    disposition, signature = signed
    certified = certify(tx, case, disposition)
    certificate = reserve_certificate(tx, archive, case=case, disposition=disposition)
    rows = [signature, disposition, *certified, certificate]
    audit_decision(tx, case, rows, credentials.reason, disposition)
    return Decision(disposition, certificate)


def check_gates(tx: Transaction, case: LotCase, gates: Sequence[Gate]) -> None:
    """Refuse a release through a closed gate, or by who may not.

    Raises:
        NotPermitted: only this person may not; another one may.
        ReleaseBlocked: with every reason.
    """
    people = signer_gate(case.facts, tx.actor.user_id)
    reasons = blocking_reasons((*gates, people))
    if reasons and all(gate.is_open for gate in gates):
        raise NotPermitted(
            "BQC-REL-002",
            f"{tx.actor.user_id} may not release lot {case.lot.id}",
            reasons=reasons,
            hint=people.todo,
        )
    if reasons:
        raise ReleaseBlocked(
            "BQC-REL-001",
            f"lot {case.lot.id} may not be released",
            reasons=reasons,
            hint="See the readiness of the lot: each closed gate says what to do.",
        )


def reject_lot(
    tx: Transaction, archive: Archive, *, lot: str, credentials: Credentials
) -> Decision | Refusal:
    """Reject a lot, whatever is open; QA may do so at any time before it is released for good."""
    require(tx, Permission.REJECT_LOT)
    check_reason(credentials.reason)
    case = case_to_decide(tx, archive, lot)
    if not may_decide(case.disposition, Disposition.REJECTED):
        raise Conflict("BQC-REL-003", f"lot {case.lot.id} is {case.disposition}; it stays so")
    signed = sign_decision(tx, archive, case, Disposition.REJECTED, credentials)
    if isinstance(signed, Refusal):
        return signed
    disposition, signature = signed
    audit_decision(tx, case, [signature, disposition], credentials.reason, disposition)
    said = f"the lot is rejected: {credentials.reason}"
    withdraw_certificate(tx, case.row, reason=said, about=disposition.key)
    return Decision(disposition, None)
