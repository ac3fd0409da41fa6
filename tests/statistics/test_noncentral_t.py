"""Noncentral t against SciPy where it has numbers, simulation, and where SciPy has none."""

import numpy as np
import pytest
from scipy import special, stats

from batchqc.statistics.noncentral_t import noncentral_t_cdf, noncentral_t_quantile


@pytest.mark.parametrize("df", [1, 2, 5, 30, 1000])
@pytest.mark.parametrize("shift", [0.0, 1.5, 6.0, 30.0])
@pytest.mark.parametrize("level", [0.001, 0.05, 0.5, 0.95, 0.999])
def test_scipy_has_the_same_numbers(df, shift, level):
    t = noncentral_t_quantile(level, df, shift)
    assert float(special.nctdtr(df, shift, t)) == pytest.approx(level, rel=1e-6)


def test_the_central_one_is_student():
    for t in (-3.0, -0.01, 0.0, 1e-3, 2.0):
        assert noncentral_t_cdf(t, 4, 0.0) == pytest.approx(stats.t.cdf(t, 4), abs=1e-12)


@pytest.mark.parametrize(("t", "df", "shift"), [(15.4, 3, -8.5), (-2.0, 3, 1.0), (0.5, 7, -1.0)])
def test_it_mirrors(t, df, shift):
    left, right = noncentral_t_cdf(t, df, shift), noncentral_t_cdf(-t, df, -shift)
    assert left + right == pytest.approx(1)


def test_draws_have_the_same_distribution():
    rng, draws = np.random.default_rng(3), 40_000
    t = (rng.normal(size=draws) - 1.2) / np.sqrt(rng.chisquare(3, draws) / 3)
    for at in (-4.0, -1.0, 0.3):
        p = noncentral_t_cdf(at, 3, -1.2)
        assert np.mean(t <= at) == pytest.approx(p, abs=3 * np.sqrt(p * (1 - p) / draws))
