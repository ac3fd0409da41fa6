"""Linear regression: certified sets, exactness, properties, coverage, and what it refuses."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.datasets import longley

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.regression import (
    mean_response,
    multiple_regression,
    polynomial_regression,
    prediction,
)
from tests.statistics.strd import (
    FILIP,
    FILIP_X,
    FILIP_Y,
    PONTIUS_X,
    PONTIUS_Y,
    WAMPLER_OFF,
    WAMPLER_SE,
    WAMPLER_X,
)


def test_filip_comes_out_to_the_last_digit():
    fit = polynomial_regression(FILIP_X, FILIP_Y, degree=10)
    assert fit.values == pytest.approx(FILIP, rel=1e-14)
    assert fit.residual_sd == pytest.approx(0.334801051324544e-2, rel=1e-13)
    assert fit.r2 == pytest.approx(0.996727416185620, rel=1e-14)


def test_pontius_comes_out_to_the_last_digit():
    fit = polynomial_regression(PONTIUS_X, PONTIUS_Y, degree=2)
    assert fit.values == pytest.approx(
        [0.673565789473684e-3, 0.732059160401003e-6, -0.316081871345029e-14],
        rel=1e-14)  # fmt: skip
    assert fit.se == pytest.approx(
        [0.107938612033077e-3, 0.157817399981659e-9, 0.486652849992036e-16], rel=1e-14)  # fmt: skip
    assert fit.residual_sd == pytest.approx(0.205177424076185e-3, rel=1e-14)
    assert pytest.approx(0.999999900178537, rel=1e-14) == fit.r2


@pytest.mark.parametrize("factor", [1, 100, 10_000])
def test_wampler_3_to_5_come_out_to_the_last_digit(factor):
    y = [sum(x**k for k in range(6)) + factor * off
         for x, off in zip(WAMPLER_X, WAMPLER_OFF, strict=True)]  # fmt: skip
    fit = polynomial_regression(WAMPLER_X, y, degree=5)
    assert fit.values == pytest.approx(np.ones(6), rel=1e-14)
    assert fit.se / factor == pytest.approx(WAMPLER_SE, rel=1e-14)
    assert fit.residual_sd / factor == pytest.approx(2360.14502379268, rel=1e-14)


@pytest.mark.parametrize("base", [1, 0.1])
def test_wampler_1_and_2_are_perfect_and_say_so(base):
    y = [round(sum((base * x) ** k for k in range(6)), 5) for x in WAMPLER_X]
    fit = polynomial_regression(WAMPLER_X, y, degree=5)
    assert fit.values == pytest.approx([base**k for k in range(6)], rel=1e-14)
    assert fit.se.tolist() == [0.0] * 6
    assert (fit.ss_residual, fit.r2, fit.F, fit.p) == (0.0, 1.0, None, None)
    assert fit.limitations


def test_longley_comes_out_to_the_last_digit():
    data = longley.load().data
    x = [data[name].tolist() for name in ("GNPDEFL", "GNP", "UNEMP", "ARMED", "POP", "YEAR")]
    fit = multiple_regression(x, data["TOTEMP"].tolist())
    assert fit.values == pytest.approx(
        [-3482258.63459582, 15.0618722713733, -0.358191792925910e-1, -2.02022980381683,
         -1.03322686717359, -0.511041056535807e-1, 1829.15146461355], rel=1e-13)  # fmt: skip
    assert fit.se == pytest.approx(
        [890420.383607373, 84.9149257747669, 0.334910077722432e-1, 0.488399681651699,
         0.214274163161675, 0.226073200069370, 455.478499142212], rel=1e-13)  # fmt: skip
    assert fit.residual_sd == pytest.approx(304.854073561965, rel=1e-13)
    assert pytest.approx(0.995479004577296, rel=1e-14) == fit.r2


def test_lines_through_the_origin_come_out_as_certified():
    first = polynomial_regression(range(60, 71), range(130, 141), intercept=False)
    assert first.values == pytest.approx([2.07438016528926], rel=1e-14)
    assert first.se == pytest.approx([0.165289256198347e-1], rel=1e-14)
    assert first.residual_sd == pytest.approx(3.56753034006338, rel=1e-14)
    assert first.r2 == pytest.approx(0.999365492298663, rel=1e-14)
    second = polynomial_regression([4, 5, 6], [3, 4, 4], intercept=False)
    assert second.values == pytest.approx([0.727272727272727], rel=1e-14)
    assert second.se == pytest.approx([0.420827318078432e-1], rel=1e-13)
    assert second.residual_sd == pytest.approx(0.369274472937998, rel=1e-14)


def test_weights_are_those_of_repeated_points():
    x, y = [1.0, 2.0, 3.0, 5.0], [1.1, 2.3, 2.8, 5.4]
    weighted = polynomial_regression(x, y, weights=[1, 2, 1, 3])
    repeated = polynomial_regression([1, 2, 2, 3, 5, 5, 5], [1.1, 2.3, 2.3, 2.8, 5.4, 5.4, 5.4])
    assert weighted.values == pytest.approx(repeated.values, rel=1e-14)
    assert weighted.ss_residual == pytest.approx(repeated.ss_residual, rel=1e-13)
    fractions = polynomial_regression(x, y, weights=[0.1, 0.2, 0.1, 0.3])
    assert fractions.se == pytest.approx(weighted.se, rel=1e-14)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-50, 50), st.integers(-999, 999)), min_size=4, max_size=12),
    st.integers(-5, 5).map(float),
    st.sampled_from([0.5, 2.0, 8.0]),
)
def test_a_line_shifts_and_scales_with_its_data(points, shift, scale):
    x, y = (np.array(one, dtype=float) for one in zip(*points, strict=True))
    if np.unique(x).size < 2:
        return
    plain = polynomial_regression(x, y)
    moved = polynomial_regression(x[::-1] * scale, y[::-1] * 3 + shift)
    assert moved.values[1] == pytest.approx(plain.values[1] * 3 / scale, rel=1e-12, abs=1e-12)
    assert moved.residual_sd == pytest.approx(3 * plain.residual_sd, rel=1e-12, abs=1e-12)


@functools.cache
def _misses():
    """Distance of the next point from its prediction, in half intervals of 90 %, for 400 lines."""
    random, x, found = np.random.default_rng(11), np.arange(6.0), []
    for _ in range(400):
        y = np.round(3 - 0.5 * x + random.normal(size=6), 4)
        one = prediction(polynomial_regression(x, y), (1, 9), confidence=0.9)
        found.append(abs(3 - 0.5 * 9 + random.normal() - one.value) / (one.upper - one.value))
    return np.array(found)


@pytest.mark.parametrize(("quantile", "right"), [("t", True), ("normal", False)])
def test_prediction_intervals_hold_the_next_point_as_often_as_they_say(quantile, right):
    """The second line of the table shows that a wrong factor would be seen."""
    factor = 1.0 if quantile == "t" else stats.norm.ppf(0.95) / stats.t.ppf(0.95, 4)
    share = np.mean(_misses() <= factor)
    assert bool(abs(share - 0.9) <= 3 * (0.9 * 0.1 / 400) ** 0.5) is right


def test_the_mean_of_a_far_line_keeps_its_digits():
    x = np.arange(20_000, 20_010)
    y = np.round(5 + 0.01 * (x - 20_000) + 0.001 * np.array([1, -1, 2, 0, -2, 1, 1, -1, 0, -1]), 4)
    near = mean_response(polynomial_regression(x - 20_000, y), (1, 3))
    far = mean_response(polynomial_regression(x, y), (1, 20_003))
    assert (far.value, far.lower, far.upper) == pytest.approx(
        (near.value, near.lower, near.upper), rel=1e-14
    )


@pytest.mark.parametrize(
    ("x", "y", "options"),
    [
        ([], [], {}),
        ([1, 2], [1, 2], {}),
        ([1, 1, 1, 1], [1, 2, 3, 4], {}),
        ([1, 2, 3, 4], [1, 2, 3], {}),
        ([1, 2, 3, None], [1, 2, 3, 4], {}),
        ([1, 2, 3, 4], [1, 2, 3, 1e300], {}),
        ([1, 2, 3, 4], [1, 2, 3, 5], {"weights": [1, 1, 0, 1]}),
        ([1, 2, 3, 4], [1, 2, 3, 5], {"degree": 0}),
        ([1, 2, 3, 4], [1, 2, 3, 5], {"degree": 3}),
        ([1, 2, 3, 4], [1, 2, 3, 5], {"confidence": 95}),
    ],
)
def test_what_cannot_be_fitted_is_refused(x, y, options):
    with pytest.raises((NotEstimable, InvalidInput)):
        polynomial_regression(x, y, **options)


def test_a_dependent_predictor_is_named():
    with pytest.raises(NotEstimable, match="column 3 of 3"):
        multiple_regression([[1, 2, 3, 4], [2, 4, 6, 8]], [1, 3, 2, 4])
