"""Precision of an assay: geometric mean and CV, repeatability and intermediate precision."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import scipy
from numpy.typing import ArrayLike

from batchqc.errors import NotEstimable
from batchqc.statistics.figures import Figure
from batchqc.statistics.levels import Labels
from batchqc.statistics.nested_anova import NestedComponents, nested_components
from batchqc.statistics.tolerance import Summary, logged
from batchqc.statistics.values import antilog, fraction_of, measurable, values_of

_USP: Final = "%GCV = 100 (exp(s) - 1), USP <1033>"
_LOGNORMAL: Final = "%CV = 100 sqrt(exp(s²) - 1), lognormal"
_RAW: Final = "%CV = 100 s / mean"
_ASSUMED: Final = ("lognormal values", "independent values")


@dataclass(frozen=True, slots=True)
class Geometric:
    """Summary of lognormal values.

    Args:
        mean: geometric mean with the t interval of the mean logarithm, back-transformed.
        gsd: geometric standard deviation, exp(s), with its chi-square interval.
        gcv: percent, by the definition of USP <1033>.
        cv: percent, of a lognormal distribution.
    """

    mean: Figure
    gsd: Figure
    gcv: Figure
    cv: Figure


@dataclass(frozen=True, slots=True)
class Spread:
    """One level of precision: SD on the scale of the data, and percentages by definition.

    Args:
        sd: on the scale that was used, with its interval.
        percent: ``cv`` on the raw scale; ``gcv_usp`` and ``cv_lognormal`` on the ln scale.
    """

    sd: Figure
    percent: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class AssayPrecision:
    """Precision of an assay from its history.

    Args:
        repeatability: within the innermost factor (a run).
        between: each factor by itself, with MLS limits.
        intermediate: all factors and the error together: one value of a new run.
        components: what they come from.
    """

    repeatability: Spread
    between: Mapping[str, Spread]
    intermediate: Spread
    components: NestedComponents


def geometric_summary(data: ArrayLike, *, conf: float = 0.95) -> Geometric:
    """Geometric mean, geometric SD and the two definitions of a CV for values above 0.

    Source: USP <1033>; Aitchison and Brown 1957 for the lognormal CV.

    Raises:
        NotEstimable: fewer than 2 values, or all are equal.
        InvalidInput: a value is missing or not above 0.
    """
    found = Summary.of(data, "ln")
    tail = (1 - fraction_of(conf, "confidence")) / 2
    reach = float(scipy.stats.t.isf(tail, found.df)) * found.sd / math.sqrt(found.n)
    low, high = (found.sd * _ratio(found.df, one) for one in (1 - tail, tail))
    n, df = int(found.n), found.df
    logs = (found.mean - reach, found.mean + reach)
    centre = Figure("mean logarithm", found.mean, "t interval", n, *logs, conf, df, _ASSUMED)
    told = "exp of the mean logarithm; t interval"
    mean = _turned(centre, "geometric mean", told, antilog)
    sd = Figure("s", found.sd, "chi-square interval", n, low, high, conf, df, _ASSUMED)
    gsd = _turned(sd, "geometric SD", "exp(s); chi-square interval", antilog)
    return Geometric(mean, gsd, usp_gcv(sd), lognormal_cv(sd))


def usp_gcv(sd: Figure) -> Figure:
    """Percent geometric CV of USP <1033> from the SD of natural logarithms."""
    return _turned(sd, "%GCV", _USP, lambda s: 100 * _less_one(s))


def lognormal_cv(sd: Figure) -> Figure:
    """Percent CV of a lognormal distribution from the SD of natural logarithms."""
    return _turned(sd, "%CV", _LOGNORMAL, lambda s: 100 * math.sqrt(_less_one(s * s)))


def intermediate_precision(
    data: ArrayLike,
    factors: Mapping[str, Labels],
    *,
    scale: Literal["raw", "ln"] = "ln",
    conf: float = 0.95,
) -> AssayPrecision:
    """Repeatability, between-run and intermediate precision of an assay from its own history.

    Source: CLSI EP05-A3; USP <1033>; ICH Q2(R2); components and limits as in
    `batchqc.statistics.nested_anova`.

    Args:
        data: of shape (n,), results of one material (a control, a reference lot).
        factors: labels by name, the outer factor (site, analyst, day) first, the run last.
        scale: ``ln`` for potencies and concentrations, else ``raw``.
        conf: of all intervals.

    Raises:
        NotEstimable: a factor has no degree of freedom, or repeats do not vary.
        InvalidInput: a value or label is missing, or a value has no logarithm.
    """
    found = measurable(logged(values_of(data, at_least=3), scale), "values")
    parts = nested_components(found, factors, conf=conf)
    if scale == "raw" and parts.mean <= 0:
        raise NotEstimable("BQC-STA-001", "the mean is not above 0: a CV has no meaning")
    between = {
        name: _spread(figure, name, parts.mean, scale)
        for name, figure in zip(parts.names[:-1], parts.components, strict=False)
    }
    return AssayPrecision(
        _spread(parts.error, "repeatability", parts.mean, scale),
        between,
        _spread(parts.total, "intermediate precision", parts.mean, scale),
        parts,
    )


def _spread(variance: Figure, name: str, mean: float, scale: str) -> Spread:
    sd = _turned(variance, f"SD, {name}", variance.method, math.sqrt)
    if scale == "ln":
        return Spread(sd, {"gcv_usp": usp_gcv(sd), "cv_lognormal": lognormal_cv(sd)})
    return Spread(sd, {"cv": _turned(sd, "%CV", _RAW, lambda s: 100 * s / mean)})


def _turned(one: Figure, name: str, method: str, turn: Callable[[float], float]) -> Figure:
    lower, upper = (_end(end, turn) for end in (one.lower, one.upper))
    told = one.limitations
    if upper is None and one.upper is not None:
        told = (*told, "the upper end is absurdly large: these few values do not bound it")
    return Figure(
        name, turn(one.value), method, one.n, lower, upper, one.confidence, one.df,
        one.assumptions, told,
    )  # fmt: skip


def _end(end: float | None, turn: Callable[[float], float]) -> float | None:
    """An end of an interval; None where it is beyond what a float holds."""
    if end is None:
        return None
    try:
        return turn(end)
    except NotEstimable:
        return None


def _ratio(df: float, level: float) -> float:
    return math.sqrt(df / float(scipy.stats.chi2.ppf(level, df)))


def _less_one(logarithm: float) -> float:
    """exp(x) - 1, without losing digits of a small x."""
    return math.expm1(logarithm) if logarithm < 1 else antilog(logarithm) - 1
