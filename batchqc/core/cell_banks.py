"""Cell banks: what each kind is made of, when it can have been made, and of whose cells.

A bank of several donors is one only where it is declared a pool, under an id of its own
(requirement 8.10): so is what is made of a pool. A child is never older than what it is made of.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from batchqc.core.genealogy import NodeKind


class BankKind(StrEnum):
    """Which generation a bank is; an intermediate is a drug substance between bank and lot."""

    MASTER = "MCB"
    WORKING = "WCB"
    INTERMEDIATE = "intermediate"


class BankStatus(StrEnum):
    """Whether cells may be taken from a bank; what is destroyed stays so."""

    AVAILABLE = "available"
    QUARANTINED = "quarantined"
    DESTROYED = "destroyed"


#: What each kind is made of.
MADE_OF: Final[Mapping[BankKind, frozenset[str]]] = {
    BankKind.MASTER: frozenset({NodeKind.DONATION, NodeKind.POOL, BankKind.MASTER}),
    BankKind.WORKING: frozenset({BankKind.MASTER}),
    BankKind.INTERMEDIATE: frozenset(
        {
            NodeKind.DONATION,
            NodeKind.POOL,
            BankKind.MASTER,
            BankKind.WORKING,
            BankKind.INTERMEDIATE,
        }
    ),
}


@dataclass(frozen=True, slots=True)
class Parent:
    """What something is made of.

    Args:
        node: its kind and id.
        kind: "donation", "donation_pool", or the kind of the bank.
        made_on: the day of the donation or of the bank; a day of the site.
        expires_on: its last usable day; ``None`` where it has none.
        status: of the bank.
        donors: the codes of all whose cells are in it.
    """

    node: str
    kind: str
    made_on: date
    expires_on: date | None = None
    status: BankStatus = BankStatus.AVAILABLE
    donors: frozenset[str] = frozenset()


def parents_problems(made_on: date, parents: Iterable[Parent]) -> Iterator[str]:
    """Why something made on a day cannot be of these."""
    for one in parents:
        if made_on < one.made_on:
            yield f"it was made on {made_on}, before {one.node}, which is of {one.made_on}"
        if one.expires_on is not None and made_on > one.expires_on:
            yield f"it was made on {made_on}; {one.node} expired on {one.expires_on}"
        if one.status is not BankStatus.AVAILABLE:
            yield f"{one.node} is {one.status}"


def bank_problems(
    kind: BankKind, made_on: date, parents: Sequence[Parent], *, is_pool: bool
) -> Iterator[str]:
    """Why a bank of a kind cannot be of these."""
    yield from parents_problems(made_on, parents)
    for one in parents:
        if one.kind not in MADE_OF[kind]:
            made_of = ", ".join(sorted(MADE_OF[kind]))
            yield f"{one.node} is a {one.kind}; a bank of kind {kind} is made of: {made_of}"
    donors = donors_of(parents)
    if len(donors) > 1 and not is_pool:
        yield f"it mixes donors ({', '.join(sorted(donors))}) and is not declared a pool"
    if is_pool and len(parents) < 2 and len(donors) < 2:
        yield "a pool is made of two parents or more, or of one that is of several donors"


def donors_of(parents: Iterable[Parent]) -> frozenset[str]:
    """The donors of all that something is made of."""
    return frozenset[str]().union(*(one.donors for one in parents))


def donors_problem(named: Iterable[str], traced: Iterable[str]) -> str | None:
    """Why the donors that a lot names are not those that its banks trace back to, or ``None``."""
    said, found = sorted(set(named)), sorted(set(traced))
    if said == found:
        return None
    return f"it names the donors {', '.join(said)}; its banks are of {', '.join(found)}"
