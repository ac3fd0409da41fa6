"""Subgroups of values, of any sizes, and sigma within them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.chart_constants import Constants, c4, chart_constants
from batchqc.statistics.figures import Figure
from batchqc.statistics.sigma_estimates import above_noise, sigma_figure
from batchqc.statistics.values import Floats, with_gaps

Within: TypeAlias = Literal[
    "range", "range-weighted", "sd", "sd-weighted", "pooled", "pooled-unbiased"
]

_METHODS: Final = {
    "range": "mean of R / d2 (Montgomery, section 6.2)",
    "range-weighted": "R / d2, weighted by its precision (Burr 1969, J. Quality Technology 1:163)",
    "sd": "mean of s / c4 (Montgomery, section 6.3)",
    "sd-weighted": "s / c4, weighted by its precision (Burr 1969)",
    "pooled": "square root of the pooled variance (Montgomery, section 6.3.2)",
    "pooled-unbiased": "square root of the pooled variance, over c4 of its degrees of freedom + 1",
}
_ASSUMES: Final = ("values within a subgroup are normal", "sigma within is constant")


@dataclass(frozen=True, slots=True)
class Subgroups:
    """What the charts need of the subgroups.

    Args:
        sizes: values that are present in each.
        means: NaN where a subgroup is empty.
        ranges: NaN where fewer than 2 are present.
        deviations: standard deviations; NaN where fewer than 2 are present.
    """

    sizes: Floats
    means: Floats
    ranges: Floats
    deviations: Floats

    @property
    def grand_mean(self) -> float:
        """Of all values, so that larger subgroups weigh more."""
        full = self.sizes > 0
        return float(np.dot(self.sizes[full], self.means[full]) / self.sizes.sum())

    @property
    def df(self) -> int:
        """Degrees of freedom within subgroups."""
        return int(np.sum(np.maximum(self.sizes - 1, 0)))


def subgroups_of(groups: Sequence[ArrayLike] | Subgroups) -> Subgroups:
    """Sizes, means, ranges and standard deviations.

    Args:
        groups: values of each subgroup, in order; None or NaN where missing; sizes may differ. A
            table (array, pandas frame) has a subgroup in each row. Where only means and ranges were
            kept, they are given as such.

    Raises:
        InvalidInput: one is no list of numbers.
        NotEstimable: there is no subgroup with a value.
    """
    if isinstance(groups, Subgroups):
        return groups
    try:
        rows = np.asarray(groups) if getattr(groups, "ndim", 1) > 1 else groups
        found = [with_gaps(one, f"subgroup {place}") for place, one in enumerate(rows, 1)]
    except TypeError:
        raise InvalidInput("BQC-STA-003", "subgroups are not lists of numbers") from None
    if not any(np.any(~np.isnan(one)) for one in found):
        raise NotEstimable("BQC-STA-001", "there is no subgroup with a value")
    table = np.full((len(found), max(one.size for one in found)), np.nan)
    for place, one in enumerate(found):
        table[place, : one.size] = one
    here = ~np.isnan(table)
    sizes = here.sum(axis=1).astype(np.float64)
    several = sizes > 1
    means = np.full(sizes.shape, np.nan)
    ranges, deviations = means.copy(), means.copy()
    means[sizes > 0] = np.nanmean(table[sizes > 0], axis=1)
    ranges[several] = np.nanmax(table[several], axis=1) - np.nanmin(table[several], axis=1)
    deviations[several] = np.nanstd(table[several], axis=1, ddof=1)
    return Subgroups(sizes, means, ranges, deviations)


def sigma_within(
    groups: Sequence[ArrayLike] | Subgroups,
    *,
    within: Within = "range",
    constants: Constants = "exact",
    confidence: float = 0.95,
) -> Figure:
    """Sigma within subgroups, by any of the estimators of :func:`xbar`.

    Weights of the precision are (d2 / d3)^2 and c4^2 / (1 - c4^2) of each size (Burr 1969).

    Raises:
        InvalidInput: an option is unknown.
        NotEstimable: no subgroup has 2 values, or there is no variation within.
    """
    found = subgroups_of(groups)
    if within not in _METHODS:
        raise InvalidInput("BQC-STA-003", f"within is {', '.join(_METHODS)}; not {within!r}")
    several = found.sizes > 1
    if not several.any():
        raise NotEstimable("BQC-STA-001", "no subgroup has 2 values: nothing varies within")
    pooled = within.startswith("pooled")
    value, cv = _pooled(found, within) if pooled else _averaged(found, within, constants)
    above_noise(value, found.means)
    n = int(found.sizes[several].sum())
    unbiased = value / c4(found.df + 1) if within == "pooled" else value
    figure = sigma_figure(
        unbiased, method=_METHODS[within], n=n, cv=cv, confidence=confidence, assumptions=_ASSUMES
    )
    return replace(figure, value=value)


def _averaged(found: Subgroups, within: str, constants: Constants) -> tuple[float, float]:
    several = found.sizes > 1
    by_range = within.startswith("range")
    factors = [chart_constants(int(one), constants=constants) for one in found.sizes[several]]
    mean = np.array([one.d2 if by_range else one.c4 for one in factors])
    sd = np.array([one.d3 if by_range else one.c5 for one in factors])
    weights = (mean / sd) ** 2 if within.endswith("weighted") else np.ones(len(factors))
    weights = weights / weights.sum()
    each = (found.ranges if by_range else found.deviations)[several] / mean
    return float(np.dot(weights, each)), float(np.sqrt(np.sum((weights * sd / mean) ** 2)))


def _pooled(found: Subgroups, within: str) -> tuple[float, float]:
    several = found.sizes > 1
    df = found.df
    squares = np.dot(found.sizes[several] - 1, found.deviations[several] ** 2)
    divisor = c4(df + 1) if within == "pooled-unbiased" else 1.0
    return float(np.sqrt(squares / df) / divisor), float(np.sqrt(1 / c4(df + 1) ** 2 - 1))
