"""Figures of sigma and centre: how sure an estimate from ranges or deviations is."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import scipy

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.chart_constants import c4
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import Floats


def sigma_figure(
    value: float, *, method: str, n: int, cv: float, confidence: float, assumptions: Sequence[str]
) -> Figure:
    """An unbiased estimate of sigma, with the interval of a chi that varies as much.

    The equivalent degrees of freedom are those at which s / c4 varies as much (Patnaik 1950,
    Biometrika 37:78); for s / c4 itself the interval is exact.

    Args:
        value: of the estimate.
        method: by which it was made.
        n: values that it rests on.
        cv: its coefficient of variation.
        confidence: of the interval.
        assumptions: under which it holds.
    """
    between_0_and_1(confidence, "confidence")
    df = equivalent_df(round(cv, 12))
    scale = value * c4(df + 1) * np.sqrt(df)
    levels = np.array([(1 + confidence) / 2, (1 - confidence) / 2])
    ends = scale / np.sqrt(2 * scipy.special.gammaincinv(df / 2, levels))
    return Figure(
        "sigma", value, method, n, float(ends[0]), float(ends[1]), confidence, df,
        assumptions=tuple(assumptions),
    )  # fmt: skip


def centre_figure(value: float, sigma: Figure, *, n: int, what: str) -> Figure:
    """A mean, with its t interval from an estimate of sigma."""
    if sigma.df is None:
        return Figure("centre", value, what, n, assumptions=sigma.assumptions)
    half = scipy.special.stdtrit(sigma.df, (1 + sigma.confidence) / 2) * sigma.value / np.sqrt(n)
    return Figure(
        "centre", value, what, n, float(value - half), float(value + half), sigma.confidence,
        sigma.df, assumptions=sigma.assumptions,
    )  # fmt: skip


def scaled_figure(figure: Figure, factor: float, name: str) -> Figure:
    """A constant times a figure, its interval too."""
    return replace(
        figure,
        name=name,
        value=figure.value * factor,
        lower=None if figure.lower is None else figure.lower * factor,
        upper=None if figure.upper is None else figure.upper * factor,
    )


@lru_cache(maxsize=4096)
def equivalent_df(cv: float) -> float:
    """Degrees of freedom at which s / c4 has a coefficient of variation."""
    return float(
        scipy.optimize.brentq(lambda df: 1 / c4(df + 1) ** 2 - 1 - cv**2, 0.05, 1e9, rtol=1e-12)
    )


def mean_range_cv(count: int, adjacent: int) -> float:
    """Coefficient of variation of a mean of moving ranges of 2.

    Two adjacent ranges share a value, so that they correlate; the moments of a product of two
    halved normals give the covariance (Nabeya 1951; Cryer and Ryan 1990, J. Quality Technology
    22:187).

    Args:
        count: of moving ranges.
        adjacent: how many pairs of them share a value.

    Raises:
        InvalidInput: there is no moving range.
    """
    if count < 1 or adjacent < 0:
        raise InvalidInput("BQC-STA-003", f"{count} moving ranges, {adjacent} adjacent pairs")
    product = (4 / np.pi) * (np.sqrt(0.75) + 0.5 * np.pi / 6)
    total = count * (2 - 4 / np.pi) + 2 * adjacent * (product - 4 / np.pi)
    return float(np.sqrt(total) / (count * np.sqrt(4 / np.pi)))


def between_0_and_1(value: float, what: str) -> float:
    """A probability that is neither 0 nor 1.

    Raises:
        InvalidInput: it is none.
    """
    if not 0 < value < 1:
        raise InvalidInput("BQC-STA-003", f"{what} of {value!r} is not between 0 and 1")
    return float(value)


def positive(value: float, what: str) -> float:
    """A finite number above 0.

    Raises:
        InvalidInput: it is none.
    """
    if not 0 < value < np.inf:
        raise InvalidInput("BQC-STA-003", f"{what} of {value!r} is not above 0")
    return float(value)


def above_noise(sigma: float, found: Floats) -> None:
    """Nothing, where a sigma from neighbours is more than the rounding of floats.

    Raises:
        NotEstimable: it is not.
    """
    if sigma <= 8 * np.finfo(np.float64).eps * np.nanmax(np.abs(found)):
        raise NotEstimable(
            "BQC-STA-001",
            "sigma is 0: values next to each other, or of one subgroup, are equal",
            hint="Look whether the values were rounded or copied; try sigma of all values.",
        )
