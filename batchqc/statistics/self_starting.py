"""Self-starting charts: each lot against those before it, from the third lot on, without a phase I.

A Q statistic is the place of a lot in the distribution that the lots before it predict, as a
standard normal deviate: in control they are independent and exactly normal (Quesenberry 1991), so
that any chart for a known mean and sigma can be drawn on them. The state takes one lot in constant
time (Welford 1962), and holds all that the next lot needs.
"""

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import scipy
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput
from batchqc.statistics.cusum import Baseline, CusumChart, cusum_chart
from batchqc.statistics.values import LARGEST, with_gaps

#: Beyond this many sigmas a float has no probability left; larger ones are told as this.
FURTHEST: Final = 37.0
_METHOD: Final = "Q chart, Quesenberry 1991"
_ASSUMED: Final = (
    "lots are in the order of manufacture",
    "lots are independent and normal on the scale that is charted",
    "the lots before a lot were in control: a signal that stays in hides the next",
)


@dataclass(frozen=True, slots=True)
class QState:
    """What the lots so far leave behind.

    Args:
        mean: of the process where it is known; None where it is estimated.
        sigma: of the process where it is known; None where it is estimated.
        n: lots so far, missing ones not counted.
        average: of the lots so far.
        squares: sum of their squared deviations, from the average or from the known mean.
    """

    mean: float | None = None
    sigma: float | None = None
    n: int = 0
    average: float = 0.0
    squares: float = 0.0

    def update(self, value: float | None) -> "tuple[QState, float | None]":
        """The state after one more lot, and its Q; None where there is no Q yet.

        Args:
            value: of the lot; None where it is missing: it changes nothing.

        Raises:
            InvalidInput: it is infinite or absurdly large.
        """
        if value is None or math.isnan(value):
            return self, None
        if abs(value) > LARGEST:
            raise InvalidInput("BQC-STA-003", f"lot {self.n + 1} is {value:g}: no measured value")
        q, n = self._q(value), self.n + 1
        if self.mean is not None:
            squares = self.squares + (value - self.mean) ** 2
            return QState(self.mean, self.sigma, n, self.average, squares), q
        average = self.average + (value - self.average) / n
        squares = self.squares + (value - self.average) * (value - average)
        return QState(self.mean, self.sigma, n, average, squares), q

    def _q(self, value: float) -> float | None:
        n = self.n
        off = value - (self.average if self.mean is None else self.mean)
        wider = 1.0 if self.mean is not None else math.sqrt(n / (n + 1))
        if self.sigma is not None:
            known = self.mean is not None or n >= 1
            return _within(wider * off / self.sigma) if known else None
        df = n if self.mean is not None else n - 1
        if df < 1 or self._is_flat():
            return None
        return _deviate(wider * off / math.sqrt(self.squares / df), df)

    def _is_flat(self) -> bool:
        """Whether the lots before are equal, as far as a float can tell."""
        size = max(abs(self.average), abs(self.mean or 0.0))
        return math.sqrt(self.squares) <= 8 * sys.float_info.epsilon * size


NO_LOTS: Final = QState()


@dataclass(frozen=True, slots=True)
class QChart:
    """Of a series of lots.

    Args:
        q: of each lot; None where it has none.
        signals: 1-based places of lots beyond the limit.
        limit: in sigmas.
        n: lots that are not missing.
        state: after the last lot, for the next one.
        method: its name and source.
        assumptions: what must hold.
        limitations: why lots have no Q.
    """

    q: tuple[float | None, ...]
    signals: tuple[int, ...]
    limit: float
    n: int
    state: QState
    method: str
    assumptions: tuple[str, ...]
    limitations: tuple[str, ...]


def q_chart(
    data: ArrayLike | Iterable[float | None],
    *,
    mean: float | None = None,
    sigma: float | None = None,
    limit: float = 3.0,
) -> QChart:
    """Q statistics of individual lots.

    Args:
        data: (n,) values in the order of manufacture, on the scale that is charted; None where a
            lot has none.
        mean: of the process, where it is known.
        sigma: of the process, where it is known.
        limit: beyond which a lot signals, in sigmas.

    Returns:
        Q from the 3rd lot (2nd, where mean or sigma is known; 1st, where both are); a lot has no Q
        while all lots before it are equal.

    Raises:
        InvalidInput: a number is infinite or absurdly large, sigma or limit is not positive.

    Source:
        Quesenberry 1991, formulas for known and unknown parameters; both unknown:
        Q_r = Phi^-1[T_(r-2)(sqrt((r-1)/r) (x_r - mean_(r-1)) / s_(r-1))].
    """
    x = with_gaps(data)
    state = _begun(mean, sigma)
    if not 0 < limit < 38:
        raise InvalidInput("BQC-STA-003", f"the limit is {limit:g}: it must be above 0, below 38")
    found: list[float | None] = []
    for value in x.tolist():
        state, q = state.update(value)
        found.append(q)
    return QChart(
        q=tuple(found),
        signals=tuple(i for i, q in enumerate(found, 1) if q is not None and abs(q) > limit),
        limit=limit,
        n=state.n,
        state=state,
        method=f"{_METHOD}, {_case(mean, sigma)}",
        assumptions=_ASSUMED,
        limitations=tuple(_limitations(x.tolist(), found)),
    )


def self_starting_cusum(
    data: ArrayLike | Iterable[float | None],
    *,
    k: float = 0.5,
    h: float = 4.0,
    headstart: float = 0.0,
    of: Literal["location", "scale"] = "location",
) -> CusumChart:
    """CUSUM of the Q statistics of lots, both parameters unknown.

    Args:
        data: (n,) values in the order of manufacture; None where a lot has none.
        k: allowance, in sigmas.
        h: decision limit, in sigmas.
        headstart: where both sums begin, in sigmas.
        of: ``location``, or ``scale`` for the spread.

    Returns:
        the chart; a lot without Q (the first two, at least) leaves the sums where they are.

    Raises:
        InvalidInput: a number is infinite or absurdly large, or k or h is out of range.

    Source:
        Hawkins and Olwell 1998, chapter 7; scale: Hawkins 1981, (sqrt|Q| - 0.822) / 0.349.
    """
    q = with_gaps(q_chart(data).q)
    if of == "scale":
        q = (np.sqrt(np.abs(q)) - 0.822) / 0.349
    return cusum_chart(q, Baseline(0.0, 1.0), k=k, h=h, headstart=headstart)


def _begun(mean: float | None, sigma: float | None) -> QState:
    if mean is not None and not abs(mean) <= LARGEST:
        raise InvalidInput("BQC-STA-003", f"the known mean is {mean:g}")
    if sigma is not None and not 0 < sigma <= LARGEST:
        raise InvalidInput("BQC-STA-003", f"the known sigma is {sigma:g}: it must be above 0")
    return QState(mean, sigma)


def _case(mean: float | None, sigma: float | None) -> str:
    known = [name for name, one in (("mean", mean), ("sigma", sigma)) if one is not None]
    return f"{' and '.join(known)} known" if known else "mean and sigma unknown"


def _deviate(t: float, df: int) -> float:
    """Of a t statistic: from the nearer tail, so that far lots keep their digits."""
    tail = float(scipy.special.stdtr(df, -abs(t)))
    if tail > 1e-290:
        return math.copysign(float(scipy.special.ndtri(tail)), t) if t else 0.0
    return math.copysign(FURTHEST, t)


def _within(q: float) -> float:
    return max(-FURTHEST, min(FURTHEST, q))


def _limitations(x: list[float], q: list[float | None]) -> Iterable[str]:
    gone = [i for i, value in enumerate(x, 1) if math.isnan(value)]
    none = [i for i, one in enumerate(q, 1) if one is None and i not in gone]
    far = [i for i, one in enumerate(q, 1) if one is not None and abs(one) >= FURTHEST]
    if gone:
        yield f"missing lots: {_listed(gone)}"
    if none:
        yield f"no Q, for want of different lots before: {_listed(none)}"
    if far:
        yield f"at least {FURTHEST:g} sigmas away: {_listed(far)}"


def _listed(places: list[int]) -> str:
    more = f" and {len(places) - 20} more" if len(places) > 20 else ""
    return ", ".join(map(str, places[:20])) + more
