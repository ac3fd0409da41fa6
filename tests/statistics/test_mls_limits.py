"""Limits of sums and ratios of mean squares: exact cases, and coverage by simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.mls_limits import MeanSquares, mls_interval, mls_ratio


def test_one_mean_square_has_the_chi_square_interval():
    found = mls_interval(MeanSquares.of([4.0], [7]), [2.0], conf=0.9)
    assert found == pytest.approx((56 / stats.chi2.isf(0.05, 7), 56 / stats.chi2.ppf(0.05, 7)))


def test_a_ratio_of_two_mean_squares_has_the_f_interval():
    found = mls_ratio(MeanSquares.of([9.8, 0.04], [9, 78]), [1, 0], [0, 1], conf=0.9)
    f = 9.8 / 0.04
    assert found == pytest.approx((f / stats.f.isf(0.05, 9, 78), f / stats.f.ppf(0.05, 9, 78)))


@pytest.mark.parametrize("ratio", [0.3, 3.0])
def test_the_interval_of_a_donor_component_covers_as_stated_and_a_narrower_one_does_not(ratio):
    # 8 donors of 3 lots each: E(MS) = 3 donor + lot, lot. Truth: donor = ratio, lot = 1.
    draws, df, weights = 600, [7, 16], np.array([1 / 3, -1 / 3])
    rng = np.random.default_rng(20)
    ms = np.array([3 * ratio + 1, 1.0]) * rng.chisquare(df, (draws, 2)) / df
    ends = np.array([mls_interval(MeanSquares.of(one, df), weights) for one in ms])
    middle = (ms @ weights)[:, np.newaxis]
    margin = 3 * math.sqrt(0.95 * 0.05 / draws)
    for stretch, holds in ((1.0, True), (0.8, False)):
        low, high = (middle + stretch * (ends - middle)).T
        covered = np.mean((low <= ratio) & (ratio <= high))
        assert (abs(covered - 0.95) <= margin) == holds


def test_wrong_mean_squares_are_refused():
    with pytest.raises(InvalidInput):
        MeanSquares.of([-1.0], [3])
    with pytest.raises(InvalidInput):
        MeanSquares.of([1.0], [0])
    with pytest.raises(InvalidInput):
        mls_interval(MeanSquares.of([1.0], [3]), [1, 2])
    with pytest.raises(InvalidInput):
        mls_interval(MeanSquares.of([1.0], [3]), [1], conf=95)
    with pytest.raises(NotEstimable):
        mls_ratio(MeanSquares.of([1.0, 2.0], [3, 4]), [1, 0], [-1, 0.1])
