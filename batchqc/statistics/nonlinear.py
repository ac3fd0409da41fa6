"""Nonlinear least squares for a model given as text, with an honest answer on convergence.

Levenberg-Marquardt (Moré 1978, as in MINPACK) with exact derivatives, then Gauss-Newton steps with
residuals in extended precision. A fit counts as converged only where the relative offset of Bates
and Watts (1981, Technometrics 23:179) is small and every parameter leaves a mark on the data.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.checks import all_positive, confidence_of, same_length
from batchqc.statistics.figures import Figure
from batchqc.statistics.model_text import Model, Wide, read_model
from batchqc.statistics.values import Floats, enough, values_of

_METHOD: Final = "nonlinear least squares, Wald interval (Bates and Watts 1988, ch. 2)"
_ASSUMED: Final = (
    "the model has the right shape",
    "errors are independent, of equal variance (or of the stated weights) and about normal",
    "the model is nearly straight in its parameters within the intervals",
)
#: Where a model has no value, a residual that no search goes towards.
_FAR: Final = 1e100
_OFFSET: Final = 1e-5
_DEPENDENT: Final = 1e12


@dataclass(frozen=True, slots=True)
class NonlinearFit:
    """A fitted nonlinear model.

    Args:
        parameters: each with its Wald interval.
        se: standard errors, from the cross product of the derivatives.
        covariance: of the parameters.
        fitted: values of the model (of log y, where that is fitted).
        residuals: observed minus fitted.
        rss: weighted residual sum of squares.
        residual_sd: of an observation of weight one.
        df: of the residuals.
        offset: relative offset of Bates and Watts; 0 is a perfect stationary point.
        limitations: what these points do not allow to be said.
    """

    parameters: tuple[Figure, ...]
    se: Floats
    covariance: Floats
    fitted: Floats
    residuals: Floats
    rss: float
    residual_sd: float
    df: int
    offset: float
    limitations: tuple[str, ...]

    @property
    def values(self) -> Floats:
        """The parameters as numbers."""
        return np.array([one.value for one in self.parameters])


@dataclass(frozen=True, slots=True)
class _Problem:
    model: Model
    predictors: Mapping[str, Wide]
    y: Wide
    root_weight: Wide

    def residuals(self, at: Wide) -> Wide:
        value, _ = self.model.at(at, self.predictors)
        off = (value - self.y) * self.root_weight
        return np.where(np.isfinite(off), np.clip(off, -_FAR, _FAR), _FAR)

    def jacobian(self, at: Wide) -> Floats:
        _, slopes = self.model.at(at, self.predictors)
        found = slopes * self.root_weight[:, None]
        known = np.where(np.isfinite(found), np.clip(found, -_FAR, _FAR), 0.0)
        return known.astype(np.float64)


def nonlinear_regression(
    model: str,
    predictors: Mapping[str, ArrayLike],
    y: ArrayLike,
    start: Mapping[str, float] | Sequence[float],
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> NonlinearFit:
    """Fits a model by least squares.

    Args:
        model: as text, such as ``b1*(1-exp(-b2*x))`` (:mod:`batchqc.statistics.model_text`).
        predictors: n values of each predictor, under its name in the model.
        y: response, n values.
        start: starting value of each parameter, by name, or in the order of the model.
        weights: proportional to 1/variance of each y; all one by default.
        confidence: of the intervals of the parameters.

    Raises:
        InvalidInput: the model cannot be read; lengths or starting values do not fit it.
        NotEstimable: too few points; the iteration did not converge (BQC-STA-002); or the data do
            not tell the parameters apart.
    """
    read = read_model(model, tuple(predictors))
    problem = _problem(read, predictors, y, weights)
    enough(problem.y.astype(np.float64), "points", at_least=len(read.parameters) + 1)
    at = _search(problem, _start(read, start))
    at, offset = _polish(problem, at)
    _converged(problem, at, offset)
    return _result(problem, at, offset, confidence_of(confidence))


def _problem(
    read: Model, predictors: Mapping[str, ArrayLike], y: ArrayLike, weights: ArrayLike | None
) -> _Problem:
    seen = values_of(y, "y")
    weight = np.ones(seen.size) if weights is None else values_of(weights, "weights")
    same_length(seen, weight, "y", "weights")
    if np.any(weight <= 0):
        raise InvalidInput("BQC-STA-003", "a weight is not positive")
    columns = {}
    for name, column in predictors.items():
        found = values_of(column, name)
        same_length(seen, found, "y", name)
        columns[name] = _wide(found)
    response = _wide(seen)
    if read.log_response:
        all_positive(seen, "y")
        response = np.log(response)
    return _Problem(read, columns, response, np.sqrt(_wide(weight)))


def _wide(values: Floats) -> Wide:
    """In extended precision where the machine has it, from the decimals as they were written."""
    return np.array([np.longdouble(repr(float(value))) for value in values])


def _start(read: Model, start: Mapping[str, float] | Sequence[float]) -> Floats:
    names = read.parameters
    given = start if isinstance(start, Mapping) else dict(zip(names, start, strict=False))
    if set(given) != set(names) or len(start) != len(names):
        raise InvalidInput(
            "BQC-STA-003",
            f"starting values are needed for {', '.join(names)}; given: {', '.join(given)}",
        )
    return values_of([given[name] for name in names], "starting values")


def _search(problem: _Problem, at: Floats) -> Floats:
    """Marquardt's way downhill, taken up again until it leads no further."""
    for _ in range(20):
        found = optimize.least_squares(
            lambda b: problem.residuals(b).astype(np.float64),
            at, problem.jacobian, method="lm", x_scale="jac",
            ftol=1e-15, xtol=1e-15, gtol=1e-15, max_nfev=5000,
        )  # fmt: skip
        if np.allclose(found.x, at, rtol=1e-10, atol=0.0):
            break
        at = found.x
    return np.asarray(at, dtype=np.float64)


def _polish(problem: _Problem, at: Floats) -> tuple[Wide, float]:
    """Gauss-Newton steps with residuals in extended precision, while they help."""
    best: Wide = at.astype(np.longdouble)
    offset = math.inf
    for _ in range(50):
        jacobian, off = problem.jacobian(best), problem.residuals(best)
        scale = np.linalg.norm(jacobian, axis=0)
        if not np.all(scale > 0) or not np.all(np.isfinite(scale)) or np.any(np.abs(off) == _FAR):
            break
        q, r = np.linalg.qr(jacobian / scale)
        along = q.T @ off.astype(np.float64)
        across = off.astype(np.float64) - q @ along
        n, p = jacobian.shape
        new = _ratio(np.linalg.norm(along) / p**0.5, np.linalg.norm(across) / (n - p) ** 0.5)
        if new >= offset or _condition(r) > _DEPENDENT:
            break
        offset = new
        kept, best = best, best - np.linalg.solve(r, along) / scale
        if np.sum(problem.residuals(best) ** 2) > np.sum(off**2):
            best = kept
            break
    return best, offset


def _ratio(above: np.floating[Any], below: np.floating[Any]) -> float:
    return float(above / below) if below > 0 else 0.0


def _condition(r: Floats) -> float:
    return float(np.linalg.cond(r))


def _converged(problem: _Problem, at: Wide, offset: float) -> None:
    names = problem.model.parameters
    rss = np.sum(problem.residuals(at) ** 2)
    perfect = rss <= (1e-15 * np.linalg.norm((problem.y * problem.root_weight).astype(float))) ** 2
    scale = np.linalg.norm(problem.jacobian(at), axis=0)
    idle = [name for name, one in zip(names, scale, strict=True) if not 0 < one < math.inf]
    if perfect and not idle:
        return
    if idle or offset > _OFFSET:
        stands = ", ".join(f"{k} = {v:g}" for k, v in zip(names, at.astype(float), strict=True))
        raise NotEstimable(
            "BQC-STA-002",
            "the iteration did not converge from these starting values",
            reasons=[f"it stands at {stands}", f"{', '.join(idle) or 'every parameter'}: "
                     + ("no mark on the data" if idle else f"relative offset {offset:.2g}")],
            hint="Look at the data, and give starting values that draw a curve near them.",
        )  # fmt: skip


def _result(problem: _Problem, at: Wide, offset: float, confidence: float) -> NonlinearFit:
    jacobian, off = problem.jacobian(at), problem.residuals(at)
    scale = np.linalg.norm(jacobian, axis=0)
    _, r = np.linalg.qr(jacobian / scale)
    n, p = jacobian.shape
    if _condition(r) > _DEPENDENT:
        raise NotEstimable(
            "BQC-STA-001", "the data do not tell the parameters of the model apart",
            hint="Use a model with fewer parameters, or measure where they matter.",
        )  # fmt: skip
    inverse = np.linalg.inv(r) / scale[:, None]
    rss, df = float(np.sum(off**2)), n - p
    covariance = inverse @ inverse.T * (rss / df)
    se = np.sqrt(np.diag(covariance))
    reach = stats.t.ppf((1 + confidence) / 2, df) * se
    plain = at.astype(np.float64)
    limits = () if rss > 0 else ("all points lie exactly on the model",)
    fitted, _ = problem.model.at(at, problem.predictors)
    return NonlinearFit(
        tuple(
            Figure(name, float(b), _METHOD, n, float(b - w), float(b + w), confidence, df,
                   _ASSUMED, limits)
            for name, b, w in zip(problem.model.parameters, plain, reach, strict=True)
        ),
        se, covariance, fitted.astype(np.float64), (problem.y - fitted).astype(np.float64),
        rss, math.sqrt(rss / df), df, 0.0 if math.isinf(offset) else offset, limits,
    )  # fmt: skip
