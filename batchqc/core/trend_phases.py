"""Phases of a series: lots that one method, site and criterion make comparable.

A change of the method version, the site or what the criterion is starts a phase, and so does QA by
a signed reason, such as a change of the process. Phases are never pooled. A lot without a result
has no method and breaks none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from batchqc.core.trends import Observed


@dataclass(frozen=True, slots=True)
class TrendLot:
    """A judged lot in a series; ``definition`` is the hash of what its criterion is."""

    lot: str
    manufactured_on: str
    site: str
    specification: str
    acceptance: str
    definition: str
    disposition: str
    donors: tuple[str, ...]
    banks: tuple[str, ...]
    observed: Observed

    @property
    def place(self) -> tuple[str, str]:
        """Where it stands: by date of manufacture, then by id."""
        return self.manufactured_on, self.lot


@dataclass(frozen=True, slots=True)
class Phase:
    """Consecutive lots that may be compared; ``because`` is why it begins, "" for the first."""

    number: int
    because: str
    methods: tuple[str, ...]
    site: str
    definition: str
    acceptance: str
    lots: tuple[TrendLot, ...]

    def has(self, lot: str) -> bool:
        """Whether a lot is in it."""
        return any(one.lot == lot for one in self.lots)


def in_order(lots: Iterable[TrendLot]) -> tuple[TrendLot, ...]:
    """Lots by date of manufacture, then by id."""
    return tuple(sorted(lots, key=lambda one: one.place))


def phases(lots: Sequence[TrendLot], starts: Mapping[str, str]) -> tuple[Phase, ...]:
    """The phases of a series.

    Args:
        lots: in order.
        starts: why QA lets a phase begin with a lot, by lot.
    """
    found: list[Phase] = []
    first, because = 0, ""
    methods: tuple[str, ...] = ()
    for place, one in enumerate(lots):
        own = one.observed.methods
        why = change(lots[place - 1], one, methods, starts) if place else ""
        if why:
            found.append(_phase(len(found), because, methods, lots[first:place]))
            first, because, methods = place, why, own
        methods = own or methods
    if lots:
        found.append(_phase(len(found), because, methods, lots[first:]))
    return tuple(found)


def change(
    before: TrendLot, one: TrendLot, methods: tuple[str, ...], starts: Mapping[str, str]
) -> str:
    """Why a phase begins with a lot, or ``""``.

    Args:
        before: the lot before it.
        one: the lot.
        methods: of the phase so far.
        starts: why QA lets a phase begin with a lot, by lot.
    """
    own = one.observed.methods
    told = []
    if one.lot in starts:
        told.append(starts[one.lot])
    if own and methods and own != methods:
        told.append(f"method {', '.join(methods)} became {', '.join(own)}")
    if one.site != before.site:
        told.append(f"site {before.site} became {one.site}")
    if one.definition != before.definition:
        told.append(f"criterion {before.acceptance} became {one.acceptance}")
    return "; ".join(told)


def quarter(day: str) -> str:
    """The calendar quarter of a day, ISO 8601: ``2026-Q1``."""
    found = date.fromisoformat(day)
    return f"{found.year}-Q{(found.month + 2) // 3}"


def _phase(before: int, because: str, methods: tuple[str, ...], lots: Sequence[TrendLot]) -> Phase:
    one = lots[0]
    return Phase(
        before + 1, because, methods, one.site, one.definition, one.acceptance, tuple(lots)
    )
