"""Tabular CUSUM: sums that grow while the mean lies beyond an allowance, and when that began."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput
from batchqc.statistics.run_length import finite, positive
from batchqc.statistics.values import LARGEST, Floats, enough, spread, with_gaps

_METHOD: Final = "tabular CUSUM (Page 1954; Montgomery 2020, 9.1)"
_ASSUMED: Final = (
    "lots are in the order of manufacture",
    "lots are independent and normal on the scale that is charted",
    "centre and sigma are those of the process in control",
)
_MOVING_RANGE: Final = 2.0 / math.sqrt(math.pi)


Side: TypeAlias = Literal["upper", "lower"]


class Baseline(NamedTuple):
    """Centre and sigma of the process in control, in the unit of the data.

    Args:
        center: or target.
        sigma: of one charted value: of a lot, or of a mean of n values, sigma / sqrt(n).
    """

    center: float
    sigma: float


@dataclass(frozen=True, slots=True)
class Signal:
    """A sum beyond its limit.

    Args:
        place: 1-based, of the lot that completes it.
        side: where the mean went.
        last_before: 1-based, of the last lot before the estimated change; 0: before the first.
        mean: estimated since then, in the unit of the data.
    """

    place: int
    side: Side
    last_before: int
    mean: float


@dataclass(frozen=True, slots=True)
class CusumChart:
    """Of a series of lots; sums in the unit of the data, one for each lot.

    Args:
        upper: sums upwards, 0 or more.
        lower: sums downwards, 0 or more.
        since_upper: lots since the upper sum last was 0 (N+ of Montgomery).
        since_lower: lots since the lower sum last was 0 (N-).
        signals: of both sides, in their order.
        limit: H, in the unit of the data.
        allowance: K, in the unit of the data.
        n: lots that are not missing.
        baseline: centre and sigma that were used.
        method: its name and source.
        assumptions: what must hold.
        limitations: what these data do not allow.
    """

    upper: tuple[float, ...]
    lower: tuple[float, ...]
    since_upper: tuple[int, ...]
    since_lower: tuple[int, ...]
    signals: tuple[Signal, ...]
    limit: float
    allowance: float
    n: int
    baseline: Baseline
    method: str
    assumptions: tuple[str, ...]
    limitations: tuple[str, ...]

    @property
    def first_signal(self) -> int | None:
        """1-based place of the first signal; None where there is none."""
        return self.signals[0].place if self.signals else None


def baseline_of(data: ArrayLike | Iterable[float | None]) -> Baseline:
    """Mean and mean moving range / d2 of individual lots, adjacent present ones only.

    Raises:
        InvalidInput: a number is infinite or absurdly large.
        NotEstimable: fewer than 2 lots, no two of them adjacent, or all equal.

    Source:
        Montgomery 2020, 6.4; d2 of 2 is 2 / sqrt(pi).
    """
    x = with_gaps(data)
    present = spread(enough(x[~np.isnan(x)], "lots", at_least=2), "lots")
    ranges = np.abs(np.diff(x))
    ranges = enough(ranges[~np.isnan(ranges)], "pairs of adjacent lots", at_least=1)
    spread(np.append(ranges, 0.0), "moving ranges")
    return Baseline(float(present.mean()), float(ranges.mean()) / _MOVING_RANGE)


def cusum_chart(
    data: ArrayLike | Iterable[float | None],
    baseline: Baseline,
    *,
    k: float = 0.5,
    h: float = 5.0,
    headstart: float = 0.0,
    restart: bool = False,
) -> CusumChart:
    """Both sums of a two-sided tabular CUSUM.

    Args:
        data: (n,) values in the order of manufacture; None where a lot has none.
        baseline: centre and sigma of the process in control.
        k: allowance, in sigmas: half the shift that is to be found.
        h: decision limit, in sigmas; `cusum_run_length.cusum_limit` designs it.
        headstart: where both sums begin, in sigmas; h/2 is the fast initial response.
        restart: whether the sums begin anew after a signal.

    Returns:
        the chart; a missing lot leaves the sums where they are, and is told.

    Raises:
        InvalidInput: a number is infinite or absurdly large; sigma, k or h is out of range.

    Source:
        Page 1954; headstart: Lucas and Crosier 1982; time of change and new mean:
        Montgomery 2020, 9.1.2.
    """
    x, center, sigma = with_gaps(data), *checked_baseline(baseline)
    positive(h, "h", 1e3)
    if not finite(k, "k", 1e3) >= 0 or not 0 <= headstart < h:
        raise InvalidInput("BQC-STA-003", "wanted: k of 0 or more, headstart from 0 to below h")
    K, H, begin = k * sigma, h * sigma, headstart * sigma
    up = _sums(x - center - K, H, begin, restart=restart)
    down = _sums(center - x - K, H, begin, restart=restart)
    sides: tuple[tuple[Side, float, _Side], ...] = (("upper", 1.0, up), ("lower", -1.0, down))
    signals = [
        Signal(one.place, side, one.zero_at, center + sign * (K + one.reached / one.lots))
        for side, sign, found in sides
        for one in found.crossings
    ]
    gone = np.flatnonzero(np.isnan(x)) + 1
    return CusumChart(
        upper=up.sums,
        lower=down.sums,
        since_upper=up.since,
        since_lower=down.since,
        signals=tuple(sorted(signals, key=lambda one: (one.place, one.side))),
        limit=H,
        allowance=K,
        n=int(x.size - gone.size),
        baseline=Baseline(center, sigma),
        method=_METHOD,
        assumptions=_ASSUMED,
        limitations=(f"lots without a value: {', '.join(map(str, gone[:20]))}",) * bool(gone.size),
    )


class _Crossing(NamedTuple):
    place: int
    lots: int
    zero_at: int
    reached: float


class _Side(NamedTuple):
    sums: tuple[float, ...]
    since: tuple[int, ...]
    crossings: list[_Crossing]


def _sums(steps: Floats, limit: float, begin: float, *, restart: bool) -> _Side:
    """Sums of one side; a missing lot is passed over."""
    present = ~np.isnan(steps)
    moved = np.where(present, steps, 0.0).tolist()
    told = _run(moved, begin, anew_beyond=limit if restart else math.inf)
    sums, places = np.array(told), np.arange(1, steps.size + 1)
    beyond = present & (sums > limit)
    began = np.where(present & (sums <= 0), places, 0)
    if restart:
        began[1:] = np.maximum(began[1:], np.where(beyond, places, 0)[:-1])
    zero_at = np.maximum.accumulate(began)
    counted = np.append(0, np.cumsum(present))
    since = counted[1:] - counted[zero_at]
    crossed = (one[beyond].tolist() for one in (places, since, zero_at, sums))
    found = [_Crossing(*one) for one in zip(*crossed, strict=True)]
    return _Side(tuple(told), tuple(since.tolist()), found)


def _run(steps: Sequence[float], here: float, *, anew_beyond: float) -> list[float]:
    """The sum at each lot; plain, because it is most of the time of a chart."""
    begin, sums = here, list[float]()
    for step in steps:
        if here > anew_beyond:
            here = begin
        here += step
        if here < 0.0:  # noqa: PLR1730 - max() takes three times as long
            here = 0.0
        sums.append(here)
    return sums


def checked_baseline(baseline: Baseline) -> Baseline:
    """The same, where both are numbers of a process.

    Raises:
        InvalidInput: they are not.
    """
    center, sigma = (float(one) for one in baseline)
    if not abs(center) <= LARGEST or not 0 < sigma <= LARGEST:
        raise InvalidInput(
            "BQC-STA-003",
            f"centre {center:g}, sigma {sigma:g}: wanted are a number, and one above 0",
        )
    return Baseline(center, sigma)
