"""Scales, their bounds, and limits carried back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.errors import InvalidInput
from batchqc.statistics.few_lots import prediction
from batchqc.statistics.individuals import individuals
from batchqc.statistics.scales import Scale, on_scale

VIABILITY = [97, 97, 96, 98, 98, 98, 97, 89]  # of the demonstration
KINDS = ["identity", "ln", "complement cube root", "logit", "power"]


@pytest.mark.parametrize("kind", KINDS)
@given(st.floats(0.01, 99.99))
def test_there_and_back(kind, value):
    scale = Scale(kind)
    assert scale.back(scale.forward([value]).values)[0] == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@given(st.lists(st.floats(0.01, 99.99), min_size=2, max_size=2, unique=True))
def test_each_is_monotone_and_the_complement_turns_round(kind, pair):
    scale = Scale(kind)
    first, second = scale.forward(sorted(pair)).values
    assert first >= second if scale.flips else first <= second


@pytest.mark.requirement("9.05")
def test_limits_of_viability_on_the_cube_root_of_the_complement():
    chart = on_scale(VIABILITY, Scale("complement cube root"), individuals)
    y = [(100 - one) ** (1 / 3) for one in VIABILITY]
    own = individuals(y)
    assert chart.lower[0] == pytest.approx(100 - own.upper[0] ** 3)
    assert chart.upper[0] == pytest.approx(100 - max(own.lower[0], 0) ** 3)
    assert chart.lower[0] < chart.centre[0] < chart.upper[0] <= 100
    assert chart.points.tolist() == VIABILITY


def test_one_sided_limits_change_sides_with_the_complement():
    chart = on_scale(
        VIABILITY, Scale("complement cube root"), lambda y: prediction(y, sides="upper")
    )
    assert chart.upper is None
    assert chart.lower is not None


@pytest.mark.requirement("9.05")
def test_a_limit_beyond_the_whole_is_put_on_it():
    assert Scale("complement cube root").back([-0.5]).tolist() == [100.0]
    assert Scale("power").back([-0.5]).tolist() == [0.0]


def test_an_exact_hundred_is_moved_by_half_the_counting_resolution_and_recorded():
    found = Scale("complement cube root").forward([99, 100, None, 100], resolution=0.5)
    assert found.shifted == (2, 4)
    assert found.shift == (-0.25, -0.25)
    assert found.values[1] == pytest.approx(0.25 ** (1 / 3))
    own = Scale("logit").forward([100, 0, 50], resolution=[0.5, 1.0, 1.0])
    assert own.shifted == (1, 2)
    assert own.shift == (-0.25, 0.5)
    assert own.values.tolist() == pytest.approx([math.log(99.75 / 0.25), math.log(0.5 / 99.5), 0])
    # 0 is no bound of the complement
    assert Scale("complement cube root").forward([0]).shifted == ()


def test_a_hundred_without_a_resolution_is_refused():
    for kind in ("complement cube root", "logit"):
        with pytest.raises(InvalidInput, match="resolution"):
            Scale(kind).forward([99, 100])


def test_a_geometric_mean_is_the_centre_of_the_log_scale():
    chart = on_scale([0.9, 1.1, 1.2, 0.8, 1.0, 1.05, 0.95, 1.3], Scale("ln"), individuals)
    logs = np.log([0.9, 1.1, 1.2, 0.8, 1.0, 1.05, 0.95, 1.3])
    assert chart.centre[0] == pytest.approx(math.exp(logs.mean()))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("ln", [0.0]), ("ln", [-1]), ("power", [-1]), ("logit", [101]), ("logit", [-0.1]),
        ("complement cube root", [100.1]), ("complement cube root", [-1]), ("ln", [math.inf]),
    ],
)  # fmt: skip
def test_values_outside_a_scale_are_refused(kind, data):
    with pytest.raises(InvalidInput):
        Scale(kind).forward(data, resolution=1)


def test_scales_that_do_not_exist_are_refused():
    for wrong in ({"kind": "sqrt"}, {"whole": 0}, {"exponent": -1}):
        with pytest.raises(InvalidInput):
            Scale(**wrong)
    for resolution in (0, "fine", [0.5, 0.5], math.nan):
        with pytest.raises(InvalidInput):
            Scale("logit").forward([100], resolution=resolution)
    for kind, wild in (("ln", 1000.0), ("power", 1e140), ("complement cube root", 1e140)):
        with pytest.raises(InvalidInput, match="carried back"):
            Scale(kind).back([wild])
