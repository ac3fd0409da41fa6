"""Shapes of dose-response curves, with their derivatives.

Every curve is ``c + (d - c) S(u)`` with ``u = b (ln x - ln e)``: ``c`` and ``d`` are the responses
where S is 0 and 1, ``e`` the dose in the middle and ``b`` the steepness; ``f`` bends the logistic.
The names of the parameters are those of Ritz et al. 2015. A dose of 0 lies on an asymptote.

All expressions are analytic, so that a complex step gives derivatives to the last digit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from batchqc.errors import InvalidInput

#: Real, or complex where a derivative is taken.
Numbers: TypeAlias = NDArray[Any]

#: Internal order: steepness, asymptotes, ln of the middle dose, ln of the bend.
PARAMETERS: Final = ("b", "c", "d", "e", "f")


@dataclass(frozen=True, slots=True)
class Shape:
    """S(u) to the power f and its derivatives by u and ln f; ``falls`` where S falls in u."""

    share: Callable[[Numbers, Any], tuple[Numbers, Numbers, Numbers]]
    falls: bool
    inverse: Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Model:
    """A shape of which some parameters are fixed."""

    name: str
    shape: Shape
    fixed: Mapping[str, float] = field(default_factory=dict)

    @property
    def free(self) -> tuple[str, ...]:
        """The parameters that are estimated."""
        return tuple(one for one in PARAMETERS if one not in self.fixed)


def _clipped(u: Numbers, low: float, high: float) -> Numbers:
    real = np.real(u)
    return np.where(real > high, high, np.where(real < low, low, u))


def _logistic(u: Numbers, f: Any) -> tuple[Numbers, Numbers, Numbers]:
    rise = np.exp(_clipped(u, -700.0, 700.0))
    base = 1 / (1 + rise)
    log = -np.log1p(rise) if not np.iscomplexobj(rise) else -np.log(1 + rise)
    share = np.exp(f * log)
    return share, -f * share * rise * base, f * share * log


def _weibull1(u: Numbers, _f: Any) -> tuple[Numbers, Numbers, Numbers]:
    rise = np.exp(_clipped(u, -700.0, 6.5))
    share = np.exp(-rise)
    return share, -rise * share, share * 0


def _weibull2(u: Numbers, _f: Any) -> tuple[Numbers, Numbers, Numbers]:
    share, slope, nothing = _weibull1(u, _f)
    return 1 - share, -slope, nothing


def _lognormal(u: Numbers, _f: Any) -> tuple[Numbers, Numbers, Numbers]:
    inside = _clipped(u, -37.0, 37.0)
    density = np.exp(-inside * inside / 2) / np.sqrt(2 * np.pi)
    return special.ndtr(inside), density, inside * 0


_LOGISTIC: Final = Shape(_logistic, falls=True, inverse=lambda s, f: np.log(s ** (-1 / f) - 1))
_WEIBULL1: Final = Shape(_weibull1, falls=True, inverse=lambda s, _f: np.log(-np.log(s)))
_WEIBULL2: Final = Shape(_weibull2, falls=False, inverse=lambda s, _f: np.log(-np.log(1 - s)))
_LOGNORMAL: Final = Shape(_lognormal, falls=False, inverse=lambda s, _f: special.ndtri(s))

#: By name: 4PL, 5PL, 3PL (lower asymptote 0), 2PL (0 to 1), Weibull 1 and 2, log-normal,
#: exponential decay and rise, Michaelis-Menten.
MODELS: Final[Mapping[str, Model]] = {
    one.name: one
    for one in (
        Model("4PL", _LOGISTIC, {"f": 1.0}),
        Model("5PL", _LOGISTIC),
        Model("3PL", _LOGISTIC, {"c": 0.0, "f": 1.0}),
        Model("3PL upper 1", _LOGISTIC, {"d": 1.0, "f": 1.0}),
        Model("2PL", _LOGISTIC, {"c": 0.0, "d": 1.0, "f": 1.0}),
        Model("Weibull 1", _WEIBULL1, {"f": 1.0}),
        Model("Weibull 1, 3", _WEIBULL1, {"c": 0.0, "f": 1.0}),
        Model("Weibull 2", _WEIBULL2, {"f": 1.0}),
        Model("Weibull 2, 3", _WEIBULL2, {"c": 0.0, "f": 1.0}),
        Model("log-normal", _LOGNORMAL, {"f": 1.0}),
        Model("log-normal, 3", _LOGNORMAL, {"c": 0.0, "f": 1.0}),
        Model("exponential", _WEIBULL1, {"b": 1.0, "f": 1.0}),
        Model("exponential, 2", _WEIBULL1, {"b": 1.0, "c": 0.0, "f": 1.0}),
        Model("exponential rise", _WEIBULL2, {"b": 1.0, "f": 1.0}),
        Model("Michaelis-Menten", _LOGISTIC, {"b": -1.0, "c": 0.0, "f": 1.0}),
    )
}


def model_of(name: str, fixed: Mapping[str, float] | None = None) -> Model:
    """A model by name, with further parameters fixed.

    Args:
        name: one of ``MODELS``.
        fixed: values of b, c, d, e or f that are known.

    Raises:
        InvalidInput: there is no such model or parameter, or nothing is left to estimate.
    """
    if name not in MODELS:
        raise InvalidInput("BQC-STA-003", f"model {name!r} is none of {', '.join(MODELS)}")
    model, own = MODELS[name], dict(fixed or {})
    if not set(own) <= set(PARAMETERS) or any(own.get(one, 1.0) <= 0 for one in "ef"):
        raise InvalidInput("BQC-STA-003", "fixed are b, c, d, e or f; e and f are positive")
    joined = {**model.fixed, **own}
    if len(joined) == len(PARAMETERS):
        raise InvalidInput("BQC-STA-003", "every parameter is fixed: nothing is left to estimate")
    return Model(name, model.shape, joined)


def curve(model: Model, inner: Numbers, log_dose: NDArray[np.float64]) -> tuple[Numbers, Numbers]:
    """Response and its derivatives.

    Args:
        model: whose shape it is.
        inner: 5 x n: b, c, d, ln e, ln f of each well.
        log_dose: n; minus infinity where the dose is 0.

    Returns:
        n responses; n x 5 derivatives by b, c, d, ln e, ln f.
    """
    b, c, d, middle, bend = inner
    blank = np.isneginf(log_dose)
    away = np.where(blank, 0.0, log_dose) - middle
    share, slope, bent = model.shape.share(b * away, np.exp(bend))
    end = (np.real(b) > 0) == model.shape.falls
    share = np.where(blank, end * 1.0, share)
    slope, bent = np.where(blank, 0.0, slope), np.where(blank, 0.0, bent)
    span = d - c
    jacobian = np.stack([span * slope * away, 1 - share, share, -span * slope * b, span * bent], 1)
    return c + span * share, jacobian
