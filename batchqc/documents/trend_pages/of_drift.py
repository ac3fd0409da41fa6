"""EWMA and CUSUM of a series as plots: whether its newest phase drifts slowly."""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final

from batchqc.documents.plots.control import control_chart
from batchqc.documents.plots.scene import Picture
from batchqc.documents.plots.series import ControlSeries, Phase, Point, Signal, Trace
from batchqc.statistics.drift import DECISION, Drift, cusum_said, drift_of, ewma_said
from batchqc.statistics.lot_series import Trend

_DOWN: Final = "lower sum, downwards"


def drift_plots(trend: Trend) -> dict[str, Picture]:
    """``ewma`` and ``cusum`` of the newest phase; without lots where none has a score."""
    found = drift_of(trend)
    return {
        "ewma": control_chart(_ewma(trend, found)),
        "cusum": control_chart(_cusum(trend, found)),
    }


def _ewma(trend: Trend, found: Sequence[Drift]) -> ControlSeries:
    phases = _phases(found, lambda one: (0.0, one.ewma.last_limits[0], one.ewma.last_limits[1]))
    signals = [
        Signal(before + place, "EWMA")
        for before, one in _starts(found)
        for place in one.ewma.signals
    ]
    return ControlSeries(
        _title(trend), "sigma", "EWMA", _points(found, lambda one: one.ewma.average), phases,
        signals, notes=[ewma_said(), *_gaps(found)],
    )  # fmt: skip


def _cusum(trend: Trend, found: Sequence[Drift]) -> ControlSeries:
    down = [-value for one in found for value in one.cusum.lower]
    signals = [
        Signal(before + one.place, "CUSUM", "" if one.side == "upper" else _DOWN)
        for before, each in _starts(found)
        for one in each.cusum.signals
    ]
    return ControlSeries(
        _title(trend), "sigma", "CUSUM", _points(found, lambda one: one.cusum.upper),
        _phases(found, lambda _: (0.0, -DECISION, DECISION)), signals,
        traces=[Trace(_DOWN, down)] if found else [], notes=[cusum_said(), *_gaps(found)],
    )  # fmt: skip


def _title(trend: Trend) -> str:
    return f"{trend.criterion.title}, drift"


def _points(found: Sequence[Drift], chart: Callable[[Drift], Sequence[float]]) -> list[Point]:
    return [
        Point(lot.lot.lot, value, lot.lot.manufactured_on, lot.lot.observed.text)
        for one in found
        for lot, value in zip(one.lots, chart(one), strict=True)
    ]


def _phases(
    found: Sequence[Drift], lines: Callable[[Drift], tuple[float, float, float]]
) -> list[Phase]:
    ends = accumulate(len(one.lots) for one in found)
    return [
        Phase(one.by, last, *lines(one), n=len(one.lots))
        for one, last in zip(found, ends, strict=True)
    ]


def _starts(found: Sequence[Drift]) -> list[tuple[int, Drift]]:
    """How many points are before each."""
    ends = accumulate((len(one.lots) for one in found), initial=0)
    return list(zip(ends, found, strict=False))


def _gaps(found: Sequence[Drift]) -> list[str]:
    none = [lot.lot.lot for one in found for lot in one.lots if lot.score is None]
    said = f"{len(none)} lots without a score leave the chart where it is: {', '.join(none[:20])}"
    return [said] if none else []
