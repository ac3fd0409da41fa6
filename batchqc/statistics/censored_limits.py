"""Control limits of chosen lots of which some are censored: by maximum likelihood on the scale.

Nothing is put in the place of a bound. Moving ranges need numbers, so that sigma is that of the
likelihood of all lots instead, numbers and bounds.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import scipy

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.censored import CensoredSummary, censored_summary
from batchqc.statistics.censored_likelihood import Censored
from batchqc.statistics.control_charts import LIMITS_FROM, ControlChart, level
from batchqc.statistics.false_alarms import alarms_of_limits
from batchqc.statistics.figures import Figure
from batchqc.statistics.scales import Scale, on_scale
from batchqc.statistics.trend_limits import ALPHA, Lines, PhaseOne, checked_rules
from batchqc.statistics.values import LARGEST, Floats, positive, with_gaps

#: Above this share of censored lots the centre itself would be extrapolated.
MOST_CENSORED: Final = 0.5
_SIGMA: Final = (
    "maximum likelihood with censoring (Cohen 1959), times sqrt(r / (r - 1)) of r measured lots;"
    " in the place of sigma from moving ranges, which need numbers"
)
_APPROXIMATE: Final = "limits of censored lots are approximate; exact where none is censored"


def censored_phase_one(
    values: Sequence[float | None],
    bounds: Sequence[str],
    scale: Scale,
    *,
    resolution: Sequence[float],
    rules: Sequence[str],
    method: str = "",
) -> PhaseOne:
    """Centre, sigma and limits of chosen lots, some known only to lie beyond a bound.

    Limits are mu ± t(1 - alpha/2, r - 1) s sqrt(1 + (se(mu) / sigma)²) with mu, sigma and se(mu) of
    the likelihood, r measured lots and s = sigma sqrt(r / (r - 1)). Where no lot is censored they
    are the prediction limits of Hahn and Meeker 1991, section 4.2.

    Args:
        values: in order of manufacture; the bound of a censored lot; None where a lot has none.
        bounds: of each lot: ``""`` for a number, else ``<``, ``<=``, ``>`` or ``>=``.
        scale: on which they are computed.
        resolution: smallest step of each value, for those that lie on a bound of the scale.
        rules: as for :func:`~batchqc.statistics.trend_limits.phase_one`.
        method: ``""`` or ``prediction``.

    Raises:
        InvalidInput: a rule is unknown, a value is not of the scale, or the method needs numbers.
        NotEstimable: fewer than 8 measured lots, more than half censored, or no variation.
    """
    chosen = checked_rules(rules)
    if method not in {"", "prediction"}:
        raise InvalidInput(
            "BQC-STA-003",
            f"{method}: moving ranges need numbers, and some lots are censored",
            hint="Leave the method out: limits are then by maximum likelihood.",
        )
    data = with_gaps(values)
    known = ~np.isnan(data)
    beyond = known & np.array([bool(one) for one in bounds], dtype=np.bool_)
    n, r = int(known.sum()), int(np.sum(known & ~beyond))
    _enough(n, r)
    made = on_scale(data, scale, lambda y: _chart(y, bounds, scale, r), resolution=resolution)
    lines = Lines.of(made.chart, scale, chosen)
    alarms = alarms_of_limits(chosen, r, "prediction")
    return PhaseOne(lines, made, "censored prediction", n, alarms, n - r)


def intervals(on_the_scale: Floats, bounds: Sequence[str], scale: Scale) -> Censored:
    """Lots with a value as intervals on a scale; one that turns over turns bounds over.

    Args:
        on_the_scale: value or bound of each lot; NaN where it has none.
        bounds: as for :func:`censored_phase_one`.
        scale: that they are on.
    """
    known = ~np.isnan(on_the_scale)
    sign = "<" if not scale.flips else ">"
    is_bound = np.array([bool(one) for one in bounds], dtype=np.bool_)
    below = is_bound & np.array([one.startswith(sign) for one in bounds], dtype=np.bool_)
    lower = np.where(below, -np.inf, on_the_scale)
    upper = np.where(is_bound & ~below, np.inf, on_the_scale)
    return Censored(lower[known], upper[known])


def centre_and_sigma(found: CensoredSummary) -> tuple[Figure, Figure]:
    """Centre and sigma on the scale, as figures that say how many lots are censored."""
    told = f"{found.censored} of {found.n} lots are censored"
    centre = replace(found.mu, name="centre", limitations=(told, *found.mu.limitations))
    return centre, replace(found.sigma, name="sigma", limitations=(told, *found.sigma.limitations))


def further_lot(sigma: float, mu_se: float, measured: int) -> tuple[float, float]:
    """Standard deviation of one further lot about the estimated mean, and how far limits lie.

    Args:
        sigma: of the likelihood.
        mu_se: standard error of the mean of the likelihood.
        measured: lots that are not censored.

    Raises:
        InvalidInput: sigma is not above 0, or a standard error is none.
        NotEstimable: fewer than 2 measured lots.
    """
    positive(sigma, "sigma")
    if not 0 <= mu_se <= LARGEST:
        raise InvalidInput("BQC-STA-003", f"a standard error of {mu_se:g}")
    if measured < 2:
        raise NotEstimable("BQC-STA-001", f"{measured} measured lots say nothing of variation")
    one = _unbiased(math.hypot(sigma, mu_se), measured)
    return one, float(scipy.stats.t.isf(ALPHA / 2, measured - 1)) * one


def _unbiased(sigma: float, measured: int) -> float:
    return sigma * math.sqrt(measured / (measured - 1))


def _enough(n: int, measured: int) -> None:
    if measured < LIMITS_FROM:
        raise NotEstimable(
            "BQC-STA-001",
            f"{n - measured} of {n} lots with a value are censored, {measured} are measured:"
            f" below {LIMITS_FROM} measured lots there is no limit line, only data",
            hint="Wait for more lots, or use a method that measures lower.",
        )
    if n - measured > MOST_CENSORED * n:
        raise NotEstimable(
            "BQC-STA-001",
            f"{n - measured} of {n} lots with a value are censored: above half of them the centre"
            " itself is only known to lie beyond a bound",
            hint="Watch the share of lots beyond the bound, or use a method that measures lower.",
        )


def _chart(
    on_the_scale: Floats, bounds: Sequence[str], scale: Scale, measured: int
) -> ControlChart:
    found = censored_summary(intervals(on_the_scale, bounds, scale), distribution="normal")
    points = np.where(np.array([bool(one) for one in bounds]), np.nan, on_the_scale)
    mu, sd = found.mu.value, found.sigma.value
    one, reach = further_lot(sd, found.mu_se, measured)
    centre, sigma = centre_and_sigma(found)
    deviation = Figure(
        "s", _unbiased(sd, measured), _SIGMA, found.n, df=measured - 1,
        assumptions=sigma.assumptions, limitations=(_APPROXIMATE,),
    )  # fmt: skip
    return ControlChart(
        "individuals, censored lots",
        points,
        level(mu, points),
        level(one, points),
        level(mu - reach, points),
        level(mu + reach, points),
        {"centre": centre, "sigma": sigma, "s": deviation},
        f"prediction limits for one further lot by maximum likelihood, alpha {ALPHA:g},"
        f" {found.censored} of {found.n} lots censored",
        df=measured - 1,
        limitations=(_APPROXIMATE, *found.mu.limitations),
    )
