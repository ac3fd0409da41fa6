"""Cases of control charts are taken as sources name them, and answered under their keys."""

import pytest

from batchqc.statistics.cases.case import Case, Tolerance
from batchqc.statistics.cases.check import check
from batchqc.statistics.cases.methods import METHODS
from batchqc.statistics.chart_constants import c4
from batchqc.statistics.few_lots import prediction_factor

VIABILITY = [97, 97, 96, 98, 98, 98, 97, 89]
PAIRS = [[1, 3], [2, 6]]

#: Name of the method, input, and answers that follow by hand.
NAMED = [
    ("Xbar-R chart", {"subgroups": PAIRS}, {"center": 3.0, "R_center": 3.0, "R_lcl": 0.0}),
    ("Xbar-S chart", {"subgroups": PAIRS}, {"center": 3.0, "S_center": 4.5**0.5}),
    ("xbar-S chart", {"x": [1, 3, 2, 6], "sample": [1, 1, 2, 2]}, {"sigma": 4.5**0.5 / c4(2)}),
    ("X-bar and R chart", {"means": [2, 4], "ranges": [2, 4], "n": 2}, {"Rbar": 3.0}),
    ("u chart", {"c": [4, 8], "n": [2, 2]}, {"center": 3.0, "ucl": [3 + 3 * 1.5**0.5] * 2}),
    ("u chart", {"x": [4, 8], "n": 2}, {"ubar": 3.0, "ucl": 3 + 3 * 1.5**0.5, "lcl": 0.0}),
    ("np chart", {"D": [4, 6], "n": 20}, {"center": 5.0, "lcl": 0.0, "n_out": 0}),
    ("p chart", {"D": [3, 6], "n": 20, "p0": 0.5}, {"center": 0.5, "beyond": [1]}),
    ("c chart", {"c": [4, 4, 40], "exclude": [3]}, {"center": 4.0, "ucl": 10.0}),
    ("c chart", {"c": [4, 4], "newdata": [11, 3]}, {"new_beyond": [1]}),
    ("Laney u' chart (over-dispersion)", {"c": [4, 8], "n": [2, 2]}, {"center": 3.0}),
    ("Western Electric rules", {"z": [0, 2.1, 2.2]}, {"1": [], "2": [3], "3": [], "4": []}),
    ("Nelson rules", {"z": [2.1, 2.2], "windows": "full"}, {"5": []}),
    ("Nelson rules", {"z": [0.1] * 7, "n_run": 7}, {"2": [7]}),
    ("Westgard multirules", {"x": [[11, 5]], "mean": [10, 5], "sd": [0.3, 1]}, {"1_3s": [1]}),
    ("Westgard rules", {"z": [[2.1, 0.1, 2.2]]}, {"2of3_2s": [1], "R_4s": [], "12_x": []}),
    ("Levey-Jennings chart", {"x": [10, 12], "mean": 10, "sd": 0.5}, {"beyond": [2], "ucl": 11.5}),
    ("I-MR chart", {"x": VIABILITY}, {"center": 96.25, "lcl": 91.692, "out": [8]}),
    ("individuals chart", {"x": [1, 3, None, 9, 8]}, {"mr": [None, 2, None, None, 1]}),
    ("individuals chart", {"x": [1, 2, 1, 2], "new": [9]}, {"new_beyond": [1]}),
    ("robust individuals chart", {"x": [1, 2, 4, 9]}, {"center": 3.0, "sigma": 2 / 0.953873}),
    ("I-MR chart, one lot", {"x": [97]}, {"center": None, "ucl": None, "sigma": None}),
    ("I-MR chart, all equal", {"x": [97] * 9}, {"ucl": None, "sigma": None}),
    ("prediction limits of individuals", {"x": VIABILITY}, {"k": prediction_factor(8)}),
    ("prediction limit factor for few lots", {"m": [8, 10]}, {"k": [4.805, 4.294]}),
    ("g chart", {"x": [4, 6]}, {"center": 5.0, "ucl": 5 + 3 * 30**0.5, "lcl": 0.0}),
    ("t chart of time between events", {"x": [1, 1, 2**3.6]}, {"y": [1.0, 1.0, 2.0]}),
    ("short-run chart", {"x": [5, 9], "nominal": [4, 7]}, {"center": 1.5}),
    ("DNOM xbar chart", {"x": [[5, 6], [9, 9]], "nominal": [5, 9]}, {"center": 0.25}),
    ("short-run Z and W chart", {"x": [1, 3], "part": ["a", "a"]}, {"w": [None, 1.1284]}),
    ("control chart constants", {"n": 5}, {"d2": 2.3259, "B4": 2.0890, "D4": 2.1145}),
    ("individuals chart, cube root of complement", {"x": [92, 99, 92]}, {"y": [2.0, 1.0, 2.0]}),
    ("individuals chart on the log scale", {"x": [1, 4, 2]}, {"center": 2.0}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "given", "expected"), NAMED, ids=lambda one: str(one)[:30])
def test_a_case_is_answered(method, given, expected):
    case = Case("id", method, "by hand", given, expected, Tolerance(rel=1e-4), {})
    assert [line for line in check(case, METHODS) if not line.holds] == []
