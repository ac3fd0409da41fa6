"""Laney's p' and u' charts: counts that vary more, or less, from lot to lot than by chance."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from batchqc.statistics.attribute_charts import p_chart, u_chart
from batchqc.statistics.chart_constants import Constants
from batchqc.statistics.control_charts import LIMITS_FROM, ControlChart, Known
from batchqc.statistics.figures import Figure
from batchqc.statistics.moving_ranges import sigma_of_lots


def laney_p(
    defective: ArrayLike,
    size: ArrayLike,
    *,
    width: float = 3.0,
    known: Known | None = None,
    constants: Constants = "exact",
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """Chart p': limits of the p chart times sigma_z, within 0 and 1.

    Sigma_z is the mean moving range of the z-scores over d2 (Laney 2002, Quality Engineering
    14:531): 1 where lots vary by chance alone. A known sigma is sigma_z.

    Args:
        defective: whole counts of each lot; None or NaN where missing: no range over a gap.
        size: items looked at, one number or one for each lot.
        width: of the limits, in sigma.
        known: centre, and perhaps sigma_z, that were fixed before.
        constants: ``table`` for d2 as 1.128.
        limits_from: with fewer lots there is no limit line.

    Raises:
        InvalidInput: counts are no whole numbers, or exceed their size.
        NotEstimable: no two neighbouring lots differ.
    """
    centre = known and Known(known.centre)
    chart = p_chart(defective, size, width=width, known=centre, limits_from=limits_from)
    return _wider(replace(chart, name="p'"), width, known, constants, ceiling=1.0)


def laney_u(
    count: ArrayLike,
    size: ArrayLike,
    *,
    width: float = 3.0,
    known: Known | None = None,
    constants: Constants = "exact",
    limits_from: int = LIMITS_FROM,
) -> ControlChart:
    """Chart u': limits of the u chart times sigma_z, not below 0; as :func:`laney_p`."""
    centre = known and Known(known.centre)
    chart = u_chart(count, size, width=width, known=centre, limits_from=limits_from)
    return _wider(replace(chart, name="u'"), width, known, constants, ceiling=np.inf)


def _wider(
    chart: ControlChart, width: float, known: Known | None, constants: Constants, *, ceiling: float
) -> ControlChart:
    factor = _sigma_z(chart, known, constants)
    sigma = chart.sigma * factor.value
    bare = chart.lower is None
    return replace(
        chart,
        sigma=sigma,
        lower=None if bare else np.maximum(0.0, chart.centre - width * sigma),
        upper=None if bare else np.minimum(ceiling, chart.centre + width * sigma),
        figures={**chart.figures, "sigma_z": factor},
        limits=f"centre ± {width:g} sigma of each lot x sigma_z",
    )


def _sigma_z(chart: ControlChart, known: Known | None, constants: Constants) -> Figure:
    if known and known.sigma:
        return Figure("sigma_z", known.sigma, "known", int(np.sum(~np.isnan(chart.points))))
    figure = sigma_of_lots(chart.z, constants=constants)
    return replace(figure, name="sigma_z", method="mean moving range of z / d2 (Laney 2002)")
