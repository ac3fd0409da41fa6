"""Censored results: the likelihood by another route, profiles, ranks, coverage, refusals."""

import functools
import math

import numpy as np
import pytest
from scipy import optimize, stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.censored import censored_quantile, censored_regression, censored_summary
from batchqc.statistics.censored_likelihood import (
    above,
    below,
    between,
    log_share,
    loglik,
    maximise,
)
from batchqc.statistics.censored_ranks import exceedance, kaplan_meier, plotting_positions, ros

X = [0.05, 0.05, 0.12, 0.31, 0.08, 0.1, 0.1, 0.22, 0.05, 0.17]
LOW = [True, True, False, False, False, True, True, False, True, False]


def test_the_maximum_is_that_of_scipy_with_censored_data():
    data = stats.CensoredData.left_censored(np.log(X), LOW)
    mu, sigma = stats.norm.fit(data)
    found = censored_summary(below(X, LOW))
    assert found.mu.value == pytest.approx(mu, abs=2e-4)
    assert found.sigma.value == pytest.approx(sigma, abs=2e-4)


def _height(data, mu, sigma):
    seen, hidden = data.measured, ~data.measured
    return (stats.norm.logpdf(data.lower[seen], mu, sigma).sum()
            + np.log(stats.norm.cdf(data.upper[hidden], mu, sigma)
                     - stats.norm.cdf(data.lower[hidden], mu, sigma)).sum())  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        below(X, LOW),
        above([3.0, 5, 8, 10, 10, 10, 7], [0, 0, 0, 1, 1, 1, 0]),
        between([1, 2, None, 4, 3.5, 2], [2, 3, 1.5, None, 3.5, 2.0]),
        between([1, 2, 3, 2], [2, 3, 4, 2.5]),
    ],
)
def test_the_maximum_is_flat_and_its_curvature_gives_the_errors(data):
    found = maximise(data, np.ones((data.n, 1)))
    mu, sigma = found.coefficients[0], found.sigma
    assert found.loglik == pytest.approx(_height(data, mu, sigma), abs=1e-8)
    step = 1e-4 * sigma
    points = {
        (i, j): _height(data, mu + i * step, sigma + j * step)
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
    }
    assert max(points.values()) == points[0, 0]
    second = [points[1, 0] + points[-1, 0] - 2 * points[0, 0],
              (points[1, 1] - points[1, -1] - points[-1, 1] + points[-1, -1]) / 4,
              points[0, 1] + points[0, -1] - 2 * points[0, 0]]  # fmt: skip
    information = -np.array([[second[0], second[1]], [second[1], second[2]]]) / step**2
    assert np.linalg.inv(information) == pytest.approx(found.covariance, rel=2e-3)


def test_profile_ends_lie_where_the_best_likelihood_has_fallen_by_the_quantile():
    found, data = censored_summary(below(X, LOW)), below(X, LOW).logarithms()
    top = found.loglik + math.fsum(data.lower[data.measured])
    fall = stats.chi2.ppf(0.95, 1) / 2
    for end in (found.mean.lower, found.mean.upper):
        best = optimize.minimize_scalar(
            lambda s, end=end: -_height(data, math.log(end) - s * s / 2, s), bounds=(0.05, 9)
        )
        assert top + best.fun == pytest.approx(fall, abs=1e-6)
    z = stats.norm.ppf(0.9)
    quantile = censored_quantile(below(X, LOW), 0.9)
    assert quantile.value == pytest.approx(math.exp(found.mu.value + z * found.sigma.value))
    for end in (quantile.lower, quantile.upper):
        best = optimize.minimize_scalar(
            lambda s, end=end: -_height(data, math.log(end) - z * s, s), bounds=(0.05, 9)
        )
        assert top + best.fun == pytest.approx(fall, abs=1e-6)


def test_without_censoring_it_is_the_plain_maximum_likelihood():
    x = [1.2, 3.4, 2.2, 5.0, 2.9]
    found = censored_summary(below(x, [0] * 5), distribution="normal")
    assert found.mean.value == pytest.approx(np.mean(x))
    assert found.sigma.value == pytest.approx(np.std(x))
    half = found.mean.upper - found.mean.value
    assert half == pytest.approx(
        np.std(x) * math.sqrt(math.expm1(stats.chi2.ppf(0.95, 1) / 5)), rel=1e-6
    )
    assert ros(x, [0] * 5).mean.value == pytest.approx(np.mean(x))
    km = kaplan_meier(x, [0] * 5)
    assert km.mean.value == pytest.approx(np.mean(x))
    assert km.sd == pytest.approx(np.std(x, ddof=1))


def test_scale_and_order_do_not_matter():
    one = censored_summary(below(X, LOW))
    two = censored_summary(below(np.array(X)[::-1] * 1e6, LOW[::-1]))
    assert two.mean.value == pytest.approx(one.mean.value * 1e6, rel=1e-9)
    assert two.mean.upper == pytest.approx(one.mean.upper * 1e6, rel=1e-6)
    assert kaplan_meier(np.array(X) * 10, LOW).mean.value == pytest.approx(
        10 * kaplan_meier(X, LOW).mean.value
    )
    right = above(-np.array(X), LOW)
    left = below(X, LOW)
    assert censored_summary(right, distribution="normal").mu.value == pytest.approx(
        -censored_summary(left, distribution="normal").mu.value, rel=1e-9
    )


def test_regression_without_censoring_is_least_squares():
    x = np.arange(8.0)
    y = 2 + 0.5 * x + np.array([0.1, -0.2, 0.3, 0, -0.1, 0.2, -0.3, 0])
    (start, slope, sigma), _ = censored_regression(x, below(y, [0] * 8), distribution="normal")
    line = stats.linregress(x, y)
    assert (start.value, slope.value) == pytest.approx((line.intercept, line.slope), rel=1e-9)
    assert sigma.value == pytest.approx(np.sqrt(np.mean((y - start.value - slope.value * x) ** 2)))


def test_regression_with_censoring_finds_the_top_of_the_likelihood():
    random, x = np.random.default_rng(6), np.linspace(0, 5, 30)
    y = 1 + 0.8 * x + 0.7 * random.normal(size=30)
    data = below(np.maximum(y, 2.0), y < 2.0)
    (start, slope, sigma), best = censored_regression(x, data, distribution="normal")
    fit = optimize.minimize(
        lambda p: -(stats.norm.logpdf(data.upper, p[0] + p[1] * x, p[2])[data.measured].sum()
                    + stats.norm.logcdf(2.0, (p[0] + p[1] * x)[~data.measured], p[2]).sum()),
        [1, 1, 1], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000},
    )  # fmt: skip
    assert [start.value, slope.value, sigma.value] == pytest.approx(fit.x, rel=1e-5)
    assert best.loglik == pytest.approx(-fit.fun, abs=1e-9)


def test_a_share_far_in_a_tail_keeps_its_digits():
    low, high = np.array([30.0, -31.0]), np.array([31.0, -30.0])
    assert log_share(low, high) == pytest.approx([stats.norm.logsf(30)] * 2, rel=1e-9)


def test_plotting_positions_of_one_limit_are_those_of_the_formula():
    values, hidden = np.array([1.0, 1, 2, 3, 4]), [True, True, False, False, False]
    above_share = 3 / 5
    expected = [0.4 / 3, 0.8 / 3, 0.4 + 0.6 / 4, 0.4 + 1.2 / 4, 0.4 + 1.8 / 4]
    assert plotting_positions(values, hidden) == pytest.approx(expected)
    assert above_share == 1 - 0.4


def test_all_censored_has_a_bound_and_nothing_else():
    x, hidden = [0.05] * 20, [True] * 20
    assert exceedance(x, hidden, 0.05).upper == pytest.approx(1 - 0.05 ** (1 / 20))
    for call in (lambda: censored_summary(below(x, hidden)), lambda: kaplan_meier(x, hidden),
                 lambda: ros(x, hidden)):  # fmt: skip
        with pytest.raises(NotEstimable):
            call()


def test_a_limit_above_the_question_is_undecided():
    found = exceedance([0.5, 0.1, 0.3], [True, True, False], 0.2)
    assert found.value == pytest.approx(1 / 3)
    assert found.upper == pytest.approx(stats.beta.ppf(0.95, 3, 1))
    assert "undecided" in found.limitations[0]


@functools.cache
def _falls():
    """Twice the fall of the likelihood to the true mean, for 300 samples, a third censored."""
    random, found = np.random.default_rng(21), []
    for _ in range(300):
        y = random.normal(size=15)
        data = below(np.maximum(y, -0.4), y < -0.4)
        best = maximise(data, np.ones((15, 1)))
        at = optimize.minimize_scalar(
            lambda s, d=data: -loglik(d, np.zeros(15), s), bounds=(0.1, 9)
        )
        found.append((data, 2 * (best.loglik + at.fun)))
    return found


def test_the_interval_holds_a_mean_where_the_likelihood_has_fallen_less():
    for data, fall in _falls()[:4]:
        mu = censored_quantile(data, 0.5, distribution="normal")
        assert (mu.lower <= 0 <= mu.upper) == (fall <= stats.chi2.ppf(0.95, 1))


@pytest.mark.parametrize(("level", "right"), [(0.95, True), (0.8, False)])
def test_profile_intervals_hold_the_truth_nearly_as_often_as_they_say(level, right):
    """Likelihood intervals of 15 values are a little short (2.5 points are allowed for it).

    The second line of the table shows that a wrong quantile would be seen.
    """
    share = np.mean([fall <= stats.chi2.ppf(level, 1) for _, fall in _falls()])
    margin = 3 * (0.05 * 0.95 / 300) ** 0.5
    assert bool(0.95 - 0.025 - margin <= share <= 0.95 + margin) is right


def test_few_measured_values_are_said():
    found = censored_summary(below([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3], [1] * 11 + [0] * 2))
    assert len(found.mean.limitations) == 2


@pytest.mark.parametrize(
    "call",
    [
        lambda: censored_summary(below([], [])),
        lambda: censored_summary(below([1, 2], [True, False])),
        lambda: censored_summary(below([1, 1, 1], [False] * 3)),
        lambda: censored_summary(below([1, 2, 2, 2], [True, False, False, False])),
        lambda: censored_summary(below([1, -2, 3], [False] * 3)),
        lambda: below([1, 2], [True]),
        lambda: below([1, 2], [2, 3]),
        lambda: between([2], [1]),
        lambda: between([None], [None]),
        lambda: between(["a"], [1]),
        lambda: censored_summary(below([1, 2, None], [False] * 3)),
        lambda: censored_regression([1, 1, 1, 1], below([1, 2, 3, 4], [0] * 4)),
        lambda: censored_regression([1, 2, 3], below([1, 2, 3, 4], [0] * 4)),
        lambda: censored_quantile(below(X, LOW), 1.0),
        lambda: exceedance([], [], 1),
        lambda: exceedance([1], [0], np.inf),
        lambda: ros([1, 2, 3, 0], [0, 0, 0, 0]),
        lambda: censored_summary(below(X, LOW), distribution="weibull"),
    ],
)
def test_what_says_nothing_is_refused(call):
    with pytest.raises((NotEstimable, InvalidInput)):
        call()
