"""Trend without a distribution: Mann-Kendall, Theil-Sen, and runs about the median.

Mann 1945 (Econometrica 13:245), Kendall 1975; Sen 1968 (JASA 63:1379) with the interval of Gilbert
1987 (Statistical Methods for Environmental Pollution Monitoring, 16.5); Wald and Wolfowitz 1940.
A result below a limit is no number here: see the guide.
"""

import math
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from batchqc.errors import NotEstimable
from batchqc.statistics.checks import confidence_of, one_of, same_length
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import Floats, spread, values_of

Counts: TypeAlias = NDArray[np.signedinteger[Any]]

_INDEPENDENT: Final = "values are independent but for the trend"
_EXACT_TO: Final = 50


@dataclass(frozen=True, slots=True)
class MannKendall:
    """Of a series in order of time.

    Args:
        S: concordant less discordant pairs.
        variance: of S without a trend, corrected for ties.
        z: with continuity correction.
        p: two-sided, from z.
        exact_p: two-sided, exact; None where values are tied or more than 50.
        tau: Kendall's tau-b.
        n: values.
    """

    S: int
    variance: float
    z: float
    p: float
    exact_p: float | None
    tau: Figure
    n: int


@dataclass(frozen=True, slots=True)
class SenSlope:
    """Of a series.

    Args:
        slope: median of the slopes of all pairs, with its interval.
        intercept: median of y less slope times median of time.
        pairs: slopes that were ranked.
    """

    slope: Figure
    intercept: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs above and below a centre.

    Args:
        runs: how many.
        above: values above the centre.
        below: values below it; values equal to it are left out.
        expected: runs without a pattern.
        variance: of the number of runs.
        z: without continuity correction.
        p: two-sided, from z.
        exact_p: twice the smaller exact tail.
    """

    runs: int
    above: int
    below: int
    expected: float
    variance: float
    z: float
    p: float
    exact_p: float


def mann_kendall(y: ArrayLike, time: ArrayLike | None = None) -> MannKendall:
    """Does a series rise or fall?

    Args:
        y: at least 4 values, in order of time.
        time: of each; equal steps by default. Pairs of equal time are not compared.

    Raises:
        NotEstimable: too few values, or all equal.
        InvalidInput: lengths differ.
    """
    seen, t = _series(y, time, 4)
    n = seen.size
    signs = np.sign(seen[:, None] - seen[None, :]) * np.sign(t[:, None] - t[None, :])
    S = int(signs.sum()) // 2
    ties, times = (np.unique(one, return_counts=True)[1] for one in (seen, t))
    variance = _variance(n, ties, times)
    z = (S - math.copysign(1, S)) / math.sqrt(variance) if S else 0.0
    tied = bool(np.any(ties > 1) or np.any(times > 1))
    every = n * (n - 1) / 2
    below = math.sqrt((every - np.sum(ties * (ties - 1)) / 2)
                      * (every - np.sum(times * (times - 1)) / 2))  # fmt: skip
    return MannKendall(
        S, variance, z, float(2 * stats.norm.sf(abs(z))),
        None if tied or n > _EXACT_TO else _exact(S, n),
        Figure("Kendall's tau-b", S / below, "Kendall 1975", n, assumptions=(_INDEPENDENT,)), n,
    )  # fmt: skip


def sen_slope(
    y: ArrayLike,
    time: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    ranks: str = "interpolated",
) -> SenSlope:
    """The median slope, which no outlier bends.

    Args:
        y: at least 4 values.
        time: of each; 1, 2, 3 ... by default.
        confidence: of the interval.
        ranks: of the limits: ``interpolated`` between neighbours (Gilbert 1987) or ``rounded``
            outwards to whole ones.

    Raises:
        NotEstimable: too few values, or all at one time.
        InvalidInput: lengths differ.
    """
    seen, t = _series(y, time, 4, vary=False)
    i, j = np.triu_indices(seen.size, 1)
    apart = t[j] - t[i]
    slopes = np.sort((seen[j] - seen[i])[apart != 0] / apart[apart != 0])
    if not slopes.size:
        raise NotEstimable("BQC-STA-001", "all values are of one time: there is no slope")
    one_of(ranks, ("interpolated", "rounded"), "ranks")
    ties, times = (np.unique(one, return_counts=True)[1] for one in (seen, t))
    z = float(stats.norm.ppf((1 + confidence_of(confidence)) / 2))
    reach = z * math.sqrt(_variance(seen.size, ties, times))
    first, last = (slopes.size - reach) / 2, (slopes.size + reach) / 2 + 1
    if ranks == "rounded":
        first, last = math.floor(first), math.ceil(last)
    value = float(np.median(slopes))
    ranks_of = np.arange(1, slopes.size + 1)
    wide = first < 1 or last > slopes.size
    low, high = (float(np.interp(one, ranks_of, slopes)) for one in (first, last))
    limits = (
        ("too few pairs for this confidence: the limits are the extreme slopes",) if wide else ()
    )
    figure = Figure("slope", value, "Theil-Sen (Sen 1968; Gilbert 1987)", seen.size, low, high,
                    confidence, None, (_INDEPENDENT,), limits)  # fmt: skip
    return SenSlope(figure, float(np.median(seen) - value * np.median(t)), slopes.size)


def runs_test(y: ArrayLike, *, centre: float | None = None) -> Runs:
    """Are values above and below the centre mixed as chance would mix them?

    Args:
        y: values in order.
        centre: the median by default.

    Raises:
        NotEstimable: fewer than 2 values above, or below, the centre.
    """
    seen = values_of(y, at_least=4)
    middle = float(np.median(seen)) if centre is None else values_of([centre], "centre")[0]
    over = seen[seen != middle] > middle
    a, b = int(over.sum()), int((~over).sum())
    if min(a, b) < 2:
        raise NotEstimable("BQC-STA-001", f"{a} values above and {b} below: 2 of each are needed")
    n, runs = a + b, 1 + int(np.sum(over[1:] != over[:-1]))
    expected = 2 * a * b / n + 1
    variance = 2 * a * b * (2 * a * b - n) / (n * n * (n - 1))
    z = (runs - expected) / math.sqrt(variance)
    counts = np.array([_arrangements(a, b, r) for r in range(2, n + 1)])
    share = counts / counts.sum()
    tails = share[: runs - 1].sum(), share[runs - 2 :].sum()
    return Runs(runs, a, b, expected, variance, z, float(2 * stats.norm.sf(abs(z))),
                float(min(1.0, 2 * min(tails))))  # fmt: skip


def _series(
    y: ArrayLike, time: ArrayLike | None, least: int, *, vary: bool = True
) -> tuple[Floats, Floats]:
    seen = values_of(y, "y", at_least=least)
    t = np.arange(1.0, seen.size + 1) if time is None else values_of(time, "times")
    same_length(seen, t, "y", "times")
    if np.unique(t).size < 2:
        raise NotEstimable("BQC-STA-001", "all values are of one time")
    return (spread(seen, "y") if vary else seen), t


def _variance(n: int, ties: Counts, times: Counts) -> float:
    """Of S, with ties in values, in times, and in both (Kendall 1975; Gilbert 1987, 16.4)."""

    def sums(count: Counts) -> tuple[float, float, float]:
        u = count.astype(float)
        return (float(np.sum(u * (u - 1) * (2 * u + 5))), float(np.sum(u * (u - 1) * (u - 2))),
                float(np.sum(u * (u - 1))))  # fmt: skip

    (a5, a2, a1), (b5, b2, b1) = sums(ties), sums(times)
    found = (n * (n - 1) * (2 * n + 5) - a5 - b5) / 18 + a1 * b1 / (2 * n * (n - 1))
    return found + a2 * b2 / (9 * n * (n - 1) * (n - 2))


def _exact(S: int, n: int) -> float:
    """Two-sided p from the number of orders with each number of inversions."""
    counts = np.ones(1)
    for size in range(2, n + 1):
        counts = np.convolve(counts, np.full(size, 1 / size))
    inversions = (n * (n - 1) // 2 - abs(S)) // 2
    return float(min(1.0, 2 * counts[: inversions + 1].sum()))


def _arrangements(a: int, b: int, runs: int) -> float:
    """Ways to draw a number of runs, in proportion."""
    k = runs // 2
    log = -float(special.betaln(a + 1, b + 1))

    def ways(i: int, j: int) -> float:
        if i > a or j > b or i < 1 or j < 1:
            return 0.0
        return math.exp(_log_choose(a - 1, i - 1) + _log_choose(b - 1, j - 1) - log)

    return 2 * ways(k, k) if runs % 2 == 0 else ways(k, k + 1) + ways(k + 1, k)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
