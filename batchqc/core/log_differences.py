"""What was done to a log, by the leaves that a witness holds and those that are found.

Each leaf stands once in a log. Told are entries that are others than the witness holds, that are
gone, that were put in between or moved, and a log that was cut off. Entries behind the last one
that the witness holds came later and are no difference.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Difference:
    """What was done, in words, and the places (from 0) of the entries that stand there now."""

    said: str
    places: tuple[int, ...] = ()


def differences(held: Sequence[bytes], found: Sequence[bytes]) -> tuple[Difference, ...]:
    """What is wrong with the leaves found; entries are counted from 1.

    Args:
        held: the leaf hashes that the witness holds, from the first entry on.
        found: those of the log now.
    """
    if list(found[: len(held)]) == list(held):
        return ()
    return tuple(_differences(held, found))


def _differences(held: Sequence[bytes], found: Sequence[bytes]) -> Iterator[Difference]:
    place = {leaf: index for index, leaf in enumerate(found)}
    known = set(held)
    lost = [index for index, leaf in enumerate(held) if leaf not in place]
    last = max((place[leaf] for leaf in held if leaf in place), default=-1)
    cut = _tail(lost, len(held), len(found))
    strange = {index for index in range(len(found)) if found[index] not in known}
    changed = [index for index in lost if index < cut and index in strange]
    gone = [index for index in lost if index < cut and index not in strange]
    between = [index for index in sorted(strange - set(changed)) if index < last]
    yield from _told(changed, "is another one than was held")
    yield from (Difference(one.said) for one in _told(gone, "is gone"))
    yield from _told(between, "was put in between")
    yield from _moved(held, place)
    if cut < len(held):
        span = _span(cut, len(held) - 1)
        yield Difference(f"the log was rolled back: {span} of the {len(held)} held are gone")


def _tail(lost: Sequence[int], held: int, found: int) -> int:
    """Where the lost entries begin that stood at the end and that nothing stands in place of."""
    missing = set(lost)
    cut = held
    while cut - 1 in missing and cut > found:
        cut -= 1
    return cut


def _told(indices: Iterable[int], what: str) -> Iterator[Difference]:
    for _, run in groupby(enumerate(indices), lambda one: one[1] - one[0]):
        places = tuple(index for _, index in run)
        words = what if len(places) == 1 else _plural(what)
        yield Difference(f"{_span(places[0], places[-1])} {words}", places)


def _plural(what: str) -> str:
    words = {"is another one than was held": "are others than were held", "is gone": "are gone"}
    return words.get(what, what.replace("was ", "were "))


def _span(first: int, last: int) -> str:
    return f"entry {first + 1}" if first == last else f"entries {first + 1} to {last + 1}"


def _moved(held: Sequence[bytes], place: Mapping[bytes, int]) -> Iterator[Difference]:
    """The fewest entries that had to be moved for the order that is found."""
    kept = [(index, place[leaf]) for index, leaf in enumerate(held) if leaf in place]
    in_order = _longest_rise([now for _, now in kept])
    for index, now in kept:
        if now not in in_order:
            said = f"entry {index + 1} is out of its order: it stands as entry {now + 1}"
            yield Difference(said, (now,))


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """The longest rising subsequence of different numbers."""
    tails: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        at = bisect_left(tails, number)
        before[number] = tails[at - 1] if at else None
        tails[at : at + 1] = [number]
    rise: set[int] = set()
    one = tails[-1] if tails else None
    while one is not None:
        rise.add(one)
        one = before[one]
    return rise
