"""Exact arithmetic on sets: whatever the inputs may be, the result holds what comes of them."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.arithmetic import (
    absolute,
    divided,
    geometric_mean,
    logarithm,
    mean,
    median,
    negative,
    plus,
    spread_exceeds,
    times,
)
from batchqc.core.quantities import Interval, parse_amount

ends = st.one_of(st.none(), st.integers(-6, 6).map(Fraction))


def interval(text: str) -> Interval:
    """``3``, ``<3``, ``>=3``, or ``2..5`` with both ends closed."""
    low, dots, high = text.partition("..")
    if dots:
        return Interval(Fraction(low), Fraction(high), low_closed=True, high_closed=True)
    amount = parse_amount(text)
    assert amount is not None
    return amount.possible


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    low, high = draw(ends), draw(ends)
    if low is not None and high is not None and low > high:
        low, high = high, low
    closed = low is not None and low == high
    return Interval(
        low,
        high,
        low_closed=low is not None and (closed or draw(st.booleans())),
        high_closed=high is not None and (closed or draw(st.booleans())),
    )


def members(a: Interval) -> list[Fraction]:
    """Numbers of a set: its closed ends, numbers near its ends, and far ones."""
    low = a.low if a.low is not None else (a.high or Fraction()) - 1000
    high = a.high if a.high is not None else low + 2000
    step = (high - low) / 8
    found = [low + k * step for k in range(1, 8)] if step else []
    found += [low] if a.low_closed else []
    found += [high] if a.high_closed else []
    return found or [low + step / 2]


def holds(a: Interval, number: Fraction) -> bool:
    return Interval.exactly(number).is_inside(a)


@given(a=intervals(), b=intervals())
def test_sums_products_and_quotients_hold_whatever_their_parts_may_be(a: Interval, b: Interval):
    quotient = divided(a, b)
    for x, y in product(members(a), members(b)):
        assert holds(plus(a, b), x + y)
        assert holds(times(a, b), x * y)
        assert quotient is None or holds(quotient, x / y)
        assert holds(mean([a, b, a]), (2 * x + y) / 3) or a.exact is None
    for x in members(a):
        assert holds(negative(a), -x)
        assert holds(absolute(a), abs(x))


@given(a=intervals(), b=intervals(), c=intervals())
def test_the_median_holds_every_median(a: Interval, b: Interval, c: Interval):
    three, two = median([a, b, c]), median([a, b])
    for x, y, z in product(members(a), members(b), members(c)):
        assert holds(three, sorted((x, y, z))[1])
        assert holds(two, (x + y) / 2)


@pytest.mark.requirement("4.21")
@pytest.mark.parametrize("order", list(permutations(["85", "85", ">95", ">=95"]))[:12])
def test_a_median_keeps_an_end_that_only_one_of_two_equal_ends_holds(order: tuple[str, ...]):
    assert str(median([interval(one) for one in order])) == "90 and up"
    exact = ["95" if one == ">=95" else one for one in order]
    assert median([interval(one) for one in exact]).exact == 90


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (("2", "4"), "3"), (("1", "9", "5"), "5"), (("5", "1", "9", "2"), "3.5"),
        (("<1", "5", "9"), "5"), ((">6", "5", "1"), "5"),
        (("<6", "5", "9"), "5 (included) to 6 (excluded)"),
        (("<1", "2"), "below 1.5"), ((">4", "2", "3", ">4"), "above 3.5"),
    ],
)  # fmt: skip
def test_medians_written_by_hand(text: tuple[str, ...], expected: str):
    assert str(median([interval(one) for one in text])) == expected


@pytest.mark.parametrize(
    ("function", "texts", "expected"),
    [
        (times, ("2..3", "-1..4"), "-3 (included) to 12 (included)"),
        (times, ("0", "<5"), "0"),
        (times, (">2", ">3"), "above 6"),
        (times, ("<-2", ">3"), "below -6"),
        (times, ("<5", ">1"), "any number"),
        (times, (">0", "0..2"), "0 and up"),
        (divided, ("6", "2..3"), "2 (included) to 3 (included)"),
        (divided, ("6", ">2"), "0 (excluded) to 3 (excluded)"),
        (divided, ("6", ">0"), "above 0"),
        (divided, ("6", "<0"), "below 0"),
        (divided, ("6", "0..3"), None),
        (divided, ("6", "<3"), None),
        (divided, ("6", "0"), None),
        (plus, ("<3", ">3"), "any number"),
        (plus, (">1", ">=3"), "above 4"),
    ],
)
def test_results_written_by_hand(
    function: Callable[[Interval, Interval], Interval | None],
    texts: tuple[str, str],
    expected: str | None,
):
    found = function(*(interval(one) for one in texts))
    assert (None if found is None else str(found)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("-3", "3"), ("-4..2", "0 (included) to 4 (included)"), ("<2", "0 and up"), (">3", "above 3"),
     ("<-3", "above 3")],
)  # fmt: skip
def test_the_size_of_a_set(text: str, expected: str):
    assert str(absolute(interval(text))) == expected


#: log2(10), ln(2), log10(2), sqrt(2) and the cube root of 10 to 45 digits (OEIS A020862, A002162,
#: A007524, A002193, A010582).
PUBLISHED = [
    (2, "10", "3.32192809488736234787031942948939017586483139"),
    (None, "2", "0.693147180559945309417232121458176568075500134"),
    (10, "2", "0.301029995663981195213738894724493026768189881"),
]


@pytest.mark.parametrize(("base", "text", "digits"), PUBLISHED)
def test_logarithms_agree_with_published_digits(base: int | None, text: str, digits: str):
    found = logarithm(interval(text), base=base)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low <= Fraction(4, 10**49)
    places = len(digits.partition(".")[2])
    assert int(found.low * 10**places) == int(digits.replace(".", ""))


@pytest.mark.parametrize(
    ("numbers", "digits"),
    [(("1", "2"), "1.41421356237309504880168872420969807856967187"),
     (("1", "1", "10"), "2.15443469003188372175929356651935049525934494")],
)  # fmt: skip
def test_geometric_means_agree_with_published_digits(numbers: tuple[str, ...], digits: str):
    found = geometric_mean([interval(one) for one in numbers])
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low <= Fraction(4, 10**49)
    assert int(found.low * 10**44) == int(digits.replace(".", ""))


@pytest.mark.parametrize(
    ("base", "text", "expected"),
    [
        (2, "8", "3"), (2, "0.25", "-2"), (10, "1000", "3"), (None, "1", "0"), (2, "0", None),
        (2, "-1", None), (2, "<8", None), (2, ">8", "above 3"), (10, "10..100",
         "1 (included) to 2 (included)"), (2, ">0", "any number"),
    ],
)  # fmt: skip
def test_logarithms_that_are_whole_are_exact(base: int | None, text: str, expected: str | None):
    found = logarithm(interval(text), base=base)
    assert (None if found is None else str(found)) == expected


def test_the_logarithm_of_a_number_between_zero_and_another_has_no_lower_end():
    found = logarithm(Interval(Fraction(), Fraction(8)), base=2)
    assert str(found) == "below 3"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("2", "8"), "4"), (("4", "2", "1"), "2"), (("0.25", "4"), "1"), (("0", "4"), None),
        (("<2", "4"), None), ((">2", "8"), "above 4"),
        (("2..8", "8"), "4 (included) to 8 (included)"),
    ],
)  # fmt: skip
def test_geometric_means_that_end_are_exact(texts: tuple[str, ...], expected: str | None):
    found = geometric_mean([interval(one) for one in texts])
    assert (None if found is None else str(found)) == expected


@pytest.mark.requirement("3.09")
@pytest.mark.parametrize(
    ("texts", "percent", "exceeds"),
    [
        # 90, 100, 110: mean 100, standard deviation 10, so 10 %CV exactly
        (("90", "100", "110"), "10", False),
        (("90", "100", "110"), "9.99", True),
        (("90", "100", "110.000001"), "10", True),
        (("-90", "-100", "-110"), "10", False),
        (("5", "5"), "0.1", False),
        (("-5", "5"), "10", None),
        (("<5", "5"), "10", None),
        (("5",), "10", None),
    ],
)
def test_the_coefficient_of_variation_is_exact(
    texts: tuple[str, ...], percent: str, *, exceeds: bool | None
):
    assert spread_exceeds([interval(one) for one in texts], Decimal(percent)) is exceeds
