"""Charts of subgroups: R's qcc, unequal sizes by hand, gaps and simulations."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.settings import shipped_cases
from batchqc.statistics.chart_constants import c4, chart_constants, d2
from batchqc.statistics.control_charts import Known
from batchqc.statistics.run_rules import NELSON
from batchqc.statistics.subgroup_charts import deviations, ranges, xbar
from batchqc.statistics.subgroups import Subgroups, sigma_within, subgroups_of

CASES = shipped_cases()
RINGS = json.loads((CASES / "qcc_pistonrings_xbar_R.json").read_text())["input"]["subgroups"]
UNEQUAL = [[10, 12, 11], [9, 13], [11, 12, 13, 10], [14], [10, None, 15, 12], []]


def test_s_charts_of_the_piston_rings():
    # factors of Montgomery, appendix VI for 5: A3 1.427, B3 0, B4 2.089
    sds = np.std(RINGS, axis=1, ddof=1)
    chart = deviations(RINGS)
    assert (chart.lower[0], chart.upper[0]) == pytest.approx((0, 2.089 * sds.mean()), abs=1e-5)
    means = xbar(RINGS, within="sd")
    assert means.upper[0] - np.mean(RINGS) == pytest.approx(1.427 * sds.mean(), abs=1e-5)


def test_the_centres_of_r_and_s_are_their_means_where_sizes_are_equal():
    assert ranges(RINGS).centre[0] == pytest.approx(np.mean(np.ptp(RINGS, axis=1)))
    assert deviations(RINGS).centre[0] == pytest.approx(np.mean(np.std(RINGS, axis=1, ddof=1)))


def test_unequal_sizes_have_limits_of_their_own():
    chart = xbar(UNEQUAL, within="pooled", limits_from=0)
    parts = [np.array([one for one in group if one is not None]) for group in UNEQUAL]
    squares = sum(((one - one.mean()) ** 2).sum() for one in parts if one.size)
    sigma = math.sqrt(squares / 8)
    everything = np.concatenate(parts)
    for at, part in enumerate(parts[:5]):
        half = 3 * sigma / math.sqrt(part.size)
        assert chart.upper[at] == pytest.approx(everything.mean() + half)
    assert [row["value"] for row in chart.rows()][5] is None
    r = ranges(UNEQUAL, within="pooled", limits_from=0)
    assert r.upper[0] == pytest.approx(chart_constants(3).D2 * sigma)
    assert [row["upper"] for row in r.rows()][3] is None  # one value has no range


@pytest.mark.parametrize(
    "within", ["range", "range-weighted", "sd", "sd-weighted", "pooled-unbiased"]
)
def test_every_estimator_is_unbiased(within):
    rng = np.random.default_rng(11)
    sizes = [2, 3, 5, 4, 6]
    found = [
        sigma_within([rng.normal(7, 2, size) for size in sizes], within=within).value
        for _ in range(300)
    ]
    margin = 3 * np.std(found, ddof=1) / math.sqrt(300)
    assert abs(np.mean(found) - 2) < margin


def test_the_pooled_one_is_biased_by_c4():
    plain = sigma_within(RINGS, within="pooled").value
    assert sigma_within(RINGS, within="pooled-unbiased").value == pytest.approx(plain / c4(101))


def test_weights_follow_precision():
    groups = [[1.0, 3.0], [1.0, 2.0, 4.0, 6.0]]
    each = [2 / d2(2), 5 / d2(4)]
    w = [(d2(n) / chart_constants(n).d3) ** 2 for n in (2, 4)]
    expected = np.average(each, weights=w)
    assert sigma_within(groups, within="range-weighted").value == pytest.approx(expected)


def _covered(within, stretch, draws=50_000):
    """How often the interval holds sigma: its ends are multiples of the estimate."""
    groups = np.random.default_rng(3).normal(0, 1.5, size=(draws, 8, 4))
    figure = sigma_within(groups[0], within=within)
    estimates = (
        np.ptp(groups, axis=2).mean(axis=1) / d2(4)
        if within == "range"
        else np.sqrt(groups.var(axis=2, ddof=1).mean(axis=1))
    )
    assert estimates[0] == pytest.approx(figure.value)
    low, high = (end / figure.value * stretch for end in (figure.lower, figure.upper))
    rate = np.mean((estimates * low <= 1.5) & (estimates * high >= 1.5))
    return rate, 3 * math.sqrt(0.95 * 0.05 / draws)


@pytest.mark.parametrize("within", ["range", "pooled"])
def test_intervals_of_sigma_within_cover(within):
    rate, margin = _covered(within, 1.0)
    assert abs(rate - 0.95) < margin
    wrong, margin = _covered(within, d2(4) / d2(3))
    assert abs(wrong - 0.95) > margin


def test_a_frame_has_a_subgroup_in_each_row():
    assert (
        xbar(pd.DataFrame(RINGS)).upper[0] == xbar(RINGS).upper[0] == xbar(np.array(RINGS)).upper[0]
    )


def test_means_alone_are_enough_where_ranges_were_kept():
    found = subgroups_of(RINGS)
    kept = Subgroups(found.sizes, found.means, found.ranges, np.full(25, np.nan))
    assert xbar(kept).upper[0] == xbar(RINGS).upper[0]


def test_known_lines_need_no_estimate():
    chart = xbar([[1.0, 1.0]], known=Known(0.0, 0.5))
    assert chart.upper[0] == pytest.approx(3 * 0.5 / math.sqrt(2))
    assert ranges([[1.0, 1.0]], known=Known(0.0, 0.5)).upper[0] == pytest.approx(
        chart_constants(2).D2 * 0.5
    )


def test_rules_run_on_means():
    shifted = [[x + 0.02 * (at > 14) for x in one] for at, one in enumerate(RINGS)]
    assert xbar(shifted).signals([NELSON[2]])


def test_few_degrees_of_freedom_have_no_limits():
    chart = xbar([[1, 2], [3, 4], [2, 5]])
    assert chart.upper is None
    assert "degrees of freedom" in chart.limitations[0]


@pytest.mark.parametrize("groups", [[], [[]], [[None]], [[1.0], [2.0]], [[1, 1, 1], [1, 1]]])
def test_what_does_not_vary_within_is_refused(groups):
    for chart in (xbar, ranges, deviations):
        with pytest.raises(NotEstimable):
            chart(groups)


def test_what_is_no_subgroup_is_refused():
    for wrong in ([1.0, 2.0], 5, [["a", "b"]], [[1, math.inf]]):
        with pytest.raises(InvalidInput):
            xbar(wrong)
    with pytest.raises(InvalidInput):
        xbar(RINGS, within="iqr")
    with pytest.raises(InvalidInput):
        xbar(RINGS, width=0)
