"""Readouts brought to what they are compared by: per million viable cells, per cent of control."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.fieller import two_sided
from batchqc.statistics.figures import Figure
from batchqc.statistics.standard_curve import Reading
from batchqc.statistics.values import Floats, values_of


@dataclass(frozen=True, slots=True)
class Culture:
    """What was cultured: volume in mL, viable cells (a count, not million), hours.

    ``relative_se`` is the standard error of the count, as a share of it.
    """

    volume: float
    viable_cells: float
    hours: float | None = None
    relative_se: float = 0.0


def per_million_viable_cells(reading: Reading, culture: Culture) -> Reading:
    """Amount secreted per 10^6 viable cells (and per 24 h, where hours are told).

    Args:
        reading: concentration per mL of the culture.
        culture: volume, viable cells, hours.

    Raises:
        InvalidInput: volume, cells or hours are not positive.

    Returns:
        A reading in amount per 10^6 viable cells; a qualifier stays one. The interval carries the
        error of the count on the ln scale.
    """
    numbers = (culture.volume, culture.viable_cells, culture.hours or 1.0)
    if not all(math.isfinite(one) and one > 0 for one in numbers) or culture.hours == 0:
        raise InvalidInput("BQC-STA-003", "volume, viable cells and hours are positive")
    if not 0 <= culture.relative_se < 1:
        raise InvalidInput("BQC-STA-003", "the relative error of the count is a share below 1")
    factor = culture.volume / (culture.viable_cells / 1e6)
    factor *= 24 / culture.hours if culture.hours else 1.0
    if reading.figure is None:
        limit = None if reading.limit is None else reading.limit * factor
        return Reading(reading.qualifier, limit, None)
    return Reading("=", None, _scaled(reading.figure, factor, culture))


def _scaled(figure: Figure, factor: float, culture: Culture) -> Figure:
    low, high = figure.lower, figure.upper
    if low is not None and high is not None and figure.confidence:
        count = two_sided(figure.confidence) * culture.relative_se
        down = math.hypot(math.log(figure.value / low), count) if low > 0 else math.inf
        up = math.hypot(math.log(high / figure.value), count)
        low, high = figure.value * math.exp(-down), figure.value * math.exp(up)
    rate = " in 24 h" if culture.hours else ""
    told = () if culture.relative_se else ("the error of the cell count is not in the interval",)
    return Figure(
        f"{figure.name} per 10^6 viable cells{rate}", figure.value * factor, figure.method,
        figure.n, None if low is None else low * factor, None if high is None else high * factor,
        figure.confidence, figure.df, figure.assumptions, (*figure.limitations, *told),
    )  # fmt: skip


def per_cent_inhibition(response: ArrayLike, stimulated: ArrayLike, resting: ArrayLike) -> Floats:
    """Inhibition of each well: 100 (1 - (response - resting) / (stimulated - resting)), in %.

    Args:
        response: n wells with MSC.
        stimulated: control wells without MSC.
        resting: control wells without stimulus.

    Raises:
        NotEstimable: the controls do not differ: stimulated is not above resting.
    """
    y = values_of(response, "responses")
    high, low = values_of(stimulated, "stimulated controls"), values_of(resting, "resting controls")
    top, bottom = float(high.mean()), float(low.mean())
    if not top > bottom:
        raise NotEstimable(
            "BQC-STA-001",
            f"stimulated controls ({top:g}) are not above resting ones ({bottom:g})",
            hint="Look whether the controls were exchanged, or the cells were not stimulated.",
        )
    return np.asarray(100 * (1 - (y - bottom) / (top - bottom)))


def activity_ratio(product: float, substrate: float) -> float:
    """Product over substrate, such as kynurenine over tryptophan (IDO activity), same unit.

    Raises:
        InvalidInput: a concentration is negative, or there is no substrate.
    """
    if not (math.isfinite(product) and product >= 0 and math.isfinite(substrate) and substrate > 0):
        raise InvalidInput("BQC-STA-003", "product is 0 or more, and substrate above 0")
    return product / substrate
