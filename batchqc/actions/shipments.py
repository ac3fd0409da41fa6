"""Shipments to clinical sites: what leaves, what arrived, and what came back.

A container leaves only where its lot's label and its own status let it, and where both are what
the audit trail says. Every reason against every container is told at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.cell_banks import today_of
from batchqc.actions.clinical_sites import the_clinical_site
from batchqc.actions.containers import (
    Move,
    add_events,
    day_of,
    expiry_of,
    lock_lots_of,
    the_containers,
)
from batchqc.actions.deciding import lock_rules
from batchqc.actions.doses_given import standing_against
from batchqc.actions.genealogy import complete
from batchqc.actions.labels import label_of
from batchqc.actions.methods import hold_methods
from batchqc.actions.origins import GENEALOGY, look_back_problems
from batchqc.actions.permission import require
from batchqc.actions.registers import found_or_not, refuse_all
from batchqc.actions.setup import own_site
from batchqc.actions.signing import check_reason
from batchqc.actions.times import day_problem
from batchqc.core.containers import (
    ContainerStatus,
    leaving_problems,
    move_problem,
    shipping_problems,
)
from batchqc.core.genealogy import Direction
from batchqc.core.identifiers import fold, line_problem
from batchqc.core.lot_states import Disposition
from batchqc.core.permissions import Permission
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict
from batchqc.records.containers import Container, ContainerEvent, newest_events, status_of
from batchqc.records.decisions import dispositions_of
from batchqc.records.registers import LotRow
from batchqc.records.shipments import (
    Receipt,
    Shipment,
    ShippedContainer,
    receipts_of,
    shipment_by,
    shipped_in,
    shipped_of,
)
from batchqc.records.signatures import next_number
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class NewShipment:
    """Containers to ship to a clinical site: when, by whom, under which temperature record."""

    site: str
    containers: tuple[str, ...]
    shipped_on: date
    courier: str
    temperature_record: str


def ship(tx: Transaction, archive: Archive, new: NewShipment) -> Shipment:
    """Ship containers to a clinical site; all of them, or none.

    Raises:
        Conflict: something stands against it; every reason, of every container and lot.
        IntegrityFailure: what stands for it is not as the audit trail says.
    """
    require(tx, Permission.SHIP)
    lock_rules(tx)
    session, today = tx.session, today_of(tx)
    site = the_clinical_site(session, new.site)
    rows = the_containers(session, new.containers)
    lots = lock_lots_of(tx, rows)
    hold_methods(tx)
    texts = {"the courier": new.courier, "the temperature record": new.temperature_record}
    problems = [line_problem(what, text) for what, text in texts.items()]
    if len({fold(one) for one in new.containers}) < len(new.containers):
        problems.append("a container is named twice")
    refuse_all("BQC-GEN-017", "nothing is shipped", [one for one in problems if one])
    graph, _ = complete(session, {row.key: row for row in rows}, Direction.BACK, tx.now)
    wrong = [
        *(
            f"{row.container} is of a bank; doses of lots go to sites"
            for row in rows
            if not row.lot
        ),
        *(
            problem
            for lot in lots
            for problem in shipping_problems(label_of(session, lot), site=site.code, today=today)
        ),
        *(
            problem
            for lot in lots
            for problem in standing_against(tx, archive, lot, new.shipped_on)
        ),
        *look_back_problems(session, graph.nodes),
        *_leaving(session, rows, new.shipped_on, today),
    ]
    if wrong:
        raise Conflict(
            "BQC-GEN-017",
            "nothing is shipped",
            hint="See the readiness and the holds of each lot, and the events of each container.",
            reasons=wrong,
        )
    tx.lock("shipments")
    shipment = Shipment(
        year=tx.now.year,
        number=next_number(session, Shipment, tx.now.year),
        clinical_site=site,
        shipped_on=new.shipped_on.isoformat(),
        courier=new.courier.strip(),
        temperature_record=new.temperature_record.strip(),
        shipped_by=tx.actor.user_id,
        recorded_at=tx.now,
    )
    held = [ShippedContainer(shipment=shipment, container=row) for row in rows]
    tx.add(shipment, *held)
    about = [*(row.key for row in rows), *(lot.key for lot in lots), site.key]
    tx.audit("containers shipped", rows=[shipment, *held], about=about)
    happened = start_of(session, new.shipped_on)
    for exception, own in _by_exception(session, rows, lots).items():
        reason = f"Shipped with {shipment.natural_key}{exception}"
        add_events(tx, own, Move((), ContainerStatus.SHIPPED, site.code, happened, reason))
    return shipment


def _by_exception(
    session: Session, rows: Sequence[Container], lots: Iterable[LotRow]
) -> dict[str, list[Container]]:
    """Containers by the exception under which they leave, in words; "" where there is none."""
    said: dict[int | None, str] = {}
    for lot in lots:
        for decided in dispositions_of(session, lot)[-1:]:
            if decided.disposition == Disposition.SUPPLIED:
                said[lot.id] = f"; {decided.disposition}: {decided.reason}"
    found: dict[str, list[Container]] = {}
    for row in rows:
        found.setdefault(said.get(row.lot_id, ""), []).append(row)
    return found


def receive(
    tx: Transaction, *, shipment: str, received_on: date, condition: str, reported_by: str
) -> Receipt:
    """Record that a site says it received a shipment, and in which state.

    Raises:
        Conflict: it was received already.
    """
    require(tx, Permission.SHIP)
    row = the_shipment(tx.session, shipment)
    tx.lock(row.key)
    if receipts_of(tx.session, [row.id]):
        raise Conflict("BQC-GEN-019", f"{row.natural_key} was received already")
    since = date.fromisoformat(row.shipped_on)
    texts = {"the condition": condition, "who reports it": reported_by}
    problems = [line_problem(what, text) for what, text in texts.items()]
    problems.append(day_problem("the receipt of", received_on, since=since, today=today_of(tx)))
    refuse_all("BQC-GEN-019", "the receipt is not recorded", [one for one in problems if one])
    receipt = Receipt(
        shipment=row,
        received_on=received_on.isoformat(),
        condition=condition.strip(),
        reported_by=reported_by.strip(),
        recorded_by=tx.actor.user_id,
        recorded_at=tx.now,
    )
    tx.add(receipt)
    tx.audit("shipment received", rows=[receipt], about=[row.key])
    return receipt


def take_back(
    tx: Transaction,
    *,
    shipment: str,
    containers: Sequence[str],
    returned_on: date,
    place: str,
    reason: str,
) -> list[ContainerEvent]:
    """Record that containers of a shipment came back; from there they go to quarantine only.

    Raises:
        Conflict: one did not go with it, or is not there any more; every reason.
    """
    require(tx, Permission.SHIP)
    check_reason(reason)
    tx.lock(GENEALOGY)
    row, rows = the_shipment(tx.session, shipment), the_containers(tx.session, containers)
    since = date.fromisoformat(row.shipped_on)
    problems = [
        line_problem("the place", place),
        day_problem("the return on", returned_on, since=since, today=today_of(tx)),
    ]
    refuse_all("BQC-GEN-020", "nothing is taken back", [one for one in problems if one])
    went = {one.container_id for one in shipped_in(tx.session, [row.id])}
    last = {one.container_id: one.shipment for one in shipped_of(tx.session, [c.id for c in rows])}
    newest = newest_events(tx.session, [one.id for one in rows])
    wrong = [
        f"{one.container} did not go with {row.natural_key}" for one in rows if one.id not in went
    ]
    wrong += [
        f"{one.container} went with {last[one.id].natural_key} since"
        for one in rows
        if one.id in went and last[one.id].id != row.id
    ]
    moves = (
        move_problem(one.container, status_of(newest.get(one.id)), ContainerStatus.RETURNED)
        for one in rows
    )
    wrong += [one for one in moves if one]
    if wrong:
        raise Conflict("BQC-GEN-020", "nothing is taken back", reasons=wrong)
    happened = start_of(tx.session, returned_on)
    return add_events(tx, rows, Move((), ContainerStatus.RETURNED, place, happened, reason))


def the_shipment(session: Session, shipment: str) -> Shipment:
    """The shipment of a public number, or NotFound."""
    return found_or_not(
        shipment_by(session, shipment), "BQC-GEN-018", f"there is no shipment {shipment}"
    )


def start_of(session: Session, day: date) -> str:
    """The first moment of a day at the site, as events state it."""
    zone = ZoneInfo(own_site(session).time_zone)
    return datetime.combine(day, time(), zone).isoformat()


def _leaving(
    session: Session, rows: Sequence[Container], shipped_on: date, today: date
) -> Iterator[str]:
    newest = newest_events(session, [row.id for row in rows])
    for row in rows:
        event = newest.get(row.id)
        expires_on = expiry_of(session, row)
        day = max(shipped_on, today)
        yield from leaving_problems(
            row.container, status_of(event), expires_on=expires_on, today=day
        )
        since = date.fromisoformat(row.lot.manufactured_on) if row.lot else date.min
        if event is not None:
            since = max(since, day_of(session, event.happened_at))
        problem = day_problem("the shipping day", shipped_on, since=since, today=today)
        if problem:
            yield f"{row.container}: {problem}"
