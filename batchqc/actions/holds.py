"""Holding a lot: QA with a signature, or the system for what it found (requirements 2.3)."""

from collections.abc import Mapping, Sequence
from datetime import date

from batchqc.actions.doses import doses_of
from batchqc.actions.late_signing import said_late
from batchqc.actions.lots import lock_lot, the_lot
from batchqc.actions.permission import require
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.actions.true_times import times_of_lot
from batchqc.core.canonical import Json, sha256_of
from batchqc.core.holds import Cause
from batchqc.core.lot_states import IN_USE
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.records.base import Row
from batchqc.records.decisions import newest_dispositions
from batchqc.records.holds import Hold, next_hold, open_holds
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
