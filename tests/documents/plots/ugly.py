"""Plots of ugly data: one lot, three, equal values, all censored, long names, absurd magnitudes."""

from collections.abc import Callable, Mapping

import numpy as np

from batchqc.documents.plots.control import control_chart
from batchqc.documents.plots.decline import Batch, Decline, stability_plot
from batchqc.documents.plots.dose import DoseResponse, Preparation, dose_response_plot
from batchqc.documents.plots.forest import Estimate, Forest, forest_plot
from batchqc.documents.plots.heat import Cell, HeatMap, heat_map
from batchqc.documents.plots.histogram import Spread, histogram
from batchqc.documents.plots.probability import Ordered, probability_plot
from batchqc.documents.plots.scene import Picture
from batchqc.documents.plots.series import (
    ControlSeries,
    Phase,
    Point,
    Signal,
    SpecificationLimits,
    Trace,
)
from batchqc.documents.plots.t_squared import Drivers, t_squared_chart
from batchqc.documents.plots.variability import Variability, variability_chart
from batchqc.statistics.figures import Figure

HOSTILE = "<script>alert('1')</script> & \x00\u202e]]> " + "long " * 60
VALUES: Mapping[str, list[float]] = {
    "none": [],
    "one": [95.0],
    "three": [95.0, 94.0, 97.5],
    "equal": [7.2] * 12,
    "nearly equal": [1e9, 1e9 + 1e-6, 1e9],
    "huge": [1.7e308, -1.7e308, 1.6e308],
    "tiny": [5e-324, 0.0, 1e-320],
    "far": [1.0, 1.1, 1e300],
    "many": np.random.default_rng(7).normal(95, 2, 400).tolist(),
}
RP = Figure("relative potency", 0.68, "4PL, likelihood", 28, 0.55, 0.83, 0.95)
NOWHERE = Figure("sigma", float("nan"), "moving range", 1, limitations=("1 value",))


def series_of(values: list[float], **more: object) -> ControlSeries:
    """Three lots of a donor at a time; the second lot is censored, the third one excluded."""
    points = [
        Point(
            f"MSC-26-{n:04d}", value, "2026-01-05", donor=f"D{n // 3}",
            qualifier="<" if n == 1 else "", excluded="pump failed" if n == 2 else "",
        )
        for n, value in enumerate(values)
    ]  # fmt: skip
    return ControlSeries("Viability", "%", "individuals", points, **more)  # type: ignore[arg-type]


def control(values: list[float]) -> Picture:
    if not values:
        return control_chart(series_of(values))
    middle = values[len(values) // 2]
    return control_chart(
        series_of(
            values,
            phases=[Phase("Process 1", len(values), middle, min(values), max(values), 8, "known")],
            signals=[Signal(1, "Nelson 1"), Signal(len(values), HOSTILE, "sums")],
            specification=SpecificationLimits(90.0, 1e5),
            traces=[Trace("sums", [None, *values[1:-1], middle][: len(values)])],
            notes=[HOSTILE],
        )
    )


def censored(values: list[float]) -> Picture:
    points = [Point(HOSTILE, value, qualifier="<=", donor=HOSTILE) for value in values]
    return control_chart(ControlSeries(HOSTILE, HOSTILE, "data", points))


def forest(values: list[float]) -> Picture:
    rows = [Estimate(HOSTILE, one, one if n % 2 else None, None, n) for n, one in enumerate(values)]
    rows.append(Estimate("not parallel", None))
    return forest_plot(
        Forest(HOSTILE, rows, "difference", 0.9, "TOST", (-3.0, 3.0), 0.0, notes=[HOSTILE])
    )


def variability(values: list[float]) -> Picture:
    some = range(min(len(values), 40))
    donors = {f"{HOSTILE}{n}": {HOSTILE: values[n::7], f"L{n}": values[n::5]} for n in some}
    return variability_chart(Variability("Viability", "%", donors))


def spread(values: list[float]) -> Picture:
    limits = SpecificationLimits(90.0, 1e5)
    return histogram(
        Spread("Viability", "%", values, values[:2], limits, (1.0, None), [RP, NOWHERE], [HOSTILE])
    )


def profile(values: list[float]) -> Picture:
    shares = {n: [(HOSTILE, value), ("CD73", -0.0)] for n, value in enumerate(values[:9], 1)}
    return t_squared_chart(Drivers(series_of(values), shares))


def doses(values: list[float]) -> Picture:
    grid = [0.0, 1e-9, 1.0, 1e12, *[3.0] * len(values)][: len(values)]
    line = [(dose, value) for dose, value in zip(grid, values, strict=True) if dose > 0]
    half = [value / 2 for value in values]
    one = Preparation(HOSTILE, grid, values, half, line, (2,))
    potency = Forest("RP", [Estimate("T", 0.68, 0.5, None)], "RP", 0.95, "4PL", log=True)
    return dose_response_plot(
        DoseResponse("IDO, run 7", "dose, ng/mL", "µM", [one, one], [RP], potency, [HOSTILE])
    )


def decline(values: list[float]) -> Picture:
    places = [(float(n), value) for n, value in enumerate(values)]
    batches = [Batch(HOSTILE, places, places, [places])] * 14
    return stability_plot(Decline("Viability", "%", "months", batches, 90.0, 1e5, 19.3, HOSTILE))


def heat(values: list[float]) -> Picture:
    lots = [f"{HOSTILE}{n}" for n in range(len(values))]
    cells = {
        (n, name): Cell(z, ["Nelson 1"] if n == 7 else [], "95.0", n % 5 == 0, f"#{n}")
        for n, value in enumerate(values)
        for name, z in (("Viability", value), ("Dose", None))
    }
    return heat_map(HeatMap(HOSTILE, lots, ["Viability", "Dose", "Potency"], cells))


def normal(values: list[float]) -> Picture:
    return probability_plot(Ordered("Endotoxin", "EU/mL", values, values[:3], (1.0, 2.0), HOSTILE))


KINDS: list[Callable[[list[float]], Picture]] = [
    control, censored, forest, variability, spread, profile, doses, decline, heat, normal,
]  # fmt: skip
