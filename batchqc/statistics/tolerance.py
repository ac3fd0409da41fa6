"""Normal and lognormal tolerance intervals: proposals for alert limits and specifications."""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput
from batchqc.statistics.figures import Figure
from batchqc.statistics.nested_anova import NestedComponents
from batchqc.statistics.tolerance_factors import (
    ONE_SIDED,
    TWO_SIDED,
    TwoSided,
    one_sided_factor,
    sides_of,
    two_sided_factor,
)
from batchqc.statistics.univariate import moments
from batchqc.statistics.values import Floats, antilog, measurable, positive, values_of

_ASSUMED: Final = ("normal values on this scale", "independent lots of one process")


@dataclass(frozen=True, slots=True)
class ToleranceInterval:
    """An interval for a part of the population.

    Args:
        limits: the centre with its lower and upper end, on the scale of the data.
        content: part of the population that it covers.
        factor: k, in standard deviations of the scale that was used.
        scale: ``raw`` or ``ln``; on ``ln`` the centre is the geometric mean.
    """

    limits: Figure
    content: float
    factor: float
    scale: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a normal interval rests on: mean, standard deviation, n, and df of the latter."""

    mean: float
    sd: float
    n: float
    df: float

    @classmethod
    def of(cls, data: ArrayLike, scale: Literal["raw", "ln"] = "raw") -> "Summary":
        """Of at least 2 values that are not all equal.

        Raises:
            NotEstimable: too few, or all equal.
            InvalidInput: a value is missing, or not above 0 on the ln scale.
        """
        found = measurable(logged(values_of(data, at_least=2), scale), "values")
        return cls(*moments(found), found.size, found.size - 1)


def logged(found: Floats, scale: str) -> Floats:
    """The values on the scale.

    Raises:
        InvalidInput: the scale is none, or a value has no logarithm.
    """
    if scale not in {"raw", "ln"}:
        raise InvalidInput("BQC-STA-003", f"scale is {scale}: raw or ln")
    if scale == "raw":
        return found
    if np.any(found <= 0):
        raise InvalidInput("BQC-STA-003", "values must be above 0 to be taken to the ln scale")
    return np.asarray(np.log(found))


def tolerance_interval(
    data: ArrayLike | Summary,
    *,
    content: float = 0.95,
    conf: float = 0.95,
    side: str = "two-sided",
    scale: Literal["raw", "ln"] = "raw",
    method: TwoSided = "exact",
) -> ToleranceInterval:
    """Interval that covers a part of the population with confidence.

    Source: ISO 16269-6:2014; Krishnamoorthy and Mathew 2009, chapter 2.

    Args:
        data: of shape (n,), or a `Summary` on the scale.
        content: part of the population.
        conf: confidence.
        side: ``two-sided``, ``lower`` or ``upper``.
        scale: ``ln`` for lognormal values: limits are back-transformed.
        method: of the two-sided factor.

    Raises:
        NotEstimable: fewer than 2 values, or all are equal.
        InvalidInput: a value is missing, or content, confidence, side or scale is none.
    """
    has_lower, has_upper = sides_of(side)
    found = data if isinstance(data, Summary) else Summary.of(data, scale)
    positive(found.sd, "standard deviation")
    both = has_lower and has_upper
    if both:
        k = two_sided_factor(found.n, content=content, conf=conf, df=found.df, method=method)
    else:
        k = one_sided_factor(found.n, content=content, conf=conf, df=found.df)
    back = antilog if scale == "ln" else float
    told = TWO_SIDED[method] if both else ONE_SIDED["exact"]
    limits = Figure(
        f"tolerance interval, content {content:g}",
        back(found.mean),
        f"tolerance factor, {told}",
        round(found.n),
        back(found.mean - k * found.sd) if has_lower else None,
        back(found.mean + k * found.sd) if has_upper else None,
        conf,
        found.df,
        _ASSUMED,
    )
    return ToleranceInterval(limits, content, k, scale)


def random_effects_tolerance(
    found: NestedComponents,
    *,
    content: float = 0.95,
    conf: float = 0.95,
    side: str = "two-sided",
    scale: Literal["raw", "ln"] = "raw",
) -> ToleranceInterval:
    """Tolerance interval for single values of new donors and lots, from variance components.

    The mean counts as that of n_eff = total variance / variance of the mean values, and the total
    standard deviation has its Satterthwaite df. Approximate: with few donors its confidence is
    near, not at, the stated one.

    Source: Hoffman and Kringle 2005 (J Biopharm Stat 15:283); Mee 1984 (Technometrics 26:251);
    Krishnamoorthy and Mathew 2009, chapter 5.

    Args:
        found: nested components, of logarithms where scale is ``ln``.
        content: part of the population of single values.
        conf: confidence.
        side: ``two-sided``, ``lower`` or ``upper``.
        scale: on which the components were computed.

    Raises:
        NotEstimable: the outer factor has fewer than 5 levels.
    """
    found.ensure_levels(5)
    total = found.total
    effective = total.value / found.variance_of_mean
    summary = Summary(found.mean, math.sqrt(total.value), effective, total.df or 0.0)
    one = tolerance_interval(summary, content=content, conf=conf, side=side, scale=scale)
    limits = one.limits
    told = (
        f"approximate: {effective:.3g} effective values, {total.df:.3g} degrees of freedom",
        *total.limitations,
    )
    return ToleranceInterval(
        Figure(
            limits.name, limits.value, f"{limits.method}; Satterthwaite df of the total", found.n,
            limits.lower, limits.upper, conf, total.df, total.assumptions, told,
        ),
        content, one.factor, scale,
    )  # fmt: skip
