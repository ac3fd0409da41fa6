"""Curves: published fits, derivatives by a second route, properties, bad data."""

import numpy as np
import pytest
from scipy import optimize

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.curve_models import MODELS, curve
from batchqc.statistics.curve_weights import Weighting
from batchqc.statistics.dose_response import CurveOptions, fit_curve, log_of
from batchqc.statistics.effective_dose import derived, dose_at, effective_dose, predicted
from tests.statistics.assay_data import RYEGRASS, RYEGRASS_DOSE


def values(fit):
    return {name: one.value for name, one in fit.parameters.items()}


def test_ryegrass_is_fitted_as_ritz_and_others_published_it():
    """Ritz et al. 2015, PLOS ONE 10:e0146021: 2.98, 0.48, 7.79, 3.06, residual error 0.52 on 20."""
    fit = fit_curve(RYEGRASS_DOSE, RYEGRASS)
    assert values(fit) == pytest.approx({"b": 2.982, "c": 0.4814, "d": 7.793, "e": 3.058}, rel=2e-4)
    assert (fit.residual_sd, fit.df) == (pytest.approx(0.5196, abs=5e-5), 20)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_reaches_the_least_squares_of_a_search_without_derivatives(name):
    model = MODELS[name]
    if name in {"2PL", "3PL upper 1"}:
        y = np.array(RYEGRASS) / 7.8
    elif name in {"Michaelis-Menten", "exponential rise"}:
        y = 8.2 - np.array(RYEGRASS)
    else:
        y = np.array(RYEGRASS)
    fit = fit_curve(RYEGRASS_DOSE, y, CurveOptions(model=name))
    x = log_of(np.array(RYEGRASS_DOSE))
    places = ["bcdef".index(one) for one in model.free]

    def rss(p):
        inner = fit.inner.copy()
        inner[places] = p
        return float(np.sum((y - curve(model, np.repeat(inner[:, None], 24, 1), x)[0]) ** 2))

    start = fit.inner[places] * 1.05 + 0.02
    other = optimize.minimize(
        rss, start, method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-9, "fatol": 1e-13}
    )
    assert fit.rss <= other.fun * (1 + 1e-9)
    assert rss(fit.inner[places]) == pytest.approx(fit.rss)


def test_standard_errors_are_those_of_the_named_matrices():
    """Numeric second differences of the sum of squares, and the Jacobian by differences."""
    fit = fit_curve(RYEGRASS_DOSE, RYEGRASS)
    x, y = np.array(RYEGRASS_DOSE), np.array(RYEGRASS)
    at = np.array([one.value for one in fit.parameters.values()])

    def mean(p):
        b, c, d, e = p
        ratio = np.where(x > 0, (np.maximum(x, 1e-9) / e) ** b, 0)
        return c + (d - c) / (1 + ratio)

    step = 1e-4 * np.eye(4)
    jacobian = np.array([(mean(at + s) - mean(at - s)) / 2e-4 for s in step]).T
    gauss = np.sqrt(np.diag(np.linalg.inv(jacobian.T @ jacobian))) * fit.residual_sd
    assert list(fit.se_gauss_newton.values()) == pytest.approx(gauss, rel=1e-5)
    rss = [[[np.sum((y - mean(at + i * s + j * t)) ** 2) for s in step] for t in step]
           for i in (-1, 1) for j in (-1, 1)]  # fmt: skip
    a, b, c, d = np.array(rss)
    second = (a - b - c + d) / 4e-8
    hessian = np.sqrt(np.diag(np.linalg.inv(second / 2))) * fit.residual_sd
    assert list(fit.se_hessian.values()) == pytest.approx(hessian, rel=1e-4)


def test_scale_and_unit_do_not_matter():
    plain = fit_curve(RYEGRASS_DOSE, RYEGRASS, CurveOptions(model="5PL"))
    moved = fit_curve(
        np.array(RYEGRASS_DOSE) * 1e-3, np.array(RYEGRASS) * 50 + 7, CurveOptions(model="5PL")
    )
    assert moved.parameters["b"].value == pytest.approx(plain.parameters["b"].value, rel=1e-6)
    assert moved.parameters["e"].upper == pytest.approx(plain.parameters["e"].upper / 1e3, rel=1e-6)
    assert effective_dose(moved, 0.2).value == pytest.approx(effective_dose(plain, 0.2).value / 1e3)


def test_a_rising_and_a_falling_curve_are_the_same_upside_down():
    fall = fit_curve(RYEGRASS_DOSE, RYEGRASS)
    rise = fit_curve(RYEGRASS_DOSE, 8 - np.array(RYEGRASS))
    assert rise.parameters["b"].value == pytest.approx(-fall.parameters["b"].value)
    assert rise.parameters["c"].value == pytest.approx(8 - fall.parameters["d"].value)
    assert effective_dose(rise, 0.1).value == pytest.approx(effective_dose(fall, 0.1).value)


def test_dose_zero_is_on_the_asymptote():
    fit = fit_curve(RYEGRASS_DOSE, RYEGRASS)
    assert predicted(fit, [0.0])[0] == pytest.approx(fit.parameters["d"].value)
    assert fit.fitted.size == 24


def test_effective_doses_lie_on_the_curve():
    for name in ("4PL", "5PL", "Weibull 1", "Weibull 2", "log-normal"):
        fit = fit_curve(RYEGRASS_DOSE, RYEGRASS, CurveOptions(model=name))
        top, bottom = fit.parameters["d"].value, fit.parameters["c"].value
        for share in (0.1, 0.5, 0.9):
            at = predicted(fit, [effective_dose(fit, share).value])[0]
            assert at == pytest.approx(top - share * (top - bottom))


def test_the_ed50_of_four_parameters_is_e_with_its_interval():
    fit = fit_curve(RYEGRASS_DOSE, RYEGRASS)
    one, e = effective_dose(fit), fit.parameters["e"]
    assert (one.value, one.lower, one.upper) == pytest.approx((e.value, e.lower, e.upper))
    log = effective_dose(fit, log=True)
    assert log.upper / log.value == pytest.approx(log.value / log.lower)


def test_the_dose_at_a_response_lies_on_the_curve_and_is_the_ed50_halfway():
    fit = fit_curve(RYEGRASS_DOSE, RYEGRASS)
    assert predicted(fit, [dose_at(fit, 5.0).value])[0] == pytest.approx(5.0)
    half = (fit.parameters["c"].value + fit.parameters["d"].value) / 2
    assert dose_at(fit, half).value == pytest.approx(effective_dose(fit).value)
    assert dose_at(fit, half).upper != pytest.approx(effective_dose(fit).upper, rel=1e-4)
    with pytest.raises(NotEstimable, match="does not reach"):
        dose_at(fit, 9.0)


def test_weights():
    x, y = np.array(RYEGRASS_DOSE), np.array(RYEGRASS)
    given = fit_curve(x, y, CurveOptions(weighting=Weighting("given", given=1 / y)))
    own = fit_curve(x, y, CurveOptions(weighting=Weighting("response", 1)))
    assert values(given) == pytest.approx(values(own))
    fitted = fit_curve(x, y, CurveOptions(weighting=Weighting("fitted", 1)))
    assert fitted.weights == pytest.approx(1 / fitted.fitted)
    again = fit_curve(x, y, CurveOptions(weighting=Weighting("given", given=1 / fitted.fitted)))
    assert values(again) == pytest.approx(values(fitted), rel=1e-8)


def test_equal_weights_are_no_weights():
    plain = fit_curve(RYEGRASS_DOSE, RYEGRASS)
    same = fit_curve(
        RYEGRASS_DOSE, RYEGRASS, CurveOptions(weighting=Weighting("given", given=[3.0] * 24))
    )
    assert values(same) == pytest.approx(values(plain))
    assert same.log_likelihood == pytest.approx(plain.log_likelihood)


def test_lack_of_fit_is_that_against_a_mean_per_dose():
    fit = fit_curve(RYEGRASS_DOSE, RYEGRASS, CurveOptions(model="exponential"))
    x, y = np.array(RYEGRASS_DOSE), np.array(RYEGRASS)
    pure = sum(float(np.sum((y[x == d] - y[x == d].mean()) ** 2)) for d in np.unique(x))
    f, more, left, p = fit.lack_of_fit
    assert (more, left) == (4, 17)
    assert f == pytest.approx((fit.rss - pure) / 4 / (pure / 17))
    assert p < 0.01


DOSES = [0.0, 0.1, 0.3, 1, 3, 10, 30, 100]


@pytest.mark.parametrize(
    ("dose", "y", "error", "word"),
    [
        (DOSES, [2.0] * 8, NotEstimable, "equal"),
        (DOSES[:4], [1, 2, 3, 4], NotEstimable, "at least 5"),
        ([1, 1, 1, 2, 2, 2], [1, 2, 3, 4, 5, 6], NotEstimable, "different doses"),
        ([None, *DOSES[1:]], range(8), InvalidInput, "missing"),
        ([-1, *DOSES[1:]], range(8), InvalidInput, "negative"),
        (DOSES, [1, 2, 3, None, 5, 6, 7, 8], InvalidInput, "missing"),
        (DOSES, [1e200, 2, 3, 4, 5, 6, 7, 8], InvalidInput, "beyond"),
        (DOSES, [1, 2, 3], InvalidInput, "3 responses"),
        ([], [], NotEstimable, "at least"),
        (DOSES, [1 + 4 / (1 + x) for x in DOSES], NotEstimable, "exactly"),
    ],
)
def test_bad_data_are_refused_by_name(dose, y, error, word):
    with pytest.raises(error, match=word):
        fit_curve(dose, list(y))


def told(dose, y):
    """The limitations of the fit, or the code of its refusal."""
    try:
        return fit_curve(dose, y).limitations
    except NotEstimable as refusal:
        return (refusal.code,)


def test_a_flat_curve_is_refused_or_told():
    rng = np.random.default_rng(4)
    for _ in range(2):
        said = told(DOSES * 2, rng.normal(10, 1, 16))
        assert any("flat" in one or one == "BQC-STA-002" for one in said)


def test_an_asymptote_that_no_dose_reaches_is_refused_or_told():
    x = np.array([0.1, 0.2, 0.4, 0.8, 1.6] * 2)
    y = 0.1 + 3 * x / (x + 60) + np.random.default_rng(2).normal(0, 0.004, 10)
    assert any("extrapolated" in one or one == "BQC-STA-002" for one in told(x, y))


def test_options_are_checked():
    with pytest.raises(InvalidInput, match="none of"):
        fit_curve(DOSES, range(8), CurveOptions(model="6PL"))
    with pytest.raises(InvalidInput, match="fixed"):
        fit_curve(DOSES, range(8), CurveOptions(fixed={"e": -1}))
    with pytest.raises(InvalidInput, match="every parameter"):
        fit_curve(DOSES, range(8), CurveOptions(fixed=dict.fromkeys("bcde", 1.0)))
    with pytest.raises(InvalidInput, match="no weight"):
        fit_curve(DOSES, range(8), CurveOptions(weighting=Weighting("response", 1)))
    fit = fit_curve(RYEGRASS_DOSE, RYEGRASS)
    with pytest.raises(InvalidInput, match="between 0 and 1"):
        effective_dose(fit, 1.0)
    with pytest.raises(NotEstimable, match="no such dose"):
        derived(fit, "beyond", lambda p: np.log(p[1] * 0))
