"""Vials and bags: the status of each one, folded from events, and what is left of a lot.

A container inherits the status of its lot: what a label forbids, no container of it may do. Beside
that it has its own: nothing leads back from administered, destroyed or used for testing, a thawed
one never returns to storage, and one that came back from a site waits in quarantine.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final


class ContainerStatus(StrEnum):
    """Where a container stands."""

    IN_STORAGE = "in storage"
    QUARANTINED = "quarantined"
    THAWED = "thawed"
    BROKEN = "broken"
    SHIPPED = "shipped"
    ADMINISTERED = "administered"
    RETURNED = "returned"
    DESTROYED = "destroyed"
    TESTED = "used for testing"


_GONE: Final = frozenset[ContainerStatus]()
_LOST: Final = frozenset({ContainerStatus.BROKEN, ContainerStatus.DESTROYED})
NEXT: Final[Mapping[ContainerStatus, frozenset[ContainerStatus]]] = {
    ContainerStatus.IN_STORAGE: _LOST
    | {
        ContainerStatus.QUARANTINED,
        ContainerStatus.THAWED,
        ContainerStatus.SHIPPED,
        ContainerStatus.TESTED,
    },
    ContainerStatus.QUARANTINED: _LOST | {ContainerStatus.IN_STORAGE, ContainerStatus.TESTED},
    ContainerStatus.THAWED: _LOST | {ContainerStatus.ADMINISTERED, ContainerStatus.TESTED},
    ContainerStatus.SHIPPED: _LOST
    | {ContainerStatus.THAWED, ContainerStatus.ADMINISTERED, ContainerStatus.RETURNED},
    ContainerStatus.RETURNED: _LOST | {ContainerStatus.QUARANTINED},
    ContainerStatus.BROKEN: frozenset({ContainerStatus.DESTROYED}),
    ContainerStatus.ADMINISTERED: _GONE,
    ContainerStatus.DESTROYED: _GONE,
    ContainerStatus.TESTED: _GONE,
}
BY_HAND: Final = frozenset(ContainerStatus) - {
    ContainerStatus.SHIPPED,
    ContainerStatus.ADMINISTERED,
    ContainerStatus.RETURNED,
}
"""What is recorded by itself; the others come with a shipment, its return, an administration."""
LEFT: Final = frozenset(
    {ContainerStatus.IN_STORAGE, ContainerStatus.QUARANTINED, ContainerStatus.RETURNED}
)
"""What is still at the site: while one is left, the lot is not depleted."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """How many containers of a lot have each status."""

    counts: Mapping[ContainerStatus, int] = field(default_factory=dict)

    @property
    def is_depleted(self) -> bool:
        """Whether containers are registered and none is left at the site."""
        return bool(self.counts) and not any(self.counts.get(one) for one in LEFT)


def inventory_of(statuses: Iterable[ContainerStatus]) -> Inventory:
    """What the containers of a lot come to, each status once in the order above."""
    counted = Counter(statuses)
    return Inventory({one: counted[one] for one in ContainerStatus if counted[one]})


def move_problem(container: str, now: ContainerStatus, to: ContainerStatus) -> str | None:
    """Why a container cannot go from one status to another, or ``None``."""
    if to in NEXT[now]:
        return None
    allowed = ", ".join(one for one in ContainerStatus if one in NEXT[now])
    end = f"it can become: {allowed}" if allowed else "nothing leads on from there"
    return f"{container} is {now}, not to become {to}; {end}"


@dataclass(frozen=True, slots=True)
class LotLabel:
    """What of a lot its containers inherit.

    Args:
        lot: its id.
        disposition: what its label says.
        holds: why it is on hold, each in words.
        expires_on: its last usable day, as corrected.
        sites: where a conditionally released lot may go; ``None`` is anywhere.
        lacks_certification: whether a qualified person certifies such lots now, and did not certify
            what the label says.
        waits_for_transfer: whether it is certified and not yet in saleable stock.
        due: of a conditional release, each pending criterion with the last day of its result.
    """

    lot: str
    disposition: str
    holds: tuple[str, ...]
    expires_on: date
    sites: frozenset[str] | None = None
    waits_for_transfer: bool = False
    due: tuple[tuple[str, date], ...] = ()
    lacks_certification: bool = False


#: What a label must say for a container to leave; a conditional one goes to listed sites only.
RELEASED: Final = "released"
CONDITIONALLY_RELEASED: Final = "conditionally released"
SUPPLIED: Final = "supplied by exception"


def shipping_problems(label: LotLabel, *, site: str, today: date) -> Iterator[str]:
    """Every reason why no container of a lot may be shipped to a site today."""
    if label.disposition not in {RELEASED, CONDITIONALLY_RELEASED, SUPPLIED}:
        yield f"lot {label.lot} is {label.disposition}, not released"
    if label.disposition == CONDITIONALLY_RELEASED and site not in (label.sites or ()):
        yield f"lot {label.lot} is conditionally released, and {site} is not on its list of sites"
    yield from (
        f"lot {label.lot} is conditionally released, and {name} was due on {day}: decide anew"
        for name, day in label.due
        if today > day
    )
    if label.lacks_certification:
        yield (
            f"lot {label.lot} is {label.disposition} without the certification by a qualified"
            " person that the policy asks for now"
        )
    if label.waits_for_transfer:
        yield f"lot {label.lot} is certified, and not transferred to saleable stock yet"
    yield from (f"lot {label.lot} is on hold: {hold}" for hold in label.holds)
    if today > label.expires_on:
        yield f"lot {label.lot} expired on {label.expires_on}"


#: What of a lot nothing goes back to stock.
_NO_STOCK: Final = frozenset({"rejected", "recalled", "destroyed"})


def storing_problems(container: str, label: LotLabel) -> Iterator[str]:
    """Every reason why a container does not go back from quarantine to storage."""
    if label.disposition in _NO_STOCK:
        yield f"{container}: lot {label.lot} is {label.disposition}"
    yield from (f"{container}: lot {label.lot} is on hold: {hold}" for hold in label.holds)


def leaving_problems(
    container: str, status: ContainerStatus, *, expires_on: date, today: date
) -> Iterator[str]:
    """Every reason why this one container may not be shipped today."""
    if problem := move_problem(container, status, ContainerStatus.SHIPPED):
        yield problem
    if today > expires_on:
        yield f"{container} expired on {expires_on}"
