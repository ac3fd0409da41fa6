"""Parallel lines: published assays, properties, bad wells, and coverage of the interval."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.bioassay import assay
from batchqc.statistics.fieller import Pair, ratio
from batchqc.statistics.parallel_lines import parallel_lines
from batchqc.statistics.parallelism import line_parallelism
from tests.statistics import assay_data


def limits(found, name="T"):
    one = found.potency[name].figure
    return one.lower, one.value, one.upper


def sums(found):
    return {name: (one.df, one.ss) for name, one in found.anova.items()}


def test_a_latin_square_gives_the_published_table_and_potency():
    """CombiStats example 15, Nystatin (Ph. Eur. 5.3, 5.1.2): 5456.37 (5092.37..5843.36) IU/mg."""
    names, doses, y, blocks = assay_data.nystatin()
    strength = 4855 * 25.2 / 24.5 / (21.4 / 23.95)
    found = parallel_lines(assay(names, doses, y, blocks=blocks), potency_factor=strength)
    assert limits(found) == pytest.approx((5092.37, 5456.37, 5843.36), rel=2e-6)
    published = {
        "preparations": (1, 11.1111), "regression": (1, 8475.04), "non-parallelism": (1, 18.3750),
        "non-linearity": (2, 5.47222), "treatments": (5, 8510.00), "block 1": (5, 412.000),
        "block 2": (5, 218.667), "residual": (20, 415.333), "total": (35, 9556.00),
    }  # fmt: skip
    for name, (df, ss) in published.items():
        assert sums(found)[name] == (df, pytest.approx(ss, rel=2e-6))
    assert found.anova["non-parallelism"].p == pytest.approx(0.358, abs=6e-4)
    assert found.slope.value == pytest.approx(46.3460, rel=2e-6)


def test_three_preparations_on_the_scale_of_ln():
    """CombiStats example 7, hepatitis B vaccine, assumed potency 20."""
    found = parallel_lines(
        assay(*assay_data.hepatitis_b_vaccine(), transformation="ln"), potency_factor=20
    )
    assert limits(found) == pytest.approx((40.4020, 43.5762, 47.0668), rel=2e-6)
    assert limits(found, "U") == pytest.approx((32.7374, 35.2553, 38.0062), rel=2e-6)
    published = {
        "preparations": (2, 3.97720), "regression": (1, 35.3589),
        "non-parallelism": (2, 0.0156343), "non-linearity": (9, 0.0630420),
        "residual": (30, 0.232401), "total": (44, 39.6471),
    }  # fmt: skip
    for name, (df, ss) in published.items():
        assert sums(found)[name] == (df, pytest.approx(ss, rel=3e-6))
    assert found.correlation == pytest.approx(0.996069, abs=1e-6)


def test_a_missing_well_and_the_curvature():
    """CombiStats example 10, IPV, 285 D-Ag U/ml: quadratic curvature and what it leaves."""
    found = parallel_lines(assay(*assay_data.polio(), transformation="log10"), potency_factor=285)
    assert limits(found) == pytest.approx((107.839, 124.963, 144.641), rel=4e-6)
    published = {
        "preparations": (1, 0.00340861), "regression": (1, 2.06832),
        "non-parallelism": (1, 0.00770829), "quadratic": (1, 0.000462688),
        "lack of quadratic fit": (3, 0.00373366), "residual": (23, 0.101571),
        "total": (30, 2.18521),
    }  # fmt: skip
    for name, (df, ss) in published.items():
        assert sums(found)[name] == (df, pytest.approx(ss, rel=4e-6))
    assert "1 wells without a response were left out" in found.potency["T"].figure.limitations


def test_randomised_blocks():
    """Ph. Eur. 5.3, 5.1.3 (CombiStats): 19228.5 (18423.4..20075.2) IU/vial."""
    names, doses, y, blocks = assay_data.turbidimetric()
    strength = 670 * 16.7 / 25 / (20000 * 1 / 40) * 20000
    found = parallel_lines(assay(names, doses, y, blocks=[blocks]), potency_factor=strength)
    assert limits(found) == pytest.approx((18423.4, 19228.5, 20075.2), rel=4e-6)
    assert sums(found)["blocks"] == (4, pytest.approx(876.75))
    assert sums(found)["residual"] == (28, pytest.approx(1509.65))


def test_a_sample_that_is_not_parallel_is_shown_by_the_table():
    """Ph. Eur. 5.3, 5.1.1: preparation U; non-parallelism F = 5.37, p = 0.007."""
    found = parallel_lines(assay(*assay_data.corticotrophin()))
    assert limits(found) == pytest.approx((0.783648, 1.14205, 1.68690), rel=5e-6)
    assert limits(found, "U") == pytest.approx((1.14813, 1.66889, 2.55503), rel=4e-6)
    line = found.anova["non-parallelism"]
    assert (line.df, line.f, line.p) == (
        2,
        pytest.approx(5.367, abs=6e-4),
        pytest.approx(0.007, abs=5e-4),
    )


@settings(deadline=None, max_examples=25)
@given(st.floats(0.01, 100), st.floats(-1000, 1000), st.floats(0.01, 100), st.randoms())
def test_scale_shift_and_order_of_the_responses_do_not_matter(scale, shift, unit, order):
    names, doses, y, _ = assay_data.turbidimetric()
    places = list(range(40))
    order.shuffle(places)
    plain = parallel_lines(assay(names, doses, y))
    moved = parallel_lines(
        assay([names[n] for n in places], [doses[n] * unit for n in places],
              [scale * y[n] + shift for n in places])
    )  # fmt: skip
    assert limits(moved) == pytest.approx(limits(plain), rel=1e-8)
    assert moved.anova["non-linearity"].p == pytest.approx(plain.anova["non-linearity"].p, rel=1e-6)


def test_exchanged_standard_and_sample_give_the_reciprocal():
    names, doses, y, _ = assay_data.turbidimetric()
    low, value, high = limits(parallel_lines(assay(names, doses, y)))
    other = limits(parallel_lines(assay(names, doses, y, standard="T")), "S")
    assert other == pytest.approx((1 / high, 1 / value, 1 / low))


def test_doses_that_do_not_overlap_are_told():
    names, doses, y, _ = assay_data.turbidimetric()
    far = [d * 1e3 if n == "T" else d for n, d in zip(names, doses, strict=True)]
    plain = parallel_lines(assay(names, far, y)).potency["T"].figure
    assert not any("overlap" in one for one in plain.limitations)
    steep = [v * 0.05 if n == "T" else v for n, v in zip(names, y, strict=True)]
    moved = parallel_lines(assay(names, far, steep)).potency["T"].figure
    assert any("swapped" in one for one in moved.limitations)


BAD = [
    ({"dose": [1, 2, None, 2]}, InvalidInput, "missing"),
    ({"dose": [1, 2, -1, 2]}, InvalidInput, "negative"),
    ({"dose": [0, 2, 1, 2]}, InvalidInput, "logarithm"),
    ({"dose": [1, 1, 1, 2]}, NotEstimable, "fewer than two doses"),
    ({"preparation": ["A", "A", "B", "B"]}, InvalidInput, "standard"),
    ({"preparation": ["S", "S", "S", "S"]}, InvalidInput, "no sample"),
    ({"response": [None] * 4}, NotEstimable, "no well"),
    ({"response": [5, 5, 5, 5]}, NotEstimable, "equal"),
    ({"response": [5, 7, 6, 9]}, NotEstimable, "degree of freedom"),
    ({"response": [5, math.inf, 6, 9]}, InvalidInput, "infinite"),
    ({"response": [1, 2, -3, 4], "transformation": "ln"}, InvalidInput, "too low"),
    ({"transformation": "cube"}, InvalidInput, "transformation"),
    ({"preparation": [], "dose": [], "response": []}, NotEstimable, "doses"),
]


@pytest.mark.parametrize(("change", "error", "word"), BAD)
def test_bad_wells_are_refused_by_name(change, error, word):
    wells = {"preparation": ["S", "S", "T", "T"], "dose": [1, 2, 1, 2], "response": [1, 2, 3, 4]}
    with pytest.raises(error, match=word):
        parallel_lines(assay(**(wells | change)))


def test_copied_replicates_are_no_error():
    names, doses = ["S", "S", "T", "T"] * 3, [1, 2, 1, 2] * 3
    with pytest.raises(NotEstimable, match="exactly"):
        parallel_lines(assay(names, doses, [1, 2, 1.5, 2.5] * 3))


def test_a_preparation_alone_in_its_blocks_is_refused():
    names, doses = ["S", "S", "T", "T"] * 3, [1, 2, 1, 2] * 3
    y = np.random.default_rng(5).normal(size=12)
    with pytest.raises(NotEstimable, match="told apart"):
        parallel_lines(assay(names, doses, y, blocks=[names]))


def test_flat_lines_have_no_limits():
    rng = np.random.default_rng(3)
    found = parallel_lines(assay(["S", "T"] * 12, [1, 1, 2, 2] * 6, rng.normal(size=24)))
    one = found.potency["T"].figure
    assert (one.lower, one.upper) == (None, None)
    assert any("g >= 1" in text for text in one.limitations)


DRAWS = 2000


def covered(factor):
    """How often the interval of a Latin square holds the true potency."""
    rng = np.random.default_rng(20261122)
    names, doses, _, blocks = assay_data.nystatin()
    x, true = np.log(doses), math.log(1.2)
    sample = np.array([one == "T" for one in names])
    design = np.column_stack(
        [
            *(np.equal.outer(np.array(b), range(1, 6)).astype(float) for b in blocks),
            ~sample, sample, x,
        ]
    )  # fmt: skip
    cells = np.unique(np.column_stack([sample, x]), axis=0, return_inverse=True)[1].ravel()
    full = np.column_stack([design, np.equal.outer(cells, range(6))])
    left, size, _ = np.linalg.svd(full, full_matrices=False)
    basis = left[:, size > 1e-9]
    mean = 40 * (x + sample * true)
    y = mean + rng.normal(0, 4, (DRAWS, 36))
    coefficient = y @ np.linalg.pinv(design).T
    inverse = np.linalg.inv(design.T @ design)
    ms = ((y - y @ basis @ basis.T) ** 2).sum(1) / (36 - basis.shape[1])
    contrast = np.zeros(design.shape[1])
    contrast[[-3, -2]] = -1, 1
    held = 0
    for one, error in zip(coefficient, ms * factor, strict=True):
        v = (contrast @ inverse @ contrast, contrast @ inverse[:, -1], inverse[-1, -1])
        found = ratio(Pair(contrast @ one, one[-1], *(error * v_ for v_ in v)), df=20)
        held += found.lower <= true <= found.upper
    return held / DRAWS


def test_the_interval_covers_as_often_as_it_says():
    assert abs(covered(1.0) - 0.95) < 3 * math.sqrt(0.95 * 0.05 / DRAWS)


def test_the_simulation_notices_a_wrong_factor():
    assert abs(covered(0.8) - 0.95) > 3 * math.sqrt(0.95 * 0.05 / DRAWS)


def test_slopes_of_separate_lines_are_compared():
    """Second route: statsmodels OLS with interactions."""
    import statsmodels.api as sm  # noqa: PLC0415

    names, doses, y, _ = assay_data.turbidimetric()
    ratio_, difference = line_parallelism(
        assay(names, doses, y), {"ratio of slope": (0.8, 1.25), "difference of slope": (-1, 1)}
    )
    sample = np.array([one == "T" for one in names], dtype=float)
    x = np.log(doses)
    fit = sm.OLS(np.array(y), np.column_stack([1 + 0 * x, sample, x, x * sample])).fit()
    low, high = fit.conf_int(0.10)[3]
    assert (difference.figure.lower, difference.figure.value, difference.figure.upper) == (
        pytest.approx(low), pytest.approx(fit.params[3]), pytest.approx(high)
    )  # fmt: skip
    assert ratio_.figure.value == pytest.approx(1 + fit.params[3] / fit.params[2])
    assert (ratio_.equivalent, difference.equivalent) == (True, False)


def test_bounds_of_an_unknown_measure_are_refused():
    names, doses, y, _ = assay_data.turbidimetric()
    with pytest.raises(InvalidInput, match="no such measure"):
        line_parallelism(assay(names, doses, y), {"ratio of sloep": (0.8, 1.25)})
