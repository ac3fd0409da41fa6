"""What is said of one attribute over the lots of a phase, and what these data do not allow."""

import math
import random
from collections.abc import Sequence

import pytest

from batchqc.statistics.attribute_review import (
    Attribute,
    AttributeReview,
    number_text,
    review_attribute,
)
from batchqc.statistics.capability import SpecLimits, capability
from batchqc.statistics.censored import censored_summary
from batchqc.statistics.censored_likelihood import below
from batchqc.statistics.few_lots import prediction
from batchqc.statistics.scales import Kind, Scale


def values(n: int, centre: float = 95, sd: float = 1) -> list[float]:
    chance = random.Random(20260101)  # noqa: S311 - the same each time, nothing secret
    return [round(chance.gauss(centre, sd), 1) for _ in range(n)]


def review(
    found: Sequence[float | None],
    *,
    scale: Kind = "identity",
    lower: float | None = 90,
    upper: float | None = None,
    donors: int = 5,
) -> AttributeReview:
    return review_attribute(
        Attribute(
            found,
            [""] * len(found),
            [f"D{number % donors}" for number in range(len(found))],
            [0.1] * len(found),
            Scale(scale),
            lower,
            upper,
        )
    )


def names(found: AttributeReview) -> list[str]:
    return [one.name for one in found.figures]


@pytest.mark.requirement("9.04")
def test_below_eight_lots_there_is_no_interval_and_below_thirty_no_capability():
    for n in (0, 1, 2, 7, 8, 29, 30):
        found = review(values(n))
        assert ("centre" in names(found)) == ("sigma" in names(found)) == (n >= 2), n
        assert ("Ppk" in names(found)) == (n >= 30), n
        assert any("tolerance" in one for one in names(found)) == (8 <= n < 30), n
        assert n in {0, 8, 29, 30} or found.limitations, n


def test_the_figures_are_those_of_the_methods():
    raw = values(40)
    found = review([*raw[:5], None, *raw[5:]], upper=99)
    chart = prediction(raw)
    asked = capability(raw, SpecLimits(90, 99))
    of = {one.name: one for one in found.figures}
    assert found.n == 40
    assert of["centre"] == chart.figures["centre"]
    assert of["sigma"] == chart.figures["sigma"]
    assert of["Ppk"] == asked.indices["Ppk"]
    assert of["fraction below"] == asked.beyond["below"]
    assert of["fraction above"] == asked.beyond["above"]
    assert all(one.lower is not None and one.n == 40 for one in found.figures)


def test_on_the_cube_root_of_the_complement_sides_come_back_in_percent():
    raw = values(40)
    found = review(raw, scale="complement cube root")
    assert found.scale == "complement cube root"
    of = {one.name: one for one in found.figures}
    roots = [math.cbrt(100 - one) for one in raw]
    asked = capability(roots, SpecLimits(None, math.cbrt(10)))
    assert of["Ppk"].value == pytest.approx(asked.indices["Ppk"].value)
    assert of["fraction below"].value == pytest.approx(asked.beyond["above"].value)
    few = review(raw[:12], scale="complement cube root")
    interval = next(one for one in few.figures if one.name.startswith("tolerance"))
    assert interval.lower is not None
    assert interval.upper is None
    assert interval.lower < interval.value < 100


def test_a_value_on_the_bound_is_moved_and_one_beyond_puts_the_figures_on_values_as_reported():
    raw = [*values(12), 100.0]
    told = review(raw, scale="complement cube root")
    assert told.scale == "complement cube root"
    assert told.limitations[0] == "moved off the bound by half the resolution: points 13"
    beyond = review([*raw, 100.5], scale="complement cube root")
    assert beyond.scale == "identity"
    assert "figures as reported, not on complement cube root" in beyond.limitations[0]
    assert "centre" in names(beyond)


def test_where_only_a_bound_is_known_there_are_no_limits_and_the_median_is_the_likeliest():
    found = review_attribute(
        Attribute(
            [0.05] * 6 + [0.06, 0.07, 0.08, 0.09, 0.11, 0.14],
            ["<"] * 6 + [""] * 6, ["D"] * 12, [0.01] * 12, Scale(), None, 1.0,
        )
    )  # fmt: skip
    assert (found.n, found.censored) == (6, 6)
    assert names(found) == ["median"]
    limits = [0.05] * 6 + [0.06, 0.07, 0.08, 0.09, 0.11, 0.14]
    asked = censored_summary(below(limits, [True] * 6 + [False] * 6))
    assert found.figures[0].value == pytest.approx(asked.median.value)
    nothing = review_attribute(Attribute([5.0] * 9, ["<"] * 9, ["D"] * 9, [1.0] * 9, Scale()))
    assert nothing.figures == []
    assert any(one.startswith("median: ") for one in nothing.limitations)


@pytest.mark.parametrize("scale", ["identity", "ln", "complement cube root"])
def test_equal_values_have_no_figures_and_every_reason_is_told(scale: Kind):
    found = review([95.0] * 40, scale=scale)
    assert found.figures == []
    parts = {one.split(":")[0] for one in found.limitations}
    assert parts == {"centre", "capability", "donors"}


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


def test_numbers_have_six_digits_and_none_is_empty():
    assert [number_text(one) for one in (None, -0.0, 1234567.0, 0.1 + 0.2)] == [
        "", "0", "1.23457e+06", "0.3",
    ]  # fmt: skip
