"""Intervals hold the truth, and tests and charts err, as often as they say: by simulation.

Each is seeded and repeated as often as its number of draws says; the margin is three binomial
standard errors of that number. Each is shown to see a deliberately wrong factor.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from batchqc.errors import NotEstimable
from batchqc.statistics.bioassay import Assay, assay
from batchqc.statistics.capability_limits import cp_interval, cpk_interval
from batchqc.statistics.combination import CombineOptions, Run, combine
from batchqc.statistics.cross_over import cross_over
from batchqc.statistics.equivalence import paired
from batchqc.statistics.figures import Figure
from batchqc.statistics.mean_ratio import ratio_of_means
from batchqc.statistics.parallel_lines import parallel_lines
from batchqc.statistics.parallelism import line_parallelism
from batchqc.statistics.precision_ratio import variance_ratio
from batchqc.statistics.prediction import prediction_interval
from batchqc.statistics.scales import Scale
from batchqc.statistics.self_starting import q_chart
from batchqc.statistics.slope_ratio import slope_ratio
from batchqc.statistics.tolerance import tolerance_interval
from batchqc.statistics.trend_limits import phase_one

DRAWS = 500


def agrees(seen: float, stated: float, draws: int = DRAWS) -> bool:
    """Whether a share of draws is the stated one, within three standard errors."""
    return bool(abs(seen - stated) <= 3 * math.sqrt(stated * (1 - stated) / draws))


def held(figures: Sequence[Figure], true: float, factor: float = 1.0) -> float:
    """The share of intervals, stretched about their estimates, that hold the truth."""
    value = np.array([one.value for one in figures])
    low, high = (
        value + factor * (np.array([getattr(one, end) for one in figures], dtype=float) - value)
        for end in ("lower", "upper")
    )
    return float(np.mean((low <= true) & (true <= high)))


def slopes() -> tuple[list[Figure], float]:
    names = ["blank"] * 4 + ["S"] * 6 + ["T"] * 6
    doses = np.array([0.0] * 4 + [1, 2, 3] * 4)
    mean = 0.5 + np.where(np.array(names) == "T", 0.8, 1.0) * doses
    rng = np.random.default_rng(31)
    made = [assay(names, doses, mean + rng.normal(0, 0.3, 16)) for _ in range(DRAWS)]
    return [slope_ratio(one).potency["T"].figure for one in made], 0.8


def crossed() -> tuple[list[Figure], float]:
    """A twin cross-over of 16 subjects: 12 degrees of freedom within them."""
    order = [[("S", 1), ("T", 2)], [("S", 2), ("T", 1)], [("T", 1), ("S", 2)], [("T", 2), ("S", 1)]]
    rows = [(name, dose, who, day) for who in range(16)
            for day, (name, dose) in enumerate(order[who % 4])]  # fmt: skip
    names, doses, subject, day = (list(one) for one in zip(*rows, strict=True))
    given = np.where(np.array(names) == "T", 1.3, 1.0) * np.array(doses)
    mean = 100 - 30 * np.log(given) + 3 * np.array(day)
    rng = np.random.default_rng(32)
    figures = []
    for _ in range(DRAWS):
        y = mean + rng.normal(0, 8, 16)[subject] + rng.normal(0, 4, 32)
        found = cross_over(assay(names, doses, y, blocks=[subject, day]))
        figures.append(found.potency["T"].figure)
    return figures, 1.3


def runs(kind: str, between: float) -> tuple[list[Figure], float]:
    """Eight runs of unequal precision, with or without variation between them."""
    rng, variance = np.random.default_rng(33), np.array([0.004, 0.006, 0.01, 0.005] * 2)
    figures = []
    for _ in range(DRAWS):
        potency = np.exp(rng.normal(math.log(1.1), np.sqrt(variance + between)))
        made = [Run(float(p), float(v)) for p, v in zip(potency, variance, strict=True)]
        figures.append(combine(made, CombineOptions(mean=kind)).reported)  # type: ignore[arg-type]
    return figures, 1.1


def ratios(make: Callable[..., Figure], spread: tuple[float, float]) -> list[Figure]:
    rng = np.random.default_rng(35)
    pairs = [(rng.normal(10, spread[0], 9), rng.normal(8, spread[1], 12)) for _ in range(DRAWS)]
    return [make(a, b) for a, b in pairs]


INTERVALS: dict[str, tuple[Callable[[], tuple[list[Figure], float]], float]] = {
    "slope ratio, Fieller": (slopes, 0.95),
    "cross-over, Fieller": (crossed, 0.95),
    "weighted mean of alike runs": (lambda: runs("weighted", 0.0), 0.95),
    "semi-weighted mean of unlike runs": (lambda: runs("semi-weighted", 0.02), 0.95),
    "unweighted mean of unlike runs": (lambda: runs("unweighted", 0.02), 0.95),
    "ratio of means, Fieller": (
        lambda: (ratios(lambda a, b: ratio_of_means(a, b, pooled=True), (2, 2)), 1.25), 0.90),
    "ratio of variances": (
        lambda: (ratios(lambda a, b: variance_ratio(a, b).ratio, (2, 1)), 4.0), 0.90),
}  # fmt: skip


@pytest.mark.parametrize("name", INTERVALS)
def test_an_interval_holds_the_truth_as_often_as_it_says_and_a_narrower_one_does_not(name):
    make, stated = INTERVALS[name]
    figures, true = make()
    assert {one.confidence for one in figures} == {stated}
    assert agrees(held(figures, true), stated)
    assert not agrees(held(figures, true, 0.7), stated)


def test_weights_that_forget_the_variation_between_runs_are_seen_to_fail():
    figures, true = runs("weighted", 0.02)
    assert held(figures, true) < 0.75


def _capability(limits: Callable[[float], tuple[float, float]], true: float) -> tuple[float, float]:
    """The estimates whose interval ends at the true index: ends grow with the estimate."""

    def where(end: int) -> float:
        low, high = 0.05, 8.0
        for _ in range(30):
            middle = (low + high) / 2
            low, high = (middle, high) if limits(middle)[end] < true else (low, middle)
        return low

    return where(1), where(0)


@pytest.mark.parametrize("off", [0.0, 1.2])
def test_limits_of_capability_hold_the_index_as_often_as_they_say(off):
    """Limits at ±4 sd, the mean off by some: 20 values, Cp of 4/3."""
    n, draws, half = 20, 20_000, 4.0
    x = np.random.default_rng(36).normal(off, 1, (draws, n))
    mean, sd = x.mean(axis=1), x.std(axis=1, ddof=1)
    cp, cpk = half / (3 * sd), (half - np.abs(mean)) / (3 * sd)
    for seen, true, limits in (
        (cp, half / 3, lambda index: cp_interval(index, n - 1)),
        (cpk, (half - off) / 3, lambda index: cpk_interval(index, n, off_centre=off)),
    ):
        low, high = _capability(limits, true)
        assert agrees(np.mean((low <= seen) & (seen <= high)), 0.95, draws)
        assert not agrees(np.mean((low <= 1.15 * seen) & (1.15 * seen <= high)), 0.95, draws)
    low, high = _capability(lambda index: cpk_interval(index, n), (half - off) / 3)
    assert np.mean((low <= cpk) & (cpk <= high)) >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / draws)


def lines(seed: int, ratio: float) -> list[Assay]:
    rng = np.random.default_rng(seed)
    names, doses = ["S"] * 12 + ["T"] * 12, np.array([1.0, 2, 4, 8] * 6)
    slope = np.where(np.array(names) == "T", 10 * ratio, 10.0)
    noise = rng.normal(0, 0.8, (DRAWS, 24))
    return [assay(names, doses, 50 + slope * np.log(doses) + one) for one in noise]


def test_equivalence_of_slopes_at_its_bound_is_claimed_as_rarely_as_it_says():
    bounds = {"ratio of slope": (0.8, 1.25)}
    plates = lines(37, 1.25)
    for confidence, right in ((0.90, True), (0.70, False)):
        found = [line_parallelism(one, bounds, confidence=confidence)[0] for one in plates]
        assert agrees(np.mean([one.equivalent for one in found]), 0.05) is right


def test_the_f_test_of_parallelism_errs_as_often_as_it_says():
    p = np.array([parallel_lines(one).anova["non-parallelism"].p for one in lines(38, 1.0)])
    assert agrees(np.mean(p < 0.05), 0.05)
    assert not agrees(np.mean(p < 0.12), 0.05)


def test_split_donations_that_differ_by_the_margin_are_called_equivalent_in_five_percent():
    rng = np.random.default_rng(39)
    made = [paired(rng.normal(4, 1, 8), np.zeros(8), 4.0) for _ in range(DRAWS)]
    assert agrees(np.mean([one.equivalent for one in made]), 0.05)
    assert not agrees(np.mean([one.p < 0.12 for one in made]), 0.05)


def test_prediction_limits_hold_three_lots_together_as_often_as_they_say():
    """The ends are mean and sd with a factor, so that one interval tells the factor of them all."""
    draws, rng = 20_000, np.random.default_rng(34)
    past, new = rng.normal(size=(draws, 9)), rng.normal(size=(draws, 3))
    mean, sd = past.mean(axis=1), past.std(axis=1, ddof=1)
    one = prediction_interval(past[0], future=3, conf=0.9)
    factor = (one.upper - one.value) / sd[0]
    worst = np.abs(new - mean[:, np.newaxis]).max(axis=1) / sd
    assert agrees(np.mean(worst <= factor), 0.9, draws)
    assert not agrees(np.mean(worst <= 0.95 * factor), 0.9, draws)


def test_a_tolerance_interval_holds_its_content_as_often_as_it_says():
    rng = np.random.default_rng(40)
    ends = [tolerance_interval(one, content=0.9, conf=0.9, side="upper").limits.upper
            for one in rng.normal(size=(DRAWS, 7))]  # fmt: skip
    assert agrees(np.mean(np.array(ends) >= 1.2815515655), 0.9)
    assert not agrees(np.mean(0.75 * np.array(ends) >= 1.2815515655), 0.9)


def test_a_self_starting_chart_has_the_false_alarms_of_three_sigma():
    series, stated = np.random.default_rng(41).normal(size=(1500, 32)), 0.0026997960632601866
    for limit, right in ((3.0, True), (2.7, False)):
        alarms = sum(len(q_chart(one, limit=limit).signals) for one in series)
        assert agrees(alarms / (1500 * 30), stated, 1500 * 30) is right


@pytest.mark.parametrize("m", [8, 25])
def test_frozen_limits_of_few_lots_hold_their_rate_of_false_alarms_for_later_lots(m):
    """The lines depend on mean and sd alone, so that one phase I tells the factor of them all."""
    draws, stated = 200_000, 0.0027
    rng = np.random.default_rng(100 + m)
    past = rng.normal(size=(draws, m))
    mean, sd = past.mean(axis=1), past.std(axis=1, ddof=1)
    factors = []
    for one in range(3):
        found = phase_one(past[one], Scale("identity"), resolution=[0.0] * m).lines
        assert found.centre == pytest.approx(mean[one])
        factors.append(float((found.upper - found.centre) / sd[one]))
    assert factors == pytest.approx([factors[0]] * 3)
    off = np.abs(rng.normal(size=draws) - mean) / sd
    assert agrees(np.mean(off > factors[0]), stated, draws)
    assert not agrees(np.mean(off > 3.0), stated, draws)


def test_no_limits_are_frozen_below_the_least_number_of_lots():
    with pytest.raises(NotEstimable, match="no limit line"):
        phase_one([1.0, 2.0, 3.0], Scale("identity"), resolution=[0.0] * 3)
