"""Run rules of control charts: Nelson 1 to 8, Western Electric 1 to 4, and any other of their kind.

Conventions, the same for every rule: inequalities are strict; a value on the centre line is on
neither side; ties are neither up nor down; the point that fires is the one that completes the
pattern, so that it lies beyond the zone itself; every further point that completes it fires too.
A missing value takes a place in a window such as two of three, and breaks what must be unbroken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from batchqc.errors import InvalidInput
from batchqc.statistics.values import Floats, with_gaps

Pattern: TypeAlias = Literal["beyond", "trend", "alternating", "hugging", "avoiding"]
Marks: TypeAlias = NDArray[np.bool_]

#: Patterns need at least so many points to be one.
_SHORTEST: Final = {"beyond": 1, "trend": 2, "alternating": 3, "hugging": 1, "avoiding": 2}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Args:
        name: as signals give it: ``Nelson 5``.
        pattern: ``beyond``: ``need`` of ``of`` points on one side beyond ``zone``; ``trend``: all
            of ``of`` strictly rising or falling; ``alternating``: up and down; ``hugging``: all
            within ``zone`` of the centre; ``avoiding``: all beyond ``zone``, on both sides.
        of: length of the window.
        need: how many of the window, for ``beyond``; the whole window where left out.
        zone: distance from the centre, in sigma.
        partial: whether a window that begins before the first point counts with what it has.
    """

    name: str
    pattern: Pattern
    of: int
    need: int = 0
    zone: float = 0.0
    partial: bool = True

    def __post_init__(self) -> None:
        shortest = _SHORTEST.get(self.pattern)
        if shortest is None:
            raise InvalidInput("BQC-STA-003", f"{self.name}: there is no pattern {self.pattern!r}")
        if not shortest <= self.of or not 0 <= self.need <= self.of or not 0 <= self.zone < np.inf:
            raise InvalidInput(
                "BQC-STA-003",
                f"{self.name}: {self.need} of {self.of} beyond {self.zone:g} sigma is no rule",
            )

    @property
    def needs(self) -> int:
        """How many points of the window make the pattern."""
        return self.need or self.of


def _numbered(rules: Sequence[Rule]) -> Mapping[int, Rule]:
    return MappingProxyType(dict(enumerate(rules, 1)))


#: Nelson 1984, J. Quality Technology 16:237.
NELSON: Final = _numbered(
    [
        Rule("Nelson 1", "beyond", 1, zone=3.0),
        Rule("Nelson 2", "beyond", 9),
        Rule("Nelson 3", "trend", 6),
        Rule("Nelson 4", "alternating", 14),
        Rule("Nelson 5", "beyond", 3, need=2, zone=2.0),
        Rule("Nelson 6", "beyond", 5, need=4, zone=1.0),
        Rule("Nelson 7", "hugging", 15, zone=1.0),
        Rule("Nelson 8", "avoiding", 8, zone=1.0),
    ]
)
#: Western Electric, Statistical Quality Control Handbook 1956.
WESTERN_ELECTRIC: Final = _numbered(
    [
        Rule("Western Electric 1", "beyond", 1, zone=3.0),
        Rule("Western Electric 2", "beyond", 3, need=2, zone=2.0),
        Rule("Western Electric 3", "beyond", 5, need=4, zone=1.0),
        Rule("Western Electric 4", "beyond", 8),
    ]
)


@dataclass(frozen=True, slots=True)
class Signal:
    """A pattern that one point completed.

    Args:
        rule: its name.
        point: that completed the pattern, counted from 1.
        members: all points that make the pattern, the completing one last.
        column: the attribute, counted from 1, where several were looked at together.
        centre: the centre line at the point, in the unit of the chart (0 where z was given).
        sigma: the standard deviation at the point, in the unit of the chart (1 where z was given).
    """

    rule: str
    point: int
    members: tuple[int, ...]
    column: int = 1
    centre: float = 0.0
    sigma: float = 1.0


def marks(z: ArrayLike, rules: Sequence[Rule]) -> dict[str, Marks]:
    """Where each rule fires, for one attribute or for many at once.

    Args:
        z: distances from the centre in sigma, (lots) or (lots, attributes), in the order of
            manufacture; NaN or None where missing.
        rules: to look for, such as ``[NELSON[1], NELSON[2]]``.

    Returns:
        By name of the rule, true where a point completes the pattern; the shape is that of z.

    Raises:
        InvalidInput: z is no table of numbers, or two rules have one name.
    """
    found = _table(z)
    names = [rule.name for rule in rules]
    if len(set(names)) != len(names):
        raise InvalidInput("BQC-STA-003", f"two rules have one name: {', '.join(names)}")
    return {rule.name: _fired(found, rule) for rule in rules}


def signals(
    z: ArrayLike,
    rules: Sequence[Rule],
    *,
    centre: Floats | None = None,
    sigma: Floats | None = None,
) -> tuple[Signal, ...]:
    """Each pattern that was completed, by rule, attribute and point; see :func:`marks`.

    Args:
        z: distances, as there.
        rules: to look for.
        centre: of the chart at each point, for its signals.
        sigma: of the chart at each point, likewise.
    """
    found = _table(z)
    columns = found[:, None] if found.ndim == 1 else found
    middle = np.zeros(len(found)) if centre is None else centre
    spread = np.ones(len(found)) if sigma is None else sigma
    return tuple(
        Signal(
            rule.name, at + 1, _members(columns[:, column], at, rule), column + 1,
            float(middle[at]), float(spread[at]),
        )
        for rule in rules
        for column, at in np.argwhere(_fired(columns, rule).T).tolist()
    )  # fmt: skip


def completing(z: ArrayLike, rules: Sequence[Rule]) -> dict[str, tuple[int, ...]]:
    """By rule, the points of one attribute that complete its pattern, counted from 1."""
    found = with_gaps(z, "z")
    return {
        name: tuple(int(at) + 1 for at in np.flatnonzero(fired))
        for name, fired in marks(found, rules).items()
    }


def _table(z: ArrayLike) -> Floats:
    try:
        found = np.asarray(z, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput("BQC-STA-003", "z are not all numbers") from None
    if found.ndim not in (1, 2):
        raise InvalidInput("BQC-STA-003", f"z have {found.ndim} dimensions, not one or two")
    return with_gaps(found.ravel(), "z").reshape(found.shape)


def _fired(z: Floats, rule: Rule) -> Marks:
    match rule.pattern:
        case "beyond":
            return _crowd(z > rule.zone, rule) | _crowd(z < -rule.zone, rule)
        case "trend":
            up, down = z[1:] > z[:-1], z[1:] < z[:-1]
            return _after(_unbroken(up, rule.of - 1) | _unbroken(down, rule.of - 1), z)
        case "alternating":
            up, down = z[1:] > z[:-1], z[1:] < z[:-1]
            turns = (up[1:] & down[:-1]) | (down[1:] & up[:-1])
            return _after(_unbroken(turns, rule.of - 2), z)
        case "hugging":
            return _unbroken(np.abs(z) < rule.zone, rule.of)
        case "avoiding":
            mixed = _count(z > rule.zone, rule.of) % rule.of > 0
            return _unbroken(np.abs(z) > rule.zone, rule.of) & mixed


def _crowd(hit: Marks, rule: Rule) -> Marks:
    """Where enough of the window lie on one side, the point itself among them."""
    if rule.of == 1:
        return hit
    fired: Marks = hit & (_count(hit, rule.of) >= rule.needs)
    if not rule.partial:
        fired[: rule.of - 1] = False
    return fired


def _unbroken(hit: Marks, of: int) -> Marks:
    found: Marks = _count(hit, of) == of
    return found


def _count(hit: Marks, of: int) -> NDArray[np.int32]:
    """How many of the last ``of`` points, of those that there are."""
    total = np.cumsum(hit, axis=0, dtype=np.int32)
    counted = total.copy()
    counted[of:] -= total[:-of]
    return counted


def _after(fired: Marks, z: Floats) -> Marks:
    """Of differences, back to the points that complete them."""
    found = np.zeros(z.shape, dtype=np.bool_)
    found[len(z) - len(fired) :] = fired
    return found


def _members(z: Floats, at: int, rule: Rule) -> tuple[int, ...]:
    first = max(0, at - rule.of + 1)
    if rule.pattern != "beyond":
        return tuple(range(first + 1, at + 2))
    if rule.of == 1:
        return (at + 1,)
    window = z[first : at + 1].tolist()
    side = 1 if window[-1] > 0 else -1
    return tuple([place for place, one in enumerate(window, first + 1) if side * one > rule.zone])
