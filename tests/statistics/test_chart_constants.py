"""Constants of control charts: exact where closed forms exist, and as tables print them."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm, studentized_range

from batchqc.errors import InvalidInput
from batchqc.statistics.chart_constants import c4, chart_constants, d2, d3, d4, range_below


def test_closed_forms_of_the_range_of_two_and_three():
    assert d2(2) == pytest.approx(2 / math.sqrt(math.pi), rel=1e-13)
    assert d3(2) == pytest.approx(math.sqrt(2 - 4 / math.pi), rel=1e-12)
    assert d4(2) == pytest.approx(math.sqrt(2) * norm.ppf(0.75), rel=1e-14)
    assert d2(3) == pytest.approx(3 / math.sqrt(math.pi), rel=1e-13)
    # E[R^2] of three is 2 + 3 sqrt(3) / pi (David 1981, exercise of section 3.2)
    square = 2 + 3 * math.sqrt(3) / math.pi
    assert d3(3) == pytest.approx(math.sqrt(square - 9 / math.pi), rel=1e-12)


@pytest.mark.parametrize("n", [4, 10, 25, 200, 1000])
def test_the_mean_range_is_the_integral_by_another_quadrature(n):
    other = 2 * quad(lambda x: 1 - norm.cdf(x) ** n - norm.sf(x) ** n, 0, 12, epsabs=1e-13)[0]
    assert d2(n) == pytest.approx(other, rel=1e-10)


@pytest.mark.parametrize(("w", "n"), [(1.0, 3), (2.5, 5), (4.0, 12)])
def test_the_distribution_of_the_range_is_that_of_the_studentized_range_with_infinite_df(w, n):
    assert range_below(w, n) == pytest.approx(studentized_range.cdf(w, n, 1e6), abs=2e-5)


@pytest.mark.parametrize("n", [2, 3, 8, 25, 101, 102, 103, 301])
def test_c4_is_the_ratio_of_gamma_functions_in_whole_numbers(n):
    def gamma_of_half(k):
        if k % 2 == 0:
            return Fraction(math.factorial(k // 2 - 1)), 0
        half = (k - 1) // 2
        return Fraction(math.factorial(k - 1), 4**half * math.factorial(half)), 1

    (above, root_above), (below, root_below) = gamma_of_half(n), gamma_of_half(n - 1)
    ratio = float(above / below) * math.pi ** ((root_above - root_below) / 2)
    assert c4(n) == pytest.approx(ratio * math.sqrt(2 / (n - 1)), rel=1e-13)


@pytest.mark.parametrize(
    ("n", "printed"),
    [
        (2, {"A": 2.121, "A2": 1.880, "A3": 2.659, "c4": 0.7979, "B4": 3.267, "B6": 2.606,
             "d2": 1.128, "d3": 0.853, "D2": 3.686, "D4": 3.267, "B3": 0.0, "D3": 0.0}),
        (5, {"A": 1.342, "A2": 0.577, "A3": 1.427, "c4": 0.9400, "B4": 2.089, "B6": 1.964,
             "d2": 2.326, "d3": 0.864, "D2": 4.918, "D4": 2.114, "D1": 0.0, "B5": 0.0}),
        (10, {"A": 0.949, "A2": 0.308, "A3": 0.975, "c4": 0.9727, "B3": 0.284, "B4": 1.716,
              "B5": 0.276, "B6": 1.669, "d2": 3.078, "d3": 0.797, "D1": 0.687, "D2": 5.469,
              "D3": 0.223, "D4": 1.777}),
        (25, {"A": 0.600, "A2": 0.153, "A3": 0.606, "c4": 0.9896, "B3": 0.565, "B4": 1.435,
              "B5": 0.559, "B6": 1.420, "d2": 3.931, "d3": 0.708, "D1": 1.806, "D2": 6.056,
              "D3": 0.459, "D4": 1.541}),
    ],
)  # fmt: skip
def test_printed_tables_are_the_exact_constants_rounded(n, printed):
    # Montgomery, appendix VI; its last digit is one off where it was computed from rounded factors
    found = chart_constants(n)
    assert {key: getattr(found, key) for key in printed} == pytest.approx(printed, abs=1.01e-3)


def test_a_table_is_for_charts_that_were_drawn_with_one():
    assert chart_constants(2, constants="table").d2 == 1.128
    assert chart_constants(5, constants="table").c4 == 0.94
    assert chart_constants(2).d2 == pytest.approx(1.1283791670955126)


def test_width_moves_the_limits():
    assert pytest.approx(chart_constants(5).A2 * 2 / 3) == chart_constants(5, width=2).A2
    assert pytest.approx(2.6587, abs=1e-4) == chart_constants(2).E2


@pytest.mark.parametrize("n", [1, 0, -3, 2.5, 1001, True, None, "five", math.nan, math.inf])
def test_a_size_that_has_no_range_is_refused(n):
    with pytest.raises(InvalidInput):
        chart_constants(n)


def test_options_that_do_not_exist_are_refused():
    with pytest.raises(InvalidInput):
        chart_constants(5, width=0)
    with pytest.raises(InvalidInput):
        chart_constants(5, constants="minitab")
    with pytest.raises(InvalidInput):
        c4(1)


def test_simulated_ranges_have_the_constants_and_not_those_of_another_size():
    draws = np.random.default_rng(20261122).normal(size=(40_000, 6))
    ranges = np.ptp(draws, axis=1)
    margin = 3 * d3(6) / math.sqrt(40_000)
    assert abs(ranges.mean() - d2(6)) < margin
    assert abs(ranges.mean() - d2(7)) > margin
    assert ranges.std(ddof=1) == pytest.approx(d3(6), rel=0.02)
    assert np.median(ranges) == pytest.approx(d4(6), rel=0.01)
