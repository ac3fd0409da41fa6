"""Cases of the same families with other words, options and designs; answers by a second route."""

import math

import numpy as np
import pytest
from scipy import stats

from batchqc.statistics.cases.case import Case, Tolerance
from batchqc.statistics.cases.check import REFUSED, check
from batchqc.statistics.cases.methods import METHODS
from tests.statistics.strd import NONLINEAR

X = [10.2, 9.8, 10.1, 10.6, 9.4, 10.0, 10.3, 9.9, 10.4, 9.7, 10.5, 9.6]
N, MEAN, SD = len(X), float(np.mean(X)), float(np.std(X, ddof=1))
A = [100.5, 106.9, 106, 105.1, 109, 91.5, 108.8, 101.7, 105.4]
B = [115.7, 94.8, 97.8, 99.5, 96.2, 96.3, 106.5, 101.3, 102.9]
BATCH = [*"AAAAABBBBBCCCCCDDDDDEEEEEFFFFF"]
DYESTUFF = [
    1545, 1440, 1440, 1520, 1580, 1540, 1555, 1490, 1560, 1495, 1595, 1550, 1605, 1510, 1560,
    1445, 1440, 1595, 1465, 1545, 1595, 1630, 1515, 1635, 1625, 1520, 1455, 1450, 1480, 1445,
]  # fmt: skip
#: Balanced one-way table: mean squares 11271.5 and 2451.25 on 5 and 24, groups of 5.
RATIO = 11271.5 / 2451.25


def _icc(f):
    return (f - 1) / (f - 1 + 5)


def _chi2(tail):
    return 11 * SD**2 / stats.chi2.ppf(tail, 11)


def _shewhart(shift, width=3.0):
    return 1 / (stats.norm.sf(width - shift) + stats.norm.cdf(-width - shift))


WELCH = stats.ttest_ind(A, B, equal_var=False)
LINE = stats.linregress([1, 2, 3, 4], [1.1, 1.9, 3.2, 3.9])
RUNS = np.log([0.93, 1.04, 0.98, 1.4])
WEIGHT = 1 / np.array([0.05, 0.04, 0.06, 0.07]) ** 2
Q = float(WEIGHT @ (RUNS - WEIGHT @ RUNS / WEIGHT.sum()) ** 2)
TAU2 = (Q - 3) / (WEIGHT.sum() - WEIGHT @ WEIGHT / WEIGHT.sum())
SEMI = 1 / (1 / WEIGHT + TAU2)

CASES = [
    # intervals of one sample
    ("confidence interval for the mean", {"x": X}, {"lower": MEAN - stats.t.ppf(0.975, 11) * SD
                                                    / math.sqrt(N)}),
    ("confidence interval for the mean", {"mean": MEAN, "sd": SD, "n": N, "alpha": 0.1},
     {"upper": MEAN + stats.t.ppf(0.95, 11) * SD / math.sqrt(N)}),
    ("confidence interval for a variance (chi-square)", {"x": X},
     {"lower": _chi2(0.975), "upper": _chi2(0.025)}),
    ("confidence interval for a standard deviation", {"n": N, "sd": SD, "conf": 0.9},
     {"ci": [math.sqrt(_chi2(0.95)), math.sqrt(_chi2(0.05))]}),
    ("exact binomial (Clopper-Pearson) confidence interval", {"x": 3, "n": 40},
     {"lower": stats.beta.ppf(0.025, 3, 38), "upper": stats.beta.ppf(0.975, 4, 37)}),
    ("exact Poisson confidence interval", {"x": 3, "conf": 0.9},
     {"lower": stats.chi2.ppf(0.05, 6) / 2, "upper": stats.chi2.ppf(0.95, 8) / 2}),
    ("univariate summary", {"values": [*X, None]}, {"mean": MEAN, "sd": SD}),
    # charts
    ("ARL of Shewhart chart", {"L": 3, "delta": [0, 1, 2]},
     {"arl": [_shewhart(0), _shewhart(1), _shewhart(2)]}),
    ("ARL of Shewhart X-bar chart", {"n": 5, "L": 3.1, "delta": 1.0},
     {"arl": _shewhart(math.sqrt(5), 3.1)}),
    ("ARL of Shewhart chart, one-sided", {"L": 3, "sides": "one", "delta": 0},
     {"arl": 1 / stats.norm.sf(3)}),
    ("R chart", {"subgroups": [[1.0, 2.0], [2.0, 4.0], [3.0, 3.5]]},
     {"center": 3.5 / 3, "lcl": 0.0, "xbar_center": 15.5 / 6}),
    ("S chart", {"subgroups": [[1.0, 2.0], [2.0, 4.0], [3.0, 3.5]]},
     {"center": 3.5 / 3 / math.sqrt(2)}),
    ("Xbar chart, phase II", {"subgroups": [[1.0, 2.0], [2.0, 2.5], [1.5, 1.0]],
                              "new": [[1.0, 2.0], [9.0, 9.5]]}, {"new_beyond": [2]}),
    # capability
    ("Cp/Cpk point estimates, one limit", {"usl": 11, "mean": 10.1, "sd": 0.2},
     {"Cp": None, "Cpl": None, "Cpu": 1.5, "Cpk": 1.5}),
    ("capability and ppm", {"lsl": 9, "usl": 11, "mean": 10.1, "sd": 0.3},
     {"ppm_lower": 1e6 * stats.norm.cdf(-1.1 / 0.3), "ppm_upper": 1e6 * stats.norm.sf(3)}),
    # components
    ("ML mixed model, random intercepts", {"groups": ["Batch"], "levels": [BATCH], "y": DYESTUFF},
     {"fixef": 1527.5, "vc": [(11271.5 * 5 / 6 - 2451.25) / 5], "resid_vc": 2451.25}),
    ("one-way random effects ANOVA, ICC", {"group": BATCH, "y": DYESTUFF},
     {"icc": _icc(RATIO), "icc_ci95": [_icc(RATIO / stats.f.ppf(0.975, 5, 24)),
                                       _icc(RATIO / stats.f.ppf(0.025, 5, 24))]}),
    ("nested variance components", {"factors": ["run"], "levels": [BATCH], "y": DYESTUFF},
     {"repeatability_sd": math.sqrt(2451.25), "within_lab_sd": math.sqrt(2451.25 + 1764.05),
      "repeatability_sd_ci95": [math.sqrt(24 * 2451.25 / stats.chi2.ppf(one, 24))
                                for one in (0.975, 0.025)]}),
    # comparison
    ("Welch t test", {"a": A, "b": B}, {"t": WELCH.statistic, "df": WELCH.df, "p": WELCH.pvalue}),
    ("accuracy comparison (USP <1010>)", {"a": A, "b": B},
     {"ci90": [*WELCH.confidence_interval(0.9)]}),
    ("paired t-test", {"a": A, "b": B}, {"p": stats.ttest_rel(A, B).pvalue}),
    # combination of runs
    ("combination of independent assays, DerSimonian-Laird",
     {"ln_potency": RUNS.tolist(), "se_ln": [0.05, 0.04, 0.06, 0.07]},
     {"tau2": TAU2, "Q": Q, "estimate": math.exp(SEMI @ RUNS / SEMI.sum())}),
    ("OLS straight line", {"x": [1, 2, 3, 4], "y": [1.1, 1.9, 3.2, 3.9]},
     {"b0": LINE.intercept, "b1": LINE.slope, "p_b1": LINE.pvalue,
      "b1_t": LINE.slope / LINE.stderr}),
    # censored
    ("lognormal, left-censored: percentile", {"x": X, "censored": [0] * N},
     {"q95": math.exp(np.log(X).mean() + 1.6448536269514722 * np.log(X).std())}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "given", "expected"), CASES)
def test_a_case_in_other_words_is_computed(method, given, expected):
    case = Case("other words", method, "", given, expected, Tolerance(1e-6, 1e-9), {})
    assert [one for one in check(case, METHODS) if not one.holds] == []


PARTS = np.random.default_rng(4).normal(size=(5, 3, 2)) + np.arange(5)[:, None, None]


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 0, 1), (2, 1, 0)])
def test_a_gauge_may_name_its_axes_in_any_order(order):
    names = [("part", "operator", "trial")[one] for one in order]
    keys = dict.fromkeys(("EV", "AV", "PV", "ms_part", "F_part"), "?")
    answers = [
        [one.computed for one in check(Case("", "gauge R&R", "", given, keys, Tolerance(), {}),
                                       METHODS)]
        for given in ({"y": PARTS.tolist()},
                      {"y": PARTS.transpose(order).tolist(), "axes": names})
    ]  # fmt: skip
    assert answers[0] == answers[1]


def test_the_limits_of_new_lots_count_donors_as_what_they_are():
    donor, y = [*"aabbccddee"], [9.8, 9.9, 10.8, 10.9, 9.1, 9.2, 10.4, 10.3, 9.6, 9.7]
    reach = []
    for method in ("tolerance interval", "tolerance interval, one-way random effects"):
        case = Case("", method, "", {"group": donor, "y": y}, {"upper": "?"}, Tolerance(), {})
        reach.append(check(case, METHODS)[0].computed)
    assert reach[1] > 1.3 * reach[0] - 0.3 * np.mean(y)


@pytest.mark.parametrize(
    "model",
    ["y ~ b1*(1-exp(-b2*x))", "b[0]*(1-np.exp(-b[1]*x))", "b1*(1-e^(-b2*x))",
     "b1*(1 - exp(-b2*x)) + e"],
)  # fmt: skip
def test_a_nonlinear_model_is_read_in_the_notation_of_many_programs(model):
    x, y, starts, parameters = (NONLINEAR["Misra1a"][one] for one in (1, 2, 3, 4))
    given = {"x": x, "y": y, "model": model, "start1": starts[0], "start2": starts[1]}
    case = Case("", "nonlinear least squares", "", given, {"params": parameters},
                Tolerance(1e-6), {})  # fmt: skip
    assert all(one.holds for one in check(case, METHODS))


def test_a_model_that_cannot_be_read_is_no_line():
    given = {"x": [1, 2, 3, 4], "y": [1, 2, 3, 5], "model": "what(b1, x)", "start": [1.0]}
    case = Case("", "nonlinear least squares", "", given, {"b1": 1.0, "b0": 0.0}, Tolerance(), {})
    assert all(isinstance(one.computed, str) for one in check(case, METHODS))


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("combination of independent potency assays", {"what": 1}),
        ("Nelson rules", {"z": 3}),
        ("quantal assay, Spearman-Karber", {"dose": [1, 2], "n": [5, 5], "responders": [0, 5]}),
        ("ICH Q1E shelf life", {"y": "text", "month": [1]}),
        ("Hotelling T2", {"X": {"a": 1}}),
    ],
)
def test_input_of_another_form_is_one_refused_line_and_stops_no_other_case(method, given):
    case = Case("", method, "", given, {"answer": 1.0}, Tolerance(), {})
    (line,) = check(case, METHODS)
    assert not line.holds
    assert line.computed != REFUSED
