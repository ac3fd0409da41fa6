"""Whatever is given to a chart: finite lines and figures, or a refusal that says why."""

import math
from contextlib import suppress

import numpy as np
import pytest

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.attribute_charts import c_chart, np_chart, p_chart, u_chart
from batchqc.statistics.control_charts import Known
from batchqc.statistics.few_lots import prediction
from batchqc.statistics.individuals import individuals, moving_range
from batchqc.statistics.laney import laney_p, laney_u
from batchqc.statistics.rare_events import g_chart, t_chart, t_chart_exponential
from batchqc.statistics.run_rules import NELSON
from batchqc.statistics.scales import Scale, on_scale
from batchqc.statistics.short_runs import from_nominal, z_and_w
from batchqc.statistics.subgroup_charts import deviations, ranges, xbar
from batchqc.statistics.westgard import levey_jennings

NASTY = [
    [], [None], [1], [1, 2], [1, 1], [0] * 12, [1] * 12, [1, None] * 6, [None] * 9,
    [1e149, -1e149] * 6, [1e-200, 2e-200, 5e-200] * 4, [1e-310, 5e-310, 2e-310] * 4,
    [1e10, 1e10 + 1e-5, 1e10 + 2e-5] * 4, [1e15, 1e15 + 2, 1e15] * 4, [1, 2, 3, 4, 5, 6, 7, 1e12],
    [math.nan, 1, 2, 3, 4, 5, 9, 1, 2], [0, 5, 0, 5, 9, 1, 1, 1, 1], list(range(40)),
    [-5, 3, 2, 8, 1, 4, 9, 2, 2], [99, 100, 100, 98, 97, 99, 99, 100, 98], [1e140, 3e140] * 6,
    [True, False] * 6, [[1, 2], [3, 4]], ["1.0", "x"], [math.inf] * 9,
]  # fmt: skip


def cut(data):
    return [data[:3], data[3:6], data[6:]]


CHARTS = {
    "individuals": individuals,
    "median": lambda x: individuals(x, sigma="median-mr"),
    "known": lambda x: individuals(x, known=Known(3, 1e-3)),
    "moving range": moving_range,
    "span 3": lambda x: moving_range(x, span=3),
    "prediction": prediction,
    "levey": levey_jennings,
    "xbar": lambda x: xbar(cut(x)),
    "R": lambda x: ranges(cut(x)),
    "S": lambda x: deviations(cut(x)),
    "p": lambda x: p_chart(x, 20),
    "swapped": lambda x: p_chart(x, x),
    "np": lambda x: np_chart(x, 1000),
    "c": c_chart,
    "c exact": lambda x: c_chart(x, alpha=0.01),
    "u": lambda x: u_chart(x, 3),
    "p'": lambda x: laney_p(x, 100),
    "u'": lambda x: laney_u(x, 3),
    "g": g_chart,
    "g exact": lambda x: g_chart(x, limits="probability"),
    "t": lambda x: t_chart(x).chart,
    "t exact": t_chart_exponential,
    "Z": lambda x: z_and_w(x, ["a"] * len(x)).z,
    "W": lambda x: z_and_w(x, ["a"] * len(x)).w,
    "nominal": lambda x: individuals(from_nominal(x, 1)),
    "cube": lambda x: on_scale(x, Scale("complement cube root"), individuals, resolution=1).chart,
    "logit": lambda x: on_scale(x, Scale("logit"), individuals, resolution=1).chart,
    "ln": lambda x: on_scale(x, Scale("ln"), prediction).chart,
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_finite_or_refused(name):
    for data in NASTY:
        try:
            chart = CHARTS[name](data)
        except (InvalidInput, NotEstimable):
            continue
        lots = ~np.isnan(chart.points)
        lines = (chart.centre, chart.sigma, chart.lower, chart.upper)
        assert all(np.isfinite(one[lots]).all() for one in lines if one is not None), data
        ends = [
            end
            for one in chart.figures.values()
            for end in (one.value, one.lower, one.upper, one.df)
            if end is not None
        ]
        assert np.isfinite(ends).all(), data
        assert set(chart.beyond) <= {int(at) + 1 for at in np.flatnonzero(lots)}
        with suppress(InvalidInput, NotEstimable):
            chart.signals([*NELSON.values()])
