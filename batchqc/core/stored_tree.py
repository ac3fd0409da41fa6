"""Subtrees of the log as they are stored: the roots over 16, 256, 4096, … leaves.

Every other subtree is computed from at most 16 of these or of the leaves.
"""

from collections.abc import Callable, Sequence
from typing import Final

from batchqc.core.merkle import Subtree, perfect_root
from batchqc.errors import IntegrityFailure

BITS: Final = 4
FAN: Final = 1 << BITS

Hashes = Callable[[int, int], Sequence[bytes]]
"""The hashes of a block of 16, by stored level (0, 4, 8, …; 0 are the leaves) and the number of the
block; fewer where there are not more."""


def roots_over(hashes: Sequence[bytes]) -> list[bytes]:
    """The roots over each whole 16 of some hashes."""
    whole = len(hashes) // FAN * FAN
    return [perfect_root(hashes[at : at + FAN]) for at in range(0, whole, FAN)]


def levels_over(leaves: Sequence[bytes]) -> dict[int, Sequence[bytes]]:
    """Every stored level over some leaves, level 0 with them."""
    levels, level = {0: leaves}, 0
    while len(levels[level]) >= FAN:
        levels[level + BITS] = roots_over(levels[level])
        level += BITS
    return levels


def of_levels(levels: dict[int, Sequence[bytes]]) -> Subtree:
    """The subtrees over leaves whose stored levels are at hand."""
    return stored_tree(lambda level, block: levels.get(level, ())[block * FAN : (block + 1) * FAN])


def stored_tree(hashes: Hashes) -> Subtree:
    """The subtrees over what is stored; each block is read once.

    A subtree that is not whole is an IntegrityFailure, BQC-LOG-007.
    """
    blocks: dict[tuple[int, int], Sequence[bytes]] = {}

    def subtree(level: int, index: int) -> bytes:
        stored = level // BITS * BITS
        many = 1 << (level - stored)
        block, first = divmod(index * many, FAN)
        if (stored, block) not in blocks:
            blocks[stored, block] = hashes(stored, block)
        found = blocks[stored, block][first : first + many]
        if len(found) < many:
            raise not_whole(f"entries up to {(index + 1) << level} are not all in the log")
        return perfect_root(found)

    return subtree


def not_whole(why: str) -> IntegrityFailure:
    """The log cannot be gone on with."""
    return IntegrityFailure(
        "BQC-LOG-007",
        f"the log does not extend what was signed: {why}",
        hint="Stop. Nothing was signed. Run `batchqc audit verify --against` what a witness holds.",
    )
