"""Relative potency by a joint fit: a second route, properties, parallelism, coverage."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import optimize, stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics import relative_potency as module
from batchqc.statistics.bioassay import assay
from batchqc.statistics.curve_fit import least
from batchqc.statistics.curve_models import model_of
from batchqc.statistics.curve_weights import Weighting
from batchqc.statistics.dose_response import CurveOptions, fit_curve
from batchqc.statistics.parallelism import curve_parallelism
from batchqc.statistics.relative_potency import relative_potency

DOSES = np.tile(np.repeat(100 * 2.0 ** -np.arange(8), 3), 2)
NAMES = ["S"] * 24 + ["T"] * 24


def mean(p, dose=DOSES, names=NAMES):
    a, d, b, c, rho = p
    x = np.log(dose) + rho * np.array([one == "T" for one in names])
    return a + (d - a) / (1 + np.exp(-b * (x - c)))


TRUE = (0.1, 2.0, 1.3, math.log(8), math.log(0.8))


def plate(seed=1, sd=0.05, true=TRUE):
    return mean(true) + np.random.default_rng(seed).normal(0, sd, 48)


def limits(figure):
    return figure.lower, figure.value, figure.upper


def test_scipy_finds_the_same_fit_and_the_same_profile():
    y = plate()
    found = relative_potency(assay(NAMES, DOSES, y))
    p, covariance = optimize.curve_fit(
        lambda _, *p: mean(p), DOSES, y, p0=TRUE, xtol=1e-14, ftol=1e-14
    )
    t = stats.t.ppf(0.975, 43)
    se = math.sqrt(covariance[4, 4])
    assert found.rho["T"] == pytest.approx(p[4], abs=1e-7)
    assert found.se["T"] == pytest.approx(se, rel=1e-5)
    assert limits(found.delta["T"]) == pytest.approx(
        np.exp([p[4] - t * se, p[4], p[4] + t * se]), rel=1e-6
    )
    rss = np.sum((y - mean(p)) ** 2)
    for end in (found.potency["T"].lower, found.potency["T"].upper):
        rho = math.log(end)
        q, _ = optimize.curve_fit(lambda _, *q, r=rho: mean((*q, r)), DOSES, y, p0=TRUE[:4])
        risen = np.sum((y - mean((*q, rho))) ** 2)
        assert risen == pytest.approx(rss * (1 + t * t / 43), rel=1e-6)


def test_the_f_test_compares_with_separate_fits():
    y = plate(2)
    found = relative_potency(assay(NAMES, DOSES, y))
    apart = sum(fit_curve(DOSES[s], y[s]).rss for s in (slice(24), slice(24, 48)))
    f, more, left, p = found.nonparallel
    assert (more, left) == (3, 40)
    assert f == pytest.approx((found.rss - apart) / 3 / (apart / 40), rel=1e-6)
    assert p == pytest.approx(stats.f.sf(f, 3, 40), rel=1e-6)


def test_units_scale_and_exchange_of_preparations():
    y = plate(3)
    one = relative_potency(assay(NAMES, DOSES, y)).potency["T"]
    moved = relative_potency(assay(NAMES, DOSES * 1e-3, 40 * y + 5), potency_factor=1000)
    assert limits(moved.potency["T"]) == pytest.approx([1000 * v for v in limits(one)], rel=1e-6)
    other = relative_potency(assay(NAMES, DOSES, y, standard="T")).potency["S"]
    assert limits(other) == pytest.approx([1 / v for v in reversed(limits(one))], rel=1e-6)


def test_several_samples_and_dose_zero_in_one_fit():
    y = plate(4)
    names = [*NAMES, *["U"] * 24, *["S", "T", "U"] * 2]
    extra = np.random.default_rng(9).normal(0.1, 0.05, 6)
    doses = np.concatenate([DOSES, DOSES[:24], np.zeros(6)])
    responses = np.concatenate([y, mean(TRUE)[24:], extra])
    found = relative_potency(assay(names, doses, responses), CurveOptions(confidence=0.9))
    assert set(found.potency) == {"T", "U"}
    assert found.potency["U"].value == pytest.approx(0.8, rel=0.05)
    assert (found.df, found.potency["T"].confidence) == (78 - 6, 0.9)


def test_doses_that_do_not_overlap_are_told():
    far = DOSES * np.where(np.array(NAMES) == "T", 1e5, 1.0)
    found = relative_potency(assay(NAMES, far, plate(5)), potency_factor=1e5)
    assert not any("swapped" in one for one in found.potency["T"].limitations)
    y = plate(5)
    y[24:] = mean((0.1, 2.0, 1.3, math.log(8), math.log(300)))[24:] + (y - mean(TRUE))[24:]
    told = relative_potency(assay(NAMES, DOSES, y))
    assert any("swapped" in one for one in told.potency["T"].limitations)


def test_iterated_weights_settle():
    found = relative_potency(
        assay(NAMES, DOSES, plate(5) + 0.2), CurveOptions(weighting=Weighting("fitted", 2))
    )
    assert found.weights == pytest.approx(found.fitted**-2.0)
    assert found.potency["T"].value == pytest.approx(0.8, rel=0.1)


@pytest.mark.requirement("7.05")
def test_parallelism_by_equivalence():
    bounds = {"ratio of slope": (0.7, 1.43), "ratio of span": (0.8, 1.25)}
    same = curve_parallelism(relative_potency(assay(NAMES, DOSES, plate(6, 0.02))), bounds)
    judged = {one.name: one.equivalent for one in same if one.bounds}
    assert judged == dict.fromkeys(bounds, True)
    y = plate(6)
    y[24:] = mean((0.1, 1.2, 1.3, math.log(8), 0.0))[24:] + (y - mean(TRUE))[24:]
    other = relative_potency(assay(NAMES, DOSES, y))
    unlike = {one.name: one.equivalent for one in curve_parallelism(other, bounds) if one.bounds}
    assert unlike["ratio of span"] is False
    assert other.nonparallel[3] < 1e-6
    with pytest.raises(InvalidInput, match="no such measure"):
        curve_parallelism(other, {"ratio of slop": (0.7, 1.4)})


def test_bounds_that_nobody_set_show_nothing():
    found = curve_parallelism(relative_potency(assay(NAMES, DOSES, plate(6))))
    assert {one.equivalent for one in found} == {None}


@pytest.mark.parametrize(
    ("change", "error", "word"),
    [
        ({"response": [2.0] * 48}, NotEstimable, "equal"),
        ({"response": [*plate()[:24], *[2.0] * 24]}, NotEstimable, "'T' are all equal"),
        ({"response": mean(TRUE)}, NotEstimable, "exactly"),
        ({"response": [*plate()[:24], *(2 - plate()[24:])]}, NotEstimable, "opposite"),
        ({"preparation": ["S"] * 48}, InvalidInput, "no sample"),
        ({"preparation": ["T"] * 48}, InvalidInput, "standard"),
        ({"dose": [None, *DOSES[1:]]}, InvalidInput, "missing"),
        ({"dose": [*DOSES[:24], *[1.0] * 24]}, NotEstimable, "fewer than two doses"),
        ({"blocks": [NAMES]}, InvalidInput, "blocks"),
    ],
)
def test_bad_plates_are_refused_by_name(change, error, word):
    given = {"preparation": NAMES, "dose": DOSES, "response": plate()}
    with pytest.raises(error, match=word):
        relative_potency(assay(**(given | change)))


DRAWS = 120


@cache
def simulated():
    """Squared t of the true potency in each draw: by profile and by the delta method."""
    model = model_of("4PL")
    rng = np.random.default_rng(20261122)
    start = np.array([-TRUE[2], TRUE[0], TRUE[1], TRUE[3], TRUE[4]])
    squares = []
    for noise in rng.normal(0, 0.2, (DRAWS, 48)):
        tied = module._joint(assay(NAMES, DOSES, mean(TRUE) + noise), model)
        found = least(tied, [start], near=True)
        fixed = replace(
            tied, maps=tied.maps[:, :, :4], offsets=tied.offsets + tied.maps[:, :, 4] * TRUE[4]
        )
        profile = least(fixed, [found.p[:4]], near=True).rss - found.rss
        delta = (found.p[4] - TRUE[4]) ** 2 / found.gauss_newton[4, 4]
        squares.append(np.array([profile, delta]) / (found.rss / 43))
    return np.array(squares)


def covered(factor):
    """Shares of profile and delta intervals that hold the true potency."""
    return np.mean(simulated() <= (factor * stats.t.ppf(0.975, 43)) ** 2, axis=0)


MARGIN = 3 * math.sqrt(0.95 * 0.05 / DRAWS)


@pytest.mark.requirement("7.05")
def test_the_intervals_cover_as_often_as_they_say():
    assert np.all(np.abs(covered(1.0) - 0.95) < MARGIN)


def test_the_simulation_notices_a_wrong_factor():
    assert np.all(np.abs(covered(0.7) - 0.95) > MARGIN)


def test_an_end_that_is_not_found_is_told():
    """Half a curve and much noise: the profile meets an asymptote that runs away."""
    noise = np.random.default_rng(0).normal(0, 0.2, 48)
    found = relative_potency(assay(NAMES, DOSES / 50, mean(TRUE, DOSES / 50) + noise))
    one = found.potency["T"]
    assert (one.lower, one.upper) == (None, None)
    assert any("not told" in text for text in one.limitations)
    assert found.delta["T"].upper is not None
