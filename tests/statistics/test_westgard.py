"""Westgard multirules, each against what its name says, with gaps and levels."""

import math

import numpy as np
import pytest

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.westgard import levey_jennings, multirules, run_signals, scores


def runs(z, rule, **options):
    return multirules(z, [rule], **options)[rule]


def test_limits_are_strict():
    assert runs([2.0, 2.1, -2.1], "1_2s") == (2, 3)
    assert runs([3.0, 3.1], "1_3s") == (2,)
    assert runs([[2.0, 2.5]], "2_2s") == ()
    assert runs([[2.5, -2.0]], "R_4s") == ()


def test_two_beyond_two_within_a_run_or_in_a_level():
    assert runs([[2.1, 2.2]], "2_2s") == (1,)
    assert runs([[2.1, -2.2]], "2_2s") == ()
    assert runs([[2.1, 0], [2.2, 0]], "2_2s") == (2,)
    assert runs([[2.1, 0], [0, 2.2]], "2_2s") == ()  # not one level, not one run
    assert runs([[2.1, 0], [None, 0], [2.2, 0]], "2_2s") == ()
    assert runs([[0, 2.1, 2.2]], "2_2s") == (1,)


def test_the_range_of_a_run():
    assert runs([[2.4, -2.2]], "R_4s") == (1,)
    assert runs([[3.9, -0.5]], "R_4s") == ()
    assert runs([2.4, -2.2], "R_4s") == ()
    assert runs([2.4, -2.2, 0], "R_4s", r4s_over=2) == (2,)


def test_consecutive_results_go_through_the_levels_or_stay_in_one():
    z = [[1.1, 1.2], [1.3, 1.4], [1.5, 0.2], [1.6, 0.2]]
    assert runs(z, "4_1s") == (2, 3)
    assert runs(z, "4_1s", scope="within") == (4,)
    assert runs(z, "4_1s", scope="both") == (2, 3, 4)
    assert runs([[1.1, 1.2], [None, 1.4], [1.5, 0.2]], "4_1s") == ()


@pytest.mark.parametrize("length", [6, 8, 9, 10, 12])
def test_consecutive_on_one_side(length):
    assert runs([0.1] * length, f"{length}_x") == (length,)
    assert runs([0.1] * (length - 1) + [0.0, 0.1], f"{length}_x") == ()


def test_rules_of_three_levels():
    assert runs([[2.1, 0.3, 2.2]], "2of3_2s") == (1,)
    assert runs([[0, 0, 2.1], [0, 2.2, 0]], "2of3_2s") == (2,)  # the last three results
    assert runs([[2.1, 0.3, -2.2]], "2of3_2s") == ()
    assert runs([[1.1, 1.2, 1.3]], "3_1s") == (1,)
    assert runs([1, 2, 3, 4, 5, 6, 7], "7_T") == (7,)


def test_names_are_read_as_people_write_them():
    z = [[2.1, 2.2], [3.4, -2.2]]
    for one, same in (("1:3s", "1_3s"), ("R4s", "R_4s"), ("22s", "2_2s"), ("2:2s", "2_2s")):
        assert runs(z, one) == runs(z, same)
    assert runs([0.1] * 10, "10x") == (10,)
    assert runs([0.1] * 10, "10_xbar") == (10,)


def test_signals_tell_a_warning_from_the_rest():
    found = run_signals([[0.1, 0.2], [2.1, 2.4], [None, 3.2]])
    assert [(one.rule, one.run, one.warning) for one in found] == [
        ("1_2s", 2, True), ("2_2s", 2, False), ("1_2s", 3, True),
        ("1_3s", 3, False), ("2_2s", 3, False),
    ]  # fmt: skip
    assert found[-1].z == (None, 3.2)


def test_results_become_scores_of_their_level():
    z = scores([[11.0, 95.0], [None, 110.0]], [10.0, 100.0], [0.5, 5.0])
    assert z[0].tolist() == [2.0, -1.0]
    assert math.isnan(z[1, 0])
    assert z[1, 1] == 2.0
    for mean, sd in (([1, 2, 3], 1), (0, 0), ([0, 1], [1, -1]), (math.nan, 1)):
        with pytest.raises(InvalidInput):
            scores([[1.0, 2.0]], mean, sd)


def test_what_is_no_rule_is_refused():
    for wrong in ("1_3", "x", "4_1", "0_x", "3of2_2s"):
        with pytest.raises(InvalidInput):
            runs([0.1], wrong)
    with pytest.raises(InvalidInput):
        runs([0.1], "4_1s", scope="sideways")
    with pytest.raises(InvalidInput):
        runs([0.1], "R_4s", r4s_over=0)
    for z in ([[[1.0]]], ["a"], [math.inf]):
        with pytest.raises(InvalidInput):
            runs(z, "1_3s")


def test_no_runs_give_no_signals():
    assert multirules([])["1_3s"] == ()
    assert multirules([[None, None]])["10_x"] == ()


# Chance of a run of two levels in control, from the normal distribution.
BEYOND_2, BEYOND_3 = 0.0227501319, 0.0013498980
CHANCE = {
    "1_2s": 1 - (1 - 2 * BEYOND_2) ** 2,
    "1_3s": 1 - (1 - 2 * BEYOND_3) ** 2,
    "R_4s": 2 * BEYOND_2**2,
}


@pytest.mark.parametrize("rule", CHANCE)
def test_false_rejections_come_as_often_as_the_normal_distribution_says(rule):
    draws = 200_000
    z = np.random.default_rng(12).normal(size=(draws, 2))
    margin = 3 * math.sqrt(CHANCE[rule] * (1 - CHANCE[rule]) / draws)
    assert abs(len(runs(z, rule)) / draws - CHANCE[rule]) < margin
    assert abs(len(runs(z * 1.1, rule)) / draws - CHANCE[rule]) > margin


def test_the_chart_of_a_control():
    chart = levey_jennings([10.2, 9.1, 11.6], mean=10, sd=0.5)
    assert chart.beyond == (3,)
    assert chart.upper[0] == 11.5
    own = levey_jennings([10.2, 9.1, 11.6, 10.0])
    assert own.figures["sigma"].value == pytest.approx(np.std([10.2, 9.1, 11.6, 10.0], ddof=1))
    assert "provisional" in own.limitations[0]
    assert levey_jennings(np.arange(20.0)).limitations == ()


def test_a_control_that_cannot_be_charted_is_refused():
    with pytest.raises(InvalidInput):
        levey_jennings([1.0, 2.0], mean=1.0)
    with pytest.raises(InvalidInput):
        levey_jennings([1.0, 2.0], mean=1.0, sd=0)
    for data in ([], [1.0], [2.0, 2.0, 2.0], [None]):
        with pytest.raises(NotEstimable):
            levey_jennings(data)
