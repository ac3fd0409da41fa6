"""How each node of a graph stands: its status in words, and the rows that say so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from batchqc.core.cell_banks import BankStatus
from batchqc.core.genealogy import NodeKind, kind_of
from batchqc.core.look_backs import SOURCES
from batchqc.core.lot_states import Disposition, Overlay
from batchqc.records.base import Row
from batchqc.records.cell_banks import CellBank, CellBankEvent, passages_of
from batchqc.records.containers import (
    Container,
    ContainerEvent,
    Custody,
    RetainSample,
    inventory,
    status_of,
)
from batchqc.records.corrections import (
    Correction,
    CorrectionDecision,
    corrected_lot,
    corrections_of,
)
from batchqc.records.decisions import DispositionRow
from batchqc.records.donors import EligibilityRow
from batchqc.records.genealogy import portions
from batchqc.records.holds import holds_of
from batchqc.records.look_backs import LookBackClosing, look_backs_from
from batchqc.records.registers import DonorRow, LotRow
from batchqc.records.shipments import Receipt, Shipment
from batchqc.records.signatures import SignatureRow

Item = TypeVar("Item", bound=Row)


@dataclass(slots=True)
class States:
    """The status of each node by its key, and every row that it rests on."""

    said: dict[str, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)


def states_of(session: Session, nodes: Mapping[str, Row], *, today: date) -> States:
    """How each of some nodes stands on a day of the site."""
    found = States(dict.fromkeys(nodes, ""))
    of: dict[type[Row], list[Any]] = {}
    for row in nodes.values():
        of.setdefault(type(row), []).append(row)
    _donors(session, found, of.get(DonorRow, []))
    _banks(session, found, of.get(CellBank, []))
    _lots(session, found, of.get(LotRow, []), today)
    _containers(session, found, of.get(Container, []))
    _retains(session, found, of.get(RetainSample, []))
    _shipments(session, found, of.get(Shipment, []))
    _look_backs(session, found)
    made = [key for key in nodes if kind_of(key) in (NodeKind.CELL_BANK, NodeKind.LOT)]
    found.rows += [row for some in portions(made) for row in passages_of(session, some)]
    return found


def _donors(session: Session, found: States, donors: list[DonorRow]) -> None:
    rows = _of(session, EligibilityRow, EligibilityRow.donor_id, donors, EligibilityRow.number)
    newest = {one.donor_id: one.eligibility for one in rows}
    found.said |= {one.key: newest.get(one.id, "not determined") for one in donors}
    found.rows += [*rows, *_signatures(session, rows)]


def _banks(session: Session, found: States, banks: list[CellBank]) -> None:
    rows = _of(session, CellBankEvent, CellBankEvent.cell_bank_id, banks, CellBankEvent.number)
    newest = {one.cell_bank_id: one.status for one in rows}
    found.said |= {one.key: newest.get(one.id, BankStatus.AVAILABLE.value) for one in banks}
    found.rows += rows


def _lots(session: Session, found: States, lots: list[LotRow], today: date) -> None:
    decided = _of(session, DispositionRow, DispositionRow.lot_id, lots, DispositionRow.number)
    newest = {one.lot_id: one.disposition for one in decided}
    ids = list(portions(one.id for one in lots))
    holds = [pair for some in ids for pair in holds_of(session, some)]
    held = {hold.lot_id for hold, end in holds if end is None}
    left = {lot: own for some in ids for lot, own in inventory(session, some).items()}
    keys = [one.key for one in lots]
    corrections = [pair for some in portions(keys) for pair in corrections_of(session, some)]
    corrected = _expiries(lots, corrections)
    for one in lots:
        said = [newest.get(one.id, Disposition.QUARANTINE.value)]
        said += [Overlay.ON_HOLD.value] if one.id in held else []
        said += [Overlay.EXPIRED.value] if today > corrected[one.id] else []
        said += [Overlay.DEPLETED.value] if left[one.id].is_depleted else []
        found.said[one.key] = ", ".join(said)
    pairs = (*holds, *corrections)
    rows: list[Row] = [*decided, *(one for pair in pairs for one in pair if one is not None)]
    found.rows += [*rows, *_signatures(session, rows)]


def _expiries(
    lots: list[LotRow], corrections: list[tuple[Correction, CorrectionDecision | None]]
) -> dict[int, date]:
    """The last usable day of each lot, as corrected, by its id."""
    of: dict[str, list[tuple[Correction, CorrectionDecision | None]]] = {}
    for pair in corrections:
        of.setdefault(pair[0].subject, []).append(pair)
    return {one.id: corrected_lot(one, of.get(one.key, [])).expires_on for one in lots}


def _containers(session: Session, found: States, containers: list[Container]) -> None:
    rows = _of(
        session, ContainerEvent, ContainerEvent.container_id, containers, ContainerEvent.number
    )
    newest = {one.container_id: one for one in rows}
    for one in containers:
        event = newest.get(one.id)
        place = (event.place if event else "") or one.place
        found.said[one.key] = f"{status_of(event)}, {place}"
    found.rows += rows


def _retains(session: Session, found: States, retains: list[RetainSample]) -> None:
    rows = _of(session, Custody, Custody.retain_sample_id, retains, Custody.number)
    newest = {one.retain_sample_id: one for one in rows}
    for one in retains:
        event = newest.get(one.id)
        place = f"at {event.place}, {event.left} {one.unit} left" if event else ""
        found.said[one.key] = place
    found.rows += rows


def _shipments(session: Session, found: States, shipments: list[Shipment]) -> None:
    rows = _of(session, Receipt, Receipt.shipment_id, shipments, Receipt.id)
    received = {one.shipment_id: one.received_on for one in rows}
    for one in shipments:
        day = received.get(one.id)
        end = f"received on {day}" if day else "no receipt"
        found.said[one.key] = f"to {one.clinical_site.code} on {one.shipped_on}, {end}"
    found.rows += [*rows, *{one.clinical_site for one in shipments}]


def _look_backs(session: Session, found: States) -> None:
    sources = [key for key in found.said if kind_of(key) in SOURCES]
    rows = [row for some in portions(sources) for row in look_backs_from(session, some)]
    closings = _of(session, LookBackClosing, LookBackClosing.look_back_id, rows, LookBackClosing.id)
    closed = {one.look_back_id for one in closings}
    for one in rows:
        if one.id not in closed:
            said = f"under look-back {one.natural_key}"
            found.said[one.source] = ", ".join(filter(None, (found.said[one.source], said)))
    signed = _signatures(session, [*rows, *closings])
    found.rows += [*rows, *closings, *signed]


def _of(
    session: Session,
    table: type[Item],
    column: InstrumentedAttribute[int],
    of: Iterable[Row],
    order: InstrumentedAttribute[int],
) -> list[Item]:
    """Every row about some others, by the ids of these, in an order."""
    return [
        row
        for some in portions(one.id for one in of)
        for row in session.scalars(select(table).where(column.in_(some)).order_by(order))
    ]


def _signatures(session: Session, rows: Iterable[Any]) -> list[SignatureRow]:
    ids = {one.signature_id for one in rows if getattr(one, "signature_id", None)}
    return [
        row
        for some in portions(ids)
        for row in session.scalars(select(SignatureRow).where(SignatureRow.id.in_(some)))
    ]
