"""Rules of Nelson and Western Electric, and any run of k of m: machines that read lots one by one.

A machine remembers of the past what can still lead to an alarm, and nothing else. Windows that are
not yet full count from the first lot (two of two beyond 2 complete "two of three"). A point on a
limit or on the centre is not beyond it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from batchqc.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Run:
    """``hits`` of ``window`` consecutive lots lie between ``low`` and ``high`` (sigmas, open).

    T(k, m, a, b) of Champ and Woodall 1987; ``hits`` equal to ``window`` is a run without a gap.
    """

    hits: int
    window: int
    low: float
    high: float

    @property
    def cuts(self) -> tuple[float, ...]:
        """Where it tells one value from another."""
        return tuple(one for one in (self.low, self.high) if math.isfinite(one))

    def step(self, memory: int, z: float) -> tuple[int, bool]:
        """What is remembered after a lot, and whether it is an alarm; bit 0 is the last lot."""
        seen = (memory << 1) | (self.low < z < self.high)
        return self._useful(seen), seen.bit_count() >= self.hits

    def _useful(self, seen: int) -> int:
        """Without the hits that leave the window before an alarm could count them."""
        kept = count = 0
        for age in range(1, self.window):
            if seen >> (age - 1) & 1:
                count += 1
                if count + self.window - age >= self.hits:
                    kept |= 1 << (age - 1)
        return kept


@dataclass(frozen=True, slots=True)
class Mixture:
    """``window`` consecutive lots lie beyond ``low`` sigmas, on both sides (Nelson's rule 8)."""

    window: int = 8
    low: float = 1.0

    @property
    def cuts(self) -> tuple[float, ...]:
        """Where it tells one value from another."""
        return (-self.low, self.low)

    def step(self, memory: int, z: float) -> tuple[int, bool]:
        """Memory: lots beyond so far, and how many of the last of them are above or below."""
        if abs(z) <= self.low:
            return 0, False
        most = self.window
        above, same, beyond = memory & 1, memory >> 1 & 0xFFFF, memory >> 17
        same = min(same + 1, most) if beyond and above == (z > 0) else 1
        beyond = min(beyond + 1, most)
        return beyond << 17 | same << 1 | (z > 0), beyond == most > same


@dataclass(frozen=True, slots=True)
class Trend:
    """``window`` consecutive lots rise, or fall, strictly (Nelson's rule 3)."""

    window: int = 6


@dataclass(frozen=True, slots=True)
class Alternation:
    """``window`` consecutive lots go up and down in turn (Nelson's rule 4)."""

    window: int = 14


Part: TypeAlias = Run | Mixture | Trend | Alternation


def _both(hits: int, window: int, low: float, high: float = math.inf) -> tuple[Part, ...]:
    return Run(hits, window, low, high), Run(hits, window, -high, -low)


NELSON: Final[dict[str, tuple[Part, ...]]] = {
    "1": _both(1, 1, 3),
    "2": _both(9, 9, 0),
    "3": (Trend(),),
    "4": (Alternation(),),
    "5": _both(2, 3, 2),
    "6": _both(4, 5, 1),
    "7": (Run(15, 15, -1, 1),),
    "8": (Mixture(),),
}
WESTERN_ELECTRIC: Final[dict[str, tuple[Part, ...]]] = {
    "we1": _both(1, 1, 3),
    "we2": _both(2, 3, 2),
    "we3": _both(4, 5, 1),
    "we4": _both(8, 8, 0),
}
RULES: Final = {**NELSON, **WESTERN_ELECTRIC}
MOST_HITS: Final = 30


def both_sides(hits: int, window: int, low: float, high: float = math.inf) -> tuple[Part, ...]:
    """A rule of one's own: ``hits`` of ``window`` lots between ``low`` and ``high``, on one side.

    Args:
        hits: how many.
        window: of how many consecutive lots, up to 30.
        low: in sigmas from the centre, 0 or more.
        high: in sigmas from the centre.

    Raises:
        InvalidInput: the numbers make no rule.

    Source:
        Champ and Woodall 1987, section 1: T(k, m, a, b) and its mirror image.
    """
    _sensible(hits, window, low, high)
    if low < 0:
        raise InvalidInput("BQC-STA-003", f"a rule of both sides begins at 0 or above, not {low:g}")
    return _both(hits, window, low, high)


def one_side(hits: int, window: int, low: float, high: float = math.inf) -> tuple[Part, ...]:
    """As `both_sides`, of the interval as it is given: negative numbers lie below the centre.

    Raises:
        InvalidInput: the numbers make no rule.
    """
    _sensible(hits, window, low, high)
    return (Run(hits, window, low, high),)


def parts_of(rules: Iterable[str | int | tuple[Part, ...]]) -> tuple[Part, ...]:
    """The machines of chosen rules, each once.

    Args:
        rules: numbers of Nelson (1 to 8), ``we1`` to ``we4``, or rules of one's own.

    Raises:
        InvalidInput: no rule is chosen, or one is not known.
    """
    found: dict[Part, None] = {}
    for rule in rules:
        if not isinstance(rule, tuple):
            name = str(rule).strip().casefold()
            if name not in RULES:
                raise InvalidInput(
                    "BQC-STA-003", f"no rule {rule}", hint=f"Rules are {', '.join(RULES)}."
                )
            rule = RULES[name]  # noqa: PLW2901 - its parts, instead of its name
        found.update(dict.fromkeys(rule))
    if not found:
        raise InvalidInput("BQC-STA-003", "no rule is chosen")
    return tuple(found)


def _sensible(hits: int, window: int, low: float, high: float) -> None:
    lines = math.isfinite(low) or math.isfinite(high)
    if not (1 <= hits <= window <= MOST_HITS and low < high and lines):
        raise InvalidInput(
            "BQC-STA-003",
            f"{hits} of {window} between {low:g} and {high:g} is no rule",
            hint=f"Wanted: 1 <= hits <= window <= {MOST_HITS}, low below high.",
        )
