"""What is said of one attribute over the lots of a phase, and what these data do not allow."""

import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from batchqc.core.acceptance import Relative
from batchqc.core.criteria import Criterion
from batchqc.core.rounding import Rounding
from batchqc.statistics.attribute_review import AttributeReview, number_text, review_phase
from batchqc.statistics.capability import SpecLimits, capability
from batchqc.statistics.few_lots import prediction
from batchqc.statistics.lot_figures import phase_figures
from batchqc.statistics.nested_anova import nested_components
from batchqc.statistics.phase_values import limits_on
from batchqc.statistics.scales import Scale
from batchqc.statistics.series_parts import parts_of
from tests.core.world import criterion
from tests.statistics.test_lot_charts import look
from tests.statistics.test_series_parts import donated

PLAIN = criterion("20 to 60")
NEAR_100 = criterion("> 90")


def values(n: int, centre: float = 40, sd: float = 4) -> list[str]:
    chance = random.Random(20260101)  # noqa: S311 - the same each time, nothing secret
    return [f"{chance.gauss(centre, sd):.1f}" for _ in range(n)]


def review(
    lots: Sequence[object], of: Criterion = PLAIN, *, each: int = 3, donors: bool = True
) -> AttributeReview:
    found = donated(lots, each=each)
    if not donors:
        found = [replace(one, donors=()) for one in found]
    trend = look(found, of=of)
    return review_phase(trend, trend.phases[0], of)


def names(found: AttributeReview) -> list[str]:
    return [one.name for one in found.figures]


@pytest.mark.requirement("9.04")
def test_below_eight_lots_there_is_no_interval_and_below_thirty_no_capability():
    for n in (1, 2, 7, 8, 29, 30):
        found = review(values(n))
        assert ("centre" in names(found)) == ("sigma" in names(found)) == (n >= 2), n
        assert ("Ppk" in names(found)) == (n >= 30), n
        assert any("tolerance" in one for one in names(found)) == (8 <= n < 30), n
        assert n == 30 or any(one.startswith("capability: ") for one in found.limitations), n
    nothing = review(["", ""])
    assert (nothing.n, nothing.figures, nothing.limitations) == (0, (), ())


def test_the_figures_are_those_of_the_methods():
    raw = values(40)
    found = review([*raw[:5], "", *raw[5:]])
    numbers = [float(one) for one in raw]
    chart, asked = prediction(numbers), capability(numbers, SpecLimits(20, 60))
    of = {one.name: one for one in found.figures}
    assert found.n == 40
    assert of["centre"] == chart.figures["centre"]
    assert of["Ppk"] == asked.indices["Ppk"]
    assert of["fraction below"] == asked.beyond["below"]
    assert of["fraction above"] == asked.beyond["above"]
    assert all(one.lower is not None and one.n == 40 for one in found.figures)
    donors = [f"D{place // 3:02d}" for place in range(41) if place != 5]
    assert of["variance of donor"] == nested_components(numbers, {"donor": donors}).components[0]


@pytest.mark.requirement("9.09")
@pytest.mark.parametrize(
    ("lots", "of"),
    [
        (values(40), PLAIN),
        (values(40, 96, 1), NEAR_100),
        (values(12, 96, 1), NEAR_100),
        ([*values(11, 96, 1), "100"], NEAR_100),
        (["<25", *values(11)], PLAIN),
        (["95"] * 40, NEAR_100),
    ],
)  # fmt: skip
def test_a_review_says_of_a_phase_what_the_page_of_its_trend_says(lots, of):
    found = review(lots, of)
    trend = look(donated(lots), of=of)
    (part,) = [one for one in parts_of(trend) if one.title == "Capability"]
    capable = [one for one in found.figures if one in part.figures]
    assert capable == part.figures
    told = [one for one in found.limitations if one.startswith("capability: ")]
    assert told == [f"capability: {one}" for one in part.said]
    if len(set(lots)) > 1:
        assert found.figures[:2] == phase_figures(trend, trend.phases[0])


def test_of_a_criterion_against_its_control_there_is_no_capability():
    against = replace(PLAIN, accept=Relative("< 0.5 * control", "<", Decimal("0.5")))
    found = review(values(40), against)
    assert "Ppk" not in names(found)
    assert not any("fraction" in one for one in names(found))
    assert any("no limit of the specification" in one for one in found.limitations)


def test_limits_beyond_the_scale_limit_nothing():
    assert limits_on(Scale("ln"), criterion("0 to 100")) == SpecLimits(None, np.log(100))
    assert limits_on(Scale("complement cube root"), criterion("90 to 100")) == SpecLimits(
        None, np.cbrt(10)
    )
    assert limits_on(Scale("logit"), criterion("<= 100")) is None
    assert limits_on(Scale(), criterion("no growth")) is None


def test_capability_is_against_the_values_that_pass():
    lots = values(40)
    rounded = review(lots, criterion(">= 20", rounding=Rounding.USP))
    asked = capability([float(one) for one in lots], SpecLimits(19.5))
    assert next(one for one in rounded.figures if one.name == "Ppk") == asked.indices["Ppk"]
    nothing = review(lots, replace(PLAIN, guard=Decimal(30)))
    assert "Ppk" not in names(nothing)
    assert any(one.startswith("capability: ") for one in nothing.limitations)


def test_a_value_on_the_bound_is_moved_and_one_beyond_leaves_no_figures():
    raw = values(12, 96, 1)
    told = review([*raw, "100"], NEAR_100)
    assert told.limitations[0] == "centre: moved off the bound by half the resolution: L012"
    assert names(told)[:2] == ["centre", "sigma"]
    beyond = review([*raw, "100", "100.5"], NEAR_100)
    assert (beyond.n, beyond.figures) == (14, ())
    assert beyond.limitations[0].startswith("figures: complement cube root: ")


def test_where_only_a_bound_is_known_centre_and_sigma_are_the_likeliest_on_the_scale():
    measured = values(8, 96, 1)
    found = review([*["> 98"] * 6, *measured], NEAR_100)
    assert (found.n, found.censored) == (8, 6)
    assert names(found) == ["centre", "sigma"]
    centre = found.figures[0]
    roots = np.cbrt(100 - np.array([float(one) for one in measured]))
    assert np.cbrt(2) < centre.value < roots.mean() - 0.1  # higher in per cent than those alone
    assert "normal" in centre.assumptions[0]
    assert [one.split(":")[0] for one in found.limitations] == ["capability", "donors"]
    nothing = review(["< 5"] * 9)
    assert nothing.figures == ()
    assert nothing.limitations[0].startswith("centre: all values are censored")


@pytest.mark.parametrize("of", [PLAIN, NEAR_100])
def test_equal_values_have_no_figures_and_every_reason_is_told(of: Criterion):
    found = review(["45" if of is PLAIN else "95"] * 40, of)
    assert found.figures == ()
    parts = {one.split(":")[0] for one in found.limitations}
    assert parts == {"centre", "capability", "donors"}


def test_one_donor_one_lot_of_each_or_no_donor_known_tells_nothing_of_donors():
    for each, donors in ((40, True), (1, True), (3, False)):
        found = review(values(40), each=each, donors=donors)
        assert not any("donor" in one for one in names(found))
        assert any(one.startswith("donors: ") for one in found.limitations)
    assert "known of 0 of 40 lots" in review(values(40), donors=False).limitations[-1]
    assert names(review(values(40)))[-2:] == [
        "variance of donor", "variance of lots of one donor",
    ]  # fmt: skip


def test_numbers_have_six_digits_and_none_is_empty():
    assert [number_text(one) for one in (None, -0.0, 1234567.0, 0.1 + 0.2)] == [
        "", "0", "1.23457e+06", "0.3",
    ]  # fmt: skip
