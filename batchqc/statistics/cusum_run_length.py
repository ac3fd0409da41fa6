"""Run length of the tabular CUSUM, and the limit or allowance for a wanted one.

Page (1954) wrote the integral equation; its state has an atom at zero. Both sides together follow
Lucas and Crosier (1982): a side that signals found the other at zero.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Literal, TypeAlias

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.run_length import (
    Chain,
    RunLength,
    figure_of,
    finite,
    nodes_between,
    positive,
    settle,
    too_long,
)
from batchqc.statistics.values import Floats

Sides: TypeAlias = Literal["one", "two"]
_METHOD: Final = "CUSUM, integral equation of Page 1954 by Gauss-Legendre quadrature"
_TOGETHER: Final = (
    "both sides can be above zero when one signals: the equation for two sides is approximate there"
)
_ROOT: Final = 1e-12
#: A side that alarms more rarely adds nothing to what the other does.
_NEVER: Final = 1e13


def cusum_run_length(
    k: float, h: float, *, shift: float = 0.0, sides: Sides = "two", headstart: float = 0.0
) -> RunLength:
    """Run length of a CUSUM from its start (zero state).

    Args:
        k: allowance, in standard deviations.
        h: decision limit, in standard deviations.
        shift: of the mean, in standard deviations, present from the first lot.
        sides: ``one`` watches upwards only; ``two`` both.
        headstart: where each side begins, in standard deviations (h/2: fast initial response).

    Raises:
        InvalidInput: h is not positive, or the headstart is not between 0 and h.
        NotEstimable: alarms are too rare for a float, or both sides begin so high that the equation
            for two sides has no answer.

    Source:
        Page 1954; two sides: Lucas and Crosier 1982, appendix; headstart: their equation for
        two sides, exact while at most one side is above zero when the other signals.
    """
    _checked(k, h, shift, headstart)
    if sides == "one":
        up = _side(k, h, shift, headstart)
        name = f"{_METHOD}, one side"
        return RunLength(figure_of(up.average(), name), up.deviation(), up)
    name = f"{_METHOD}, both sides (Lucas and Crosier 1982)"
    found = figure_of(_both(k, h, abs(shift), headstart), name)
    if k >= 0 and 2 * headstart <= h + 2 * k:
        return RunLength(found)
    if found.value < 1:
        raise NotEstimable("BQC-STA-001", _TOGETHER, hint="Begin at half the limit, or lower.")
    return RunLength(replace(found, limitations=(*found.limitations, _TOGETHER)))


def cusum_steady_run_length(
    k: float, h: float, *, shift: float, mode: Literal["conditional", "cyclical"] = "conditional"
) -> RunLength:
    """Run length of a one-sided CUSUM when the shift comes late (steady state).

    Args:
        k: allowance, in standard deviations.
        h: decision limit, in standard deviations.
        shift: of the mean, in standard deviations, after a long time in control.
        mode: ``conditional`` on no alarm before; ``cyclical``: begun anew after each false alarm.

    Raises:
        InvalidInput: h is not positive.
        NotEstimable: alarms are too rare for a float, or the chart does not settle.

    Source:
        Crosier 1986 (both definitions of the steady state).
    """
    _checked(k, h, shift, 0.0)
    number = _side(k, h, 0.0, 0.0).first.size - 1
    number = max(number, _side(k, h, shift, 0.0).first.size - 1)
    before, after = _chain(k, h, 0.0, 0.0, number), _chain(k, h, shift, 0.0, number)
    share = before.settled() if mode == "conditional" else before.cyclical()
    late = Chain(after.moves, share @ after.moves)
    name = f"{_METHOD}, one side, steady state ({mode}, Crosier 1986)"
    return RunLength(figure_of(late.average(), name), late.deviation(), late)


def cusum_limit(
    k: float, arl0: float, *, sides: Sides = "two", headstart_share: float = 0.0
) -> float:
    """The decision limit h, in standard deviations, with a wanted run length in control.

    Args:
        k: allowance, in standard deviations.
        arl0: average number of lots to a false alarm.
        sides: ``one`` or ``two``.
        headstart_share: headstart as a share of h, from 0 to below 1.

    Raises:
        InvalidInput: a parameter is out of range.
        NotEstimable: no h gives that run length.

    Source:
        Root of Page's integral equation (1954); no table.
    """
    _wanted(arl0)
    if not 0 <= headstart_share < 1:
        raise InvalidInput("BQC-STA-003", "the headstart is a share of h, from 0 to below 1")

    def excess(h: float) -> float:
        found = cusum_run_length(k, h, sides=sides, headstart=headstart_share * h)
        return float(np.log(found.average.value / arl0))

    return _root(excess, [0.02, 0.5, *range(1, 31)], f"h for k = {k:g}", arl0)


def cusum_allowance(h: float, arl0: float, *, sides: Sides = "two") -> float:
    """The allowance k, in standard deviations, with a wanted run length in control.

    Args:
        h: decision limit, in standard deviations.
        arl0: average number of lots to a false alarm.
        sides: ``one`` or ``two``.

    Raises:
        InvalidInput: a parameter is out of range.
        NotEstimable: no k gives that run length.

    Source:
        Root of Page's integral equation (1954); no table.
    """
    _wanted(arl0)

    def excess(k: float) -> float:
        return float(np.log(cusum_run_length(k, h, sides=sides).average.value / arl0))

    return _root(excess, [0.0, *np.arange(0.1, 5.05, 0.1)], f"k for h = {h:g}", arl0)


def _side(k: float, h: float, shift: float, headstart: float) -> Chain:
    if (k - shift) * (h + 1.166) > 20:  # exp(40) lots and more: Siegmund 1985, equation 2.56
        raise too_long()
    return settle(lambda number: _chain(k, h, shift, headstart, number), 30 + int(4 * h))


def _chain(k: float, h: float, shift: float, headstart: float, number: int) -> Chain:
    places, weights = nodes_between(0.0, h, number)
    here = np.concatenate(([0.0], places))
    moves = np.empty((number + 1, number + 1))
    for row, place in enumerate(here):
        moves[row] = _from(place, k - shift, places, weights)
    return Chain(moves, _from(headstart, k - shift, places, weights))


def _from(place: float, drift: float, places: Floats, weights: Floats) -> Floats:
    """Chance of zero and of each node after one lot."""
    step = places - place + drift
    density = np.exp(-0.5 * step * step) / np.sqrt(2 * np.pi)
    return np.concatenate(([ndtr(drift - place)], weights * density))


def _both(k: float, h: float, shift: float, headstart: float) -> float:
    """Of two sides, of which the shift comes towards the first."""
    near = _side(k, h, shift, headstart).average()
    near0 = _side(k, h, shift, 0.0).average() if headstart else near
    far0 = _rare(k, h, -shift, 0.0)
    if math.isinf(far0):
        return near
    far = _rare(k, h, -shift, headstart) if headstart else far0
    return (near * far0 + near0 * far - near0 * far0) / (near0 + far0)


def _rare(k: float, h: float, shift: float, headstart: float) -> float:
    """Of the side that a shift leaves: it matters by its inverse, so that few digits are enough."""
    try:
        found = _chain(k, h, shift, headstart, 60 + int(6 * h)).average()
    except NotEstimable:
        return math.inf
    return found if 1 <= found < _NEVER else math.inf


def _checked(k: float, h: float, shift: float, headstart: float) -> None:
    positive(h, "h", 1e3)
    finite(k, "k", 1e3)
    finite(shift, "the shift", 1e3)
    if not 0 <= headstart < h:
        raise InvalidInput("BQC-STA-003", f"headstart {headstart:g} is not between 0 and h = {h:g}")


def _wanted(arl0: float) -> None:
    if not 1 < arl0 <= 1e6:
        raise InvalidInput("BQC-STA-003", f"ARL0 {arl0:g} is not between 1 and 1,000,000 lots")


def _root(excess: Callable[[float], float], steps: list[float], what: str, arl0: float) -> float:
    low = steps[0]
    if excess(low) <= 0:  # it grows from here
        for high in steps[1:]:
            if excess(high) >= 0:
                return float(brentq(excess, low, high, xtol=_ROOT, rtol=8.9e-16))
            low = high
    raise NotEstimable("BQC-STA-001", f"no {what} has a run length of {arl0:g} lots in control")
