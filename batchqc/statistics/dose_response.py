"""Dose-response curves: four- and five-parameter logistic and their kin, fitted to one preparation.

Dose 0 is kept: it lies on an asymptote. Two standard errors are told and named: from the second
derivatives of the sum of squares (as drc does) and from the first (Gauss-Newton, as nls does).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.curve_fit import Minimum, Tied, least
from batchqc.statistics.curve_models import PARAMETERS, Model, model_of
from batchqc.statistics.curve_starts import starts
from batchqc.statistics.curve_weights import Weighting, iterated
from batchqc.statistics.fieller import two_sided
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import Floats, enough, spread, values_of

Errors: TypeAlias = Literal["hessian", "gauss-newton"]

ASSUMED: Final = (
    "wells independent",
    "residuals normal; variance equal, or as the weights say",
    "the curve has the shape of the model",
)
SOURCE: Final = "least squares (Ritz et al. 2015; USP <1034>); interval: delta method, Student's t"


@dataclass(frozen=True, slots=True)
class CurveOptions:
    """How a curve is fitted.

    Args:
        model: one of ``curve_models.MODELS``: 4PL, 5PL, 3PL ...
        fixed: parameters that are known: ``{"c": 0.0}``.
        weighting: of the responses; equal where None.
        confidence: of the two-sided intervals.
        errors: which standard errors the intervals use.
    """

    model: str = "4PL"
    fixed: Mapping[str, float] = field(default_factory=dict)
    weighting: Weighting | None = None
    confidence: float = 0.95
    errors: Errors = "hessian"


@dataclass(frozen=True, slots=True)
class CurveFit:
    """A fitted curve.

    Args:
        parameters: b, c, d, e and f as far as they are estimated, with intervals.
        se_hessian: standard errors by second derivatives.
        se_gauss_newton: standard errors by first derivatives.
        covariance: of b, c, d, ln e, ln f (those that are estimated), by the chosen errors.
        rss: weighted residual sum of squares.
        df: of the residual.
        residual_sd: root of rss / df.
        log_likelihood: normal, with the variance rss / n.
        fitted: n.
        residuals: n.
        weights: n that were used.
        leverages: n, by Gauss-Newton.
        lack_of_fit: F, its degrees of freedom and p; None without replicates.
    """

    model: Model
    inner: Floats
    parameters: Mapping[str, Figure]
    se_hessian: Mapping[str, float]
    se_gauss_newton: Mapping[str, float]
    covariance: Floats
    rss: float
    df: int
    residual_sd: float
    log_likelihood: float
    fitted: Floats
    residuals: Floats
    weights: Floats
    leverages: Floats
    lack_of_fit: tuple[float, int, int, float] | None
    confidence: float
    limitations: tuple[str, ...]

    @property
    def aic(self) -> float:
        """Akaike's criterion, the residual variance counted as a parameter."""
        return 2 * (len(self.parameters) + 1) - 2 * self.log_likelihood


def fit_curve(
    dose: ArrayLike, response: ArrayLike, options: CurveOptions | None = None
) -> CurveFit:
    """A curve through the responses of one preparation.

    Args:
        dose: n doses, 0 or more.
        response: n responses.
        options: model, fixed parameters, weights, confidence.

    Raises:
        InvalidInput: a number is missing or negative where it may not be, or an option is unknown.
        NotEstimable: fewer wells than parameters and one, too few different doses, equal
            responses, no convergence, or a perfect fit (no error can be estimated).

    Source: Ritz, Baty, Streibig and Gerhard 2015, PLOS ONE 10:e0146021; USP <1034>; Seber & Wild
    1989, Nonlinear Regression, section 2.1 (standard errors).
    """
    how = options or CurveOptions()
    model = model_of(how.model, how.fixed)
    x, y = _checked(dose, response, model)
    tied = _single(model, x, y)
    begins = [tied.maps[0].T @ one for one in starts(model, x, y)]
    tied, found = iterated(tied, how.weighting, begins)
    return _told(tied, found, how)


def _checked(dose: ArrayLike, response: ArrayLike, model: Model) -> tuple[Floats, Floats]:
    doses = values_of(dose, "doses")
    y = spread(values_of(response, "responses"), "responses")
    if doses.size != y.size:
        raise InvalidInput("BQC-STA-003", f"{doses.size} doses and {y.size} responses")
    if np.any(doses < 0):
        raise InvalidInput("BQC-STA-003", "a dose is negative")
    q = len(model.free)
    enough(y, "responses", at_least=q + 1)
    if np.unique(doses).size < q or np.unique(doses[doses > 0]).size < 2:
        raise NotEstimable(
            "BQC-STA-001",
            f"{np.unique(doses).size} different doses for the {q} parameters of {model.name}",
            hint="Use more doses, or fix a parameter.",
        )
    return log_of(doses), y


def log_of(doses: Floats) -> Floats:
    """Ln of doses; minus infinity for 0."""
    return np.where(doses > 0, np.log(np.where(doses > 0, doses, 1.0)), -np.inf)


def _single(model: Model, x: Floats, y: Floats) -> Tied:
    maps, offsets = tie(model)
    of: NDArray[np.intp] = np.zeros(x.size, dtype=np.intp)
    return Tied(model, x, y, np.ones(x.size), of, maps[None], offsets[None])


def tie(model: Model) -> tuple[Floats, Floats]:
    """From the free parameters to b, c, d, ln e, ln f: 5 x q map, and 5 that are fixed."""
    offsets = np.zeros(5)
    for name, value in model.fixed.items():
        offsets[PARAMETERS.index(name)] = np.log(value) if name in {"e", "f"} else value
    return np.eye(5)[:, [PARAMETERS.index(one) for one in model.free]], offsets


def variance_of(tied: Tied, found: Minimum) -> tuple[int, float]:
    """Degrees of freedom and residual variance.

    Raises:
        NotEstimable: nothing is left to estimate it, or the fit is perfect.
    """
    df = int(tied.y.size - found.p.size)
    if df < 1:
        raise NotEstimable("BQC-STA-001", "no degree of freedom is left for the residual error")
    size = float(tied.weight @ (tied.y - tied.y.mean()) ** 2)
    if found.rss <= size * 1e-22:
        raise NotEstimable(
            "BQC-STA-001",
            "the curve goes exactly through every response: no error can be estimated",
            hint="Look whether the responses were computed from a curve.",
        )
    return df, found.rss / df


def _told(tied: Tied, found: Minimum, how: CurveOptions) -> CurveFit:
    model = tied.model
    df, variance = variance_of(tied, found)
    inner = tied.maps[0] @ found.p + tied.offsets[0]
    if _reversed(model, inner):
        inner = inner[[0, 2, 1, 3, 4]] * np.array([-1.0, 1.0, 1.0, 1.0, 1.0])
        found = least(tied, [tied.maps[0].T @ inner])
    by_hessian, by_gauss = found.hessian * variance, found.gauss_newton * variance
    chosen = by_hessian if how.errors == "hessian" else by_gauss
    se = {name: _se(model, inner, one) for name, one in (("h", by_hessian), ("g", by_gauss))}
    used = se["h" if how.errors == "hessian" else "g"]
    t = two_sided(how.confidence, df)
    limits = limitations(tied, inner, found)
    outer = {one: _outer(one, inner) for one in model.free}
    figures = {
        one: Figure(
            one, value, f"{model.name}, {SOURCE}", tied.y.size, value - t * used[one],
            value + t * used[one], how.confidence, df, ASSUMED, limits,
        )
        for one, value in outer.items()
    }  # fmt: skip
    n = tied.y.size
    mean_log = float(np.mean(np.log(tied.weight)))
    likelihood = -n / 2 * (np.log(2 * np.pi * found.rss / n) + 1 - mean_log)
    return CurveFit(
        model, inner, figures, se["h"], se["g"], chosen, found.rss, df, float(np.sqrt(variance)),
        float(likelihood), found.fitted, tied.y - found.fitted, tied.weight,
        found.leverages, lack_of_fit(tied, found), how.confidence, limits,
    )  # fmt: skip


def _reversed(model: Model, inner: Floats) -> bool:
    """Whether d is the lower asymptote of a logistic that is the same with c and d exchanged."""
    return bool(inner[2] < inner[1] and model.name == "4PL" and set(model.fixed) == {"f"})


def _outer(name: str, inner: Floats) -> float:
    value = inner[PARAMETERS.index(name)]
    return float(np.exp(value) if name in {"e", "f"} else value)


def _se(model: Model, inner: Floats, covariance: Floats) -> dict[str, float]:
    roots = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    return {
        one: float(root * (_outer(one, inner) if one in {"e", "f"} else 1.0))
        for one, root in zip(model.free, roots, strict=True)
    }


def lack_of_fit(tied: Tied, found: Minimum) -> tuple[float, int, int, float] | None:
    """F of lack of fit against pure error, its degrees of freedom and p; None without replicates.

    Source: Draper & Smith 1998, Applied Regression Analysis, section 2.1.
    """
    cells = np.unique(np.column_stack([tied.of, tied.log_dose]), axis=0, return_inverse=True)[1]
    cells = cells.ravel()
    sums = np.bincount(cells, tied.weight)
    means = (np.bincount(cells, tied.weight * tied.y) / sums)[cells]
    pure = float(tied.weight @ (tied.y - means) ** 2)
    df_pure = int(tied.y.size - sums.size)
    df_lack = int(sums.size - found.p.size)
    if df_pure < 1 or df_lack < 1 or pure <= 0:
        return None
    f = max(found.rss - pure, 0.0) / df_lack / (pure / df_pure)
    return f, df_lack, df_pure, float(stats.f.sf(f, df_lack, df_pure))


def limitations(tied: Tied, inner: Floats, found: Minimum) -> tuple[str, ...]:
    """What the doses do not show of the curve."""
    told = []
    doses = tied.log_dose[np.isfinite(tied.log_dose)]
    if not doses.min() <= inner[3] <= doses.max():
        told.append("the middle of the curve (e) lies outside the doses: it is extrapolated")
    mean = (tied.weight @ tied.y) / tied.weight.sum()
    whole = float(tied.weight @ (tied.y - mean) ** 2)
    df, more = tied.y.size - found.p.size, found.p.size - 1
    if more > 0 and df > 0:
        f = (whole - found.rss) / more / (found.rss / df)
        if f <= 0 or stats.f.sf(f, more, df) > 0.05:
            told.append("the curve is flat: the dose does not explain the response (F test, 5 %)")
    return tuple(told)
