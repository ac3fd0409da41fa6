"""Normality, outliers, robust estimates and trend: published values, simulation, refusals."""

import functools
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats
from statsmodels.robust.scale import huber, qn_scale
from statsmodels.sandbox.stats.runs import runstest_1samp
from statsmodels.stats.diagnostic import normal_ad

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.dixon import RATIOS, dixon, dixon_critical
from batchqc.statistics.normality import anderson_darling, shapiro_wilk
from batchqc.statistics.outliers import grubbs, grubbs_critical, rosner, tukey_fences
from batchqc.statistics.robust import (
    algorithm_a,
    huber_location,
    huber_proposal_2,
    iqr,
    mad,
    qn,
    sn,
)
from batchqc.statistics.trend import mann_kendall, runs_test, sen_slope

#: Rosner 1983, NIST e-Handbook 1.3.5.17.3.
ROSNER = [
    -0.25, 0.68, 0.94, 1.15, 1.20, 1.26, 1.26, 1.34, 1.38, 1.43, 1.49, 1.49, 1.55, 1.56, 1.58, 1.65,
    1.69, 1.70, 1.76, 1.77, 1.81, 1.91, 1.94, 1.96, 1.99, 2.06, 2.09, 2.10, 2.14, 2.15, 2.23, 2.24,
    2.26, 2.35, 2.37, 2.40, 2.47, 2.54, 2.62, 2.64, 2.90, 2.92, 2.92, 2.93, 3.21, 3.26, 3.30, 3.59,
    3.68, 4.30, 4.64, 5.34, 5.42, 6.01,
]  # fmt: skip
X = [10.1, 9.7, 10.4, 9.9, 10.0, 10.3, 9.8, 14.2, 10.2]


def test_rosner_finds_the_three_outliers_of_its_handbook_example():
    found = rosner(ROSNER, 10)
    assert found.statistics == pytest.approx(
        [3.118, 2.942, 3.179, 2.810, 2.815, 2.848, 2.279, 2.310, 2.101, 2.067], abs=1.1e-3
    )
    assert found.critical == pytest.approx(
        [3.158, 3.151, 3.143, 3.136, 3.128, 3.120, 3.111, 3.103, 3.094, 3.085], abs=1e-3
    )
    assert found.count == 3
    assert sorted(ROSNER[place - 1] for place in found.outliers) == [5.34, 5.42, 6.01]


def test_grubbs_critical_values_are_the_printed_ones():
    """Grubbs 1969, one-sided 5 %; NIST e-Handbook for 8 values."""
    for n, value in ((3, 1.153), (5, 1.672), (8, 2.032), (10, 2.176), (20, 2.557)):
        assert grubbs_critical(n, side="max") == pytest.approx(value, abs=1e-3)
    assert grubbs(X).place == 8
    assert grubbs(X, side="min").outlier is False
    assert rosner(X, 1).critical[0] == pytest.approx(grubbs_critical(9))
    three = grubbs([1, 2, 3], alpha=0.05)
    assert 0 <= three.p <= 1


@functools.cache
def _draws():
    z = np.random.default_rng(17).normal(size=(20_000, 6))
    return np.abs(z - z.mean(axis=1)[:, None]).max(axis=1) / z.std(axis=1, ddof=1)


@pytest.mark.parametrize(("side", "right"), [("two-sided", True), ("max", False)])
def test_grubbs_errs_as_often_as_it_says(side, right):
    """The second line of the table shows that a one-sided critical value would be seen."""
    share = np.mean(_draws() > grubbs_critical(6, side=side))
    assert bool(abs(share - 0.05) <= 3 * (0.05 * 0.95 / 20_000) ** 0.5) is right


def test_dixon_critical_values_are_the_printed_ones():
    """Rorabacher 1991 (r10, two-sided 95 %), but for 6 values: printed 0.625, exact 0.6275."""
    printed = {3: 0.970, 4: 0.829, 5: 0.710, 7: 0.568, 8: 0.526, 9: 0.493, 10: 0.466}
    for n, value in printed.items():
        assert dixon_critical(n, ratio="r10") == pytest.approx(value, abs=1.1e-3)


@pytest.mark.parametrize(
    ("n", "name"), [(3, "r10"), (6, "r10"), (9, "r11"), (12, "r21"), (16, "r22")]
)
def test_dixon_critical_values_are_those_of_drawn_samples(n, name):
    x = np.sort(np.random.default_rng(1).normal(size=(40_000, n)), axis=1)
    over, other = RATIOS[name]
    r = (x[:, -1] - x[:, -1 - over]) / (x[:, -1] - x[:, other - 1])
    critical = dixon_critical(n, side="max", ratio=name)
    margin = 3 * (0.05 * 0.95 / 40_000) ** 0.5
    assert abs(np.mean(r > critical) - 0.05) <= margin
    assert abs(np.mean(r > critical * 0.97) - 0.05) > margin


def test_dixon_looks_at_both_ends():
    assert dixon(X).value == 14.2
    assert dixon([-one for one in X]).value == -14.2
    assert dixon(X, side="min").outlier is False
    found = dixon(X, side="max", alpha=0.01)
    assert dixon_critical(9, alpha=found.p, side="max") == pytest.approx(
        found.statistic.value, abs=1e-9
    )


def test_fences_stand_where_the_quartiles_say():
    found = tukey_fences([1, 2, 3, 4, 5, 6, 7, 8, 100])
    assert (found.quartiles, found.inner, found.outside) == ((3, 7), (-3, 13), (9,))
    assert tukey_fences([1, 2, 3, 4, 5, 6, 7, 8], quartiles="hinges").quartiles == (2.5, 6.5)
    assert tukey_fences([1, 2, 3, 4, 5, 6, 7], quartiles="hinges").quartiles == (2.5, 5.5)


def test_normality_agrees_with_statsmodels_and_scipy():
    squared, p = normal_ad(np.array(ROSNER))
    found = anderson_darling(ROSNER)
    assert (found.statistic.value, found.p) == pytest.approx((squared, p), rel=1e-9)
    w, p = stats.shapiro(ROSNER)
    assert (shapiro_wilk(ROSNER).statistic.value, shapiro_wilk(ROSNER).p) == pytest.approx((w, p))
    shifted = shapiro_wilk(np.array(ROSNER) * 1e-9 + 5)
    assert shifted.statistic.value == pytest.approx(w, rel=1e-5)
    assert "never" not in shifted.statistic.name


def test_anderson_darling_ps_join_where_their_pieces_meet():
    """Between pieces the published curves differ by less than 0.004; far out it stays a p."""
    normal = stats.norm.ppf((np.arange(1, 31) - 0.5) / 30)
    assert anderson_darling(normal).p > 0.99
    far = anderson_darling(np.append(np.linspace(0, 1e-6, 400), 1.0))
    assert 0 < far.p < 1e-10


def test_huber_and_algorithm_a_solve_their_equations():
    found = huber_proposal_2(X)
    k, mu, s = 1.5, found.location.value, found.scale.value
    pulled = np.clip((np.array(X) - mu) / s, -k, k)
    inside = 2 * special.ndtr(k) - 1
    beta = inside + k * k * (1 - inside) - 2 * k * stats.norm.pdf(k)
    assert pulled.sum() == pytest.approx(0, abs=1e-10)
    assert np.sum(pulled**2) / (len(X) - 1) == pytest.approx(beta, rel=1e-10)
    a = algorithm_a(X)
    w = np.clip(X, a.location.value - 1.5 * a.scale.value, a.location.value + 1.5 * a.scale.value)
    assert a.scale.value == pytest.approx(1.134 * np.std(w, ddof=1), rel=1e-10)
    assert a.location.value == pytest.approx(w.mean(), rel=1e-12)
    mean, scale = huber(np.array(X))
    assert (mean, scale) == pytest.approx((mu, s), rel=1e-3)
    assert 9.9 < huber_location(X).value < 10.3


def test_robust_scales_are_those_of_other_routes():
    assert mad(X).value == pytest.approx(stats.median_abs_deviation(X, scale="normal"))
    assert mad(X, scaled=False).value == pytest.approx(stats.median_abs_deviation(X))
    assert iqr(X, scaled=False).value == pytest.approx(stats.iqr(X))
    assert qn(ROSNER, correction="none").value == pytest.approx(
        qn_scale(np.array(ROSNER)), rel=1e-4
    )
    distances = sorted(abs(a - b) for a, b in itertools.combinations(X, 2))
    h = len(X) // 2 + 1
    raw = distances[math.comb(h, 2) - 1]
    assert qn(X, correction="1992").value == pytest.approx(2.2219 * 0.872 * raw)
    rows = [sorted(abs(a - b) for b in X)[len(X) // 2] for a in X]
    assert sn(X, corrected=False).value == pytest.approx(
        1.1926 * sorted(rows)[(len(X) + 1) // 2 - 1]
    )


@pytest.mark.parametrize("n", [5, 10, 25])
@pytest.mark.parametrize("scale", [qn, sn])
def test_robust_scales_estimate_sigma_in_small_samples(scale, n):
    """Without the small-sample factors these means would lie up to a third beside 1."""
    z = np.random.default_rng(2).normal(size=(1500, n))
    found = np.array([scale(row).value for row in z])
    assert abs(found.mean() - 1) <= 3 * found.std() / 1500**0.5 + 0.012


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=9, max_size=20, unique=True), st.randoms())
def test_estimates_move_with_the_data_and_know_no_order(values, random):
    x = np.array(values, dtype=float)
    mixed = random.sample(values, len(values))
    for one in (mad, iqr, qn, sn):
        assert one(3 * x + 7).value == pytest.approx(3 * one(x).value)
        assert one(mixed).value == pytest.approx(one(x).value)
    for one in (huber_proposal_2, algorithm_a):
        assert one(3 * x + 7).location.value == pytest.approx(
            3 * one(x).location.value + 7, abs=1e-8
        )
        assert one(mixed).scale.value == pytest.approx(one(x).scale.value)
    for test in (grubbs, shapiro_wilk, anderson_darling):
        assert test(3 * x + 7).p == pytest.approx(test(x).p, rel=1e-6, abs=1e-12)
        assert test(mixed).p == pytest.approx(test(x).p, rel=1e-6, abs=1e-12)


def test_mann_kendall_agrees_with_scipy_and_brute_force():
    y = [3, 1, 4, 2, 6, 5, 8, 7]
    found = mann_kendall(y)
    exact = stats.kendalltau(range(8), y, method="exact")
    assert (found.tau.value, found.exact_p) == pytest.approx((exact.statistic, exact.pvalue))
    tied, times = [1, 2, 2, 3, 3, 3, 5, 1], [0, 0, 1, 2, 2, 3, 4, 5]
    found = mann_kendall(tied, times)
    drawn = [mann_kendall(np.random.default_rng(k).permutation(tied), times).S for k in range(1500)]
    assert found.variance == pytest.approx(np.var(drawn), rel=0.12)
    assert found.exact_p is None
    assert found.tau.value == pytest.approx(stats.kendalltau(times, tied).statistic)
    assert mann_kendall(y[::-1]).S == -mann_kendall(y).S


def test_sen_slope_agrees_with_scipy():
    random, t = np.random.default_rng(7), np.arange(12.0)
    y = 0.4 * t + random.normal(size=12)
    found, theirs = sen_slope(y, t), stats.theilslopes(y, t, 0.95)
    assert (found.slope.value, found.intercept) == pytest.approx((theirs.slope, theirs.intercept))
    assert found.slope.lower == pytest.approx(theirs.low_slope, abs=0.05)
    rounded = sen_slope(y, t, ranks="rounded").slope
    assert (
        rounded.lower
        <= found.slope.lower
        <= found.slope.value
        <= found.slope.upper
        <= rounded.upper
    )


def test_runs_agree_with_statsmodels_and_with_all_orders():
    y = [1, 2, 9, 8, 1, 7, 2, 9, 8, 1.5]
    found = runs_test(y)
    assert (found.z, found.p) == pytest.approx(runstest_1samp(y, cutoff="median", correction=False))
    marks = [1] * found.above + [0] * found.below
    counts = [
        1 + sum(a != b for a, b in itertools.pairwise(order))
        for order in set(itertools.permutations(marks[2:8]))
    ]
    few = runs_test([1, 2, 2.5, 9, 10, 8])
    assert few.exact_p == pytest.approx(min(1, 2 * np.mean(np.array(counts) <= few.runs)))


METHODS = [shapiro_wilk, anderson_darling, grubbs, dixon, tukey_fences, huber_proposal_2,
           algorithm_a, huber_location, mad, iqr, qn, sn, mann_kendall, sen_slope, runs_test,
           lambda x: rosner(x, 2)]  # fmt: skip
NO_DATA = [[], [1], [np.nan, 1, 2, 3, 4, 5, 6, 7, 8], [1, 2, np.inf] * 4, ["a"] * 9,
           [1e200, 1, 2] * 4, [[1, 2], [3, 4]]]  # fmt: skip


@pytest.mark.parametrize(("call", "data"), [*itertools.product(METHODS, NO_DATA)])
def test_what_is_no_data_is_refused(call, data):
    with pytest.raises((NotEstimable, InvalidInput)):
        call(data)


@pytest.mark.parametrize("call", [shapiro_wilk, anderson_darling, grubbs, dixon, huber_proposal_2,
                                  algorithm_a, mad, mann_kendall, runs_test,
                                  lambda x: rosner(x, 2)])  # fmt: skip
def test_values_all_equal_are_refused(call):
    with pytest.raises((NotEstimable, InvalidInput)):
        call([0.1 + 0.2] * 5 + [0.3] * 5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: grubbs(X, side="left"),
        lambda: grubbs(X, alpha=5),
        lambda: rosner(X, 0),
        lambda: rosner(X, 7),
        lambda: dixon(X, ratio="r99"),
        lambda: dixon_critical(3, ratio="r22"),
        lambda: dixon_critical(101),
        lambda: tukey_fences(X, k=0),
        lambda: huber_proposal_2(X, k=-1),
        lambda: algorithm_a([1, 1, 1, 1, 2, 3]),
        lambda: mann_kendall(X, [1, 2]),
        lambda: sen_slope(X, [1] * 9),
        lambda: runs_test(X, centre=99),
    ],
)
def test_a_wrong_question_is_refused(call):
    with pytest.raises((NotEstimable, InvalidInput)):
        call()
