"""Distributions of tolerances, and their fit to responders by maximum likelihood."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import optimize, special, stats

from batchqc.errors import NotEstimable
from batchqc.statistics.values import Floats

_STEPS: Final = 200


@dataclass(frozen=True, slots=True)
class Link:
    """A distribution of tolerances: probability, density and quantile."""

    probability: Callable[[Floats], Floats]
    density: Callable[[Floats], Floats]
    quantile: Callable[[float], float]


def _normal_density(eta: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * eta * eta) / math.sqrt(2 * math.pi))


def _cloglog_density(eta: Floats) -> Floats:
    small = np.minimum(eta, 700.0)
    return np.asarray(np.exp(np.maximum(small - np.exp(np.minimum(small, 20.0)), -745.0)))


_CLOGLOG: Final = Link(
    lambda eta: -np.expm1(-np.exp(np.minimum(eta, 20.0))),
    _cloglog_density,
    lambda p: math.log(-math.log1p(-p)),
)

#: By name; gompit is another name of cloglog.
LINKS: Final = {
    "probit": Link(special.ndtr, _normal_density, lambda p: float(special.ndtri(p))),
    "logit": Link(
        special.expit,
        lambda eta: special.expit(eta) * special.expit(-eta),
        lambda p: math.log(p / (1 - p)),
    ),
    "cloglog": _CLOGLOG,
    "gompit": _CLOGLOG,
    "loglog": Link(
        lambda eta: np.exp(-np.exp(np.minimum(-eta, 20.0))),
        lambda eta: _cloglog_density(-eta),
        lambda p: -math.log(-math.log(p)),
    ),
    "cauchit": Link(stats.cauchy.cdf, stats.cauchy.pdf, lambda p: float(stats.cauchy.ppf(p))),
}


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Responders of n units in each group, of whom a share responds without a dose."""

    responders: Floats
    n: Floats
    natural: float = 0.0


@dataclass(frozen=True, slots=True)
class Maximum:
    """Coefficients at the maximum of the likelihood, their covariance, and how well they fit."""

    coefficients: Floats
    covariance: Floats
    deviance: float
    pearson: float
    fitted: Floats


def maximum(design: Floats, given: Tolerances, link: Link) -> Maximum:
    """Fisher scoring with halved steps, until the deviance and the score stand still.

    Raises:
        NotEstimable: the design has no full rank (BQC-STA-001), or the coefficients run away, as
            they do where the dose separates who responds (BQC-STA-002).
    """
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise NotEstimable("BQC-STA-001", "preparations and doses cannot be told apart")
    if _separated(design, given):
        raise _runaway()
    start = (given.responders + 0.5) / (given.n + 1.0)
    share = np.clip((start - given.natural) / (1 - given.natural), 0.02, 0.98)
    eta = np.array([link.quantile(float(one)) for one in share])
    beta = np.linalg.lstsq(design, eta, rcond=None)[0]
    deviance = _deviance(given, _probability(design @ beta, given, link))
    for _ in range(_STEPS):
        score, information = _scores(design, beta, given, link)
        step = _solved(information, score)
        beta, after = _halved(design, (beta, step, deviance), given, link)
        small = float(score @ step) < 1e-18 * max(float(given.n.sum()), 1.0)
        deviance, change = after, deviance - after
        if small or (abs(change) < 1e-15 * (1 + deviance) and float(score @ step) < 1e-13):
            return _found(design, beta, given, link)
    raise NotEstimable("BQC-STA-002", f"no maximum of the likelihood in {_STEPS} steps")


def _probability(eta: Floats, given: Tolerances, link: Link) -> Floats:
    found = given.natural + (1 - given.natural) * link.probability(eta)
    return np.asarray(np.clip(found, 1e-15, 1 - 1e-15))


def _scores(design: Floats, beta: Floats, given: Tolerances, link: Link) -> tuple[Floats, Floats]:
    eta = design @ beta
    p = _probability(eta, given, link)
    slope = (1 - given.natural) * link.density(eta)
    weight = given.n / (p * (1 - p))
    score = design.T @ (weight * slope * (given.responders / given.n - p))
    return score, (design.T * (weight * slope**2)) @ design


def _solved(information: Floats, score: Floats) -> Floats:
    scale = np.sqrt(np.diag(information))
    scaled = information / np.outer(scale, scale) if np.all(scale > 0) else information * 0
    if not np.all(scale > 0) or np.linalg.cond(scaled) > 1e13:
        raise _runaway()
    return np.asarray(np.linalg.solve(scaled, score / scale) / scale)


def _halved(
    design: Floats, at: tuple[Floats, Floats, float], given: Tolerances, link: Link
) -> tuple[Floats, float]:
    beta, step, before = at
    for _ in range(40):
        after = _deviance(given, _probability(design @ (beta + step), given, link))
        if after <= before * (1 + 1e-12) + 1e-12:
            return beta + step, after
        step = step / 2
    return beta, before


def _deviance(given: Tolerances, p: Floats) -> float:
    r, n = given.responders, given.n
    first = special.xlogy(r, r / (n * p))
    second = special.xlogy(n - r, np.where(r < n, (n - r) / (n * (1 - p)), 1.0))
    return float(2 * math.fsum(first + second))


def _found(design: Floats, beta: Floats, given: Tolerances, link: Link) -> Maximum:
    p = _probability(design @ beta, given, link)
    _, information = _scores(design, beta, given, link)
    pearson = (given.responders - given.n * p) ** 2 / (given.n * p * (1 - p))
    inverse = np.asarray(np.linalg.inv(information), dtype=np.float64)
    return Maximum(beta, inverse, _deviance(given, p), float(pearson.sum()), p)


def _separated(design: Floats, given: Tolerances) -> bool:
    """Whether a direction exists along which the likelihood never falls (Albert & Anderson 1984).

    All of a group with none or all responders then move to their side, and mixed groups stay.
    """
    none, every = given.responders == 0, given.responders == given.n
    side = np.where(every, 1.0, np.where(none, -1.0, 0.0))
    rows = design * side[:, None]
    mixed = design[side == 0]
    if mixed.size and np.linalg.matrix_rank(mixed) == design.shape[1]:
        return False
    found = optimize.linprog(
        -rows.sum(axis=0),
        A_ub=-rows[side != 0] if np.any(side) else None,
        b_ub=np.zeros(int(np.sum(side != 0))) if np.any(side) else None,
        A_eq=mixed if mixed.size else None,
        b_eq=np.zeros(mixed.shape[0]) if mixed.size else None,
        bounds=(-1, 1),
    )
    return bool(found.status == 0 and -found.fun > 1e-7)


def _runaway() -> NotEstimable:
    return NotEstimable(
        "BQC-STA-002",
        "the coefficients run away: the dose separates who responds from who does not",
        hint="Doses between, at which some respond and some do not, are needed.",
    )
