"""Run rules, each against a slow evaluation of its own words, on gaps, ties and centre lines."""

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchqc.errors import InvalidInput
from batchqc.statistics.run_rules import (
    NELSON,
    WESTERN_ELECTRIC,
    Rule,
    completing,
    marks,
    signals,
)

ALL = [*NELSON.values(), *WESTERN_ELECTRIC.values()]
GAP = math.nan


def at(z, rule):
    return completing(z, [rule])[rule.name]


def slowly(z, rule):
    """Point by point, in the words of the rule."""
    found = []
    for end in range(len(z)):
        begin = end - rule.of + 1
        if begin < 0 and (rule.pattern != "beyond" or rule.needs == rule.of or not rule.partial):
            continue
        window = z[max(0, begin) : end + 1]
        sides = [[one > rule.zone for one in window], [one < -rule.zone for one in window]]
        steps = [second - first for first, second in itertools.pairwise(window)]
        match rule.pattern:
            case "beyond":
                fires = any(side[-1] and sum(side) >= rule.needs for side in sides)
            case "trend":
                fires = all(one > 0 for one in steps) or all(one < 0 for one in steps)
            case "alternating":
                fires = all(
                    (a > 0 and b < 0) or (a < 0 and b > 0) for a, b in itertools.pairwise(steps)
                )
            case "hugging":
                fires = all(abs(one) < rule.zone for one in window)
            case _:
                fires = all(abs(one) > rule.zone for one in window)
                fires = fires and any(sides[0]) and any(sides[1])
        if fires:
            found.append(end + 1)
    return tuple(found)


LEVELS = st.sampled_from([GAP, -3.5, -3, -2.5, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5])


@settings(max_examples=150, deadline=None)
@given(st.lists(LEVELS, min_size=0, max_size=60))
def test_every_rule_fires_where_its_words_say(z):
    full = [Rule("full", "beyond", 3, need=2, zone=2.0, partial=False)]
    short = [Rule("short", "alternating", 4), Rule("near", "hugging", 3, zone=1.0)]
    for rule in [*ALL, *full, *short, Rule("far", "avoiding", 3, zone=1.0), Rule("up", "trend", 3)]:
        assert at(z, rule) == slowly(z, rule), rule.name


@settings(max_examples=60, deadline=None)
@given(st.lists(LEVELS, min_size=1, max_size=60))
def test_a_mirror_image_has_the_same_signals(z):
    assert completing([-one for one in z], ALL) == completing(z, ALL)


def test_limits_are_strict():
    assert at([3.0, -3.0, 3.0000001], NELSON[1]) == (3,)
    assert at([2.0, 2.0, 2.0], NELSON[5]) == ()
    assert at([1.0] * 20, NELSON[7]) == ()
    assert at([1.0, -1.0] * 8, NELSON[8]) == ()


def test_two_of_three_may_have_a_gap_of_one_and_is_completed_by_a_point_beyond():
    assert at([0, 2.1, 0, 2.2, 0], NELSON[5]) == (4,)
    assert at([0, 2.1, 0, 0, 2.2], NELSON[5]) == ()
    assert at([0, 2.1, 0, -2.2], NELSON[5]) == ()
    assert at([0, 2.1, 2.2, 0], NELSON[5]) == (3,)


def test_a_missing_lot_takes_a_place_in_a_window_and_breaks_a_run():
    assert at([2.1, GAP, 2.2], NELSON[5]) == (3,)
    assert at([2.1, GAP, GAP, 2.2], NELSON[5]) == ()
    assert at([1.1, 1.1, GAP, 1.1, 1.1], NELSON[6]) == (5,)
    assert at([0.5] * 8 + [GAP] + [0.5], NELSON[2]) == ()
    assert at([1, 2, 3, GAP, 4, 5, 6], NELSON[3]) == ()
    assert at([0.1, -0.1] * 6 + [GAP] + [0.1, -0.1], NELSON[4]) == ()


def test_the_centre_line_is_on_neither_side_and_a_tie_is_no_step():
    assert at([0.5] * 8 + [0.0, 0.5], NELSON[2]) == ()
    assert at([1, 2, 3, 3, 4, 5, 6], NELSON[3]) == ()
    assert at([1, 2, 3, 4, 5, 6], NELSON[3]) == (6,)


def test_a_window_at_the_start_counts_with_what_it_has_unless_it_must_be_full():
    assert at([2.5, 2.5], NELSON[5]) == (2,)
    full = Rule("full", "beyond", 3, need=2, zone=2.0, partial=False)
    assert at([2.5, 2.5, 2.5], full) == (3,)


def test_a_signal_names_its_points():
    (one,) = signals([0, 2.1, 0.3, 2.2], [NELSON[5]])
    assert (one.rule, one.point, one.members) == ("Nelson 5", 4, (2, 4))
    (run,) = signals([0.1] * 9, [NELSON[2]])
    assert run.members == tuple(range(1, 10))


def test_many_attributes_at_once_are_each_as_alone():
    z = np.random.default_rng(5).normal(scale=1.4, size=(300, 7))
    z[np.random.default_rng(6).random(z.shape) < 0.05] = np.nan
    together = marks(z, ALL)
    for column in range(7):
        alone = marks(z[:, column], ALL)
        assert all(np.array_equal(together[name][:, column], alone[name]) for name in alone)
    found = signals(z, [NELSON[5]])
    assert {(one.point, one.column) for one in found} == {
        (row + 1, column + 1) for row, column in np.argwhere(together["Nelson 5"])
    }


def test_ten_thousand_lots_of_twenty_attributes_take_well_under_a_second():
    z = np.random.default_rng(7).normal(size=(10_000, 20))
    began = time.process_time()
    marks(z, list(NELSON.values()))
    assert time.process_time() - began < 0.5


# In control with known parameters: chances of a signal at a point, from the normal distribution.
CHANCE = {
    1: 0.0026998,
    2: 2 * 0.5**9,
    3: 2 / math.factorial(6),
    7: 0.6826895**15,
    8: 0.3173105**8 * (1 - 2 * 0.5**8),
}


@pytest.mark.parametrize("number", CHANCE)
def test_false_alarms_come_as_often_as_the_normal_distribution_says(number):
    # One window of 15 independent lots per draw, looked at where it is complete.
    draws = 200_000
    z = np.random.default_rng(number).normal(size=(15, draws))
    seen = marks(z, [NELSON[number]])[NELSON[number].name][-1].mean()
    margin = 3 * math.sqrt(CHANCE[number] * (1 - CHANCE[number]) / draws)
    assert abs(seen - CHANCE[number]) < margin


@pytest.mark.parametrize(
    ("number", "wrong"),
    [
        (1, Rule("wrong", "beyond", 1, zone=2.8)),
        (2, Rule("wrong", "beyond", 8)),
        (3, Rule("wrong", "trend", 7)),
        (7, Rule("wrong", "hugging", 14, zone=1.0)),
        (8, Rule("wrong", "avoiding", 7, zone=1.0)),
    ],
)
def test_and_a_wrong_rule_would_be_seen(number, wrong):
    draws = 200_000
    z = np.random.default_rng(number).normal(size=(15, draws))
    seen = marks(z, [wrong])["wrong"][-1].mean()
    margin = 3 * math.sqrt(CHANCE[number] * (1 - CHANCE[number]) / draws)
    assert abs(seen - CHANCE[number]) > margin


@pytest.mark.parametrize(
    "bad", [[[[1.0]]], ["high"], [math.inf, 1.0], [[1.0], [1e200]], 3.0], ids=str
)
def test_what_is_no_table_of_numbers_is_refused(bad):
    with pytest.raises(InvalidInput):
        marks(bad, ALL)


def test_a_rule_that_cannot_be_is_refused():
    for wrong in [("beyond", 0, 0), ("beyond", 3, 4), ("trend", 1, 0), ("spiral", 3, 0)]:
        with pytest.raises(InvalidInput):
            Rule("x", *wrong)
    with pytest.raises(InvalidInput):
        marks([1.0], [NELSON[1], NELSON[1]])


def test_nothing_gives_nothing():
    assert signals([], ALL) == ()
    assert completing([], ALL) == {rule.name: () for rule in ALL}
    assert completing([GAP, GAP], ALL) == {rule.name: () for rule in ALL}
