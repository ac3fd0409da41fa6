"""Which entries of the audit trail a random review reads (requirement 1.66).

Nobody chooses them: places are drawn from the hash of the head of the chain, which nobody knows
before the trail has come that far. Whoever has the trail draws the same again.
"""

from collections.abc import Collection, Mapping
from hashlib import sha256


def drawn(first: int, last: int, *, head: str, size: int) -> tuple[int, ...]:
    """Draw places in the chain, each as likely as any other.

    The candidate of number n = 0, 1, 2… is ``first`` plus SHA-256 of ``"{head}:{n}"``, read as a
    whole number, modulo the length of the range; one that came before is passed over. The bias of
    the modulus is below 2 to the power of -190.

    Args:
        first: the first place of the range, from 1.
        last: its last place, at which the chain has the hash ``head``.
        head: hash of the link at ``last``, in hexadecimal digits.
        size: how many places to draw; of a shorter range all are taken.

    Returns:
        The places in their order, without repetition.
    """
    length = last - first + 1
    if length <= size:
        return tuple(range(first, last + 1))
    places: set[int] = set()
    number = 0
    while len(places) < size:
        digest = sha256(f"{head}:{number}".encode()).digest()
        places.add(first + int.from_bytes(digest, "big") % length)
        number += 1
    return tuple(sorted(places))


def unread(did: Mapping[int, str], reviewers: Collection[str]) -> tuple[int, ...]:
    """The drawn places that nobody has reviewed yet but, at most, who did what stands there.

    Args:
        did: who did what each drawn entry tells, by its place.
        reviewers: user ids of those who signed a review of the sample.
    """
    return tuple(place for place, who in did.items() if set(reviewers) <= {who})
