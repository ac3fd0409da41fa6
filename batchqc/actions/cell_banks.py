"""Cell banks: what each is made of, its passages, and whether cells may be taken from it."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.holds import hold_if_in_use
from batchqc.actions.lots import lock_lots, the_lot
from batchqc.actions.origins import (
    GENEALOGY,
    derivations,
    look_back_problems,
    origin_of,
)
from batchqc.actions.permission import require
from batchqc.actions.registers import found_or_not, refuse_all
from batchqc.actions.setup import own_site
from batchqc.actions.signing import check_reason
from batchqc.core.cell_banks import BankKind, BankStatus, bank_problems
from batchqc.core.containers import ContainerStatus
from batchqc.core.doublings import cells_problem, level_problem
from batchqc.core.genealogy import Direction, NodeKind, id_of, kind_of
from batchqc.core.holds import Cause
from batchqc.core.identifiers import fold, id_problem, line_problem
from batchqc.core.permissions import Permission
from batchqc.errors import Conflict
from batchqc.records.cell_banks import (
    CellBank,
    CellBankEvent,
    Passage,
    bank_by,
    bank_events_of,
    bank_statuses,
    passages_of,
)
from batchqc.records.genealogy import walk
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class NewBank:
    """A bank to register, and what it is made of: donations, pools or banks by id."""

    id: str
    kind: BankKind
    made_of: tuple[str, ...]
    made_on: date
    expires_on: date
    place: str
    containers: int
    passage: int
    is_pool: bool = False
    basis: str = ""
    max_doublings: str = ""


@dataclass(frozen=True, slots=True)
class NewPassage:
    """One passage on the way to a bank or lot; a correction of an earlier row says why."""

    node: str
    passage: int
    seeded: str
    harvested: str
    harvested_on: date
    reason: str = ""


def today_of(tx: Transaction) -> date:
    """The day at the site."""
    return tx.now.astimezone(ZoneInfo(own_site(tx.session).time_zone)).date()


def register_bank(tx: Transaction, new: NewBank) -> CellBank:
    """Register a bank with what it is made of.

    Raises:
        InvalidInput: with everything that is wrong.
        NotFound: it is made of what nobody registered.
        Conflict: the id is taken.
    """
    require(tx, Permission.KEEP_BANKS)
    tx.lock(GENEALOGY)
    if bank_by(tx.session, new.id) is not None:
        raise Conflict("BQC-GEN-005", f"bank {new.id} is registered already; ids are never reused")
    origin = origin_of(tx.session, (one for one in new.made_of if fold(one) != fold(new.id)))
    problems = [*_problems(new, today_of(tx)), *origin.problems()]
    if len(origin.rows) < len(new.made_of):
        problems.append("it names itself, or a parent twice")
    problems += bank_problems(new.kind, new.made_on, origin.parents, is_pool=new.is_pool)
    donated = {NodeKind.DONATION, NodeKind.POOL}
    if not new.basis.strip() and any(kind_of(one) in donated for one in origin.rows):
        problems.append("say what its doublings count from (basis): it is the first of its line")
    refuse_all("BQC-GEN-004", f"bank {new.id} cannot be registered", problems)
    bank = CellBank(
        bank=new.id,
        folded=fold(new.id),
        kind=new.kind.value,
        is_pool=int(new.is_pool),
        made_on=new.made_on.isoformat(),
        expires_on=new.expires_on.isoformat(),
        place=new.place.strip(),
        containers=new.containers,
        passage=new.passage,
        basis=new.basis.strip(),
        max_doublings=new.max_doublings,
        registered_by=tx.actor.user_id,
        registered_at=tx.now,
    )
    edges = derivations(bank.key, origin)
    tx.add(bank, *edges)
    tx.audit("cell bank registered", rows=[bank, *edges], about=list(origin.rows))
    return bank


def record_passage(tx: Transaction, new: NewPassage) -> Passage:
    """Record cells seeded and harvested of one passage of a bank or a lot."""
    require(tx, Permission.KEEP_BANKS)
    row = _bank_or_lot(tx.session, new.node)
    tx.lock(f"passages of {row.key}")
    earlier = [one for one in passages_of(tx.session, [row.key]) if one.passage == new.passage]
    if earlier or new.reason:
        check_reason(new.reason)
    problems = [
        cells_problem("cells seeded", new.seeded),
        cells_problem("cells harvested", new.harvested),
        None if new.passage >= 0 else "passages count from 0",
        f"{new.harvested_on} lies in the future" if new.harvested_on > today_of(tx) else None,
    ]
    refuse_all("BQC-GEN-007", "the passage cannot be recorded", [one for one in problems if one])
    passage = Passage(
        node=row.key,
        passage=new.passage,
        number=len(earlier) + 1,
        seeded=new.seeded,
        harvested=new.harvested,
        harvested_on=new.harvested_on.isoformat(),
        reason=new.reason,
        recorded_by=tx.actor.user_id,
        recorded_at=tx.now,
    )
    tx.add(passage)
    tx.audit("passage recorded", rows=[passage], about=[row.key], reason=new.reason)
    return passage


def set_bank_status(
    tx: Transaction, *, bank: str, status: BankStatus, reason: str
) -> CellBankEvent:
    """Quarantine a bank, make it available again, or record that it was destroyed.

    Every lot in use that comes from a bank in quarantine is held.

    Raises:
        Conflict: it was destroyed, or is under a look-back that is open.
    """
    require(tx, permission_to(status))
    check_reason(reason)
    tx.lock(GENEALOGY)
    row = the_bank(tx.session, bank)
    before = bank_statuses(tx.session, [row])[row.id]
    wrong = []
    if before is status or before is BankStatus.DESTROYED:
        wrong.append(f"bank {row.bank} is {before} already")
    if status is BankStatus.AVAILABLE:
        graph = walk(tx.session, {row.key: row}, Direction.BACK)
        wrong += look_back_problems(tx.session, graph.nodes)
    if wrong:
        raise Conflict("BQC-GEN-008", f"bank {row.bank} does not become {status}", reasons=wrong)
    event = bank_event(tx, row, status, reason)
    if status is BankStatus.QUARANTINED:
        _hold_what_came_of(tx, row, f"{row.key} is {status}: {reason}")
    return event


def _hold_what_came_of(tx: Transaction, bank: CellBank, reason: str) -> None:
    """Hold every lot in use that comes from a bank, once."""
    graph = walk(tx.session, {bank.key: bank}, Direction.FORWARD)
    lots = [one for one in graph.nodes.values() if isinstance(one, LotRow)]
    for lot in lock_lots(tx, lots):
        hold_if_in_use(tx, lot, cause=Cause.CELL_BANK, reason=reason, about=bank.key)


def bank_event(tx: Transaction, bank: CellBank, status: BankStatus, reason: str) -> CellBankEvent:
    """Record what a bank is from now on; the caller has decided that it may."""
    event = CellBankEvent(
        cell_bank=bank,
        number=len(bank_events_of(tx.session, [bank])) + 1,
        status=status.value,
        reason=reason,
        recorded_by=tx.actor.user_id,
        recorded_at=tx.now,
    )
    tx.add(event)
    tx.audit(f"cell bank {status}", rows=[event], about=[bank.key], reason=reason)
    return event


def permission_to(status: ContainerStatus | BankStatus) -> Permission:
    """What it takes to record a status: only QA lets anything out of quarantine."""
    out = {ContainerStatus.IN_STORAGE, BankStatus.AVAILABLE}
    return Permission.END_QUARANTINE if status in out else Permission.KEEP_BANKS


def the_bank(session: Session, bank: str) -> CellBank:
    """The bank of an id, or NotFound."""
    own = id_of(bank) if bank.startswith(f"{NodeKind.CELL_BANK}:") else bank
    return found_or_not(bank_by(session, own), "BQC-GEN-006", f"there is no cell bank {bank}")


def _bank_or_lot(session: Session, node: str) -> CellBank | LotRow:
    """The bank or lot of a node; an id without its kind is a bank's where there is one."""
    kind, _, own = node.partition(":")
    if kind == NodeKind.CELL_BANK:
        return the_bank(session, own)
    found = None if kind == NodeKind.LOT else bank_by(session, node)
    return found or the_lot(session, own or node)


def _problems(new: NewBank, today: date) -> list[str]:
    texts = {"the place": new.place, "the basis": new.basis or "none"}
    lines = (line_problem(what, text) for what, text in texts.items())
    found = [id_problem(new.id), *lines, level_problem(new.max_doublings)]
    problems = [one for one in found if one]
    if not new.made_of:
        problems.append("a bank is made of at least one donation, pool or bank")
    if new.expires_on < new.made_on:
        problems.append(f"it would expire ({new.expires_on}) before it was made")
    if new.made_on > today:
        problems.append(f"the day {new.made_on} on which it was made lies in the future")
    if new.containers < 1 or new.passage < 0:
        problems.append("it has at least one container, and passages count from 0")
    return problems
