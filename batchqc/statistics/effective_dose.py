"""What a fitted curve says: effective doses, predictions, and any function of its parameters."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.curve_models import PARAMETERS, Numbers, curve
from batchqc.statistics.dose_response import ASSUMED, SOURCE, CurveFit, log_of
from batchqc.statistics.fieller import two_sided
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import Floats, values_of


def derived(
    fit: CurveFit, name: str, function: Callable[[Numbers], Numbers], *, log: bool = False
) -> Figure:
    """A function of the parameters with its interval by the delta method.

    Args:
        fit: the curve.
        name: of what is computed.
        function: analytic, of b, c, d, ln e, ln f.
        log: the function gives a logarithm, of which the interval is taken back.

    Raises:
        NotEstimable: the function has no finite value.
    """
    value, se = delta(fit, function)
    half = two_sided(fit.confidence, fit.df) * se
    ends = (value, value - half, value + half)
    value, low, high = (float(np.exp(min(one, 700.0))) for one in ends) if log else ends
    scale = " of ln" if log else ""
    return Figure(
        name, value, f"{fit.model.name}, {SOURCE}{scale}", fit.fitted.size, low, high,
        fit.confidence, fit.df, ASSUMED, fit.limitations,
    )  # fmt: skip


def delta(fit: CurveFit, function: Callable[[Numbers], Numbers]) -> tuple[float, float]:
    """Value and standard error of a function of b, c, d, ln e, ln f."""
    places = [PARAMETERS.index(one) for one in fit.model.free]
    with np.errstate(all="ignore"):
        value = float(np.real(function(fit.inner.astype(np.complex128))))
        slope = []
        for place in places:
            step = fit.inner.astype(np.complex128)
            step[place] += 1e-150j
            slope.append(float(np.imag(function(step)) / 1e-150))
    if not np.all(np.isfinite([value, *slope])):
        raise NotEstimable("BQC-STA-001", "the curve does not reach this: there is no such dose")
    return value, float(np.sqrt(max(np.array(slope) @ fit.covariance @ np.array(slope), 0.0)))


def effective_dose(fit: CurveFit, share: float = 0.5, *, log: bool = False) -> Figure:
    """The dose with a share of the effect, from the response at dose 0 to that at the highest.

    Args:
        fit: the curve.
        share: between 0 and 1: 0.5 for the ED50 (EC50, IC50).
        log: take the interval on the scale of ln.

    Raises:
        InvalidInput: the share is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise InvalidInput("BQC-STA-003", f"a share of {share:g} is not between 0 and 1")
    upper_first = (fit.inner[0] > 0) == fit.model.shape.falls
    height = 1 - share if upper_first else share

    def log_dose(p: Numbers) -> Numbers:
        found: Numbers = p[3] + fit.model.shape.inverse(height, np.exp(p[4])) / p[0]
        return found

    name = f"ED{100 * share:g}"
    return derived(fit, name, log_dose if log else lambda p: np.exp(log_dose(p)), log=log)


def dose_at(fit: CurveFit, response: float, *, log: bool = False) -> Figure:
    """The dose at which the curve has a response (an absolute effective dose).

    Args:
        fit: the curve.
        response: between the asymptotes.
        log: take the interval on the scale of ln.

    Raises:
        NotEstimable: the curve does not reach the response.
    """

    def log_dose(p: Numbers) -> Numbers:
        share = (response - p[1]) / (p[2] - p[1])
        found: Numbers = p[3] + fit.model.shape.inverse(share, np.exp(p[4])) / p[0]
        return found

    if not 0 < (response - fit.inner[1]) / (fit.inner[2] - fit.inner[1]) < 1:
        raise NotEstimable("BQC-STA-001", f"the curve does not reach {response:g}")
    name = f"dose at {response:g}"
    return derived(fit, name, log_dose if log else lambda p: np.exp(log_dose(p)), log=log)


def predicted(fit: CurveFit, dose: ArrayLike) -> Floats:
    """The responses of the curve at doses of 0 or more."""
    x = log_of(values_of(dose, "doses"))
    return np.asarray(curve(fit.model, np.repeat(fit.inner[:, None], x.size, 1), x)[0])
