"""Run length of the multivariate EWMA chart, and its limit for a wanted one.

In control only the distance of the moving average from the centre matters, and its square moves by
a noncentral chi-square (Rigdon 1995a): one integral equation. After a shift the part along the
shift and the distance across it matter (Runger and Prabhu 1996): an equation on half a disc, in
coordinates in which all is smooth. The covariance of the moving average is its asymptotic one.
"""

import math
from typing import Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaln, ive

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.run_length import (
    LONGEST,
    Chain,
    RunLength,
    figure_of,
    finite,
    nodes_between,
    positive,
    settle,
)
from batchqc.statistics.values import Floats

_METHOD: Final = "MEWMA, integral equation (Rigdon 1995) by Gauss-Legendre quadrature"
_MOST: Final = 50
_NODES: Final = 8_000


def mewma_run_length(weight: float, limit: float, p: int, *, shift: float = 0.0) -> RunLength:
    """Run length of a MEWMA chart from its start (zero state).

    Args:
        weight: lambda, above 0, to 1.
        limit: h4 of T² (asymptotic covariance).
        p: number of attributes, 1 to 50.
        shift: its noncentrality, sqrt(delta' Sigma^-1 delta), present from the first lot.

    Raises:
        InvalidInput: a parameter is out of range.
        NotEstimable: alarms are too rare for a float, or the shape is too thin to be solved.

    Source:
        Lowry, Woodall, Champ and Rigdon 1992 (the chart); Rigdon 1995; Runger and Prabhu 1996;
        Prabhu and Runger 1997. p of 1 is the EWMA chart with width sqrt(h4).
    """
    _checked(weight, limit, p, shift)
    end = math.sqrt(limit * weight / (2 - weight))
    number = 24 + int(3 * end / weight)
    if shift == 0:
        chain = settle(lambda n: _centred(weight, end, p, n), number)
    elif p == 1:
        chain = settle(lambda n: _line(weight, end, shift, n), 2 * number)
    else:
        chain = _settled_disc(weight, end, p, shift)
    return RunLength(figure_of(chain.average(), _METHOD), chain.deviation(), chain)


def mewma_limit(weight: float, p: int, arl0: float) -> float:
    """The limit h4 of T² with a wanted run length in control.

    Args:
        weight: lambda, above 0, to 1.
        p: number of attributes, 1 to 50.
        arl0: average number of lots to a false alarm.

    Raises:
        InvalidInput: a parameter is out of range.
        NotEstimable: no limit gives that run length.

    Source:
        Root of the integral equation of Rigdon 1995; no table.
    """
    if not 1 < arl0 <= 1e6:
        raise InvalidInput("BQC-STA-003", f"ARL0 {arl0:g} is not between 1 and 1,000,000 lots")
    _checked(weight, 1.0, p, 0.0)

    def excess(limit: float) -> float:
        return math.log(mewma_run_length(weight, limit, p).average.value / arl0)

    low = 0.05 * p
    for high in np.linspace(0.5 * p, p + 30 + 8 * math.sqrt(p), 30):
        if excess(float(high)) >= 0 >= excess(low):
            return float(brentq(excess, low, float(high), xtol=1e-11, rtol=8.9e-16))
        low = float(high)
    raise NotEstimable("BQC-STA-001", f"no limit has a run length of {arl0:g} lots in control")


def _centred(weight: float, end: float, p: int, number: int) -> Chain:
    """Between distances from the centre."""
    places, weights = nodes_between(0.0, end, number)
    near = (1 - weight) * places[:, None] / weight
    moves = _distance(places / weight, near, p) * weights / weight
    return Chain(moves, _distance(places / weight, np.zeros(1), p) * weights / weight)


def _line(weight: float, end: float, shift: float, number: int) -> Chain:
    """Of one attribute: both signs of the average."""
    places, weights = nodes_between(-end, end, number)
    moves = _normal(places / weight, (1 - weight) * places[:, None] / weight + shift)
    first = _normal(places / weight, np.full(1, shift))
    return Chain(moves * weights / weight, first * weights / weight)


def _settled_disc(weight: float, end: float, p: int, shift: float) -> Chain:
    """Until two grids agree to a millionth, beyond what any table prints."""
    number, found = 18 + int(2.4 * end / weight), 0.0
    while number * number <= _NODES:
        chain = _disc(weight, end, p, shift, number)
        value = chain.average()
        if 0.999 < value < LONGEST and abs(value - found) < 1e-6 * value:
            return chain
        number, found = int(1.2 * number) + 1, value
    raise NotEstimable(
        "BQC-STA-002",
        f"the run length after a shift is not certain for weight {weight:g} and {p} attributes",
        hint="Use a weight of 0.05 or more.",
    )


def _disc(weight: float, end: float, p: int, shift: float, number: int) -> Chain:
    """Between points of half a disc: along the shift, and the distance across it."""
    angles, by_angle = nodes_between(-math.pi / 2, math.pi / 2, number)
    shares, by_share = nodes_between(0.0, 1.0, max(number // 2, 12))
    chord = end * np.cos(angles)
    along = np.repeat(end * np.sin(angles), shares.size)
    across = np.outer(chord, shares).ravel()
    weights = np.outer(by_angle * chord * chord, by_share).ravel() / weight**2
    keep = (1 - weight) / weight
    near = np.maximum(keep * across[:, None], 0.0)
    moves = _normal(along / weight, keep * along[:, None] + shift)
    moves *= _distance(across / weight, near, p - 1)
    first = _normal(along / weight, np.full(1, shift))
    first = first * _distance(across / weight, np.zeros(1), p - 1)
    return Chain(moves * weights, first * weights)


def _normal(x: Floats, mean: Floats) -> Floats:
    step = x - mean
    return np.asarray(np.exp(-0.5 * step * step) / math.sqrt(2 * math.pi))


def _distance(x: Floats, near: Floats, p: int) -> Floats:
    """Density of the length of a normal vector in p dimensions whose mean has the length ``near``.

    x^(p/2) near^(1-p/2) exp(-(x² + near²)/2) I_(p/2-1)(x near): the noncentral chi density, with
    the Bessel function scaled; its limit for ``near`` of 0 is the chi density.
    """
    order = p / 2 - 1
    log_chi = (p - 1) * np.log(x) - 0.5 * x * x - order * math.log(2) - gammaln(p / 2)
    if not near.any():
        return np.asarray(np.exp(log_chi))
    step = x - near
    if p == 1:
        return _normal(x, near) + _normal(x, -near)
    product = np.maximum(x * near, 1e-8)
    ratio = np.where(order == 0, 1.0, np.exp(order * (np.log(x) - np.log(near))))
    return np.asarray(x * ratio * np.exp(-0.5 * step * step) * ive(order, product))


def _checked(weight: float, limit: float, p: int, shift: float) -> None:
    if not 0.01 <= weight <= 1:
        raise InvalidInput("BQC-STA-003", f"weight {weight:g} is not between 0.01 and 1")
    if not 1 <= p <= _MOST:
        raise InvalidInput("BQC-STA-003", f"{p} attributes: wanted are 1 to {_MOST}")
    positive(limit, "the limit", 1e4)
    if finite(shift, "the shift", 1e3) < 0:
        raise InvalidInput("BQC-STA-003", "the shift is a distance: it is not negative")
