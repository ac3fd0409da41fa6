"""Normality: what the data say against it. A description, never a gate.

Shapiro and Wilk 1965 with the p of Royston 1995 (Appl Statist 44:547); Anderson and Darling 1954
with mean and SD estimated and the p of D'Agostino and Stephens 1986 (Goodness-of-Fit Techniques,
table 4.9). With few lots neither can see a wrong scale; with many both see what does not matter.
The scale of an attribute is declared from science, not chosen by p.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from batchqc.errors import InvalidInput
from batchqc.statistics.checks import sd_of
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import Floats, spread, values_of

_FEW: Final = "fewer than 20 values: a non-normal population would often not be seen"
_NO_GATE: Final = "describes; the scale of an attribute is declared, not chosen by a test"


@dataclass(frozen=True, slots=True)
class Normality:
    """A statistic and its p.

    Args:
        statistic: W, or A squared (unmodified).
        p: probability of a statistic as extreme from a normal population.
        modified: A squared modified for small samples, on which its p rests; None for W.
    """

    statistic: Figure
    p: float
    modified: float | None = None


def shapiro_wilk(values: ArrayLike) -> Normality:
    """W of Shapiro and Wilk; 3 to 5000 values that are not all equal.

    Raises:
        NotEstimable: too few, or all equal.
        InvalidInput: more than 5000, for which no p is known.
    """
    found = _checked(values, 3)
    if found.size > 5000:
        raise InvalidInput("BQC-STA-003", f"{found.size} values: Royston's p ends at 5000")
    W, p = stats.shapiro((found - np.median(found)) / np.ptp(found))
    return Normality(_figure("W", float(W), "Shapiro-Wilk (Royston 1995)", found.size), float(p))


def anderson_darling(values: ArrayLike) -> Normality:
    """A squared of Anderson and Darling, mean and SD estimated; 8 values or more.

    Raises:
        NotEstimable: too few, or all equal.
    """
    found = _checked(values, 8)
    n = found.size
    z = np.sort(found - found.mean()) / sd_of(found)
    i = np.arange(1, n + 1)
    A2 = float(-n - np.mean((2 * i - 1) * (special.log_ndtr(z) + special.log_ndtr(-z[::-1]))))
    modified = A2 * (1 + 0.75 / n + 2.25 / n**2)
    method = "Anderson-Darling (D'Agostino and Stephens 1986)"
    return Normality(_figure("A2", A2, method, n), _stephens(modified), modified)


def _stephens(a: float) -> float:
    """The p of the modified statistic, in its published pieces; beyond 10 it is below 4e-24."""
    if a < 0.2:
        return float(1 - np.exp(-13.436 + 101.14 * a - 223.73 * a * a))
    if a < 0.34:
        return float(1 - np.exp(-8.318 + 42.796 * a - 59.938 * a * a))
    if a < 0.6:
        return float(np.exp(0.9177 - 4.279 * a - 1.38 * a * a))
    return float(np.exp(1.2937 - 5.709 * a + 0.0186 * a * a)) if a < 10 else 3.7e-24


def _checked(values: ArrayLike, least: int) -> Floats:
    return spread(values_of(values, at_least=least), "values")


def _figure(name: str, value: float, method: str, n: int) -> Figure:
    limits = (_FEW, _NO_GATE) if n < 20 else (_NO_GATE,)
    return Figure(name, value, method, n, assumptions=("values are independent",),
                  limitations=limits)  # fmt: skip
