"""One question asked under several names gets one answer."""

import numpy as np
import pytest

from batchqc.statistics.cases.case import Case, Tolerance
from batchqc.statistics.cases.check import check
from batchqc.statistics.cases.methods import METHODS
from tests.statistics.strd import FILIP, FILIP_X, FILIP_Y, NONLINEAR, WAMPLER_X

A, B = [100.5, 106.9, 106, 105.1, 109, 91.5, 108.8], [115.7, 94.8, 97.8, 99.5, 96.2, 96.3, 106.5]
LINE = list(range(60, 71))
WAMPLER = [sum(x**k for k in range(6)) for x in WAMPLER_X]
X1, X2 = (one.ravel() for one in np.meshgrid([1.0, 2, 4, 8, 16, 32], [180.0, 225, 250, 275]))
LOG_Y = 2.59 - 5.6e-9 * X1 * np.exp(5.77e-2 * X2) + 0.1 * np.sin(np.arange(24))
STARTS = {"start1": [2, 0.0001, -0.01], "start2": [2.5, 5e-9, -0.05]}
BOX = NONLINEAR["BoxBOD"]


def _failing(method, given, expected):
    case = Case("one", method, "", given, expected, Tolerance(1e-7, 1e-12), {})
    return [line for line in check(case, METHODS) if not line.holds]


@pytest.mark.parametrize(
    ("method", "given", "expected"),
    [
        ("OLS polynomial degree 5", {"x": WAMPLER_X, "y": WAMPLER},
         {**{f"b{k}": 1 for k in range(6)}, "b0_se": 0, "r2": 1, "F": None}),
        ("OLS polynomial", {"x": WAMPLER_X, "y": WAMPLER}, {f"b{k}": 1 for k in range(6)}),
        ("OLS polynomial", {"x": WAMPLER_X, "y": WAMPLER, "degree": 5}, {"coef": [1] * 6}),
        ("OLS polynomial (10th degree)", {"x": FILIP_X, "y": FILIP_Y}, {"params": FILIP}),
        ("OLS line through the origin", {"x": LINE, "y": list(range(130, 141))},
         {"b1": 2.07438016528926, "r2": 0.999365492298663}),
        ("OLS straight line", {"x": LINE, "y": list(range(130, 141))}, {"b1": 2.07438016528926}),
        ("OLS", {"x": LINE, "y": list(range(130, 141)), "intercept": False},
         {"coef": [2.07438016528926]}),
        ("nonlinear least squares", {"x": BOX[1], "y": BOX[2], "model": BOX[0], "start1": [1, 1],
                                     "start2": [100, 0.75]}, {"params": BOX[4], "df": 4}),
        ("all censored: exact binomial upper bound", {"n": 20, "conf": 0.95},
         {"upper": 1 - 0.05 ** (1 / 20), "mean": None}),
        ("left-censored data", {"x": [0.05] * 20, "censored": [True] * 20},
         {"upper95": 1 - 0.05 ** (1 / 20), "mle_mean": None, "km_mean": None, "ros_mean": None}),
        ("TOST paired", {"a": A, "b": B, "margin": 8}, {"diff": 3.0, "df": 6, "equivalent": False}),
        ("TOST two-sample (pooled)", {"x": A, "y": B, "low": -8, "high": 8}, {"df": 12}),
        ("TOST one-sample", {"x": A, "mu": 100, "margin": 8}, {"df": 6}),
        ("ICH Q1E shelf life, not limiting", {
            "batch": [*"aaaaabbbbbccccc"], "month": [0, 3, 6, 9, 12] * 3, "horizon": 60,
            "y": [90 + 0.1 * (k % 3) for k in range(15)], "limit": 70, "side": "lower"},
         {"model": "cics", "shelf_life": None, "poi": {"cics": None}}),
        ("OOT slope", {"slopes": [-0.1, -0.12, -0.09], "new_slope": -0.3}, {"oot": True}),
        ("OOT by time point", {"history": [98.1, 97.6, 98.4], "y_new": 98.0}, {"oot": False}),
    ],
)  # fmt: skip
def test_a_question_is_understood(method, given, expected):
    assert _failing(method, given, expected) == []


@pytest.mark.parametrize(
    ("method", "full", "gaps", "keys"),
    [
        ("OLS straight line", {"x": [1, 2, 4], "y": [1, 2, 5]},
         {"x": [1, 2, 3, 4], "y": [1, 2, None, 5]}, ["b0", "b1_se"]),
        ("Mann-Kendall", {"t": [1, 2, 4, 5], "y": [1, 3, 2, 5]}, {"y": [1, 3, None, 2, 5]},
         ["S", "slope"]),
        ("TOST (Welch)", {"a": A, "b": B, "margin": 8}, {"a": [*A, None], "b": [None, *B],
                                                         "margin": 8}, ["diff", "df"]),
        ("TOST paired", {"a": A[1:], "b": B[1:], "margin": 8}, {"a": [None, *A[1:]], "b": B,
                                                               "margin": 8}, ["diff", "df"]),
        ("Grubbs test", {"x": A}, {"x": [None, *A]}, ["G", "p"]),
    ],
)  # fmt: skip
def test_missing_values_are_left_out_with_their_rows(method, full, gaps, keys):
    case = Case("one", method, "", {**full}, dict.fromkeys(keys, 0.0), Tolerance(), {})
    wanted = {line.path: line.computed for line in check(case, METHODS)}
    assert all(isinstance(one, float) for one in wanted.values())
    assert _failing(method, gaps, wanted) == []


@pytest.mark.parametrize(
    "given",
    [
        {"x1": X1, "x2": X2, "y": np.exp(LOG_Y), "model": "log[y] = b1 - b2*x1 * exp[-b3*x2]"},
        {"x": np.column_stack([X1, X2]).tolist(), "y": LOG_Y,
         "model": "b1-b2*x[0]*np.exp(-b3*x[1])"},
        {"x": [X1.tolist(), X2.tolist()], "y": np.exp(LOG_Y), "model": "b1-b2*x1*exp(-b3*x2)",
         "log_y": True},
        {"x1": X1, "x2": X2, "y": np.exp(LOG_Y), "model": "b1-b2*x1*exp(-b3*x2)",
         "response": "log(y)"},
    ],
)  # fmt: skip
def test_two_predictors_come_in_any_shape(given):
    case = Case("one", "nonlinear least squares", "", {**given, **STARTS}, {"df": 21, "b1": 2.59},
                Tolerance(0.05), {})  # fmt: skip
    assert [line for line in check(case, METHODS) if not line.holds] == []
