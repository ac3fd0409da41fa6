"""Plots of a series as it was looked at: lines where they hold, shares of words."""

from dataclasses import replace

import pytest
from scipy import stats

from batchqc.core.trend_phases import TrendLot
from batchqc.core.verdicts import Outcome
from batchqc.documents.trend_pages.of_lots import chart_svg, control_series, page_of
from batchqc.statistics.lot_figures import told_figures
from tests.core.world import criterion
from tests.statistics.test_lot_charts import FIRST, froze, look, series

WORDS = criterion("no growth", unit="")


def sterile(place: int, outcome: Outcome) -> TrendLot:
    (one,) = series("", first=1)
    observed = replace(one.observed, outcome=outcome, amount=None)
    day = f"2026-{1 + place % 2 * 3:02d}-10"  # the first and the second quarter in turn
    return replace(one, lot=f"S-{place:02d}", manufactured_on=day, observed=observed)


def test_lines_are_drawn_for_the_lots_that_they_hold_for():
    lots = series(*FIRST, "95.5", "<80", "60")
    trend = look(lots, froze(1, lots[:8]))
    drawn = control_series(trend)
    (phase,) = drawn.phases
    assert drawn.levels("lower")[:8] == [None] * 8
    assert drawn.levels("lower")[8:] == [trend.lots[-1].lower] * 3
    assert drawn.levels("centre")[8:] == [trend.lots[-1].centre] * 3
    assert (phase.method, drawn.chart) == ("limit set 1", "individuals")
    assert [(one.point, one.rule) for one in drawn.signals] == [
        (10, "limit set 1: Nelson 1"), (11, "limit set 1: Nelson 1"),
    ]  # fmt: skip
    assert drawn.points[9].qualifier == "<"
    assert (drawn.specification.lower, drawn.specification.upper) == (90, None)
    assert control_series(look(lots)).chart == "data"
    figures, notes = told_figures(trend)
    assert [one.n for one in figures] == [11, 11]  # by the likelihood of numbers and bounds
    assert "1 of 11 lots are censored" in figures[0].limitations
    assert notes == []
    assert [one.n for one in page_of(trend, "viability").figures] == [11, 11]


@pytest.mark.requirement("9.02")
def test_of_words_the_share_of_lots_that_fail_is_drawn_by_quarter():
    outcomes = [Outcome.FAIL, *[Outcome.PASS] * 9, Outcome.FAIL, Outcome.CANNOT_JUDGE]
    trend = look([sterile(place, one) for place, one in enumerate(outcomes)], of=WORDS)
    drawn = control_series(trend)
    assert [one.lot for one in drawn.points] == ["2026-Q1", "2026-Q2"]
    assert [one.value for one in drawn.points] == pytest.approx([2 / 6, 0])
    assert drawn.levels("centre") == pytest.approx([2 / 11] * 2)
    (share,) = page_of(trend, "sterility").figures
    exact = stats.binomtest(2, 11).proportion_ci(method="exact")
    assert (share.lower, share.upper) == pytest.approx(tuple(exact))
    assert b"2026-Q2" in chart_svg(trend)


def test_a_lot_on_the_bound_of_the_scale_is_told_beside_the_figures():
    lots = look(series("97.0", "100", "96.5", "97.5", "100"))
    assert told_figures(lots)[1] == [
        "Phase 1: moved off the bound by half the resolution: L-02, L-05"
    ]


def test_a_series_of_nothing_is_drawn_as_such():
    for trend in (look([sterile(0, Outcome.CANNOT_JUDGE)], of=WORDS), look(series("", ""))):
        assert b"</svg>" in chart_svg(trend)
    figures, notes = told_figures(look(series("", "")))
    assert figures == []
    assert notes[0].startswith("Phase 1, centre and sigma: ")
