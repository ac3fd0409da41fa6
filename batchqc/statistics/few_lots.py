"""Individuals chart with prediction limits: right for few lots."""

from dataclasses import replace
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
import scipy
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.control_charts import LIMITS_FROM, ControlChart, level, too_few
from batchqc.statistics.figures import Figure
from batchqc.statistics.moving_ranges import sigma_of_lots
from batchqc.statistics.sigma_estimates import between_0_and_1, centre_figure
from batchqc.statistics.values import enough, spread, with_gaps

#: No process is known so well that a rarer false alarm means something.
SMALLEST_ALPHA: Final = 1e-12

Sides: TypeAlias = Literal["both", "lower", "upper"]


def prediction(
    data: ArrayLike,
    *,
    alpha: float = 0.0027,
    sides: Sides = "both",
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """Individuals chart with limits for one further lot: right for few lots.

    Mean ± t(1 - alpha/2, m - 1) s sqrt(1 + 1/m) (Hahn and Meeker 1991, section 4.2); one-sided
    with t(1 - alpha). A further lot of the same process lies outside with probability alpha,
    however few lots there were. Apply it to further lots by ``applied_to``. Run rules look at both
    sides, whichever limits are drawn.

    Args:
        data: values of the lots of phase I, as for :func:`individuals`.
        alpha: probability of a false alarm for one further lot; 0.0027 is that of 3 sigma.
        sides: which limits there are.
        limits_from: with fewer values than this there is no limit line.

    Raises:
        InvalidInput: a value is no number, or alpha is not between 0 and 1.
        NotEstimable: fewer than 2 values, or no variation.
    """
    found = with_gaps(data)
    present = spread(enough(found[~np.isnan(found)], "values", at_least=2), "values")
    n = present.size
    s, mean = float(present.std(ddof=1)), float(present.mean())
    k = prediction_factor(n, alpha=alpha, sides=sides)
    few = too_few(n, limits_from, "values")
    deviation = sigma_of_lots(found, sigma="sd")
    return ControlChart(
        "individuals, prediction limits",
        found,
        level(mean, found),
        level(s * np.sqrt(1 + 1 / n), found),
        None if few or sides == "upper" else level(mean - k * s, found),
        None if few or sides == "lower" else level(mean + k * s, found),
        {
            "centre": centre_figure(mean, deviation, n=n, what="mean"),
            "sigma": deviation,
            "s": replace(deviation, name="s", value=s, method="standard deviation, n - 1"),
            "k": Figure("k", k, "t sqrt(1 + 1/m)", n, df=n - 1),
        },
        f"prediction limits for one further lot, alpha {alpha:g}, {sides}",
        df=n - 1,
        limitations=few,
    )


def prediction_factor(m: int, *, alpha: float = 0.0027, sides: Sides = "both") -> float:
    """How many s from the mean of m lots the limits for one further lot lie.

    t(1 - alpha/2, m - 1) sqrt(1 + 1/m), one-sided with t(1 - alpha) (Hahn and Meeker 1991,
    section 4.2).

    Raises:
        InvalidInput: alpha is not between 0 and 1, or sides are unknown.
        NotEstimable: m is below 2.
    """
    between_0_and_1(alpha, "alpha")
    if sides not in get_args(Sides):
        raise InvalidInput("BQC-STA-003", f"sides are both, lower or upper, not {sides!r}")
    if m < 2:
        raise NotEstimable("BQC-STA-001", f"{m} lots say nothing of variation")
    if alpha < SMALLEST_ALPHA:
        raise InvalidInput("BQC-STA-003", f"an alpha of {alpha:g} is beyond what data can hold")
    quantile = -scipy.special.stdtrit(m - 1, alpha / 2 if sides == "both" else alpha)
    return float(quantile * np.sqrt(1 + 1 / m))
