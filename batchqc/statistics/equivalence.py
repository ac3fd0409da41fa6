"""Equivalence of means by two one-sided tests (TOST), on the raw or the log scale.

Schuirmann 1987 (J Pharmacokinet Biopharm 15:657); Satterthwaite's df after Welch 1947 (Biometrika
34:28). Means are equivalent at level alpha where both one-sided tests reject, which is where the
1 - 2 alpha interval of the difference lies inside the margins. Margins are set before the data are
seen, from clinical or historical relevance (ICH Q5E; EMA/CHMP/138502/2017).
"""

import math
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.checks import all_positive, confidence_of, same_length
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import Floats, values_of

#: One margin for both sides, or the lower and the upper one.
Margin: TypeAlias = float | tuple[float, float]

_NORMAL: Final = "values are independent and about normal on the scale of the test"
_SET_BEFORE: Final = "the margins were set before the data were seen"


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Two one-sided tests of a difference of means.

    Args:
        difference: with its interval of confidence 1 - 2 alpha, on the scale of the test.
        ratio: of geometric means with its interval, where the scale is logarithmic; else None.
        se: standard error of the difference.
        t_lower: t of the test against the lower margin.
        t_upper: t of the test against the upper margin.
        p_lower: that the difference is at or below the lower margin would give such data.
        p_upper: that it is at or above the upper margin would.
        p: the larger of the two.
        margins: lower and upper, on the scale of the test.
        alpha: of each of the two tests.
        equivalent: whether both tests reject. It describes; it decides no verdict.
    """

    difference: Figure
    ratio: Figure | None
    se: float
    t_lower: float
    t_upper: float
    p_lower: float
    p_upper: float
    p: float
    margins: tuple[float, float]
    alpha: float
    equivalent: bool


@dataclass(frozen=True, slots=True)
class Group:
    """What is known of a group: mean, standard deviation (with n - 1) and number of values."""

    mean: float
    sd: float
    n: int


def two_sample(
    a: ArrayLike,
    b: ArrayLike,
    margin: Margin,
    *,
    alpha: float = 0.05,
    pooled: bool = False,
    log: bool = False,
) -> Equivalence:
    """Compares the means of two independent groups: a minus b, or GM of a over GM of b.

    Args:
        a: values of the test group (new process, receiving site); at least 2.
        b: values of the reference group; at least 2.
        margin: largest difference of no concern, or (lower, upper). With ``log``: of the ratio,
            1.25 or (0.8, 1.25).
        alpha: of each one-sided test; the interval has confidence 1 - 2 alpha.
        pooled: assume equal variances (Student) instead of Welch.
        log: compare on the logarithmic scale.

    Raises:
        NotEstimable: a group has fewer than 2 values, or there is no variation at all.
        InvalidInput: margins that enclose nothing; with ``log`` a value that is not positive.
    """
    groups = [_scaled(a, "a", log=log), _scaled(b, "b", log=log)]
    first, second = (Group(float(x.mean()), float(x.std(ddof=1)), x.size) for x in groups)
    return _two(first, second, _margins(margin, log=log), alpha, pooled=pooled, log=log)


def two_groups(
    a: Group, b: Group, margin: Margin, *, alpha: float = 0.05, pooled: bool = False
) -> Equivalence:
    """The same from the mean, SD and number of each group, where the values are not at hand.

    Args:
        a: the test group.
        b: the reference group.
        margin: largest difference of no concern, or (lower, upper).
        alpha: of each one-sided test.
        pooled: assume equal variances (Student) instead of Welch.

    Raises:
        NotEstimable: a group has fewer than 2 values, or there is no variation at all.
        InvalidInput: margins that enclose nothing; a mean or SD that is none.
    """
    for one in (a, b):
        values_of([one.mean, one.sd], "mean and SD")
        if one.sd < 0:
            raise InvalidInput("BQC-STA-003", f"a standard deviation of {one.sd}")
        if one.n < 2:
            raise NotEstimable("BQC-STA-001", f"a group of {one.n}: at least 2 are needed")
    return _two(a, b, _margins(margin, log=False), alpha, pooled=pooled, log=False)


def paired(
    a: ArrayLike, b: ArrayLike, margin: Margin, *, alpha: float = 0.05, log: bool = False
) -> Equivalence:
    """Compares pairs, such as halves of one donation made by two processes (split donor).

    Args:
        a: values of the test arm; pair i is ``a[i]``, ``b[i]``; at least 2 pairs.
        b: values of the reference arm.
        margin: as in :func:`two_sample`.
        alpha: of each one-sided test.
        log: compare ratios within pairs.

    Raises:
        NotEstimable: fewer than 2 pairs, or all differences equal.
        InvalidInput: unequal numbers; margins that enclose nothing; log of what is not positive.
    """
    left, right = _scaled(a, "a", log=log), _scaled(b, "b", log=log)
    same_length(left, right, "values in a", "in b")
    return _single(left - right, _margins(margin, log=log), alpha, "paired", log=log)


def one_sample(
    values: ArrayLike,
    target: float,
    margin: Margin,
    *,
    alpha: float = 0.05,
    log: bool = False,
) -> Equivalence:
    """Compares the mean of a group with a fixed target.

    Args:
        values: at least 2.
        target: what the mean is compared with, in the unit of the values.
        margin: as in :func:`two_sample`, about the target.
        alpha: of each one-sided test.
        log: compare the ratio to the target.

    Raises:
        NotEstimable: fewer than 2 values, or all equal.
        InvalidInput: margins that enclose nothing; log of what is not positive.
    """
    found = _scaled(values, "values", log=log)
    aim = _scaled([target], "target", log=log, at_least=1)[0]
    return _single(found - aim, _margins(margin, log=log), alpha, "one sample", log=log)


@dataclass(frozen=True, slots=True)
class _Estimate:
    value: float
    se: float
    df: float
    n: int
    method: str
    assumptions: tuple[str, ...] = ()


def _two(
    a: Group, b: Group, margins: tuple[float, float], alpha: float, *, pooled: bool, log: bool
) -> Equivalence:
    n, m = a.n, b.n
    v, w = a.sd**2 / n, b.sd**2 / m
    if pooled:
        joint = (v * n * (n - 1) + w * m * (m - 1)) / (n + m - 2)
        se, df, name = math.sqrt(joint * (1 / n + 1 / m)), float(n + m - 2), "Student, pooled"
    else:
        se, name = math.sqrt(v + w), "Welch"
        share = v / (v + w) if se else 0.0
        df = 1 / (share**2 / (n - 1) + (1 - share) ** 2 / (m - 1))
    method = f"TOST, {name} (Schuirmann 1987)"
    equal = ("both groups have one variance",) if pooled else ()
    return _tests(_Estimate(a.mean - b.mean, se, df, n + m, method, equal), margins, alpha, log=log)


def _scaled(data: ArrayLike, what: str, *, log: bool, at_least: int = 2) -> Floats:
    found = values_of(data, what, at_least=at_least)
    return np.log(all_positive(found, what)) if log else found


def _margins(margin: Margin, *, log: bool) -> tuple[float, float]:
    if isinstance(margin, int | float):
        low, high = (1 / margin if margin else 0.0, margin) if log else (-margin, margin)
    else:
        low, high = margin
    if log:
        low, high = sorted((low, high))
        low, high = (math.log(low), math.log(high)) if low > 0 else (0.0, 0.0)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InvalidInput(
            "BQC-STA-003",
            f"margins {margin} enclose nothing",
            hint="A margin of a ratio is 1.25, or (0.8, 1.25); of a difference 8, or (-8, 8).",
        )
    return low, high


def _single(
    off: Floats, margins: tuple[float, float], alpha: float, name: str, *, log: bool
) -> Equivalence:
    n = off.size
    se = float(off.std(ddof=1)) / math.sqrt(n)
    method = f"TOST, {name} (Schuirmann 1987)"
    estimate = _Estimate(float(off.mean()), se, n - 1.0, n, method)
    return _tests(estimate, margins, alpha, log=log)


def _tests(
    found: _Estimate, margins: tuple[float, float], alpha: float, *, log: bool
) -> Equivalence:
    if not 0 < alpha < 0.5:
        raise InvalidInput("BQC-STA-003", f"alpha is {alpha}: it must lie between 0 and 0.5")
    if found.se <= 1e-14 * max(abs(found.value), *map(abs, margins)):
        raise NotEstimable("BQC-STA-001", "there is no variation: an interval cannot be computed")
    low, high = margins
    half = float(stats.t.isf(alpha, found.df)) * found.se
    t_lower, t_upper = (found.value - low) / found.se, (found.value - high) / found.se
    p_lower = float(stats.t.sf(t_lower, found.df))
    p_upper = float(stats.t.cdf(t_upper, found.df))
    ends = found.value - half, found.value + half
    name = "difference of mean logarithms" if log else "difference of means"
    assumed = (_NORMAL, _SET_BEFORE, *found.assumptions)
    difference = Figure(name, found.value, found.method, found.n, *ends,
                        confidence_of(1 - 2 * alpha), found.df, assumed)  # fmt: skip
    return Equivalence(
        difference, _ratio(difference) if log else None, found.se, t_lower, t_upper,
        p_lower, p_upper, max(p_lower, p_upper), margins, alpha, max(p_lower, p_upper) < alpha,
    )  # fmt: skip


def _ratio(difference: Figure) -> Figure:
    """The same on the scale of the values."""
    ends = difference.value, difference.lower or 0.0, difference.upper or 0.0
    if max(map(abs, ends)) > 700:
        raise NotEstimable("BQC-STA-001", "the ratio leaves the range of numbers")
    value, lower, upper = map(math.exp, ends)
    return replace(difference, name="ratio of geometric means", value=value, lower=lower,
                   upper=upper)  # fmt: skip
