"""Hotelling's T², its parts, distances and MEWMA: second routes, simulation, refusals."""

import numpy as np
import pytest
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.decomposition import conditional_t2, decompose, lot_distances
from batchqc.statistics.ewma_run_length import ewma_run_length
from batchqc.statistics.mewma import mewma_chart
from batchqc.statistics.mewma_run_length import mewma_limit, mewma_run_length
from batchqc.statistics.multivariate import t2_phase1, t2_phase2
from batchqc.statistics.references import known_reference, reference_of, reference_of_subgroups
from batchqc.statistics.t2_limits import t2_limit, t2_p_value

RANDOM = np.random.default_rng(17)
LOTS = RANDOM.standard_normal((20, 3)) @ np.array([[2, 1, 0], [0, 1, 0.5], [0, 0, 3.0]]) + 50
WRONG = pytest.mark.xfail(strict=True)


def test_t2_is_the_quadratic_form_and_phase_one_sums_to_its_trace():
    chart = t2_phase1(LOTS)
    off = LOTS - LOTS.mean(0)
    expected = np.sum(off @ np.linalg.inv(np.cov(LOTS.T)) * off, axis=1)
    assert np.allclose(chart.t2, expected, rtol=1e-10)
    assert sum(chart.t2) == pytest.approx(3 * 19)


def test_limits_are_quantiles_of_beta_f_and_chi_square_and_p_values_their_inverse():
    m, p, n, alpha = 20, 3, 4, 0.01
    beta = (m - 1) ** 2 / m * stats.beta.isf(alpha, p / 2, (m - p - 1) / 2)
    f = p * (m + 1) * (m - 1) / (m * (m - p)) * stats.f.isf(alpha, p, m - p)
    df = m * n - m - p + 1
    groups = {
        phase: p * (m + sign) * (n - 1) / df * stats.f.isf(alpha, p, df)
        for phase, sign in ((1, -1), (2, 1))
    }
    for found, expected, given in (
        (t2_limit(p, m, phase=1, alpha=alpha), beta, (p, m, 1, 1)),
        (t2_limit(p, m, phase=2, alpha=alpha), f, (p, m, 1, 2)),
        (t2_limit(p, m, size=n, phase=1, alpha=alpha), groups[1], (p, m, n, 1)),
        (t2_limit(p, m, size=n, phase=2, alpha=alpha), groups[2], (p, m, n, 2)),
        (t2_limit(p, None, alpha=alpha), stats.chi2.isf(alpha, p), (p, None, 1, 2)),
    ):
        assert found == pytest.approx(expected, rel=1e-9)
        q, k, size, phase = given
        assert t2_p_value(found, q, k, size=size, phase=phase) == pytest.approx(alpha, rel=1e-8)


@pytest.mark.parametrize("factor", [1.0, pytest.param(0.8, marks=WRONG)])
def test_false_alarms_of_both_phases_are_as_frequent_as_alpha(factor):
    random, draws, alpha = np.random.default_rng(6), 1_500, 0.05
    first = second = 0
    for _ in range(draws):
        x = random.standard_normal((12, 2))
        reference = reference_of(x)
        first += reference.t2(x[:1])[0] > factor * t2_limit(2, 12, phase=1, alpha=alpha)
        new = random.standard_normal((1, 2))
        second += reference.t2(new)[0] > factor * t2_limit(2, 12, phase=2, alpha=alpha)
    margin = 3 * np.sqrt(alpha * (1 - alpha) / draws)
    assert abs(first / draws - alpha) < margin
    assert abs(second / draws - alpha) < margin


def test_what_an_attribute_adds_has_an_exact_p_value_and_a_published_limit_that_is_not():
    """Rao 1973, 8c.4, against (m+1)(m-1)/(m(m-k-1)) F: 5 % are 5 %, and 8 %."""
    random, draws = np.random.default_rng(3), 1_500
    parts = [
        decompose(
            random.standard_normal(4), reference_of(random.standard_normal((15, 4))), alpha=0.05
        ).contributions[0]
        for _ in range(draws)
    ]
    margin = 3 * np.sqrt(0.05 * 0.95 / draws)
    assert abs(np.mean([one.p_value < 0.05 for one in parts]) - 0.05) < margin
    assert np.mean([one.given_others > one.limit_given for one in parts]) > 0.05 + margin


def test_parts_of_t2_add_up_and_do_not_depend_on_units():
    reference = reference_of(LOTS)
    lot = LOTS[0] + [0, 9, 0]
    found = decompose(lot, reference)
    assert sum(found.steps) == pytest.approx(found.t2)
    assert found.drivers[0] == 2
    for one in found.contributions:
        others = [i for i in (1, 2, 3) if i != one.attribute]
        given = conditional_t2(lot, reference, one.attribute, others)
        assert one.given_others == pytest.approx(given)
        assert one.alone == pytest.approx(conditional_t2(lot, reference, one.attribute, []))
    scale = np.array([1e-3, 7.0, 1e6])
    again = decompose(lot * scale - 5, reference_of(LOTS * scale - 5))
    assert again.t2 == pytest.approx(found.t2, rel=1e-7)
    order = [2, 0, 1]
    assert decompose(lot[order], reference_of(LOTS[:, order])).t2 == pytest.approx(found.t2)


def test_the_distance_of_a_lot_is_from_the_others_only():
    for i, found in enumerate(lot_distances(LOTS)):
        others = np.delete(LOTS, i, 0)
        assert found.value**2 == pytest.approx(reference_of(others).t2(LOTS[i : i + 1])[0])


def test_a_lot_very_far_from_the_others_keeps_the_digits_of_its_distance():
    far = LOTS.copy()
    far[3] += [1e7, 0, 0]
    found = lot_distances(far)[3].value ** 2
    assert found == pytest.approx(reference_of(np.delete(far, 3, 0)).t2(far[3:4])[0], rel=1e-9)


def test_subgroups_of_known_lots_and_lots_with_gaps():
    groups = LOTS[:, None, :] + RANDOM.standard_normal((20, 4, 3))
    chart = t2_phase1(groups)
    reference = reference_of_subgroups(groups)
    pooled = np.mean([np.cov(one.T) for one in groups], axis=0)
    assert np.allclose(reference.covariance, pooled)
    assert chart.limit == t2_limit(3, 20, size=4, phase=1)
    assert t2_phase2(groups[:2], reference).t2 == pytest.approx(chart.t2[:2])
    gaps = LOTS.copy()
    gaps[4, 1] = np.nan
    held = t2_phase1(gaps)
    assert held.t2[4] is None
    assert held.n == 19
    assert "lots 5" in held.limitations[0]
    new = t2_phase2([[50.0, None, 51.0], [None, None, None]], reference_of(LOTS))
    assert new.t2[1] is None
    assert new.limits[0] == t2_limit(2, 20)
    part = reference_of(LOTS[:, [0, 2]])
    assert new.t2[0] == pytest.approx(part.t2(np.array([[50.0, 51.0]]))[0])


def test_few_lots_for_many_attributes_are_told():
    assert "12 complete lots for 3" in t2_phase1(LOTS[:12]).limitations[0]
    assert t2_phase1(LOTS).limitations == ()
    assert "chi-square" in t2_phase1(LOTS, covariance="successive").limitations[-1]


@pytest.mark.parametrize(
    "never",
    [
        lambda: reference_of(LOTS[:4]),
        lambda: reference_of(LOTS[:1]),
        lambda: reference_of(np.empty((0, 3))),
        lambda: reference_of(np.c_[LOTS, np.ones(20)]),
        lambda: reference_of(np.c_[LOTS, LOTS.sum(1)]),
        lambda: reference_of_subgroups(LOTS[None]),
        lambda: lot_distances(LOTS[:5]),
        lambda: t2_limit(3, 4, phase=1),
        lambda: known_reference([0, 0], [[1, 1], [1, 1]]),
    ],
)
def test_what_cannot_be_told_from_these_lots_is_refused(never):
    with pytest.raises(NotEstimable, match=r"."):
        never()


@pytest.mark.parametrize(
    "bad",
    [
        lambda: reference_of([1, 2, 3]),
        lambda: reference_of([["a"]]),
        lambda: reference_of([[1, np.inf]] * 9),
        lambda: reference_of_subgroups([[[1, None]] * 3] * 9),
        lambda: known_reference([0, 0], [[1, 0.2], [0.3, 1]]),
        lambda: t2_phase2([[1, 2]], reference_of(LOTS)),
        lambda: decompose([1, 2], reference_of(LOTS)),
        lambda: conditional_t2(LOTS[0], reference_of(LOTS), 4, []),
        lambda: conditional_t2(LOTS[0], reference_of(LOTS), 1, [1]),
        lambda: t2_limit(2, 20, alpha=0),
        lambda: t2_phase2([[1e140, 0, 0]], reference_of(LOTS)),
        lambda: mewma_run_length(0.1, 8, 0),
        lambda: mewma_run_length(0.1, 8, 2, shift=-1),
        lambda: mewma_limit(0.1, 2, 0),
        lambda: mewma_chart(LOTS, reference_of(LOTS), weight=2),
    ],
)
def test_what_is_no_table_or_no_chart_is_refused(bad):
    with pytest.raises(InvalidInput):
        bad()


@pytest.mark.parametrize(
    ("shift", "published"), [(0, 200), (0.5, 28.07), (1, 10.15), (2, 4.42), (3, 2.93)]
)
def test_mewma_has_the_run_lengths_of_prabhu_and_runger_1997(shift, published):
    """Their chain of few states with h4 of 8.64, p of 2 and lambda of 0.1 is within 0.4 %."""
    found = mewma_run_length(0.1, 8.64, 2, shift=shift).average.value
    assert found == pytest.approx(published, rel=4e-3)


def test_mewma_is_the_ewma_for_one_attribute_and_the_chi_square_chart_without_memory():
    for shift in (0, 1):
        one = mewma_run_length(0.1, 2.814**2, 1, shift=shift).average.value
        assert one == pytest.approx(ewma_run_length(0.1, 2.814, shift=shift).average.value)
        free = mewma_run_length(1, 10, 2, shift=shift).average.value
        chance = stats.ncx2.sf(10, 2, shift**2) if shift else stats.chi2.sf(10, 2)
        assert free == pytest.approx(1 / chance, rel=1e-6)
    limit = mewma_limit(0.2, 3, 500)
    assert mewma_run_length(0.2, limit, 3).average.value == pytest.approx(500, rel=1e-8)


@pytest.mark.parametrize("factor", [1.0, pytest.param(1.15, marks=WRONG)])
@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_simulated_profiles_run_as_long_as_is_computed(factor, shift):
    random, draws, weight, p, limit = np.random.default_rng(9), 3_000, 0.3, 3, 6.0
    z, lots, open_ = np.zeros((draws, p)), np.zeros(draws), np.ones(draws, dtype=bool)
    while open_.any():
        x = random.standard_normal((draws, p))
        x[:, 0] += shift
        z = weight * x + (1 - weight) * z
        lots += open_
        open_ &= (z**2).sum(1) * (2 - weight) / weight <= limit
    computed = factor * mewma_run_length(weight, limit, p, shift=shift).average.value
    assert abs(lots.mean() - computed) < 3 * lots.std() / np.sqrt(draws)


def test_a_mewma_chart_passes_over_gaps_and_begins_as_t2():
    known = known_reference([0, 0], [[1, 0.5], [0.5, 1]])
    chart = mewma_chart([[-1.19, 0.59], [None, 1], [0.12, 0.90]], known, limit=8.66)
    assert chart.t2[0] == pytest.approx(known.t2(np.array([[-1.19, 0.59]]))[0])
    assert chart.t2[1] is None
    assert "lots" in chart.limitations[0] or "passed over" in chart.limitations[0]
    assert mewma_chart([[0.0, 0.0]], known).limit == pytest.approx(mewma_limit(0.1, 2, 200))
