"""Charts of rare events against the geometric and exponential distributions."""

import math

import numpy as np
import pytest
from scipy.stats import expon, geom

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.individuals import individuals
from batchqc.statistics.rare_events import g_chart, t_chart, t_chart_exponential
from batchqc.statistics.run_rules import NELSON

LOTS = [12, 3, 25, 7, 0, 41, 9, 16, 5, 22]  # mean 14


def test_the_g_chart_by_its_formula():
    chart = g_chart(LOTS)
    half = 3 * math.sqrt(14 * 15)
    assert (chart.centre[0], chart.upper[0], chart.lower[0]) == pytest.approx((14, 14 + half, 0))
    # counting the lot with the event too moves everything by one
    one = g_chart([at + 1 for at in LOTS], least=1)
    assert (one.centre[0], one.upper[0], one.lower[0]) == pytest.approx((15, 15 + half, 1))


def test_the_chance_of_the_event_has_an_exact_interval():
    figure = g_chart(LOTS).figures["chance"]
    assert figure.value == pytest.approx(10 / 150)
    assert figure.lower < 10 / 150 < figure.upper
    mean = g_chart(LOTS).figures["mean"]
    assert (mean.lower, mean.upper) == pytest.approx((1 / figure.upper - 1, 1 / figure.lower - 1))


@pytest.mark.parametrize("alpha", [0.0027, 0.05, 0.5])
def test_quantiles_of_the_g_chart_are_those_of_the_geometric_distribution(alpha):
    chart = g_chart(LOTS, limits="probability", alpha=alpha)
    p = 1 / 15  # scipy counts the lot with the event
    assert chart.centre[0] == geom.ppf(0.5, p) - 1
    assert chart.lower[0] == geom.ppf(alpha / 2, p) - 1
    assert chart.upper[0] == geom.ppf(1 - alpha / 2, p) - 1
    with pytest.raises(NotEstimable, match="skewed"):
        chart.signals([NELSON[1]])


def test_the_t_chart_is_an_individuals_chart_of_powers():
    # the power of Nelson 1994
    times = [286, 948, 536, 124, 816, 729, 4, 143, 431, 8]
    chart = t_chart(times)
    powers = individuals([one**0.2777777777777778 for one in times])
    assert chart.chart.upper[0] == pytest.approx(powers.upper[0])
    assert chart.upper[0] == pytest.approx(powers.upper[0] ** 3.6)
    assert chart.beyond == powers.beyond
    assert chart.lower[0] == max(powers.lower[0], 0) ** 3.6


def test_the_exponential_t_chart_has_its_quantiles_and_holds_its_rate():
    rng = np.random.default_rng(13)
    times = rng.exponential(7.0, size=100_000)
    chart = t_chart_exponential(times, mean=7.0)
    assert chart.upper[0] == pytest.approx(expon.isf(0.00135, scale=7))
    assert chart.lower[0] == pytest.approx(expon.ppf(0.00135, scale=7))
    margin = 3 * math.sqrt(0.0027 * 0.9973 / 100_000)
    assert abs(len(chart.beyond) / 100_000 - 0.0027) < margin
    wrong = t_chart_exponential(times, mean=6.0)
    assert abs(len(wrong.beyond) / 100_000 - 0.0027) > margin


def _covered(stretch, draws=800):
    rng = np.random.default_rng(14)
    hits = 0
    for _ in range(draws):
        figure = t_chart_exponential(rng.exponential(7.0, size=8)).figures["mean"]
        hits += figure.lower * stretch <= 7 <= figure.upper * stretch
    return hits / draws, 3 * math.sqrt(0.95 * 0.05 / draws)


def test_the_interval_of_the_mean_time_covers():
    rate, margin = _covered(1.0)
    assert abs(rate - 0.95) < margin
    rate, margin = _covered(1.5)
    assert abs(rate - 0.95) > margin


def test_few_events_have_no_limits():
    assert g_chart([3, 5]).upper is None
    assert t_chart([3.0, 5.0]).upper is None
    assert t_chart_exponential([3.0, 5.0]).upper is None
    assert t_chart_exponential([3.0, 5.0], mean=4.0).upper is not None


def test_what_are_no_times_or_lots_is_refused():
    for wrong in ([1.5] * 9, [-1] * 9, [None] * 9, ["a"]):
        with pytest.raises(InvalidInput):
            g_chart(wrong)
    with pytest.raises(InvalidInput):
        g_chart([0] * 9, least=1)
    for options in ({"limits": "minitab"}, {"width": 0}, {"limits": "probability", "alpha": 2}):
        with pytest.raises(InvalidInput):
            g_chart(LOTS, **options)
    for chart in (t_chart, t_chart_exponential):
        with pytest.raises(InvalidInput):
            chart([-1.0] * 9)
    for mean in (0, math.inf):
        with pytest.raises(InvalidInput):
            t_chart_exponential([1.0] * 9, mean=mean)


def test_no_events_or_all_at_once_are_not_estimable():
    for data in ([], [0] * 9):
        for chart in (g_chart, t_chart, t_chart_exponential):
            with pytest.raises(NotEstimable):
                chart(data)
