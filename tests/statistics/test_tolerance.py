"""Tolerance and prediction: published factors, a second route, coverage by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.nested_anova import nested_components
from batchqc.statistics.nonparametric_tolerance import (
    achieved_confidence,
    nonparametric_tolerance,
    quantile_interval,
    wilks_n,
)
from batchqc.statistics.prediction import (
    future_sd_interval,
    nonparametric_prediction,
    prediction_factor,
    prediction_interval,
)
from batchqc.statistics.tolerance import Summary, random_effects_tolerance, tolerance_interval
from batchqc.statistics.tolerance_factors import one_sided_factor, two_sided_factor


@pytest.mark.parametrize(
    ("n", "content", "conf", "k"),
    [  # ISO 16269-6:2014 and Odeh and Owen 1980, unknown mean and standard deviation.
        (2, 0.95, 0.95, 36.5193),
        (2, 0.99, 0.99, 234.877),
        (10, 0.90, 0.95, 2.8563),
        (43, 0.90, 0.99, 2.22283),
    ],
)
def test_two_sided_factors_are_those_of_the_exact_tables(n, content, conf, k):
    assert two_sided_factor(n, content=content, conf=conf) == pytest.approx(k, rel=2e-5)


@pytest.mark.parametrize(("n", "df"), [(2, 1), (5, 4), (10, 30), (40, 7)])
def test_the_two_sided_factor_has_its_confidence_by_another_integral(n, df):
    k = two_sided_factor(n, content=0.9, conf=0.95, df=df)

    # At each quantile of s: how far the mean may lie off, by bisection; then P of that.
    s = np.sqrt(stats.chi2.ppf((np.arange(2000) + 0.5) / 2000, df) / df)
    low, high = np.zeros_like(s), 40.0 + k * s
    for _ in range(100):
        z = (low + high) / 2
        inside = special.ndtr(z + k * s) - special.ndtr(z - k * s)
        low, high = np.where(inside > 0.9, z, low), np.where(inside > 0.9, high, z)
    covers = np.where(
        2 * special.ndtr(k * s) - 1 < 0.9, 0, 2 * special.ndtr(low * math.sqrt(n)) - 1
    )
    assert np.mean(covers) == pytest.approx(0.95, abs=2e-4)


@pytest.mark.parametrize(("n", "df"), [(3, 2), (10, 30), (500, 499)])
def test_the_one_sided_factor_has_its_confidence_by_another_integral(n, df):
    k = one_sided_factor(n, content=0.95, conf=0.9, df=df)
    z = stats.norm.ppf(0.95)

    def density(square: float) -> float:
        reach = k * math.sqrt(square / df) - z
        return stats.norm.cdf(reach * math.sqrt(n)) * stats.chi2.pdf(square, df)

    top = stats.chi2.isf(1e-13, df)
    found = integrate.quad(density, 0, top, limit=400, points=[df])[0]
    assert found == pytest.approx(0.9, abs=1e-7)


@pytest.mark.parametrize(("stretch", "holds"), [(1.0, True), (0.85, False)])
@pytest.mark.parametrize("side", ["two-sided", "lower"])
def test_intervals_cover_their_content_as_often_as_they_say(side, stretch, holds):
    draws, n = 4000, 12
    sample = np.random.default_rng(3).normal(size=(draws, n))
    mean, sd = sample.mean(axis=1), sample.std(axis=1, ddof=1)
    factor = two_sided_factor if side == "two-sided" else one_sided_factor
    reach = stretch * factor(n, content=0.9, conf=0.95) * sd
    above = stats.norm.cdf(mean + reach) if side == "two-sided" else 1.0
    covered = np.mean(above - stats.norm.cdf(mean - reach) >= 0.9)
    margin = 3 * math.sqrt(0.95 * 0.05 / draws)
    assert (abs(covered - 0.95) <= margin) == holds


def test_approximate_factors_are_near_the_exact_one_and_those_of_nist():
    at = {"content": 0.9, "conf": 0.99}
    assert two_sided_factor(43, **at, method="howe") == pytest.approx(2.217, abs=5e-4)
    assert one_sided_factor(43, **at, method="natrella") == pytest.approx(1.8752, abs=5e-5)
    for method in ("howe", "guenther", "weissberg-beatty"):
        rough = two_sided_factor(43, **at, method=method)
        assert rough == pytest.approx(two_sided_factor(43, **at), rel=5e-3)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 100), st.floats(-100, 100))
def test_intervals_follow_unit_and_zero_of_the_scale(scale, shift):
    x = np.array([4.1, 5.2, 3.9, 4.8, 5.5, 4.4])
    plain, moved = tolerance_interval(x).limits, tolerance_interval(scale * x + shift).limits
    assert moved.lower == pytest.approx(scale * plain.lower + shift, rel=1e-6, abs=1e-7)
    assert moved.upper == pytest.approx(scale * plain.upper + shift, rel=1e-6, abs=1e-7)


def test_lognormal_limits_are_those_of_the_logarithms():
    x = np.array([0.97, 1.12, 0.88, 1.31, 1.05, 0.79])
    found, logs = tolerance_interval(x, scale="ln").limits, tolerance_interval(np.log(x)).limits
    assert (found.lower, found.upper) == pytest.approx((math.exp(logs.lower), math.exp(logs.upper)))
    with pytest.raises(InvalidInput):
        tolerance_interval([0.0, 1.0, 2.0], scale="ln")


@pytest.mark.parametrize(
    ("content", "conf", "out", "n"),
    [(0.95, 0.95, 2, 93), (0.99, 0.95, 1, 299), (0.95, 0.95, 3, 124), (0.9, 0.9, 1, 22)],
)
def test_wilks_sizes_are_the_least_that_reach_the_confidence(content, conf, out, n):
    assert wilks_n(content=content, conf=conf, left_out=out) == n
    assert achieved_confidence(n, content=content, left_out=out) >= conf
    assert achieved_confidence(n - 1, content=content, left_out=out) < conf


def test_order_statistics_leave_out_as_many_as_the_confidence_allows():
    x = np.random.default_rng(0).permutation(np.arange(1.0, 201.0))
    found = nonparametric_tolerance(x, content=0.9, conf=0.95)
    low, high = found.ranks
    assert (found.limits.lower, found.limits.upper) == (low, high)
    reached = stats.binom.cdf(high - low - 1, 200, 0.9)
    assert found.limits.confidence == pytest.approx(reached)
    assert reached >= 0.95 > stats.binom.cdf(high - low - 2, 200, 0.9)
    assert nonparametric_tolerance(x, content=0.9, side="upper").limits.lower is None
    with pytest.raises(NotEstimable, match="93"):
        nonparametric_tolerance(x[:92])


def test_the_interval_of_the_median_is_that_of_the_sign_test():
    found = quantile_interval(np.arange(1.0, 11.0))
    assert found.ranks == (2, 9)
    assert found.limits.confidence == pytest.approx(1 - 2 * 11 / 1024)
    with pytest.raises(NotEstimable):
        quantile_interval([1.0, 2.0, 3.0])


def test_one_future_value_is_the_t_interval():
    k = prediction_factor(10, conf=0.9)
    assert k == pytest.approx(stats.t.ppf(0.95, 9) * math.sqrt(1.1), rel=1e-12)
    mean_of_4 = prediction_factor(10, conf=0.9, mean_of=4)
    assert mean_of_4 == pytest.approx(stats.t.ppf(0.95, 9) * math.sqrt(1 / 10 + 1 / 4))


@pytest.mark.parametrize(("side", "future"), [("upper", 3), ("two-sided", 5)])
def test_joint_factors_are_those_of_the_multivariate_t(side, future):
    # Future values less the mean, over s: correlation (1/n) / (1 + 1/n) between each two.
    n, k = 8, prediction_factor(8, future=future, side=side)
    shape = np.full((future, future), 1 / n) + np.eye(future)
    t = stats.multivariate_t(shape=shape, df=n - 1, seed=1)
    low = None if side == "upper" else np.full(future, -k)
    found = t.cdf(np.full(future, k), lower_limit=low, maxpts=200_000)
    assert found == pytest.approx(0.95, abs=2e-4)
    bonferroni = prediction_factor(8, future=future, side=side, method="bonferroni")
    assert k < bonferroni


@pytest.mark.parametrize(("stretch", "holds"), [(1.0, True), (0.8, False)])
def test_the_retest_rule_holds_as_stated(stretch, holds):
    # One of two within the upper limit, on each of 5 occasions.
    draws, n = 6000, 10
    rng = np.random.default_rng(5)
    past = rng.normal(size=(draws, n))
    k = stretch * prediction_factor(n, side="upper", future=2, at_least=1, occasions=5)
    limit = past.mean(axis=1) + k * past.std(axis=1, ddof=1)
    least = rng.normal(size=(draws, 5, 2)).min(axis=2).max(axis=1)
    margin = 3 * math.sqrt(0.95 * 0.05 / draws)
    assert (abs(np.mean(least <= limit) - 0.95) <= margin) == holds


def test_prediction_without_a_distribution_counts_orders():
    assert nonparametric_prediction(19) == pytest.approx(0.95)
    assert nonparametric_prediction(20, future=3) == pytest.approx(20 / 23)
    assert nonparametric_prediction(20, future=1, left_out=2) == pytest.approx(19 / 21)
    # All of m above the limit: C(m + ...) by counting orders of 4 past and 2 future values.
    assert nonparametric_prediction(4, future=2, at_least=1) == pytest.approx(1 - 2 / (6 * 5))


def test_the_future_standard_deviation_is_of_f():
    found = future_sd_interval(2.0, df=9, future=5)
    assert found.upper == pytest.approx(2 * math.sqrt(stats.f.ppf(0.975, 4, 9)))


def test_tolerance_with_random_donors_covers_about_as_stated_and_a_narrower_one_does_not():
    draws, donor = 150, np.repeat(np.arange(10), 3)
    rng, found = np.random.default_rng(9), []
    for _ in range(draws):
        y = rng.normal(size=10)[donor] + rng.normal(size=30)
        found.append(random_effects_tolerance(nested_components(y, {"donor": donor}), content=0.9))
    centre = np.array([one.limits.value for one in found])
    reach = np.array([one.limits.upper for one in found]) - centre
    margin = 3 * math.sqrt(0.95 * 0.05 / draws)
    for stretch, holds in ((1.0, True), (0.7, False)):
        low, high = ((centre + sign * stretch * reach) / math.sqrt(2) for sign in (-1, 1))
        covered = np.mean(special.ndtr(high) - special.ndtr(low) >= 0.9)
        assert (abs(covered - 0.95) <= margin) == holds


def test_tolerance_of_few_donors_is_refused():
    with pytest.raises(NotEstimable):
        random_effects_tolerance(nested_components([1.0, 2, 4, 5], {"donor": [1, 1, 2, 2]}))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: tolerance_interval([]), NotEstimable),
        (lambda: tolerance_interval([1.0]), NotEstimable),
        (lambda: tolerance_interval([1.0, 1.0, 1.0]), NotEstimable),
        (lambda: tolerance_interval([1.0, None]), InvalidInput),
        (lambda: tolerance_interval([1.0, 2.0], content=95), InvalidInput),
        (lambda: tolerance_interval([1.0, 2.0], conf=1.0), InvalidInput),
        (lambda: tolerance_interval([1.0, 2.0], side="left"), InvalidInput),
        (lambda: tolerance_interval(Summary(1, 0, 5, 4)), InvalidInput),
        (lambda: two_sided_factor(1, content=0.9, conf=0.9), NotEstimable),
        (lambda: one_sided_factor(0, content=0.9, conf=0.9), InvalidInput),
        (lambda: one_sided_factor(2, content=0.9, conf=0.99, method="natrella"), NotEstimable),
        (lambda: prediction_factor(1), NotEstimable),
        (lambda: prediction_factor(5, future=2, at_least=3), InvalidInput),
        (lambda: prediction_factor(5, wrong=1), InvalidInput),
        (lambda: prediction_interval([2.0]), NotEstimable),
        (lambda: tolerance_interval([1e-99, 1e99], scale="ln"), NotEstimable),
        (lambda: prediction_interval([1e-99, 1e99], scale="ln"), NotEstimable),
        (lambda: wilks_n(content=0.9, conf=0.9, left_out=0), InvalidInput),
        (lambda: nonparametric_prediction(0), InvalidInput),
    ],
)
def test_what_allows_no_interval_is_refused(call, error):
    with pytest.raises(error):
        call()
