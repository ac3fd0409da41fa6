"""Combined run lengths of rules: the table of Champ and Woodall, brute force, simulation."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.rule_run_length import rule_run_length
from batchqc.statistics.rule_sets import Mixture, Run, both_sides, one_side, parts_of
from batchqc.statistics.rule_simulation import simulated_alarm_chance, simulated_run_length

DRAWS = 4_000
WRONG = pytest.mark.xfail(strict=True)


def average(found):
    return found.average.value


@pytest.mark.parametrize(
    ("rules", "published"),
    [
        ("1", 370.40),
        ("12", 225.44),
        ("13", 166.05),
        ("14", 152.73),
        ("123", 132.89),
        ("124", 122.05),
        ("134", 105.78),
        ("1234", 91.75),
    ],
)
def test_in_control_as_in_champ_and_woodall_1987(rules, published):
    found = rule_run_length([f"we{one}" for one in rules])
    assert average(found) == pytest.approx(published, abs=0.006)


@pytest.mark.parametrize(
    ("shift", "published"),
    [(0.2, 66.80), (0.4, 36.61), (0.8, 13.25), (1.0, 9.22), (2.0, 3.13), (3.0, 1.67)],
)
def test_with_a_shift_as_in_champ_and_woodall_1987(shift, published):
    found = rule_run_length(["we1", "we2", "we3", "we4"], shift=shift)
    assert average(found) == pytest.approx(published, abs=0.006)


def test_rules_one_and_two_of_nelson_alarm_once_in_217_lots():
    assert average(rule_run_length([1, 2])) == pytest.approx(216.7, abs=0.05)


def test_a_run_of_r_has_the_run_length_of_the_renewal_formula():
    """Feller 1968, XIII.7: (1 - p^r) / (q p^r) for runs of one kind."""
    for r, p in ((15, stats.norm.cdf(1) - stats.norm.cdf(-1)), (4, 0.5)):
        rule = [7] if r == 15 else [one_side(4, 4, 0)]
        expected = (1 - p**r) / ((1 - p) * p**r)
        assert average(rule_run_length(rule)) == pytest.approx(expected, rel=1e-9)


def alarms(rules, z):
    """Whether the last lot of a series completes a pattern, by the words of the rules."""
    found = False
    for part in parts_of(rules):
        last = z[-part.window :]
        if isinstance(part, Run):
            found |= sum(part.low < one < part.high for one in last) >= part.hits
        elif isinstance(part, Mixture) and len(last) == part.window:
            beyond = all(abs(one) > part.low for one in last)
            found |= beyond and min(last) < 0 < max(last)
    return bool(found)


@pytest.mark.parametrize(
    "rules", [["we2", "we3"], [5, 6, "we4"], [both_sides(3, 4, 0.5)], [8, "we2"]]
)
def test_machines_alarm_where_the_words_of_the_rules_do(rules):
    random = np.random.default_rng(11)
    machines = parts_of(rules)
    for _ in range(60):
        z = list(random.standard_normal(40) * 1.4)
        memory = [0] * len(machines)
        for place in range(1, 41):
            steps = [m.step(b, z[place - 1]) for m, b in zip(machines, memory, strict=True)]
            memory = [after for after, _ in steps]
            alarm = any(alarm for _, alarm in steps)
            assert alarm == alarms(rules, z[:place])
            if alarm:
                break


def test_the_chance_of_an_alarm_in_few_lots_is_that_of_all_their_zones():
    rules, lots, shift = ["we1", "we2", "we3"], 5, 0.3
    cuts = np.array([-3, -2, -1, 1, 2, 3])
    middles = [-4, -2.5, -1.5, 0.1, 1.5, 2.5, 4]
    chances = np.diff(np.r_[0, stats.norm.cdf(cuts - shift), 1])
    quiet = 0.0
    for zones in itertools.product(range(7), repeat=lots):
        z = [middles[one] for one in zones]
        if not any(alarms(rules, z[:place]) for place in range(1, lots + 1)):
            quiet += np.prod(chances[list(zones)])
    found = rule_run_length(rules, shift=shift).alarm_within(lots)
    assert found == pytest.approx(1 - quiet, rel=1e-9)


@pytest.mark.parametrize("factor", [1.0, pytest.param(1.1, marks=WRONG)])
@pytest.mark.parametrize("rules", [[1, 2, 5, 6, 7, 8], ["we1", "we2", "we3", "we4"]])
def test_simulation_and_chain_agree(rules, factor):
    found = simulated_run_length(rules, draws=DRAWS, seed=3)
    error = 3 * found.sd / np.sqrt(DRAWS)
    assert abs(found.average.value - factor * average(rule_run_length(rules))) < error


@pytest.mark.parametrize("factor", [1.0, pytest.param(1.2, marks=WRONG)])
def test_six_in_a_row_rising_or_falling_run_as_long_as_their_eulerian_chance_says(factor):
    """P(no such run in n lots) for n of 6: 1 - 2/6!, whatever the law of the lots."""
    chance = simulated_alarm_chance([3], 6, draws=100_000, seed=2).value
    expected = factor * 2 / 720
    assert abs(chance - expected) < 3 * np.sqrt(expected / 100_000)


def test_fourteen_in_turn_are_as_rare_as_andre_counted():
    """2 E14 / 14! with the zigzag number E14 = 199360981 (André 1881)."""
    chance = simulated_alarm_chance([4], 14, draws=100_000, seed=2).value
    expected = 2 * 199_360_981 / 87_178_291_200
    assert abs(chance - expected) < 3 * np.sqrt(expected / 100_000)


@pytest.mark.parametrize("factor", [1.0, pytest.param(1.5, marks=WRONG)])
def test_prediction_limits_keep_the_false_alarm_rate(factor):
    draws, expected = 200_000, factor * 0.0026998
    found = simulated_alarm_chance([1], 1, phase1=10, draws=draws, seed=8).value
    assert abs(found - expected) < 3 * np.sqrt(expected / draws)


@pytest.mark.parametrize("scale", ["mr", "sd"])
def test_three_sigma_limits_from_ten_lots_do_not_keep_it(scale):
    assert simulated_alarm_chance([1], 1, phase1=10, scale=scale, seed=8).value > 0.008


def test_limits_from_ten_lots_alarm_falsely_as_often_as_was_found_before():
    """Rule 1, 1+2+5 and all eight in 20 lots: 24, 35 and 46 per cent (technique notes)."""
    for rules, expected in (([1], 0.24), ([1, 2, 5], 0.35), (range(1, 9), 0.46)):
        found = simulated_alarm_chance(rules, 20, phase1=10, scale="mr", draws=DRAWS)
        assert abs(found.value - expected) < 3 * np.sqrt(expected * (1 - expected) / DRAWS) + 0.005


def test_one_rule_in_twenty_lots_is_closed_form():
    found = rule_run_length([1]).alarm_within(20)
    assert found == pytest.approx(1 - (1 - 2 * stats.norm.sf(3)) ** 20, rel=1e-9)


def test_a_seed_gives_its_answer_again_and_another_gives_another():
    first, again, other = (simulated_run_length([1, 3], draws=500, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first != other


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.sampled_from(["1", "2", "5", "6", "7", "8", "we4"]), min_size=1, unique=True),
    st.floats(0, 2),
)
def test_more_rules_alarm_sooner_and_their_order_is_nothing(rules, shift):
    found = average(rule_run_length(["1", *rules], shift=shift))
    assert found <= average(rule_run_length(["1"], shift=shift)) * (1 + 1e-9)
    assert found == pytest.approx(average(rule_run_length([*rules[::-1], "1"], shift=-shift)))


@pytest.mark.parametrize(
    "bad",
    [
        lambda: rule_run_length([]),
        lambda: rule_run_length(["9"]),
        lambda: rule_run_length([1], shift=float("nan")),
        lambda: both_sides(3, 2, 1),
        lambda: both_sides(1, 1, -1),
        lambda: one_side(1, 1, 2, 1),
        lambda: one_side(1, 1, -np.inf, np.inf),
        lambda: simulated_run_length([1], draws=5),
        lambda: simulated_alarm_chance([1], 0),
        lambda: simulated_alarm_chance([1], 5, phase1=2),
    ],
)
def test_what_is_no_set_of_rules_is_refused(bad):
    with pytest.raises(InvalidInput):
        bad()


@pytest.mark.parametrize(
    "never",
    [
        lambda: rule_run_length([3]),
        lambda: rule_run_length([1, 4]),
        lambda: rule_run_length([1], spread=0.05),
        lambda: rule_run_length([1], spread=0),
        lambda: rule_run_length([both_sides(1, 1, 9)]),
    ],
)
def test_what_no_chain_tells_is_refused_with_its_reason(never):
    with pytest.raises(NotEstimable, match=r"."):
        never()
