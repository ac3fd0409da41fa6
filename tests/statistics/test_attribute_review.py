"""What is said of one attribute over the lots of a phase, and what these data do not allow."""

import math
import random
from fractions import Fraction

import pytest

from batchqc.statistics.attribute_review import (
    RULES,
    Attribute,
    AttributeReview,
    expected_flags,
    number_text,
    review_attribute,
    run_length,
)
from batchqc.statistics.capability import SpecLimits, capability
from batchqc.statistics.censored import censored_summary
from batchqc.statistics.censored_likelihood import below
from batchqc.statistics.individuals import individuals
from batchqc.statistics.rule_run_length import rule_run_length
from batchqc.statistics.run_rules import NELSON
from batchqc.statistics.scales import Kind


def values(n: int, centre: float = 95, sd: float = 1) -> list[Fraction | None]:
    chance = random.Random(20260101)  # noqa: S311 - the same each time, nothing secret
    return [Fraction(f"{chance.gauss(centre, sd):.1f}") for _ in range(n)]


def review(
    found: list[Fraction | None],
    *,
    scale: Kind = "identity",
    lower: int | None = 90,
    upper: int | None = None,
    donors: int = 5,
    resolution: str = "",
) -> AttributeReview:
    return review_attribute(
        Attribute(
            found,
            ["="] * len(found),
            [f"D{number % donors}" for number in range(len(found))],
            scale,
            None if lower is None else Fraction(lower),
            None if upper is None else Fraction(upper),
            Fraction(resolution) if resolution else None,
        )
    )


def names(found: AttributeReview) -> list[str]:
    return [one.name for one in found.figures]


@pytest.mark.requirement("9.04")
def test_below_eight_lots_there_is_no_limit_line_and_below_thirty_no_capability():
    for n in (0, 1, 2, 7, 8, 29, 30):
        found = review(values(n))
        assert (found.lower is not None) == (found.upper is not None) == (n >= 8), n
        assert (found.centre is not None) == ("sigma" in names(found)) == (n >= 8), n
        assert ("Ppk" in names(found)) == (n >= 30), n
        assert any("tolerance" in one for one in names(found)) == (8 <= n < 30), n
        assert n in {0, 8, 29, 30} or found.limitations, n


def test_the_figures_are_those_of_the_methods():
    raw = values(40)
    floats = [float(one) for one in raw if one is not None]
    found = review(raw, upper=99)
    chart = individuals(floats)
    asked = capability(floats, SpecLimits(90, 99))
    of = {one.name: one for one in found.figures}
    assert chart.lower is not None
    assert found.lower == pytest.approx(chart.lower[0])
    assert of["Ppk"] == asked.indices["Ppk"]
    assert of["fraction below"] == asked.beyond["below"]
    assert of["fraction above"] == asked.beyond["above"]
    assert all(one.lower is not None and one.n == 40 for one in found.figures)


def test_on_the_cube_root_of_the_complement_limits_and_sides_come_back_in_percent():
    raw = values(40)
    found = review(raw, scale="complement cube root")
    assert found.lower is not None
    assert found.centre is not None
    assert found.upper is not None
    assert 90 < found.lower < found.centre < found.upper < 100
    of = {one.name: one for one in found.figures}
    roots = [math.cbrt(100 - float(one)) for one in raw if one is not None]
    asked = capability(roots, SpecLimits(None, math.cbrt(10)))
    assert of["Ppk"].value == pytest.approx(asked.indices["Ppk"].value)
    assert of["fraction below"].value == pytest.approx(asked.beyond["above"].value)
    few = review(raw[:12], scale="complement cube root")
    interval = next(one for one in few.figures if one.name.startswith("tolerance"))
    assert interval.lower is not None
    assert interval.upper is None
    assert interval.lower < interval.value < 100


def test_a_value_on_the_bound_is_moved_by_half_the_resolution_or_charted_as_reported():
    raw = [*values(12), Fraction(100)]
    told = review(raw, scale="complement cube root", resolution="0.1")
    assert told.scale == "complement cube root"
    assert told.limitations[0] == "moved off the bound by half the resolution: points 13"
    untold = review(raw, scale="complement cube root")
    assert untold.scale == "identity"
    assert "charted as reported, not on complement cube root" in untold.limitations[0]


def test_a_shift_is_signalled_with_rule_point_and_sigma():
    raw = [*values(20), *(one + 5 for one in values(9) if one is not None)]
    raw[3] = None
    found = review(raw)
    assert found.n == 28
    chart = individuals([None if one is None else float(one) for one in raw])
    assert found.signals == chart.signals([NELSON[number] for number in RULES])
    assert {one.rule for one in found.signals if one.point > 20} >= {"Nelson 1", "Nelson 5"}


def test_where_only_a_bound_is_known_there_are_no_limits_and_the_median_is_the_likeliest():
    found = review_attribute(
        Attribute(
            [Fraction(5, 100)] * 6 + [Fraction(one, 100) for one in (6, 7, 8, 9, 11, 14)],
            ["<"] * 6 + ["="] * 6, ["D"] * 12, "identity", None, Fraction(1),
        )
    )  # fmt: skip
    assert (found.n, found.censored) == (6, 6)
    assert (found.lower, found.upper, found.signals) == (None, None, ())
    assert names(found) == ["median"]
    limits = [0.05] * 6 + [0.06, 0.07, 0.08, 0.09, 0.11, 0.14]
    asked = censored_summary(below(limits, [True] * 6 + [False] * 6))
    assert found.figures[0].value == pytest.approx(asked.median.value)
    nothing = review_attribute(Attribute([Fraction(5)] * 9, ["<"] * 9, ["D"] * 9))
    assert nothing.figures == []
    assert any(one.startswith("median: ") for one in nothing.limitations)


@pytest.mark.parametrize("scale", ["identity", "ln", "complement cube root"])
def test_equal_values_have_no_chart_and_every_reason_is_told(scale: Kind):
    found = review([Fraction(95)] * 40, scale=scale)
    assert found.figures == []
    assert found.centre is None
    parts = {one.split(":")[0] for one in found.limitations}
    assert parts == {"chart", "capability", "donors"}


def test_one_donor_or_one_lot_of_each_tells_nothing_of_donors():
    for donors in (1, 40):
        found = review(values(40), donors=donors)
        assert not any("donor" in one for one in names(found))
        assert any(one.startswith("donors: ") for one in found.limitations)
    assert names(review(values(40), donors=8))[-2:] == [
        "variance of donor", "variance of lots of one donor",
    ]  # fmt: skip


def test_limits_beyond_the_scale_limit_nothing():
    assert any(
        "no limit of the specification" in one for one in review(values(40), lower=None).limitations
    )
    logs = review(values(40), scale="ln", lower=0, upper=100)
    assert "fraction below" not in names(logs)
    assert "fraction above" in names(logs)
    whole = review(values(40), scale="complement cube root", upper=100)
    assert "fraction above" not in names(whole)


@pytest.mark.requirement("9.04")
def test_false_flags_are_counted_by_the_run_length_of_the_rules():
    without_trend = rule_run_length([one for one in RULES if one != 3]).average.value
    assert run_length().value < without_trend
    assert expected_flags(1000) == pytest.approx(1000 / run_length().value)


def test_numbers_have_six_digits_and_none_is_empty():
    assert [number_text(one) for one in (None, -0.0, 1234567.0, 0.1 + 0.2)] == [
        "", "0", "1.23457e+06", "0.3",
    ]  # fmt: skip
