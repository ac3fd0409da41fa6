"""Weights of responses: given, from the response, or from the fitted curve.

A weight is proportional to the inverse of a variance: the sum of ``weight * residual**2`` is made
least. (drc multiplies residuals by its weights, and so squares them.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.curve_fit import Minimum, Tied, least
from batchqc.statistics.values import Floats, values_of

Of: TypeAlias = Literal["given", "response", "fitted"]


@dataclass(frozen=True, slots=True)
class Weighting:
    """Weights.

    Args:
        of: given numbers; ``1 / response ** power``; or ``1 / fitted ** power``, iterated.
        power: of the mean to which the variance is proportional: 1, 2 ...
        given: n positive numbers.
    """

    of: Of
    power: float = 0.0
    given: ArrayLike | None = None


def iterated(
    tied: Tied, weighting: Weighting | None, starts: Sequence[Floats]
) -> tuple[Tied, Minimum]:
    """The fit with the weights; those of the curve are repeated until nothing changes.

    Raises:
        InvalidInput: a weight is not positive, or a response has no such weight.
        NotEstimable: the weights do not settle.
    """
    if weighting is None:
        return tied, least(tied, starts)
    if weighting.of != "fitted":
        tied = replace(tied, weight=_weights(weighting, tied.y))
        return tied, least(tied, starts)
    found = least(tied, starts)
    for _ in range(200):
        tied = replace(tied, weight=_powers(found.fitted, weighting.power))
        after = least(tied, [found.p], near=True)
        if np.max(np.abs(after.fitted - found.fitted)) <= 1e-12 * np.max(np.abs(found.fitted)):
            return tied, after
        found = after
    raise NotEstimable("BQC-STA-002", "the weights of the fitted curve did not settle")


def _weights(weighting: Weighting, y: Floats) -> Floats:
    if weighting.of == "response":
        return _powers(y, weighting.power)
    found = values_of(() if weighting.given is None else weighting.given, "weights")
    if found.size != y.size or np.any(found <= 0):
        raise InvalidInput("BQC-STA-003", f"weights are {y.size} positive numbers")
    return found


def _powers(level: Floats, power: float) -> Floats:
    if np.any(level <= 0):
        raise InvalidInput(
            "BQC-STA-003",
            "a response (or the curve) is not positive: a power of it is no weight",
            hint="Use given weights, or take the background off another way.",
        )
    return np.asarray(level**-power)
