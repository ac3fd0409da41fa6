"""Results that a person typed, because no file holds them: two people type each of them.

- What one person typed counts only after a second person typed the same, without seeing it
  (requirement 1.31).
- Texts are compared as typed: ``93.4`` is not ``93.40``, and ``<0.05`` is not ``0.05``. Words are
  compared as vocabularies compare them, units by their approved spellings.
- Analytes of one run are typed as one entry, which matches as a whole or not.
- What does not match is never used, and stays on record with both texts; the result is typed anew.
- While an entry waits, its value is shown only to those who typed or measured it. Who verifies
  reads the source: the report, the print, the bottle.
"""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from batchqc.core.quantities import parse_amount
from batchqc.core.units import canonical_unit
from batchqc.core.vocabularies import plain

HIDDEN: Final = "hidden until a second person has typed it"


class SecondEntry(StrEnum):
    """Whether a second person has typed a result, where one has to."""

    NOT_NEEDED = ""
    WAITS = "waits"
    VERIFIED = "verified"
    MISMATCH = "does not match"


class Typed(NamedTuple):
    """One value and its unit as a person typed them."""

    value: str
    unit: str


class TypedAnalyte(NamedTuple):
    """What a person typed of one analyte: the value of each replicate, in order, and their unit."""

    analyte: str
    values: tuple[str, ...]
    unit: str = ""


def second_entry(*, by_hand: bool, matches: bool | None) -> SecondEntry:
    """How a result stands: typed or read from a file, and what its second entry said, if any."""
    if not by_hand:
        return SecondEntry.NOT_NEEDED
    if matches is None:
        return SecondEntry.WAITS
    return SecondEntry.VERIFIED if matches else SecondEntry.MISMATCH


def entries_match(first: Sequence[Typed], second: Sequence[Typed]) -> bool:
    """Whether two people typed the same, replicate by replicate; nothing matches nothing."""
    if len(first) != len(second) or not first:
        return False
    return all(
        _same_value(one.value, other.value)
        and canonical_unit(one.unit) == canonical_unit(other.unit)
        for one, other in zip(first, second, strict=True)
    )


def shape_problems(entry: Sequence[TypedAnalyte], typed: Sequence[TypedAnalyte]) -> list[str]:
    """What differs between an entry and what is typed again, but for values and units."""
    own = {one.analyte: len(one.values) for one in entry}
    said: Counter[str] = Counter()
    for one in typed:
        said[one.analyte] += len(one.values)
    problems = [
        f"it has {own.get(analyte, 0)} values of {analyte}, not {said[analyte]}"
        for analyte in dict.fromkeys((*own, *said))
        if own.get(analyte, 0) != said[analyte]
    ]
    return [*problems, "it has each analyte once"] if len(said) < len(typed) else problems


def _same_value(first: str, second: str) -> bool:
    first, second = first.strip(), second.strip()
    if first == second:
        return bool(first)
    is_number = any(parse_amount(text.removesuffix("%").rstrip()) for text in (first, second))
    return not is_number and plain(first) == plain(second) != ""
