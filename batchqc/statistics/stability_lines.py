"""Degradation lines of several batches: pooled wholly, with a common slope, or not at all.

ICH Q1E appendix B.2 and B.3: analysis of covariance with batch as the factor. The test of slopes,
then of intercepts, both against the error mean square of the full model, at a level of 0.25.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.checks import all_positive, confidence_of
from batchqc.statistics.values import Floats, values_of

#: From the most pooled to the least: common intercept and slope; different intercepts, common
#: slope; all different with one error variance; all different, each with its own.
MODELS = ("cics", "dics", "dids.pmse", "dids")


@dataclass(frozen=True, slots=True)
class Line:
    """A fitted line, and what its confidence limit needs.

    Args:
        batch: whose it is; None for the line of all batches.
        intercept: at time 0.
        slope: per unit of time.
        centre: mean time of the points that place the line.
        points: which place the line.
        sxx: sum of squared deviations of the times that fix the slope.
        variance: of the errors; 0 where the points lie exactly on the lines.
        df: of the variance.
    """

    batch: str | None
    intercept: float
    slope: float
    centre: float
    points: int
    sxx: float
    variance: float
    df: int


@dataclass(frozen=True, slots=True)
class Poolability:
    """Tests whether batches may share a slope and an intercept.

    Args:
        F_slope: of different slopes; None where there is no error to compare with.
        p_slope: of it.
        F_intercept: of different intercepts, given a common slope.
        p_intercept: of it.
        df: of each numerator, and of the error.
        error_ms: error mean square of the full model.
        ss_slope: sum of squares of different slopes.
        ss_intercept: sum of squares of different intercepts.
        alpha: level of both tests.
        model: which they lead to.
    """

    F_slope: float | None
    p_slope: float | None
    F_intercept: float | None
    p_intercept: float | None
    df: tuple[int, int]
    error_ms: float
    ss_slope: float
    ss_intercept: float
    alpha: float
    model: str


@dataclass(frozen=True, slots=True)
class Study:
    """Checked data of a stability study: names of batches, and each batch's times and values."""

    batches: tuple[str, ...]
    times: tuple[Floats, ...]
    values: tuple[Floats, ...]

    @property
    def n(self) -> int:
        """All points."""
        return sum(one.size for one in self.times)

    @property
    def last(self) -> float:
        """The latest time of any batch."""
        return max(float(one.max()) for one in self.times)


def study_of(batch: Sequence[object], time: ArrayLike, y: ArrayLike, *, log: bool = False) -> Study:
    """Sorts the points of a study by batch, in the order in which batches appear.

    Raises:
        InvalidInput: lengths differ, a time is negative, or with ``log`` a value not positive.
        NotEstimable: a batch has fewer than two different times, or there are too few points.
    """
    t, seen = values_of(time, "times"), values_of(y, "y")
    if not len(batch) == t.size == seen.size:
        raise InvalidInput("BQC-STA-003", f"{len(batch)} batches, {t.size} times, {seen.size} y")
    if np.any(t < 0):
        raise InvalidInput("BQC-STA-003", "a time is before zero")
    if log:
        seen = np.log(all_positive(seen, "y"))
    if np.max(np.abs(seen), initial=0.0) > 1e70 or np.max(t, initial=0.0) > 1e70:
        raise InvalidInput("BQC-STA-003", "times or values of absurd size: check the unit")
    labels = np.array([str(one) for one in batch])
    names = tuple(dict.fromkeys(labels.tolist()))
    for name in names:
        if np.unique(t[labels == name]).size < 2:
            raise NotEstimable(
                "BQC-STA-001", f"batch {name} has fewer than two different times: no line"
            )
    if t.size < 2 * len(names) + 1:
        raise NotEstimable("BQC-STA-001", f"{t.size} points for {len(names)} lines: no error left")
    return Study(
        names,
        tuple(t[labels == name] for name in names),
        tuple(seen[labels == name] for name in names),
    )


def lines(study: Study, model: str) -> tuple[Line, ...]:
    """The fitted lines of one of the four models; ``cics`` has one line for all batches.

    Raises:
        NotEstimable: ``dids`` where a batch has only two points, and so no error of its own.
        InvalidInput: another model.
    """
    if model not in MODELS:
        raise InvalidInput("BQC-STA-003", f"model {model!r}", hint=f"One of: {', '.join(MODELS)}.")
    if model == "cics":
        t, y = np.concatenate(study.times), np.concatenate(study.values)
        return (_line(None, t, y, None, None),)
    if model == "dids":
        few = [b for b, t in zip(study.batches, study.times, strict=True) if t.size < 3]
        if few:
            raise NotEstimable("BQC-STA-001", f"no error of their own: {', '.join(few)}")
        return tuple(_line(*one, None, None) for one in _each(study))
    own = [_sums(t, y) for _, t, y in _each(study)]
    if model == "dids.pmse":
        error = _error(study, sum(one[2] for one in own), 2 * len(own))
        return tuple(_line(*one, None, error) for one in _each(study))
    sxx, sxy, syy = (sum(one[k] for one in _raw_sums(study)) for k in range(3))
    slope = sxy / sxx
    error = _error(study, syy - slope * sxy, len(own) + 1)
    return tuple(_line(*one, (slope, sxx), error) for one in _each(study))


def poolability(study: Study, *, alpha: float = 0.25) -> Poolability:
    """Whether the batches may share a slope, and then an intercept.

    Args:
        study: of at least 2 batches.
        alpha: level of both tests; 0.25 in ICH Q1E, as the study has little power.

    Raises:
        NotEstimable: one batch only.
        InvalidInput: alpha beyond 0 to 1.
    """
    confidence_of(alpha, "alpha")
    count = len(study.batches)
    if count < 2:
        raise NotEstimable("BQC-STA-001", "one batch: there is nothing to pool")
    full = sum(_sums(t, y)[2] for _, t, y in _each(study))
    raw = _raw_sums(study)
    common = sum(one[2] for one in raw) - sum(one[1] for one in raw) ** 2 / sum(o[0] for o in raw)
    pooled = _sums(np.concatenate(study.times), np.concatenate(study.values))[2]
    df = (count - 1, study.n - 2 * count)
    ss_slope, ss_intercept = max(common - full, 0.0), max(pooled - common, 0.0)
    ms = full / df[1]
    scale = np.finfo(np.float64).eps * max(float(np.max(np.abs(y))) for y in study.values)
    if ms <= (16 * scale) ** 2:
        raise NotEstimable(
            "BQC-STA-001", "every batch lies exactly on its line: no error to test against",
            hint="Look whether values were copied or computed.",
        )  # fmt: skip
    F_slope, F_intercept = ss_slope / df[0] / ms, ss_intercept / df[0] / ms
    p_slope, p_intercept = (float(stats.f.sf(F, *df)) for F in (F_slope, F_intercept))
    model = "dids" if p_slope < alpha else "dics" if p_intercept < alpha else "cics"
    return Poolability(F_slope, p_slope, F_intercept, p_intercept, df, ms, ss_slope, ss_intercept,
                       alpha, model)  # fmt: skip


def _each(study: Study) -> list[tuple[str, Floats, Floats]]:
    return [*zip(study.batches, study.times, study.values, strict=True)]


def _raw_sums(study: Study) -> list[tuple[float, float, float]]:
    """Within each batch: Sxx, Sxy and Syy."""
    found = []
    for _, t, y in _each(study):
        off, rise = t - t.mean(), y - y.mean()
        found.append((float(off @ off), float(off @ rise), float(rise @ rise)))
    return found


def _sums(t: Floats, y: Floats) -> tuple[float, float, float]:
    """Sxx, slope and residual sum of squares of one line."""
    off, rise = t - t.mean(), y - y.mean()
    sxx = float(off @ off)
    slope = float(off @ rise) / sxx
    left = rise - slope * off
    return sxx, slope, float(left @ left)


def _error(study: Study, rss: float, coefficients: int) -> tuple[float, int]:
    df = study.n - coefficients
    return max(rss, 0.0) / df, df


def _line(
    batch: str | None,
    t: Floats,
    y: Floats,
    common: tuple[float, float] | None,
    error: tuple[float, int] | None,
) -> Line:
    sxx, slope, rss = _sums(t, y)
    if common:
        slope, sxx = common
    variance, df = error or (rss / (t.size - 2), t.size - 2)
    centre = float(t.mean())
    return Line(batch, float(y.mean()) - slope * centre, slope, centre, t.size, sxx, variance, df)
