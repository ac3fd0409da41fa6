"""Holding a lot and letting it go. The system may hold; only QA lets go (requirements 2.3)."""

from collections.abc import Mapping, Sequence
from datetime import date

from batchqc.actions.doses import doses_of
from batchqc.actions.evaluation import study
from batchqc.actions.late_signing import said_late
from batchqc.actions.lots import lock_lot, the_lot
from batchqc.actions.permission import require
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.actions.true_times import times_of_lot
from batchqc.core.canonical import Json, sha256_of
from batchqc.core.conditional import overdue
from batchqc.core.holds import Cause, why_held
from batchqc.core.lot_states import IN_USE
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import FolderArchive
from batchqc.errors import Conflict, NotFound
from batchqc.records.base import Row
from batchqc.records.conditional import due_days, pending_results
from batchqc.records.decisions import newest_dispositions
from batchqc.records.holds import Hold, HoldEnd, holds_of, next_hold, open_holds
from batchqc.records.look_backs import open_look_backs
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Transaction


def hold_by_system(
    tx: Transaction,
    lot: LotRow,
    *,
    cause: Cause,
    reason: str,
    about: str,
    doses: Sequence[str] = (),
) -> Hold | None:
    """Hold a lot for what was found; ``None`` where it is held for the same already.

    Args:
        tx: of whoever's action found it; the caller holds the lot's lock.
        lot: the lot.
        cause: why.
        reason: in words.
        about: the key of the record that it is for.
        doses: where the doses are, in words; the audit entry tells it.
    """
    same = [one for one in open_holds(tx.session, [lot.id]) if one.about == about]
    if any(one.cause == cause for one in same):
        return None
    hold = _hold(tx, lot, cause, reason, about)
    tx.add(hold)
    after: dict[str, Json] = {"cause": cause.value, "about": about}
    if doses:
        after["doses"] = list[Json](doses)
    _audit(tx, "lot held", [hold], lot, reason, after)
    return hold


def hold_if_in_use(
    tx: Transaction, lot: LotRow, *, cause: Cause, reason: str, about: str
) -> Hold | None:
    """Hold a lot of which doses may be given, and tell where they are; as ``hold_by_system``."""
    if newest_dispositions(tx.session, [lot.id]).get(lot.id) not in IN_USE:
        return None
    doses = [one.sentence for one in doses_of(tx.session, lot, tx.now)]
    return hold_by_system(tx, lot, cause=cause, reason=reason, about=about, doses=doses)


def hold_lot(tx: Transaction, *, lot: str, credentials: Credentials) -> Hold | Refusal:
    """Hold a lot, whatever its disposition, with the reason and a signature."""
    require(tx, Permission.HOLD_LOT)
    check_reason(credentials.reason)
    row = the_lot(tx.session, lot)
    lock_lot(tx, row)
    hold = _hold(tx, row, Cause.QA, credentials.reason, row.key)
    content: dict[str, Json] = {"type": "batchqc/hold/1", "lot": row.lot, "number": hold.number}
    signature = sign(
        tx,
        credentials,
        meaning=Meaning.HELD,
        record=row.key,
        record_sha256=sha256_of(content),
        rests_on=times_of_lot(row, date.fromisoformat(row.manufactured_on)),
    )
    if isinstance(signature, Refusal):
        return signature
    hold.signature = signature
    tx.add(hold)
    after = {"cause": Cause.QA.value, **said_late(signature)}
    _audit(tx, "lot held", [signature, hold], row, credentials.reason, after)
    return hold


def let_go(
    tx: Transaction, archive: FolderArchive, *, lot: str, number: int, credentials: Credentials
) -> HoldEnd | Refusal:
    """End one hold of a lot; the others stay.

    Raises:
        NotFound: the lot has no such hold.
        Conflict: it has ended, or something still stands against the lot: every reason.
    """
    require(tx, Permission.HOLD_LOT)
    check_reason(credentials.reason)
    row = the_lot(tx.session, lot)
    lock_lot(tx, row)
    found = {hold.number: (hold, end) for hold, end in holds_of(tx.session, [row.id])}
    if number not in found:
        raise NotFound("BQC-HLD-001", f"lot {row.lot} has no hold {number}")
    hold, ended = found[number]
    if ended is not None:
        raise Conflict("BQC-HLD-002", f"hold {hold.natural_key} has ended")
    _check_settled(tx, archive, row, hold)
    signature = sign(
        tx,
        credentials,
        meaning=Meaning.LET_GO,
        record=hold.key,
        record_sha256=hold.content_sha256,
    )
    if isinstance(signature, Refusal):
        return signature
    end = HoldEnd(hold=hold, reason=credentials.reason, signature=signature)
    tx.add(end)
    left = [one.natural_key for one in open_holds(tx.session, [row.id])]
    _audit(
        tx, "lot let go", [signature, end], row, credentials.reason,
        {"hold": hold.natural_key, "still held by": ", ".join(left)},
    )  # fmt: skip
    return end


def _check_settled(tx: Transaction, archive: FolderArchive, lot: LotRow, hold: Hold) -> None:
    """Refuse to end a hold while something stands against its lot."""
    case = study(tx.session, archive, lot=lot, now=tx.now)
    due = due_days(pending_results(tx.session, [one.id for one in case.dispositions[-1:]]))
    reasons = why_held(
        Cause(hold.cause),
        case.disposition,
        verdicts=case.so_far.verdicts,
        gates=case.gates,
        overdue=overdue(due, case.verdicts, case.facts.today),
        look_backs=_open_look_backs(tx, lot),
    )
    if found := tuple(reasons):
        raise Conflict(
            "BQC-HLD-003",
            f"hold {hold.natural_key} does not end yet",
            reasons=found,
            hint="Settle each reason first: conclude, close, determine anew, correct the register,"
            " clear the bank.",
        )


def _open_look_backs(tx: Transaction, lot: LotRow) -> list[str]:
    """The open look-backs that reached a lot: each has held it."""
    held_for = {one.about for one, _ in holds_of(tx.session, [lot.id])}
    return [one.natural_key for one in open_look_backs(tx.session) if one.key in held_for]


def _hold(tx: Transaction, lot: LotRow, cause: Cause, reason: str, about: str) -> Hold:
    return Hold(
        lot=lot,
        number=next_hold(tx.session, lot),
        cause=cause.value,
        about=about,
        reason=reason,
        held_by=tx.actor.user_id,
        held_at=tx.now,
        signature=None,
    )


def _audit(
    tx: Transaction,
    action: str,
    rows: list[Row],
    lot: LotRow,
    reason: str,
    after: Mapping[str, Json],
) -> None:
    tx.audit(action, rows=rows, about=[lot.key], reason=reason, after=after)
