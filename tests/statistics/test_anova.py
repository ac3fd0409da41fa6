"""One-way and nested analysis of variance against certified answers and other routes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.anova import one_way_anova
from batchqc.statistics.nested_anova import nested_components

# NIST StRD, AtmWtAg (Powell, Murphy and Gramlich 1982): last digits of 107.8681xxx.
SILVER = """
568 465 572 785 446 903 526 494 616 587 519 486 419 569 508 672 385 518 662 424 360 333 610 477
079 344 513 197 604 385 642 365 151 082 517 448 198 482 334 609 101 512 469 360 254 261 450 368
"""


def simon_lesage(copies: int, whole: int) -> tuple[list[float], list[int]]:
    """NIST StRD SmLs data: 9 treatments of 2 x copies + 1 values around whole + 0.4."""
    y, group = [], []
    for treatment in range(9):
        tenths = [4, 3, 5][0 if not treatment else 1 + (treatment % 2 == 0)]
        y += [float(f"{whole}.{tenths}")]
        y += [float(f"{whole}.{tenths + sign}") for _ in range(copies) for sign in (-1, 1)]
        group += [treatment] * (2 * copies + 1)
    return y, group


@pytest.mark.parametrize("whole", [1, 10**6, 10**12])
@pytest.mark.parametrize(("copies", "f"), [(10, 21), (100, 201), (1000, 2001)])
def test_simon_and_lesage_are_certified_to_fifteen_digits_at_every_difficulty(copies, f, whole):
    found = one_way_anova(*simon_lesage(copies, whole))
    assert found.f.value == pytest.approx(f, rel=1e-14)
    assert found.ss_between == pytest.approx(0.08 * f, rel=1e-14)
    assert found.resid_sd.value == pytest.approx(0.1, rel=1e-14)


def test_the_atomic_weight_of_silver_is_certified():
    found = one_way_anova([float(f"107.8681{one}") for one in SILVER.split()], [1] * 24 + [2] * 24)
    assert found.ss_between == pytest.approx(3.63834187500000e-09, rel=1e-14)
    assert found.ss_within == pytest.approx(1.04951729166667e-08, rel=1e-14)
    assert found.f.value == pytest.approx(1.59467335677930e01, rel=1e-14)
    assert found.r2 == pytest.approx(2.57426544538321e-01, rel=1e-14)
    assert found.resid_sd.value == pytest.approx(1.51048314446410e-05, rel=1e-14)


def test_scipy_finds_the_same_f():
    rng = np.random.default_rng(1)
    y, group = rng.normal(size=40), rng.integers(0, 4, 40)
    expected = stats.f_oneway(*(y[group == one] for one in range(4)))
    found = one_way_anova(y, group)
    assert found.f.value == pytest.approx(expected.statistic, rel=1e-12)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-10)


@pytest.mark.parametrize(
    ("y", "group", "error"),
    [
        ([], [], NotEstimable),
        ([1.0, 2.0], [1, 2], NotEstimable),
        ([1.0, 1.0, 1.0], [1, 1, 2], NotEstimable),
        ([1.0, 2.0, 3.0], [1, 1, 1], NotEstimable),
        ([1.0, 2.0, 3.0], [1, 2, 3], NotEstimable),
        ([1.0, 1.0, 2.0, 2.0], [1, 1, 2, 2], NotEstimable),
        ([1.0, np.nan, 2.0], [1, 1, 2], InvalidInput),
        ([1.0, np.inf, 2.0], [1, 1, 2], InvalidInput),
        ([1.0, 2.0, 3.0], [1, None, 2], InvalidInput),
        ([1.0, 2.0, 3.0], [1, 2], InvalidInput),
        ([1e160, 2.0, 3.0], [1, 1, 2], InvalidInput),
        ([1e-170, 2e-170, 5e-170], [1, 1, 2], InvalidInput),
        ([1e149, 2.0, -5e149], [1, 1, 2], InvalidInput),
        (["a", "b", "c"], [1, 1, 2], InvalidInput),
    ],
)
def test_what_allows_no_table_is_refused(y, group, error):
    with pytest.raises(error):
        one_way_anova(y, group)


def unbalanced(seed: int = 4, offset: float = 0.0):
    rng = np.random.default_rng(seed)
    donor = np.repeat(np.arange(7), [6, 2, 8, 4, 6, 2, 4])
    lot = np.concatenate([np.arange(size) // 2 for size in (6, 2, 8, 4, 6, 2, 4)])
    y = offset + rng.normal(size=7)[donor] + rng.normal(0, 0.3, donor.size)
    return np.round(y, 4), {"donor": donor, "lot": lot}


def test_expected_mean_squares_are_traces_of_the_projections():
    y, factors = unbalanced()
    found = nested_components(y, factors)
    lots = factors["donor"] * 10 + factors["lot"]
    z = [np.eye(100)[one][:, np.unique(one)] for one in (factors["donor"], lots)]
    z.append(np.eye(y.size))
    spaces = [np.ones((y.size, 1)), *z]
    hats = [one @ np.linalg.pinv(one) for one in spaces]
    for row, (outer, inner) in enumerate(pairwise(hats)):
        p = inner - outer
        assert found.ss[row] == pytest.approx(y @ p @ y, rel=1e-9)
        traces = [np.trace(one.T @ p @ one) / found.df[row] for one in z]
        assert found.coefficients[row] == pytest.approx(traces, abs=1e-10)
    assert found.variance_of_mean == pytest.approx(
        sum(
            v * np.sum((one.T @ np.full(y.size, 1 / y.size)) ** 2)
            for v, one in zip(found.values, z, strict=True)
        )
    )


def test_a_negative_component_counts_as_zero_and_its_raw_value_is_told():
    y = [1.0, 9.0, 2.0, 8.0, 1.5, 8.5, 2.5, 7.5]
    found = nested_components(y, {"lot": [1, 1, 2, 2, 3, 3, 4, 4]})
    assert found.raw[0] < 0
    assert found.components[0].value == 0
    assert "negative" in " ".join(found.components[0].limitations)
    # The total then is the error with the df of all mean squares that the components imply.
    assert found.total.value == pytest.approx(found.error.value)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.001, 1000), st.floats(-1e6, 1e6))
def test_components_follow_the_unit_and_not_the_zero_of_the_scale(scale, shift):
    y, factors = unbalanced()
    plain = nested_components(y, factors).raw
    assert nested_components(scale * y, factors).raw == pytest.approx(scale**2 * plain, rel=1e-8)
    assert nested_components(y + shift, factors).raw == pytest.approx(plain, rel=1e-5, abs=1e-8)


def test_the_order_of_the_values_does_not_matter():
    y, factors = unbalanced()
    order = np.random.default_rng(2).permutation(y.size)
    mixed = nested_components(y[order], {name: one[order] for name, one in factors.items()})
    assert np.array_equal(mixed.raw, nested_components(y, factors).raw)


@pytest.mark.parametrize(
    ("y", "factors", "error"),
    [
        ([1.0, 2.0, 3.0], {}, InvalidInput),
        ([1.0, 2.0, 3.0], {"lot": [1, 1, 1]}, NotEstimable),
        ([1.0, 2.0, 3.0], {"lot": [1, 2, 3]}, NotEstimable),
        ([1.0, 1.0, 3.0, 3.0], {"lot": [1, 1, 2, 2]}, NotEstimable),
        ([1.0, 2.0, 3.0, 4.0], {"donor": [1, 1, 2, 2], "lot": [1, 1, 1, 1]}, NotEstimable),
        ([1.0, 2.0, 3.0, np.nan], {"donor": [1, 1, 2, 2]}, InvalidInput),
    ],
)
def test_designs_without_an_answer_are_refused(y, factors, error):
    with pytest.raises(error):
        nested_components(y, factors)
