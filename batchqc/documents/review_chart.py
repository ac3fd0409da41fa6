"""The chart of a quality review: the control chart of a series as frozen text, and read from it.

The chart is that of the pages of trends. Floats stand as the shortest text that reads back as the
same float, "" where there is none.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from batchqc.core.canonical import Json
from batchqc.documents.plots.series import (
    ControlSeries,
    Level,
    Phase,
    Point,
    Signal,
    SpecificationLimits,
)


def series_content(series: ControlSeries) -> dict[str, Json]:
    """A chart without traces as canonical JSON holds it; its notes are left out."""
    limits = series.specification
    return {
        "attribute": series.attribute,
        "unit": series.unit,
        "chart": series.chart,
        "points": [
            [one.lot, _text(one.value), one.made, one.shown, one.qualifier, one.donor, one.excluded]
            for one in series.points
        ],
        "phases": [
            {
                "name": one.name,
                "last": one.last,
                "method": one.method,
                **{name: _level(getattr(one, name)) for name in ("centre", "lower", "upper")},
            }
            for one in series.phases
        ],
        "signals": [[one.point, one.rule] for one in series.signals],
        "specification": [_text(limits.lower), _text(limits.upper), limits.text],
    }


def series_of(content: Mapping[str, Any]) -> ControlSeries:
    """The chart that :func:`series_content` wrote."""
    lower, upper, text = content["specification"]
    return ControlSeries(
        content["attribute"],
        content["unit"],
        content["chart"],
        [
            Point(lot, _number(value), made, shown, qualifier, donor, excluded)
            for lot, value, made, shown, qualifier, donor, excluded in content["points"]
        ],
        [
            Phase(
                one["name"],
                one["last"],
                _lines(one["centre"]),
                _lines(one["lower"]),
                _lines(one["upper"]),
                method=one["method"],
            )
            for one in content["phases"]
        ],
        [Signal(point, rule) for point, rule in content["signals"]],
        SpecificationLimits(_number(lower), _number(upper), text),
    )


def _text(value: float | None) -> str:
    return "" if value is None else repr(float(value))


def _number(text: str) -> float | None:
    return float(text) if text else None


def _level(level: Level) -> Json:
    """One text where the line is the same at all lots of the phase, else one for each."""
    if not isinstance(level, Sequence):
        return _text(level)
    each = [_text(one) for one in level]
    return each[0] if len(set(each)) == 1 else [*each]


def _lines(found: str | Sequence[str]) -> Level:
    return _number(found) if isinstance(found, str) else [_number(one) for one in found]
