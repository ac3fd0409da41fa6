"""The fit of a plate by a declared potency analysis: every number of it as text.

Models are those of this package; a declaration chooses among them. Nothing is left out: wells
whose residual is too large are named and stay in. What is not known is "", never a number.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from batchqc.core.potency import Model, PotencyAnalysis
from batchqc.core.potency_outcomes import BEYOND, BOUNDED, FOLD
from batchqc.core.wells import Well
from batchqc.statistics.fieller import two_sided
from batchqc.statistics.figures import Figure
from batchqc.statistics.plate_curve import fit_standard_curve
from batchqc.statistics.plate_models import Computed, fit_curves, fit_lines, fit_quantal
from batchqc.statistics.values import text_of

_BY: Final[Mapping[Model, Callable[[PotencyAnalysis, Sequence[Well]], Computed]]] = {
    Model.FOUR: fit_curves,
    Model.FIVE: fit_curves,
    Model.PARALLEL_LINE: fit_lines,
    Model.SLOPE_RATIO: fit_lines,
    Model.QUANTAL: fit_quantal,
    Model.STANDARD_CURVE: fit_standard_curve,
}


@dataclass(frozen=True, slots=True)
class PlateFit:
    """What was computed of the wells of one sample of a run.

    Args:
        value: text of the unrounded value in the unit of the analysis, or of the bound that a
            sample beyond the range of quantitation has (``<39.0``); "" where there is none.
        numbers: text of each number by name: value, lower, upper, se_log (standard error of the
            ln of the value), df, n, and of each parameter and measure.
        facts: what limits of suitability are held against, by name.
        method: of the estimate and its interval.
        assumptions: what must hold.
        limitations: what the wells do not allow to be said.
        outliers: wells (plate, well) with too large a residual; they were not left out.
        plot: name of each preparation, with dose, response and fitted value of each well.
        software: names and versions.
    """

    value: str
    numbers: Mapping[str, str]
    facts: Mapping[str, str]
    method: str
    assumptions: tuple[str, ...]
    limitations: tuple[str, ...]
    outliers: tuple[str, ...]
    plot: tuple[tuple[str, str, str, str], ...]
    software: str


def fit_plate(analysis: PotencyAnalysis, wells: Sequence[Well]) -> PlateFit:
    """Fit what a method declares.

    Args:
        analysis: of the method.
        wells: of one sample, its reference and its controls, as checked by ``core.wells``.

    Raises:
        InvalidInput: the wells are not what the model takes.
        NotEstimable: there is no such estimate.
    """
    ordered = sorted(wells, key=lambda one: (one.kind, one.preparation, one.plate, one.well))
    found = _BY[analysis.model](analysis, ordered)
    figure = found.figure
    se = standard_error(figure, found.df)
    numbers = {
        "value": text_of(figure.value) if figure else found.bound,
        "lower": text_of(figure.lower if figure else None),
        "upper": text_of(figure.upper if figure else None),
        "se_log": text_of(se),
        "df": text_of(found.df),
        "n": str(found.n),
        **{name: text_of(one) for name, one in found.numbers.items()},
    }
    bounded = se is not None
    told = (*found.limitations, *(figure.limitations if figure else ()))
    if found.bound:
        told = (*told, f"{BEYOND}: {found.bound}, a bound and no value")
    facts = {name: text_of(one) for name, one in found.facts.items()} | {
        BOUNDED: "yes" if bounded else "no",
        "doses overlap": "no" if found.apart else "yes",
        "response depends on dose": "no" if found.flat else "yes",
        BEYOND: found.bound,
        FOLD: text_of(
            math.sqrt(figure.upper / figure.lower)
            if bounded and figure and figure.upper and figure.lower
            else None
        ),
    }
    return PlateFit(
        value=numbers["value"],
        numbers=numbers,
        facts=facts,
        method=figure.method if figure else found.method,
        assumptions=figure.assumptions if figure else (),
        limitations=tuple(dict.fromkeys(told)),
        outliers=found.outliers,
        plot=found.plot,
        software=software(),
    )


def standard_error(figure: Figure | None, df: float | None) -> float | None:
    """Of the ln of a potency: the width of its interval over 2 t (Ph. Eur. 5.3, 6.2)."""
    if figure is None or figure.lower is None or figure.upper is None:
        return None
    if not (0 < figure.lower < figure.value < figure.upper < math.inf):
        return None
    width = math.log(figure.upper / figure.lower)
    return width / 2 / two_sided(figure.confidence, df)


def software() -> str:
    """What computes, with versions."""
    return ", ".join(f"{one} {version(one)}" for one in ("batchqc", "numpy", "scipy"))
