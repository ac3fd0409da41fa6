"""Vials and bags of a lot or a bank: registered, and what became of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.cell_banks import permission_to, the_bank
from batchqc.actions.labels import label_of
from batchqc.actions.lots import lock_lots, the_lot
from batchqc.actions.origins import GENEALOGY, look_back_problems
from batchqc.actions.permission import require
from batchqc.actions.registers import refuse_all
from batchqc.actions.setup import own_site
from batchqc.actions.signing import check_reason
from batchqc.actions.times import time_problem
from batchqc.core.containers import BY_HAND, ContainerStatus, move_problem, storing_problems
from batchqc.core.genealogy import Direction, NodeKind
from batchqc.core.identifiers import fold, id_problem, line_problem
from batchqc.core.permissions import Permission
from batchqc.errors import Conflict, NotFound
from batchqc.records.cell_banks import CellBank
from batchqc.records.containers import (
    Container,
    ContainerEvent,
    containers_by,
    newest_events,
    status_of,
)
from batchqc.records.corrections import corrected_lot, corrections_of
from batchqc.records.genealogy import walk
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Transaction

KINDS = ("vial", "bag", "syringe")


@dataclass(frozen=True, slots=True)
class NewContainer:
    """A container to register; without an expiry of its own it has that of its lot or bank."""

    id: str
    kind: str
    filled: str
    place: str
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of containers, where, when (ISO 8601 with offset), and why."""

    containers: tuple[str, ...]
    status: ContainerStatus
    place: str
    happened_at: str
    reason: str


def register_containers(
    tx: Transaction, *, of: str, containers: Sequence[NewContainer]
) -> list[Container]:
    """Register the containers of one lot or bank; all of them, or none.

    Raises:
        InvalidInput: with everything that is wrong.
    """
    require(tx, Permission.KEEP_BANKS)
    tx.lock(GENEALOGY)
    source = _source(tx.session, of)
    made, ends = _days(tx.session, source)
    taken = {one.folded for one in containers_by(tx.session, (new.id for new in containers))}
    problems = [
        f"container {new.id}: {problem}"
        for new in containers
        for problem in _problems(new, made, ends)
    ]
    problems += [
        f"container {new.id} is registered already; ids are never reused"
        for new in containers
        if fold(new.id) in taken
    ]
    if not containers or len({fold(new.id) for new in containers}) < len(containers):
        problems.append("name at least one container, and each one once")
    refuse_all("BQC-GEN-009", "the containers cannot be registered", problems)
    rows = [
        Container(
            container=new.id,
            folded=fold(new.id),
            kind=new.kind,
            lot=source if isinstance(source, LotRow) else None,
            cell_bank=source if isinstance(source, CellBank) else None,
            filled=new.filled.strip(),
            place=new.place.strip(),
            expires_on=new.expires_on.isoformat() if new.expires_on else "",
            registered_by=tx.actor.user_id,
            registered_at=tx.now,
        )
        for new in containers
    ]
    tx.add(*rows)
    tx.audit("containers registered", rows=rows, about=[source.key])
    return rows


def move_containers(tx: Transaction, move: Move) -> list[ContainerEvent]:
    """Record what became of containers; all of them, or none.

    Raises:
        Conflict: one cannot go there from where it is, holds what was made later, is under a
            look-back, or is to go back to storage of a lot that is on hold, rejected or recalled;
            every reason.
    """
    require(tx, permission_to(move.status))
    check_reason(move.reason)
    tx.lock(GENEALOGY)
    rows = the_containers(tx.session, move.containers)
    problems = [
        time_problem("what happened", move.happened_at, now=tx.now),
        line_problem("the place", move.place),
        None if move.status in BY_HAND else f"{move.status} is not recorded by hand",
    ]
    refuse_all("BQC-GEN-011", "the containers stay as they are", [one for one in problems if one])
    newest = newest_events(tx.session, [row.id for row in rows])
    sources = {row.source.key: row.source for row in rows if row.source}
    made = {key: _days(tx.session, one)[0] for key, one in sources.items()}
    day = day_of(tx.session, move.happened_at)
    wrong: list[str | None] = [
        f"{row.container} holds what was made on {made[row.source.key]} only, after {day}"
        for row in rows
        if row.source and day < made[row.source.key]
    ]
    for row in rows:
        event = newest.get(row.id)
        wrong.append(move_problem(row.container, status_of(event), move.status))
        if event and _instant(event.happened_at) > _instant(move.happened_at):
            wrong.append(f"{row.container} became {event.status} later, at {event.happened_at}")
    found = [one for one in wrong if one]
    if move.status is ContainerStatus.IN_STORAGE:
        start = {row.key: row for row in rows}
        graph = walk(tx.session, start, Direction.BACK)
        found += look_back_problems(tx.session, graph.nodes)
        labels = {lot.id: label_of(tx.session, lot) for lot in lock_lots_of(tx, rows)}
        for row in rows:
            if row.lot_id is not None:
                found += storing_problems(row.container, labels[row.lot_id])
    if found:
        raise Conflict("BQC-GEN-011", "the containers stay as they are", reasons=found)
    return add_events(tx, rows, move)


def add_events(tx: Transaction, rows: Sequence[Container], move: Move) -> list[ContainerEvent]:
    """Record what becomes of some containers; the caller has decided that it may."""
    newest = newest_events(tx.session, [row.id for row in rows])
    events = [
        ContainerEvent(
            container=row,
            number=newest[row.id].number + 1 if row.id in newest else 1,
            status=move.status.value,
            place=move.place.strip(),
            reason=move.reason,
            happened_at=move.happened_at,
            recorded_by=tx.actor.user_id,
            recorded_at=tx.now,
        )
        for row in rows
    ]
    tx.add(*events)
    tx.audit(
        f"containers {move.status}",
        rows=events,
        about=sorted({row.key for row in rows} | {row.source.key for row in rows if row.source}),
        reason=move.reason,
        before={row.container: status_of(newest.get(row.id)).value for row in rows},
        after={"status": move.status.value, "place": move.place.strip()},
    )
    return events


def the_containers(session: Session, ids: Sequence[str]) -> Sequence[Container]:
    """The containers of some ids, each named once, or NotFound with every one that is not."""
    rows = containers_by(session, ids)
    missing = sorted({fold(one) for one in ids} - {row.folded for row in rows})
    if missing or not ids:
        raise NotFound(
            "BQC-GEN-010", f"there is no container {', '.join(missing) or '(none named)'}"
        )
    return rows


def lock_lots_of(tx: Transaction, rows: Sequence[Container]) -> list[LotRow]:
    """The lots of some containers, locked in one order."""
    lots = {row.lot.folded: row.lot for row in rows if row.lot is not None}
    return lock_lots(tx, lots.values())


def expiry_of(session: Session, row: Container) -> date:
    """The last usable day of a container: its own, or that of its lot (as corrected) or bank."""
    if row.expires_on:
        return date.fromisoformat(row.expires_on)
    source = row.source
    return _days(session, source)[1] if source else date.min


def day_of(session: Session, text: str) -> date:
    """The day at the site of a moment, whatever offset it was stated with."""
    return _instant(text).astimezone(ZoneInfo(own_site(session).time_zone)).date()


def _source(session: Session, of: str) -> LotRow | CellBank:
    kind, _, own = of.partition(":")
    if kind == NodeKind.CELL_BANK:
        return the_bank(session, own)
    return the_lot(session, own if kind == NodeKind.LOT else of)


def _days(session: Session, source: LotRow | CellBank) -> tuple[date, date]:
    """When a lot (as corrected) or bank was made, and its last usable day."""
    if isinstance(source, CellBank):
        return date.fromisoformat(source.made_on), date.fromisoformat(source.expires_on)
    lot = corrected_lot(source, corrections_of(session, [source.key]))
    return lot.manufactured_on, lot.expires_on


def _problems(new: NewContainer, made: date, ends: date) -> list[str]:
    found = [
        id_problem(new.id),
        None if new.kind in KINDS else f'"{new.kind}" is not one of: {", ".join(KINDS)}',
        line_problem("volume or cells", new.filled),
        line_problem("the place", new.place),
    ]
    if new.expires_on is not None and not made <= new.expires_on <= ends:
        found.append(f"it would expire on {new.expires_on}; what it holds is good {made} to {ends}")
    return [one for one in found if one]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
