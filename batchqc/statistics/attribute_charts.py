"""Charts of counts: p, np, c and u, and Laney's p' and u' where counts vary more than by chance."""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import beta, chi2

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.chart_constants import Constants, chart_constants
from batchqc.statistics.control_charts import LIMITS_FROM, ControlChart, Known, level, too_few
from batchqc.statistics.figures import Figure
from batchqc.statistics.individuals import moving_ranges
from batchqc.statistics.sigma_estimates import positive
from batchqc.statistics.values import Floats, with_gaps

_Sd: TypeAlias = Callable[[float, Floats], Floats]

_BINOMIAL: Final = ("each item has the same chance", "items are independent")
_POISSON: Final = ("events are independent", "their rate per unit is constant")


def p_chart(
    defective: ArrayLike,
    size: ArrayLike,
    *,
    width: float = 3.0,
    known: Known | None = None,
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """Share of items that are so: mean share ± width sqrt(p (1 - p) / n), within 0 and 1.

    The centre is the total of items that are so over all items (Montgomery, section 7.2); its
    interval is exact (Clopper and Pearson 1934).

    Args:
        defective: whole counts of each lot; None or NaN where missing.
        size: items looked at, one number or one for each lot.
        width: of the limits, in sigma.
        known: centre that was fixed before.
        limits_from: with fewer lots there is no limit line.

    Raises:
        InvalidInput: counts are no whole numbers, or exceed their size.
        NotEstimable: no lot has a count.
    """
    found, sizes = _counts(defective, size, items=True)
    return _shares("p", found, sizes, width=width, known=known, limits_from=limits_from)


def np_chart(
    defective: ArrayLike,
    size: ArrayLike,
    *,
    width: float = 3.0,
    known: Known | None = None,
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """Number of items that are so: n p ± width sqrt(n p (1 - p)) (Montgomery, section 7.2).

    Arguments and errors are those of :func:`p_chart`; a known centre is a share.
    """
    found, sizes = _counts(defective, size, items=True)
    chart = _shares("np", found, sizes, width=width, known=known, limits_from=limits_from)
    return _times(chart, sizes)


def c_chart(
    count: ArrayLike,
    *,
    width: float = 3.0,
    known: Known | None = None,
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """Number of events in equal units: c ± width sqrt(c), not below 0 (Montgomery, section 7.3).

    The interval of the centre is exact (Garwood 1936). Arguments and errors as of :func:`p_chart`.
    """
    found, sizes = _counts(count, 1.0, items=False)
    return _rates("c", found, sizes, width=width, known=known, limits_from=limits_from)


def u_chart(
    count: ArrayLike,
    size: ArrayLike,
    *,
    width: float = 3.0,
    known: Known | None = None,
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """Events per unit: mean rate ± width sqrt(u / n), not below 0 (Montgomery, section 7.3).

    Arguments and errors are those of :func:`p_chart`; sizes are units and need not be whole.
    """
    found, sizes = _counts(count, size, items=False)
    return _rates("u", found, sizes, width=width, known=known, limits_from=limits_from)


def laney_p(
    defective: ArrayLike,
    size: ArrayLike,
    *,
    width: float = 3.0,
    known: Known | None = None,
    constants: Constants = "exact",
) -> ControlChart:
    """p' chart: shares that vary more (or less) from lot to lot than by chance.

    The limits of the p chart times sigma_z, which is the mean moving range of the z-scores over d2
    (Laney 2002, Quality Engineering 14:531). With a known sigma, that is sigma_z. Further arguments
    and errors are those of :func:`p_chart`.
    """
    found, sizes = _counts(defective, size, items=True)
    chart = _shares("p'", found, sizes, width=width, known=_centre_of(known), limits_from=LIMITS_FROM)
    return _overdispersed(chart, width, known, constants, ceiling=1.0)


def laney_u(
    count: ArrayLike,
    size: ArrayLike,
    *,
    width: float = 3.0,
    known: Known | None = None,
    constants: Constants = "exact",
) -> ControlChart:
    """u' chart: rates that vary more (or less) from lot to lot than by chance; as :func:`laney_p`."""
    found, sizes = _counts(count, size, items=False)
    chart = _rates("u'", found, sizes, width=width, known=_centre_of(known), limits_from=LIMITS_FROM)
    return _overdispersed(chart, width, known, constants, ceiling=np.inf)
