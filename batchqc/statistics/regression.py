"""Linear regression, ordinary and weighted, of one or several predictors or of a polynomial.

Formulas: Draper and Smith 1998, Applied Regression Analysis, chapters 1, 5 and 9; solved exactly
(:mod:`batchqc.statistics.exact_least_squares`), which meets all NIST StRD linear sets.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.checks import confidence_of, same_length
from batchqc.statistics.exact_least_squares import Column, ExactFit, as_written, dot, solve
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import Floats, enough, values_of

_METHOD: Final = "least squares in exact arithmetic (Draper and Smith 1998, ch. 5)"
_WEIGHTED: Final = "weighted least squares in exact arithmetic (Draper and Smith 1998, ch. 9)"
ASSUMED: Final = (
    "the model has the right shape",
    "errors are independent, of equal variance (or of the stated weights) and about normal",
)
PERFECT: Final = "all points lie exactly on the model: there is no error to measure"


@dataclass(frozen=True, slots=True)
class LinearFit:
    """A fitted linear model.

    Args:
        coefficients: each with its interval, in the order of the terms (intercept first).
        se: standard errors of the coefficients.
        covariance: of the coefficients.
        residuals: observed minus fitted, in the unit of y, unweighted.
        residual_sd: of an observation of weight one.
        r2: share of the sum of squares explained; about the mean if there is an intercept.
        F: of the regression; None where the fit is perfect.
        p: of F; None where F is.
        ss_regression: sum of squares of the regression.
        ss_residual: sum of squares of the residuals.
        df_regression: degrees of freedom of the regression.
        df: degrees of freedom of the residuals.
        n: points.
        intercept: whether the first coefficient is one.
        limitations: what these points do not allow to be said.
        exact: coefficients and inverse of X'WX, as fractions.
    """

    coefficients: tuple[Figure, ...]
    se: Floats
    covariance: Floats
    residuals: Floats
    residual_sd: float
    r2: float
    F: float | None
    p: float | None
    ss_regression: float
    ss_residual: float
    df_regression: int
    df: int
    n: int
    intercept: bool
    limitations: tuple[str, ...]
    exact: ExactFit = field(repr=False)

    @property
    def values(self) -> Floats:
        """The coefficients as numbers."""
        return np.array([one.value for one in self.coefficients])


def polynomial_regression(
    x: ArrayLike,
    y: ArrayLike,
    *,
    degree: int = 1,
    weights: ArrayLike | None = None,
    intercept: bool = True,
    confidence: float = 0.95,
) -> LinearFit:
    """Fits ``b0 + b1 x + ... + bk x^k``; a straight line by default.

    Args:
        x: predictor, n values.
        y: response, n values.
        degree: of the polynomial.
        weights: proportional to 1/variance of each y; all one by default.
        intercept: False for a line through the origin.
        confidence: of the intervals of the coefficients.

    Raises:
        NotEstimable: fewer points than coefficients plus one, or too few different x.
        InvalidInput: lengths differ, a weight is not positive, or the degree is not.
    """
    if not 1 <= degree <= 20:
        raise InvalidInput("BQC-STA-003", f"a polynomial of degree {degree}: from 1 to 20")
    exact = as_written(values_of(x, "x"))
    powers = range(0 if intercept else 1, degree + 1)
    columns = [[value**k for value in exact] for k in powers]
    names = [f"b{k}" for k in powers]
    return _fit(columns, names, y, weights, confidence)


def multiple_regression(
    predictors: Sequence[ArrayLike],
    y: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    intercept: bool = True,
    confidence: float = 0.95,
) -> LinearFit:
    """Fits ``b0 + b1 x1 + ... + bk xk``.

    Args:
        predictors: k columns of n values.
        y: response, n values.
        weights: proportional to 1/variance of each y; all one by default.
        intercept: False for a plane through the origin.
        confidence: of the intervals of the coefficients.

    Raises:
        NotEstimable: too few points, or a predictor is a combination of others.
        InvalidInput: lengths differ, or a weight is not positive.
    """
    columns = [as_written(values_of(one, f"x{k}")) for k, one in enumerate(predictors, 1)]
    names = [f"b{k}" for k in range(1, len(columns) + 1)]
    if not columns or len(columns) > 40:
        raise InvalidInput("BQC-STA-003", f"{len(columns)} predictors: from 1 to 40")
    if intercept:
        columns.insert(0, [Fraction(1)] * len(columns[0]))
        names.insert(0, "b0")
    return _fit(columns, names, y, weights, confidence)


def mean_response(fit: LinearFit, terms: ArrayLike, *, confidence: float = 0.95) -> Figure:
    """The mean of y at the given terms, such as ``(1, x)``, with its two-sided interval."""
    return _at(fit, terms, confidence, extra=0.0, name="mean response")


def prediction(
    fit: LinearFit, terms: ArrayLike, *, confidence: float = 0.95, of_mean: int = 1
) -> Figure:
    """The next y (or mean of several) at the given terms, with its two-sided interval.

    Args:
        fit: of the earlier points.
        terms: values of the terms of the model: ``(1, x)`` for a straight line.
        confidence: of the interval.
        of_mean: how many new values are averaged.
    """
    if of_mean < 1:
        raise InvalidInput("BQC-STA-003", f"a mean of {of_mean} new values")
    return _at(fit, terms, confidence, extra=fit.residual_sd**2 / of_mean, name="prediction")


def _at(fit: LinearFit, terms: ArrayLike, confidence: float, *, extra: float, name: str) -> Figure:
    row = values_of(terms, "terms")
    same_length(row, fit.se, "terms", "coefficients")
    terms_exact = as_written(row)
    try:
        value = float(dot(terms_exact, fit.exact.coefficients))
        leverage = float(dot(terms_exact, [dot(one, terms_exact) for one in fit.exact.inverse]))
    except OverflowError:
        raise NotEstimable("BQC-STA-001", "the terms lie absurdly far from the points") from None
    t = float(stats.t.ppf((1 + confidence_of(confidence)) / 2, fit.df))
    half = t * math.sqrt(leverage * fit.residual_sd**2 + extra)
    return Figure(
        name, value, _METHOD, fit.n, value - half, value + half, confidence, fit.df, ASSUMED,
        fit.limitations,
    )  # fmt: skip


def _fit(
    columns: list[Column],
    names: list[str],
    y: ArrayLike,
    weights: ArrayLike | None,
    confidence: float,
) -> LinearFit:
    try:
        return _fitted(columns, names, y, weights, confidence)
    except OverflowError:
        raise InvalidInput(
            "BQC-STA-003", "the fit leaves the range of numbers: check the units of x and y"
        ) from None


def _fitted(
    columns: list[Column],
    names: list[str],
    y: ArrayLike,
    weights: ArrayLike | None,
    confidence: float,
) -> LinearFit:
    confidence_of(confidence)
    seen = values_of(y, "y")
    weight = np.ones(seen.size) if weights is None else values_of(weights, "weights")
    same_length(seen, weight, "y", "weights")
    same_length(seen, np.empty(len(columns[0])), "y", "x")
    enough(seen, "points", at_least=len(columns) + 1)
    if np.any(weight <= 0):
        raise InvalidInput("BQC-STA-003", "a weight is not positive")
    exact_y, exact_w = as_written(seen), as_written(weight)
    found = solve(columns, exact_y, exact_w)
    n, count, intercept = seen.size, len(columns), names[0] == "b0"
    df = n - count
    centre = dot(exact_w, exact_y) / sum(exact_w) if intercept else Fraction(0)
    total = sum((w * (v - centre) ** 2 for w, v in zip(exact_w, exact_y, strict=True)), Fraction(0))
    variance = found.rss / df
    covariance = np.array([[float(value * variance) for value in row] for row in found.inverse])
    se = np.sqrt(np.diag(covariance))
    reach: Floats = float(stats.t.ppf((1 + confidence) / 2, df)) * se
    limits = (PERFECT,) if not found.rss else ()
    method = _METHOD if weights is None else _WEIGHTED
    values = [float(value) for value in found.coefficients]
    rows = zip(*columns, strict=True)
    df_model = count - int(intercept)
    F = float((total - found.rss) / df_model / variance) if variance and df_model else None
    return LinearFit(
        tuple(
            Figure(name, b, method, n, b - r, b + r, confidence, df, ASSUMED, limits)
            for name, b, r in zip(names, values, reach.tolist(), strict=True)
        ),
        se,
        covariance,
        np.array([float(v - dot(row, found.coefficients))
                  for v, row in zip(exact_y, rows, strict=True)]),
        math.sqrt(variance),
        float(1 - found.rss / total) if total else 0.0,
        F,
        None if F is None else float(stats.f.sf(F, df_model, df)),
        float(total - found.rss),
        float(found.rss),
        df_model,
        df,
        n,
        intercept,
        limits,
        found,
    )  # fmt: skip
