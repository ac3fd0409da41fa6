"""A slow drift that no single lot shows is shown by EWMA and CUSUM of the scores."""

import numpy as np
import pytest

from batchqc.documents.trend_pages.of_drift import drift_plots
from batchqc.documents.trend_pages.of_lots import page_of
from batchqc.statistics.drift import drift_of
from tests.statistics.test_lot_charts import FIRST, PLAIN, froze, look, series

#: Below the centre of 95.6 by about 1.2 sigma each: none is odd alone.
SLOW = ("94.7", "95.2", "94.6", "94.9", "95.0", "94.5", "94.8", "94.9", "94.7", "94.6")


@pytest.mark.requirement("9.04")
def test_a_slow_drift_is_seen_from_its_lots_together():
    lots = series(*FIRST, *SLOW)
    trend = look(lots, froze(1, lots[:8], of=PLAIN, scale="identity", rules=("1",)), of=PLAIN)
    assert [one for one in trend.signals if one.by == "limit set 1"] == []
    found = drift_of(trend)[-1]
    assert (found.by, [one.lot.lot for one in found.lots]) == (
        "limit set 1",
        [one.lot for one in lots[8:]],
    )
    z, average, low = [one.score for one in found.lots], 0.0, 0.0
    for place, score in enumerate(z):
        assert score is not None
        average, low = 0.2 * score + 0.8 * average, max(0.0, -score - 0.5 + low)
        assert found.ewma.average[place] == pytest.approx(average)
        assert found.cusum.lower[place] == pytest.approx(low)
    assert found.ewma.signals
    assert found.cusum.signals[0].side == "lower"
    plots = drift_plots(trend)
    assert "one false alarm in 500 lots" in plots["ewma"].description
    assert "one false alarm in 465 lots" in plots["cusum"].description
    assert {"viability-ewma", "viability-cusum"} <= {
        one.name for one in page_of(trend, "viability").charts
    }


def test_no_average_runs_over_two_limit_sets():
    lots = series(*FIRST, *SLOW, "94.7", "94.6")
    sets = [
        froze(1, lots[:8], of=PLAIN, scale="identity"),
        froze(2, lots[:16], of=PLAIN, scale="identity"),
    ]
    first, second = drift_of(look(lots, *sets, of=PLAIN))[-2:]
    assert (first.by, len(first.lots), second.by, len(second.lots)) == (
        "limit set 1", 8, "limit set 2", 4,
    )  # fmt: skip
    assert second.ewma.average[0] == pytest.approx(0.2 * (second.lots[0].score or np.nan))


def test_a_lot_without_a_score_leaves_both_where_they_are_and_is_told():
    lots = series(*FIRST, "95.0", "<95", "95.0")
    trend = look(lots, froze(1, lots[:8], scale="identity"))
    own = drift_of(trend)[-1]
    assert own.lots[1].score is None
    assert own.ewma.average[1] == own.ewma.average[0]
    assert "1 lots without a score" in drift_plots(trend)["cusum"].description
