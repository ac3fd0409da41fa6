"""Retain samples: what is kept of a lot or a bank, who has it, where, and how much is left."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from batchqc.actions.cell_banks import the_bank, today_of
from batchqc.actions.lots import the_lot
from batchqc.actions.permission import require
from batchqc.actions.registers import found_or_not, refuse_all
from batchqc.actions.signing import check_reason
from batchqc.core.genealogy import NodeKind
from batchqc.core.identifiers import fold, id_problem, line_problem
from batchqc.core.permissions import Permission
from batchqc.core.quantities import parse_amount
from batchqc.errors import Conflict
from batchqc.records.cell_banks import CellBank
from batchqc.records.containers import Custody, RetainSample, custody_of, retain_by
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class NewRetain:
    """A retain sample of a lot or bank: what it is, how much, until when it is kept, and where."""

    id: str
    of: str
    kind: str
    amount: str
    unit: str
    keep_until: date
    place: str
    handed_to: str


@dataclass(frozen=True, slots=True)
class Handing:
    """Who hands a retain sample to whom, where it is then, how much of it is left, and why."""

    retain: str
    handed_by: str
    handed_to: str
    place: str
    left: str
    reason: str


def register_retain(tx: Transaction, new: NewRetain) -> RetainSample:
    """Register a retain sample; its custody begins with whoever takes it into the place.

    Raises:
        InvalidInput: with everything that is wrong.
        Conflict: the id is taken.
    """
    require(tx, Permission.KEEP_BANKS)
    kind, _, own = new.of.partition(":")
    source: LotRow | CellBank = (
        the_bank(tx.session, own)
        if kind == NodeKind.CELL_BANK
        else the_lot(tx.session, own if kind == NodeKind.LOT else new.of)
    )
    tx.lock(f"retain:{fold(new.id)}")
    if retain_by(tx.session, new.id) is not None:
        raise Conflict("BQC-GEN-012", f"retain sample {new.id} is registered already")
    texts = {
        "what it is": new.kind, "the unit": new.unit, "the place": new.place,
        "who takes it": new.handed_to,
    }  # fmt: skip
    problems = [id_problem(new.id), *(line_problem(what, text) for what, text in texts.items())]
    problems.append(_amount_problem("the amount", new.amount))
    if new.keep_until < today_of(tx):
        problems.append(f"it would be kept until {new.keep_until}, which has passed")
    refuse_all(
        "BQC-GEN-012", "the retain sample cannot be registered", [one for one in problems if one]
    )
    row = RetainSample(
        retain=new.id,
        folded=fold(new.id),
        lot=source if isinstance(source, LotRow) else None,
        cell_bank=source if isinstance(source, CellBank) else None,
        kind=new.kind.strip(),
        amount=new.amount,
        unit=new.unit.strip(),
        keep_until=new.keep_until.isoformat(),
        registered_by=tx.actor.user_id,
        registered_at=tx.now,
    )
    tx.add(row)
    first = _custody(
        tx, row, Handing(new.id, tx.actor.user_id, new.handed_to, new.place, new.amount, "")
    )
    tx.audit("retain sample registered", rows=[row, first], about=[source.key])
    return row


def hand_over(tx: Transaction, handing: Handing) -> Custody:
    """Record that a retain sample changed hands or place, or that some of it was used.

    Raises:
        InvalidInput: with everything that is wrong; there is never more of it than before.
    """
    require(tx, Permission.KEEP_BANKS)
    check_reason(handing.reason)
    row = the_retain(tx.session, handing.retain)
    tx.lock(f"retain:{row.folded}")
    newest = custody_of(tx.session, [row.id])[-1]
    texts = {
        "who hands it over": handing.handed_by, "who takes it": handing.handed_to,
        "the place": handing.place,
    }  # fmt: skip
    problems = [line_problem(what, text) for what, text in texts.items()]
    problems.append(_amount_problem("what is left", handing.left))
    left, before = parse_amount(handing.left), parse_amount(newest.left)
    if left and before and left.number > before.number:
        problems.append(f"{handing.left} would be left of {newest.left}")
    if handing.handed_by.strip() != newest.handed_to:
        problems.append(f"{newest.handed_to} has it, not {handing.handed_by}")
    refuse_all("BQC-GEN-014", "the custody stays as it is", [one for one in problems if one])
    event = _custody(tx, row, handing)
    tx.audit(
        "retain sample handed over",
        rows=[event],
        about=[row.key],
        reason=handing.reason,
        before={"with": newest.handed_to, "left": newest.left},
        after={"with": event.handed_to, "left": event.left},
    )
    return event


def the_retain(session: Session, retain: str) -> RetainSample:
    """The retain sample of an id, or NotFound."""
    return found_or_not(
        retain_by(session, retain), "BQC-GEN-013", f"there is no retain sample {retain}"
    )


def _custody(tx: Transaction, row: RetainSample, handing: Handing) -> Custody:
    event = Custody(
        retain_sample=row,
        number=len(custody_of(tx.session, [row.id])) + 1,
        handed_by=handing.handed_by.strip(),
        handed_to=handing.handed_to.strip(),
        place=handing.place.strip(),
        left=handing.left,
        reason=handing.reason,
        recorded_by=tx.actor.user_id,
        recorded_at=tx.now,
    )
    tx.add(event)
    return event


def _amount_problem(what: str, text: str) -> str | None:
    amount = parse_amount(text)
    if amount is None or amount.is_censored or amount.number < 0:
        return f'{what} "{text}" is not a number of 0 or more'
    return None
