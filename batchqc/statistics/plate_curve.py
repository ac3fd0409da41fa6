"""The concentration of one sample of a plate, read from its standard curve."""

from collections.abc import Sequence
from decimal import Decimal

from batchqc.core.assays import CONTROL
from batchqc.core.potency import PotencyAnalysis, Weights
from batchqc.core.wells import RAW, STANDARD, Well
from batchqc.errors import InvalidInput
from batchqc.statistics.dose_response import CurveFit, fit_curve
from batchqc.statistics.normalisation import Culture, per_million_viable_cells
from batchqc.statistics.plate_models import (
    Computed,
    explained,
    largest_cv,
    options_of,
    outliers,
    plotted,
)
from batchqc.statistics.standard_curve import (
    Quantitation,
    Reading,
    back_calculated,
    read_concentration,
)
from batchqc.statistics.values import text_of

_POWERS = {Weights.FITTED: 1.0, Weights.RESPONSE: 1.0, Weights.FITTED_SQUARED: 2.0,
           Weights.RESPONSE_SQUARED: 2.0}  # fmt: skip


def fit_standard_curve(analysis: PotencyAnalysis, wells: Sequence[Well]) -> Computed:
    """A 4PL through the standards, and the sample read from it.

    Raises:
        InvalidInput: there is no range of quantitation, or a dilution below 1.
        NotEstimable: there is no curve.
    """
    standards = [one for one in wells if one.kind == STANDARD]
    doses = [float(one.dose or 0) for one in standards]
    responses = [float(one.response) for one in standards]
    curve = fit_curve(doses, responses, options_of(analysis))
    if analysis.quantitation is None:
        raise InvalidInput("BQC-STA-003", "no range of quantitation is declared")
    low, high = (float(one) for one in analysis.quantitation)
    own = [one for one in wells if one.kind == RAW]
    reading = _read(analysis, curve, own)
    if analysis.per_million_cells:
        reading = per_million_viable_cells(reading, _culture(own))
    told = back_calculated(curve, doses, responses)
    counted = [one for at, one in told if low <= at <= high]
    good = [one for one in counted if one is not None and 80 <= one <= 120]
    controls = [one for one in wells if one.kind == CONTROL]
    control = _read(analysis, curve, controls).figure if controls else None
    facts = {
        "r squared": explained(responses, curve.residuals, curve.weights),
        "lack of fit p": curve.lack_of_fit[3] if curve.lack_of_fit else None,
        "recoveries within 20 %": 100 * len(good) / len(counted) if counted else None,
        "control concentration": control.value if control else None,
        "flagged wells": float(len(outliers(standards, curve))),
        "largest cv": largest_cv([one for one in wells if one.kind in {STANDARD, RAW, CONTROL}
                                  and (one.dose is None or one.dose > 0)]),
    }  # fmt: skip
    numbers = {name: one.value for name, one in curve.parameters.items()}
    return Computed(
        reading.figure, curve.df, len(standards) + len(own), facts, numbers,
        curve.limitations, outliers(standards, curve),
        plotted(standards, responses, curve.fitted), "4PL standard curve",
        flat=any("flat" in one for one in curve.limitations), bound=_bound(reading),
    )  # fmt: skip


def _read(analysis: PotencyAnalysis, curve: CurveFit, wells: Sequence[Well]) -> Reading:
    low, high = analysis.quantitation or (Decimal(0), Decimal(0))
    return read_concentration(
        curve,
        [float(one.response) for one in wells],
        Quantitation(float(low), float(high)),
        dilution=float(wells[0].more["dilution"]),
        variance_power=_POWERS.get(analysis.weights, 0.0),
    )


def _culture(wells: Sequence[Well]) -> Culture:
    more = wells[0].more
    hours = more.get("hours")
    return Culture(
        float(more["volume"]), float(more["cells"]), None if hours is None else float(hours)
    )


def _bound(reading: Reading) -> str:
    return "" if reading.figure is not None else f"{reading.qualifier}{text_of(reading.limit)}"
