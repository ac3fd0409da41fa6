"""Quantal assays: the published example, a second program, separated doses, coverage."""

import math
from functools import cache

import numpy as np
import pytest
import statsmodels.api as sm

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.quantal import QuantalOptions, groups, quantal

DOSE = [1, 1.6, 2.5, 4] * 2
N = [12, 12, 12, 11, 11, 12, 11, 11]
RESPONDERS = [0, 3, 6, 10, 0, 4, 8, 10]
NAMES = ["S"] * 4 + ["T"] * 4


@pytest.mark.parametrize(
    ("link", "published"),
    [
        ("probit", (160.6, 121.0, 215.2)),
        ("logit", (162.9, 121.1, 221.1)),
        ("gompit", (158.3, 118.7, 213.3)),
    ],
)
def test_the_diphtheria_vaccine_of_the_pharmacopoeia(link, published):
    """Ph. Eur. 5.3, 5.3.1 to 5.3.3, as the open case quotes them."""
    found = quantal(
        groups(NAMES, DOSE, N, RESPONDERS), QuantalOptions(link=link), potency_factor=140
    )
    one = found.potency["T"]
    assert (one.value, one.lower, one.upper) == pytest.approx(published, abs=0.06)


LINKS = sm.families.links


@pytest.mark.parametrize(
    ("link", "other"),
    [
        ("probit", LINKS.Probit()),
        ("logit", LINKS.Logit()),
        ("cloglog", LINKS.CLogLog()),
        ("loglog", LINKS.LogLog()),
        ("cauchit", LINKS.Cauchy()),
    ],
)
def test_statsmodels_finds_the_same_maximum(link, other):
    sample = np.array([one == "T" for one in NAMES])
    design = np.column_stack([~sample, sample, np.log(DOSE)]).astype(float)
    y = np.column_stack([RESPONDERS, np.array(N) - RESPONDERS])
    fit = sm.GLM(y, design, family=sm.families.Binomial(other)).fit(tol=1e-14, maxiter=500)
    found = quantal(groups(NAMES, DOSE, N, RESPONDERS), QuantalOptions(link=link))
    assert found.coefficients == pytest.approx(fit.params, rel=1e-6)
    assert found.deviance == pytest.approx(fit.deviance, rel=1e-9)
    assert found.pearson == pytest.approx(fit.pearson_chi2, rel=1e-6)
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(
        fit.bse, rel=1e-4 if link != "cauchit" else 0.2
    )


def test_one_preparation_alone_has_a_median_dose():
    found = quantal(groups(["S"] * 4, DOSE[:4], N[:4], RESPONDERS[:4]))
    a, b = found.coefficients
    assert found.ed50["S"].value == pytest.approx(math.exp(-a / b))
    assert found.ed50["S"].lower < found.ed50["S"].value < found.ed50["S"].upper
    assert found.potency == {}


def test_units_of_the_dose_and_exchange_of_preparations():
    one = quantal(groups(NAMES, DOSE, N, RESPONDERS)).potency["T"]
    scaled = quantal(groups(NAMES, np.array(DOSE) * 1e3, N, RESPONDERS)).potency["T"]
    assert (scaled.lower, scaled.value) == (pytest.approx(one.lower), pytest.approx(one.value))
    other = quantal(groups(NAMES, DOSE, N, RESPONDERS, standard="T")).potency["S"]
    assert (other.lower, other.upper) == (
        pytest.approx(1 / one.upper),
        pytest.approx(1 / one.lower),
    )


def test_heterogeneity_widens_only_where_it_is_asked_for():
    rough = [1, 1, 9, 8, 0, 7, 3, 11]
    plain = quantal(groups(NAMES, DOSE, N, rough))
    wide = quantal(groups(NAMES, DOSE, N, rough), QuantalOptions(heterogeneity=True))
    assert plain.heterogeneity == 1
    assert wide.heterogeneity == pytest.approx(plain.pearson / plain.df)
    assert plain.p_pearson < 0.05
    assert wide.potency["T"].df == plain.df
    assert wide.covariance == pytest.approx(plain.covariance * wide.heterogeneity)


def test_natural_response_is_taken_off():
    """Abbott: with p = c + (1 - c) P the fit returns what made the data."""
    dose = np.array([0.25, 0.5, 1, 2, 4, 8])
    p = 0.1 + 0.9 / (1 + np.exp(-2 * np.log(dose / 1.5)))
    found = quantal(
        groups(["S"] * 6, dose, [1e6] * 6, np.round(p * 1e6)),
        QuantalOptions(link="logit", natural=0.1),
    )
    assert found.ed50["S"].value == pytest.approx(1.5, rel=1e-4)


@pytest.mark.parametrize(
    ("change", "error", "word"),
    [
        ({"responders": [0, 0, 12, 11, 0, 0, 11, 11]}, NotEstimable, "separates"),
        ({"responders": [0] * 8}, NotEstimable, "nobody"),
        ({"responders": N}, NotEstimable, "every unit"),
        ({"responders": [0, 3, 6, 12, 0, 4, 8, 10]}, InvalidInput, "between 0"),
        ({"dose": [0, 1.6, 2.5, 4] * 2}, InvalidInput, "not positive"),
        ({"dose": [1, None, 2.5, 4] * 2}, InvalidInput, "missing"),
        ({"dose": [2] * 8}, NotEstimable, "two doses"),
        ({"preparation": ["A"] * 8}, InvalidInput, "standard"),
    ],
)
def test_bad_groups_are_refused_by_name(change, error, word):
    given = {"preparation": NAMES, "dose": DOSE, "n": N, "responders": RESPONDERS}
    with pytest.raises(error, match=word):
        quantal(groups(**(given | change)))


def test_an_unknown_link_is_refused():
    with pytest.raises(InvalidInput, match="tobit"):
        quantal(groups(NAMES, DOSE, N, RESPONDERS), QuantalOptions(link="tobit"))


def test_no_dependence_on_the_dose_has_no_limits():
    found = quantal(groups(NAMES, DOSE, [12] * 8, [6, 5, 7, 6, 5, 6, 6, 7]))
    assert found.potency["T"].upper is None
    assert found.potency["T"].limitations


DRAWS = 250


@cache
def simulated():
    """Distance of the true ln potency from the middle of each interval, in half widths."""
    rng = np.random.default_rng(20261122)
    dose = np.tile([0.5, 1.0, 2.0, 4.0, 8.0], 2)
    names = ["S"] * 5 + ["T"] * 5
    shift = np.repeat([0.0, math.log(1.3)], 5)
    p = 1 / (1 + np.exp(-1.5 * (np.log(dose / 2) + shift)))
    found = [
        quantal(groups(names, dose, [40] * 10, draw), QuantalOptions(link="logit")).ratios["T"]
        for draw in rng.binomial(40, p, (DRAWS, 10))
    ]
    ends = np.array([(one.lower, one.upper) for one in found])
    return np.abs(ends.mean(1) - math.log(1.3)) / (np.ptp(ends, axis=1) / 2)


def covered(factor):
    return np.mean(simulated() <= factor)


def test_the_interval_covers_as_often_as_it_says():
    assert abs(covered(1.0) - 0.95) < 3 * math.sqrt(0.95 * 0.05 / DRAWS)


def test_the_simulation_notices_a_wrong_factor():
    assert abs(covered(0.7) - 0.95) > 3 * math.sqrt(0.95 * 0.05 / DRAWS)
