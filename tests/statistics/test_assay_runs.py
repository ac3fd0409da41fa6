"""Runs: combination, format, validity, outliers."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.assay_format import (
    Components,
    assay_format,
    format_table,
    probability_outside,
    recommended_format,
)
from batchqc.statistics.bioassay import assay
from batchqc.statistics.combination import (
    CombineOptions,
    Run,
    combine,
    geometric_mean,
    run_of_interval,
    run_of_width,
)
from batchqc.statistics.cross_over import cross_over
from batchqc.statistics.curve_weights import Weighting
from batchqc.statistics.dose_response import CurveOptions, fit_curve
from batchqc.statistics.parallel_lines import parallel_lines
from batchqc.statistics.relative_potency import relative_potency
from batchqc.statistics.residual_outliers import (
    flagged,
    grubbs_flag,
    studentised,
    with_and_without,
)
from batchqc.statistics.run_validity import Criterion, run_status
from batchqc.statistics.slope_ratio import slope_ratio
from tests.statistics import assay_data

RUNS = [run_of_width(p, w, quantile=2.03) for p, w in
        zip([0.93, 1.04, 0.98, 1.1], [0.21, 0.18, 0.25, 0.3], strict=True)]  # fmt: skip


def test_the_weighted_mean_is_that_of_weighted_least_squares():
    found = combine(RUNS)
    y, w = np.log([r.potency for r in RUNS]), np.array([1 / r.variance for r in RUNS])
    fit = sm.WLS(y, np.ones(4), weights=w).fit(cov_type="fixed scale")
    assert math.log(found.means["weighted"].value) == pytest.approx(fit.params[0])
    half = stats.norm.ppf(0.975) * fit.bse[0]
    assert math.log(found.means["weighted"].upper) == pytest.approx(fit.params[0] + half)
    assert (found.chosen, found.df) == ("weighted", 3)


def test_heterogeneous_runs_are_semi_weighted():
    runs = [Run(p, 0.001, 20) for p in (0.7, 1.0, 1.5, 0.9)]
    found = combine(runs)
    assert found.p < 0.001
    assert (found.chosen, found.reported) == ("semi-weighted", found.means["semi-weighted"])
    assert found.means["weighted"].df == 80


def test_estimators_of_the_variance_between_runs():
    """With equal variances all three are the same; Mandel and Paule's makes chi-square its df."""
    equal = [Run(p, 0.01) for p in (0.7, 1.0, 1.5, 0.9)]
    kinds = ("moments", "dersimonian-laird", "mandel-paule")
    one, two, three = (combine(equal, CombineOptions(between=k)).between for k in kinds)
    assert (two, three) == (pytest.approx(one), pytest.approx(one))
    unequal = [
        Run(p, v) for p, v in zip((0.7, 1.0, 1.5, 0.9), (0.01, 0.02, 0.05, 0.01), strict=True)
    ]
    found = combine(unequal, CombineOptions(between="mandel-paule"))
    m = np.log([r.potency for r in unequal])
    w = found.semi_weights
    assert w @ (m - w @ m / w.sum()) ** 2 == pytest.approx(3)
    assert (
        combine([Run(1.0, 1.0), Run(1.01, 1.0)], CombineOptions(between="mandel-paule")).between
        == 0
    )


def test_the_unweighted_mean_is_the_t_interval_of_logarithms():
    values = [0.97, 1.12, 0.88, 1.31, 1.05, 0.79]
    found = geometric_mean(values)
    y = np.log(values)
    low, high = stats.t.interval(0.95, 5, y.mean(), stats.sem(y))
    assert (found.lower, found.upper) == (
        pytest.approx(math.exp(low)),
        pytest.approx(math.exp(high)),
    )


def test_a_run_from_its_limits():
    run = run_of_interval(1.0, 0.8, 1.25, df=10)
    t = stats.t.ppf(0.975, 10)
    assert run.variance == pytest.approx((math.log(1.25 / 0.8) / (2 * t)) ** 2)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: combine(RUNS[:1]), NotEstimable),
        (lambda: combine([]), NotEstimable),
        (lambda: combine([Run(-1, 1), Run(1, 1)]), InvalidInput),
        (lambda: combine([Run(1, 0), Run(1, 1)]), InvalidInput),
        (lambda: run_of_interval(1.0, 1.2, 0.8), InvalidInput),
        (lambda: run_of_interval(2.0, 0.8, 1.2), InvalidInput),
        (lambda: run_of_width(1.0, 0.0, quantile=2), InvalidInput),
        (lambda: geometric_mean([1.0]), NotEstimable),
        (lambda: geometric_mean([1.0, 0.0]), InvalidInput),
        (lambda: assay_format(Components(-1, 1), 1, 1), InvalidInput),
        (lambda: assay_format(Components(0, 0), 1, 1), InvalidInput),
        (lambda: assay_format(Components(1, 1), 0, 1), InvalidInput),
        (lambda: recommended_format(Components(1, 1), fold=1.0), InvalidInput),
        (lambda: recommended_format(Components(1, 1), fold=1.01), NotEstimable),
        (lambda: run_status([], {}), InvalidInput),
        (lambda: run_status([Criterion("a")], {}), InvalidInput),
        (lambda: run_status([Criterion("a", 1), Criterion("a", 2)], {}), InvalidInput),
        (lambda: grubbs_flag([1, 2]), NotEstimable),
        (lambda: grubbs_flag([1, 1, 1]), NotEstimable),
        (lambda: studentised([1, -1], [0.5, 0.5], df=1), NotEstimable),
        (lambda: studentised([1, -1], [0.5, 1.0], df=5), InvalidInput),
        (lambda: studentised([0, 0], [0.5, 0.5], df=5), NotEstimable),
    ],
)
def test_what_cannot_be_computed_is_refused(call, error):
    with pytest.raises(error):
        call()


DRAWS = 4000


def covered(factor):
    """The whole set of runs drawn at once: unweighted interval of five runs."""
    y = np.random.default_rng(20261122).normal(0.1, 0.2, (DRAWS, 5))
    held = 0
    for one in y[:400]:
        found = geometric_mean(np.exp(one))
        half = factor * math.log(found.upper / found.lower) / 2
        held += abs(math.log(found.value) - 0.1) <= half
    return held / 400


def test_the_interval_of_runs_covers_as_often_as_it_says():
    assert abs(covered(1.0) - 0.95) < 3 * math.sqrt(0.95 * 0.05 / 400)
    assert abs(covered(0.6) - 0.95) > 3 * math.sqrt(0.95 * 0.05 / 400)


def test_a_format_is_what_the_simulation_says():
    rng = np.random.default_rng(7)
    runs = rng.normal(0, math.sqrt(0.02), (20000, 3, 1))
    wells = runs + rng.normal(0, math.sqrt(0.05), (20000, 3, 2))
    found = assay_format(Components(0.02, 0.05), 3, 2)
    assert wells.mean((1, 2)).var() == pytest.approx(found.variance, rel=0.04)
    outside = np.mean(np.abs(wells.mean((1, 2))) > math.log(1.25))
    assert probability_outside(found, 1.0, 0.8, 1.25) == pytest.approx(outside, abs=0.006)
    assert found.gcv == pytest.approx(100 * (math.exp(math.sqrt(found.variance)) - 1))


def test_the_recommended_format_has_the_fewest_wells():
    components = Components(0.004, 0.01)
    best = recommended_format(components, fold=1.25)
    table = format_table(components, range(1, 13), range(1, 7))
    good = [one for one in table if one.fold <= 1.25]
    assert best.runs * best.replicates == min(one.runs * one.replicates for one in good)


def test_a_run_that_misses_a_criterion_is_not_reportable():
    criteria = [Criterion("r squared", 0.95), Criterion("slope", 0.5, 2.0)]
    good = run_status(criteria, {"r squared": 0.95, "slope": 2.0})
    assert good.reportable
    bad = run_status(criteria, {"r squared": 0.94, "slope": 1.0})
    assert not bad.reportable
    assert bad.reasons == ("r squared: 0.94, wanted at least 0.95: not met",)


@pytest.mark.parametrize("value", [None, math.nan])
def test_what_is_unknown_is_not_met(value):
    status = run_status([Criterion("slope", 0.5, 2.0)], {"slope": value})
    assert not status.reportable
    assert "unknown" in status.reasons[0]
    assert not run_status([Criterion("slope", 0.5, 2.0)], {}).reportable


def test_studentised_residuals_are_those_of_statsmodels():
    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(20), rng.normal(size=20)])
    y = x @ [1, 2] + rng.normal(size=20)
    y[4] += 8
    fit = sm.OLS(y, x).fit()
    influence = fit.get_influence()
    found = studentised(fit.resid, influence.hat_matrix_diag, df=18)
    assert found.studentised == pytest.approx(influence.resid_studentized_external)
    assert found.wells == (5,)


def test_grubbs_as_the_handbook_has_it():
    """NIST e-Handbook 1.3.5.17.1: G = 2.4687, critical 2.032 (one-sided 5 %: two-sided 10 %)."""
    found = grubbs_flag([199.31, 199.53, 200.19, 200.82, 201.92, 201.95, 202.18, 245.57], alpha=0.1)
    assert (found.statistic, found.critical) == (
        pytest.approx(2.4687, abs=1e-4),
        pytest.approx(2.032, abs=6e-4),
    )
    assert (found.well, found.flagged) == (8, True)


def test_an_exclusion_has_a_reason_and_shows_both_results():
    names, doses, y, _ = assay_data.turbidimetric()
    wells = assay(names, doses, [*y[:-1], 900.0])
    both = with_and_without(
        parallel_lines, wells, [40], reason="bubble in well H5, seen at reading"
    )
    clean = parallel_lines(assay(names[:-1], doses[:-1], y[:-1]))
    assert both.without.potency["T"].figure.value == pytest.approx(clean.potency["T"].figure.value)
    assert both.with_all.residual_sd > both.without.residual_sd
    assert both.without.potency["T"].figure.limitations
    for excluded, reason in (([40], " "), ([], "why"), ([41], "why")):
        with pytest.raises(InvalidInput):
            with_and_without(parallel_lines, wells, excluded, reason=reason)


def assays():
    rng = np.random.default_rng(6)
    names, doses, y, blocks = assay_data.turbidimetric()
    yield parallel_lines(assay(names, doses, y, blocks=[blocks]))
    subjects, days = [n // 2 for n in range(32)], [n % 2 for n in range(32)]
    crossed = [("S", 1), ("T", 2), ("S", 2), ("T", 1), ("T", 1), ("S", 2), ("T", 2), ("S", 1)] * 4
    labels, levels = zip(*crossed, strict=True)
    wells = assay(labels, levels, np.log(levels) + rng.normal(0, 0.1, 32), blocks=[subjects, days])
    yield cross_over(wells)
    yield slope_ratio(assay(labels, levels, np.array(levels) + rng.normal(0, 0.1, 32)))
    weighted = CurveOptions(weighting=Weighting("fitted", 1))
    yield fit_curve(assay_data.RYEGRASS_DOSE, assay_data.RYEGRASS, weighted)
    twice = np.array([*assay_data.RYEGRASS, *assay_data.RYEGRASS]) + rng.normal(0, 0.1, 48)
    yield relative_potency(assay(["S"] * 24 + ["T"] * 24, assay_data.RYEGRASS_DOSE * 2, twice))


def test_leverages_add_up_to_what_was_estimated():
    for found in assays():
        assert np.sum(found.leverages) == pytest.approx(found.residuals.size - found.df)
        assert np.all((found.leverages > 0) & (found.leverages < 1 + 1e-9))


def test_a_well_that_does_not_fit_is_flagged_on_a_curve():
    y = np.array(assay_data.RYEGRASS)
    assert flagged(fit_curve(assay_data.RYEGRASS_DOSE, y)).wells == ()
    y[10] += 4
    assert flagged(fit_curve(assay_data.RYEGRASS_DOSE, y)).wells == (11,)
