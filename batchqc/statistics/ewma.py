"""EWMA chart: a moving average that forgets, within limits that are exact from the first lot."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.signal import lfilter

from batchqc.errors import InvalidInput
from batchqc.statistics.cusum import Baseline, checked_baseline
from batchqc.statistics.run_length import positive
from batchqc.statistics.values import LARGEST, Floats, values_of, with_gaps

_METHOD: Final = "EWMA (Roberts 1959; Lucas and Saccucci 1990)"
_ASSUMED: Final = (
    "lots are in the order of manufacture",
    "lots are independent; centre and sigma are those of the process in control",
)


@dataclass(frozen=True, slots=True)
class EwmaChart:
    """Of a series of lots, one entry for each, in the unit of the data.

    Args:
        average: the moving average; a missing lot leaves it where it is.
        sigma: standard deviation of the moving average.
        lower: limits.
        upper: limits.
        signals: 1-based places of lots whose average is beyond a limit.
        center: of the process.
        last_limits: where the limits end, after many lots (of the last lot's sigma).
        n: lots that are not missing.
        method: its name and source.
        assumptions: what must hold.
        limitations: what these data do not allow.
    """

    average: tuple[float, ...]
    sigma: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    signals: tuple[int, ...]
    center: float
    last_limits: tuple[float, float]
    n: int
    method: str
    assumptions: tuple[str, ...]
    limitations: tuple[str, ...]

    @property
    def first_signal(self) -> int | None:
        """1-based place of the first signal; None where there is none."""
        return self.signals[0] if self.signals else None


def ewma_chart(
    data: ArrayLike | Iterable[float | None],
    baseline: Baseline,
    *,
    weight: float = 0.2,
    width: float = 3.0,
    limits: Literal["exact", "asymptotic"] = "exact",
    sizes: ArrayLike | None = None,
) -> EwmaChart:
    """Moving average of lots with its limits; it begins at the centre.

    Args:
        data: (n,) values, or means of subgroups, in the order of manufacture; None where missing.
        baseline: centre, and sigma of one value.
        weight: lambda, above 0, to 1.
        width: L; `ewma_run_length.ewma_width` designs it (2.96 for 0.2: a false alarm in 500 lots).
        limits: ``exact`` (narrower for the first lots) or ``asymptotic``.
        sizes: (n,) values behind each mean; None: one each.

    Raises:
        InvalidInput: a number is infinite or absurdly large; a parameter is out of range.

    Source:
        Roberts 1959; variance lambda / (2 - lambda) (1 - (1 - lambda)^(2i)) sigma², Lucas and
        Saccucci 1990, here summed lot by lot, so that it also holds for unequal sizes.
    """
    x, (center, sigma) = with_gaps(data), checked_baseline(baseline)
    if not 0 < weight <= 1:
        raise InvalidInput("BQC-STA-003", f"weight {weight:g} is not above 0, to 1")
    positive(width, "the width", 100)
    errors = sigma / np.sqrt(_sizes(sizes, x.size))
    averages, variances = _run(x, center, errors, weight)
    spread = np.sqrt(variances)
    ends = errors * math.sqrt(weight / (2 - weight))
    reach = width * (ends if limits == "asymptotic" else spread)
    beyond = (np.abs(averages - center) > reach) & ~np.isnan(x)
    gone = np.flatnonzero(np.isnan(x)) + 1
    last = width * float(ends[-1]) if x.size else width * sigma
    return EwmaChart(
        average=tuple(averages.tolist()),
        sigma=tuple(spread.tolist()),
        lower=tuple((center - reach).tolist()),
        upper=tuple((center + reach).tolist()),
        signals=tuple((np.flatnonzero(beyond) + 1).tolist()),
        center=center,
        last_limits=(center - last, center + last),
        n=int(x.size - gone.size),
        method=f"{_METHOD}, {limits} limits",
        assumptions=_ASSUMED,
        limitations=(f"lots without a value: {', '.join(map(str, gone[:20]))}",) * bool(gone.size),
    )


def _run(x: Floats, center: float, errors: Floats, weight: float) -> tuple[Floats, Floats]:
    """Moving average and its variance; a missing lot repeats those of the last before it."""
    present = ~np.isnan(x)
    keep = 1.0 - weight
    averages = _forgetting(weight * x[present], keep, center)
    variances = _forgetting((weight * errors[present]) ** 2, keep * keep, 0.0)
    last = np.cumsum(present)
    return np.append(center, averages)[last], np.append(0.0, variances)[last]


def _forgetting(steps: Floats, keep: float, begin: float) -> Floats:
    """Each entry plus so much of the one before it."""
    if not steps.size:
        return steps
    found, _ = lfilter([1.0], [1.0, -keep], steps, zi=[keep * begin])
    return np.asarray(found)


def _sizes(sizes: ArrayLike | None, lots: int) -> Floats:
    if sizes is None:
        return np.ones(lots)
    given = values_of(np.atleast_1d(np.asarray(sizes)), "sizes")
    if given.size not in {1, lots}:
        raise InvalidInput("BQC-STA-003", f"{given.size} sizes for {lots} lots")
    found = np.broadcast_to(given, (lots,))
    if found.size and not 1 <= found.min() <= found.max() <= LARGEST:
        raise InvalidInput("BQC-STA-003", "sizes of subgroups are 1 or more")
    return found
