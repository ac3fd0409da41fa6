"""Charts of counts: published charts, exact intervals, over-dispersion, swapped roles."""

import math

import numpy as np
import pytest
from scipy.stats import binom, binomtest, norm, poisson

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.attribute_charts import c_chart, np_chart, p_chart, rate_figure, u_chart
from batchqc.statistics.control_charts import Known
from batchqc.statistics.laney import laney_p, laney_u
from batchqc.statistics.run_rules import NELSON

# Montgomery, example 7.1 (R qcc orangejuice, trial samples)
JUICE = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22,
         8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6]  # fmt: skip


def test_np_is_p_times_the_size():
    share, number = p_chart(JUICE, 50), np_chart(JUICE, 50)
    assert number.upper == pytest.approx(50 * share.upper)
    assert number.centre[0] == pytest.approx(11.5667, abs=1e-4)
    assert number.beyond == share.beyond == (15, 23)
    assert number.z == pytest.approx(share.z)


def test_the_interval_of_a_share_is_that_of_clopper_and_pearson():
    figure = p_chart(JUICE, 50).figures["centre"]
    exact = binomtest(sum(JUICE), 1500).proportion_ci(method="exact")
    assert (figure.lower, figure.upper) == pytest.approx((exact.low, exact.high))


def test_the_interval_of_a_rate_is_that_of_garwood():
    # Garwood 1936: 0 events 0 to 3.689, 10 events 4.795 to 18.390
    assert rate_figure(0, 1, n=1).upper == pytest.approx(3.689, abs=5e-4)
    ten = rate_figure(10, 1, n=1)
    assert (ten.lower, ten.upper) == pytest.approx((4.795, 18.390), abs=1e-3)


def test_unequal_sizes_have_limits_of_their_own():
    sizes = [100, 80, 80, 100, 110, 110, 100, 100, 90]
    counts = [12, 8, 6, 9, 10, 12, 11, 16, 10]
    chart = p_chart(counts, sizes)
    p = sum(counts) / sum(sizes)
    assert chart.upper == pytest.approx([p + 3 * math.sqrt(p * (1 - p) / n) for n in sizes])
    rate = u_chart(counts, sizes)
    assert rate.upper == pytest.approx([p + 3 * math.sqrt(p / n) for n in sizes])
    with pytest.raises(InvalidInput, match="differ"):
        chart.applied_to([0.1])


def test_limits_stay_where_counts_can_be():
    assert p_chart([1, 0, 2, 1, 0, 0, 1, 3], 10).lower[0] == 0
    assert p_chart([9, 10, 8, 9, 10, 10, 9, 7], 10).upper[0] == 1
    assert c_chart([1, 0, 2, 1, 0, 0, 1, 3]).lower[0] == 0


def test_a_count_on_the_limit_is_inside():
    # mean 16, sigma 4: 28 is the limit itself
    assert c_chart([28, 29, 4, 3], known=Known(16)).beyond == (2, 4)


def test_nothing_ever_found_has_a_bound_and_no_limits():
    chart = p_chart([0] * 10, 20)
    assert chart.upper is None
    assert chart.limitations
    # of 200 items without one: no more than where all 200 are clear with chance 0.025
    assert chart.figures["centre"].upper == pytest.approx(1 - 0.025 ** (1 / 200))
    with pytest.raises(NotEstimable):
        _ = chart.z
    assert c_chart([0] * 10).upper is None
    with pytest.raises(NotEstimable):
        laney_p([0] * 10, 20)


def test_a_missing_lot_is_a_gap():
    chart = p_chart([*JUICE[:10], None, *JUICE[10:]], 50)
    assert chart.figures["centre"].value == p_chart(JUICE, 50).figures["centre"].value
    assert [row["upper"] for row in chart.rows()][10] is None
    assert chart.beyond == (16, 24)


@pytest.mark.parametrize(
    ("counts", "sizes"),
    [
        ([50] * 10, JUICE[:10]),  # swapped
        ([1.5] * 10, 50),
        ([-1] * 10, 50),
        ([1] * 10, [50] * 9),
        ([1] * 10, "many"),
        ([1] * 10, 0),
        ([1] * 10, 50.5),
        (["a"] * 10, 50),
        ([math.inf] * 10, 50),
    ],
)
def test_what_are_no_counts_is_refused(counts, sizes):
    for chart in (p_chart, np_chart, laney_p):
        with pytest.raises(InvalidInput):
            chart(counts, sizes)


def test_absurd_lines_are_refused():
    for wrong in (-0.1, 1.1):
        with pytest.raises(InvalidInput):
            p_chart(JUICE, 50, known=Known(wrong))
    with pytest.raises(InvalidInput):
        c_chart(JUICE, known=Known(-1))
    with pytest.raises(InvalidInput):
        c_chart(JUICE, width=0)


@pytest.mark.parametrize("counts", [[], [None], [None, None]])
def test_no_count_is_not_estimable(counts):
    for chart in (p_chart, u_chart):
        with pytest.raises(NotEstimable):
            chart(counts, 5)


def test_few_lots_have_no_limits():
    assert p_chart([1, 2, 0], 50).upper is None
    assert p_chart([1, 2, 0], 50, known=Known(0.1)).upper is not None


def test_laney_is_the_p_chart_where_lots_vary_by_chance_alone():
    # sigma_z estimates 1; its standard error is about 0.87 / sqrt(m)
    lots = np.random.default_rng(8).binomial(400, 0.2, size=4000)
    chart = laney_p(lots, 400)
    assert abs(chart.figures["sigma_z"].value - 1) < 3 * 0.87 / math.sqrt(4000)
    rates = laney_u(np.random.default_rng(9).poisson(80, size=4000), 4)
    assert abs(rates.figures["sigma_z"].value - 1) < 3 * 0.87 / math.sqrt(4000)


def _false_alarms(chart):
    rng = np.random.default_rng(10)
    shares = rng.normal(0.2, 0.05, size=20_000).clip(0.001, 0.999)
    made = chart(rng.binomial(400, shares), 400)
    return len(made.beyond) / 20_000


def test_laney_holds_its_rate_where_lots_differ_and_the_p_chart_does_not():
    expected = 2 * norm.sf(3)
    margin = 3 * math.sqrt(expected * (1 - expected) / 20_000)
    assert abs(_false_alarms(laney_p) - expected) < margin
    assert _false_alarms(p_chart) - expected > margin


def test_laney_bridges_no_gap():
    d, n = [62, 95, None, 144, 80], [820, 1040, 930, 1500, 1210]
    chart = laney_p(d, n, limits_from=2)
    z = chart.figures["sigma_z"].value
    plain = p_chart(d, n, limits_from=2).z
    assert z == pytest.approx(
        (abs(plain[1] - plain[0]) + abs(plain[4] - plain[3])) / 2 / (2 / math.sqrt(math.pi))
    )
    assert laney_p(d, n, known=Known(0.08, 2.0)).figures["sigma_z"].value == 2


def test_rules_run_on_each_lot_in_its_own_sigma():
    chart = p_chart([5] * 9 + [40] * 9, [100] * 18)
    assert {one.rule for one in chart.signals([NELSON[1], NELSON[2]])} == {"Nelson 1", "Nelson 2"}


def test_quantiles_of_the_counts_are_right_where_sigma_is_not():
    # of 20 items with chance 0.02: P(X > 3) = 0.0006, P(X > 2) = 0.0071
    assert binom.sf([2, 3], 20, 0.02) == pytest.approx([0.0071, 0.0006], abs=5e-5)
    chart = p_chart([0, 3, 4], 20, alpha=0.0027, known=Known(0.02))
    assert chart.upper[0] == 3 / 20
    assert chart.beyond == (3,)
    assert p_chart([0, 3, 4], 20, known=Known(0.02)).beyond == (2, 3)  # sigma calls 3 odd
    # Poisson with mean 2: P(X > 7) = 0.0011, P(X > 6) = 0.0045
    assert c_chart([7, 8], alpha=0.0027, known=Known(2)).beyond == (2,)
    gap = u_chart([7, None, 40], [1, 2, 4], alpha=0.0027, known=Known(2))
    assert [row["upper"] for row in gap.rows()] == [7, None, poisson.isf(0.00135, 8) / 4]
    assert np_chart([0, 3, 4], 20, alpha=0.0027, known=Known(0.02)).upper[0] == pytest.approx(3)
    with pytest.raises(NotEstimable, match="skewed"):
        chart.signals([NELSON[1]])
    with pytest.raises(InvalidInput):
        c_chart(JUICE, alpha=1.5)
    with pytest.raises(NotEstimable, match="large"):
        c_chart([1e140, 3e140] * 4, alpha=0.01)
