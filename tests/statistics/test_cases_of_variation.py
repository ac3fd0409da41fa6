"""Cases as other sources might word them: the same methods under other names and options."""

import math
from itertools import pairwise

import pytest

from batchqc.statistics.cases.case import Case, Tolerance
from batchqc.statistics.cases.check import check
from batchqc.statistics.cases.methods import METHODS

LOTS = [4.1, 5.2, 3.9, 4.8, 5.5, 4.4, 4.9, 5.1]
DONORS = ["1", "1", "2", "2", "3", "3", "4", "4"]


def answer(method: str, given: dict, *keys: str) -> list:
    case = Case("t", method, "", given, dict.fromkeys(keys, 0.0), Tolerance(), {})
    found = [one.computed for one in check(case, METHODS)]
    assert all(isinstance(one, float) for one in found), found
    return found


@pytest.mark.parametrize(
    ("method", "given", "key", "expected"),
    [
        ("two-sided normal tolerance factor", {"n": 10, "P": 0.9, "conf": 0.95}, "k", 2.8563),
        ("tolerance factor, exact", {"N": 10, "coverage": 90, "gamma": 95}, "k2_exact", 2.8563),
        ("one-sided tolerance limit", {"n": 10, "P": 0.95, "alpha": 0.05}, "k", 2.91096),
        ("prediction limit", {"n": 10, "alpha": 0.0027}, "k", 4.29404),
        ("non-parametric tolerance: n", {"P": 0.95, "conf": 0.95}, "n", 93),
        ("Ppk needed for a lower bound of 1", {"n": 20}, "Ppk", 1.39894),
        ("Cp confidence interval", {"n": 20, "Cp": 1.33}, "Cp_lower", 0.970512),
        ("capability Pp, Ppk", {"mean": 16, "sd": 2, "n": 9, "lsl": 8, "usl": 20}, "Ppk", 2 / 3),
        ("geometric mean", {"y": [1.0, math.e]}, "gm", math.exp(0.5)),
    ],
)
def test_options_have_the_names_that_sources_use(method, given, key, expected):
    assert answer(method, given, key)[0] == pytest.approx(expected, rel=2e-5)


def test_a_gauge_in_columns_and_one_in_an_array_are_the_same():
    array = [[[1.0, 1.2], [1.3, 1.1]], [[2.1, 2.0], [2.4, 2.2]], [[3.2, 3.1], [3.0, 3.3]]]
    flat = [one for part in array for row in part for one in row]
    columns = {
        "part": [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3],
        "operator": [1, 1, 2, 2] * 3,
        "y": flat,
    }
    keys = ("vc_part", "vc_repeat", "ms_operator", "ndc_raw", "pct_GRR")
    left, right = (answer("gauge R&R", given, *keys) for given in ({"y": array}, columns))
    assert left == right


def test_nested_words_make_lots_of_their_own_and_others_do_not():
    given = {"donor": DONORS, "y": LOTS}
    (total,) = answer("nested ANOVA", given, "total_vc")
    (reml,) = answer("REML mixed model", given, "total_vc")
    assert total == pytest.approx(reml, rel=0.5)


def test_limits_widen_with_the_confidence_that_a_case_names():
    widths = []
    for conf in (0.8, 0.9, 0.99):
        case = Case(
            "t", "tolerance interval", "", {"x": LOTS, "conf": conf},
            {"lower": 0, "upper": 0}, Tolerance(), {},
        )  # fmt: skip
        low, high = (one.computed for one in check(case, METHODS))
        widths.append(high - low)
    assert all(one < after for one, after in pairwise(widths))


def test_what_cannot_be_estimated_says_why_and_does_not_hold():
    case = Case("t", "nested ANOVA", "", {"lot": [1, 1], "y": [1, 1]}, {"vc": [0]}, Tolerance(), {})
    (line,) = check(case, METHODS)
    assert not line.holds
    assert "at least 3" in line.computed
