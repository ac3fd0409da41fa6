"""Mixed models against published fits, a direct likelihood, and statsmodels."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.settings import shipped_cases
from batchqc.statistics.donor_limits import donor_limits, lot_deviation, within_donor_limits
from batchqc.statistics.nested_anova import nested_components
from batchqc.statistics.reml import fit_mixed, profile_fixed

CASE = json.loads((shipped_cases() / "reml_dyestuff.json").read_text())["input"]
BATCH, YIELD = CASE["levels"][0], CASE["y"]
# Box and Tiao 1973, table 5.1.4 (Dyestuff2 of lme4): simulated, between-batch variance 0.
SIMULATED = """
7.298 3.846 2.434 9.566 7.990 5.220 6.556 0.608 11.788 -0.892 0.110 10.386 13.434 5.510 8.166
2.212 4.852 7.092 9.288 4.980 0.282 9.014 4.458 9.446 7.198 1.722 4.782 8.106 0.758 3.758
"""


def crossed(seed: int = 1):
    rng = np.random.default_rng(seed)
    plate, sample = np.repeat(np.arange(12), 4), np.tile(np.arange(4), 12)
    kept = rng.random(plate.size) > 0.1
    y = 23 + rng.normal(0, 0.8, 12)[plate] + rng.normal(0, 2, 4)[sample]
    y += rng.normal(0, 0.5, y.size)
    return y[kept], {"plate": plate[kept], "sample": sample[kept]}


def deviance(y, factors, variances, x, *, restricted=True):
    v = variances[-1] * np.eye(y.size)
    for labels, one in zip(factors.values(), variances, strict=False):
        v += one * (np.asarray(labels)[:, None] == np.asarray(labels))
    gram = x.T @ np.linalg.solve(v, x)
    beta = np.linalg.solve(gram, x.T @ np.linalg.solve(v, y))
    left = y - x @ beta
    value = np.linalg.slogdet(v)[1] + left @ np.linalg.solve(v, left)
    if restricted:
        value += np.linalg.slogdet(gram)[1]
    return value + (y.size - restricted * x.shape[1]) * np.log(2 * np.pi)


def test_dyestuff_agrees_with_the_published_profile():
    # Bates, lme4: Mixed-effects Modeling with R, section 1.5: confint of the ML profile.
    fit = fit_mixed(YIELD, {"Batch": BATCH})
    one, error, mean = fit.sds["Batch"], fit.sds["error"], profile_fixed(fit)
    assert (one.lower, one.upper) == pytest.approx((12.1975, 84.0634), abs=3e-3)
    assert (error.lower, error.upper) == pytest.approx((38.22998, 67.65770), abs=1e-3)
    assert (mean.lower, mean.upper) == pytest.approx((1486.4515, 1568.5485), abs=1e-3)


def test_a_variance_of_zero_is_found_and_told():
    fit = fit_mixed([float(one) for one in SIMULATED.split()], {"Batch": BATCH})
    assert fit.singular == ("Batch",)
    assert fit.components["Batch"].value == 0
    # Bates, section 1.3: REML criterion 161.8283, residual standard deviation 3.7157.
    assert fit.criterion == pytest.approx(161.8283, abs=5e-5)
    assert fit.sds["error"].value == pytest.approx(3.7157, abs=5e-5)
    assert fit.sds["Batch"].lower == 0


@pytest.mark.parametrize("criterion", ["REML", "ML"])
def test_the_criterion_is_the_likelihood_and_nothing_near_it_is_lower(criterion):
    y, factors = crossed()
    time = np.arange(y.size) % 5
    fit = fit_mixed(y, factors, covariates={"time": time}, criterion=criterion, intervals=False)
    x = np.column_stack([np.ones(y.size), time])
    variances = np.array([one.value for one in fit.components.values()])
    least = deviance(y, factors, variances, x, restricted=criterion == "REML")
    assert fit.criterion == pytest.approx(least, abs=1e-8)
    for at in range(3):
        for factor in (0.99, 1.01):
            near = variances.copy()
            near[at] *= factor
            assert deviance(y, factors, near, x, restricted=criterion == "REML") > least


def test_balanced_nested_data_have_the_anova_components():
    rng = np.random.default_rng(8)
    donor, lot = np.repeat(np.arange(8), 6), np.repeat(np.arange(24), 2)
    y = 2 * rng.normal(size=8)[donor] + rng.normal(size=24)[lot] + rng.normal(0, 0.5, 48)
    fit = fit_mixed(y, {"donor": donor, "lot": lot}, intervals=False)
    expected = nested_components(y, {"donor": donor, "lot": lot})
    found = [one.value for one in fit.components.values()]
    assert found == pytest.approx(expected.raw, rel=1e-6)
    # The mean of a balanced design is t with the df of the donors.
    assert fit.fixed["intercept"].df == pytest.approx(7, rel=1e-6)


def test_statsmodels_finds_the_same_one_way_fit():
    from statsmodels.regression.mixed_linear_model import MixedLM  # noqa: PLC0415 - slow import

    rng = np.random.default_rng(5)
    donor = np.repeat(np.arange(9), [2, 3, 5, 4, 2, 6, 3, 2, 4])
    y = rng.normal(size=9)[donor] + rng.normal(0, 0.7, donor.size)
    expected = MixedLM(y, np.ones((y.size, 1)), donor).fit(reml=True)
    fit = fit_mixed(y, {"donor": donor}, intervals=False)
    assert fit.components["donor"].value == pytest.approx(float(expected.cov_re[0, 0]), rel=1e-3)
    assert fit.components["error"].value == pytest.approx(expected.scale, rel=1e-3)
    assert fit.criterion == pytest.approx(-2 * expected.llf, abs=1e-5)
    blups = [one.iloc[0] for one in expected.random_effects.values()]
    assert list(fit.blups["donor"].values()) == pytest.approx(blups, abs=1e-3)


@settings(max_examples=15, deadline=None)
@given(st.floats(1e-4, 1e4), st.floats(-1e4, 1e4))
def test_the_fit_follows_unit_and_zero_of_the_scale(scale, shift):
    y, factors = crossed()
    plain = fit_mixed(y, factors, intervals=False)
    moved = fit_mixed(scale * (y + shift), factors, intervals=False)
    for name, one in plain.components.items():
        assert moved.components[name].value == pytest.approx(scale**2 * one.value, rel=1e-4)


@pytest.mark.parametrize(
    ("y", "groups", "error"),
    [
        ([1.0, 2.0], {"a": [1, 2]}, NotEstimable),
        ([1.0, 2.0, 4.0], {"a": [1, 1, 1]}, NotEstimable),
        ([1.0, 2.0, 4.0], {"a": [1, 2, 3]}, NotEstimable),
        ([1.0, 1.0, 4.0, 4.0], {"a": [1, 1, 2, 2]}, NotEstimable),
        ([1.0, 2.0, 4.0, 5.0], {"a": [1, 1, 2, 2], "b": ["x", "x", "y", "y"]}, NotEstimable),
        ([1.0, 2.0, 4.0], {}, InvalidInput),
        ([1.0, 2.0, None], {"a": [1, 1, 2]}, InvalidInput),
        ([1.0, 2.0, 4.0], {"a": [1, None, 2]}, InvalidInput),
    ],
)
def test_models_without_an_answer_are_refused(y, groups, error):
    with pytest.raises(error):
        fit_mixed(y, groups)


def test_covariates_that_say_nothing_new_are_refused():
    with pytest.raises(InvalidInput):
        fit_mixed(YIELD, {"Batch": BATCH}, covariates={"constant": [2.0] * 30})


def test_the_next_lot_of_a_donor_is_predicted_as_by_the_covariances():
    rng = np.random.default_rng(6)
    donor = np.repeat(np.arange(8), [2, 3, 4, 2, 5, 3, 2, 4])
    y = 3 * rng.normal(size=8)[donor] + rng.normal(size=donor.size)
    found = donor_limits(y, donor)
    between, error = (one.value for one in found.fit.components.values())
    # Universal kriging: the best linear unbiased prediction of y_new from all y.
    v = between * (donor[:, None] == donor) + error * np.eye(y.size)
    c = between * (donor == 2)
    ones = np.ones(y.size)
    vi = np.linalg.inv(v)
    gap = 1 - ones @ vi @ c
    variance = between + error - c @ vi @ c + gap**2 / (ones @ vi @ ones)
    beta = (ones @ vi @ y) / (ones @ vi @ ones)
    one = found.known["2"]
    assert one.value == pytest.approx(beta + c @ vi @ (y - beta))
    state = found.fit.state
    from batchqc.statistics.donor_limits import _Maker  # noqa: PLC0415 - the variance behind it

    assert _Maker.next_of(state, 2) * state.scale**2 == pytest.approx(variance)
    assert lot_deviation(float(one.upper), one) == pytest.approx(1)


def deviations(draws: int) -> np.ndarray:
    """Of the next lot of a known and of a new donor, in half widths of their limits."""
    rng = np.random.default_rng(11)
    donor = np.repeat(np.arange(8), 4)
    found = np.empty((draws, 2))
    for row in found:
        level = rng.normal(0, 1.5, 9)
        limits = donor_limits(level[donor] + rng.normal(size=donor.size), donor)
        row[0] = lot_deviation(level[0] + rng.normal(), limits.known["0"])
        row[1] = lot_deviation(level[8] + rng.normal(), limits.new)
    return np.abs(found)


def test_limits_of_the_next_lot_hold_as_stated_and_narrower_ones_do_not():
    draws = 120
    found, margin = deviations(draws), 3 * np.sqrt(0.95 * 0.05 / draws)
    assert np.mean(found <= 1, axis=0) == pytest.approx(0.95, abs=margin)
    assert np.all(np.mean(found <= 0.6, axis=0) < 0.95 - margin)


def test_few_donors_have_no_limits_but_their_own_lots():
    y, donor = [1.0, 2.0, 3.0, 5.0, 4.0, 6.0, 7.0], ["a", "a", "b", "b", "c", "c", "c"]
    with pytest.raises(NotEstimable, match="below 5"):
        donor_limits(y, donor)
    assert set(within_donor_limits(y, donor)) == {"a", "b", "c"}
    with pytest.raises(NotEstimable):
        within_donor_limits([1.0, 2.0], ["a", "b"])
    with pytest.raises(NotEstimable):
        within_donor_limits([1.0, 1.0, 2.0, 2.0], ["a", "a", "b", "b"])


@pytest.mark.parametrize(("donors", "told"), [(4, True), (5, True), (14, True), (15, False)])
def test_that_a_profile_of_few_levels_is_too_narrow_above_is_told(donors: int, told: bool):
    random = np.random.default_rng(7)
    labels = np.repeat(np.arange(donors), 3)
    values = random.normal(0, 1, donors)[labels] + random.normal(0, 1, labels.size)
    found = fit_mixed(values, {"donor": labels}).sds["donor"]
    assert any("upper limit" in one for one in found.limitations) == told
    short = fit_mixed(values, {"donor": labels}, intervals=False).sds["donor"]
    assert not any("upper limit" in one for one in short.limitations)
