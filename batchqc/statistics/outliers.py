"""Outliers: which values look foreign. A flag asks for a cause; it removes nothing.

Grubbs 1969 (Technometrics 11:1), with critical values from t; Rosner 1983 (Technometrics 25:165),
the generalised extreme studentised deviate for several outliers; Tukey 1977, the fences. Dixon's
ratios are in :mod:`batchqc.statistics.dixon`.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.checks import confidence_of, one_of, positive, sd_of
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import Floats, spread, values_of

_NORMAL: Final = "all other values come from one normal population"
SIDES: Final = ("two-sided", "max", "min")


@dataclass(frozen=True, slots=True)
class Suspect:
    """The most extreme value, tested.

    Args:
        statistic: of the test.
        critical: which it must exceed.
        p: of it.
        place: of the value, from 1.
        value: which is suspected.
        outlier: whether the statistic exceeds its critical value.
    """

    statistic: Figure
    critical: float
    p: float
    place: int
    value: float
    outlier: bool


@dataclass(frozen=True, slots=True)
class Rosner:
    """Of the generalised test for several outliers.

    Args:
        statistics: R of each step.
        critical: lambda of each step.
        places: of the value taken out at each step, from 1 in the order given.
        count: how many of them, from the first, are outliers.
        n: values.
        alpha: of each step.
        limitations: what these data do not allow to be said.
    """

    statistics: Floats
    critical: Floats
    places: tuple[int, ...]
    count: int
    n: int
    alpha: float
    limitations: tuple[str, ...]

    @property
    def outliers(self) -> tuple[int, ...]:
        """Places of the outliers, from 1."""
        return self.places[: self.count]


@dataclass(frozen=True, slots=True)
class Fences:
    """Tukey's fences.

    Args:
        quartiles: lower and upper.
        inner: fences at ``k`` interquartile ranges.
        outer: fences at twice that.
        outside: places of the values beyond the inner fences, from 1.
        far: places of those beyond the outer ones.
        n: values.
    """

    quartiles: tuple[float, float]
    inner: tuple[float, float]
    outer: tuple[float, float]
    outside: tuple[int, ...]
    far: tuple[int, ...]
    n: int


def grubbs(values: ArrayLike, *, alpha: float = 0.05, side: str = "two-sided") -> Suspect:
    """The most extreme value, in standard deviations from the mean.

    Args:
        values: at least 3, not all equal.
        alpha: level of the test.
        side: ``two-sided``, or ``max`` or ``min`` where only that end was in question beforehand.

    Raises:
        NotEstimable: too few values, or all equal.
    """
    found = spread(values_of(values, at_least=3), "values")
    one_of(side, SIDES, "side")
    n, sd = found.size, sd_of(found)
    z = (found - found.mean()) / sd
    place = int(np.argmax({"two-sided": np.abs(z), "max": z, "min": -z}[side]))
    G = abs(float(z[place]))
    critical = grubbs_critical(n, alpha=alpha, side=side)
    left = (n - 1) ** 2 - n * G * G
    t = math.sqrt(n * (n - 2) * G * G / left) if left > 0 else math.inf
    p = min(1.0, n * (2 if side == "two-sided" else 1) * float(stats.t.sf(t, n - 2)))
    return Suspect(
        Figure("G", G, "Grubbs 1969", n, df=n - 2.0, assumptions=(_NORMAL,)), critical, p,
        place + 1, float(found[place]), critical < G,
    )  # fmt: skip


def grubbs_critical(n: int, *, alpha: float = 0.05, side: str = "two-sided") -> float:
    """Critical value of G, from t (Grubbs 1969; NIST e-Handbook 1.3.5.17.1).

    Raises:
        NotEstimable: fewer than 3 values.
    """
    if n < 3:
        raise NotEstimable("BQC-STA-001", f"{n} values: Grubbs needs 3")
    ways = 2 * n if one_of(side, SIDES, "side") == "two-sided" else n
    t2 = float(stats.t.isf(confidence_of(alpha, "alpha") / ways, n - 2)) ** 2
    return (n - 1) / math.sqrt(n) * math.sqrt(t2 / (n - 2 + t2))


def rosner(values: ArrayLike, most: int, *, alpha: float = 0.05) -> Rosner:
    """Up to a number of outliers on either side, without one hiding another.

    Args:
        values: at least ``most + 3``; 25 or more for a level that holds.
        most: outliers to look for.
        alpha: level of the test.

    Raises:
        NotEstimable: too few values, or all equal.
        InvalidInput: ``most`` below 1.
    """
    if most < 1:
        raise InvalidInput("BQC-STA-003", f"{most} outliers to look for")
    found = spread(values_of(values, at_least=most + 3), "values")
    n, kept = found.size, np.arange(found.size)
    statistics, places = [], []
    for _ in range(most):
        rest = found[kept]
        sd = float(rest.std(ddof=1))
        off = np.abs(rest - rest.mean())
        worst = int(np.argmax(off))
        statistics.append(float(off[worst]) / sd if sd else 0.0)
        places.append(int(kept[worst]) + 1)
        kept = np.delete(kept, worst)
    i = np.arange(1, most + 1)
    t = stats.t.isf(confidence_of(alpha, "alpha") / (2 * (n - i + 1)), n - i - 1)
    critical = (n - i) * t / np.sqrt((n - i - 1 + t * t) * (n - i + 1))
    beyond = np.flatnonzero(np.array(statistics) > critical)
    limits = ("fewer than 25 values: the level holds only roughly",) if n < 25 else ()
    return Rosner(np.array(statistics), critical, tuple(places),
                  int(beyond[-1]) + 1 if beyond.size else 0, n, alpha, limits)  # fmt: skip


def tukey_fences(values: ArrayLike, *, k: float = 1.5, quartiles: str = "linear") -> Fences:
    """Values beyond ``k`` interquartile ranges from the quartiles.

    Args:
        values: at least 4.
        k: 1.5 for the inner fences; the outer ones are at twice that.
        quartiles: ``hinges`` (medians of the halves, the median in both), or a rule of
            :func:`numpy.quantile`: ``linear`` (R type 7), ``weibull`` (6, Minitab),
            ``median_unbiased`` (8).

    Raises:
        NotEstimable: too few values.
    """
    found = values_of(values, at_least=4)
    rules = ("hinges", "linear", "weibull", "median_unbiased", "hazen")
    q1, q3 = _quartiles(found, one_of(quartiles, rules, "quartiles"))
    reach = positive(k, "k") * (q3 - q1)
    inner, outer = (q1 - reach, q3 + reach), (q1 - 2 * reach, q3 + 2 * reach)
    return Fences((q1, q3), inner, outer, _beyond(found, inner), _beyond(found, outer), found.size)


def _quartiles(found: Floats, rule: str) -> tuple[float, float]:
    if rule != "hinges":
        q1, q3 = np.quantile(found, [0.25, 0.75], method=rule)  # type: ignore[call-overload]  # the names are those of NumPy
        return float(q1), float(q3)
    half, ordered = (found.size + 1) // 2, np.sort(found)
    return float(np.median(ordered[:half])), float(np.median(ordered[-half:]))


def _beyond(found: Floats, fences: tuple[float, float]) -> tuple[int, ...]:
    return tuple((np.flatnonzero((found < fences[0]) | (found > fences[1])) + 1).tolist())
