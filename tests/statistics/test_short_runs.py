"""Short runs: deviations from nominal, and standardised Z and W."""

import math

import numpy as np
import pytest

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.control_charts import Known
from batchqc.statistics.individuals import individuals
from batchqc.statistics.short_runs import from_nominal, z_and_w
from batchqc.statistics.subgroup_charts import xbar

D2 = 2 / math.sqrt(math.pi)


def test_deviations_from_the_target_of_each_part():
    off = from_nominal([50.1, 25.2, None, 49.8], {"A": 50, "B": 25}, part=["A", "B", "B", "A"])
    assert off == pytest.approx([0.1, 0.2, math.nan, -0.2], nan_ok=True)
    assert from_nominal([1.0, 2.0], 1.5).tolist() == [-0.5, 0.5]
    assert from_nominal([1.0, 2.0], [1.0, 1.0]).tolist() == [0.0, 1.0]


def test_subgroups_have_a_target_each():
    groups = [[50, 51, 52], [49, 50, 51], [25, 27, 26], [24, 25, 26]] * 2
    targets = [50, 50, 25, 25] * 2
    chart = xbar(from_nominal(groups, targets))
    assert chart.centre[0] == pytest.approx(0.5)
    assert chart.upper[0] == pytest.approx(0.5 + 1.0233 * 2, abs=1e-3)  # A2 of 3 times R-bar 2


def test_one_part_alone_is_the_individuals_chart():
    x = [5, 7, 4, 6, 8, 5, 6, 4, 7]
    both = z_and_w(x, ["A"] * 9)
    assert both.z.points == pytest.approx(individuals(x).z)
    assert (both.z.lower[0], both.z.upper[0]) == (-3, 3)
    assert both.w.centre[0] == pytest.approx(D2)
    assert both.w.upper[0] == pytest.approx(3.686, abs=5e-4)


def test_each_part_has_its_own_sigma_unless_they_share_one():
    x = [10, 12, 100, 120, 11, 110]
    part = ["A", "A", "B", "B", "A", "B"]
    own = z_and_w(x, part)
    assert own.sigmas == pytest.approx({"A": 1.5 / D2, "B": 15 / D2})
    assert own.means == {"A": 11, "B": 110}
    assert own.w.points[2] == pytest.approx(abs(own.z.points[2] - own.z.points[1]))
    shared = z_and_w(x, part, pooling="common")
    assert shared.sigmas == pytest.approx(dict.fromkeys("AB", (2 + 1 + 20 + 10) / 4 / D2))
    relative = z_and_w(x, part, pooling="relative")
    logs = [abs(math.log(a / b)) for a, b in ((12, 10), (11, 12), (120, 100), (110, 120))]
    assert relative.sigmas["A"] == pytest.approx(np.mean(logs) / D2)


def test_known_lines_of_a_part_are_used():
    known = {"A": Known(10, 0.5), "B": Known(100)}
    found = z_and_w([11, 101, 103], ["A", "B", "B"], known=known)
    assert found.z.points[0] == 2
    assert found.sigmas["B"] == pytest.approx(2 / D2)


def test_a_unit_of_one_part_changes_nothing():
    x = np.array([10, 12, 100, 120, 11, 110.0])
    part = np.array(list("AABBAB"))
    changed = np.where(part == "B", 0.001 * x, x)
    assert z_and_w(changed, part).z.points == pytest.approx(z_and_w(x, part).z.points)


def test_what_has_no_target_or_no_spread_is_refused():
    with pytest.raises(InvalidInput, match="B"):
        from_nominal([1.0, 2.0], {"A": 1}, part=["A", "B"])
    for wrong in ([1.0, 2.0, 3.0], math.nan, "low"):
        with pytest.raises(InvalidInput):
            from_nominal([1.0, 2.0], wrong)
    for data in (["a"], [[[1.0]]], [math.inf]):
        with pytest.raises(InvalidInput):
            from_nominal(data, 1.0)
    with pytest.raises(InvalidInput):
        z_and_w([1.0, 2.0], ["A"])
    with pytest.raises(InvalidInput):
        z_and_w([1.0, 2.0], ["A", "A"], pooling="x")
    with pytest.raises(InvalidInput):
        z_and_w([0.0, 2.0], ["A", "A"], pooling="relative")
    for data in ([1.0, 2.0], [None, 2.0]):
        with pytest.raises(NotEstimable):
            z_and_w(data, ["A", "B"])
    with pytest.raises(NotEstimable):
        z_and_w([1.0, 1.0], ["A", "A"])
