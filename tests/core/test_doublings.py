"""Population doublings: exact where they are, open where 50 digits leave them open."""

from decimal import Decimal
from fractions import Fraction

import pytest

from batchqc.core.doublings import (
    NONE,
    Stands,
    cells_problem,
    cumulative,
    doublings,
    level_problem,
    level_text,
    levels,
    stands,
)
from batchqc.core.quantities import Interval


def exactly(number: int) -> Interval:
    return Interval.exactly(Fraction(number))


@pytest.mark.requirement("6.09")
def test_a_level_is_the_logarithm_to_two_of_harvested_by_seeded():
    assert doublings(Decimal("1E6"), Decimal("8E6")).exact == 3
    assert doublings(Decimal("8E6"), Decimal("1E6")).exact == -3
    found = doublings(Decimal(5000), Decimal(36500))
    assert found.exact is None
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low < Fraction(1, 10**48)
    # 7.3 to the power of n has as many binary digits as n times its logarithm to two says
    digits = (73**100_000 // 10**100_000).bit_length() - 1
    assert int(found.low * 100_000) == int(found.high * 100_000) == digits
    assert level_text(found) == "2.86…"


def test_nothing_is_counted_of_no_cells():
    for seeded, harvested in ((0, 1), (1, 0), (-1, 1)):
        with pytest.raises(ValueError):
            doublings(Decimal(seeded), Decimal(harvested))


@pytest.mark.requirement("6.09")
def test_doublings_add_up_from_isolation_and_a_pool_is_as_old_as_its_oldest_part():
    assert cumulative([NONE], [exactly(3), exactly(4)]) == exactly(7)
    assert cumulative([exactly(5), exactly(9)], [exactly(1)]) == exactly(10)
    assert cumulative([exactly(5)], [exactly(-2)]) == exactly(5)
    assert cumulative([exactly(5), None], [exactly(1)]) is None
    assert cumulative([], [exactly(1)]) is None


def test_levels_follow_the_graph_and_unknown_stays_unknown():
    parents = {"m": ["g"], "w": ["m"], "lot": ["w"], "bare": ["m"], "late": ["bare"],
               "a": ["b"], "b": ["a"]}  # fmt: skip
    passages = {"m": [exactly(10)], "w": [exactly(5)], "lot": [exactly(2)], "late": [exactly(1)]}
    found = levels(parents, passages)
    assert found["g"] == NONE
    assert (found["m"], found["w"], found["lot"]) == (exactly(10), exactly(15), exactly(17))
    assert found["bare"] is found["late"] is None
    assert found["a"] is found["b"] is None


def test_doublings_stand_within_above_or_unknown():
    wide = Interval(Fraction(19), Fraction(21), low_closed=True, high_closed=True)
    assert stands(exactly(20), "20") is Stands.WITHIN
    assert stands(exactly(21), "20") is Stands.ABOVE
    assert stands(wide, "20") is Stands.UNKNOWN
    assert stands(None, "20") is Stands.UNKNOWN
    assert stands(Interval(low=Fraction(1)), "20") is Stands.UNKNOWN
    assert stands(None, "") is Stands.WITHIN
    assert level_text(None) == "not known"
    assert level_text(exactly(7)) == "7"


@pytest.mark.parametrize("text", ["", "none", "<5", "0", "-1", "1,000"])
def test_cells_and_maxima_are_numbers_above_zero(text: str):
    assert cells_problem("cells seeded", text)
    assert bool(level_problem(text)) is bool(text)


def test_cells_and_maxima_as_laboratories_write_them_are_taken():
    assert cells_problem("cells seeded", "1.2E6") is None
    assert level_problem("20") is None
