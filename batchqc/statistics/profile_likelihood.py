"""Interval of one parameter of a least-squares fit by profile likelihood."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
from scipy import optimize

from batchqc.errors import NotEstimable
from batchqc.statistics.curve_fit import Minimum, Tied, least

#: Beyond this factor a limit of a potency is no limit.
_FARTHEST: Final = float(np.log(1e6))


def profile(
    tied: Tied, found: Minimum, place: int, rise: float
) -> tuple[float | None, float | None]:
    """Where the least sum of squares at a fixed parameter has risen by so much, on both sides.

    Args:
        tied: the problem.
        found: its minimum.
        place: of the parameter.
        rise: squared quantile times residual variance.

    Returns:
        None for an end that is not reached within a factor of a million, or on the way to which
        the other parameters are no longer determined (an asymptote runs away).

    Source: Bates & Watts 1988, Nonlinear Regression Analysis, section 6.1.
    """
    keep = np.arange(found.p.size) != place
    last = found.p[keep]

    def excess(value: float) -> float:
        fixed = replace(
            tied,
            maps=tied.maps[:, :, keep],
            offsets=tied.offsets + tied.maps[:, :, place] * value,
        )
        return least(fixed, [last], near=True).rss - found.rss - rise

    at = float(found.p[place])
    step = float(np.sqrt(rise * found.gauss_newton[place, place]))
    return _end(excess, at, -step), _end(excess, at, step)


def _end(excess: Callable[[float], float], at: float, step: float) -> float | None:
    near, far = at, at + step
    try:
        while excess(far) < 0:
            near, far = far, far + step
            step *= 1.6
            if abs(far - at) > _FARTHEST:
                return None
        return float(optimize.brentq(excess, near, far, xtol=1e-11, rtol=1e-11))
    except NotEstimable:
        return None
