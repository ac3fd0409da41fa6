"""Relative potency of one sample of a plate, by the model that a method declares."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

import numpy as np
from numpy.typing import ArrayLike

from batchqc.core.assays import CONTROL
from batchqc.core.potency import Model, PotencyAnalysis, Weights
from batchqc.core.wells import BLANK, RAW, STANDARD, Well
from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.bioassay import Assay, Transformation, assay, extrapolated
from batchqc.statistics.curve_weights import Weighting
from batchqc.statistics.dose_response import CurveFit, CurveOptions
from batchqc.statistics.figures import Figure
from batchqc.statistics.parallel_lines import LineAssay, parallel_lines
from batchqc.statistics.parallelism import Measure, curve_parallelism, line_parallelism
from batchqc.statistics.quantal import QuantalOptions, groups, quantal
from batchqc.statistics.relative_potency import RelativePotency, relative_potency
from batchqc.statistics.residual_outliers import flagged
from batchqc.statistics.slope_ratio import slope_ratio

SAMPLE: Final = "sample"
REFERENCE: Final = "reference"
_WEIGHTS: Final[Mapping[Weights, Weighting | None]] = {
    Weights.EQUAL: None,
    Weights.RESPONSE: Weighting("response", 1.0),
    Weights.RESPONSE_SQUARED: Weighting("response", 2.0),
    Weights.FITTED: Weighting("fitted", 1.0),
    Weights.FITTED_SQUARED: Weighting("fitted", 2.0),
}


@dataclass(frozen=True, slots=True)
class Computed:
    """What a model computes of the wells of one sample, as numbers; None is not known.

    ``bound`` stands in the place of a figure where the sample is beyond the range of quantitation.
    """

    figure: Figure | None
    df: float | None
    n: int
    facts: Mapping[str, float | None]
    numbers: Mapping[str, float | None] = field(default_factory=dict)
    limitations: tuple[str, ...] = ()
    outliers: tuple[str, ...] = ()
    plot: tuple[tuple[str, str, str, str], ...] = ()
    method: str = ""
    apart: bool = False
    flat: bool = False
    bound: str = ""


def name_of(one: Well) -> str:
    """What the preparation of a well is called in a fit."""
    names = {RAW: SAMPLE, STANDARD: REFERENCE}
    return names.get(one.kind) or f"control {one.preparation}"


def options_of(analysis: PotencyAnalysis) -> CurveOptions:
    """Model, weights and confidence of a curve."""
    name = "4PL" if analysis.model is Model.STANDARD_CURVE else analysis.model.value
    weighting = _WEIGHTS[analysis.weights]
    return CurveOptions(name, weighting=weighting, confidence=float(analysis.confidence))


def fit_curves(analysis: PotencyAnalysis, wells: Sequence[Well]) -> Computed:
    """By 4PL or 5PL: one joint fit.

    Raises:
        InvalidInput: the wells are not what a curve takes.
        NotEstimable: there is no estimate.
    """
    own = [one for one in wells if one.kind != BLANK]
    plate = _assay(analysis, own)
    found = relative_potency(plate, options_of(analysis), potency_factor=float(analysis.assigned))
    measures, different = _compared(analysis, found)
    ends = [found.parameters[one].value for one in ("c", "d")]
    facts = {
        "fold response": max(ends) / min(ends) if min(ends) > 0 else None,
        "lack of fit p": found.lack_of_fit[3] if found.lack_of_fit else None,
        "non-parallelism p": found.nonparallel[3] if found.nonparallel else None,
        "measures not equivalent": different,
        "reference ed50": found.parameters["e"].value,
        **_shared(plate, own, found, found.potency),
    }
    numbers = {name: one.value for name, one in found.parameters.items()} | measures
    return _computed(plate, own, found, found.potency, facts, numbers)


def fit_lines(analysis: PotencyAnalysis, wells: Sequence[Well]) -> Computed:
    """By parallel lines, or by a slope ratio; plates are blocks.

    Raises:
        InvalidInput: the wells are not what lines take.
        NotEstimable: there is no estimate.
    """
    is_ratio = analysis.model is Model.SLOPE_RATIO
    own = [one for one in wells if is_ratio or one.kind != BLANK]
    plate = _assay(analysis, own, blocks=True)
    how = slope_ratio if is_ratio else parallel_lines
    found = how(
        plate, confidence=float(analysis.confidence), potency_factor=float(analysis.assigned)
    )
    potency = {name: one.figure for name, one in found.potency.items()}
    measures: dict[str, float | None] = {}
    different = None
    if not is_ratio:
        bounds = {one.measure: (float(one.low), float(one.high)) for one in analysis.bounds}
        measures, different = _told(line_parallelism(plate, bounds), bool(bounds))
    kind = "intersection" if is_ratio else "non-parallelism"
    facts = {
        "regression p": found.anova["regression"].p,
        "non-linearity p": found.anova["non-linearity"].p,
        "non-parallelism p": found.anova[kind].p,
        "measures not equivalent": different,
        **_shared(plate, own, found, potency),
    }
    numbers = {"slope": found.slope.value} | measures
    return _computed(plate, own, found, potency, facts, numbers)


def fit_quantal(analysis: PotencyAnalysis, wells: Sequence[Well]) -> Computed:
    """By the link of the method; a response is the number of units that responded.

    Raises:
        InvalidInput: more responded than there are, or a dose is not positive.
        NotEstimable: there is no estimate.
    """
    own = [one for one in wells if one.kind != BLANK]
    given = groups(
        [name_of(one) for one in own],
        _column([one.dose for one in own]),
        _column([one.more.get("size") for one in own]),
        _column([one.response for one in own]),
        standard=REFERENCE,
    )
    how = QuantalOptions(analysis.link, float(analysis.confidence))
    found = quantal(given, how, potency_factor=float(analysis.assigned))
    figure = found.potency[SAMPLE]
    facts = {
        "deviance p": found.p_deviance,
        "non-parallelism p": found.parallelism[2],
        "reference ed50": found.ed50[REFERENCE].value,
        "control potency": _control(found.potency),
        "relative potency": figure.value,
    }
    numbers = {f"coefficient {n}": float(one) for n, one in enumerate(found.coefficients)}
    shift = float(np.log(figure.value / float(analysis.assigned)))
    plot = plotted(own, given.wells.response, found.fitted)
    apart = bool(extrapolated(given.wells, given.wells.names.index(SAMPLE), shift))
    return Computed(figure, None, len(own), facts, numbers, plot=plot, apart=apart)


def plotted(
    wells: Sequence[Well], response: ArrayLike, fitted: ArrayLike
) -> tuple[tuple[str, str, str, str], ...]:
    """Preparation, dose, response on the scale of the fit and fitted value of each well."""
    return tuple(
        (
            name_of(one),
            str(one.dose if one.dose is not None else ""),
            repr(float(y)),
            repr(float(f)),
        )
        for one, y, f in zip(wells, np.asarray(response), np.asarray(fitted), strict=True)
    )


def outliers(
    wells: Sequence[Well], found: LineAssay | CurveFit | RelativePotency
) -> tuple[str, ...]:
    """The wells whose studentised residual is too large, by plate and well."""
    flags = flagged(found).wells
    return tuple(f"{wells[n - 1].plate} {wells[n - 1].well}" for n in flags)


def largest_cv(wells: Sequence[Well]) -> float | None:
    """The largest coefficient of variation (%) of the replicates of a preparation and dose."""
    by: dict[tuple[str, object, object], list[float]] = defaultdict(list)
    for one in wells:
        by[name_of(one), one.dose, one.more.get("dilution")].append(float(one.response))
    several = [np.array(own) for own in by.values() if len(own) > 1]
    if not several or any(own.mean() <= 0 for own in several):
        return None
    return float(max(100 * own.std(ddof=1) / own.mean() for own in several))


def explained(response: ArrayLike, residuals: ArrayLike, weights: ArrayLike | None) -> float:
    """The share of the weighted sum of squares that a fit explains."""
    y, off = np.asarray(response), np.asarray(residuals)
    w = np.ones(y.size) if weights is None else np.asarray(weights)
    return float(1 - (w @ off**2) / (w @ (y - w @ y / w.sum()) ** 2))


def _column(numbers: Sequence[object]) -> list[float]:
    if any(one is None for one in numbers):
        raise InvalidInput("BQC-STA-003", "a well lacks its dose or its size")
    return [float(cast("float", one)) for one in numbers]


def _assay(analysis: PotencyAnalysis, wells: Sequence[Well], *, blocks: bool = False) -> Assay:
    plates = [one.plate for one in wells]
    doses = [one.dose if one.kind != BLANK else one.dose or 0 for one in wells]
    return assay(
        [REFERENCE if one.kind == BLANK else name_of(one) for one in wells],
        _column(doses),
        [float(one.response) for one in wells],
        standard=REFERENCE,
        blocks=[plates] if blocks and len(set(plates)) > 1 else (),
        transformation=cast("Transformation", analysis.transformation),
    )


def _compared(
    analysis: PotencyAnalysis, found: RelativePotency
) -> tuple[dict[str, float | None], float | None]:
    bounds = {one.measure: (float(one.low), float(one.high)) for one in analysis.bounds}
    try:
        measures = curve_parallelism(found, bounds)
    except NotEstimable:
        return {}, None
    return _told(measures, bool(bounds))


def _told(
    measures: Sequence[Measure],
    judged: bool,  # noqa: FBT001 - whether bounds were declared
) -> tuple[dict[str, float | None], float | None]:
    """Each measure of the sample with its interval, and how many are not equivalent."""
    numbers: dict[str, float | None] = {}
    for one in measures:
        if one.sample == SAMPLE:
            figure = one.figure
            numbers |= {
                one.name: figure.value,
                f"{one.name}, lower": figure.lower,
                f"{one.name}, upper": figure.upper,
            }
    own = [one for one in measures if one.sample == SAMPLE and one.bounds is not None]
    different = float(sum(one.equivalent is not True for one in own)) if judged and own else None
    return numbers, different


def _control(potency: Mapping[str, Figure]) -> float | None:
    """The potency of the one control preparation; None where there is none, or several."""
    controls = [one.value for name, one in potency.items() if name.startswith(CONTROL)]
    return controls[0] if len(controls) == 1 else None


def _shared(
    plate: Assay,
    wells: Sequence[Well],
    found: LineAssay | RelativePotency,
    potency: Mapping[str, Figure],
) -> dict[str, float | None]:
    weights = found.weights if isinstance(found, RelativePotency) else None
    return {
        "r squared": explained(plate.response, found.residuals, weights),
        "control potency": _control(potency),
        "relative potency": potency[SAMPLE].value,
        "largest cv": largest_cv(wells),
        "flagged wells": float(len(flagged(found).wells)),
    }


def _computed(
    plate: Assay,
    wells: Sequence[Well],
    found: LineAssay | RelativePotency,
    potency: Mapping[str, Figure],
    facts: Mapping[str, float | None],
    numbers: Mapping[str, float | None],
) -> Computed:
    figure = potency[SAMPLE]
    told = [one for each in potency.values() for one in each.limitations]
    return Computed(
        figure,
        figure.df,
        plate.n,
        facts,
        numbers,
        tuple(dict.fromkeys(told)),
        outliers(wells, found),
        plotted(wells, plate.response, found.fitted),
        apart=any("do not overlap" in one for one in figure.limitations),
        flat=any("flat" in one for one in figure.limitations),
    )
