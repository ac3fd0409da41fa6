"""Of few stored roots, every subtree is what the leaves give; what is not whole is refused."""

import pytest

from batchqc.core.merkle import leaf_hash, over, root_of
from batchqc.core.stored_tree import levels_over, of_levels
from batchqc.errors import IntegrityFailure

LEAVES = [leaf_hash(one.to_bytes(2)) for one in range(600)]
LEVELS = levels_over(LEAVES)


def test_stored_are_the_roots_over_16_and_256_leaves():
    assert {level: len(hashes) for level, hashes in LEVELS.items()} == {0: 600, 4: 37, 8: 2}
    assert levels_over(LEAVES[:15]) == {0: LEAVES[:15]}


@pytest.mark.parametrize("size", [1, 15, 16, 17, 255, 256, 257, 511, 512, 599, 600])
def test_roots_are_those_over_the_leaves(size: int):
    assert root_of(size, of_levels(LEVELS)) == root_of(size, over(LEAVES))


def test_each_block_is_read_once():
    stored = of_levels(LEVELS)
    assert [stored(level, 0) for level in range(9)] == [over(LEAVES)(one, 0) for one in range(9)]
    assert stored(3, 1) == over(LEAVES)(3, 1)


@pytest.mark.parametrize(("level", "index"), [(0, 600), (3, 75), (4, 37), (8, 2), (12, 0), (9, 1)])
def test_what_is_not_whole_is_refused(level: int, index: int):
    with pytest.raises(IntegrityFailure, match="not all in the log"):
        of_levels(LEVELS)(level, index)


@pytest.mark.parametrize("many", [593, 596, 599])
def test_a_part_of_a_subtree_is_not_taken_for_the_whole(many: int):
    assert of_levels(levels_over(LEAVES[:600]))(3, 74) == over(LEAVES)(3, 74)
    with pytest.raises(IntegrityFailure, match="entries up to 600"):
        of_levels(levels_over(LEAVES[:many]))(3, 74)
