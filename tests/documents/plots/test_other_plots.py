"""What each other plot shows, beside the numbers themselves."""

import math
from itertools import pairwise

import pytest

from batchqc.documents.plots.axes import Axis, axis_of, number
from batchqc.documents.plots.decline import Batch, Decline, stability_plot
from batchqc.documents.plots.dose import DoseResponse, Preparation, dose_response_plot
from batchqc.documents.plots.figures import interval_of
from batchqc.documents.plots.forest import Estimate, Forest, forest_plot
from batchqc.documents.plots.heat import Cell, HeatMap, heat_map
from batchqc.documents.plots.histogram import Spread, histogram
from batchqc.documents.plots.probability import Ordered, probability_plot
from batchqc.documents.plots.scene import Area, Line, Marks, Picture, Text
from batchqc.documents.plots.series import ControlSeries, Phase, Point, Signal, SpecificationLimits
from batchqc.documents.plots.t_squared import Drivers, t_squared_chart
from batchqc.documents.plots.variability import Variability, variability_chart
from batchqc.errors import InvalidInput
from batchqc.statistics.figures import Figure


def texts(picture: Picture) -> list[str]:
    return [one.text for one in picture.items if isinstance(one, Text)]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ((88.0, 101.0), ["90", "95", "100"]),
        ((1e8, 3e8), ["1.0E8", "1.5E8", "2.0E8", "2.5E8", "3.0E8"]),
        ((1e-7, 2e-7), ["1.0E-7", "1.2E-7", "1.4E-7", "1.6E-7", "1.8E-7", "2.0E-7"]),
    ],
)
def test_ticks_are_round_and_told_apart(values: tuple[float, float], said: list[str]):
    assert [text for _, text in axis_of(values).ticks] == said


@pytest.mark.parametrize("low", [1e-300, 0.013, 0.7, 1.0, 30.0, 1e200])
@pytest.mark.parametrize("factor", [1.01, 3.0, 80.0, 1e5, 1e90])
def test_an_axis_of_factors_has_ticks_and_equal_factors_equal_lengths(low: float, factor: float):
    axis = axis_of([low, low * factor], log=True)
    ticks = [value for value, _ in axis.ticks]
    assert len(ticks) >= 2
    assert all(axis.low <= value <= axis.high for value in ticks)
    steps = [axis.share(low * factor ** (n / 4)) for n in range(5)]
    assert [b - a for a, b in pairwise(steps)] == pytest.approx([steps[1] - steps[0]] * 4)
    assert 0 < steps[0] < steps[-1] < 1


def test_an_axis_of_factors_has_no_place_for_zero():
    with pytest.raises(InvalidInput, match="0 or below"):
        axis_of([0.0, 1.0], log=True)


def test_numbers_are_written_as_people_read_them():
    written = [number(one) for one in (95.45, 1.8e8, 0.05, -3.0, -0.0, 1e-12, 123456.0)]
    assert written == ["95.45", "1.8E8", "0.05", "-3", "0", "1E-12", "1.2346E5"]


MARGINS = Forest(
    "Sites", [
        Estimate("Viability", 0.5, -0.3, 1.3, 20),
        Estimate("CD73", -2.0, -4.0, 0.0, 20),
        Estimate("Dose", 1.0, None, 2.0, 3),
        Estimate("Endotoxin", None, said="all censored"),
    ], "difference, % points", 0.9, "TOST", (-3.0, 3.0), 0.0,
)  # fmt: skip


def test_only_an_interval_whole_within_the_margins_is_filled_and_says_so():
    picture = forest_plot(MARGINS)
    rows = [one for one in picture.items if isinstance(one, Marks) and one.said]
    assert [one.filled for one in rows] == [True, False, False]
    assert [row[6] for row in picture.table.rows] == ["yes", "not shown", "not shown", "not shown"]
    assert "0.5 (-0.3 to 1.3), within" in texts(picture)
    assert "1 (none to 2), not shown" in texts(picture)
    assert "all censored" in texts(picture)
    assert "lower margin -3, upper margin 3" in picture.description
    assert "90 % confidence" in picture.description


@pytest.mark.parametrize(
    ("ends", "margins", "within"),
    [
        ((-1.0, 1.0), (None, None), None),
        ((-3.0, 3.0), (-3.0, 3.0), True),
        ((None, 1.0), (-3.0, 3.0), False),
        ((-1.0, None), (-3.0, 3.0), False),
        ((-1.0, None), (-3.0, None), True),
        ((None, 1.0), (None, 3.0), True),
        ((-1.0, 4.0), (None, 3.0), False),
        ((None, None), (-3.0, 3.0), False),
    ],
)
def test_an_end_without_a_limit_is_never_within_a_margin(ends, margins, within):
    one = Estimate("Dose", 0.5, *ends)
    assert Forest("Sites", [one], "difference", 0.9, "TOST", margins).within(one) is within


def test_an_interval_without_an_end_has_an_arrow_at_the_edge():
    picture = forest_plot(MARGINS)
    frame = next(one for one in picture.items if isinstance(one, Area))
    left = min(x for x, _ in frame.corners)
    arrows = [
        run
        for one in picture.items
        if isinstance(one, Line)
        for run in one.runs
        if len(run) == 3 and run[1][0] == left
    ]
    assert len(arrows) == 1


def test_components_of_variance_have_bars_from_zero():
    found = [Estimate("donor", 4.0, 0.5, 20.0, 5), Estimate("lot", 1.0, 0.4, 3.0, 18)]
    picture = forest_plot(Forest("Variance", found, "variance", 0.95, "REML", bars=True))
    frame, *bars = (one for one in picture.items if isinstance(one, Area))
    widths = [bar.corners[1][0] - bar.corners[0][0] for bar in bars]
    assert widths[0] == pytest.approx(4 * widths[1])
    assert {bar.corners[0][0] for bar in bars} == {frame.corners[0][0]}


def test_a_potency_of_zero_is_refused():
    with pytest.raises(InvalidInput, match="above 0"):
        Forest("RP", [Estimate("run", 0.0)], "RP", 0.95, "4PL", log=True)


def test_means_are_those_of_lots_then_of_donors():
    picture = variability_chart(
        Variability("Viability", "%", {"A": {"L1": [90, 92], "L2": [95]}, "B": {"L3": [99]}})
    )
    assert "mean 96" in texts(picture)  # ((91 + 95) / 2 + 99) / 2
    assert [row[4:] for row in picture.table.rows] == [
        ("91.0", "93.0"), ("91.0", "93.0"), ("95.0", "93.0"), ("99.0", "99.0"),
    ]  # fmt: skip
    assert "n = 4 results of 3 lots of 2 donors" in picture.description


def test_every_result_is_in_one_class_and_censored_ones_apart():
    values = [90.0, 91.0, 91.5, 92.0, 99.0]
    picture = histogram(
        Spread("Viability", "%", values, [90.5, 90.5], SpecificationLimits(89.5, 1e9), (88.0, None))
    )
    rows = [(float(low), float(high), int(a), int(b)) for low, high, a, b in picture.table.rows]
    assert sum(row[2] for row in rows) == 5
    assert sum(row[3] for row in rows) == 2
    assert [row[1] for row in rows[:-1]] == [row[0] for row in rows[1:]]
    assert (rows[0][0], rows[-1][1]) == (90.0, 99.0)
    for low, high, measured, _ in rows[:-1]:
        assert measured == sum(low <= value < high for value in values)
    assert {"LSL 89.5", "TI 88", "USL 1E9 →"} <= set(texts(picture))
    assert "n = 7, 2 of them censored" in picture.description


def test_where_a_result_is_censored_no_mean_of_the_others_is_drawn():
    whole, some = (
        histogram(Spread("Endotoxin", "EU/mL", [0.073, 0.08], hidden)) for hidden in ([], [0.05])
    )
    assert "mean 0.0765" in whole.description
    assert "mean" not in some.description
    assert not any("mean" in one for one in texts(some))


def test_what_drives_a_lot_is_told_the_strongest_first():
    points = [Point(f"L{n}", value) for n, value in enumerate([1.0, 25.0, 2.0])]
    phases = [Phase("I", 3, None, None, 15.0, 30, "beta")]
    series = ControlSeries("Profile", "", "Hotelling T²", points, phases, [Signal(2, "T²")])
    shares = {2: [("Dose", 1.0), ("CD73", -14.0), ("Viability", 3.0)]}
    picture = t_squared_chart(Drivers(series, shares))
    assert "L1 by CD73 (-14), Viability (3), Dose (1)" in picture.description
    assert [row[-1] for row in picture.table.rows] == [
        "", "CD73 -14.0; Viability 3.0; Dose 1.0", "",
    ]  # fmt: skip
    assert texts(picture).index("CD73") < texts(picture).index("Viability")


def test_blanks_stand_apart_and_wells_left_out_are_open_and_crossed():
    one = Preparation("S", [0, 1, 10, 100], [1, 5, 9, 2], [0, 5, 10, 11], [(1, 5), (100, 11)], [4])
    picture = dose_response_plot(DoseResponse("IDO", "dose", "µM", [one]))
    kept, left_out, crossed, *_ = (one for one in picture.items if isinstance(one, Marks))
    assert [len(kept.at), len(left_out.at), left_out.filled] == [3, 1, False]
    assert (crossed.shape, crossed.at) == ("cross", left_out.at)
    assert kept.at[0][0] < kept.at[1][0] - 20
    assert [row[5] for row in picture.table.rows] == ["1.0", "0.0", "-1.0", "-9.0"]
    assert picture.table.rows[3][-1] == "left out"
    assert "1 left out of the fit" in picture.description


@pytest.mark.parametrize(
    "wrong",
    [
        {"doses": [-1.0, 1.0], "responses": [1.0, 2.0]},
        {"doses": [1.0], "responses": [1.0, 2.0]},
        {"doses": [1.0], "responses": [1.0], "fitted": [1.0, 2.0]},
        {"doses": [1.0], "responses": [1.0], "curve": [(0.0, 1.0)]},
    ],
)
def test_wells_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InvalidInput):
        Preparation("S", **wrong)


def test_a_study_tells_when_a_confidence_limit_meets_the_criterion():
    batch = Batch("L1", [(0, 100), (12, 95)], [(0, 100), (24, 90)], [[(0, 99), (24, 87)]])
    study = Decline("Viability", "%", "months", [batch], 90, None, 18.0, "One line for all lots")
    picture = stability_plot(study)
    assert "a confidence limit meets a criterion at 18. One line" in picture.description
    assert {"crossing at 18", "LSL 90"} <= set(texts(picture))
    kinds = [row[1] for row in picture.table.rows]
    assert kinds == ["result"] * 2 + ["line"] * 2 + ["confidence limit"] * 2
    never = stability_plot(Decline("Viability", "%", "months", [batch], 90))
    assert "no confidence limit meets a criterion" in never.description


@pytest.mark.parametrize("count", [1, 89, 90, 91, 1000])
def test_no_signal_is_lost_where_lots_share_a_field(count: int):
    cells = {(n, "Viability"): Cell(0.1, shown="95") for n in range(count)}
    cells[count // 2, "Viability"] = Cell(-3.4, ["Nelson 1"], "81")
    found = HeatMap("MSC", [f"L{n}" for n in range(count)], ["Viability"], cells)
    picture = heat_map(found)
    fields = [one for one in picture.items if isinstance(one, Area) and one.said]
    assert len(fields) == math.ceil(count / max(math.ceil(count / 90), 1)) <= 90
    (odd,) = [one for one in fields if "signals Nelson 1" in one.said]
    assert f"L{count // 2}, Viability: 81, -3.4 sigma" in odd.said
    assert "!▼" in texts(picture)
    assert f"Signals: L{count // 2}, Viability: Nelson 1" in picture.description
    assert picture.table.marked == {count // 2}


def test_a_result_without_limits_a_censored_one_and_none_have_each_a_sign():
    cells = {(0, "A"): Cell(shown="5"), (1, "A"): Cell(shown="<5", censored=True)}
    picture = heat_map(HeatMap("MSC", ["L0", "L1", "L2"], ["A"], cells))
    assert [text for text in texts(picture) if len(text) == 1 and text in "·~–"] == ["·", "~", "–"]


def test_normal_quantiles_rise_with_the_values_and_censored_ones_take_their_ranks():
    alone = probability_plot(Ordered("Endotoxin", "EU/mL", [3.0, 1.0, 2.0]))
    found = [(float(value), float(z)) for value, z in alone.table.rows]
    assert [value for value, _ in found] == [1.0, 2.0, 3.0]
    assert [z for _, z in found] == pytest.approx([-0.6745, 0.0, 0.6745], abs=1e-4)
    ranked = probability_plot(Ordered("Endotoxin", "EU/mL", [3.0, 1.0, 2.0], [0.5, 0.5, 0.5]))
    assert float(ranked.table.rows[0][1]) > found[0][1]
    assert "3 results below a limit take their ranks only" in ranked.description


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((1.0, 2.0, 0.95), "from 1 to 2, with 95 % confidence"),
        ((1.0, None, 0.95), "at least 1, with 95 % confidence"),
        ((None, 2.0, 0.9), "at most 2, with 90 % confidence"),
        ((1.0, math.inf, 0.9), "at least 1, with 90 % confidence"),
        ((None, None, 0.95), "no interval"),
        ((1.0, 2.0, 0.0), "no interval"),
    ],
)
def test_an_interval_is_said_as_far_as_it_goes(ends, said: str):
    assert interval_of(Figure("Ppk", 1.5, "exact", 8, *ends)) == said


def test_an_axis_shows_what_is_wanted_only_where_it_does_not_press_the_values():
    near, far = axis_of([1.0, 2.0], wanted=[3.0]), axis_of([1.0, 2.0], wanted=[30.0])
    assert near.holds(3.0)
    assert not far.holds(30.0)
    assert far.high < 3
    assert Axis(0.0, 1.0).share(0.25) == 0.25
