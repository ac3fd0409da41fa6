"""A control chart shows every lot, and tells what is odd about each by more than a colour."""

import time
from dataclasses import replace

import numpy as np
import pytest

from batchqc.documents.plots.control import control_chart
from batchqc.documents.plots.scene import Line, Marks, Picture, Text
from batchqc.documents.plots.series import (
    ControlSeries,
    Phase,
    Point,
    Signal,
    SpecificationLimits,
    Trace,
)
from batchqc.documents.plots.svg import svg
from batchqc.errors import InvalidInput

#: The eight lots of UCM-P4 with the individuals chart of all of them.
VIABILITY = [97.0, 97.0, 96.0, 98.0, 98.0, 98.0, 97.0, 89.0]
LOTS = [Point(f"UCM-P4-{n}", value, donor="AABBCCDD"[n]) for n, value in enumerate(VIABILITY)]
EIGHT = ControlSeries(
    "Viability", "%", "individuals", LOTS,
    [Phase("Process 1", 8, 96.25, 91.69, 100.81, 8, "mean ± 3 sigma of the moving range")],
    [Signal(8, "Nelson 1")],
    SpecificationLimits(80.0, None, "> 80 %"),
)  # fmt: skip


def marks(picture: Picture, shape: str, *, filled: bool = True) -> list[tuple[float, float]]:
    """Places of all marks of a shape, without those of the key."""
    last = max(one.y for one in picture.items if isinstance(one, Text) and one.turned)
    return [
        place
        for one in picture.items
        if isinstance(one, Marks) and one.shape == shape and one.filled == filled
        for place in one.at
        if place[1] < last
    ]


def texts(picture: Picture) -> list[str]:
    return [one.text for one in picture.items if isinstance(one, Text)]


def column(picture: Picture, name: str) -> list[str]:
    place = list(picture.table.header).index(name)
    return [row[place] for row in picture.table.rows]


def test_it_says_n_limits_donors_specification_and_signals_in_words():
    assert control_chart(EIGHT).description == (
        "Viability (%): individuals chart, n = 8 of 8 lots, UCM-P4-0 to UCM-P4-7; values from 89 to"
        " 98. 4 donors. Process 1 (points 1 to 8) from 8 lots, mean ± 3 sigma of the moving range:"
        " centre 96.25, lower control limit 91.69, upper control limit 100.81. Specification:"
        " > 80 %. Signals at 1 lot: UCM-P4-7 (point 8: Nelson 1)."
    )


def test_each_donor_has_a_shape_and_a_name_and_the_signal_a_ring_and_its_rule():
    picture = control_chart(EIGHT)
    shapes = ("circle", "square", "triangle", "diamond")
    assert [len(marks(picture, shape)) for shape in shapes] == [2, 2, 2, 2]
    assert marks(picture, "ring") == [marks(picture, "diamond")[1]]
    found = texts(picture)
    assert {"1", "1: Nelson 1", "A", "B", "C", "D", "donor A"} <= set(found)
    assert {"UCL 100.81", "centre 96.25", "LCL 91.69", "LSL 80"} <= set(found)


def test_values_stand_in_the_order_of_their_size_and_lots_in_their_own():
    picture = control_chart(replace(EIGHT, points=[replace(one, donor="") for one in LOTS]))
    places = marks(picture, "circle")
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    heights = [y for _, y in places]
    for value, y in zip(VIABILITY, heights, strict=True):
        for other, below in zip(VIABILITY, heights, strict=True):
            assert (value > other) == (y < below)


@pytest.mark.requirement("4.24")
def test_a_censored_result_is_open_with_an_arrow_and_no_line_leads_to_it():
    points = [replace(one, donor="") for one in LOTS]
    points[3] = replace(points[3], qualifier="<")
    points[4] = replace(points[4], qualifier=">=")
    picture = control_chart(replace(EIGHT, points=points))
    below, above = marks(picture, "circle", filled=False)
    assert marks(picture, "down") == [below]
    assert marks(picture, "up") == [above]
    joined = next(one for one in picture.items if isinstance(one, Line) and len(one.runs) == 2)
    assert [len(run) for run in joined.runs] == [3, 3]
    assert "2 censored, drawn open at its limit" in picture.description
    assert column(picture, "Qualifier")[3:5] == ["<", ">="]


def test_an_excluded_lot_is_crossed_and_a_lot_without_a_result_stands_at_the_bottom():
    points = list(LOTS)
    points[2] = replace(points[2], excluded="pump failed")
    points[5] = replace(points[5], value=None)
    picture = control_chart(replace(EIGHT, points=points))
    crossed, absent = sorted(marks(picture, "cross"))
    assert crossed in marks(picture, "square")
    assert absent[1] > max(y for _, y in marks(picture, "diamond"))
    assert "1 without a result" in picture.description
    assert column(picture, "Excluded because")[2] == "pump failed"
    assert column(picture, "Charted")[5] == ""


@pytest.mark.requirement("9.04")
def test_phases_are_apart_their_lines_end_where_they_end():
    phases = [
        Phase("Process 1", 5, 97.0, 95.0, 99.0, 5, "prediction"),
        Phase("Process 2", 8, 97.0, (95.0, 94.0, None), None, 3, "prediction"),
    ]
    picture = control_chart(replace(EIGHT, phases=phases, specification=SpecificationLimits()))
    lines = [one.runs for one in picture.items if isinstance(one, Line) and len(one.runs) == 2]
    assert [[len(run) for run in runs] for runs in lines] == [[2, 2], [2, 4], [5, 3]]
    assert {"Process 1", "Process 2"} <= set(texts(picture))
    assert column(picture, "Phase") == ["Process 1"] * 5 + ["Process 2"] * 3
    assert column(picture, "Lower control limit")[4:] == ["95.0", "95.0", "94.0", ""]
    assert "94 to 95, varying" in picture.description


@pytest.mark.requirement("9.04")
def test_without_limits_there_is_no_line_and_it_says_so():
    picture = control_chart(ControlSeries("Viability", "%", "data", LOTS[:3]))
    said = " ".join(texts(picture))
    assert "No limit lines: only data" in picture.description
    assert not any(word in said for word in ("UCL", "LCL", "centre", "control limit"))
    phase = [Phase("Process 1", 3)]
    also = control_chart(ControlSeries("Viability", "%", "data", LOTS[:3], phase))
    assert "no limit lines" in also.description


def test_signals_extremes_censored_and_excluded_lots_are_marked_in_the_table():
    points = [replace(one, value=95.0 + n / 10) for n, one in enumerate(LOTS)]
    points[2] = replace(points[2], qualifier="<")
    points[3] = replace(points[3], excluded="pump failed")
    series = replace(EIGHT, points=points, signals=[Signal(6, "Nelson 1")])
    assert control_chart(series).table.marked == {0, 2, 3, 5, 7}


def test_a_specification_far_away_is_named_at_the_edge_and_does_not_flatten_the_data():
    limits = SpecificationLimits(-1e9, 1e9)
    picture = control_chart(replace(EIGHT, specification=limits))
    assert {"LSL -1E9 ↓ below", "USL 1E9 ↑ above"} <= set(texts(picture))
    heights = [y for _, y in marks(picture, "circle") + marks(picture, "diamond")]
    assert max(heights) - min(heights) > 100


def test_a_trace_has_a_line_of_its_own_and_signals_stand_on_it():
    sums = Trace("lower sum", [0, 0, -1, -2, -3, -4, None, -5])
    picture = control_chart(
        replace(EIGHT, traces=[sums], signals=[Signal(8, "h 4.5", "lower sum")], phases=())
    )
    (ring,) = marks(picture, "ring")
    assert ring[1] > max(y for _, y in marks(picture, "circle") + marks(picture, "diamond"))
    assert column(picture, "lower sum")[6:] == ["", "-5.0"]
    assert "h 4.5 on lower sum" in picture.description


def test_more_donors_than_shapes_are_told_by_the_strip_and_counted_in_the_key():
    points = [replace(one, donor=f"D{n}") for n, one in enumerate(LOTS * 2)]
    picture = control_chart(ControlSeries("Viability", "%", "data", points))
    assert "and 8 more donors: see the table" in texts(picture)
    assert {f"D{n}" for n in range(16)} <= set(texts(picture))


def test_long_names_of_lots_are_told_apart_by_where_they_differ():
    points = [replace(one, lot=f"LAKESIDE-CRYO-2026-{n:04d}") for n, one in enumerate(LOTS)]
    picture = control_chart(replace(EIGHT, points=points))
    turned = [one.text for one in picture.items if isinstance(one, Text) and one.turned]
    assert turned[1:] == [f"…{n}" for n in range(8)]
    assert column(picture, "Lot")[3] == "LAKESIDE-CRYO-2026-0003"


def runs_named(names: list[str]) -> list[str]:
    """What stands upright beside the chart of a control, and below it."""
    points = [replace(one, lot=name) for one, name in zip(LOTS, names, strict=True)]
    control = "control PPC recovery, SOP-QC-040 v4, site COA"
    picture = control_chart(ControlSeries(control, "%", "Levey-Jennings", points))
    return [one.text for one in picture.items if isinstance(one, Text) and one.turned]


def test_runs_of_controls_are_named_without_their_upload_where_that_tells_them_apart():
    names = [f"ENDO-26021{n}-S U-2026-00000{n}" for n in range(8)]
    runs = [name.split()[0] for name in names]
    assert runs_named(names) == ["mean of the run (%)", *runs]
    twice = [*names[:7], f"{runs[0]} U-2026-000009"]
    assert runs_named(twice)[1:] != [*runs[:7], runs[0]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"phases": [Phase("short", 7)]},
        {"phases": [Phase("back", 8), Phase("again", 8)]},
        {"phases": [Phase("long", 8, (1.0, 2.0))]},
        {"phases": [Phase("no number", 8, float("nan"))]},
        {"signals": [Signal(9, "Nelson 1")]},
        {"signals": [Signal(0, "Nelson 1")]},
        {"signals": [Signal(1, "Nelson 1", "no such trace")]},
        {"traces": [Trace("short", [1.0])]},
        {"specification": SpecificationLimits(float("inf"))},
    ],
    ids=lambda wrong: f"{next(iter(wrong))} {next(iter(wrong.values()))}"[:50],
)
def test_a_series_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(InvalidInput) as refused:
        replace(EIGHT, **wrong)
    assert refused.value.code == "BQC-STA-003"


@pytest.fixture(scope="module")
def large() -> ControlSeries:
    values = np.random.default_rng(3).normal(95, 2, 10_000).tolist()
    points = [
        Point(
            f"LAKESIDE-MSC-2026-{n:05d}", values[n], "2026-01-05", donor=f"D{n // 100}",
            qualifier=">" if n % 97 == 0 else "", href=f"/lots/{n}",
        )
        for n in range(10_000)
    ]  # fmt: skip
    beyond = [n for n, one in enumerate(points, 1) if abs((one.value or 95) - 95) > 5]
    return ControlSeries(
        "Viability", "%", "individuals", points,
        [Phase("Process 1", 4000, 95, 89, 101, 50), Phase("Process 2", 10_000, 95, 90, 100, 50)],
        [Signal(n, "Nelson 1") for n in beyond], SpecificationLimits(90.0),
    )  # fmt: skip


def test_ten_thousand_lots_are_drawn_one_and_all_quickly_and_small(large: ControlSeries):
    def seconds() -> float:
        began = time.process_time()
        svg(control_chart(large))
        return time.process_time() - began

    assert min(seconds() for _ in range(3)) < 0.3
    picture = control_chart(large)
    assert len(svg(picture).encode()) < 2_000_000
    shapes = {one.shape for one in picture.items if isinstance(one, Marks)}
    lots = shapes - {"ring", "cross", "up", "down"}
    drawn = sum(len(marks(picture, one, filled=kind)) for one in lots for kind in (True, False))
    assert drawn == 10_000
    assert len(marks(picture, "ring")) == len(large.signals) > 50
    assert len(picture.table.rows) == 10_000
    assert picture.table.marked >= {signal.point - 1 for signal in large.signals}
