"""What a bank turns out to be made of beside what was registered.

It is a fact of the past, so nothing that came into doubt since keeps it off the record. Where
something behind it is in doubt, everything that came of the bank is held by a look-back from it, in
the same transaction; else what is in use and names other donors than those of its banks now. The
certificate of such a lot ends either way.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.cell_banks import the_bank
from batchqc.actions.certificate_states import withdraw_certificate
from batchqc.actions.donor_records import records_of
from batchqc.actions.holds import hold_if_in_use
from batchqc.actions.look_backs import NewLookBack, lock_what_came_of, look_back_by_system
from batchqc.actions.origins import GENEALOGY, Origin, circle_problems, derivations, origin_of
from batchqc.actions.permission import require
from batchqc.actions.registers import refuse_all
from batchqc.actions.setup import own_site
from batchqc.actions.signing import check_reason
from batchqc.core.cell_banks import (
    BankKind,
    BankStatus,
    bank_problems,
    donors_of,
    donors_problem,
)
from batchqc.core.genealogy import Direction
from batchqc.core.holds import Cause
from batchqc.core.look_backs import LookBackCause, doubts_about
from batchqc.core.lot_states import IN_USE
from batchqc.core.permissions import Permission
from batchqc.documents.archive import Archive
from batchqc.records import registers
from batchqc.records.cell_banks import CellBank, Derivation, bank_statuses, parents_of
from batchqc.records.decisions import newest_dispositions
from batchqc.records.donors import newest_eligibility
from batchqc.records.genealogy import nodes_by, walk
from batchqc.records.look_backs import LookBack
from batchqc.records.registers import DonorRow, LotRow
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Joined:
    """The edges that were added, and the look-back that they started, if any."""

    edges: list[Derivation]
    look_back: LookBack | None


def add_parents(
    tx: Transaction, archive: Archive, *, child: str, made_of: tuple[str, ...], reason: str
) -> Joined:
    """Say of a bank what else it was made of, which was not known when it was registered.

    Raises:
        InvalidInput: it would be made of itself, or of what is younger; every reason.
    """
    require(tx, Permission.KEEP_BANKS)
    check_reason(reason)
    tx.lock(GENEALOGY)
    bank = the_bank(tx.session, child)
    origin = origin_of(tx.session, made_of)
    lock_what_came_of(tx, bank, origin.rows)
    problems = _problems(tx, bank, origin)
    refuse_all("BQC-GEN-004", f"bank {bank.bank} cannot be made of these too", problems)
    edges = derivations(bank.key, origin)
    tx.add(*edges)
    about = [bank.key, *origin.rows]
    tx.audit("cell bank made of more", rows=edges, about=about, reason=reason)
    doubts, more = list(_doubts(tx, bank, origin)), f"made of {', '.join(origin.rows)} too"
    mixed = list(_mixed(tx.session, bank, f"{bank.key} is {more}"))
    if not doubts:
        for lot, why in mixed:
            edge = edges[0].key
            hold = hold_if_in_use(tx, lot, cause=Cause.CELL_BANK, reason=why, about=edge)
            if hold is not None:
                withdraw_certificate(tx, lot, reason=why, about=hold.key)
        return Joined(edges, None)
    said = f"{more}: {'; '.join(doubts)}"
    new = NewLookBack(bank.key, LookBackCause.ORIGIN, said, edges[0].key)
    look_back = look_back_by_system(tx, archive, new)
    for lot, why in mixed:  # each is held by the look-back
        withdraw_certificate(tx, lot, reason=why, about=look_back.key)
    return Joined(edges, look_back)


def _mixed(session: Session, bank: CellBank, reason: str) -> Iterator[tuple[LotRow, str]]:
    """Each lot that names other donors than those of whose cells it turns out to be, and why.

    Its certificate names them too and no longer counts; nothing of it is shipped any more.
    """
    for lot in walk(session, {bank.key: bank}, Direction.FORWARD).nodes.values():
        if isinstance(lot, LotRow):
            made_of = nodes_by(session, [one.parent for one in parents_of(session, [lot.key])])
            traced = donors_of(Origin(session, list(made_of.values())).parents)
            named = [one.code for one in registers.donors_of(session, lot)]
            if mixed := donors_problem(named, traced):
                yield lot, f"{reason}: {mixed}"


def _problems(tx: Transaction, bank: CellBank, origin: Origin) -> list[str]:
    """Why a bank cannot have been made of these; how these stand today is no reason."""
    whole = walk(tx.session, {bank.key: bank}, Direction.BACK)
    known = {edge.parent for edge in whole.edges if edge.child == bank.key}
    every = origin_of(tx.session, [*known, *origin.rows])
    parents = [replace(one, status=BankStatus.AVAILABLE) for one in every.parents]
    return [
        *(f"{one} is a parent of it already" for one in origin.rows if one in known),
        *circle_problems(tx.session, bank, origin),
        *origin.wrong_kinds(),
        *bank_problems(
            BankKind(bank.kind),
            date.fromisoformat(bank.made_on),
            parents,
            is_pool=bool(bank.is_pool),
        ),
    ]


def _doubts(tx: Transaction, bank: CellBank, origin: Origin) -> Iterator[str]:
    """What is in doubt of everything that some parents come from."""
    rows = origin.graph.nodes.values()
    yield from origin.under_look_back()
    banks = [row for row in rows if isinstance(row, CellBank)]
    statuses = bank_statuses(tx.session, banks)
    for one in banks:
        if statuses[one.id] is not BankStatus.AVAILABLE:
            yield f"{one.key} is {statuses[one.id]}"
    donors = [row for row in rows if isinstance(row, DonorRow)]
    records, determined = records_of(tx.session, donors), newest_eligibility(tx.session, donors)
    zone = ZoneInfo(own_site(tx.session).time_zone)
    in_use = _is_in_use(tx, bank)
    for donor in sorted(donors, key=lambda one: one.folded):
        own = records[donor.id]
        found = determined.get(donor.id)
        for said in doubts_about(
            found.eligibility if found else "", own.donated(zone), own.consented, in_use=in_use
        ):
            yield f"donor {donor.code}: {said}"


def _is_in_use(tx: Transaction, bank: CellBank) -> bool:
    """Whether people may have had doses of a lot that came of a bank."""
    graph = walk(tx.session, {bank.key: bank}, Direction.FORWARD)
    lots = [row.id for row in graph.nodes.values() if isinstance(row, LotRow)]
    return bool(IN_USE & set(newest_dispositions(tx.session, lots).values()))
