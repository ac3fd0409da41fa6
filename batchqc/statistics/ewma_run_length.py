"""Run length of the EWMA chart, and the width or weight for a wanted one.

In units of one standard deviation of a lot; the limits lie at ``width`` times the standard
deviation of the moving average. With exact limits, which widen over the first lots, the density of
the chart without an alarm is carried from lot to lot until the limits stand still.
"""

import math
from typing import Final, Literal, TypeAlias

import numpy as np
from scipy.optimize import brentq, minimize_scalar
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

Limits: TypeAlias = Literal["asymptotic", "exact"]
_METHOD: Final = "EWMA, Fredholm equation (Crowder 1987) by Gauss-Legendre quadrature"
_STILL: Final = 1e-15


def ewma_run_length(
    weight: float,
    width: float,
    *,
    shift: float = 0.0,
    limits: Limits = "asymptotic",
    start: float = 0.0,
) -> RunLength:
    """Run length of a two-sided EWMA chart from its start (zero state).

    Args:
        weight: lambda, above 0, to 1.
        width: L, in standard deviations of the moving average.
        shift: of the mean, in standard deviations of a lot, present from the first lot.
        limits: ``asymptotic`` (the same for every lot) or ``exact`` (narrower for the first ones).
        start: of the moving average, in standard deviations of a lot (a headstart).

    Raises:
        InvalidInput: a parameter is out of range.
        NotEstimable: alarms are too rare for a float.

    Source:
        Crowder 1987; Lucas and Saccucci 1990; exact limits: Knoth 2003 (the idea of carrying the
        density), Montgomery 2020, 9.2.2 (the variance).
    """
    _checked(weight, width, shift)
    finite(start, "the start", width * _scale(weight))
    if limits == "exact":
        value = _exact(weight, width, shift, start)
        return RunLength(figure_of(value, f"{_METHOD}, exact limits"))
    chain = settle(
        lambda number: _chain(weight, width, shift, start, number), _nodes(weight, width)
    )
    return RunLength(figure_of(chain.average(), _METHOD), chain.deviation(), chain)


def ewma_one_sided_run_length(
    weight: float, width: float, *, shift: float = 0.0, barrier: float = 0.0, start: float = 0.0
) -> RunLength:
    """Run length of an EWMA that watches upwards and is reset to a barrier below.

    Args:
        weight: lambda, above 0, to 1.
        width: L, in standard deviations of the moving average.
        shift: of the mean, in standard deviations of a lot.
        barrier: the lowest value the average may take, in standard deviations of the average.
        start: of the average, in standard deviations of the average.

    Raises:
        InvalidInput: a parameter is out of range; the barrier is not below the limit.
        NotEstimable: alarms are too rare for a float.

    Source:
        Crowder and Hamilton 1992 (the reset); solved as a Fredholm equation with an atom.
    """
    _checked(weight, width, shift)
    if not -1e3 < barrier < width or not barrier <= start < width:
        raise InvalidInput("BQC-STA-003", "wanted: barrier <= start < width, barrier below width")
    chain = settle(
        lambda number: _reset_chain(weight, (barrier, width), shift, start, number),
        _nodes(weight, width),
    )
    name = f"{_METHOD}, upper side, reset to a barrier"
    return RunLength(figure_of(chain.average(), name), chain.deviation(), chain)


def ewma_steady_run_length(
    weight: float,
    width: float,
    *,
    shift: float,
    mode: Literal["conditional", "cyclical"] = "conditional",
) -> RunLength:
    """Run length of a two-sided EWMA when the shift comes late (steady state).

    Args:
        weight: lambda, above 0, to 1.
        width: L, in standard deviations of the moving average.
        shift: of the mean, in standard deviations of a lot, after a long time in control.
        mode: ``conditional`` on no alarm before; ``cyclical``: begun anew after each false alarm.

    Raises:
        InvalidInput: a parameter is out of range.
        NotEstimable: alarms are too rare for a float, or the chart does not settle.

    Source:
        Crosier 1986 (definitions), Lucas and Saccucci 1990.
    """
    _checked(weight, width, shift)
    number = max(_settled_nodes(weight, width, one) for one in (0.0, shift))
    before, after = (_chain(weight, width, d, 0.0, number) for d in (0.0, shift))
    share = before.settled() if mode == "conditional" else before.cyclical()
    late = Chain(after.moves, share @ after.moves)
    name = f"{_METHOD}, steady state ({mode}, Crosier 1986)"
    return RunLength(figure_of(late.average(), name), late.deviation(), late)


def ewma_width(weight: float, arl0: float, *, limits: Limits = "asymptotic") -> float:
    """The width L with a wanted run length in control.

    Args:
        weight: lambda, above 0, to 1.
        arl0: average number of lots to a false alarm.
        limits: ``asymptotic`` or ``exact``.

    Raises:
        InvalidInput: a parameter is out of range.
        NotEstimable: no width gives that run length.

    Source:
        Root of Crowder's equation (1987); no table.
    """
    _wanted(arl0)

    def excess(width: float) -> float:
        found = ewma_run_length(weight, width, limits=limits).average.value
        return math.log(found / arl0)

    low = 0.25
    for high in np.arange(0.5, 6.01, 0.25):
        if excess(float(high)) >= 0 >= excess(low):
            return float(brentq(excess, low, float(high), xtol=1e-12, rtol=8.9e-16))
        low = float(high)
    raise NotEstimable("BQC-STA-001", f"no width has a run length of {arl0:g} lots in control")


def ewma_design(shift: float, arl0: float) -> tuple[float, float]:
    """Weight and width that find a shift soonest, at a wanted run length in control.

    Args:
        shift: to be found, in standard deviations of a lot; not 0.
        arl0: average number of lots to a false alarm.

    Returns:
        lambda and L; lambda to about four digits, as its optimum is flat.

    Raises:
        InvalidInput: the shift is 0 or above 4, or arl0 is out of range.
        NotEstimable: no width gives that run length.

    Source:
        Crowder 1989; Lucas and Saccucci 1990.
    """
    if not 0.1 <= abs(shift) <= 4:
        raise InvalidInput("BQC-STA-003", f"shift {shift:g}: wanted is one of 0.1 to 4 in size")

    def delay(weight: float) -> float:
        width = ewma_width(weight, arl0)
        return ewma_run_length(weight, width, shift=shift).average.value

    found = minimize_scalar(delay, bounds=(0.01, 1.0), method="bounded", options={"xatol": 1e-5})
    return float(found.x), ewma_width(float(found.x), arl0)


def _scale(weight: float) -> float:
    return math.sqrt(weight / (2.0 - weight))


def _nodes(weight: float, width: float) -> int:
    return 30 + int(3 * 2 * width * _scale(weight) / weight)


def _settled_nodes(weight: float, width: float, shift: float) -> int:
    chain = settle(lambda n: _chain(weight, width, shift, 0.0, n), _nodes(weight, width))
    return chain.first.size


def _chain(weight: float, width: float, shift: float, start: float, number: int) -> Chain:
    high = width * _scale(weight)
    places, weights = nodes_between(-high, high, number)
    moves = _density(weight, shift, places[:, None], places) * weights
    return Chain(moves, _density(weight, shift, np.asarray(start), places) * weights)


def _density(weight: float, shift: float, here: Floats, after: Floats) -> Floats:
    step = (after - (1.0 - weight) * here) / weight - shift
    return np.asarray(np.exp(-0.5 * step * step) / (weight * math.sqrt(2 * math.pi)))


def _reset_chain(
    weight: float, ends: tuple[float, float], shift: float, start: float, number: int
) -> Chain:
    low, high, begin = (one * _scale(weight) for one in (*ends, start))
    places, weights = nodes_between(low, high, number)
    here = np.concatenate(([low], places, [begin]))[:, None]
    atom = ndtr((low - (1.0 - weight) * here) / weight - shift)
    moves = np.hstack((atom, _density(weight, shift, here, places) * weights))
    return Chain(moves[:-1], moves[-1])


def _exact(weight: float, width: float, shift: float, start: float) -> float:
    """Lots to an alarm: those without one while limits widen, then those under the last limits."""
    final = settle(
        lambda number: _chain(weight, width, shift, start, number), _nodes(weight, width)
    )
    number = final.first.size
    one, unit = nodes_between(-1.0, 1.0, number)
    full = width * _scale(weight)
    left = np.linalg.solve(np.eye(number) - final.moves, np.ones(number))
    lots, chance, here, density = 1.0, np.ones(1), np.array([start]), np.ones(1)
    for lot in range(1, 100_000):
        end = full * math.sqrt(1.0 - (1.0 - weight) ** (2 * lot))
        after = end * one
        density = (density * chance) @ _density(weight, shift, here[:, None], after)
        here, chance = after, end * unit
        if full - end <= _STILL * full:
            return lots + float((density * chance) @ left)
        lots += float(density @ chance)
    raise NotEstimable("BQC-STA-002", f"limits with weight {weight:g} never stand still")


def _checked(weight: float, width: float, shift: float) -> None:
    if not 0.002 <= weight <= 1:
        raise InvalidInput("BQC-STA-003", f"weight {weight:g} is not between 0.002 and 1")
    positive(width, "the width", 100)
    finite(shift, "the shift", 1e3)
    if width - abs(shift) / _scale(weight) > 9:  # beyond 1e18 lots, even without memory
        raise too_long()


def _wanted(arl0: float) -> None:
    if not 1 < arl0 <= 1e6:
        raise InvalidInput("BQC-STA-003", f"ARL0 {arl0:g} is not between 1 and 1,000,000 lots")
