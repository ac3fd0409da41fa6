"""The variances at which a likelihood is greatest; none below 0."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from batchqc.errors import NotEstimable
from batchqc.statistics.reml_likelihood import Likelihood, Slope
from batchqc.statistics.values import Floats

#: A search among variances: where it starts, which are held, and REML or ML.
_Held: TypeAlias = Mapping[int, float]
#: The error variance is held above this part of the variance of the values.
_LEAST: Final = 1e-12
_STARTS: Final = (1.0, 0.05, 10.0)


def best(
    likelihood: Likelihood,
    *,
    restricted: bool,
    held: _Held | None = None,
    start: Floats | None = None,
) -> tuple[Floats, Slope]:
    """Variances of least deviance, that of the error last.

    Newton steps with exact derivatives until each derivative is 0, or the variance is 0 and the
    likelihood falls from there; where that leads nowhere, a quasi-Newton search within
    bounds comes first.

    Args:
        likelihood: of values whose variance is about 1.
        restricted: REML, else ML.
        held: variances that are given, by place.
        start: from where to look; without it, from several places.

    Raises:
        NotEstimable: no minimum was reached (BQC-STA-002).
    """
    given = dict(held or {})
    found = []
    for begin in _starts(likelihood, start):
        begin[list(given)] = list(given.values())
        end = _polished(likelihood, begin, given, restricted=restricted)
        if end is None:
            near = _rough(likelihood, begin, given, restricted=restricted)
            end = _polished(likelihood, near, given, restricted=restricted)
        if end is not None:
            found.append(end)
    if not found:
        raise NotEstimable(
            "BQC-STA-002",
            "the mixed model did not converge: the likelihood has no clear maximum",
            hint="Look for a factor with few levels, or values without error.",
        )
    return min(found, key=lambda one: one[1].value)


def _starts(likelihood: Likelihood, start: Floats | None) -> Sequence[Floats]:
    if start is not None:
        return [np.maximum(start, np.append(np.full(start.size - 1, 1e-3), 1e-6))]
    size = len(likelihood.blocks)
    return [np.append(np.full(size, ratio), 1.0) / (1 + size * ratio) for ratio in _STARTS]


def _rough(likelihood: Likelihood, begin: Floats, held: _Held, *, restricted: bool) -> Floats:
    low = np.append(np.zeros(begin.size - 1), 1e4 * _LEAST)
    high = np.full(begin.size, np.inf)
    low[list(held)] = high[list(held)] = list(held.values())

    def objective(v: Floats) -> tuple[float, Floats]:
        slope = likelihood.at(v, restricted=restricted)
        return slope.value, slope.gradient

    bounds = optimize.Bounds(low, high)
    answer = optimize.minimize(objective, begin, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(answer.x, dtype=np.float64)


def _polished(
    likelihood: Likelihood, v: Floats, held: _Held, *, restricted: bool
) -> tuple[Floats, Slope] | None:
    """Newton steps over the variances that are free; None where they lead nowhere."""
    open_ = ~np.isin(np.arange(v.size), list(held))
    slope = likelihood.at(v, restricted=restricted)
    for _ in range(80):
        free = open_ & ((v > 0) | (slope.gradient < 0))
        if _steepness(v, slope, free) < 1e-8:
            return _accepted(v, slope)
        step = _step(slope, free)
        for shorter in 0.5 ** np.arange(20):
            trial = np.maximum(v + shorter * step, 0.0)
            trial[-1] = max(trial[-1], 0.1 * v[-1], _LEAST)
            ahead = likelihood.at(trial, restricted=restricted)
            if ahead.value < slope.value:
                v, slope = trial, ahead
                break
        else:
            # The deviance itself has too few digits left to tell two points apart.
            return _accepted(v, slope) if _steepness(v, slope, free) < 1e-4 else None
    return None


def _accepted(v: Floats, slope: Slope) -> tuple[Floats, Slope] | None:
    return (v, slope) if v[-1] > 10 * _LEAST else None


def _steepness(v: Floats, slope: Slope, free: NDArray[np.bool_]) -> float:
    return float(np.max(np.abs(slope.gradient * np.maximum(v, 1e-6))[free], initial=0.0))


def _step(slope: Slope, free: NDArray[np.bool_]) -> Floats:
    """A Newton step where the deviance curves upwards, else down its gradient."""
    step = np.zeros(free.size)
    curves, axes = np.linalg.eigh(slope.hessian[np.ix_(free, free)])
    size = np.maximum(np.abs(curves), 1e-10 * max(1.0, float(np.abs(curves).max())))
    step[free] = -axes @ ((axes.T @ slope.gradient[free]) / size)
    return step
