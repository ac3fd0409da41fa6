"""Whatever numbers come, an answer is finite, or refused by name; nothing warns."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics import (
    censored,
    censored_ranks,
    dixon,
    equivalence,
    mean_ratio,
    nonlinear,
    normality,
    out_of_trend,
    outliers,
    precision_ratio,
    quality_range,
    regression,
    robust,
    stability,
    trend,
)
from batchqc.statistics.censored_likelihood import above, below

BASE = np.array([1.0, 4, 2, 8, 5, 7, 1.5, 3, 9, 2.5, 6, 4.5])
STEPS = np.arange(12.0)
FLAGS = [True, False, False] * 4
WILD = {
    "huge": BASE * 1e140, "tiny": BASE * 1e-140, "denormal": BASE * 1e-310, "zeros": BASE * 0,
    "one apart": np.append(np.ones(11), 1 + 1e-15), "mixed": BASE ** np.linspace(-60, 60, 12),
    "alternating": 1e140 * (-1.0) ** STEPS, "offset": 1e15 + BASE, "negative": -BASE,
    "line": 3 * STEPS + 1, "two values": np.repeat([1.0, 2.0], 6),
    "one outlier": 1e100 * (STEPS == 3),
}  # fmt: skip
CALLS = {
    "two_sample": lambda y: equivalence.two_sample(y, BASE, 1.0),
    "two_sample log": lambda y: equivalence.two_sample(y, BASE, 1.25, log=True),
    "pooled": lambda y: equivalence.two_sample(BASE, y, 1.0, pooled=True),
    "paired": lambda y: equivalence.paired(y, BASE, 1.0),
    "one_sample": lambda y: equivalence.one_sample(y, 1.0, 1.0),
    "ratio_of_means": lambda y: mean_ratio.ratio_of_means(BASE, y),
    "ratio_of_pairs": lambda y: mean_ratio.ratio_of_means(y, BASE, pairs=True),
    "variance_ratio": lambda y: precision_ratio.variance_ratio(y, BASE),
    "quality_range": lambda y: quality_range.quality_range(y, BASE),
    "line": lambda y: regression.polynomial_regression(STEPS, y),
    "line of x": lambda y: regression.polynomial_regression(y, BASE, degree=3),
    "weights": lambda y: regression.polynomial_regression(STEPS, BASE, weights=y),
    "curve": lambda y: nonlinear.nonlinear_regression("b1*exp(-b2*x)", {"x": STEPS}, y, [1, 0.1]),
    "curve of x": lambda y: nonlinear.nonlinear_regression("b1/(b2+x)", {"x": y}, BASE, [1, 1]),
    "shelf_life": lambda y: stability.shelf_life(
        ["a"] * 6 + ["b"] * 6, [*range(6)] * 2, y, stability.Criterion(lower=0.5)),
    "next_point": lambda y: out_of_trend.next_point(STEPS, y, 20, 1.0),
    "by_time_point": lambda y: out_of_trend.by_time_point(y, 1.0),
    "slopes": lambda y: out_of_trend.slope_by_random_coefficients(
        [*"aaabbbcccddd"], [0, 1, 2] * 4, y, ([0, 1], [1, 2])),
    "censored": lambda y: censored.censored_summary(below(y, FLAGS)),
    "censored normal": lambda y: censored.censored_summary(above(y, FLAGS), distribution="normal"),
    "censored line": lambda y: censored.censored_regression(STEPS, below(y, FLAGS))[0],
    "kaplan_meier": lambda y: censored_ranks.kaplan_meier(y, FLAGS),
    "ros": lambda y: censored_ranks.ros(y, FLAGS),
    "exceedance": lambda y: censored_ranks.exceedance(y, FLAGS, 1.0),
    "shapiro_wilk": normality.shapiro_wilk, "anderson_darling": normality.anderson_darling,
    "grubbs": outliers.grubbs, "rosner": lambda y: outliers.rosner(y, 4), "dixon": dixon.dixon,
    "fences": outliers.tukey_fences, "huber": robust.huber_proposal_2, "A": robust.algorithm_a,
    "huber_location": robust.huber_location, "mad": robust.mad, "iqr": robust.iqr, "qn": robust.qn,
    "sn": robust.sn, "mann_kendall": trend.mann_kendall, "sen": trend.sen_slope,
    "runs": trend.runs_test,
}  # fmt: skip


def _numbers(found):
    if dataclasses.is_dataclass(found):
        for field in dataclasses.fields(found):
            yield from _numbers(getattr(found, field.name))
    elif isinstance(found, tuple | list | np.ndarray):
        for one in found:
            yield from _numbers(one)
    elif isinstance(found, dict):
        yield from _numbers(list(found.values()))
    elif isinstance(found, float | np.floating):
        yield float(found)


@pytest.mark.parametrize(("call", "data"), [*itertools.product(CALLS, WILD)])
def test_an_answer_is_finite_or_refused(call, data):
    try:
        found = CALLS[call](WILD[data])
    except (NotEstimable, InvalidInput):
        return
    assert all(math.isfinite(one) for one in _numbers(found))
