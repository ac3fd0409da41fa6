"""Exact amounts: digits are kept, and what is not an amount is not read."""

from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.arithmetic import extreme, mean
from batchqc.core.assays import amount_of
from batchqc.core.quantities import Interval, decimal_text, last_digit, parse_amount
from batchqc.core.units import canonical_unit, unit_problem


@pytest.mark.requirement("4.03")
@pytest.mark.parametrize(
    ("text", "qualifier", "number"),
    [
        ("93.40", "=", "93.40"), ("0", "=", "0"), ("2.45E6", "=", "2.45E+6"), ("-100", "=", "-100"),
        ("+5", "=", "5"), ("<0.05", "<", "0.05"), ("< 0.05", "<", "0.05"), ("<=1", "<=", "1"),
        ("≤1", "<=", "1"), ("≥ 1", ">=", "1"), (">1500", ">", "1500"), (">=1", ">=", "1"),
        ("1e-3", "=", "0.001"),
    ],
)  # fmt: skip
def test_an_amount_keeps_its_text_and_its_digits(text: str, qualifier: str, number: str):
    amount = parse_amount(text)
    assert amount is not None
    assert (amount.text, amount.qualifier, str(amount.number)) == (text, qualifier, number)
    assert amount.is_censored == (qualifier != "=")


@pytest.mark.parametrize(
    "text",
    [
        "", " ", " 96.9", "96.9 ", "  <5", "1,250", "1 250", "NaN", "inf", "0x1F", "1_000", ".5",
        "5.", "<", "< >5", "٥", "９", "1e", "1e9999", "1E31", "9" * 41, "--5", "5%", "<<5", "−5",
        "5\n", "1.2.3",
    ],
)  # fmt: skip
def test_anything_else_is_not_an_amount(text: str):
    assert parse_amount(text) is None


def test_a_percent_sign_is_read_where_the_unit_is_percent():
    assert amount_of("96.9 %", "%") == amount_of("96.9", "%")
    assert amount_of("96.9%", "EU/mL") is None


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9))
def test_every_plain_decimal_comes_back_with_all_its_digits(number: Decimal):
    text = f"{number:f}"
    if len(text) <= 40:
        amount = parse_amount(text)
        assert amount is not None
        assert f"{amount.number:f}" == text
        assert amount.possible == Interval.exactly(number)


def test_the_last_digit_is_that_of_the_text():
    for text, place in (("98.0", "0.1"), ("90", "1"), ("1.8E8", "1E+7"), ("100", "1")):
        assert str(last_digit(Decimal(text))) == place
    with pytest.raises(TypeError):
        last_digit(Decimal("NaN"))


ENDS = st.one_of(st.none(), st.integers(-4, 4).map(Fraction))
INTERVALS = st.builds(
    lambda low, high, low_closed, high_closed: Interval(
        low,
        high,
        low_closed=low_closed and low is not None,
        high_closed=high_closed and high is not None,
    ),
    ENDS,
    ENDS,
    st.booleans(),
    st.booleans(),
)
POINTS = [Fraction(n, 4) for n in range(-20, 21)]


def members(interval: Interval) -> set[Fraction]:
    """The oracle: membership by the definition of the ends."""

    def holds(point: Fraction) -> bool:
        low, high = interval.low, interval.high
        above = low is None or point > low or (interval.low_closed and point == low)
        below = high is None or point < high or (interval.high_closed and point == high)
        return above and below

    return {point for point in POINTS if holds(point)}


@given(INTERVALS, INTERVALS)
def test_sets_meet_where_both_hold(a: Interval, b: Interval):
    assert members(a.intersection(b)) == members(a) & members(b)
    assert a.is_empty == (not members(a))
    if not a.is_empty:
        assert a.is_inside(b) == (members(a) <= members(b))
    assert a.is_outside(b) == (not members(a) & members(b))


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (Interval(), "any number"),
        (Interval(low=Fraction(90)), "above 90"),
        (Interval(low=Fraction("90.5"), low_closed=True), "90.5 and up"),
        (Interval(high=Fraction(2)), "below 2"),
        (Interval(high=Fraction(2), high_closed=True), "up to 2"),
        (Interval.exactly(Decimal("93.40")), "93.4"),
        (
            Interval(Fraction(20), Fraction(80), low_closed=True),
            "20 (included) to 80 (excluded)",
        ),
    ],
)
def test_a_set_is_told_in_words(interval: Interval, words: str):
    assert str(interval) == words


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(1, 3), "0.3333333333…"), (Fraction(-1, 3), "-0.3333333333…"),
        (Fraction(1, 8), "0.125"), (Fraction(300), "300"), (Fraction(-7, 2), "-3.5"),
        (Fraction(0), "0"), (Fraction(1, 100), "0.01"), (Fraction(2, 7), "0.2857142857…"),
    ],
)  # fmt: skip
def test_a_fraction_is_told_as_a_decimal(number: Fraction, text: str):
    assert decimal_text(number) == text


def test_a_mean_is_exact_and_open_where_an_end_is():
    one, two = Interval.exactly(Decimal("0.1")), Interval.exactly(Decimal("0.2"))
    assert mean([one, two]) == Interval.exactly(Decimal("0.15"))
    assert mean([one, Interval(high=Fraction(1))]) == Interval(high=Fraction(11, 20))


@given(st.lists(INTERVALS.filter(lambda x: not x.is_empty), min_size=2, max_size=3), st.booleans())
def test_the_extreme_of_sets_holds_every_extreme_of_their_numbers(
    sets: list[Interval], largest: bool
):
    pick = max if largest else min
    found = extreme(sets, largest=largest)
    few = [sorted(members(one))[::4] or sorted(members(one)) for one in sets]
    values = {pick(numbers) for numbers in product(*few)}
    assert values <= members(found)


@pytest.mark.requirement("4.24")
@pytest.mark.parametrize(
    ("typed", "unit"),
    [
        ("ug/mL", "µg/mL"), ("μg/mL", "µg/mL"), (" µg/mL ", "µg/mL"), ("uL", "µL"),
        ("um", "µm"), ("umol/L", "µmol/L"), ("EU/mL", "EU/mL"), ("unit", "unit"), ("u", "u"),
        ("pg/ug", "pg/µg"),
    ],
)  # fmt: skip
def test_a_unit_has_one_approved_spelling(typed: str, unit: str):
    assert canonical_unit(typed) == unit


@pytest.mark.parametrize("unit", ["EU", "iu", "[IU]", "[EU]"])
def test_endotoxin_without_per_what_is_refused(unit: str):
    assert "per what" in (unit_problem(unit) or "")
    assert unit_problem("EU/mL") is None
    assert unit_problem("EU/{dose}") is None
