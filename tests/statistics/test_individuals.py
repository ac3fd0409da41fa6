"""Charts of single values: published charts, gaps, few lots, and coverage by simulation."""

import csv
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchqc.cli.demo_files import FOLDER
from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.chart_constants import c4
from batchqc.statistics.control_charts import Known
from batchqc.statistics.few_lots import prediction, prediction_factor
from batchqc.statistics.individuals import individuals, moving_range
from batchqc.statistics.moving_ranges import moving_ranges, sigma_of_lots
from batchqc.statistics.run_rules import NELSON

# NIST/SEMATECH e-Handbook 6.3.2.2
FLOW = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]


def viability():
    with (FOLDER / "viability.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    return [row["lot_id"] for row in rows], [float(row["value"]) for row in rows]


def test_the_eight_lots_of_the_demonstration():
    lots, values = viability()
    chart = individuals(values)
    assert round(chart.lower[0], 2) == 91.69
    assert [lots[at - 1] for at in chart.beyond] == ["UCM-P4-T2"]
    (signal,) = chart.signals([NELSON[1]])
    assert (signal.point, signal.members, signal.centre) == (8, (8,), 96.25)
    assert signal.sigma == pytest.approx(12 / 7 / (2 / math.sqrt(math.pi)))


def test_table_constants_give_what_was_printed():
    # e-Handbook 6.3.2.2 divides by 1.128
    chart = individuals(FLOW, constants="table")
    assert (chart.lower[0], chart.upper[0]) == pytest.approx((45.8159, 55.8041), abs=1e-4)


def test_a_moving_range_never_bridges_a_gap():
    assert moving_ranges([1, 3, None, 10, 14]) == pytest.approx(
        [math.nan, 2, math.nan, math.nan, 4], nan_ok=True
    )
    chart = individuals([1, 3, None, 10, 14], limits_from=2)
    assert chart.figures["sigma"].value == pytest.approx(3 / (2 / math.sqrt(math.pi)))
    assert [row["value"] for row in chart.rows()][2] is None
    with pytest.raises(NotEstimable, match="moving ranges"):
        individuals([1, None, 2, None, 3, None])


def test_a_gap_breaks_a_run_of_the_chart():
    rising = [1, 2, 3, 4, 5, 6.5]
    noise = [0.0, 8.0, 1.0, 7.0]
    assert individuals([*noise, *rising]).signals([NELSON[3]])
    assert not individuals([*noise, *rising[:3], None, *rising[3:]]).signals([NELSON[3]])


def test_estimators_of_sigma_agree_with_their_definitions():
    ranges = np.abs(np.diff(FLOW))
    sigma = {one: individuals(FLOW, sigma=one).figures["sigma"] for one in ("median-mr", "sd")}
    assert sigma["median-mr"].value == pytest.approx(np.median(ranges) / 0.953873, rel=1e-6)
    # c4(10) = 0.9727 (Montgomery, appendix VI)
    assert sigma["sd"].value == pytest.approx(np.std(FLOW, ddof=1) / 0.97266, rel=1e-5)
    assert sigma["median-mr"].limitations
    assert individuals(FLOW, sigma="median-mr").centre[0] == np.median(FLOW)
    assert sigma_of_lots(FLOW, sigma="sd") == sigma["sd"]
    assert sigma["median-mr"].lower is None


def test_few_lots_have_data_and_no_limits():
    chart = individuals([5.0, 6.0, 5.5, 6.5, 5.2])
    assert chart.lower is None
    assert chart.upper is None
    assert chart.beyond == ()
    assert "below 8" in chart.limitations[0]
    with pytest.raises(NotEstimable, match="without limits"):
        chart.signals([NELSON[1]])
    assert next(iter(chart.rows()))["lower"] is None
    # a chart with known lines needs no history
    assert individuals([5.0], known=Known(6.0, 0.1)).beyond == (1,)


@pytest.mark.parametrize("data", [[], [1.0], [None], [None, None], [2.0] * 9, [1e149] * 9])
def test_what_cannot_be_charted_is_refused(data):
    for chart in (individuals, moving_range, prediction):
        with pytest.raises(NotEstimable):
            chart(data)


@pytest.mark.parametrize("data", [[1, math.inf] * 5, ["x"] * 9, [1e200] * 9, [[1.0, 2.0]] * 9])
def test_what_is_no_series_of_numbers_is_refused(data):
    for chart in (individuals, moving_range, prediction):
        with pytest.raises(InvalidInput):
            chart(data)


def test_options_that_do_not_exist_are_refused():
    for wrong in ({"sigma": "iqr"}, {"width": -1}, {"width": math.nan}):
        with pytest.raises(InvalidInput):
            individuals(FLOW, **wrong)
    for wrong in ({"alpha": 0}, {"alpha": 1e-300}, {"alpha": 1.0}, {"sides": "left"}):
        with pytest.raises(InvalidInput):
            prediction(FLOW, **wrong)
    for wrong in ((math.nan, 1.0), (1.0, 0.0), (1.0, math.inf)):
        with pytest.raises(InvalidInput):
            Known(*wrong)


def test_a_point_on_a_line_is_on_it_whatever_floats_make_of_it():
    # 0.1 + 0.2 is not 0.3 to a float; to a chart it is
    chart = individuals([0.3 + 3 * 0.1, 0.1 + 0.2, 0.6000000001], known=Known(0.3, 0.1))
    assert chart.beyond == (3,)
    assert chart.z[:2].tolist() == [3.0, 0.0]


def test_neighbours_that_are_alike_are_told_of():
    by_donor = np.repeat([1.0, 5.0, 2.0, 8.0], 3) + np.tile([0.0, 0.1, 0.2], 4)
    assert any("donor" in one for one in individuals(by_donor).limitations)
    assert individuals([5, 7, 4, 6, 8, 5, 6, 4, 7]).limitations == ()


def test_limits_of_phase_one_are_applied_to_other_lots():
    chart = individuals(FLOW).applied_to([50.0, None, 60.0])
    assert chart.beyond == (3,)
    assert chart.upper[2] == individuals(FLOW).upper[0]


def test_the_moving_range_chart():
    chart = moving_range(FLOW)
    assert chart.upper[0] == pytest.approx(6.133821048431973)  # 3.2665 times the mean range
    assert chart.lower[0] == 0
    centre = chart.figures["centre"]
    assert centre.value == pytest.approx(1.8778, abs=5e-5)
    assert centre.lower < centre.value < centre.upper
    # a span of 3: the ranges of three, and d2(3) = 3 / sqrt(pi)
    wide = moving_range(FLOW, span=3)
    ranges = [max(FLOW[i : i + 3]) - min(FLOW[i : i + 3]) for i in range(8)]
    assert wide.figures["sigma"].value == pytest.approx(np.mean(ranges) * math.sqrt(math.pi) / 3)


@pytest.mark.parametrize(
    ("m", "k"), [(8, 4.81), (10, 4.29), (15, 3.76), (20, 3.53), (30, 3.34), (50, 3.19)]
)
def test_the_factor_for_few_lots(m, k):
    assert prediction_factor(m) == pytest.approx(k, abs=0.006)


def test_prediction_limits_lie_that_many_s_from_the_mean():
    chart = prediction(FLOW)
    half = prediction_factor(10) * np.std(FLOW, ddof=1)
    assert chart.upper[0] - 50.81 == pytest.approx(half)
    assert prediction(FLOW, sides="lower").upper is None
    assert prediction(FLOW, alpha=0.05, sides="upper").upper[0] < chart.upper[0]


def test_with_prediction_limits_rule_one_fires_where_the_limit_is_passed():
    base = prediction(FLOW, alpha=0.0026997960632601866)
    new = base.applied_to([base.upper[0] + 1e-6, base.upper[0] - 1e-6, base.lower[0] - 1e-6])
    assert [one.point for one in new.signals([NELSON[1]])] == [1, 3]
    assert new.beyond == (1, 3)


def _alarms(m, k, draws=200_000):
    """How often a further lot lies outside k s of the mean of m, and its margin."""
    lots = np.random.default_rng(m).normal(size=(draws, m + 1))
    mean, s = lots[:, :m].mean(axis=1), lots[:, :m].std(axis=1, ddof=1)
    rate = np.mean(np.abs(lots[:, m] - mean) > k * s)
    return rate, 3 * math.sqrt(0.0027 * (1 - 0.0027) / draws)


@pytest.mark.parametrize("m", [8, 20])
def test_prediction_limits_hold_their_rate_of_false_alarms(m):
    rate, margin = _alarms(m, prediction_factor(m))
    assert abs(rate - 0.0027) < margin


@pytest.mark.parametrize("m", [8, 20])
def test_and_three_s_would_not(m):
    rate, margin = _alarms(m, 3.0)
    assert rate - 0.0027 > margin


def _covered(sigma, stretch, draws=50_000):
    """How often the interval holds sigma: its ends are multiples of the estimate."""
    lots = np.random.default_rng(42).normal(3.0, 2.0, size=(draws, 12))
    figure = individuals(lots[0], sigma=sigma).figures["sigma"]
    estimates = (
        np.abs(np.diff(lots, axis=1)).mean(axis=1) * math.sqrt(math.pi) / 2
        if sigma == "mr"
        else lots.std(axis=1, ddof=1) / c4(12)
    )
    assert estimates[0] == pytest.approx(figure.value)
    low, high = (end / figure.value * stretch for end in (figure.lower, figure.upper))
    rate = np.mean((estimates * low <= 2.0) & (estimates * high >= 2.0))
    return rate, 3 * math.sqrt(0.95 * 0.05 / draws)


@pytest.mark.parametrize("sigma", ["mr", "sd"])
def test_intervals_of_sigma_cover(sigma):
    rate, margin = _covered(sigma, 1.0)
    assert abs(rate - 0.95) < margin


@pytest.mark.parametrize("sigma", ["mr", "sd"])
def test_and_a_wrong_d2_would_be_seen(sigma):
    rate, margin = _covered(sigma, 1.3)
    assert abs(rate - 0.95) > margin


NUMBERS = st.lists(st.integers(-50, 50), min_size=10, max_size=30).filter(
    lambda x: len({abs(a - b) for a, b in itertools.pairwise(x)} - {0}) > 0
)


@settings(max_examples=60, deadline=None)
@given(NUMBERS, st.integers(-1000, 1000), st.sampled_from([0.25, 2.0, 8.0]))
def test_a_change_of_unit_changes_the_lines_alone(x, shift, scale):
    before = individuals(x)
    after = individuals([scale * one + shift for one in x])
    assert after.upper[0] == pytest.approx(scale * before.upper[0] + shift)
    assert after.lower[0] == pytest.approx(scale * before.lower[0] + shift)
    assert after.beyond == before.beyond
    rules = [NELSON[1], NELSON[2], NELSON[3]]
    patterns = [
        [(one.rule, one.point, one.members) for one in chart.signals(rules)]
        for chart in (before, after)
    ]
    assert patterns[0] == patterns[1]


@settings(max_examples=30, deadline=None)
@given(st.permutations(FLOW))
def test_order_matters_to_moving_ranges_alone(shuffled):
    assert prediction(shuffled).upper[0] == pytest.approx(prediction(FLOW).upper[0])
