"""Controls of an assay: Levey-Jennings lines of their own runs, Westgard rules and precision."""

import numpy as np
import pytest

from batchqc.statistics.control_history import control_history
from batchqc.statistics.precision import intermediate_precision
from batchqc.statistics.westgard import levey_jennings

MEANS = [round(float(one), 2) for one in np.random.default_rng(5).normal(100, 2, 24)]


def results(runs: list[list[str]]) -> list[tuple[str, str, str]]:
    return [
        (f"R{place}", f"2026-01-{place % 28 + 1:02d}", text)
        for place, own in enumerate(runs)
        for text in own
    ]


@pytest.mark.requirement("9.04")
def test_runs_of_a_control_are_held_against_their_own_mean_by_the_rules_of_westgard():
    values = [*MEANS, 130.0]
    found = control_history("PC", "%", results([[str(one)] for one in values]))
    chart = levey_jennings(values)
    assert found.lines == (chart.lower[0], chart.centre[0], chart.upper[0])
    assert {one.rule for one in found.signals if one.run == 25} >= {"1_2s", "1_3s"}
    assert found.z[-1] > 3
    assert [one.name for one in found.part.figures] == ["centre", "SD of runs"]
    assert all(one.lower < one.value < one.upper for one in found.part.figures)
    assert any("repeatability unknown" in one for one in found.part.said)
    assert any("1_2s only warns" in one for one in found.part.said)


def test_replicates_of_runs_tell_repeatability_and_intermediate_precision():
    random = np.random.default_rng(6)
    runs = [[f"{mean + off:.2f}" for off in random.normal(0, 0.5, 3)] for mean in MEANS]
    found = control_history("PC", "%", results(runs))
    values = [float(one) for own in runs for one in own]
    names = [f"R{place}" for place in range(24) for _ in range(3)]
    wanted = intermediate_precision(values, {"run": names}, scale="raw")
    assert wanted.repeatability.sd in found.part.figures
    assert wanted.intermediate.sd in found.part.figures
    assert found.means[0] == pytest.approx(np.mean(values[:3]))


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([], "0 runs: below 8"),
        (["1"], "1 runs: below 8"),
        (["5"] * 9, "equal"),
        (["<5"] * 9, "9 results that are no number or censored"),
        (["growth"], "1 results that are no number"),
        ([*map(str, MEANS[:9])], "9 results: limits are provisional below 20"),
    ],
)
def test_what_the_runs_of_a_control_do_not_allow_is_said(texts: list[str], said: str):
    found = control_history("PC", "%", results([[one] for one in texts]))
    assert any(said in one for one in found.part.said), found.part.said
    assert all(np.isfinite(one) for one in found.means)


def test_a_rule_that_cannot_fire_is_told():
    for count, can in ((10, False), (11, True)):
        texts = [*["100.0", "100.1"] * 5, "100.0"][: count - 1]
        found = control_history("PC", "%", results([[one] for one in [*texts, "900"]]))
        assert ("1_3s" in {one.rule for one in found.signals}) is can
        assert any("none can lie beyond 3 SD" in one for one in found.part.said) is not can
        assert any("R_4s needs two levels" in one for one in found.part.said)
