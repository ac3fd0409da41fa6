"""Capability: published values, distributions by other routes, coverage by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.capability import SpecLimits, capability
from batchqc.statistics.capability_limits import (
    bissell_interval,
    cpk_interval,
    cpm_interval,
    needed_index,
    one_sided_bound,
)
from batchqc.statistics.johnson import SCORE, fit_johnson
from batchqc.statistics.nonnormal_capability import HIGH, LOW, fit, known, percentile_capability
from batchqc.statistics.pearson import Pearson
from batchqc.statistics.precision import geometric_summary, intermediate_precision
from batchqc.statistics.tolerance import Summary


def test_cpm_of_the_nist_example():
    # NIST e-Handbook 6.1.6: USL 20, LSL 8, mean 16, sd 2, target 14: Cpm 0.7071 by its formula.
    found = capability(Summary(16, 2, 50, 49), SpecLimits(8, 20, 14), within=True).indices
    assert found["Cpm"].value == pytest.approx(1 / math.sqrt(2))


def test_the_ppk_that_must_be_seen_is_the_tolerance_factor_of_three_sigma():
    # From n = 20 the lower bound of 1.00 needs 1.40; the bound inverts it.
    assert needed_index(20) == pytest.approx(1.399, abs=1e-3)
    assert one_sided_bound(needed_index(20), 20) == pytest.approx(1, abs=1e-9)


def simulated(draws: int, n: int, mean: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of standard normal samples about a mean."""
    sample = np.random.default_rng(7).normal(mean, size=(draws, n))
    return sample.mean(axis=1), sample.std(axis=1, ddof=1)


@pytest.mark.parametrize(("shift", "holds"), [(0.0, True), (0.1, False)])
def test_the_one_sided_bound_holds_as_stated(shift, holds):
    draws, n = 400, 15
    mean, sd = simulated(draws, n, 0)
    bounds = [one_sided_bound(one, n) for one in (3 - mean) / (3 * sd)]
    margin = 3 * math.sqrt(0.95 * 0.05 / draws)
    assert (abs(np.mean(np.array(bounds) + shift <= 1) - 0.95) <= margin) == holds


@pytest.mark.parametrize("off", [0.0, 0.4, 1.5])
def test_the_distribution_of_cpk_is_that_of_simulated_samples(off):
    # True Cpk 1 with the mean off the middle; the limit at 90 % is exceeded by 10 % of samples.
    draws, n = 20_000, 15
    mean, sd = simulated(draws, n, off)
    seen = (3 + off - np.abs(mean)) / (3 * sd)
    q = float(np.quantile(seen, 0.9))
    lower = cpk_interval(q, n, conf=0.8, off_centre=off)[0]
    assert lower == pytest.approx(1, abs=0.012)
    # Without knowledge of the centring the interval is never the narrower one.
    wide, known_off = cpk_interval(q, n), cpk_interval(q, n, off_centre=off)
    assert wide[0] <= known_off[0] + 1e-9
    assert wide[1] >= known_off[1] - 1e-9


def test_cpk_has_no_interval_of_its_own_at_or_below_zero():
    with pytest.raises(NotEstimable):
        cpk_interval(-0.1, 10)
    found = capability([1.0, 2.0, 3.0, 4.0], SpecLimits(5, 9)).indices["Ppk"]
    assert found.lower < found.value < 0


def test_bissell_and_boyles_are_near_the_exact_limits_at_large_n():
    assert bissell_interval(1.2, 400) == pytest.approx(
        (one_sided_bound(1.2, 400, conf=0.975), one_sided_bound(1.2, 400, conf=0.025)), abs=5e-3
    )
    # On target Boyles has the chi-square interval with n degrees of freedom.
    low, _ = cpm_interval(1.0, 25, off_target=0.0)
    assert low == pytest.approx(math.sqrt(stats.chi2.ppf(0.025, 25) / 25))


def test_one_limit_has_its_own_indices_only():
    found = capability([4.0, 5.0, 6.0, 5.5], SpecLimits(lsl=1.0))
    assert set(found.indices) == {"Ppl", "Ppk"}
    assert set(found.beyond) == {"below", "total"}
    below = found.beyond["below"]
    assert below.lower < below.value < below.upper


@settings(max_examples=15, deadline=None)
@given(st.floats(0.01, 100), st.floats(-100, 100))
def test_indices_do_not_know_the_unit(scale, shift):
    x = np.array([4.1, 5.2, 3.9, 4.8, 5.5, 4.4])
    plain = capability(x, SpecLimits(2, 8)).indices
    moved = capability(scale * x + shift, SpecLimits(2 * scale + shift, 8 * scale + shift)).indices
    for name, one in plain.items():
        assert moved[name].value == pytest.approx(one.value, rel=1e-6, abs=1e-7)


def test_the_log_scale_is_the_capability_of_logarithms():
    x = np.array([0.97, 1.12, 0.88, 1.31, 1.05, 0.79])
    logs = capability(np.log(x), SpecLimits(math.log(0.5), math.log(2))).indices["Ppk"]
    assert capability(x, SpecLimits(0.5, 2), scale="ln").indices["Ppk"].value == logs.value


@pytest.mark.parametrize(
    ("skew", "kurt"), [(0, 4), (0.5, 2.5), (1, 4.5), (1, 5), (-1, 5), (2, 9), (1, 4.8), (0, 3)]
)
def test_pearson_curves_have_the_moments_that_were_asked_for(skew, kurt):
    curve = Pearson(10, 2, skew, kurt)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    # Moments as integrals of the quantile function; the ends in a variable that spreads them.
    t = 6.5 * nodes
    p, mass = stats.norm.cdf(t), 6.5 * weights * stats.norm.pdf(t)
    z = (np.array([curve.quantile(one) for one in p]) - 10) / 2
    moments = [float(mass @ z**power) for power in (1, 2, 3, 4)]
    assert moments[:3] == pytest.approx([0, 1, skew], abs=2e-3)
    assert moments[3] == pytest.approx(kurt, rel=0.02)
    assert curve.below(curve.quantile(0.2)) == pytest.approx(0.2)


def test_a_normal_curve_by_any_way_has_the_plain_indices():
    spec = SpecLimits(8, 20)
    for curve in (known("normal", mean=16, sd=2), Pearson(16, 2, 0, 3)):
        found = percentile_capability(None, spec, distribution=curve).indices
        assert found["Pp"].value == pytest.approx(1)
        assert found["Ppk"].value == pytest.approx(2 / 3)


def test_lognormal_percentiles_have_a_closed_form():
    found = percentile_capability(
        None, SpecLimits(0.4, 2.5), distribution=known("lognormal", mu=0.1, sigma=0.2)
    )
    low, middle, high = (math.exp(0.1 + at * 0.2) for at in (-3, 0, 3))
    assert found.quantiles == pytest.approx((low, middle, high))
    assert found.indices["Ppu"].value == pytest.approx((2.5 - middle) / (high - middle))


@pytest.mark.parametrize("name", ["weibull", "gamma"])
def test_fits_are_the_maximum_that_scipy_finds(name):
    x = np.random.default_rng(2).gamma(3, 2, 60)
    of = {"weibull": stats.weibull_min, "gamma": stats.gamma}[name]
    found, expected = fit(x, name), of(*of.fit(x, floc=0))
    for p in (LOW, 0.5, HIGH):
        assert found.quantile(p) == pytest.approx(expected.ppf(p), rel=1e-3)


@pytest.mark.parametrize("shape", ["normal", "uniform", "standard_cauchy", "exponential"])
def test_johnson_curves_go_through_their_four_percentiles(shape):
    x = getattr(np.random.default_rng(4), shape)(size=80)
    levels = stats.norm.cdf(SCORE * np.array([-3, -1, 1, 3]))
    curve = fit_johnson(x)
    at = np.quantile(x, levels, method="hazen")
    assert [curve.quantile(one) for one in levels] == pytest.approx(at)
    assert [curve.below(one) for one in at] == pytest.approx(levels)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (SpecLimits, InvalidInput),
        (lambda: SpecLimits(9, 8), InvalidInput),
        (lambda: SpecLimits(float("nan"), 8), InvalidInput),
        (lambda: capability([], SpecLimits(1, 2)), NotEstimable),
        (lambda: capability([1.0], SpecLimits(1, 2)), NotEstimable),
        (lambda: capability([1.0, 1.0, 1.0], SpecLimits(0, 2)), NotEstimable),
        (lambda: capability([1.0, np.nan], SpecLimits(0, 2)), InvalidInput),
        (lambda: capability([1.0, 2.0], SpecLimits(0, 2), scale="ln"), InvalidInput),
        (lambda: percentile_capability(None, SpecLimits(0, 2)), InvalidInput),
        (lambda: fit([1.0, -2.0, 3.0], "weibull"), InvalidInput),
        (lambda: fit([1.0, 2.0, 3.0], "cauchy"), InvalidInput),
        (lambda: fit([1.0, 2.0, 3.0], "johnson"), NotEstimable),
        (lambda: fit([1.0, 2.0, 3.0], "empirical"), NotEstimable),
        (lambda: fit([1.0, 2.0, 3.0], "pearson"), NotEstimable),
        (lambda: known("normal", mean=1, sigma=1), InvalidInput),
        (lambda: known("gamma", shape=-1, scale=1), InvalidInput),
        (lambda: Pearson(0, 1, 2, 4), NotEstimable),
        (lambda: needed_index(1), NotEstimable),
        (lambda: geometric_summary([1.0, 0.0]), InvalidInput),
        (lambda: geometric_summary([1.0]), NotEstimable),
        (lambda: geometric_summary([1e-99, 1e99]), NotEstimable),
        (lambda: intermediate_precision([-1, -2, -4, -5.0], {"run": [1, 1, 2, 2]}, scale="raw"),
         NotEstimable),
    ],
)  # fmt: skip
def test_what_allows_no_index_is_refused(call, error):
    with pytest.raises(error):
        call()


def test_precision_is_that_of_the_components_on_the_scale():
    day, run = np.repeat(np.arange(6), 4), np.tile([1, 1, 2, 2], 6)
    y = np.exp(np.random.default_rng(0).normal(0, 0.1, 24))
    found = intermediate_precision(y, {"day": day, "run": run})
    s = found.repeatability.sd
    assert s.value == pytest.approx(math.sqrt(found.components.error.value))
    assert found.repeatability.percent["gcv_usp"].value == pytest.approx(100 * math.expm1(s.value))
    assert found.intermediate.sd.value == pytest.approx(math.sqrt(sum(found.components.values)))
