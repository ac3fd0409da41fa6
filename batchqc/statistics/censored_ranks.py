"""Left-censored results without a full model: Kaplan-Meier, robust ROS, and exceedance.

Helsel 2012 (Statistics for Censored Environmental Data, ch. 5 and 6): Kaplan-Meier on the flipped
scale; regression on order statistics with the plotting positions of Hirsch and Stedinger 1987
(Water Resour Res 23:715) and modelled values for the censored ones only (Helsel and Cohn 1988).
Where everything is censored, the exact binomial bound on exceedance is what can be said.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from batchqc.errors import NotEstimable
from batchqc.statistics.checks import all_positive, confidence_of, flags
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import Floats, values_of

_KM: Final = "Kaplan-Meier on flipped values (Helsel 2012, ch. 6)"
_ROS: Final = "robust regression on order statistics (Helsel and Cohn 1988)"
_SAME: Final = "values below a limit come from the same population as the others"
_EFRON: Final = "the smallest value is censored and counts at its limit: the mean is too high"


@dataclass(frozen=True, slots=True)
class KaplanMeier:
    """Of left-censored values.

    Args:
        mean: with its large-sample interval.
        median: smallest measured value with at least half of the population at or below it.
        sd: standard error of the mean times sqrt(n), as Helsel prints it.
        se: standard error of the mean.
        values: the different measured values, rising (and the smallest limit, if it is below).
        shares: of the population at or below each.
    """

    mean: Figure
    median: Figure | None
    sd: float
    se: float
    values: Floats
    shares: Floats


@dataclass(frozen=True, slots=True)
class Ros:
    """Of left-censored values.

    Args:
        mean: of measured and modelled values.
        sd: of measured and modelled values.
        median: of measured and modelled values.
        intercept: of the line through the logarithms of the measured values.
        slope: of it, by normal score.
        modelled: all values, the censored ones modelled. They are no results: never print them
            as such.
    """

    mean: Figure
    sd: Figure
    median: Figure
    intercept: float
    slope: float
    modelled: Floats


def kaplan_meier(
    values: ArrayLike, censored: ArrayLike, *, confidence: float = 0.95
) -> KaplanMeier:
    """Mean, SD and distribution of values some of which lie below a limit.

    Args:
        values: results, or detection limits where censored.
        censored: whether each value is a limit that the truth lies below.
        confidence: of the interval of the mean.

    Raises:
        NotEstimable: fewer than two measured values, or all equal and none censored.
    """
    found = values_of(values)
    hidden = flags(censored, found.size)
    seen = found[~hidden]
    if seen.size < 2:
        raise NotEstimable("BQC-STA-001", f"{seen.size} measured values: at least 2 are needed")
    places = np.unique(seen)[::-1]
    deaths = np.array([np.sum(seen == place) for place in places])
    at_risk = np.array([np.sum(found <= place) for place in places])
    below = np.cumprod(1 - deaths / at_risk)  # share strictly below each place, falling
    limits: tuple[str, ...] = ()
    lowest = float(found[hidden].min()) if hidden.any() else math.inf
    if below[-1] > 0:
        limits = (_EFRON,)
        places = np.append(places, min(lowest, places[-1]))
        below = np.append(below, 0.0)
        deaths, at_risk = np.append(deaths, 1), np.append(at_risk, 1)
    mass = -np.diff(np.concatenate([[1.0], below]))
    mean = float(mass @ places)
    steps = np.append(below[:-1] * -np.diff(places), 0.0)
    area = np.cumsum(steps[::-1])[::-1]
    free = at_risk > deaths
    variance = np.sum(
        area[free] ** 2 * deaths[free] / (at_risk[free] * (at_risk[free] - deaths[free]))
    )
    se = float(math.sqrt(variance * seen.size / (seen.size - 1)))
    half = float(stats.norm.ppf((1 + confidence_of(confidence)) / 2)) * se
    shares = np.cumsum(mass[::-1])
    rising = places[::-1]
    place = int(np.searchsorted(shares, 0.5 - 1e-12))
    few = (*limits, "large-sample interval")
    known = not limits or place > 0
    return KaplanMeier(
        Figure("mean", mean, _KM, found.size, mean - half, mean + half, confidence, None, (_SAME,),
               few),
        Figure("median", float(rising[place]), _KM, found.size, assumptions=(_SAME,))
        if known else None,
        se * math.sqrt(found.size),
        se,
        rising,
        shares,
    )  # fmt: skip


def ros(values: ArrayLike, censored: ArrayLike) -> Ros:
    """Mean and SD by regression on order statistics; lognormal below the limits only.

    Args:
        values: results above zero, or detection limits where censored.
        censored: whether each value is a limit that the truth lies below.

    Raises:
        NotEstimable: fewer than three different measured values.
        InvalidInput: a value that is not above zero.
    """
    found = all_positive(values_of(values), "values")
    hidden = flags(censored, found.size)
    if np.unique(found[~hidden]).size < 3:
        raise NotEstimable("BQC-STA-001", "fewer than 3 different measured values: no line")
    score = np.asarray(stats.norm.ppf(plotting_positions(found, hidden)))
    off = score[~hidden] - score[~hidden].mean()
    logs = np.log(found[~hidden])
    slope = float(off @ logs / (off @ off))
    intercept = float(logs.mean() - slope * score[~hidden].mean())
    filled = np.where(hidden, np.exp(intercept + slope * score), found)
    n = found.size
    assumed = (_SAME, "lognormal below the limits")
    return Ros(
        Figure("mean", float(filled.mean()), _ROS, n, assumptions=assumed),
        Figure("standard deviation", float(filled.std(ddof=1)), _ROS, n, assumptions=assumed),
        Figure("median", float(np.median(filled)), _ROS, n, assumptions=assumed),
        intercept, slope, filled,
    )  # fmt: skip


def plotting_positions(values: Floats, censored: ArrayLike) -> Floats:
    """Of Hirsch and Stedinger 1987, for several limits; in the order of the values."""
    hidden = flags(censored, values.size)
    seen = np.unique(values[hidden])
    limits = seen if seen.size and values[~hidden].min() >= seen[0] else np.append(-np.inf, seen)
    ends = np.append(limits[1:], np.inf)
    place = np.empty(values.size)
    above = 0.0
    for low, high in zip(limits[::-1], ends[::-1], strict=True):
        here = ~hidden & (values >= low) & (values < high)
        under = np.sum(~hidden & (values < low)) + np.sum(hidden & (values <= low))
        count = int(here.sum())
        share = above + (count / (count + under) if count + under else 0.0) * (1 - above)
        _spread(place, values, here, (1 - share, share - above))
        _spread(place, values, hidden & (values == low), (0.0, 1 - share))
        above = share
    return place


def _spread(place: Floats, values: Floats, which: Floats, span: tuple[float, float]) -> None:
    """Gives the chosen values evenly spaced positions, in their order of size."""
    chosen = np.flatnonzero(which)
    order = chosen[np.argsort(values[chosen], kind="stable")]
    place[order] = span[0] + span[1] * np.arange(1, order.size + 1) / (order.size + 1)


def exceedance(
    values: ArrayLike, censored: ArrayLike, limit: float, *, confidence: float = 0.95
) -> Figure:
    """Share of the population above a limit: estimate and exact one-sided upper bound.

    A censored value whose detection limit is above the limit asked about says nothing, and is
    counted as exceeding in the bound, not in the estimate. With none of n exceeding, the bound is
    ``1 - (1 - confidence)^(1/n)``.

    Args:
        values: results, or detection limits where censored.
        censored: whether each value is a limit that the truth lies below.
        limit: which must not be exceeded.
        confidence: of the bound.

    Raises:
        NotEstimable: no value at all.
    """
    found = values_of(values, at_least=1)
    hidden = flags(censored, found.size)
    edge = values_of([limit], "limit")[0]
    over = int(np.sum(~hidden & (found > edge)))
    unknown = int(np.sum(hidden & (found > edge)))
    n, worst = found.size, over + unknown
    level = confidence_of(confidence)
    upper = 1.0 if worst == n else float(stats.beta.ppf(level, worst + 1, n - worst))
    said = (f"{unknown} detection limits lie above {edge:g}: undecided",) if unknown else ()
    return Figure("share above the limit", over / n, "exact binomial (Clopper and Pearson 1934)",
                  n, None, upper, level, assumptions=("values are independent",),
                  limitations=said)  # fmt: skip
