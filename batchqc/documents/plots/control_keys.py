"""The key of a control chart: only of what the chart shows."""

from typing import Final

from batchqc.documents.plots.donor_marks import looks_of
from batchqc.documents.plots.furniture import Key
from batchqc.documents.plots.scene import BLUE, DASHES, INK, RED, Pen, Shape
from batchqc.documents.plots.series import LINES, ControlSeries

CENTRE: Final = Pen(BLUE, 1.2)
LIMIT: Final = Pen(RED, 1.2, (7, 3))
SPEC: Final = Pen(INK, 2.0)


def keys_of(series: ControlSeries) -> list[Key]:
    """The key: only of what the chart shows."""
    points = series.points
    found: list[tuple[bool, Key]] = [
        (any(one is not None for one in series.levels("centre")), Key("centre line", pen=CENTRE)),
        (
            any(one is not None for name in LINES[1:] for one in series.levels(name)),
            Key("control limit", pen=LIMIT),
        ),
        (
            series.specification.lower is not None or series.specification.upper is not None,
            Key(f"specification {series.specification.text}".strip(), pen=SPEC),
        ),
    ]
    found += [
        (True, Key(trace.name, pen=Pen(INK, 1.3, DASHES[n % len(DASHES)])))
        for n, trace in enumerate(series.traces, 1)
    ]
    below: tuple[tuple[Shape, str, bool], ...] = (
        ("down", "below its limit (<)", any(one.qualifier.startswith("<") for one in points)),
        ("up", "above its limit (>)", any(one.qualifier.startswith(">") for one in points)),
        ("cross", "excluded from the limits", any(one.excluded for one in points)),
        ("cross", "no result (at the bottom)", any(one.value is None for one in points)),
    )
    found += [(there, Key(text, shape=shape)) for shape, text, there in below]
    rules = {mark: rule for rule, mark in _rules(series)}
    found += [
        (True, Key(rule if mark == rule else f"{mark}: {rule}", shape="ring", colour=RED))
        for mark, rule in rules.items()
    ]
    donors = [
        Key(f"donor {donor}", shape=shape, colour=colour)
        for donor, (shape, colour) in looks_of(points).items()
        if donor
    ]
    more = [Key(f"and {len(donors) - 8} more donors: see the table", shape="circle")]
    donors = donors if len(donors) <= 8 else [*donors[:8], *more]
    return [key for there, key in found if there] + donors


def _rules(series: ControlSeries) -> list[tuple[str, str]]:
    return sorted({(signal.rule, signal.mark) for signal in series.signals})
