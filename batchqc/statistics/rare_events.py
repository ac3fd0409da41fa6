"""Charts of rare events, such as a contaminated lot: how many lots, or how long, between two."""

from dataclasses import replace
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.attribute_charts import share_figure
from batchqc.statistics.control_charts import LIMITS_FROM, ControlChart, level, too_few
from batchqc.statistics.figures import Figure
from batchqc.statistics.individuals import individuals
from batchqc.statistics.scales import Scale, ScaledChart, on_scale
from batchqc.statistics.sigma_estimates import between_0_and_1, positive
from batchqc.statistics.values import Floats, enough, values_of

Limits: TypeAlias = Literal["sigma", "probability"]

_GEOMETRIC: Final = ("each lot has the same chance of the event", "lots are independent")
_EXPONENTIAL: Final = ("events come at a constant rate", "events are independent")


def g_chart(
    between: ArrayLike,
    *,
    least: int = 0,
    limits: Limits = "sigma",
    width: float = 3.0,
    alpha: float = 0.0027,
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """Lots between two events, geometric (Benneyan 2001, Health Care Manag. Sci. 4:305).

    With ``sigma``: mean ± width sqrt((mean - least) (mean - least + 1)), not below least. With
    ``probability``: exact quantiles of the geometric distribution that has this mean.

    Args:
        between: whole numbers in order, one for each event.
        least: 0 where lots without the event are counted, 1 where the lot with it counts too.
        limits: ``sigma`` or ``probability``.
        width: of the limits, in sigma.
        alpha: of probability limits, both sides together.
        limits_from: with fewer events there is no limit line.

    Raises:
        InvalidInput: a value is no whole number from ``least``.
        NotEstimable: no event, or every one came at once.
    """
    found = enough(values_of(between, "lots between events"), "events", at_least=1)
    if np.any((found < least) | (found != np.round(found))):
        raise InvalidInput("BQC-STA-003", f"lots between events are whole numbers from {least}")
    if limits not in ("sigma", "probability"):
        raise InvalidInput("BQC-STA-003", f"limits are sigma or probability, not {limits!r}")
    before = _some(found - least)
    mean = float(before.mean())
    sigma = float(np.sqrt(mean * (mean + 1)))
    middle, lower, upper = (
        (mean, max(0.0, mean - positive(width, "width of limits") * sigma), mean + width * sigma)
        if limits == "sigma"
        else _geometric_lines(mean, between_0_and_1(alpha, "alpha"))
    )
    chance = share_figure(found.size, float(before.sum()) + found.size)
    few = too_few(found.size, limits_from, "events")
    return ControlChart(
        "g",
        found,
        level(middle + least, found),
        level(sigma, found),
        None if few else level(lower + least, found),
        None if few else level(upper + least, found),
        {
            "mean": _mean_between(chance, mean + least, least),
            "chance": replace(chance, name="chance", assumptions=_GEOMETRIC),
        },
        f"mean ± {width:g} sigma" if limits == "sigma" else f"quantiles, alpha {alpha:g}",
        limitations=few,
        skewed=limits == "probability",
    )


def t_chart(
    between: ArrayLike, *, width: float = 3.0, limits_from: int = LIMITS_FROM
) -> ScaledChart:
    """Time between two events: individuals chart of the times to the power 1/3.6, carried back.

    Exponential times are nearly normal there (Nelson 1994, J. Quality Technology 26:239;
    Montgomery, section 7.3.5). Run rules are read on its ``chart``.

    Args:
        between: times in order, one for each event, in any unit; 0 where two came together.
        width: of the limits, in sigma.
        limits_from: with fewer events there is no limit line.

    Raises:
        InvalidInput: a time is below 0.
        NotEstimable: fewer than 2 times, or no variation.
    """
    found = values_of(between, "times between events")
    return on_scale(
        found, Scale("power"), lambda y: individuals(y, width=width, limits_from=limits_from)
    )


def t_chart_exponential(
    between: ArrayLike,
    *,
    alpha: float = 0.0027,
    mean: float | None = None,
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """Time between two events, with quantiles of the exponential distribution as lines.

    Centre at its median, limits at alpha/2 and 1 - alpha/2 (Montgomery, section 7.3.5); the mean
    has an exact interval (Epstein and Sobel 1953).

    Args:
        between: times in order, one for each event, in any unit.
        alpha: of both sides together.
        mean: time between events that was fixed before, in that unit.
        limits_from: with fewer events there is no limit line.

    Raises:
        InvalidInput: a time is below 0, or alpha is not between 0 and 1.
        NotEstimable: no event, or all came at once.
    """
    found = enough(values_of(between, "times between events"), "events", at_least=1)
    if np.any(found < 0):
        raise InvalidInput("BQC-STA-003", "a time between events is below 0")
    between_0_and_1(alpha, "alpha")
    figure = (
        Figure("mean", positive(mean, "mean time"), "known", found.size)
        if mean is not None
        else _mean_time(found)
    )
    few = () if mean is not None else too_few(found.size, limits_from, "events")
    median, lower, upper = figure.value * -np.log([0.5, 1 - alpha / 2, alpha / 2])
    return ControlChart(
        "t, exponential",
        found,
        level(median, found),
        level(figure.value, found),
        None if few else level(lower, found),
        None if few else level(upper, found),
        {"mean": figure},
        f"quantiles of the exponential distribution, alpha {alpha:g}",
        limitations=few,
        skewed=True,
    )


def _geometric_lines(mean: float, alpha: float) -> tuple[float, float, float]:
    """Median and limits of how many lots without the event come before it.

    The limits are the outermost values that are still inside: P(below lower) and P(above upper)
    are at most alpha / 2.
    """
    stay = np.log1p(-1 / (mean + 1))

    def quantile(probability: float) -> float:
        return max(0.0, float(np.ceil(np.log1p(-probability) / stay - 1e-12)) - 1)

    return quantile(0.5), quantile(alpha / 2), quantile(1 - alpha / 2)


def _mean_between(chance: Figure, mean: float, least: int) -> Figure:
    """The mean of a geometric distribution, with the ends of the interval of its chance."""
    lower, upper = (
        None if end is None else 1 / end - 1 + least for end in (chance.upper, chance.lower)
    )
    return replace(
        chance, name="mean", value=mean, lower=lower, upper=upper, assumptions=_GEOMETRIC
    )


def _some(found: Floats) -> Floats:
    if not np.any(found > 0):
        raise NotEstimable("BQC-STA-001", "nothing lies between the events: no rate to estimate")
    return found


def _mean_time(found: Floats, confidence: float = 0.95) -> Figure:
    total, n = float(_some(found).sum()), found.size
    lower, upper = 2 * total / chi2.ppf([(1 + confidence) / 2, (1 - confidence) / 2], 2 * n)
    return Figure(
        "mean", total / n, "total time / events; exact interval (Epstein and Sobel 1953)", n,
        float(lower), float(upper), confidence, assumptions=_EXPONENTIAL,
    )  # fmt: skip
