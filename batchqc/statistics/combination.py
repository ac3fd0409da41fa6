"""Independent runs combined to one potency: unweighted, weighted and semi-weighted geometric means.

Weights are inverse variances of ln potency. Which mean is reported follows from the test of
homogeneity, or from the caller; all three are told.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from scipy import optimize, stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.fieller import two_sided
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import Floats, values_of

Mean: TypeAlias = Literal["unweighted", "weighted", "semi-weighted"]
Between: TypeAlias = Literal["moments", "dersimonian-laird", "mandel-paule"]

_ASSUMED: Final = ("runs independent", "ln potency of each run normal")
_CLAUSES: Final = {"unweighted": "6.3", "weighted": "6.2", "semi-weighted": "6.2.3"}


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its potency, the variance of its ln, and the degrees of freedom of that."""

    potency: float
    variance: float
    df: float | None = None


@dataclass(frozen=True, slots=True)
class Combination:
    """Runs combined.

    Args:
        reported: the one that the test of homogeneity, or the caller, chose.
        chosen: its kind.
        means: all kinds, by name; without those that the runs do not allow.
        weights: of each run, inverse variance of ln potency.
        semi_weights: with the variance between runs added.
        chi2: of homogeneity.
        df: of it.
        p: its upper tail.
        between: variance of ln potency between runs, not below 0.
    """

    reported: Figure
    chosen: Mean
    means: dict[str, Figure]
    weights: Floats
    semi_weights: Floats
    chi2: float
    df: int
    p: float
    between: float


@dataclass(frozen=True, slots=True)
class CombineOptions:
    """How runs are combined.

    Args:
        mean: None lets the test of homogeneity choose between weighted and semi-weighted.
        confidence: of the two-sided intervals.
        alpha: of the test of homogeneity.
        between: estimator of the variance between runs.
        quantile: for the interval of the weighted means, instead of Student's t with the sum of
            the degrees of freedom (Gauss where they are unknown).
    """

    mean: Mean | None = None
    confidence: float = 0.95
    alpha: float = 0.05
    between: Between = "moments"
    quantile: float | None = None


def run_of_interval(
    potency: float,
    lower: float,
    upper: float,
    *,
    confidence: float = 0.95,
    df: float | None = None,
    quantile: float | None = None,
) -> Run:
    """A run from its confidence limits: variance (ln upper - ln lower)² / 4 t².

    Args:
        potency: estimate.
        lower: limit.
        upper: limit.
        confidence: of the limits.
        df: of its error; None for a quantal assay (Gauss).
        quantile: instead of the one that follows.

    Raises:
        InvalidInput: not 0 < lower < upper, or the potency is not between them.

    Source: Ph. Eur. 5.3 section 6.2.
    """
    ends = (lower, potency, upper)
    if not all(math.isfinite(one) and one > 0 for one in ends) or not lower < upper:
        raise InvalidInput("BQC-STA-003", f"limits {lower:g} and {upper:g} are no interval")
    if not lower <= potency <= upper:
        raise InvalidInput(
            "BQC-STA-003", f"potency {potency:g} is not between its limits {lower:g} and {upper:g}"
        )
    return run_of_width(
        potency, math.log(upper / lower), quantile=quantile or two_sided(confidence, df), df=df
    )


def run_of_width(potency: float, width: float, *, quantile: float, df: float | None = None) -> Run:
    """A run from the width of the interval of its ln potency.

    Raises:
        InvalidInput: a number is not positive.
    """
    if not all(math.isfinite(one) and one > 0 for one in (potency, width, quantile)):
        raise InvalidInput("BQC-STA-003", "potency, width of its interval, quantile are positive")
    error = width / 2 / quantile
    if not 1e-70 < error < 1e70:
        raise InvalidInput("BQC-STA-003", f"an interval {width:g} wide on the scale of ln potency")
    return Run(potency, error**2, df)


def combine(runs: Sequence[Run], options: CombineOptions | None = None) -> Combination:
    """One potency from independent runs.

    Args:
        runs: at least two.
        options: kind of mean, confidence, estimator of the variance between runs.

    Raises:
        InvalidInput: a potency or a variance is not positive.
        NotEstimable: there are fewer than two runs.

    Source: Ph. Eur. 5.3 section 6; USP <1034>; Finney 1978 chapter 14; DerSimonian & Laird 1986;
    Mandel & Paule 1970.
    """
    how = options or CombineOptions()
    if len(runs) < 2:
        raise NotEstimable("BQC-STA-001", f"{len(runs)} of at least 2 runs that are to be combined")
    if any(not (math.isfinite(r.potency) and r.potency > 0 and r.variance > 0) for r in runs):
        raise InvalidInput("BQC-STA-003", "potencies and variances of runs are positive")
    m = np.log([one.potency for one in runs])
    v = np.array([one.variance for one in runs])
    w = 1 / v
    chi2 = float(w @ (m - _mean(m, w)) ** 2)
    df = len(runs) - 1
    p = float(stats.chi2.sf(chi2, df))
    between = _between(m, v, how.between)
    semi = 1 / (v + between)
    means = {
        "unweighted": _unweighted(m, how),
        "weighted": _weighted(m, w, runs, how),
        "semi-weighted": _semi(m, semi, how),
    }
    chosen: Mean = how.mean or ("weighted" if p >= how.alpha else "semi-weighted")
    return Combination(means[chosen], chosen, means, w, semi, chi2, df, p, between)


def geometric_mean(potency: Sequence[float], *, confidence: float = 0.95) -> Figure:
    """The unweighted geometric mean of runs without intervals of their own.

    Raises:
        InvalidInput: a potency is not positive.
        NotEstimable: there are fewer than two.

    Source: Ph. Eur. 5.3 section 6.3; USP <1034>.
    """
    found = values_of(potency, "potencies", at_least=2)
    if not np.all(np.isfinite(found) & (found > 0)):
        raise InvalidInput("BQC-STA-003", "potencies are positive numbers")
    return _unweighted(np.log(found), CombineOptions(confidence=confidence))


def _mean(m: Floats, w: Floats) -> float:
    return float(w @ m / w.sum())


def _between(m: Floats, v: Floats, kind: Between) -> float:
    if kind == "moments":
        return max(float(np.var(m, ddof=1) - v.mean()), 0.0)
    w = 1 / v
    excess = float(w @ (m - _mean(m, w)) ** 2) - (m.size - 1)
    if excess <= 0:
        return 0.0
    if kind == "dersimonian-laird":
        return excess / float(w.sum() - (w @ w) / w.sum())

    def off(between: float) -> float:
        one = 1 / (v + between)
        return float(one @ (m - _mean(m, one)) ** 2) - (m.size - 1)

    return float(optimize.brentq(off, 0.0, 4 * float(np.ptp(m)) ** 2 + v.max(), xtol=1e-16))


def _unweighted(m: Floats, how: CombineOptions) -> Figure:
    df = m.size - 1
    half = two_sided(how.confidence, df) * float(np.std(m, ddof=1)) / math.sqrt(m.size)
    return _figure("unweighted", m.mean(), half, (m.size, df, how.confidence))


def _weighted(m: Floats, w: Floats, runs: Sequence[Run], how: CombineOptions) -> Figure:
    known = [one.df for one in runs if one.df is not None]
    df = float(sum(known)) if len(known) == len(runs) else None
    half = (how.quantile or two_sided(how.confidence, df)) / math.sqrt(w.sum())
    return _figure("weighted", _mean(m, w), half, (m.size, df, how.confidence))


def _semi(m: Floats, w: Floats, how: CombineOptions) -> Figure:
    df = m.size - 1
    half = (how.quantile or two_sided(how.confidence, df)) / math.sqrt(w.sum())
    return _figure("semi-weighted", _mean(m, w), half, (m.size, df, how.confidence))


def _figure(kind: str, m: float, half: float, of: tuple[int, float | None, float]) -> Figure:
    n, df, confidence = of
    few = (f"{n} runs: the variation between runs is hardly known",) if n < 5 else ()
    return Figure(
        f"{kind} mean potency", math.exp(m), f"{kind} mean of ln potency (Ph. Eur. 5.3, "
        f"{_CLAUSES[kind]})", n, math.exp(m - half), math.exp(m + half), confidence, df, _ASSUMED,
        few,
    )  # fmt: skip
