"""Equivalence, variance ratios and quality ranges: published values, brute force, error rates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from statsmodels.stats.weightstats import ttost_ind, ttost_paired

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.equivalence import Group, one_sample, paired, two_groups, two_sample
from batchqc.statistics.equivalence_power import (
    Design,
    detectable_margin,
    pairs_needed,
    power,
    values_needed,
)
from batchqc.statistics.mean_ratio import fieller, ratio_of_means
from batchqc.statistics.precision_ratio import variance_ratio, variance_ratio_of
from batchqc.statistics.quality_range import pass_probability, quality_range

A = [100.5, 106.9, 106, 105.1, 109, 91.5, 108.8, 101.7, 105.4]
B = [115.7, 94.8, 97.8, 99.5, 96.2, 96.3, 106.5, 101.3, 102.9]


@pytest.mark.parametrize("pooled", [True, False])
def test_two_samples_agree_with_statsmodels(pooled):
    found = two_sample(A, B, (-7, 9), pooled=pooled)
    p, lower, upper = ttost_ind(
        np.array(A), np.array(B), -7, 9, usevar="pooled" if pooled else "unequal"
    )
    assert (found.p, found.p_lower, found.p_upper) == pytest.approx(
        (p, lower[1], upper[1]), rel=1e-9
    )
    assert found.difference.df == pytest.approx(lower[2], rel=1e-9)


def test_pairs_and_one_sample_agree_with_statsmodels_on_both_scales():
    p, *_ = ttost_paired(np.array(A), np.array(B), -8, 8)
    assert paired(A, B, 8).p == pytest.approx(p, rel=1e-9)
    p, *_ = ttost_paired(np.array(A), np.array(B), 0.8, 1.25, transform=np.log)
    found = paired(A, B, 1.25, log=True)
    assert found.p == pytest.approx(p, rel=1e-9)
    assert found.ratio.value == pytest.approx(stats.gmean(A) / stats.gmean(B), rel=1e-12)
    assert one_sample(np.subtract(A, B), 0, 8).p == pytest.approx(paired(A, B, 8).p, rel=1e-12)
    assert one_sample(A, 100, (0.8, 1.25), log=True).ratio.value == pytest.approx(
        stats.gmean(A) / 100
    )


@pytest.mark.parametrize("pooled", [True, False])
def test_means_and_sds_say_as_much_as_the_values(pooled):
    groups = [Group(np.mean(x), np.std(x, ddof=1), len(x)) for x in (A, B[:7])]
    found = two_groups(*groups, 8, pooled=pooled)
    assert found.p == pytest.approx(two_sample(A, B[:7], 8, pooled=pooled).p, rel=1e-10)
    with pytest.raises(InvalidInput):
        two_groups(Group(1, -1, 3), Group(1, 1, 3), 1)
    with pytest.raises(NotEstimable):
        two_groups(Group(1, 1, 3), Group(1, 1, 1), 1)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(50, 150), min_size=3, max_size=9), st.floats(0.5, 20))
def test_the_tests_reject_where_the_interval_lies_inside(values, margin):
    if len(set(values)) < 2:
        return
    found = one_sample(values, 100, margin)
    inside = -margin < found.difference.lower and found.difference.upper < margin
    assert found.equivalent == inside
    turned = one_sample([200 - one for one in values], 100, margin)
    assert turned.p == pytest.approx(found.p, rel=1e-6, abs=1e-12)


def test_swapped_roles_turn_the_ratio_round():
    one, other = two_sample(A, B, 1.25, log=True), two_sample(B, A, 1.25, log=True)
    assert one.ratio.value * other.ratio.value == pytest.approx(1)
    assert one.ratio.lower * other.ratio.upper == pytest.approx(1)


def test_detectable_margins_are_those_published():
    """Figures of the method notes (statistics.md, 4.14), found there by simulation."""
    for n, margin in ((3, 2.66), (4, 1.94), (5, 1.60), (6, 1.40), (8, 1.15), (10, 1.00)):
        assert detectable_margin(Design(n)).value == pytest.approx(margin, abs=0.0052)
    assert detectable_margin(Design(3, 20)).value == pytest.approx(1.87, abs=0.005)
    assert detectable_margin(Design(10, 50)).value == pytest.approx(1.03, abs=0.005)


def _power_by_quad(design, margin, sd, off, alpha):
    df, se = design.df, sd * design.se
    t = stats.t.isf(alpha, df)

    def at(u):
        density = 2 * df * u * stats.chi2.pdf(df * u * u, df)
        high, low = (margin - off) / se - t * u, (-margin - off) / se + t * u
        return density * max(stats.norm.cdf(high) - stats.norm.cdf(low), 0)

    return integrate.quad(at, 0, margin / se / t, limit=400, epsabs=1e-12)[0]


@pytest.mark.parametrize(
    ("design", "margin", "sd", "off"),
    [
        (Design(2), 9, 1, 0),
        (Design(6), 1.4, 1, 0.3),
        (Design(4, 9), 2, 1.5, -0.4),
        (Design(60), 0.3, 1, 0),
    ],
)
def test_power_agrees_with_adaptive_integration(design, margin, sd, off):
    expected = _power_by_quad(design, margin, sd, off, 0.05)
    assert power(design, margin, sd, difference=off).value == pytest.approx(expected, abs=1e-8)


def test_sample_sizes_are_the_smallest_that_reach_the_power():
    n = int(pairs_needed(1.0, 1.0, difference=0.1).value)
    assert power(Design(n), 1.0, 1.0, difference=0.1).value >= 0.8
    assert power(Design(n - 1), 1.0, 1.0, difference=0.1).value < 0.8
    m = int(values_needed(1.0, 1.0).value)
    assert power(Design(m, m), 1, 1).value >= 0.8 > power(Design(m - 1, m - 1), 1, 1).value
    with pytest.raises(NotEstimable):
        pairs_needed(1.0, 1.0, difference=1.0)


def _false_equivalences(factor):
    """Of 4000 comparisons of groups that truly differ by the margin."""
    random = np.random.default_rng(3)
    a, b = random.normal(1.0, 1, (4000, 12)), random.normal(0, 1, (4000, 12))
    se = np.sqrt(a.var(axis=1, ddof=1) / 12 + b.var(axis=1, ddof=1) / 12)
    welch = [two_sample(x, y, 1.0).difference for x, y in zip(a[:300], b[:300], strict=True)]
    assert [one.value for one in welch] == pytest.approx(list((a - b).mean(axis=1)[:300]))
    half = np.array([one.upper - one.value for one in welch])
    ratio = half / se[:300]
    upper = (a - b).mean(axis=1) + se * ratio.mean() * factor
    return np.mean(upper < 1.0)


def test_tost_claims_false_equivalence_as_rarely_as_it_says():
    assert _false_equivalences(1.0) <= 0.05 + 3 * (0.05 * 0.95 / 4000) ** 0.5


def test_a_wrong_factor_would_be_seen():
    assert _false_equivalences(0.75) > 0.05 + 3 * (0.05 * 0.95 / 4000) ** 0.5


def test_ratio_of_means_holds_where_the_numerator_test_does():
    """Limits are where t of ``mean a - ratio * mean b`` meets its quantile."""
    found = ratio_of_means(A, B, pooled=True)
    n, m = len(A), len(B)
    s2 = ((n - 1) * np.var(A, ddof=1) + (m - 1) * np.var(B, ddof=1)) / (n + m - 2)
    for end in (found.lower, found.upper):
        t = (np.mean(A) - end * np.mean(B)) / np.sqrt(s2 * (1 / n + end**2 / m))
        assert abs(t) == pytest.approx(stats.t.ppf(0.95, n + m - 2), rel=1e-9)
    pairs = ratio_of_means(A, B, pairs=True)
    for end in (pairs.lower, pairs.upper):
        off = np.subtract(A, end * np.array(B))
        assert abs(stats.ttest_1samp(off, 0).statistic) == pytest.approx(
            stats.t.ppf(0.95, n - 1), rel=1e-9
        )


def test_fieller_is_the_reference_run_and_refuses_what_is_unbounded():
    low, high = fieller(1.2, 2.0, (0.04, 0.01, 0.09), 2.1)
    assert (low, high) == pytest.approx((0.376677591286008, 0.931029660802471), rel=1e-12)
    with pytest.raises(NotEstimable, match="unbounded"):
        fieller(1.2, 0.5, (0.04, 0.01, 0.09), 2.1)


def test_variance_ratio_has_its_sides_and_turns_round():
    both = variance_ratio(A, B)
    upper = variance_ratio(A, B, confidence=0.95, side="upper").ratio
    assert upper.lower is None
    assert upper.upper == pytest.approx(both.ratio.upper, rel=1e-12)
    turned = variance_ratio(B, A).ratio
    assert turned.lower == pytest.approx(1 / both.ratio.upper, rel=1e-12)
    assert variance_ratio_of(4.0, 2.0, df=(9, 9)).sd_ratio.value == pytest.approx(2**0.5)


def _pass_by_draws(n, m, k, shift):
    random = np.random.default_rng(8)
    old, new = random.normal(size=(20_000, n)), random.normal(shift, 1, size=(20_000, m))
    off = np.abs(new - old.mean(axis=1)[:, None]) <= k * old.std(axis=1, ddof=1)[:, None]
    return np.mean(off.all(axis=1))


@pytest.mark.parametrize(("n", "m", "k", "shift"), [(5, 3, 3, 0), (10, 6, 2, 1), (20, 10, 3, 2)])
def test_the_operating_characteristic_is_what_drawing_lots_gives(n, m, k, shift):
    value = pass_probability(n, m, k=k, shift=shift).value
    margin = 3 * (value * (1 - value) / 20_000) ** 0.5
    assert abs(_pass_by_draws(n, m, k, shift) - value) <= margin
    wrong = pass_probability(n, m, k=k * 0.9, shift=shift).value
    assert abs(_pass_by_draws(n, m, k, shift) - wrong) > margin


def test_a_quality_range_says_how_easily_it_is_passed():
    found = quality_range(B, [*A, 200])
    assert found.outside == (10,)
    assert found.share.value == pytest.approx(0.9)
    assert "probability" in found.share.limitations[0]


@pytest.mark.parametrize(
    ("call", "args"),
    [
        (two_sample, ([], [1, 2], 1)), (two_sample, ([1], [1, 2], 1)),
        (two_sample, ([1, 1], [1, 1], 1)),
        (two_sample, ([1, 2], [1, None], 1)), (two_sample, (A, B, 0)), (two_sample, (A, B, (2, 1))),
        (two_sample, (A, B, -3)), (paired, ([1, 2, 3], [1, 2], 1)), (paired, ([1, 2], [2, 3], 1)),
        (one_sample, ([5, 5, 5], 5, 1)), (one_sample, ([1, 2], np.inf, 1)),
        (ratio_of_means, (A, [-1, 1, 2, -2])), (ratio_of_means, (A, [0, 0, 0])),
        (variance_ratio, ([1, 1, 1], B)), (variance_ratio, ([1], B)),
        (quality_range, ([1, 1, 1], A)),
        (quality_range, (A, [])), (power, (Design(1), 1, 1)), (power, (Design(5), 1, 0)),
        (power, (Design(5), 1, np.nan)), (pass_probability, (1, 5)),
        (variance_ratio_of, (1.0, 0.0)),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(call, args):
    options = {"df": (4, 4)} if call is variance_ratio_of else {}
    with pytest.raises((NotEstimable, InvalidInput)):
        call(*args, **options)


def test_a_logarithm_of_what_is_not_positive_is_refused():
    with pytest.raises(InvalidInput, match="logarithm"):
        two_sample(A, [1, 0, 2], 1.25, log=True)
