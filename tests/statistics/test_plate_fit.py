"""Plates with a known answer, by every model that a method may declare."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from batchqc.core.assays import Cell, Measurement, RunKey
from batchqc.core.potency import (
    FACTS,
    Bounds,
    Combination,
    Model,
    Parallelism,
    PotencyAnalysis,
    Weights,
)
from batchqc.core.potency_outcomes import judged, reasons_against
from batchqc.core.wells import Well
from batchqc.documents.method_file import read_method
from batchqc.errors import InvalidInput, NotEstimable
from batchqc.settings import shipped_potency_methods
from batchqc.statistics.plate_fit import PlateFit, fit_plate
from batchqc.statistics.plate_runs import combine_fits
from batchqc.statistics.quantal import QuantalOptions, groups, quantal

ROW = Measurement(
    run=RunKey("U", "POT", "R"), lot="L", sample="S", stage="release", aliquot="", analyte="signal",
    replicate=1, unit="1", measured_at=datetime(2026, 1, 1, tzinfo=UTC), started_at=None,
    analyst="ana", instrument="", method="M", version="1", result_type="raw",
    cell=Cell(2, 2, "value", "1"),
)  # fmt: skip


def analysis(model: Model, **changes: object) -> PotencyAnalysis:
    found = PotencyAnalysis(
        model=model, readout="signal", readout_unit="1", analyte="potency", unit="%", decimals=1,
        reference="RS", assigned=Decimal(100), doses=(), replicates=1, suitability=(),
        parallelism=Parallelism.F_TEST,
    )  # fmt: skip
    return replace(found, **changes)  # type: ignore[arg-type]


def wells(
    kind: str, doses: Sequence[float], responses: Sequence[float], *, name: str = "", **more: str
) -> list[Well]:
    numbers = {key: Decimal(value) for key, value in more.items()}
    return [
        Well(
            kind,
            name,
            "P",
            f"{kind}{name}{n}",
            Decimal(str(dose)),
            Decimal(f"{y:.6f}"),
            numbers,
            ROW,
        )
        for n, (dose, y) in enumerate(zip(doses, responses, strict=True))
    ]


def noisy(expected: Sequence[float], seed: int, size: float = 0.02) -> list[float]:
    return list(np.asarray(expected) + np.random.default_rng(seed).normal(0, size, len(expected)))


def curve(dose: np.ndarray, potency: float) -> np.ndarray:
    return 0.1 + 2.0 / (1 + (dose * potency / 20) ** -1.2)


DOSES = np.repeat([1.0, 3, 10, 30, 100, 300, 1000], 3)


def curves(potency: float = 0.7) -> list[Well]:
    return [
        *wells("standard", DOSES, noisy(curve(DOSES, 1), 1), name="RS"),
        *wells("raw", DOSES, noisy(curve(DOSES, potency), 2)),
        *wells("control", DOSES, noisy(curve(DOSES, 1.5), 3), name="QC"),
    ]


def near(found: PlateFit, wanted: float) -> None:
    """The interval holds the truth, and the estimate is within 6 %."""
    value, low, high = (float(found.numbers[one]) for one in ("value", "lower", "upper"))
    assert low < wanted < high
    assert abs(value / wanted - 1) < 0.06
    assert 0 < float(found.numbers["se_log"]) < 0.05
    assert found.value == found.numbers["value"]


@pytest.mark.parametrize("weights", [Weights.EQUAL, Weights.FITTED])
@pytest.mark.parametrize("model", [Model.FOUR, Model.FIVE])
def test_a_curve_finds_the_known_potency_of_sample_and_control(model: Model, weights: Weights):
    how = analysis(
        model, weights=weights, bounds=(Bounds("ratio of span", *map(Decimal, ("0.8", "1.25"))),)
    )
    found = fit_plate(how, curves())
    near(found, 70)
    assert abs(float(found.facts["control potency"]) / 150 - 1) < 0.1
    assert found.facts["measures not equivalent"] == "0.0"
    assert set(FACTS[model]) <= set(found.facts)
    assert (len(found.plot), found.numbers["n"]) == (63, "63")
    assert float(found.facts["flagged wells"]) == len(found.outliers)
    assert "scipy" in found.software


def test_lines_and_plates_as_blocks_find_the_known_potency():
    doses = np.repeat([1.0, 2, 4, 8], 4)
    own = [
        *wells("standard", doses, noisy(2 + np.log(doses), 1), name="RS"),
        *wells("raw", doses, noisy(2 + np.log(doses * 0.8), 2)),
    ]
    how = analysis(
        Model.PARALLEL_LINE, bounds=(Bounds("ratio of slope", *map(Decimal, ("0.8", "1.25"))),)
    )
    found = fit_plate(how, own)
    near(found, 80)
    assert found.facts["measures not equivalent"] == "0.0"
    assert set(FACTS[Model.PARALLEL_LINE]) <= set(found.facts)
    shifted = [
        replace(one, plate="Q", response=one.response + 3) if n % 2 else one
        for n, one in enumerate(own)
    ]
    near(fit_plate(analysis(Model.PARALLEL_LINE), shifted), 80)


def test_a_slope_ratio_uses_its_blanks():
    doses = np.repeat([1.0, 2, 3], 4)
    own = [
        *wells("blank", [0.0] * 4, noisy([0.5] * 4, 1)),
        *wells("standard", doses, noisy(0.5 + doses, 2), name="RS"),
        *wells("raw", doses, noisy(0.5 + 0.6 * doses, 3)),
    ]
    found = fit_plate(analysis(Model.SLOPE_RATIO), own)
    near(found, 60)
    assert (found.numbers["n"], set(FACTS[Model.SLOPE_RATIO]) <= set(found.facts)) == ("28", True)


def test_units_that_responded_give_the_potency_that_the_pharmacopoeia_computes():
    """The vaccine of Ph. Eur. 5.3, 5.2.1, as the module that is checked against it has it."""
    doses, n = [1, 1.6, 2.5, 4], [[12, 12, 12, 11], [11, 12, 11, 11]]
    responders = [[0, 3, 6, 10], [0, 4, 8, 10]]
    own = []
    for kind, name, sizes, counts in zip(
        ("standard", "raw"), ("RS", ""), n, responders, strict=True
    ):
        for dose, size, count in zip(doses, sizes, counts, strict=True):
            own += wells(kind, [dose], [count], name=name, size=str(size))
    own = [replace(one, well=str(place)) for place, one in enumerate(own)]
    found = fit_plate(analysis(Model.QUANTAL, assigned=Decimal(140)), own)
    given = groups(
        ["S"] * 4 + ["T"] * 4, doses * 2, [*n[0], *n[1]], [*responders[0], *responders[1]]
    )
    wanted = quantal(given, QuantalOptions("probit"), potency_factor=140).potency["T"]
    assert float(found.value) == pytest.approx(wanted.value, rel=1e-9)
    assert float(found.value) == pytest.approx(160.6, abs=0.05)
    assert set(FACTS[Model.QUANTAL]) <= set(found.facts)


def test_a_concentration_is_told_per_million_viable_cells():
    standards = np.repeat([16.0, 31, 63, 125, 250, 500, 1000], 2)
    signal = noisy(curve(standards, 0.1), 4, 0.005)
    at = float(curve(np.array([200.0]), 0.1)[0])
    culture = {"dilution": "2", "cells": "5E5", "volume": "1", "hours": "48"}
    own = [
        *wells("standard", standards, signal, name="RS"),
        *wells("raw", [0, 0], noisy([at, at], 5, 0.005), **culture),
        *wells("control", [0, 0], noisy([at, at], 6, 0.005), name="QC", dilution="1"),
    ]
    how = analysis(
        Model.STANDARD_CURVE, quantitation=(Decimal(16), Decimal(1000)), per_million_cells=True,
        parallelism=None, assigned=Decimal(1),
    )  # fmt: skip
    found = fit_plate(how, own)
    near(found, 200 * 2 / 0.5 / 2)
    assert float(found.facts["recoveries within 20 %"]) >= 90
    assert abs(float(found.facts["control concentration"]) / 200 - 1) < 0.05
    low = [replace(one, response=Decimal("0.11")) if one.kind == "raw" else one for one in own]
    beyond = fit_plate(how, low)
    assert beyond.value == "<32.0"  # 16, diluted twofold, per half a million cells in two days
    assert "beyond the range of quantitation: <32.0, a bound and no value" in beyond.limitations
    assert reasons_against(judged(how, beyond.facts)) == ()
    assert [beyond.numbers[one] for one in ("lower", "upper", "se_log")] == ["", "", ""]
    high = [replace(one, response=Decimal("2.09")) if one.kind == "raw" else one for one in own]
    assert fit_plate(how, high).value == ">2000.0"
    with pytest.raises(InvalidInput, match="no range of quantitation"):
        fit_plate(replace(how, quantitation=None), own)


def test_a_well_that_lies_apart_is_named_and_not_left_out():
    own = curves()
    own[5] = replace(own[5], response=own[5].response + Decimal("0.4"))
    found = fit_plate(analysis(Model.FOUR), own)
    assert found.outliers == (f"P {own[5].well}",)
    assert (found.facts["flagged wells"], found.numbers["n"]) == ("1.0", "63")


def test_a_fit_does_not_depend_on_the_order_of_wells():
    first = fit_plate(analysis(Model.FOUR), curves())
    assert fit_plate(analysis(Model.FOUR), curves()[::-1]) == first


def test_doses_that_do_not_overlap_are_told_and_not_declared():
    doses = np.repeat([1.0, 2, 4, 8], 4)
    far = [
        *wells("standard", doses, noisy(2 + np.log(doses), 1), name="RS"),
        *wells("raw", doses, noisy(12 + np.log(doses), 2)),
    ]
    found = fit_plate(analysis(Model.PARALLEL_LINE), far)
    assert found.facts["doses overlap"] == "no"
    assert any("swapped" in one for one in found.limitations)


def test_runs_are_combined_by_the_declared_rule():
    fits = [fit_plate(analysis(Model.FOUR), curves(one)).numbers for one in (0.7, 0.75, 0.66)]
    values = [float(one["value"]) for one in fits]
    mean = combine_fits(analysis(Model.FOUR, runs=3, combination=Combination.GEOMETRIC_MEAN), fits)
    assert float(mean["value"]) == pytest.approx(np.exp(np.mean(np.log(values))), rel=1e-12)
    weights = [float(one["se_log"]) ** -2 for one in fits]
    by_weight = combine_fits(analysis(Model.FOUR, runs=3, combination=Combination.WEIGHTED), fits)
    wanted = np.exp(np.average(np.log(values), weights=weights))
    assert float(by_weight["value"]) == pytest.approx(wanted, rel=1e-12)
    semi = combine_fits(analysis(Model.FOUR, runs=3, combination=Combination.SEMI_WEIGHTED), fits)
    assert float(semi["lower"]) < float(mean["value"]) < float(semi["upper"])
    only = combine_fits(analysis(Model.FOUR), fits[:1])
    assert (only["value"], only["n"]) == (fits[0]["value"], "1")
    with pytest.raises(NotEstimable, match="no standard error"):
        combine_fits(
            analysis(Model.FOUR, runs=2, combination=Combination.WEIGHTED),
            [fits[0], {**fits[1], "se_log": ""}],
        )


@pytest.mark.parametrize(
    ("rule", "values", "wanted"),
    [
        (Combination.GEOMETRIC_MEAN, ["<8.0", "1.0", "<27.0"], "<6.0"),
        (Combination.GEOMETRIC_MEAN, [">8.0", "1.0", "27.0"], ">6.0"),
        (Combination.WEIGHTED, ["<8.0", "1.0", "27.0"], "<27.0"),
        (Combination.SEMI_WEIGHTED, [">8.0", "1.0", "27.0"], ">1.0"),
        (Combination.ONE_RUN, ["<8.0"], "<8.0"),
    ],
)
def test_runs_beyond_the_range_combine_to_a_bound_that_holds_whatever_is_behind_it(
    rule: Combination, values: Sequence[str], wanted: str
):
    fits = [dict.fromkeys(("lower", "upper", "se_log", "df"), "") | {"value": v} for v in values]
    found = combine_fits(analysis(Model.STANDARD_CURVE, runs=3, combination=rule), fits)
    sign, bound = found["value"][0], float(found["value"][1:])
    assert (sign, bound) == (wanted[0], pytest.approx(float(wanted[1:]), rel=1e-12))
    assert (found["se_log"], found["n"]) == ("", str(len(values)))


def test_runs_beyond_both_ends_of_the_range_have_no_mean():
    fits = [{"value": one, "se_log": "", "df": ""} for one in ("<8.0", ">100.0")]
    how = analysis(Model.STANDARD_CURVE, runs=2, combination=Combination.GEOMETRIC_MEAN)
    with pytest.raises(NotEstimable, match="one run is above"):
        combine_fits(how, fits)


def test_every_shipped_proposal_is_a_method_with_an_analysis_and_a_source():
    found = sorted(shipped_potency_methods().glob("*.toml"))
    names = {path.stem for path in found}
    assert names >= {"pbmc-inhibition", "ido", "pge2", "tsg-6", "tnf-suppression"}
    assert names >= {"bdnf", "gdnf", "ngf", "vegf", "hgf"}
    for path in found:
        reading = read_method(path.read_bytes(), file=path.name)
        assert reading.problems == ()
        assert reading.method is not None
        assert reading.method.analysis is not None
        assert reading.method.analysis.suitability
        assert "# Source (" in path.read_text()
