"""Censored results: mean, SD and quantiles by maximum likelihood with profile intervals.

Cohen 1959 (Technometrics 1:217) for the normal, Helsel 2012 (Statistics for Censored Environmental
Data, ch. 6) for the lognormal; profile intervals by Wilks 1938. A limit is a limit: nothing is
substituted. With fewer than 5 measured values, or more than 80 % censored, the answer says so.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy
from numpy.typing import ArrayLike

from batchqc.errors import NotEstimable
from batchqc.statistics.censored_likelihood import Censored, Maximum, loglik, maximise
from batchqc.statistics.checks import confidence_of, one_of, same_length
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import values_of

_PROFILE: Final = "maximum likelihood with censoring, profile interval (Helsel 2012, ch. 6)"
_LINE: Final = "regression with censored values (Tobin 1958; Olsen 1978), Wald interval"


@dataclass(frozen=True, slots=True)
class CensoredSummary:
    """Of one group of partly censored values.

    Args:
        mean: in the unit of the values, with its profile interval.
        median: with its profile interval.
        sd: in the unit of the values.
        mu: mean on the scale of the fit (log, if lognormal), with its profile interval.
        sigma: SD on the scale of the fit, with its profile interval.
        mu_se: standard error of mu, from the curvature.
        sigma_se: standard error of sigma.
        loglik: of the values themselves (density of x, not of ln x).
        n: values.
        censored: how many of them are not measured exactly.
    """

    mean: Figure
    median: Figure
    sd: Figure
    mu: Figure
    sigma: Figure
    mu_se: float
    sigma_se: float
    loglik: float
    n: int
    censored: int


def censored_summary(
    data: Censored, *, distribution: str = "lognormal", confidence: float = 0.95
) -> CensoredSummary:
    """Mean, SD and median by maximum likelihood.

    Args:
        data: of :func:`~batchqc.statistics.censored_likelihood.below`, ``above`` or ``between``.
        distribution: ``lognormal`` or ``normal``.
        confidence: of the profile intervals.

    Raises:
        NotEstimable: all censored, or fewer than two different measured values.
        InvalidInput: a lognormal value that is not positive.
    """
    log, scaled, best = _fit(data, distribution)
    level = confidence_of(confidence)
    mu, sigma = float(best.coefficients[0]), best.sigma
    limits = _limitations(data)
    se = np.sqrt(np.diag(best.covariance))

    def figure(name: str, value: float, ends: tuple[float | None, float | None]) -> Figure:
        return Figure(name, value, _PROFILE, data.n, *ends,
                      level if ends != (None, None) else 0.0, None,
                      (f"values are independent and {distribution}",), limits)  # fmt: skip

    ends_mu = _profile(scaled, best, level, lambda _: 0.0, mu)
    if log:
        mean, sd = _moments(mu, sigma)
        ends = _profile(scaled, best, level, lambda s: s * s / 2, mu + sigma**2 / 2)
        ends_mean, ends_median = _exp(ends), _exp(ends_mu)
        jacobian = math.fsum(scaled.lower[scaled.measured])
    else:
        mean, sd, ends_mean, ends_median, jacobian = mu, sigma, ends_mu, ends_mu, 0.0
    return CensoredSummary(
        figure("mean", mean, ends_mean),
        figure("median", math.exp(mu) if log else mu, ends_median),
        figure("standard deviation", sd, (None, None)),
        figure("mean on the scale of the fit", mu, ends_mu),
        figure("SD on the scale of the fit", sigma, _sigma_ends(scaled, best, level)),
        float(se[0]), float(se[1]), float(best.loglik) - jacobian, data.n,
        int((~data.measured).sum()),
    )  # fmt: skip


def censored_quantile(
    data: Censored, share: float, *, distribution: str = "lognormal", confidence: float = 0.95
) -> Figure:
    """The value below which a share of the population lies, with its profile interval.

    Raises:
        NotEstimable: as :func:`censored_summary`.
        InvalidInput: a share beyond 0 to 1; a lognormal value that is not positive.
    """
    z = float(scipy.stats.norm.ppf(confidence_of(share, "share")))
    log, scaled, best = _fit(data, distribution)
    value = float(best.coefficients[0]) + z * best.sigma
    ends = _profile(scaled, best, confidence_of(confidence), lambda s: z * s, value)
    if log:
        value, ends = _exp_one(value), _exp(ends)
    return Figure(f"quantile {share:g}", value, _PROFILE, data.n, *ends, confidence, None,
                  (f"values are independent and {distribution}",), _limitations(data))  # fmt: skip


def censored_regression(
    x: ArrayLike,
    data: Censored,
    *,
    distribution: str = "lognormal",
    confidence: float = 0.95,
) -> tuple[tuple[Figure, Figure, Figure], Maximum]:
    """A straight line through partly censored values: intercept, slope and sigma.

    Args:
        x: predictor, n values.
        data: n values.
        distribution: of the errors; ``lognormal`` fits the logarithm.
        confidence: of the intervals.

    Raises:
        NotEstimable: too few measured values, or all x equal.
        InvalidInput: lengths differ, or a lognormal value that is not positive.
    """
    places = values_of(x, "x")
    same_length(places, data.lower, "x", "values")
    scaled = data.logarithms() if _is_log(distribution) else data
    best = maximise(scaled, np.column_stack([np.ones(data.n), places]))
    z = float(scipy.stats.norm.ppf((1 + confidence_of(confidence)) / 2))
    se = np.sqrt(np.diag(best.covariance))
    values = [*best.coefficients.tolist(), best.sigma]
    found = [
        Figure(name, v, _LINE, data.n, v - z * s, v + z * s, confidence, None,
               (f"errors are independent and {distribution}", "large-sample interval"),
               _limitations(data))
        for name, v, s in zip(("intercept", "slope", "sigma"), values, se.tolist(), strict=True)
    ]  # fmt: skip
    return (found[0], found[1], found[2]), best


def _is_log(distribution: str) -> bool:
    return one_of(distribution, ("lognormal", "normal"), "distribution") == "lognormal"


def _fit(data: Censored, distribution: str) -> tuple[bool, Censored, Maximum]:
    log = _is_log(distribution)
    scaled = data.logarithms() if log else data
    return log, scaled, maximise(scaled, np.ones((data.n, 1)))


def _moments(mu: float, sigma: float) -> tuple[float, float]:
    mean = _exp_one(mu + sigma**2 / 2)
    try:
        return mean, mean * math.sqrt(math.expm1(sigma**2))
    except OverflowError:
        raise NotEstimable("BQC-STA-001", "the spread leaves the range of numbers") from None


def _exp_one(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        raise NotEstimable("BQC-STA-001", "the estimate leaves the range of numbers") from None


def _exp(ends: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    low, high = (None if one is None or one > 700 else math.exp(one) for one in ends)
    return low, high


def _limitations(data: Censored) -> tuple[str, ...]:
    seen = int(data.measured.sum())
    found = []
    if seen < 5:
        found.append(f"only {seen} measured values: the shape of the distribution decides")
    if seen < 0.2 * data.n:
        found.append(f"{1 - seen / data.n:.0%} censored: the mean is extrapolated")
    return tuple(found)


def _profile(
    data: Censored, best: Maximum, level: float, offset: Callable[[float], float], centre: float
) -> tuple[float | None, float | None]:
    """Ends of ``mu + offset(sigma)``: for each value of it, sigma is at its best."""

    def height(target: float) -> float:
        def at(log_sigma: float) -> float:
            sigma = math.exp(log_sigma)
            return -loglik(data, np.full(data.n, target - offset(sigma)), sigma)

        middle = math.log(best.sigma)
        return -float(
            scipy.optimize.minimize_scalar(at, (middle - 0.1, middle + 0.1), tol=1e-10).fun
        )

    return _ends(height, centre, best, level, math.inf)


def _sigma_ends(data: Censored, best: Maximum, level: float) -> tuple[float | None, float | None]:
    def height(log_sigma: float) -> float:
        sigma = math.exp(log_sigma)

        def at(mu: float) -> float:
            return -loglik(data, np.full(data.n, mu), sigma)

        middle = float(best.coefficients[0])
        found = scipy.optimize.minimize_scalar(
            at, (middle - sigma / 9, middle + sigma / 9), tol=1e-10
        )
        return -float(found.fun)

    return _exp(_ends(height, math.log(best.sigma), best, level, 20.0))


def _ends(
    height: Callable[[float], float], centre: float, best: Maximum, level: float, widest: float
) -> tuple[float | None, float | None]:
    """Where twice the fall of the profile reaches the chi-square quantile; None where it never."""
    fall = float(scipy.stats.chi2.ppf(level, 1)) / 2
    unit = min(best.sigma / math.sqrt(best.covariance.shape[0] + 1), widest)

    def left(target: float) -> float:
        return height(target) - float(best.loglik) + fall

    if left(centre) <= 0:
        raise NotEstimable("BQC-STA-002", "the profile cannot be followed in floating point")
    found: list[float | None] = []
    for side in (-1.0, 1.0):
        reach = unit
        while left(centre + side * reach) > 0 and reach < 1e4 * unit:
            reach *= 1.6
        inside = reach >= 1e4 * unit
        found.append(None if inside else float(
            scipy.optimize.brentq(
                left, centre, centre + side * reach, xtol=1e-11 * max(1, abs(centre))
            )
        ))  # fmt: skip
    return found[0], found[1]
