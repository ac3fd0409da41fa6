"""Dixon's ratios for an outlier in a small sample, with exact probabilities.

Dixon 1950 and 1951 (Ann Math Statist 21:488; 22:68). The distribution is the integral over the two
ends of the range of a binomial probability for the values between them; nothing is tabulated.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from batchqc.errors import NotEstimable
from batchqc.statistics.checks import confidence_of, one_of
from batchqc.statistics.figures import Figure
from batchqc.statistics.outliers import SIDES, Suspect
from batchqc.statistics.values import Floats, spread, values_of

#: Values stepped over at the suspected end, and at the other end.
RATIOS: Final = {"r10": (1, 1), "r11": (1, 2), "r12": (1, 3), "r20": (2, 1), "r21": (2, 2),
                 "r22": (2, 3)}  # fmt: skip
_NORMAL: Final = "all other values come from one normal population"


def dixon(
    values: ArrayLike, *, alpha: float = 0.05, side: str = "two-sided", ratio: str | None = None
) -> Suspect:
    """The gap at an end, as a share of the range.

    Args:
        values: 3 to 100, not all equal.
        alpha: level of the test.
        side: ``two-sided``, ``max`` or ``min``.
        ratio: ``r10`` (Dixon's Q) for 3 to 7 values, ``r11`` to 10, ``r21`` to 13, ``r22`` beyond,
            by default; or one of these for any number.

    Raises:
        NotEstimable: too few values or too many, or no spread.
    """
    found = spread(values_of(values, at_least=3), "values")
    name = one_of(ratio or default_ratio(found.size), [*RATIOS], "ratio")
    one_of(side, SIDES, "side")
    ordered = np.sort(found)
    ends = {"max": _ratio(ordered, name), "min": _ratio(-ordered[::-1], name)}
    end = max(ends, key=lambda one: ends[one]) if side == "two-sided" else side
    r = ends[end]
    place = int(np.argmax(found) if end == "max" else np.argmin(found))
    critical = dixon_critical(found.size, alpha=alpha, side=side, ratio=name)
    p = min(1.0, _exceeds(r, found.size, name) * (2 if side == "two-sided" else 1))
    said = ("two-sided p is twice the one-sided: an upper bound",) if side == "two-sided" else ()
    method = "Dixon 1951, exact by integration"
    figure = Figure(name, r, method, found.size, assumptions=(_NORMAL,), limitations=said)
    return Suspect(figure, critical, p, place + 1, float(found[place]), r > critical)


def dixon_critical(
    n: int, *, alpha: float = 0.05, side: str = "two-sided", ratio: str | None = None
) -> float:
    """Critical value of a ratio; two-sided at half of alpha for each end.

    Raises:
        NotEstimable: too few values for the ratio, or more than 100.
    """
    tails = 2 if one_of(side, SIDES, "side") == "two-sided" else 1
    level = confidence_of(alpha, "alpha") / tails
    name = one_of(ratio or default_ratio(n), [*RATIOS], "ratio")
    return float(optimize.brentq(lambda r: _exceeds(r, n, name) - level, 0.0, 1.0, xtol=1e-12))


def default_ratio(n: int) -> str:
    """Which ratio Dixon advises for a number of values."""
    return "r10" if n <= 7 else "r11" if n <= 10 else "r21" if n <= 13 else "r22"


def _ratio(ordered: Floats, name: str) -> float:
    over, other = RATIOS[name]
    _check(ordered.size, name)
    width = float(ordered[-1] - ordered[other - 1])
    return float(ordered[-1] - ordered[-1 - over]) / width if width else 0.0


def _check(n: int, name: str) -> None:
    over, other = RATIOS[name]
    if not over + other + 1 <= n <= 100:
        raise NotEstimable("BQC-STA-001", f"{name} of {n} values: from {over + other + 1} to 100")


def _exceeds(r: float, n: int, name: str) -> float:
    """Probability that the ratio exceeds r.

    With the ends at a and b, the ratio exceeds r where fewer than ``over`` of the values between
    them lie above ``b - r (b - a)``.
    """
    over, other = RATIOS[name]
    _check(n, name)
    if r >= 1:
        return 0.0
    nodes, weights = special.roots_legendre(160)
    a = (9.0 * nodes)[:, None]
    w = (18.0 * ((nodes + 1) / 2) ** 2)[None, :]
    by = 9.0 * weights[:, None] * (18.0 * (nodes + 1) / 2 * weights)[None, :]
    b = a + w
    middle = n - other - 1
    whole = np.maximum(special.ndtr(b) - special.ndtr(a), 1e-300)
    above = np.clip((special.ndtr(b) - special.ndtr(b - r * w)) / whole, 0.0, 1.0)
    log = (math.lgamma(n + 1) - math.lgamma(other) - math.lgamma(middle + 1)
           + (other - 1) * special.log_ndtr(a) + middle * np.log(whole)
           + stats.norm.logpdf(a) + stats.norm.logpdf(b))  # fmt: skip
    return float(np.sum(by * np.exp(log) * stats.binom.cdf(over - 1, middle, above)))
