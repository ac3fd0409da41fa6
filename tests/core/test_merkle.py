"""The Merkle tree: published vectors, and brute force by the definition."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core import merkle

#: The leaves and roots that the reference implementation of certificate transparency is tested by.
LEAVES = [
    bytes.fromhex(one)
    for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                "606162636465666768696a6b6c6d6e6f")
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
MANY = [merkle.leaf_hash(bytes([one])) for one in range(70)]
SUBTREES = merkle.over(MANY)


def by_definition(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, word for word, over leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    below = by_definition(leaves[:split]) + by_definition(leaves[split:])
    return hashlib.sha256(b"\x01" + below).digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference_implementation(size: int):
    leaves = [merkle.leaf_hash(one) for one in LEAVES]
    assert merkle.root_of(size, merkle.over(leaves)).hex() == ROOTS[size - 1]


def test_the_root_of_nothing_is_the_hash_of_nothing():
    assert merkle.root_of(0, SUBTREES) == by_definition([])


def test_roots_are_those_of_the_definition():
    for size in range(len(MANY) + 1):
        assert merkle.root_of(size, SUBTREES) == by_definition(MANY[:size])


def test_the_third_leaf_of_eight_has_the_path_of_the_reference_implementation():
    leaves = [merkle.leaf_hash(one) for one in LEAVES]
    path = [one.hex() for one in merkle.inclusion_proof(5, 8, merkle.over(leaves))]
    assert path == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_every_leaf_of_every_size_is_proved_and_proves_nothing_else():
    for size in range(1, 40):
        root = by_definition(MANY[:size])
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, SUBTREES)
            assert len(proof) <= (size - 1).bit_length()
            holds = {
                other
                for other in range(size)
                if merkle.is_included(MANY[other], other, size=size, root=root, proof=proof)
            }
            assert holds == {index}


def test_every_two_sizes_are_proved_to_be_consistent():
    for second in range(1, 40):
        for first in range(1, second + 1):
            proof = merkle.consistency_proof(first, second, SUBTREES)
            old, new = (first, by_definition(MANY[:first])), (second, by_definition(MANY[:second]))
            assert merkle.is_consistent(old, new, proof)
            assert not merkle.is_consistent((first, MANY[0][::-1]), new, proof)
            assert not merkle.is_consistent(old, (second, MANY[0][::-1]), proof)
            assert not merkle.is_consistent(old, new, [*proof, MANY[0]])
            assert not proof or not merkle.is_consistent(old, new, proof[:-1])


@given(st.data())
def test_a_proof_that_was_changed_proves_nothing(data: st.DataObject):
    size = data.draw(st.integers(2, len(MANY)))
    index = data.draw(st.integers(0, size - 1))
    root = by_definition(MANY[:size])
    proof = list(merkle.inclusion_proof(index, size, SUBTREES))
    at = data.draw(st.integers(0, len(proof) - 1))
    bit = data.draw(st.integers(0, 255))
    changed = int.from_bytes(proof[at]) ^ 1 << bit
    other = [*proof[:at], changed.to_bytes(32), *proof[at + 1 :]]
    for wrong in (other, proof[:-1], [*proof, root], proof[::-1] if len(proof) > 1 else other):
        assert not merkle.is_included(MANY[index], index, size=size, root=root, proof=wrong)
    assert not merkle.is_included(MANY[index - 1], index, size=size, root=root, proof=proof)


def test_what_is_outside_of_the_list_has_no_proof():
    for index, size in ((-1, 4), (4, 4), (0, 0)):
        with pytest.raises(IndexError):
            merkle.inclusion_proof(index, size, SUBTREES)
        assert not merkle.is_included(MANY[0], index, size=size, root=MANY[0], proof=())
    for first, second in ((0, 4), (5, 4), (-1, 4)):
        with pytest.raises(IndexError):
            merkle.consistency_proof(first, second, SUBTREES)
        assert not merkle.is_consistent((first, MANY[0]), (second, MANY[0]), ())


def test_without_hashes_a_longer_list_is_not_consistent_with_one_of_no_power_of_two():
    assert not merkle.is_consistent((3, MANY[0]), (4, MANY[0]), ())
    assert not merkle.is_consistent((4, MANY[0]), (5, MANY[0]), ())
