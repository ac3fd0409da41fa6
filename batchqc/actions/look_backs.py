"""Look-back: one source of cells came into doubt; every descendant is held in one transaction.

- Every descendant lot is held, every descendant bank is quarantined, and so is what of these banks
  lies in storage. Where each dose was then is frozen in the store.
- Nothing new is made of the source while the look-back is open.
- A look-back never waits for records to be mended: where the trace is not complete, all that was
  reached is held, and the look-back says what is wrong with the rest.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.cell_banks import bank_event
from batchqc.actions.containers import Move, add_events
from batchqc.actions.genealogy import reach, the_node
from batchqc.actions.holds import hold_by_system
from batchqc.actions.lots import lock_lots
from batchqc.actions.origins import GENEALOGY
from batchqc.actions.permission import require
from batchqc.actions.registers import found_or_not, refuse_all
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.actions.whereabouts import whereabouts
from batchqc.core.canonical import Json, canonical_bytes, sha256_of, utc_text
from batchqc.core.cell_banks import BankStatus
from batchqc.core.containers import ContainerStatus
from batchqc.core.genealogy import Direction, NodeKind, kind_of
from batchqc.core.holds import Cause
from batchqc.core.look_backs import SOURCES, LookBackCause
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict
from batchqc.records.base import Row
from batchqc.records.cell_banks import CellBank, bank_statuses, parents_of
from batchqc.records.containers import Container, newest_events, status_of
from batchqc.records.genealogy import Graph, walk
from batchqc.records.look_backs import (
    LookBack,
    LookBackClosing,
    closing_of,
    look_back_by,
    look_backs_from,
)
from batchqc.records.registers import DonorRow, LotDonor, LotRow
from batchqc.records.signatures import SignatureRow, next_number
from batchqc.records.transaction import Transaction

Kind = TypeVar("Kind", bound=Row)


@dataclass(frozen=True, slots=True)
class NewLookBack:
    """From what a look-back begins (kind and id), why, and the key of the record behind it."""

    source: str
    cause: LookBackCause
    reason: str
    about: str = ""


def start_look_back(
    tx: Transaction, archive: Archive, new: NewLookBack, *, credentials: Credentials
) -> LookBack | Refusal:
    """Start a look-back by hand, signed over its frozen list.

    Raises:
        InvalidInput: no look-back begins from such a node.
    """
    require(tx, Permission.START_LOOK_BACK)
    check_reason(credentials.reason)
    return _look_back(tx, archive, new, credentials)


def look_back_by_system(
    tx: Transaction, archive: Archive, new: NewLookBack, *, where_none_is_open: bool = False
) -> LookBack:
    """Start a look-back for what was recorded; the one that is open for the same is answered.

    What that one does not hold any more is held anew.

    Args:
        tx: of whoever recorded it; call this before any lot is locked.
        archive: takes the frozen list.
        new: ``about`` is the key of what was recorded.
        where_none_is_open: any that is open from the source is for the same.
    """
    tx.lock(GENEALOGY)
    for one in look_backs_from(tx.session, [new.source]):
        same = where_none_is_open or (one.cause, one.about) == (new.cause.value, new.about)
        if same and closing_of(tx.session, one) is None:
            _hold_all(tx, one, _found(tx, the_node(tx.session, one.source), new))
            return one
    found = _look_back(tx, archive, new, None)
    if isinstance(found, Refusal):  # only a signature is refused
        raise Conflict("BQC-GEN-023", found.message)
    return found


def would_reach(session: Session, source: Row, now: datetime) -> tuple[Graph, list[str]]:
    """What a look-back from a source would reach now, and what may be missing, in words."""
    start = {source.key: source, **_of_its_donors_only(session, {source.key: source})}
    graph, _, wrong = reach(session, start, Direction.FORWARD, now)
    return graph, wrong


def lock_what_came_of(
    tx: Transaction, source: Row, made_of: Mapping[str, Row] = MappingProxyType({})
) -> bool:
    """Lock the lots that came of a source, before their donors; whether anything came of it.

    Also those that may have, once the source is said to be made of more: a look-back from it locks
    them, and lots have one order.
    """
    tx.lock(GENEALOGY)
    beside = _of_its_donors_only(tx.session, {source.key: source, **made_of}) if made_of else {}
    graph, _, _ = reach(tx.session, {source.key: source, **beside}, Direction.FORWARD, tx.now)
    lots = lock_lots(tx, _all(graph, LotRow))
    return bool(lots or _all(graph, CellBank))


def close_look_back(
    tx: Transaction, *, number: str, conclusion: str, credentials: Credentials
) -> LookBackClosing | Refusal:
    """Close a look-back with its conclusion, signed. Holds and quarantines stay as they are.

    Raises:
        Conflict: it is closed.
    """
    require(tx, Permission.CLOSE_LOOK_BACK)
    check_reason(credentials.reason)
    check_reason(conclusion)
    row = the_look_back(tx.session, number)
    tx.lock(GENEALOGY)
    if closing_of(tx.session, row) is not None:
        raise Conflict("BQC-GEN-025", f"{row.natural_key} is closed already")
    content: dict[str, Json] = {
        "type": "batchqc/look-back-closing/1",
        "look-back": row.content_sha256,
        "conclusion": conclusion,
    }
    signature = sign(
        tx,
        credentials,
        meaning=Meaning.APPROVED,
        record=row.key,
        record_sha256=sha256_of(content),
    )
    if isinstance(signature, Refusal):
        return signature
    closing = LookBackClosing(
        look_back=row, conclusion=conclusion, signature=signature, closed_at=tx.now
    )
    tx.add(closing)
    about = [row.key, row.source]
    tx.audit("look-back closed", rows=[signature, closing], about=about, reason=credentials.reason)
    return closing


def the_look_back(session: Session, number: str) -> LookBack:
    """The look-back of a public number, or NotFound."""
    return found_or_not(
        look_back_by(session, number), "BQC-GEN-024", f"there is no look-back {number}"
    )


def frozen_list(archive: Archive, row: LookBack) -> dict[str, Any]:
    """What was found when a look-back began.

    Raises:
        IntegrityFailure: its bytes are not those that were stored.
    """
    content: dict[str, Any] = json.loads(archive.get(row.content_sha))
    return content


def _look_back(
    tx: Transaction, archive: Archive, new: NewLookBack, credentials: Credentials | None
) -> LookBack | Refusal:
    tx.lock(GENEALOGY)
    source = the_node(tx.session, new.source)
    if kind_of(source.key) not in SOURCES:
        known = ", ".join(sorted(SOURCES))
        wrong = f"{source.key} is none of: {known}; hold a lot by itself (batchqc lot hold)"
        refuse_all("BQC-GEN-023", "no look-back begins there", [wrong])
    found = _found(tx, source, new)
    content_sha = archive.put(canonical_bytes(found.content))
    signature: SignatureRow | Refusal | None = None
    if credentials is not None:
        signature = sign(
            tx, credentials, meaning=Meaning.AUTHORED, record=source.key, record_sha256=content_sha
        )
    if isinstance(signature, Refusal):
        return signature
    row = LookBack(
        year=tx.now.year,
        number=found.number,
        source=source.key,
        cause=new.cause.value,
        reason=new.reason,
        about=new.about,
        content_sha=content_sha,
        signature=signature,
        started_by=tx.actor.user_id,
        started_at=tx.now,
    )
    tx.add(row)
    tx.audit(
        "look-back started",
        rows=[row, *([signature] if signature else [])],
        about=[source.key, *_beside(new.about)],
        reason=new.reason,
        after={"lots": [lot.lot for lot in found.lots]},
    )
    _hold_all(tx, row, found)
    return row


@dataclass(frozen=True, slots=True)
class _Found:
    """What a look-back reaches; its lots are locked."""

    number: int
    graph: Graph
    lots: list[LotRow]
    content: dict[str, Json]


def _found(tx: Transaction, source: Row, new: NewLookBack) -> _Found:
    """Everything that comes from a source, as it is now."""
    start = {source.key: source, **_of_its_donors_only(tx.session, {source.key: source})}
    graph, _, _ = reach(tx.session, start, Direction.FORWARD, tx.now)
    lots = lock_lots(tx, _all(graph, LotRow))
    # What is frozen is looked at again, now that nothing of these lots moves.
    graph, states, wrong = reach(tx.session, start, Direction.FORWARD, tx.now)
    number = next_number(tx.session, LookBack, tx.now.year)
    content: dict[str, Json] = {
        "type": "batchqc/look-back/1",
        "number": number,
        "source": source.key,
        "cause": new.cause.value,
        "reason": new.reason,
        "about": new.about,
        "at": utc_text(tx.now),
        "by": tx.actor.user_id,
        "nodes": [[key, states.said[key]] for key in sorted(graph.nodes)],
        "edges": [list(edge) for edge in sorted(graph.edges)],
        "doses": [one.content for one in whereabouts(graph, states.said)],
        "incomplete": list[Json](wrong),
    }
    return _Found(number, graph, lots, content)


def _of_its_donors_only(session: Session, sources: Mapping[str, Row]) -> dict[str, Row]:
    """Lots that name a donor of a source, and no donation or bank: they may be of any."""
    back = walk(session, sources, Direction.BACK)
    donors = [row.id for row in back.nodes.values() if isinstance(row, DonorRow)]
    query = select(LotRow).join(LotDonor, LotDonor.lot_id == LotRow.id)
    lots = {one.key: one for one in session.scalars(query.where(LotDonor.donor_id.in_(donors)))}
    known = {one.child for one in parents_of(session, lots)}
    return {key: one for key, one in lots.items() if key not in known}


def _beside(about: str) -> list[str]:
    """What caused a look-back, to file it under; of nodes, it is filed under its source alone."""
    return [about] if about and about.partition(":")[0] not in set(NodeKind) else []


def _hold_all(tx: Transaction, row: LookBack, found: _Found) -> None:
    """Hold the lots, quarantine the banks, and what of these lies in storage."""
    reason = f"{row.natural_key} from {row.source} ({row.cause}): {row.reason}"
    for lot in found.lots:
        hold_by_system(tx, lot, cause=Cause.LOOK_BACK, reason=reason, about=row.key)
    banks = _all(found.graph, CellBank)
    statuses = bank_statuses(tx.session, banks)
    for bank in banks:
        if statuses[bank.id] is BankStatus.AVAILABLE:
            bank_event(tx, bank, BankStatus.QUARANTINED, reason)
    own = [one for one in _all(found.graph, Container) if one.cell_bank_id is not None]
    newest = newest_events(tx.session, [one.id for one in own])
    stored = [one for one in own if status_of(newest.get(one.id)) is ContainerStatus.IN_STORAGE]
    by_place: dict[str, list[Container]] = {}
    for one in stored:
        event = newest.get(one.id)
        by_place.setdefault(event.place if event else one.place, []).append(one)
    for place, some in sorted(by_place.items()):
        happened = utc_text(tx.now)
        add_events(tx, some, Move((), ContainerStatus.QUARANTINED, place, happened, reason))


def _all(graph: Graph, table: type[Kind]) -> list[Kind]:
    return [one for one in graph.nodes.values() if isinstance(one, table)]
