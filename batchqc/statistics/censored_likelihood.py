"""The likelihood of normal data of which some are only known to lie in an interval.

Parameters of Olsen 1978 (Econometrica 46:1211): the likelihood is concave in them, so Newton's
method finds its one maximum. A value is an interval: both ends equal where it was measured, the
lower end -inf where it is below a detection limit, the upper end inf where it is above one.
Nothing is substituted (Helsel 2012, Statistics for Censored Environmental Data, ch. 1).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.checks import all_positive, flags, same_length
from batchqc.statistics.values import LARGEST, Floats, values_of

#: Rises of the log-likelihood so small that Newton's step needs no check, or was the last.
_NEAR: Final = 1e-6
_DONE: Final = 1e-18


@dataclass(frozen=True, slots=True)
class Censored:
    """Values as intervals.

    Args:
        lower: ends; -inf where there is none.
        upper: ends; inf where there is none; equal to ``lower`` where the value was measured.
    """

    lower: Floats
    upper: Floats

    @property
    def measured(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which values are known exactly."""
        return np.asarray(self.lower == self.upper)

    @property
    def n(self) -> int:
        """All values."""
        return self.lower.size

    def logarithms(self) -> "Censored":
        """The same on the log scale; a value below a limit lies between 0 and the limit.

        Raises:
            InvalidInput: an upper end is not above zero, or a measured value is not.
        """
        all_positive(self.upper, "values and limits")
        all_positive(self.lower[self.measured], "values")
        with np.errstate(divide="ignore"):
            return Censored(np.log(np.maximum(self.lower, 0.0)), np.log(self.upper))


def below(values: ArrayLike, censored: ArrayLike) -> Censored:
    """Values of which the flagged ones are limits that the truth lies below (``<0.05``)."""
    found = values_of(values)
    return Censored(np.where(flags(censored, found.size), -np.inf, found), found)


def above(values: ArrayLike, censored: ArrayLike) -> Censored:
    """Values of which the flagged ones are limits that the truth lies above (``>1000``)."""
    found = values_of(values)
    return Censored(found, np.where(flags(censored, found.size), np.inf, found))


def between(lower: ArrayLike, upper: ArrayLike) -> Censored:
    """Values by the two ends of what is known; None or infinity where an end is open.

    Raises:
        InvalidInput: ends are crossed, both open, or of different number.
    """
    low = _ends(lower, -np.inf)
    high = _ends(upper, np.inf)
    same_length(low, high, "lower", "upper ends")
    if np.any(low > high) or np.any(np.isinf(low) & np.isinf(high)) or not low.size:
        raise InvalidInput("BQC-STA-003", "ends are crossed, or a value has neither")
    return Censored(low, high)


def _ends(data: ArrayLike, opened: float) -> Floats:
    try:
        found = np.array(data, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput("BQC-STA-003", "ends of intervals are not all numbers") from None
    found = np.where(np.isnan(found), opened, found)
    if found.ndim != 1 or np.any((np.abs(found) > LARGEST) & np.isfinite(found)):
        raise InvalidInput("BQC-STA-003", "ends of intervals are absurd, or no list")
    return found


@dataclass(frozen=True, slots=True)
class Maximum:
    """Of the likelihood: coefficients, sigma, covariance of both (sigma last), log-likelihood."""

    coefficients: Floats
    sigma: float
    covariance: Floats
    loglik: float


def maximise(data: Censored, design: Floats) -> Maximum:
    """Fits ``y = design @ coefficients + sigma * normal``.

    Args:
        data: n values.
        design: n x k.

    Raises:
        NotEstimable: the likelihood has no maximum: no two different measured values, too few
            values, or all lie on one side.
    """
    n, k = design.shape
    shift, scale = _units(data, n, k)
    shape = np.linalg.norm(design, axis=0)
    x = design / np.where(shape > 0, shape, 1.0)
    ends = Censored((data.lower - shift) / scale, (data.upper - shift) / scale)
    at = np.append(np.zeros(k), 1.0)
    here = _terms(ends, x, at)
    for _ in range(200):
        step = _newton(here[1], here[2])
        rise = float(here[1] @ step)
        length = 1.0 if rise < _NEAR else _length(ends, x, at, step, here[0])
        at = at + length * step
        if rise < _DONE or not length:
            break
        if at[-1] > 1e7:
            raise NotEstimable("BQC-STA-001", "the fit runs towards a perfect one: no spread left")
        here = _terms(ends, x, at)
    value, gradient, hessian = _terms(ends, x, at)
    if np.linalg.norm(gradient) > 1e-5 * (1 + abs(value)):
        raise NotEstimable("BQC-STA-002", "the likelihood of the censored data found no maximum")
    return _back(data, design, at, (shape, shift, scale), (value, hessian))


def loglik(data: Censored, mean: Floats, sigma: float) -> float:
    """Log-likelihood at a mean for each value and a common sigma."""
    z = Censored((data.lower - mean) / sigma, (data.upper - mean) / sigma)
    exact = data.measured
    seen = -0.5 * z.lower[exact] ** 2 - math.log(sigma) - 0.5 * math.log(2 * math.pi)
    return math.fsum([*seen, *log_share(z.lower[~exact], z.upper[~exact])])


def log_share(low: Floats, high: Floats) -> Floats:
    """Logarithm of the standard normal probability between two ends, in either tail."""
    flip = low > 0
    a, b = np.where(flip, -high, low), np.where(flip, -low, high)
    top, bottom = scipy.special.log_ndtr(b), scipy.special.log_ndtr(a)
    with np.errstate(divide="ignore"):
        return np.asarray(top + np.log(-np.expm1(np.minimum(bottom - top, 0.0))))


def _units(data: Censored, n: int, k: int) -> tuple[float, float]:
    known = data.lower[data.measured]
    if n < k + 1:
        raise NotEstimable("BQC-STA-001", f"{n} values for {k + 1} parameters")
    ends = np.concatenate(
        [data.lower[np.isfinite(data.lower)], data.upper[np.isfinite(data.upper)]]
    )
    width = float(np.ptp(ends))
    open_below, open_above = np.isinf(data.lower).all(), np.isinf(data.upper).all()
    if open_below or open_above:
        raise NotEstimable(
            "BQC-STA-001", "all values are censored: there is nothing to estimate from",
            hint="Use the exact binomial bound (exceedance): it says what can be said.",
        )  # fmt: skip
    if not width or (data.measured.any() and np.unique(known).size < 2 and k == 1
                     and not np.any(np.isfinite(data.lower) & np.isfinite(data.upper)
                                    & ~data.measured)):  # fmt: skip
        raise NotEstimable(
            "BQC-STA-001", f"{known.size} measured values are not two different ones: no spread",
        )  # fmt: skip
    return float(np.median(ends)), width


def _terms(ends: Censored, x: Floats, at: Floats) -> tuple[float, Floats, Floats]:
    """Log-likelihood, gradient and Hessian in Olsen's parameters (gamma, theta = 1 / sigma)."""
    theta, centre, exact = float(at[-1]), x @ at[:-1], ends.measured
    y = ends.lower[exact]
    off = theta * y - centre[exact]
    rows = np.column_stack([-x[exact], y])
    value = exact.sum() * (math.log(theta) - 0.5 * math.log(2 * math.pi)) - 0.5 * float(off @ off)
    gradient, hessian = -rows.T @ off, -rows.T @ rows
    gradient[-1] += exact.sum() / theta
    hessian[-1, -1] -= exact.sum() / theta**2
    hidden = ~exact
    low, high = ends.lower[hidden], ends.upper[hidden]
    za, zb = theta * low - centre[hidden], theta * high - centre[hidden]
    share = log_share(za, zb)
    ha, hb = (np.exp(-0.5 * z * z - 0.5 * math.log(2 * math.pi) - share) for z in (za, zb))
    open_a, open_b = np.isinf(low), np.isinf(high)
    ra = np.column_stack([-x[hidden], np.where(open_a, 0.0, low)])
    rb = np.column_stack([-x[hidden], np.where(open_b, 0.0, high)])
    fa, fb = np.where(open_a, 0.0, za), np.where(open_b, 0.0, zb)
    gradient += rb.T @ hb - ra.T @ ha
    cross = rb.T @ (ra * (ha * hb)[:, None])
    hessian += (rb.T @ (rb * (-fb * hb - hb * hb)[:, None])
                + ra.T @ (ra * (fa * ha - ha * ha)[:, None]) + cross + cross.T)  # fmt: skip
    return value + float(share.sum()), gradient, hessian


def _newton(gradient: Floats, hessian: Floats) -> Floats:
    eigen, vectors = np.linalg.eigh(-hessian)
    if eigen[-1] <= 0 or eigen[0] < 1e-13 * eigen[-1]:
        raise NotEstimable("BQC-STA-001", "the data do not tell the parameters apart")
    return np.asarray(vectors @ ((vectors.T @ gradient) / eigen))


def _length(ends: Censored, x: Floats, at: Floats, step: Floats, value: float) -> float:
    """The longest halved step that climbs; 0 where none does."""
    length = 1.0
    while length > 1e-9:
        new = at + length * step
        if new[-1] > 0 and _terms(ends, x, new)[0] > value:
            return length
        length /= 2
    return 0.0


def _back(
    data: Censored,
    design: Floats,
    at: Floats,
    units: tuple[Floats, float, float],
    top: tuple[float, Floats],
) -> Maximum:
    """Coefficients and sigma in the units of the data, with their covariance by the delta rule."""
    shape, shift, scale = units
    theta, gamma, k = float(at[-1]), at[:-1], at.size - 1
    sigma = scale / theta
    slopes = np.zeros((k + 1, k + 1))
    slopes[:k, :k] = np.diag(scale / (theta * shape))
    slopes[:k, k] = -scale * gamma / (theta**2 * shape)
    slopes[k, k] = -scale / theta**2
    covariance = slopes @ np.linalg.inv(-top[1]) @ slopes.T
    coefficients = scale * gamma / (theta * shape)
    if shift:
        moved, *_ = np.linalg.lstsq(design, np.full(data.n, shift), rcond=None)
        coefficients = coefficients + moved
    loglik_found = top[0] - float(data.measured.sum()) * math.log(scale)
    return Maximum(coefficients, sigma, covariance, float(loglik_found))
