"""Intervals from the profile of the likelihood of a mixed model."""

from collections.abc import Callable

import numpy as np
from scipy import optimize, stats

from batchqc.errors import NotEstimable
from batchqc.statistics.reml_likelihood import Likelihood
from batchqc.statistics.reml_search import best
from batchqc.statistics.values import Floats


class Profile:
    """The ML deviance of a model, and how far above its least an interval reaches.

    Source: Bates et al. 2015 (J Stat Softw 67, section 5): the profile of a REML fit is that of
    its ML deviance.

    Args:
        likelihood: of values whose variance is about 1.
        conf: of the intervals.
    """

    def __init__(self, likelihood: Likelihood, conf: float) -> None:
        self.likelihood, self.conf = likelihood, conf
        self.variances, slope = best(likelihood, restricted=False)
        self.least = slope.value
        self.reach = float(stats.chi2.ppf(conf, 1))

    def excess(self, place: int, sd: float) -> float:
        """Deviance above the reach, where one standard deviation is held."""
        _, slope = best(
            self.likelihood, restricted=False, held={place: sd * sd}, start=self.variances
        )
        return slope.value - self.least - self.reach


def sd_interval(profile: Profile, place: int) -> tuple[float, float]:
    """Of the standard deviation at a place, the error's being the last; 0 where it may be 0."""
    middle = float(np.sqrt(profile.variances[place]))

    def excess(sd: float) -> float:
        return profile.excess(place, sd)

    if place == profile.variances.size - 1:
        lower = _root(excess, _below(excess, middle), middle)
    else:
        lower = 0.0 if not middle or excess(0.0) <= 0 else _root(excess, 0.0, middle)
    return lower, _root(excess, middle, _beyond(excess, middle, max(middle, 0.1)))


def effect_interval(likelihood: Likelihood, place: int, conf: float) -> tuple[float, float]:
    """Of the fixed effect at a place, on the scale of the likelihood."""
    variances, slope = best(likelihood, restricted=False)
    others = np.delete(likelihood.x, place, axis=1)
    column = likelihood.x[:, place]
    indicators = [likelihood.z[:, one] for one in likelihood.blocks]
    reach = float(stats.chi2.ppf(conf, 1))

    def excess(effect: float) -> float:
        left: Floats = likelihood.y - effect * column
        held = Likelihood(left, others, indicators)
        return best(held, restricted=False, start=variances)[1].value - slope.value - reach

    middle = _estimate(likelihood, variances, place)
    step = 1 / float(np.linalg.norm(column))
    low, high = (_beyond(excess, middle, sign * step) for sign in (-1, 1))
    return _root(excess, low, middle), _root(excess, middle, high)


def _estimate(likelihood: Likelihood, variances: Floats, place: int) -> float:
    whole = likelihood.z * np.repeat(
        variances[:-1], [one.stop - one.start for one in likelihood.blocks]
    )
    v = whole @ likelihood.z.T + variances[-1] * np.eye(likelihood.n)
    solved = np.linalg.solve(v, np.column_stack([likelihood.x, likelihood.y]))
    gram = likelihood.x.T @ solved
    return float(np.linalg.solve(gram[:, :-1], gram[:, -1])[place])


def _beyond(excess: Callable[[float], float], start: float, step: float) -> float:
    for _ in range(60):
        if excess(start + step) > 0:
            return start + step
        step *= 2
    raise NotEstimable("BQC-STA-002", "the profile of the likelihood has no end on one side")


def _below(excess: Callable[[float], float], start: float) -> float:
    for sd in start * 0.8 ** np.arange(1, 60):
        if excess(float(sd)) > 0:
            return float(sd)
    raise NotEstimable("BQC-STA-002", "the profile of the error variance has no lower end")


def _root(excess: Callable[[float], float], low: float, high: float) -> float:
    return float(optimize.brentq(excess, low, high, xtol=1e-8, rtol=1e-8))
