"""Cases as other sources would spell them reach their method, and come out as published."""

import pytest

from batchqc.statistics.cases.case import Case, Tolerance
from batchqc.statistics.cases.check import check
from batchqc.statistics.cases.methods import METHODS

SIGMA = [[1, 0.5], [0.5, 1]]


@pytest.mark.parametrize(
    ("method", "given", "expected"),
    [
        ("ARL of two-sided EWMA", {"lam": 0.1, "L": 2.814, "delta": [0, 1]}, {"arl": [500, 10.3]}),
        (
            "ARL of EWMA chart",
            {"lam": [0.4, 0.2], "L": [3.054, 2.962], "delta": [0, 0.5]},
            {"arl": [[500, 71.2], [500, 41.8]], "lam0.4": [500, 71.2]},
        ),
        ("EWMA design: L for ARL0=500", {"lam": 0.1, "arl0": 500}, {"L": 2.814}),
        ("ARL of one-sided CUSUM", {"k": 0.5, "h": 4}, {"arl": 335.4}),
        ("ARL of CUSUM, steady state", {"k": 0.5, "h": 5, "delta": 1}, {"arl": 9.65}),
        (
            "ARL of CUSUM, fast initial response",
            {"k": 0.5, "h": 5, "delta": [0, 1]},
            {"arl": [430, 6.35]},
        ),
        (
            "ARL of two-sided CUSUM, fast initial response",
            {"k": 0.5, "h": 5, "delta": [0, 1], "headstart": 2.5},
            {"arl": [430, 6.35]},
        ),
        ("CUSUM design: k for ARL0", {"h": 4.7749, "arl0": 370.4}, {"k": 0.5}),
        ("MEWMA control limit h4", {"lam": 0.1, "p": 2, "arl0": 200}, {"h4": 8.64}),
        ("ARL of MEWMA", {"lam": 0.1, "p": 2, "h4": 8.64, "delta": [0.5, 1]}, {"arl": [28, 10.15]}),
        (
            "MEWMA chart",
            {"lam": 0.1, "X": [[-1.19, 0.59]], "Sigma": SIGMA, "h4": 8.66},
            {"T2": [3.2884], "first_signal": None},
        ),
        ("ARL of combined Nelson rules", {"rules": [1, 2]}, {"arl": 216.7}),
        (
            "ARL of Western Electric rules (Markov chain)",
            {"rules": [1, 2, 3, 4], "delta": [0, 1]},
            {"arl": [91.75, 9.22]},
        ),
        (
            "ARL of runs rules, Champ & Woodall",
            {"sets": ["C1", "C12", "C1234"]},
            {"C1": 370.4, "C12": 225.44, "C1234": 91.75},
        ),
        ("ARL of runs rules", {"runs": [[1, 1, 3, None], [2, 3, 2, 3]]}, {"arl": 225.44}),
        ("false alarm probability of rules", {"rules": [1], "n": 20}, {"p": 0.05263}),
        (
            "Q chart",
            {"x": [97, 97, 96, 98, 98, 98, 97, 89]},
            {"Q": [None, None, None, 1.33, 0.928, 0.7858, -0.3572, -4.0546], "out": [8]},
        ),
        ("Hotelling T2 limits", {"p": 2, "m": 25, "alpha": 0.005}, {"ucl_phase1": 8.807}),
        (
            "Hotelling T2 decomposition",
            {"mean": [0, 0], "S": SIGMA, "m": 30, "x_new": [2, -1], "alpha": 0.01},
            {"T2": 28 / 3, "contributions": [25 / 3, 16 / 3]},
        ),
        ("Mahalanobis distance", {"mean": [0, 0], "cov": SIGMA, "x": [2, -1]}, {"D2": 28 / 3}),
        (
            "tabular CUSUM with FIR",
            {"x": [10.2, 9.8, 10.5], "target": 10, "sigma": 1, "k": 0.5, "h": 4, "fir": True},
            {"c_plus": [1.7, 1.0, 1.0], "first_signal": None},
        ),
        (
            "EWMA chart",
            {"x": [9.45, 7.99], "lam": 0.1, "center": 10, "sigma": 1, "L": 2.7},
            {"z": [9.945, 9.7495], "ucl": [10.27, 10.36325]},
        ),
        ("EWMA chart of means", {"subgroups": [[1, 3], [2, 4]], "lam": 0.5, "center": 2, "sd": 1},
         {"z": [2.0, 2.5]}),
    ],
)  # fmt: skip
def test_a_sibling_of_an_open_case_is_computed(method, given, expected):
    case = Case("sibling", method, "as in the tests of each method", given, expected,
                Tolerance(6e-3), {})  # fmt: skip
    assert [line for line in check(case, METHODS) if not line.holds] == []
