"""Confidence limits of sums, differences and ratios of mean squares: modified large sample."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.values import Floats, fraction_of, values_of

#: Source of the limits.
MLS: Final = (
    "modified large sample (Graybill and Wang 1980; Ting et al. 1990; "
    "Burdick and Graybill 1992, section 3.3)"
)


@dataclass(frozen=True, slots=True)
class MeanSquares:
    """Independent mean squares, each a variance times chi-square over its degrees of freedom.

    Args:
        ms: of shape (k,), not negative.
        df: of shape (k,), above 0.
    """

    ms: Floats
    df: Floats

    @classmethod
    def of(cls, ms: ArrayLike, df: ArrayLike) -> "MeanSquares":
        """Checked mean squares.

        Raises:
            InvalidInput: a mean square is negative, or a number of degrees of freedom not above 0.
        """
        squares, freedom = values_of(ms, "mean squares"), values_of(df, "degrees of freedom")
        if squares.size != freedom.size or np.any(squares < 0) or np.any(freedom <= 0):
            raise InvalidInput(
                "BQC-STA-003",
                "mean squares must not be negative, and each needs degrees of freedom above 0",
            )
        return cls(squares, freedom)


def mls_interval(
    found: MeanSquares, weights: ArrayLike, *, conf: float = 0.95
) -> tuple[float, float]:
    """Two-sided limits of sum(weights * expected mean squares); may be negative.

    Source: Graybill and Wang 1980 (JASA 75:869) for positive weights; Ting, Burdick, Graybill,
    Jeyaratnam and Lu 1990 (J Stat Comput Simul 35:135) for weights of both signs.

    Args:
        found: the k mean squares.
        weights: of shape (k,).
        conf: of the two-sided interval; each limit alone has (1 + conf) / 2.

    Raises:
        InvalidInput: weights and mean squares differ in number, or conf is not within 0 and 1.
    """
    tail = (1 - fraction_of(conf, "confidence")) / 2
    c = values_of(weights, "weights")
    if c.size != found.ms.size:
        raise InvalidInput("BQC-STA-003", f"{c.size} weights for {found.ms.size} mean squares")
    terms, df = c * found.ms, found.df
    centre = float(terms.sum())
    return (
        centre - _reach(terms, df, tail),
        centre + _reach(-terms, df, tail),
    )


def _reach(terms: Floats, df: Floats, tail: float) -> float:
    """Distance from the estimate down to its lower limit; of -terms, up to the upper one."""
    plus, minus = terms > 0, terms < 0
    g = 1 - df / scipy.stats.chi2.isf(tail, df)
    h = df / scipy.stats.chi2.ppf(tail, df) - 1
    total = float(np.sum((g * terms)[plus] ** 2) + np.sum((h * terms)[minus] ** 2))
    for q in np.flatnonzero(plus):
        for r in np.flatnonzero(minus):
            f = scipy.stats.f.isf(tail, df[q], df[r])
            cross = ((f - 1) ** 2 - g[q] ** 2 * f**2 - h[r] ** 2) / f
            total += cross * terms[q] * -terms[r]
    total += _between_positive(terms, df, g, np.flatnonzero(plus), tail)
    return float(np.sqrt(max(total, 0.0)))


def _between_positive(
    terms: Floats, df: Floats, g: Floats, plus: NDArray[np.intp], tail: float
) -> float:
    if plus.size < 2 or not np.any(terms < 0):
        return 0.0
    total = 0.0
    for place, q in enumerate(plus):
        for t in plus[place + 1 :]:
            both = df[q] + df[t]
            joint = (1 - both / scipy.stats.chi2.isf(tail, both)) ** 2 * both**2 / (df[q] * df[t])
            own = g[q] ** 2 * df[q] / df[t] + g[t] ** 2 * df[t] / df[q]
            total += (joint - own) * terms[q] * terms[t] / (plus.size - 1)
    return float(total)


def mls_ratio(
    found: MeanSquares, above: ArrayLike, below: ArrayLike, *, conf: float = 0.95
) -> tuple[float, float]:
    """Two-sided limits of a ratio of two sums of expected mean squares.

    The limits are the ratios r at which a limit of ``above - r * below`` is 0. For one mean square
    over another that is the exact F interval.

    Source: Gui, Graybill, Burdick and Ting 1995 (Technometrics); Burdick, Borror and Montgomery
    2005, section 3.

    Args:
        found: the k mean squares.
        above: k weights of the numerator.
        below: k weights of the denominator, whose sum must be estimated above 0.
        conf: of the two-sided interval.

    Raises:
        NotEstimable: the denominator is not above 0, or a limit does not exist.
    """
    up, down = values_of(above, "weights"), values_of(below, "weights")
    if mls_interval(found, down, conf=conf)[0] <= 0:
        raise NotEstimable(
            "BQC-STA-001", "the denominator of the ratio cannot be told from 0: no interval"
        )
    middle = float(up @ found.ms / (down @ found.ms))

    def end(ratio: float, which: int) -> float:
        return mls_interval(found, up - ratio * down, conf=conf)[which]

    size = 1 + abs(middle)
    return _root(end, 0, middle, -size), _root(end, 1, middle, size)


def _root(end: Callable[[float, int], float], which: int, start: float, step: float) -> float:
    at = start
    for _ in range(200):
        ahead = at + step
        value = end(ahead, which)
        if (value > 0) == (step < 0):
            found = scipy.optimize.brentq(end, *sorted((start, ahead)), args=(which,), xtol=1e-13)
            return float(found)
        at, step = ahead, 2 * step
    raise NotEstimable("BQC-STA-001", "the ratio has no limit on one side")
