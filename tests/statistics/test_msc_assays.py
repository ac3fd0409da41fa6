"""Standard curves, normalisation and the declared assays of MSC."""

import math
from functools import cache

import numpy as np
import pytest

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.bioassay import assay
from batchqc.statistics.curve_weights import Weighting
from batchqc.statistics.dose_response import CurveOptions, fit_curve
from batchqc.statistics.effective_dose import predicted
from batchqc.statistics.msc_assays import MSC_ASSAYS, potency_run, standards_run
from batchqc.statistics.normalisation import (
    Culture,
    activity_ratio,
    per_cent_inhibition,
    per_million_viable_cells,
)
from batchqc.statistics.standard_curve import Quantitation, Reading, read_concentration

STANDARDS = np.repeat([0.0, 15.6, 31.2, 62.5, 125, 250, 500, 1000], 2)
RANGE = Quantitation(15.6, 1000)


def signal(x):
    return 0.05 + 3.0 / (1 + (400 / np.maximum(x, 1e-9)) ** 1.2)


def readings(seed=1, sd=0.02):
    rng = np.random.default_rng(seed)
    return signal(STANDARDS) * (1 + rng.normal(0, sd, STANDARDS.size))


def curve(seed=1):
    return fit_curve(STANDARDS, readings(seed), CurveOptions(weighting=Weighting("fitted", 2)))


def test_a_concentration_lies_on_the_curve():
    found = read_concentration(curve(), [1.0, 1.1], RANGE, dilution=5, variance_power=2)
    assert found.qualifier == "="
    one = found.figure
    assert predicted(curve(), [one.value / 5])[0] == pytest.approx(1.05)
    assert one.lower < one.value < one.upper
    assert one.n == 2


@pytest.mark.parametrize(
    ("response", "qualifier", "limit"),
    [(0.01, "<", 31.2), (0.06, "<", 31.2), (2.9, ">", 2000.0), (4.0, ">", 2000.0)],
)
def test_what_is_beyond_the_range_is_a_qualifier(response, qualifier, limit):
    found = read_concentration(curve(), [response], RANGE, dilution=2)
    assert (found.qualifier, found.limit, found.figure) == (qualifier, limit, None)


def test_a_falling_curve_knows_which_side_is_low():
    """A competitive ELISA: a signal above the curve is less than the lowest standard."""
    y = 3.2 - readings(2)
    fit = fit_curve(STANDARDS, y)
    assert read_concentration(fit, [3.4], RANGE).qualifier == "<"
    assert read_concentration(fit, [0.01], RANGE).qualifier == ">"


DRAWS = 120


@cache
def simulated():
    """Distance of the true ln concentration from each estimate, in half widths."""
    rng = np.random.default_rng(20261122)
    off = []
    for _ in range(DRAWS):
        fit = fit_curve(STANDARDS, signal(STANDARDS) + rng.normal(0, 0.03, 16))
        wells = signal(np.full(3, 200.0)) + rng.normal(0, 0.03, 3)
        one = read_concentration(fit, wells, RANGE).figure
        off.append(abs(math.log(one.value / 200)) / (math.log(one.upper / one.lower) / 2))
    return np.array(off)


def covered(factor):
    return np.mean(simulated() <= factor)


def test_the_inverse_prediction_covers_as_often_as_it_says():
    margin = 3 * math.sqrt(0.95 * 0.05 / DRAWS)
    assert abs(covered(1.0) - 0.95) < margin
    assert abs(covered(0.6) - 0.95) > margin


def test_bad_readings_are_refused():
    fit = curve()
    with pytest.raises(NotEstimable):
        read_concentration(fit, [], RANGE)
    with pytest.raises(InvalidInput):
        read_concentration(fit, [1.0], RANGE, dilution=0.5)
    with pytest.raises(InvalidInput):
        read_concentration(fit, [1.0], Quantitation(10, 5))
    with pytest.raises(InvalidInput):
        read_concentration(fit, [None], RANGE)


@pytest.mark.requirement("7.07")
def test_per_million_viable_cells_and_day():
    found = read_concentration(curve(), [1.0, 1.1], RANGE)
    plain = per_million_viable_cells(found, Culture(2.0, 4e5)).figure
    assert plain.value == pytest.approx(found.figure.value * 5)
    assert plain.upper == pytest.approx(found.figure.upper * 5)
    daily = per_million_viable_cells(found, Culture(2.0, 4e5, hours=48, relative_se=0.1)).figure
    assert daily.value == pytest.approx(found.figure.value * 2.5)
    assert daily.upper / daily.value > plain.upper / plain.value
    low = per_million_viable_cells(Reading("<", 15.6, None), Culture(2.0, 4e5))
    assert (low.qualifier, low.limit) == ("<", pytest.approx(78.0))
    for culture in (Culture(0, 1e6), Culture(1, 0), Culture(1, 1e6, hours=0), Culture(1, 1, 1, 2)):
        with pytest.raises(InvalidInput):
            per_million_viable_cells(found, culture)


def test_inhibition_and_activity():
    assert per_cent_inhibition([10, 55, 100], [99, 101], [9, 11]) == pytest.approx([100, 50, 0])
    with pytest.raises(NotEstimable, match="exchanged"):
        per_cent_inhibition([10, 20], [5, 5], [9, 11])
    assert activity_ratio(20.0, 10.0) == 2.0
    with pytest.raises(InvalidInput):
        activity_ratio(20.0, 0.0)


def test_every_assay_is_declared():
    assert set(MSC_ASSAYS) == {
        "pbmc-inhibition", "ido", "pge2", "tsg-6", "tnf-suppression", "bdnf", "gdnf", "ngf",
        "vegf", "hgf",
    }  # fmt: skip


def plate(sd=0.5, top=60.0):
    rng = np.random.default_rng(3)
    doses = np.tile(np.repeat(2.0 ** -np.arange(8.0), 3), 2)
    rho = np.repeat([0.0, math.log(0.9)], 24)
    mean = 10 + (top - 10) / (1 + np.exp(1.8 * (np.log(doses) + rho + 2)))
    return assay(["S"] * 24 + ["T"] * 24, doses, mean + rng.normal(0, sd, 48))


def test_a_good_run_is_reportable():
    found = potency_run(MSC_ASSAYS["pbmc-inhibition"], plate())
    assert found.status.reasons == ()
    assert found.status.reportable
    assert found.potency.potency["T"].value == pytest.approx(0.9, rel=0.1)


def test_a_poor_run_has_a_potency_but_is_not_reportable():
    found = potency_run(MSC_ASSAYS["pbmc-inhibition"], plate(sd=4, top=40))
    assert not found.status.reportable
    assert any("r squared" in one for one in found.status.reasons)
    assert found.potency.potency["T"].value > 0


def test_a_standard_curve_is_judged_by_its_criteria():
    good = standards_run(MSC_ASSAYS["vegf"], STANDARDS, readings(), RANGE)
    assert good.status.reportable
    bad = standards_run(MSC_ASSAYS["vegf"], STANDARDS, readings(5, 0.6), RANGE)
    assert not bad.status.reportable


def test_kinds_are_not_exchanged():
    with pytest.raises(InvalidInput, match="standards"):
        potency_run(MSC_ASSAYS["ido"], plate())
    with pytest.raises(InvalidInput, match="relative potency"):
        standards_run(MSC_ASSAYS["pbmc-inhibition"], STANDARDS, readings(), RANGE)
