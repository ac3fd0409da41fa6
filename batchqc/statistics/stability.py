"""Shelf life by ICH Q1E: where the confidence limit of the mean meets the acceptance criterion.

ICH Q1E (2003) section 2.4 and appendix B; LeBlond, Griffith and Aubuchon 2011 (J Valid Technol
17(3)). The crossing is the root of a quadratic, not a search. A limit that is not met is answered
as such. How far beyond the data a proposal may go is policy, and a separate step.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from batchqc.errors import InvalidInput
from batchqc.statistics.checks import confidence_of, one_of
from batchqc.statistics.figures import Figure
from batchqc.statistics.stability_lines import (
    MODELS,
    Line,
    Poolability,
    Study,
    lines,
    poolability,
    study_of,
)
from batchqc.statistics.values import Floats

_METHOD: Final = "ICH Q1E, crossing of the confidence limit of the mean"
_ASSUMED: Final = (
    "each batch changes along a straight line over time",
    "errors are independent, normal and of equal variance",
    "the batches stand for those to come",
)


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where a confidence limit meets an acceptance criterion.

    Args:
        time: of the earliest crossing, from 0; None where there is none.
        batch: whose line crosses first; None where all share a line.
        limit: which criterion; None where none is met.
        said: what that means, in words.
    """

    time: float | None
    batch: str | None
    limit: float | None
    said: str


@dataclass(frozen=True, slots=True)
class ShelfLife:
    """Of a stability study.

    Args:
        pooling: tests of slopes and intercepts; None for a single batch.
        model: that they lead to, or that was asked for.
        crossings: by model: all that can be computed, so that the choice can be judged.
        lines: of the chosen model.
        months: the crossing of the chosen model; None where no limit is met within the horizon.
        last: the latest time with data.
    """

    pooling: Poolability | None
    model: str
    crossings: Mapping[str, Crossing]
    lines: tuple[Line, ...]
    months: Figure | None
    last: float

    @property
    def crossing(self) -> Crossing:
        """Of the chosen model."""
        return self.crossings[self.model]


@dataclass(frozen=True, slots=True)
class Criterion:
    """What the mean must stay within.

    Args:
        lower: acceptance criterion, or None.
        upper: acceptance criterion, or None. With both, the two-sided interval is used.
        confidence: 0.95: one-sided for one criterion, two-sided for two.
        log: fit and compare on the logarithmic scale (first-order decay).
        horizon: beyond which a crossing counts as none; by default ten times the last time.
    """

    lower: float | None = None
    upper: float | None = None
    confidence: float = 0.95
    log: bool = False
    horizon: float | None = None

    @property
    def tail(self) -> float:
        """Probability beyond one end of the interval."""
        sides = (self.lower is not None) + (self.upper is not None)
        return (1 - self.confidence) / sides


def shelf_life(
    batch: Sequence[object],
    time: ArrayLike,
    y: ArrayLike,
    criterion: Criterion,
    *,
    alpha_pool: float = 0.25,
    model: str | None = None,
) -> ShelfLife:
    """Pools batches as far as the tests allow, and finds the earliest crossing of the worst batch.

    Args:
        batch: name of the batch of each point.
        time: of each point, from 0, in one unit (months).
        y: result of each point.
        criterion: what the mean must stay within.
        alpha_pool: level of the tests of poolability.
        model: ``cics``, ``dics``, ``dids`` or ``dids.pmse`` instead of what the tests lead to.

    Raises:
        NotEstimable: too few points or times; a perfect fit.
        InvalidInput: no criterion, one that cannot be met, or data that do not belong together.
    """
    _check(criterion)
    study = study_of(batch, time, y, log=criterion.log)
    pooling = poolability(study, alpha=alpha_pool) if len(study.batches) > 1 else None
    chosen = one_of(model or (pooling.model if pooling else "cics"), MODELS, "model")
    own_error = all(one.size > 2 for one in study.times)
    able = [one for one in MODELS if one != "dids" or own_error]
    if chosen == "dids" and not own_error:
        chosen = "dids.pmse"
    fitted = {one: lines(study, one) for one in able}
    crossings = {one: _worst(found, study, criterion) for one, found in fitted.items()}
    time_found = crossings[chosen].time
    return ShelfLife(
        pooling, chosen, crossings, fitted[chosen],
        None if time_found is None else _figure(time_found, study, fitted[chosen], criterion),
        study.last,
    )  # fmt: skip


def confidence_limit(line: Line, at: ArrayLike, *, tail: float, side: str) -> Floats:
    """The lower or upper confidence limit of the mean of a line, at given times."""
    one_of(side, ("lower", "upper"), "side")
    t = np.asarray(at, dtype=np.float64)
    spread = np.sqrt(line.variance * (1 / line.points + (t - line.centre) ** 2 / line.sxx))
    half = float(stats.t.isf(confidence_of(tail, "tail"), line.df)) * spread
    mean = line.intercept + line.slope * t
    return np.asarray(mean - half if side == "lower" else mean + half)


def extrapolation_cap(
    last: float, *, storage: str = "room", change: str = "none", analysed: bool = True
) -> Figure:
    """How far a proposal may reach by ICH Q1E (appendix A), whatever the line allows.

    Args:
        last: months covered by long-term data.
        storage: ``room``, ``refrigerated`` or ``frozen`` (cryopreserved cells are).
        change: significant change at ``none``, ``accelerated`` or ``intermediate`` conditions.
        analysed: whether long-term data are amenable to, and supported by, statistical analysis.

    Raises:
        InvalidInput: another word, or months that are not above zero.
    """
    one_of(storage, ("room", "refrigerated", "frozen"), "storage")
    one_of(change, ("none", "accelerated", "intermediate"), "change")
    if not 0 < last < math.inf:
        raise InvalidInput("BQC-STA-003", f"{last} months of data")
    factor, more = _CAPS.get((storage, change, analysed), (1.0, 0.0))
    value = min(factor * last, last + more)
    said = "frozen products: long-term data only" if storage == "frozen" else ""
    return Figure("longest proposal", value, "ICH Q1E appendix A", 1,
                  limitations=(said,) if said else ())  # fmt: skip


_CAPS: Final = {
    ("room", "none", True): (2.0, 12.0),
    ("room", "none", False): (1.5, 6.0),
    ("room", "accelerated", True): (1.5, 6.0),
    ("room", "accelerated", False): (math.inf, 3.0),
    ("refrigerated", "none", True): (1.5, 6.0),
    ("refrigerated", "none", False): (1.25, 3.0),
}


def _check(criterion: Criterion) -> None:
    low, high = criterion.lower, criterion.upper
    given = [one for one in (low, high) if one is not None]
    if not given or not all(math.isfinite(one) for one in given):
        raise InvalidInput("BQC-STA-003", "no acceptance criterion to meet")
    if low is not None and high is not None and low >= high:
        raise InvalidInput("BQC-STA-003", f"the criteria {low} to {high} enclose nothing")
    if criterion.log and min(given) <= 0:
        raise InvalidInput("BQC-STA-003", "a criterion on the log scale is not above zero")
    if criterion.horizon is not None and not criterion.horizon > 0:
        raise InvalidInput("BQC-STA-003", f"a horizon of {criterion.horizon}")
    confidence_of(criterion.confidence)


def _worst(found: Sequence[Line], study: Study, criterion: Criterion) -> Crossing:
    horizon = criterion.horizon or 10 * study.last
    sides = ((criterion.lower, 1.0), (criterion.upper, -1.0))
    met = [
        (time, line.batch, limit)
        for line in found
        for limit, sign in sides
        if limit is not None
        and (time := _root(line, math.log(limit) if criterion.log else limit, sign,
                           criterion.tail)) is not None
        and time <= horizon
    ]  # fmt: skip
    if not met:
        return Crossing(None, None, None, f"not limiting within {horizon:g}")
    time, batch, limit = min(met, key=lambda one: one[0])
    if time == 0:
        said = "the confidence limit is outside from the start: these data support no shelf life"
    elif time > study.last:
        said = f"beyond the data, which end at {study.last:g}: see the rule of extrapolation"
    else:
        said = "within the time that the data cover"
    return Crossing(time, batch, limit, said)


def _root(line: Line, limit: float, sign: float, tail: float) -> float | None:
    """Earliest t >= 0 where ``sign (mean - limit) = t s sqrt(1/n + (t - centre)^2 / Sxx)``."""
    k2 = float(stats.t.isf(tail, line.df)) ** 2 * line.variance
    c0 = sign * (line.intercept + line.slope * line.centre - limit)  # at the centre
    c1 = sign * line.slope
    room = c0 - c1 * line.centre
    if room <= 0 or room**2 <= k2 * (1 / line.points + line.centre**2 / line.sxx):
        return 0.0
    # In u = t - centre: (c1^2 - k2/Sxx) u^2 + 2 c0 c1 u + c0^2 - k2/n = 0
    a, half_b, c = c1**2 - k2 / line.sxx, c0 * c1, c0**2 - k2 / line.points
    inside = half_b**2 - a * c
    if inside < 0:
        return None
    q = -(half_b + math.copysign(math.sqrt(inside), half_b))
    roots = [one + line.centre for one in ((q / a if a else math.inf), (c / q if q else math.inf))]
    fitting = [one for one in roots if 0 <= one < math.inf and c0 + c1 * (one - line.centre) >= 0]
    return min(fitting, default=None)


def _figure(time: float, study: Study, found: Sequence[Line], criterion: Criterion) -> Figure:
    beyond = (f"extrapolated: data end at {study.last:g}",) if time > study.last else ()
    few = (f"{len(study.batches)} batches; Q1E asks for three",) if len(study.batches) < 3 else ()
    noise = 16 * np.finfo(np.float64).eps * max(float(np.abs(y).max()) for y in study.values)
    perfect = ("points lie exactly on the line: no error to measure",)
    none = perfect if found[0].variance <= noise**2 else ()
    return Figure("shelf life", time, _METHOD, study.n, confidence=criterion.confidence,
                  df=float(found[0].df), assumptions=_ASSUMED,
                  limitations=(*beyond, *few, *none))  # fmt: skip
