"""Where the table of a profile stands in a file: below a preamble, above a footer.

Rows outside are kept for the names and values in them, and are never read as results.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from batchqc.core.profiles import Header


class Part(Enum):
    """What a row is."""

    OUTSIDE = auto()
    HEADER = auto()
    ROW = auto()
    SKIPPED = auto()
    AGAIN = auto()


@dataclass(slots=True)
class Finder:
    """Says of each row of a file, in order, what it is."""

    header: Header
    is_plate: bool = False
    _is_near: bool = False
    _begun: int = 0
    _names: frozenset[str] = frozenset()
    _has_second: bool = False
    _ended: bool = False
    has_just_ended: bool = False  # what follows may be a row of it
    skipped: list[tuple[int, str]] = field(default_factory=list)

    def part(self, row: int, cells: Sequence[str]) -> Part:
        """What the next row is."""
        stripped = [cell.strip() for cell in cells]
        if self._begun and not self._ended:
            return self._below(row, stripped)
        if self.header.after and not self._is_near:
            self._is_near = tuple(stripped[: len(self.header.after)]) == self.header.after
            return Part.OUTSIDE
        if self._ended and self._is_header(row, stripped) and not self._has_second:
            self._has_second = True  # told once
            return Part.AGAIN
        if self._ended:
            return Part.OUTSIDE
        if self._is_header(row, stripped):
            self._begun, self._names = row, frozenset(filter(None, stripped))
            return Part.HEADER
        return Part.OUTSIDE

    def _is_header(self, row: int, cells: Sequence[str]) -> bool:
        """Whether a row is the header: by its place or by what it holds; below, by its names.

        A second table may have more columns than the first, or some of them, in another order.
        """
        if self._begun and not (self.header.after and self.header.holds):
            found = set(filter(None, cells))
            return found >= self._names or (len(found) > 1 and found <= self._names)
        if self.header.holds:
            return set(self.header.holds) <= set(cells)
        return row == self.header.row

    def _below(self, row: int, cells: Sequence[str]) -> Part:
        if row < self._begun + self.header.rows:
            return Part.HEADER
        first = next((cell for cell in cells if cell), "")
        ends = first == self.header.until if self.header.until else not first and self.header.after
        if ends:
            self._ended, self.has_just_ended, self._is_near = True, True, False
            return Part.OUTSIDE
        if first and first in self.header.skip:
            self.skipped.append((row, first))
            return Part.SKIPPED
        return Part.ROW


def joined(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """Two rows of a header as one: their cells joined by a space."""
    cells = [*upper, *[""] * (len(lower) - len(upper))]
    below = [*lower, *[""] * (len(cells) - len(lower))]
    return [f"{above} {under}".strip() for above, under in zip(cells, below, strict=True)]
