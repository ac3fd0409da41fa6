"""Whatever comes in: a finite answer or a refusal with a reason, never NaN and never a warning."""

import dataclasses
import math

import numpy as np
import pytest

from batchqc.errors import BatchqcError
from batchqc.statistics.anova import one_way_anova
from batchqc.statistics.capability import SpecLimits, capability
from batchqc.statistics.donor_limits import donor_limits, within_donor_limits
from batchqc.statistics.gauge import gauge_study
from batchqc.statistics.nested_anova import nested_components
from batchqc.statistics.nonnormal_capability import percentile_capability
from batchqc.statistics.nonparametric_tolerance import nonparametric_tolerance, quantile_interval
from batchqc.statistics.precision import geometric_summary, intermediate_precision
from batchqc.statistics.prediction import prediction_interval
from batchqc.statistics.reml import fit_mixed
from batchqc.statistics.tolerance import random_effects_tolerance, tolerance_interval

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=12)
DATA = {
    "nothing": [],
    "one": [1.0],
    "two": [1.0, 2.0],
    "equal": [1.0] * 12,
    "denormal": [1e-300, 2e-300, 3e-300] * 4,
    "tiny": 1e-160 * NORMAL,
    "huge": 1e140 * NORMAL,
    "both": [1e149, -1e149, 1e148, 3.0] * 3,
    "far from zero": [1e15, 1e15 + 1, 1e15 + 2] * 4,
    "tied": np.round(NORMAL),
    "nearly equal": [5.0] * 11 + [5.0000001],
    "one differs": [0.0] * 11 + [1.0],
    "one near zero": [1e-8] + [1.0] * 11,
    "many decades": np.exp(30 * NORMAL),
    "missing": [None, 1.0, 2.0],
    "infinite": [math.inf, 1.0, 2.0],
    "text": ["a", "b", "c"],
    "ordinary": NORMAL,
    "positive": np.exp(NORMAL),
}


def groups(x: list, size: int) -> list[int]:
    return [place // size for place in range(len(x))]


CALLS = {
    "one-way": lambda x: one_way_anova(x, groups(x, 4)),
    "nested": lambda x: nested_components(x, {"donor": groups(x, 4), "lot": groups(x, 2)}),
    "reml": lambda x: fit_mixed(x, {"donor": groups(x, 3)}),
    "crossed": lambda x: fit_mixed(x, {"a": groups(x, 3), "b": [at % 3 for at in range(len(x))]}),
    "donor": lambda x: donor_limits(x, groups(x, 2)),
    "within": lambda x: within_donor_limits(x, groups(x, 2)),
    "capability": lambda x: capability(x, SpecLimits(0, 6)),
    "one limit": lambda x: capability(x, SpecLimits(usl=6), method="bissell"),
    "ln": lambda x: capability(x, SpecLimits(0.5, 6), scale="ln"),
    "tolerance": tolerance_interval,
    "ln tolerance": lambda x: tolerance_interval(x, scale="ln", side="upper"),
    "random": lambda x: random_effects_tolerance(nested_components(x, {"a": groups(x, 2)})),
    "prediction": lambda x: prediction_interval(x, future=3),
    "gauge": lambda x: gauge_study(np.array(x, dtype=object).reshape(-1, 2, 2 - len(x) % 2)),
    "geometric": geometric_summary,
    "precision": lambda x: intermediate_precision(x, {"run": groups(x, 3)}, scale="raw"),
    "ln precision": lambda x: intermediate_precision(x, {"run": groups(x, 3)}),
    "median": quantile_interval,
    "free": lambda x: nonparametric_tolerance(x, content=0.5, conf=0.8),
    **{
        name: lambda x, name=name: percentile_capability(x, SpecLimits(0, 6), distribution=name)
        for name in ("normal", "lognormal", "weibull", "gamma", "exponential", "pearson", "johnson")
    },
}


def finite(found: object) -> bool:
    if isinstance(found, float):
        return math.isfinite(found)
    if isinstance(found, np.ndarray):
        return bool(np.all(np.isfinite(found)))
    if isinstance(found, dict):
        return all(map(finite, found.values()))
    if isinstance(found, tuple | list):
        return all(map(finite, found))
    if dataclasses.is_dataclass(found):
        names = {one.name for one in dataclasses.fields(found)} - {"state"}
        return all(finite(getattr(found, one)) for one in names)
    return True


@pytest.mark.parametrize("data", DATA)
def test_an_answer_is_finite_and_a_refusal_says_why(data):
    for name, call in CALLS.items():
        if name == "gauge" and len(DATA[data]) % 4:
            continue
        try:
            found = call(DATA[data])
        except BatchqcError as refusal:
            assert refusal.code in {"BQC-STA-001", "BQC-STA-002", "BQC-STA-003"}  # noqa: PT017
            assert refusal.message  # noqa: PT017 - what is refused is told
        else:
            assert finite(found), name
