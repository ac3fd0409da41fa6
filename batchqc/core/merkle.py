"""A Merkle tree over a growing list, as RFC 9162 section 2.1 has it: roots and proofs.

A root says what the first ``size`` leaves are. An inclusion proof shows that a leaf is among them;
a consistency proof shows that a longer list begins with a shorter one. Hashes are 32 bytes.

The tree is asked for as roots of its perfect subtrees, so that whoever stores these reads a few
of them for a root or a proof, however long the list is.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Final

EMPTY_ROOT: Final = sha256(b"").digest()

Subtree = Callable[[int, int], bytes]
"""The root of the ``index``-th perfect subtree (from 0) over 2**``level`` leaves."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf: SHA-256 of 0x00 and its data."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node: SHA-256 of 0x01 and the hashes below it."""
    return sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over hashes of equal height, as many as a power of two."""
    level = list(hashes)
    while len(level) > 1:
        level = [
            node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=True)
        ]
    return level[0]


def over(leaves: Sequence[bytes]) -> Subtree:
    """The subtrees of a list of leaf hashes that is at hand."""

    def subtree(level: int, index: int) -> bytes:
        return perfect_root(leaves[index << level : (index + 1) << level])

    return subtree


def root_of(size: int, subtree: Subtree) -> bytes:
    """The root over the first ``size`` leaves."""
    return _range_root(0, size, subtree) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, subtree: Subtree) -> tuple[bytes, ...]:
    """What leads from the leaf at ``index`` (from 0) to the root over ``size`` leaves, upwards.

    Raises:
        IndexError: there is no such leaf among them.
    """
    if not 0 <= index < size:
        raise IndexError(index)
    proof = []
    first, last = 0, size
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            proof.append(_range_root(middle, last, subtree))
            last = middle
        else:
            proof.append(_range_root(first, middle, subtree))
            first = middle
    return tuple(reversed(proof))


def consistency_proof(first: int, second: int, subtree: Subtree) -> tuple[bytes, ...]:
    """What shows that the list of ``second`` leaves begins with that of ``first``.

    Raises:
        IndexError: ``first`` is 0 or more than ``second``.
    """
    if not 0 < first <= second:
        raise IndexError(first)
    proof = []
    start, end = 0, second
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            proof.append(_range_root(middle, end, subtree))
            end = middle
        else:
            proof.append(_range_root(start, middle, subtree))
            start = middle
    if start:
        proof.append(_range_root(start, end, subtree))
    return tuple(reversed(proof))


def is_included(leaf: bytes, index: int, *, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof leads from a leaf hash to a root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    sides = list(_sides(index, size - 1))
    found = leaf
    for left, one in zip(sides, proof, strict=False):
        found = node_hash(one, found) if left else node_hash(found, one)
    return len(proof) == len(sides) and found == root


def is_consistent(
    first: tuple[int, bytes], second: tuple[int, bytes], proof: Sequence[bytes]
) -> bool:
    """Whether a proof shows that the second list begins with the first (RFC 9162, 2.1.4.2).

    Args:
        first: size and root of the shorter list.
        second: size and root of the longer one.
        proof: from ``consistency_proof``.
    """
    (size, root), (later_size, later_root) = first, second
    if not 0 < size <= later_size:
        return False
    if size == later_size:
        return not proof and root == later_root
    path = [root, *proof] if size & (size - 1) == 0 else list(proof)
    height = (size & -size).bit_length() - 1  # of the subtree that ends where the first list does
    sides = list(_sides((size - 1) >> height, (later_size - 1) >> height))
    if len(path) != 1 + len(sides):
        return False
    old = new = path[0]
    for left, one in zip(sides, path[1:], strict=True):
        old, new = (
            (node_hash(one, old), node_hash(one, new)) if left else (old, node_hash(new, one))
        )
    return (old, new) == (root, later_root)


def _sides(place: int, last: int) -> Iterator[bool]:
    """For each hash on the way up from a place, whether it stands to the left; to the root."""
    while last:
        is_left = bool(place & 1) or place == last
        yield is_left
        while is_left and place and not place & 1:
            place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1


def _split(size: int) -> int:
    """The largest power of two below ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


def _range_root(first: int, last: int, subtree: Subtree) -> bytes:
    """The root over leaves ``first`` to ``last``, where ``first`` begins a subtree that large."""
    roots = [subtree(level, start >> level) for level, start in _perfect(first, last)]
    found = roots.pop()
    while roots:
        found = node_hash(roots.pop(), found)
    return found


def _perfect(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Level and beginning of the perfect subtrees that a range is made of, the largest first."""
    start = first
    while start < last:
        level = (last - start).bit_length() - 1
        yield level, start
        start += 1 << level
