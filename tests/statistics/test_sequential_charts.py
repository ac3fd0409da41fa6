"""EWMA, CUSUM and self-starting charts: published answers, the demonstration's lots, refusals."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.cusum import Baseline, baseline_of, cusum_chart
from batchqc.statistics.ewma import ewma_chart
from batchqc.statistics.self_starting import QState, q_chart, self_starting_cusum

DEMO = Path(__file__).parents[2] / "batchqc" / "cli" / "demo_lots" / "viability.csv"
MONTGOMERY = [
    *(9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.2, 10.34),
    *(9.03, 11.47, 10.51, 9.4, 10.08, 9.37, 10.62, 10.31, 8.52, 10.84),
    *(10.9, 9.33, 12.29, 11.5, 10.6, 11.08, 10.38, 11.62, 11.31, 10.52),
]
LOTS = st.lists(st.floats(-50, 50).map(lambda x: round(x, 3)), min_size=4, max_size=30)
KNOWN = Baseline(10.0, 1.0)


def viability():
    with DEMO.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [row["lot_id"] for row in rows], [float(row["value"]) for row in rows]


@pytest.mark.parametrize(
    ("scale", "expected"), [(lambda x: x, -4.05), (lambda x: np.cbrt(100 - x), 3.34)]
)
def test_the_demonstrations_odd_lot_is_flagged_by_the_q_chart_alone(scale, expected):
    lots, values = viability()
    chart = q_chart(scale(np.array(values)))
    assert chart.q[7] == pytest.approx(expected, abs=0.005)
    assert [lots[place - 1] for place in chart.signals] == ["UCM-P4-T2"]
    assert chart.q[:3] == (None, None, None)  # the first two lots are equal: nothing to compare
    assert "1, 2, 3" in chart.limitations[0]


def test_montgomerys_cusum_signals_at_29_and_dates_the_change_after_22():
    chart = cusum_chart(MONTGOMERY, KNOWN)
    first = chart.signals[0]
    assert (first.place, first.side, first.last_before) == (29, "upper", 22)
    assert first.mean == pytest.approx(11.25, abs=0.01)  # Montgomery 2020, 9.1.2
    assert chart.since_upper[28] == 7
    assert max(chart.lower) < chart.limit


def test_a_restarted_cusum_begins_anew_after_its_signal():
    chart = cusum_chart([12.0] * 12, KNOWN, k=0.5, h=4, restart=True)
    assert [one.place for one in chart.signals] == [3, 6, 9, 12]
    assert {one.last_before for one in chart.signals} == {0, 3, 6, 9}


def test_a_missing_lot_leaves_sums_and_averages_where_they_are_and_is_told():
    x = [11.0, None, 12.0]
    chart = cusum_chart(x, KNOWN)
    assert chart.upper == (0.5, 0.5, 2.0)
    assert chart.n == 2
    assert "2" in chart.limitations[0]
    ewma = ewma_chart(x, KNOWN)
    assert ewma.average[0] == ewma.average[1]
    assert ewma.average[2] == ewma_chart([11.0, 12.0], KNOWN).average[1]
    assert q_chart([1, None, 2, 4]).q[3] == q_chart([1, 2, 4]).q[2]


def test_exact_limits_follow_the_closed_form_and_end_at_the_asymptotic_ones():
    chart = ewma_chart(MONTGOMERY, KNOWN, weight=0.1, width=2.7)
    i = np.arange(1, 31)
    sigma = np.sqrt(0.1 / 1.9 * (1 - 0.9 ** (2 * i)))
    assert np.allclose(chart.upper, 10 + 2.7 * sigma, rtol=1e-13)
    assert chart.first_signal == 29
    last = ewma_chart(MONTGOMERY, KNOWN, weight=0.1, width=2.7, limits="asymptotic")
    assert set(last.upper) == {chart.last_limits[1]}
    means = ewma_chart(MONTGOMERY, KNOWN, weight=0.1, width=2.7, sizes=4)
    assert np.allclose(np.array(means.upper) - 10, (np.array(chart.upper) - 10) / 2, rtol=1e-12)


def test_q_statistics_are_independent_standard_normal_deviates_with_a_deliberate_counterexample():
    draws, lots = 2_000, 12
    x = np.random.default_rng(4).standard_normal((draws, lots))
    q = np.array([q_chart(row).q[2:] for row in x], dtype=float)
    rate, nominal = (np.abs(q) > 2).mean(), 2 * stats.norm.sf(2)
    margin = 3 * np.sqrt(nominal * (1 - nominal) / q.size)
    assert abs(rate - nominal) < margin
    assert abs(np.corrcoef(q[:, :-1].ravel(), q[:, 1:].ravel())[0, 1]) < 3 / np.sqrt(q.size)
    before = [(x[:, r] - x[:, :r].mean(1)) / x[:, :r].std(1, ddof=1) for r in range(2, lots)]
    assert abs((np.abs(np.array(before)) > 2).mean() - nominal) > margin  # t as if it were normal


@pytest.mark.parametrize(("mean", "sigma"), [(0.3, 1.2), (None, 1.2), (0.3, None), (None, None)])
def test_q_of_every_case_is_the_prediction_t_or_z(mean, sigma):
    x = [0.4, -1.1, 2.0, 0.7, -0.2]
    q = q_chart(x, mean=mean, sigma=sigma).q
    assert q.index(next(one for one in q if one is not None)) == (mean is None) + (sigma is None)
    before, last = np.array(x[:-1]), x[-1]
    at = before.mean() if mean is None else mean
    wider = np.sqrt(4 / 5) if mean is None else 1.0
    if sigma is not None:
        assert q[-1] == pytest.approx(wider * (last - at) / sigma, rel=1e-12)
    else:
        df = 3 if mean is None else 4
        s = np.sqrt(((before - at) ** 2).sum() / df)
        expected = stats.norm.ppf(stats.t.cdf(wider * (last - at) / s, df))
        assert q[-1] == pytest.approx(expected, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(LOTS, st.floats(0.01, 100), st.floats(-1000, 1000))
def test_q_knows_no_unit_and_no_zero(x, scale, shift):
    ours, theirs = q_chart(x).q, q_chart(scale * np.array(x) + shift).q
    for one, other in zip(ours, theirs, strict=True):
        if one is None or other is None or abs(one) > 5:
            continue  # nearly equal lots before it: their digits went with the shift
        assert other == pytest.approx(one, abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(LOTS)
def test_one_lot_at_a_time_equals_the_full_recompute(x):
    state = QState()
    for place, value in enumerate(x, 1):
        state, q = state.update(value)
        whole = q_chart(x[:place])
        assert q == whole.q[-1]
        assert state == whole.state
    if np.std(x) > 1e-3:
        assert state.average == pytest.approx(np.mean(x), abs=1e-9)
        assert state.squares == pytest.approx(np.var(x) * len(x), rel=1e-6)


def test_a_self_starting_cusum_finds_a_lasting_step_that_q_alone_hides():
    x = [*np.random.default_rng(2).standard_normal(12), *(np.full(12, 2.0))]
    assert self_starting_cusum(x).first_signal is not None
    scale = self_starting_cusum([1, 2, 1, 2, 1, 2, 1, 9, -9, 9, -9, 9], of="scale")
    assert scale.first_signal is not None


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_lots_have_no_q_and_no_baseline(n):
    assert q_chart([1.0, 2.0][:n]).q == (None,) * n
    assert ewma_chart([1.0, 2.0][:n], KNOWN).n == n
    assert cusum_chart([1.0, 2.0][:n], KNOWN).n == n
    if n < 2:
        with pytest.raises(NotEstimable):
            baseline_of([1.0, 2.0][:n])


def test_far_lots_are_told_as_at_least_so_far_and_equal_lots_have_no_q():
    chart = q_chart([*np.random.default_rng(1).standard_normal(300), 1e100])
    assert chart.q[-1] == 37.0
    assert "37 sigmas" in chart.limitations[-1]
    assert q_chart([5.0] * 9).q == (None,) * 9
    assert q_chart([0.1] * 3 + [0.1 + 1e-17] * 5).q == (None,) * 8


@pytest.mark.parametrize(
    "bad",
    [
        lambda: q_chart([1, 2, float("inf")]),
        lambda: q_chart(["a", "b"]),
        lambda: q_chart([1, 2, 3], sigma=0),
        lambda: q_chart([1, 2, 3], limit=0),
        lambda: q_chart([1, 2, 3], mean=float("nan")),
        lambda: QState().update(1e200),
        lambda: cusum_chart([1, 2], Baseline(0, 0)),
        lambda: cusum_chart([1, 2], Baseline(float("nan"), 1)),
        lambda: cusum_chart([1, 2], KNOWN, k=-1),
        lambda: cusum_chart([1, 2], KNOWN, h=0),
        lambda: cusum_chart([1, 2], KNOWN, headstart=7),
        lambda: ewma_chart([1, 2], KNOWN, weight=0),
        lambda: ewma_chart([1, 2], KNOWN, width=-1),
        lambda: ewma_chart([1, 2], KNOWN, sizes=[1, 2, 3]),
        lambda: ewma_chart([1, 2], KNOWN, sizes=0),
    ],
)
def test_what_is_no_chart_is_refused(bad):
    with pytest.raises(InvalidInput):
        bad()


@pytest.mark.parametrize("x", [[1, None, 2], [3, 3, 3], [1, 1, None, 2, 2]])
def test_a_baseline_without_moving_ranges_is_not_estimable(x):
    with pytest.raises(NotEstimable):
        baseline_of(x)
