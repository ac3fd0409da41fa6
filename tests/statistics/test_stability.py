"""Stability and out of trend: analysis of covariance by another route, roots, error rates."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.out_of_trend import (
    by_time_point,
    next_point,
    slope_by_random_coefficients,
    slope_in_history,
)
from batchqc.statistics.stability import (
    Criterion,
    confidence_limit,
    extrapolation_cap,
    shelf_life,
)
from batchqc.statistics.stability_lines import MODELS, lines, poolability, study_of

TIMES = [0, 3, 6, 9, 12, 18, 24]


def _study(slopes, starts, sd, seed=1, times=TIMES):
    random = np.random.default_rng(seed)
    batch = np.repeat(np.arange(len(slopes)), len(times))
    t = np.tile(times, len(slopes)).astype(float)
    y = np.repeat(starts, len(times)) + np.repeat(slopes, len(times)) * t
    return batch.tolist(), t, y + sd * random.normal(size=y.size)


def _rss(design, y):
    return float(np.sum((y - design @ np.linalg.lstsq(design, y, rcond=None)[0]) ** 2))


def test_poolability_is_the_analysis_of_covariance_of_three_designs():
    batch, t, y = _study([-0.1, -0.12, -0.2], [100, 101, 99], 0.4)
    found = poolability(study_of(batch, t, y))
    own = np.equal.outer(batch, np.unique(batch)).astype(float)
    full, common = np.hstack([own, own * t[:, None]]), np.hstack([own, t[:, None]])
    pooled = np.column_stack([np.ones(t.size), t])
    ms = _rss(full, y) / (t.size - 6)
    slope = (_rss(common, y) - _rss(full, y)) / 2 / ms
    intercept = (_rss(pooled, y) - _rss(common, y)) / 2 / ms
    assert found.error_ms == pytest.approx(ms, rel=1e-10)
    assert found.F_slope == pytest.approx(slope, rel=1e-10)
    assert found.F_intercept == pytest.approx(intercept, rel=1e-10)
    assert found.p_slope == pytest.approx(stats.f.sf(slope, 2, t.size - 6), rel=1e-9)


@pytest.mark.parametrize("model", ["cics", "dics", "dids.pmse"])
def test_confidence_limits_are_those_of_the_whole_design(model):
    batch, t, y = _study([-0.1, -0.12, -0.2], [100, 101, 99], 0.4)
    own = np.equal.outer(batch, np.unique(batch)).astype(float)
    designs = {"cics": np.column_stack([np.ones(t.size), t]), "dics": np.column_stack([own, t]),
               "dids.pmse": np.hstack([own, own * t[:, None]])}  # fmt: skip
    rows = {"cics": [1, 30], "dics": [1, 0, 0, 30], "dids.pmse": [1, 0, 0, 30, 0, 0]}
    x, row = designs[model], np.array(rows[model], dtype=float)
    df = t.size - x.shape[1]
    half = stats.t.ppf(0.95, df) * np.sqrt(_rss(x, y) / df * row @ np.linalg.inv(x.T @ x) @ row)
    expected = row @ np.linalg.lstsq(x, y, rcond=None)[0] - half
    line = lines(study_of(batch, t, y), model)[0]
    assert confidence_limit(line, [30.0], tail=0.05, side="lower")[0] == pytest.approx(
        expected, rel=1e-10
    )


@settings(max_examples=60, deadline=None)
@given(st.floats(-0.6, 0.3), st.floats(0.05, 2), st.integers(0, 99), st.sampled_from(MODELS))
def test_a_crossing_is_the_first_place_where_the_limit_is_met(slope, sd, seed, model):
    batch, t, y = _study([slope, slope, slope], [100, 100.5, 99.5], sd, seed)
    criterion = Criterion(lower=92.0, upper=108.0, horizon=400)
    found = shelf_life(batch, t, y, criterion, model=model).crossing
    grid = np.linspace(0, 400, 40_001)
    inside = np.ones(grid.size, dtype=bool)
    for line in lines(study_of(batch, t, y), model):
        inside &= confidence_limit(line, grid, tail=0.025, side="lower") > 92
        inside &= confidence_limit(line, grid, tail=0.025, side="upper") < 108
    first = np.flatnonzero(~inside)
    if found.time is None:
        assert first.size == 0
    else:
        assert grid[first[0]] - 0.011 <= found.time <= grid[first[0]] + 1e-9


def test_one_side_upper_and_mirrored_lower_agree():
    batch, t, y = _study([-0.1, -0.12, -0.2], [100, 101, 99], 0.4)
    lower = shelf_life(batch, t, y, Criterion(lower=95))
    upper = shelf_life(batch, t, -y, Criterion(upper=-95))
    assert lower.model == upper.model
    for model in MODELS:
        assert lower.crossings[model].time == pytest.approx(upper.crossings[model].time, rel=1e-9)
    logged = shelf_life(batch, t, np.exp(y / 100), Criterion(lower=np.exp(0.95), log=True))
    assert logged.crossing.time == pytest.approx(lower.crossing.time, rel=1e-9)


def test_frozen_cells_that_do_not_change_have_no_number():
    batch, t, y = _study([0, 0, 0], [94, 94.5, 93.8], 0.3)
    found = shelf_life(batch, t, y, Criterion(lower=70, horizon=60))
    assert found.months is None
    assert found.crossing.said == "not limiting within 60"


def test_a_start_outside_supports_no_shelf_life():
    batch, t, y = _study([-0.1, -0.1], [80, 80], 0.3)
    assert shelf_life(batch, t, y, Criterion(lower=90)).crossing.time == 0


def test_one_batch_has_a_line_and_says_that_it_is_one():
    batch, t, y = _study([-0.2], [100], 0.2)
    found = shelf_life(batch, t, y, Criterion(lower=95))
    assert (found.pooling, found.model) == (None, "cics")
    assert "1 batches" in found.months.limitations[0]


@functools.cache
def _levels():
    """The p of different slopes in 1500 studies of one line."""
    random, own = np.random.default_rng(4), np.repeat(np.arange(3), 7).tolist()
    t = np.tile(np.array(TIMES, dtype=float), 3)
    return np.array(
        [poolability(study_of(own, t, random.normal(size=21))).p_slope for _ in range(1500)]
    )


@pytest.mark.parametrize(("level", "right"), [(0.25, True), (0.20, False)])
def test_the_test_of_slopes_errs_as_often_as_it_says(level, right):
    """The second line of the table shows that a wrong level would be seen."""
    share = np.mean(_levels() < level)
    assert bool(abs(share - 0.25) <= 3 * (0.25 * 0.75 / 1500) ** 0.5) is right


def test_a_shelf_life_is_too_long_in_no_more_than_five_percent():
    """The true mean 100 - 0.25 t meets 95 at 20; one batch, so that nothing is chosen by a test."""
    random, long, wrong = np.random.default_rng(9), 0, 0
    t = np.array(TIMES, dtype=float)
    for _ in range(400):
        y = 100 - 0.25 * t + 0.5 * random.normal(size=7)
        long += (shelf_life(["1"] * 7, t, y, Criterion(lower=95)).crossing.time or 999) > 20
        wrong += (
            shelf_life(["1"] * 7, t, y, Criterion(95, confidence=0.85)).crossing.time or 999
        ) > 20
    margin = 3 * (0.05 * 0.95 / 400) ** 0.5
    assert abs(long / 400 - 0.05) <= margin
    assert wrong / 400 - 0.05 > margin


def test_extrapolation_is_a_step_of_its_own():
    assert extrapolation_cap(12).value == 24
    assert extrapolation_cap(24).value == 36
    assert extrapolation_cap(12, analysed=False).value == 18
    assert extrapolation_cap(12, change="accelerated").value == 18
    assert extrapolation_cap(12, change="accelerated", analysed=False).value == 15
    assert extrapolation_cap(12, change="intermediate").value == 12
    assert extrapolation_cap(12, storage="refrigerated").value == 18
    assert extrapolation_cap(12, storage="refrigerated", analysed=False).value == 15
    assert extrapolation_cap(12, storage="frozen").value == 12


@pytest.mark.parametrize(
    ("batch", "t", "y", "criterion"),
    [
        ([], [], [], Criterion(1)),
        (["a"] * 2, [0, 1], [1, 2], Criterion(0)),
        (["a"] * 3, [1, 1, 1], [1, 2, 3], Criterion(0)),
        (["a"] * 3, [-1, 1, 2], [1, 2, 3], Criterion(0)),
        (["a"] * 3, [0, 1, 2], [1, 2, 3], Criterion()),
        (["a"] * 3, [0, 1, 2], [1, 2, 3], Criterion(3, 2)),
        (["a"] * 3, [0, 1, 2], [1, 2, np.inf], Criterion(0)),
        (["a"] * 3, [0, 1, 2], [1, -2, 3], Criterion(1, log=True)),
        (["a"] * 3 + ["b"] * 3, [0, 1, 2] * 2, [5, 4, 3, 6, 5, 4], Criterion(1)),
        (["a"] * 3, [0, 1, 2], [1, 2, 4], Criterion(0, confidence=95)),
        (["a"] * 2, [0, 1, 2], [1, 2, 4], Criterion(0)),
    ],
)
def test_what_supports_no_shelf_life_is_refused(batch, t, y, criterion):
    with pytest.raises((NotEstimable, InvalidInput)):
        shelf_life(batch, t, y, criterion)


def test_batches_of_two_points_share_their_error():
    found = shelf_life(["a", "a", "a", "b", "b", "b", "c", "c"], [0, 6, 12, 0, 6, 12, 0, 12],
                       [100, 98, 97, 101, 99, 96, 99, 98], Criterion(90), model="dids")  # fmt: skip
    assert found.model == "dids.pmse"


def test_a_new_point_is_in_or_out():
    t, y = [0, 3, 6, 9, 12, 18], [99.8, 99.1, 98.9, 98.2, 97.6, 96.9]
    assert next_point(t, y, 24, 95.9).point.outside is False
    assert next_point(t, y, 24, 94.9).point.outside is True
    assert next_point(t, y, 24).point.outside is None
    history = [98.1, 97.6, 98.4, 97.9, 98.0]
    assert by_time_point(history, 96.0).outside
    expected = np.mean(history) - stats.t.ppf(0.975, 4) * np.std(history, ddof=1) * 1.2**0.5
    assert by_time_point(history).expected.lower == pytest.approx(expected)
    assert slope_in_history([-0.1, -0.12, -0.09, -0.11], -0.3).outside


def test_random_coefficients_are_the_maximum_of_the_reml_likelihood():
    batch, t, y = _study([-0.1, -0.3, -0.5, -0.2, -0.45], [100] * 5, 0.5)
    found = slope_by_random_coefficients(batch, t, y, (TIMES, 100 - 0.3 * np.array(TIMES)))
    fits = [stats.linregress(t[np.array(batch) == k], y[np.array(batch) == k]) for k in range(5)]
    slopes = np.array([one.slope for one in fits])
    sxx = np.sum((np.array(TIMES) - np.mean(TIMES)) ** 2)
    error = sum(one.stderr**2 * sxx * 5 for one in fits) / 25 / sxx
    tau = max(slopes.var(ddof=1) - error, 0)  # equal designs: REML is the moment estimate
    half = stats.t.ppf(0.975, 4) * np.sqrt((tau + error) * 1.2)
    assert found.expected.value == pytest.approx(slopes.mean(), rel=1e-9)
    assert found.expected.upper - found.expected.value == pytest.approx(half, rel=1e-6)
    assert found.outside is False


def test_a_free_root_of_the_limit_agrees():
    batch, t, y = _study([-0.2], [100], 0.3)
    line = lines(study_of(batch, t, y), "cics")[0]
    root = optimize.brentq(
        lambda x: confidence_limit(line, [x], tail=0.05, side="lower")[0] - 95, 0, 60
    )
    found = shelf_life(batch, t, y, Criterion(lower=95))
    assert found.crossing.time == pytest.approx(root, rel=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda: next_point([0, 1], [1, 2], 3),
        lambda: next_point([1, 1, 1], [1, 2, 3], 3),
        lambda: next_point([0, 1, 2], [1, 2, 4], np.inf),
        lambda: by_time_point([1, 1, 1]),
        lambda: by_time_point([1, 2]),
        lambda: slope_in_history([1, 2, 3], np.nan),
        lambda: slope_by_random_coefficients(["a"] * 3, [0, 1, 2], [1, 2, 4], ([0, 1], [1, 2])),
        lambda: extrapolation_cap(0),
        lambda: extrapolation_cap(12, storage="moon"),
    ],
)
def test_what_has_no_trend_is_refused(call):
    with pytest.raises((NotEstimable, InvalidInput)):
        call()
