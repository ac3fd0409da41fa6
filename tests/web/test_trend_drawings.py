"""What pages draw of a series: windows, steps between neighbours, small charts, links."""

from dataclasses import replace

import pytest

from batchqc.core.trends import Observed
from batchqc.statistics.lot_charts import trend_of
from batchqc.web.charts import MOST, around, control_svg, told
from batchqc.web.moving_range_charts import lines_of, moving_range_svg, ranges_of
from batchqc.web.sparklines import HEIGHT, WIDTH, sparkline_of
from batchqc.web.trend_limits import excluded_lots
from batchqc.web.trend_subjects import Window
from tests.statistics.test_lot_charts import FIRST, OF, PLAIN, froze, look, series


def shown(lots: list[str]) -> list[str]:
    return [one.removeprefix("L-") for one in lots]


def test_a_window_is_the_latest_lots_of_the_days_that_are_asked_for():
    trend = look(series(*FIRST))
    assert shown(Window(last="20").lots(trend)) == [f"{n:02d}" for n in range(1, 9)]
    of = Window.model_validate({"from": "2026-01-03", "to": "2026-01-05"})
    assert shown(of.lots(trend)) == ["03", "04", "05"]
    assert of.query() == "from=2026-01-03&to=2026-01-05"
    assert Window.model_validate({"from": "", "to": ""}).query() == ""
    assert Window.model_validate({"from": "2026-02-01"}).lots(trend) == []


def test_a_chart_in_a_page_is_of_so_many_lots_the_one_that_is_meant_among_them():
    one = series("1")[0]
    lots = [
        replace(one, lot=f"L-{n:04d}", manufactured_on=f"{2000 + n // 300}-01-01")
        for n in range(300)
    ]
    trend = look(lots, of=PLAIN)
    newest = [each.lot.lot for each in around(trend, "L-0299").lots]
    assert (len(newest), newest[-1]) == (MOST, "L-0299")
    early = [each.lot.lot for each in around(trend, "L-0120").lots]
    assert len(early) == MOST
    assert "L-0120" in early
    first = [each.lot.lot for each in around(trend, "L-0000").lots]
    assert first[0] == "L-0000"


def test_steps_are_between_neighbours_of_one_phase_with_numbers_and_bridge_no_gap():
    lots = series("95", "97", "92", "<90", "96", "97")
    gap = replace(lots[2], observed=Observed(None, "", None, ""))
    trend = trend_of(OF, PLAIN, [*lots[:2], gap, *lots[3:]], starts={"L-06": "New"}, sets=[])
    trend = replace(trend, scale=type(trend.scale)())  # as they are
    assert ranges_of(trend) == [None, 2.0, None, None, None, None]
    assert moving_range_svg(trend) is not None
    assert moving_range_svg(look(series("95"))) is None


def test_steps_have_limit_lines_only_by_a_set_of_moving_ranges():
    lots = series(*FIRST)
    prediction = froze(1, lots, scale="identity")
    moving = froze(2, lots, scale="identity", method="individuals")
    assert lines_of(prediction) is None
    assert lines_of(None) is None
    centre, lower, upper = lines_of(moving) or (0, 0, 0)
    assert centre == pytest.approx(1.1284 * moving.lines.sigma, rel=1e-4)
    assert (lower, upper) == (0.0, pytest.approx(3.2665 * centre, rel=1e-4))  # D4 of two
    own = series(*FIRST, "95.5", "95.8")
    assert "UCL" not in str(moving_range_svg(look(own, moving)))  # of another scale
    same = froze(3, lots, method="individuals")
    assert "UCL" in str(moving_range_svg(look(own, same)))
    assert "UCL" not in str(moving_range_svg(look(own, froze(4, lots))))


def test_points_lead_to_their_lots_and_say_what_they_are_and_nothing_else_gets_in():
    lots = series(*FIRST)
    odd = replace(lots[0], lot='L-"><b>', donors=("D&1",))
    trend = look([odd, *lots[1:]])
    drawn = str(control_svg(trend, own="L-03"))
    assert drawn.count("<a href=") == 8
    assert drawn.count('aria-current="true"') == 1
    assert 'href="/lots/L-03?show=viability" tabindex="-1"' in drawn
    assert 'data-day="2026-01-03" aria-current="true"' in drawn
    assert "<b>" not in drawn
    assert "var(--chart-" in drawn
    assert "#1a1d21" not in drawn
    assert told(trend, trend.by_lot["L-03"]).split("\n")[:2] == ["L-03", "94.8 %, PASS"]
    assert "donor D&1" in told(trend, trend.by_lot['L-"><b>'])


def test_a_small_chart_stays_in_its_frame_and_bounds_are_not_joined():
    lots = series("95", "97", ">98", "96")
    trend = look(lots)
    found = sparkline_of(trend, trend.lots)
    assert found is not None
    assert (len(found.at), len(found.open_at)) == (3, 1)
    assert found.path.count("M") == 2
    for x, y in (*found.at, *found.open_at):
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    assert sparkline_of(trend, []) is None


def test_an_equal_series_has_a_small_chart_too():
    trend = look(series("95", "95", "95"))
    found = sparkline_of(trend, trend.lots)
    assert found is not None
    assert len({y for _, y in found.at}) == 1


def test_lots_that_are_left_out_stand_one_in_a_line_with_their_cause():
    assert excluded_lots("") == ([], "")
    text = " L-1 : broken: twice \n\nL-2:incubator\n"
    assert excluded_lots(text) == (
        [{"lot": "L-1", "cause": "broken: twice"}, {"lot": "L-2", "cause": "incubator"}],
        "",
    )
    found, wrong = excluded_lots("L-1\nL-2: why\n: cause\nL-3:")
    assert found == [{"lot": "L-2", "cause": "why"}]
    for line in ("L-1", ": cause", "L-3:"):
        assert line in wrong
