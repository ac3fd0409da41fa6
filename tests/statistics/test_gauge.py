"""Gauge R&R: the study of the AIAG manual, and studies without an answer."""

import json

import numpy as np
import pytest

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.settings import shipped_cases
from batchqc.statistics.gauge import gauge_study, gauge_values
from batchqc.statistics.gauge_ranges import d2_star, gauge_ranges

CASE = json.loads((shipped_cases() / "aiag_grr_mls.json").read_text())
STUDY = np.array(CASE["input"]["y"])


def test_limits_agree_with_the_digits_behind_the_manual():
    found = gauge_study(STUDY, interaction="pool", conf=0.9)
    for letters, expected in CASE["expected_full"].items():
        one = found.lines[letters].sd
        assert (one.lower, one.value, one.upper) == pytest.approx(expected, rel=1e-10)


def test_the_form_of_averages_and_ranges_agrees_with_the_manual():
    # AIAG MSA 4, figure III-B 16; its constants have four digits.
    found = gauge_ranges(STUDY)
    sds = (found.ev, found.av, found.grr, found.pv, found.tv)
    assert sds == pytest.approx((0.20188, 0.22963, 0.30575, 1.10456, 1.14610), abs=2e-4)
    assert int(found.ndc) == 5


@pytest.mark.parametrize(("size", "k"), [(2, 0.7071), (3, 0.5231), (10, 0.3146)])
def test_constants_of_the_manual_are_one_over_d2_star(size, k):
    assert 1 / d2_star(size, 1) == pytest.approx(k, abs=5e-5)


def test_auto_pools_an_interaction_that_is_not_there_and_keeps_one_that_is():
    assert gauge_study(STUDY).pooled
    rng = np.random.default_rng(3)
    crossed = rng.normal(size=(8, 3, 1)) + rng.normal(0, 0.1, (8, 3, 3))
    assert not gauge_study(crossed).pooled
    assert "INT" in gauge_study(crossed).lines


def test_columns_in_any_order_are_the_same_study():
    part, operator, _ = np.indices(STUDY.shape).reshape(3, -1)
    order = np.random.default_rng(0).permutation(part.size)
    y = STUDY.ravel()[order]
    found = gauge_study(gauge_values(y, part[order], operator[order]), interaction="keep")
    expected = gauge_study(STUDY, interaction="keep")
    assert found.variances["grr"].value == pytest.approx(expected.variances["grr"].value)


def test_percentages_of_tolerance_and_study_follow_from_the_standard_deviations():
    found = gauge_study(STUDY, tolerance=8.0, sigmas=5.15)
    grr = found.lines["GRR"]
    assert grr.of_tolerance == pytest.approx(100 * 5.15 * grr.sd.value / 8)
    assert grr.study.value == pytest.approx(100 * grr.sd.value / found.lines["TV"].sd.value)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        (STUDY[0], InvalidInput),
        (STUDY[:1], NotEstimable),
        (STUDY[:, :1], NotEstimable),
        (np.ones((3, 3, 3)), NotEstimable),
        (np.repeat(STUDY[:, :, :1], 3, axis=2), NotEstimable),
        (np.where(STUDY > 2, np.nan, STUDY), InvalidInput),
        ([[["a"]]], InvalidInput),
    ],
)
def test_studies_without_an_answer_are_refused(values, error):
    with pytest.raises(error):
        gauge_study(values)


def test_an_incomplete_study_is_refused():
    with pytest.raises(NotEstimable):
        gauge_values([1.0, 2.0, 3.0], [1, 1, 2], [1, 2, 1])


def test_one_trial_keeps_no_interaction():
    with pytest.raises(NotEstimable):
        gauge_study(STUDY[:, :, :1], interaction="keep")
    assert gauge_study(STUDY[:, :, :1]).pooled
