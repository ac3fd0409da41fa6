"""Population doublings (requirement 6.09).

The level of one passage is log2(cells harvested / cells seeded), computed with 50 digits: what
those leave open stays open. The cumulative level counts from the isolation of the cells on, whose
basis each first bank documents. Of a pool it is that of its oldest part. A passage that lost cells
adds nothing and takes nothing away.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import reduce
from typing import Final

from batchqc.core.arithmetic import divided, extreme, logarithm, plus
from batchqc.core.quantities import Interval, decimal_text, parse_amount

NONE: Final = Interval.exactly(Fraction())
_PLACES: Final = 2


class Stands(StrEnum):
    """How cumulative doublings stand to the maximum that a bank declares."""

    WITHIN = "within"
    ABOVE = "above"
    UNKNOWN = "unknown"


def cells_problem(what: str, text: str) -> str | None:
    """Why a text is no number of cells, or ``None``."""
    amount = parse_amount(text)
    if amount is None or amount.is_censored or amount.number <= 0:
        return f'{what} "{text}" is not a number of cells above 0, such as 1.2E6'
    return None


def level_problem(text: str) -> str | None:
    """Why a text is no largest number of doublings, or ``None``; blank is none declared."""
    amount = parse_amount(text) if text else None
    if text and (amount is None or amount.is_censored or amount.number <= 0):
        return f'the maximum "{text}" is not a number of doublings above 0, such as 20'
    return None


def doublings(seeded: Decimal, harvested: Decimal) -> Interval:
    """The population doubling level of one passage: log2(harvested / seeded).

    Raises:
        ValueError: one of them is not above 0.
    """
    whole = Interval.exactly(harvested)
    ratio = divided(whole, Interval.exactly(seeded)) if seeded > 0 else None
    found = logarithm(ratio, base=2) if ratio is not None else None
    if found is None:
        raise ValueError("cells are counted above 0")
    return found


def cumulative(before: Sequence[Interval | None], levels: Iterable[Interval]) -> Interval | None:
    """The doublings from isolation on.

    Args:
        before: of every parent; ``None`` is not known, and neither is what comes of it. A donation
            has none.
        levels: of the own passages.
    """
    known = [one for one in before if one is not None]
    if len(known) < len(before) or not before:
        return None
    grown = [extreme([NONE, level], largest=True) for level in levels]
    return reduce(plus, grown, extreme(known, largest=True))


def levels(
    parents: Mapping[str, Sequence[str]], passages: Mapping[str, Sequence[Interval]]
) -> dict[str, Interval | None]:
    """The doublings from isolation on of every node, ``None`` where they are not known.

    Args:
        parents: of each node that has any; one that has none is a donation, where counting begins.
        passages: the level of each own passage, by node; without any, nothing is known of it.
    """
    nodes = {*parents, *(one for own in parents.values() for one in own)}
    found: dict[str, Interval | None] = {one: NONE for one in nodes if not parents.get(one)}
    waiting = nodes - found.keys()
    while ready := [one for one in waiting if all(up in found for up in parents[one])]:
        for one in ready:
            before = [found[up] for up in parents[one]]
            own = passages.get(one, ())
            found[one] = cumulative(before, own) if own else None
        waiting -= set(ready)
    return found | dict.fromkeys(waiting)  # what is left goes round in a circle


def stands(level: Interval | None, maximum: str) -> Stands:
    """Whether cumulative doublings are within a declared maximum; blank is none declared."""
    amount = parse_amount(maximum) if maximum else None
    if amount is None:
        return Stands.WITHIN
    if level is None or level.low is None or level.high is None:
        return Stands.UNKNOWN
    limit = Fraction(amount.number)
    if level.high <= limit:
        return Stands.WITHIN
    return Stands.ABOVE if level.low > limit else Stands.UNKNOWN


def level_text(level: Interval | None) -> str:
    """Doublings for people, cut after two places; "not known" where they are not."""
    if level is None or level.low is None:
        return "not known"
    return decimal_text(level.low, places=_PLACES)
