"""Fieller's interval: its equation, its three shapes, and bad input."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.fieller import Pair, ratio, two_sided

SIZE = st.floats(-50, 50)
SE = st.floats(0.05, 20)


def refused(pair, r, t):
    """Whether a - r b differs from 0 by more than t standard errors: the definition."""
    return (pair.a - r * pair.b) ** 2 > t * t * (pair.v11 - 2 * r * pair.v12 + r * r * pair.v22)


@settings(max_examples=150)
@given(SIZE, SIZE, SE, SE, st.floats(-0.95, 0.95))
def test_the_set_is_that_of_ratios_which_are_not_refused(a, b, sa, sb, correlation):
    assume(abs(b) > 1e-3)
    pair = Pair(a, b, sa**2, correlation * sa * sb, sb**2)
    found = ratio(pair, df=10)
    t = two_sided(0.95, 10)
    assume(abs(found.g - 1) > 1e-6)
    if found.shape == "bounded":
        assert found.lower <= found.estimate <= found.upper
        width = max(found.upper - found.lower, 1e-6)
        inside = np.linspace(found.lower, found.upper, 9)[1:-1]
        outside = [found.lower - width / 5, found.upper + width / 5]
    else:
        assert (found.lower, found.upper) == (None, None)
        inside, outside = [1e12, -1e12], []
        if found.shape == "outside":
            low, high = found.excluded
            outside = [(low + high) / 2]
            inside += [low - 1e-3 * (abs(low) + 1), high + 1e-3 * (abs(high) + 1)]
    assert not any(refused(pair, r, t) for r in inside)
    assert all(refused(pair, r, t) for r in outside)


def test_the_shapes_have_names():
    assert ratio(Pair(1.2, 2.0, 0.04, 0.01, 0.09), quantile=2.1).shape == "bounded"
    outside = ratio(Pair(5.0, 0.3, 0.04, 0.0, 0.09), quantile=2.1)
    assert outside.shape == "outside"
    assert outside.excluded[0] < 0 < outside.excluded[1]
    assert ratio(Pair(0.1, 0.3, 0.04, 0.0, 0.09), quantile=2.1).shape == "everywhere"


def test_without_error_of_the_denominator_it_is_the_plain_interval():
    found = ratio(Pair(3.0, 2.0, 0.25, 0.0, 0.0), df=7)
    half = two_sided(0.95, 7) * 0.5 / 2
    assert (found.lower, found.upper) == (pytest.approx(1.5 - half), pytest.approx(1.5 + half))


@pytest.mark.parametrize(
    ("pair", "error"),
    [
        (Pair(1, 0, 1, 0, 1), NotEstimable),
        (Pair(1, 1, -1, 0, 1), InvalidInput),
        (Pair(1, 1, 1, 2, 1), InvalidInput),
        (Pair(math.nan, 1, 1, 0, 1), InvalidInput),
        (Pair(1e200, 1, 1, 0, 1), InvalidInput),
    ],
)
def test_bad_estimates_are_refused(pair, error):
    with pytest.raises(error):
        ratio(pair)


@pytest.mark.parametrize(("confidence", "df"), [(0, 5), (1, 5), (0.95, 0)])
def test_bad_confidence_is_refused(confidence, df):
    with pytest.raises(InvalidInput):
        ratio(Pair(1, 2, 0.1, 0, 0.1), confidence=confidence, df=df)
