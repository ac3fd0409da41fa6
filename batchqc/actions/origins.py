"""What a bank or a lot may be made of: parents that exist, fit, and are under no look-back."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from sqlalchemy.orm import Session

from batchqc.actions.genealogy import the_node
from batchqc.core.cell_banks import BankStatus, Parent, donors_of, donors_problem, parents_problems
from batchqc.core.genealogy import Direction, NodeKind, id_of, kind_of, reached, would_circle
from batchqc.errors import Conflict
from batchqc.records.base import Row
from batchqc.records.cell_banks import CellBank, Derivation, bank_statuses
from batchqc.records.corrections import approved_changes, corrections_of
from batchqc.records.donations import Donation, DonationPool
from batchqc.records.genealogy import Graph, walk
from batchqc.records.look_backs import open_look_backs
from batchqc.records.registers import DonorRow
from batchqc.records.transaction import Transaction

GENEALOGY = "genealogy"
"""The lock that whoever adds to the graph, or follows it for good, takes before any lot's."""


class Origin:
    """Parents with all that they come from."""

    def __init__(self, session: Session, rows: Sequence[Row]) -> None:
        self._session = session
        self.rows = {row.key: row for row in rows}
        self.graph: Graph = walk(session, self.rows, Direction.BACK)

    @property
    def parents(self) -> list[Parent]:
        """Each with its kind, days, status and donors."""
        banks = [row for row in self.rows.values() if isinstance(row, CellBank)]
        statuses = bank_statuses(self._session, banks)
        return [self._parent(row, statuses) for row in self.rows.values()]

    def _parent(self, row: Row, statuses: dict[int, BankStatus]) -> Parent:
        donors = self.donors(row.key)
        match row:
            case CellBank():
                made, ends = date.fromisoformat(row.made_on), date.fromisoformat(row.expires_on)
                return Parent(row.key, row.kind, made, ends, statuses[row.id], donors)
            case Donation():
                changes = approved_changes(corrections_of(self._session, [row.key]), row.key)
                made = date.fromisoformat(dict(changes).get("donated_on", row.donated_on))
            case DonationPool():
                made = date.fromisoformat(row.pooled_on)
            case _:
                made = date.min
        return Parent(row.key, kind_of(row.key).value, made, donors=donors)

    def donors(self, node: str) -> frozenset[str]:
        """The codes of the donors whose cells are in a node."""
        found = reached(self.graph.edges, node, Direction.BACK) | {node}
        return frozenset(id_of(one) for one in found if kind_of(one) is NodeKind.DONOR)

    def problems(self) -> Iterator[str]:
        """Parents that nothing can be made of, and sources under look-back."""
        yield from self.wrong_kinds()
        yield from self.under_look_back()

    def wrong_kinds(self) -> Iterator[str]:
        """Parents that nothing can be made of."""
        for one in self.rows.values():
            if not isinstance(one, CellBank | Donation | DonationPool):
                yield f"{one.key} is no bank, donation or pool"

    def under_look_back(self) -> Iterator[str]:
        """Sources of the parents that are under a look-back."""
        yield from look_back_problems(self._session, self.graph.nodes)


def origin_of(session: Session, made_of: Iterable[str]) -> Origin:
    """What is named, each by kind and id or by an id that only one has.

    Raises:
        NotFound: there is no such node.
        InvalidInput: nodes of several kinds have this id.
    """
    return Origin(session, [the_node(session, one) for one in dict.fromkeys(made_of)])


def look_back_problems(session: Session, nodes: Iterable[str]) -> Iterator[str]:
    """The open look-backs from one of some nodes, in words."""
    known = set(nodes)
    for one in open_look_backs(session):
        if one.source in known:
            yield f"{one.source} is under look-back {one.natural_key} ({one.cause})"


def lot_origin(
    tx: Transaction, *, lot: str, made_on: date, donors: Sequence[DonorRow], made_of: Sequence[str]
) -> list[Derivation]:
    """What a lot that names banks or donations is made of; empty where it names donors only.

    Raises:
        Conflict: it cannot be made of these, or its donors are not theirs; every reason.
    """
    tx.lock(GENEALOGY)
    session = tx.session
    origin = origin_of(session, made_of)
    wrong = [*origin.problems(), *parents_problems(made_on, origin.parents)]
    if made_of:
        mixed = donors_problem((one.code for one in donors), donors_of(origin.parents))
        wrong += [mixed] if mixed else []
    else:
        wrong += _blocked_by_donor(session, donors)
    if wrong:
        raise Conflict(
            "BQC-GEN-022",
            f"lot {lot} cannot be of these cells",
            hint="Name exactly the donors of its banks, and no source that is under look-back.",
            reasons=wrong,
        )
    return derivations(f"lot:{lot}", origin)


def derivations(child: str, origin: Origin) -> list[Derivation]:
    """The edges from a child to each of its parents."""
    kind = "pooled of" if len(origin.rows) > 1 else "made of"
    return [Derivation(child=child, parent=one, kind=kind) for one in origin.rows]


def circle_problems(session: Session, child: Row, origin: Origin) -> Iterator[str]:
    """The parents that are made of the child, or are it."""
    descendants = walk(session, {child.key: child}, Direction.FORWARD)
    for one in would_circle(descendants.edges, child.key, origin.rows):
        yield f"{child.key} cannot come from {one}: that would be a circle"


def _blocked_by_donor(session: Session, donors: Sequence[DonorRow]) -> Iterator[str]:
    """Look-backs from a donor, or from any donation or bank of it: of which, a lot does not say."""
    opened = open_look_backs(session)
    if not opened:
        return
    known = {donor.key: donor for donor in donors}
    yield from look_back_problems(session, walk(session, known, Direction.FORWARD).nodes)
