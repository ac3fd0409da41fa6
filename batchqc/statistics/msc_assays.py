"""Potency assays of MSC as declared definitions: readout, curve, criteria and normalisation.

The bounds are starting points: a laboratory replaces them by those of its own validation, with
:func:`dataclasses.replace`. No verdict rests on them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.bioassay import Assay
from batchqc.statistics.curve_weights import Weighting
from batchqc.statistics.dose_response import CurveFit, CurveOptions, fit_curve
from batchqc.statistics.parallelism import Measure, curve_parallelism
from batchqc.statistics.relative_potency import RelativePotency, relative_potency
from batchqc.statistics.run_validity import Criterion, Status, run_status
from batchqc.statistics.standard_curve import Quantitation, back_calculated

Kind: TypeAlias = Literal["relative potency", "secretion"]


@dataclass(frozen=True, slots=True)
class AssayDefinition:
    """An assay, as it is declared.

    Args:
        name: as people say it.
        kind: relative potency against a reference lot, or secretion read from standards.
        readout: what is measured, with its unit.
        curve: model, weights, confidence.
        criteria: of the run; see :func:`potency_run` and :func:`standards_run` for the names.
        bounds: of the equivalence of curves.
        normalised: what the amount is told per.
    """

    name: str
    kind: Kind
    readout: str
    curve: CurveOptions
    criteria: tuple[Criterion, ...]
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    normalised: str = ""


@dataclass(frozen=True, slots=True)
class PotencyRun:
    """Relative potency of a run, its parallelism, and whether it may be reported."""

    potency: RelativePotency
    parallelism: tuple[Measure, ...]
    status: Status


@dataclass(frozen=True, slots=True)
class StandardsRun:
    """A standard curve, and whether concentrations may be read from it."""

    curve: CurveFit
    recoveries: tuple[tuple[float, float | None], ...]
    status: Status


_BOUNDS: Final = {"ratio of slope": (0.7, 1.43), "ratio of span": (0.7, 1.43)}

_BIOASSAY: Final = (
    Criterion("fold response", lower=2.0, why="the assay tells doses apart"),
    Criterion("r squared", lower=0.95, why="the curve explains the responses"),
    Criterion("interval fold", upper=2.0, part="sample", why="the potency is told closely enough"),
    Criterion("measures not equivalent", upper=0.0, part="sample", why="the curves are parallel"),
)

_STANDARDS: Final = (
    Criterion("r squared", lower=0.98, why="the curve explains the standards"),
    Criterion("recoveries within 20 %", lower=75.0, why="ICH M10: 75 % of the standards"),
)


def _bioassay(name: str, readout: str) -> AssayDefinition:
    return AssayDefinition(name, "relative potency", readout, CurveOptions(), _BIOASSAY, _BOUNDS)


def _secretion(name: str, readout: str) -> AssayDefinition:
    curve = CurveOptions(model="4PL", weighting=Weighting("fitted", 1.0))
    return AssayDefinition(
        name, "secretion", readout, curve, _STANDARDS, normalised="10^6 viable cells"
    )


#: By short name.
MSC_ASSAYS: Final[Mapping[str, AssayDefinition]] = {
    "pbmc-inhibition": _bioassay("PBMC proliferation inhibition", "dividing T cells, %"),
    "tnf-suppression": _bioassay("TNF-alpha suppression", "TNF-alpha of stimulated cells, pg/mL"),
    "ido": _secretion("IDO activity", "kynurenine, µmol/L"),
    "pge2": _secretion("PGE2 secretion", "prostaglandin E2, pg/mL"),
    "tsg-6": _secretion("TSG-6 secretion", "TSG-6, pg/mL"),
    "bdnf": _secretion("BDNF secretion", "BDNF, pg/mL"),
    "gdnf": _secretion("GDNF secretion", "GDNF, pg/mL"),
    "ngf": _secretion("NGF secretion", "NGF, pg/mL"),
    "vegf": _secretion("VEGF secretion", "VEGF-A, pg/mL"),
    "hgf": _secretion("HGF secretion", "HGF, pg/mL"),
}


def potency_run(definition: AssayDefinition, wells: Assay) -> PotencyRun:
    """Relative potency of the samples of a run, with the outcome of each criterion.

    Args:
        definition: of kind "relative potency".
        wells: of the run.

    The criteria may name: "fold response" (higher over lower asymptote of the standard),
    "r squared", "interval fold" (widest, root of upper / lower), "measures not equivalent",
    "non-parallelism p", "lack of fit p".

    Raises:
        InvalidInput: the definition is of another kind.
        NotEstimable: as :func:`~batchqc.statistics.relative_potency.relative_potency`.
    """
    if definition.kind != "relative potency":
        raise InvalidInput("BQC-STA-003", f"{definition.name} is read from standards")
    found = relative_potency(wells, definition.curve)
    measures: tuple[Measure, ...] = ()
    different: float | None = None
    try:
        measures = tuple(curve_parallelism(found, definition.bounds))
        different = float(sum(one.equivalent is False for one in measures))
    except NotEstimable:
        pass
    values = {
        "fold response": _fold(found),
        "r squared": _r_squared(wells.response, found.residuals, found.weights),
        "interval fold": _widest(found),
        "measures not equivalent": different if definition.bounds else None,
        "non-parallelism p": found.nonparallel[3] if found.nonparallel else None,
        "lack of fit p": found.lack_of_fit[3] if found.lack_of_fit else None,
    }
    return PotencyRun(found, measures, run_status(definition.criteria, values))


def standards_run(
    definition: AssayDefinition, dose: ArrayLike, response: ArrayLike, quantitation: Quantitation
) -> StandardsRun:
    """The standard curve of a run, with the outcome of each criterion.

    Args:
        definition: of kind "secretion".
        dose: of the standards.
        response: of the standards.
        quantitation: range in which recoveries count.

    The criteria may name: "r squared", "recoveries within 20 %" (share of the standards in the
    range, %), "lack of fit p".

    Raises:
        InvalidInput: the definition is of another kind.
        NotEstimable: as :func:`~batchqc.statistics.dose_response.fit_curve`.
    """
    if definition.kind != "secretion":
        raise InvalidInput("BQC-STA-003", f"{definition.name} is a relative potency")
    curve = fit_curve(dose, response, definition.curve)
    x, y = np.asarray(dose, dtype=np.float64), np.asarray(response, dtype=np.float64)
    told = tuple(back_calculated(curve, x.tolist(), y.tolist()))
    counted = [one for at, one in told if quantitation.lower <= at <= quantitation.upper]
    good = [one for one in counted if one is not None and 80 <= one <= 120]
    values = {
        "r squared": _r_squared(y, curve.residuals, curve.weights),
        "recoveries within 20 %": 100 * len(good) / len(counted) if counted else None,
        "lack of fit p": curve.lack_of_fit[3] if curve.lack_of_fit else None,
    }
    return StandardsRun(curve, told, run_status(definition.criteria, values))


def _fold(found: RelativePotency) -> float | None:
    ends = [found.parameters[one].value for one in ("c", "d") if one in found.parameters]
    if len(ends) < 2 or min(ends) <= 0:
        return None
    return max(ends) / min(ends)


def _r_squared(y: ArrayLike, residuals: ArrayLike, weights: ArrayLike) -> float:
    response, off, w = (np.asarray(one, dtype=np.float64) for one in (y, residuals, weights))
    whole = w @ (response - w @ response / w.sum()) ** 2
    return float(1 - (w @ off**2) / whole)


def _widest(found: RelativePotency) -> float | None:
    folds = []
    for one in found.potency.values():
        if one.lower is None or one.upper is None:
            return None
        folds.append(float(np.sqrt(one.upper / one.lower)))
    return max(folds)
