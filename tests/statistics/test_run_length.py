"""Run lengths of CUSUM and EWMA: published tables, a second route, and refusals."""

import numpy as np
import pytest
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.cusum_run_length import (
    cusum_allowance,
    cusum_limit,
    cusum_run_length,
    cusum_steady_run_length,
)
from batchqc.statistics.ewma_run_length import (
    ewma_design,
    ewma_one_sided_run_length,
    ewma_run_length,
    ewma_steady_run_length,
    ewma_width,
)
from batchqc.statistics.run_length import Chain

DRAWS = 4_000


def average(found):
    return found.average.value


@pytest.mark.parametrize(
    ("h", "shift", "published"),
    [(5, 0, 465), (5, 1, 10.4), (4, 0, 168), (4, 0.5, 26.6), (4, 4, 1.71)],
)
def test_two_sided_cusum_has_the_run_lengths_of_lucas_and_crosier_1982(h, shift, published):
    assert average(cusum_run_length(0.5, h, shift=shift)) == pytest.approx(published, rel=4e-3)


@pytest.mark.parametrize(("shift", "published"), [(0, 430), (1, 6.35)])
def test_a_headstart_of_half_the_limit_has_the_run_lengths_of_lucas_and_crosier_1982(
    shift, published
):
    found = cusum_run_length(0.5, 5, shift=shift, headstart=2.5)
    assert average(found) == pytest.approx(published, rel=2e-3)


@pytest.mark.parametrize(
    ("weight", "width", "shift", "published"),
    [
        (0.4, 3.054, 0, 500),
        (0.4, 3.054, 0.5, 71.2),
        (0.25, 2.998, 1, 11.1),
        (0.2, 2.962, 0.5, 41.8),
        (0.1, 2.814, 0.5, 31.3),
        (0.1, 2.814, 1, 10.3),
    ],
)
def test_ewma_has_the_run_lengths_of_lucas_and_saccucci_1990(weight, width, shift, published):
    assert average(ewma_run_length(weight, width, shift=shift)) == pytest.approx(
        published, rel=5e-3
    )


@pytest.mark.parametrize("shift", [0.0, 0.7, 2.0])
def test_an_ewma_of_weight_one_is_a_shewhart_chart(shift):
    chance = stats.norm.sf(3 - shift) + stats.norm.cdf(-3 - shift)
    for limits in ("asymptotic", "exact"):
        found = ewma_run_length(1, 3, shift=shift, limits=limits)
        assert average(found) == pytest.approx(1 / chance, rel=1e-9)
    found = ewma_run_length(1, 3, shift=shift)
    assert found.sd == pytest.approx(np.sqrt(1 - chance) / chance, rel=1e-8)
    assert found.alarm_within(20) == pytest.approx(1 - (1 - chance) ** 20, rel=1e-8)
    one_sided = ewma_one_sided_run_length(1, 3, shift=shift, barrier=-5)
    assert average(one_sided) == pytest.approx(1 / stats.norm.sf(3 - shift), rel=1e-8)
    assert average(ewma_steady_run_length(1, 3, shift=shift)) == pytest.approx(1 / chance, rel=1e-8)


def simulated_cusum(k, h, shift, start, draws, random):
    """First alarm of either side, lot by lot."""
    up, down = np.full(draws, start), np.full(draws, start)
    lots, open_ = np.zeros(draws), np.ones(draws, dtype=bool)
    while open_.any():
        x = random.standard_normal(draws) + shift
        up, down = np.maximum(0, up + x - k), np.maximum(0, down - x - k)
        lots += open_
        open_ &= (up <= h) & (down <= h)
    return lots


@pytest.mark.parametrize(("shift", "start"), [(0.0, 0.0), (0.5, 1.5), (-1.0, 0.0)])
@pytest.mark.parametrize("factor", [1.0, pytest.param(1.15, marks=pytest.mark.xfail(strict=True))])
def test_the_cusum_of_simulated_lots_runs_as_long_as_is_computed(shift, start, factor):
    lots = simulated_cusum(0.5, 3, shift, start, DRAWS, np.random.default_rng(5))
    computed = factor * average(cusum_run_length(0.5, 3, shift=shift, headstart=start))
    assert abs(lots.mean() - computed) < 3 * lots.std() / np.sqrt(DRAWS)


@pytest.mark.parametrize("factor", [1.0, pytest.param(1.15, marks=pytest.mark.xfail(strict=True))])
@pytest.mark.parametrize(("limits", "shift"), [("exact", 0.0), ("exact", 0.8), ("asymptotic", 0.0)])
def test_the_ewma_of_simulated_lots_runs_as_long_as_is_computed(limits, shift, factor):
    random, weight, width = np.random.default_rng(7), 0.2, 2.0
    z, lots, open_ = np.zeros(DRAWS), np.zeros(DRAWS), np.ones(DRAWS, dtype=bool)
    lot = 0
    while open_.any():
        lot += 1
        z = weight * (random.standard_normal(DRAWS) + shift) + (1 - weight) * z
        share = 1 - (1 - weight) ** (2 * lot) if limits == "exact" else 1.0
        lots += open_
        open_ &= np.abs(z) <= width * np.sqrt(weight / (2 - weight) * share)
    computed = factor * average(ewma_run_length(weight, width, shift=shift, limits=limits))
    assert abs(lots.mean() - computed) < 3 * lots.std() / np.sqrt(DRAWS)


def test_the_chance_of_an_alarm_sums_to_the_average():
    found = cusum_run_length(0.5, 2, sides="one")
    left = found.chain.without_alarm(3000)
    assert 1 + left.sum() == pytest.approx(average(found), rel=1e-9)
    lots = np.arange(1, 3000)
    chances = -np.diff(left)
    second = (1 - left[0]) + (chances * (lots + 1.0) ** 2).sum()
    assert np.sqrt(second - average(found) ** 2) == pytest.approx(found.sd, rel=1e-7)


def test_designs_have_the_run_length_that_was_wanted():
    for sides in ("one", "two"):
        h = cusum_limit(0.5, 370.4, sides=sides)
        assert average(cusum_run_length(0.5, h, sides=sides)) == pytest.approx(370.4, rel=1e-9)
    h = cusum_limit(0.5, 200, headstart_share=0.5)
    assert average(cusum_run_length(0.5, h, headstart=h / 2)) == pytest.approx(200, rel=1e-9)
    k = cusum_allowance(4, 370.4)
    assert average(cusum_run_length(k, 4)) == pytest.approx(370.4, rel=1e-9)
    for limits in ("asymptotic", "exact"):
        width = ewma_width(0.2, 370.4, limits=limits)
        found = ewma_run_length(0.2, width, limits=limits)
        assert average(found) == pytest.approx(370.4, rel=1e-9)


def test_the_designed_ewma_finds_its_shift_sooner_than_its_neighbours():
    weight, width = ewma_design(1.0, 500)
    assert weight == pytest.approx(0.13, abs=0.01)  # Crowder 1989, Lucas and Saccucci 1990
    best = average(ewma_run_length(weight, width, shift=1))
    for other in (weight * 0.8, weight * 1.25):
        found = ewma_run_length(other, ewma_width(other, 500), shift=1)
        assert average(found) > best


def test_a_late_shift_is_found_later_with_a_headstart_and_sooner_without():
    assert average(cusum_steady_run_length(0.5, 5, shift=1)) < average(
        cusum_run_length(0.5, 5, shift=1)
    )
    for mode in ("conditional", "cyclical"):
        cusum = cusum_steady_run_length(0.5, 5, shift=1, mode=mode)
        assert average(cusum) == pytest.approx(9.65, abs=0.01)
        ewma = ewma_steady_run_length(0.1, 2.814, shift=1, mode=mode)
        assert average(ewma) < average(ewma_run_length(0.1, 2.814, shift=1))


def test_sides_mirror_each_other():
    up, down = (average(cusum_run_length(0.5, 4, shift=d)) for d in (0.7, -0.7))
    assert up == pytest.approx(down, rel=1e-12)
    up, down = (average(ewma_run_length(0.2, 2.9, shift=d)) for d in (0.7, -0.7))
    assert up == pytest.approx(down, rel=1e-9)


def test_a_shift_so_large_that_the_other_side_never_alarms_still_has_a_run_length():
    assert 1 <= average(cusum_run_length(0.5, 5, shift=10)) < 1.01
    assert 1 <= average(cusum_run_length(0.5, 5, shift=4, headstart=2.5)) < 2


@pytest.mark.parametrize(
    "bad",
    [
        lambda: cusum_run_length(0.5, 0),
        lambda: cusum_run_length(0.5, -4),
        lambda: cusum_run_length(0.5, float("nan")),
        lambda: cusum_run_length(float("inf"), 4),
        lambda: cusum_run_length(0.5, 4, headstart=4),
        lambda: cusum_run_length(0.5, 4, shift=float("nan")),
        lambda: cusum_limit(0.5, 1),
        lambda: cusum_limit(0.5, 1e9),
        lambda: cusum_limit(0.5, 100, headstart_share=1),
        lambda: ewma_run_length(0, 3),
        lambda: ewma_run_length(1.2, 3),
        lambda: ewma_run_length(0.2, -3),
        lambda: ewma_run_length(0.2, 3, start=5),
        lambda: ewma_one_sided_run_length(0.2, 3, barrier=4),
        lambda: ewma_width(0.2, 0.5),
        lambda: ewma_design(0, 370),
        lambda: cusum_run_length(0.5, 4, sides="one").alarm_within(0),
    ],
)
def test_what_is_no_chart_is_refused(bad):
    with pytest.raises(InvalidInput):
        bad()


@pytest.mark.parametrize(
    "never",
    [
        lambda: cusum_run_length(0.5, 20),
        lambda: ewma_run_length(0.2, 8),
        lambda: cusum_run_length(0.5, 4).alarm_within(5),
        lambda: Chain(np.eye(2), np.array([0.5, 0.5])).average(),
    ],
)
def test_what_has_no_certain_digit_is_refused_with_its_reason(never):
    with pytest.raises(NotEstimable, match=r"."):
        never()


def test_a_headstart_at_which_both_sides_can_be_above_zero_is_told_and_no_impossible_answer_given():
    # 300,000 simulated series: 2.525 (0.005) lots.
    near = cusum_run_length(0.25, 2, shift=0.5, headstart=1.5).average
    assert near.value == pytest.approx(2.525, rel=0.02)
    assert "both sides" in near.limitations[0]
    assert cusum_run_length(0.25, 2, shift=0.5, headstart=1.25).average.limitations == ()
    assert cusum_run_length(0.25, 2, headstart=1.5, sides="one").average.limitations == ()
    with pytest.raises(NotEstimable, match="both sides"):  # 2.03 lots, and the equation says 0.56
        cusum_run_length(0.1, 3, headstart=2.5)
