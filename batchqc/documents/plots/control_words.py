"""A control chart in words, and as a table: what its picture tells, without the picture."""

from collections import defaultdict
from collections.abc import Sequence

from batchqc.documents.plots.axes import number
from batchqc.documents.plots.scene import Table
from batchqc.documents.plots.series import LINES, ControlSeries, Level, Phase, Point

#: So many signals are told one by one; the table holds all.
_TOLD = 20


def title_of(series: ControlSeries) -> str:
    """What the chart shows, in a line."""
    unit = f" ({series.unit})" if series.unit else ""
    chart = "lots in order" if series.chart == "data" else f"{series.chart} chart"
    return f"{series.attribute}{unit}: {chart}"


def words_of(series: ControlSeries) -> str:
    """The text alternative: n, what is missing or censored, lines, limits and signals."""
    points = series.points
    if not points:
        return f"{title_of(series)}. No lots."
    values = [point.value for point in points if point.value is not None]
    ends = "" if len(points) == 1 else f" to {points[-1].lot}"
    reach = f"; values from {number(min(values))} to {number(max(values))}" if values else ""
    count = f"n = {len(values)} of {len(points)} lots"
    said = [
        f"{title_of(series)}, {count}, {points[0].lot}{ends}{reach}",
        *_counts(points),
        *(_phase(phase, first, last) for phase, (first, last) in _spans(series)),
        *(() if series.phases else ("No limit lines: only data",)),
        _specification(series),
        _signals(series),
        *(note.rstrip(".") for note in series.notes),
    ]
    return ". ".join(one for one in said if one) + "."


def rules_at(series: ControlSeries) -> dict[int, list[str]]:
    """The rules that fired at each point, with the trace they fired on."""
    found: dict[int, list[str]] = defaultdict(list)
    for signal in series.signals:
        on = f" on {signal.trace}" if signal.trace else ""
        found[signal.point].append(signal.rule + on)
    return dict(sorted(found.items()))


def table_of(series: ControlSeries) -> Table:
    """Every number of the chart, with all its digits; extremes and signals are marked."""
    rules = rules_at(series)
    phases = [
        phase.name for phase, (first, last) in _spans(series) for _ in range(first, last + 1)
    ] or [""] * len(series.points)
    lines = [series.levels(name) for name in LINES]
    rows = [
        (
            str(n), point.lot, point.made, point.donor, phases[n - 1],
            point.shown or _exact(point.value), point.qualifier, _exact(point.value),
            *(_exact(line[n - 1]) for line in lines),
            *(_exact(trace.values[n - 1]) for trace in series.traces),
            "; ".join(rules.get(n, ())), point.excluded,
        )
        for n, point in enumerate(series.points, 1)
    ]  # fmt: skip
    header = (
        "Point", "Lot", "Made", "Donor", "Phase", "Result as reported", "Qualifier", "Charted",
        "Centre", "Lower control limit", "Upper control limit",
        *(trace.name for trace in series.traces), "Signals", "Excluded because",
    )  # fmt: skip
    links = {n: point.href for n, point in enumerate(series.points) if point.href}
    return Table(header, rows, links, frozenset(_marked(series, rules)))


def _marked(series: ControlSeries, rules: dict[int, list[str]]) -> set[int]:
    values = [(point.value, n) for n, point in enumerate(series.points) if point.value is not None]
    extremes = {min(values)[1], max(values)[1]} if values else set()
    special = {n for n, one in enumerate(series.points) if one.excluded or one.qualifier}
    return extremes | special | {n - 1 for n in rules}


def _spans(series: ControlSeries) -> list[tuple[Phase, tuple[int, int]]]:
    return list(zip(series.phases, series.spans, strict=True))


def _counts(points: Sequence[Point]) -> list[str]:
    counted = (
        ("without a result", sum(point.value is None for point in points)),
        ("censored, drawn open at its limit", sum(bool(point.qualifier) for point in points)),
        ("excluded from the limits, crossed", sum(bool(point.excluded) for point in points)),
    )
    donors = len({point.donor for point in points if point.donor})
    return [
        *(f"{count} {what}" for what, count in counted if count),
        *([f"{donors} donor{'s' * (donors > 1)}"] if donors else []),
    ]


def _phase(phase: Phase, first: int, last: int) -> str:
    lines = [
        f"{name} {_level(level)}"
        for name, level in (
            ("centre", phase.centre),
            ("lower control limit", phase.lower),
            ("upper control limit", phase.upper),
        )
        if level is not None
    ]
    limited = phase.lower is not None or phase.upper is not None
    from_n = f" from {phase.n} lots" if phase.n else ""
    how = f", {phase.method}" if phase.method else ""
    lines += [] if limited else ["no limit lines"]
    return f"{phase.name} (points {first} to {last}){from_n}{how}: {', '.join(lines)}"


def _level(level: Level) -> str:
    if not isinstance(level, Sequence):
        return "none" if level is None else number(level)
    found = [one for one in level if one is not None]
    if not found:
        return "none"
    low, high = number(min(found)), number(max(found))
    return low if low == high else f"{low} to {high}, varying"


def _specification(series: ControlSeries) -> str:
    limits = series.specification
    if limits.text:
        return f"Specification: {limits.text}"
    found = [
        f"{name} {number(value)}"
        for name, value in (("lower limit", limits.lower), ("upper limit", limits.upper))
        if value is not None
    ]
    return f"Specification: {', '.join(found)}" if found else ""


def _signals(series: ControlSeries) -> str:
    rules = rules_at(series)
    if not rules:
        return "No signals"
    told = [
        f"{series.points[n - 1].lot} (point {n}: {', '.join(found)})"
        for n, found in list(rules.items())[:_TOLD]
    ]
    more = len(rules) - len(told)
    rest = f", and {more} more lots in the table" if more else ""
    return f"Signals at {len(rules)} lot{'s' * (len(rules) > 1)}: {'; '.join(told)}{rest}"


def _exact(value: float | None) -> str:
    return "" if value is None else repr(float(value))
