"""A control chart as plain values: lots in order, phases with their lines, signals, limits.

Points are counted from 1. A statistic that is charted (EWMA, CUSUM, Q, T²) is the value of its
point; what is drawn beside it is a trace.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from batchqc.documents.plots.scene import finite
from batchqc.errors import InvalidInput

LineName: TypeAlias = Literal["centre", "lower", "upper"]
Qualifier: TypeAlias = Literal["", "<", "<=", ">", ">="]
#: The same for all lots of a phase, one for each of them, or none: only data.
Level: TypeAlias = float | Sequence[float | None] | None


@dataclass(frozen=True, slots=True)
class Point:
    """One lot on the chart.

    Args:
        lot: its id.
        value: what is charted; the limit of a censored result; None without a result.
        made: day of manufacture, as text.
        shown: the result as reported.
        qualifier: of a censored result.
        donor: or cell bank that it comes from.
        excluded: why it does not count for the limits; empty where it counts.
        href: where its page is.
        said: what is told of it where one points at it, in place of the fields above.
    """

    lot: str
    value: float | None
    made: str = ""
    shown: str = ""
    qualifier: Qualifier = ""
    donor: str = ""
    excluded: str = ""
    href: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Phase:
    """Lots under one process, method, site and specification, with the lines they are read by.

    Args:
        name: of the phase.
        last: number of its last point; it begins after the phase before it.
        centre: the centre line.
        lower: the lower control limit.
        upper: the upper control limit.
        n: how many lots the lines rest on.
        method: how the lines were made.
    """

    name: str
    last: int
    centre: Level = None
    lower: Level = None
    upper: Level = None
    n: int = 0
    method: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """A point at which a rule fired; ``trace`` names the trace it is on, empty for the points."""

    point: int
    rule: str
    trace: str = ""

    @property
    def mark(self) -> str:
        """The number of the rule, or its first letters: what stands beside the point."""
        last = self.rule.split()[-1] if self.rule.split() else "?"
        return last[:5] if re.search(r"\d", last) else self.rule[:5]


@dataclass(frozen=True, slots=True)
class Trace:
    """A further line of the chart: its name, and one value for each point."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class SpecificationLimits:
    """Of the acceptance criterion, each with its text: ``> 90``."""

    lower: float | None = None
    upper: float | None = None
    text: str = ""


LINES: Final[tuple[LineName, ...]] = ("centre", "lower", "upper")
NO_SPECIFICATION: Final = SpecificationLimits()


@dataclass(frozen=True, slots=True)
class ControlSeries:
    """A control chart.

    Args:
        attribute: what was measured.
        unit: of the values charted.
        chart: its kind: ``individuals``, ``prediction``, ``EWMA``, ``CUSUM``, ``self-starting Q``.
        points: in the order of manufacture.
        phases: in order; the last one ends at the last point.
        signals: where rules fired.
        specification: of the attribute, where the chart shows its values.
        traces: further lines.
        notes: limitations, in words.
    """

    attribute: str
    unit: str
    chart: str
    points: Sequence[Point]
    phases: Sequence[Phase] = ()
    signals: Sequence[Signal] = ()
    specification: SpecificationLimits = NO_SPECIFICATION
    traces: Sequence[Trace] = ()
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        finite([point.value for point in self.points], f"{self.attribute}: values")
        finite([self.specification.lower, self.specification.upper], "specification limits")
        for trace in self.traces:
            self._same(len(trace.values), len(self.points), trace.name)
            finite(trace.values, trace.name)
        ends = [phase.last for phase in self.phases]
        if ends and (ends != sorted(set(ends)) or ends[0] < 1 or ends[-1] != len(self.points)):
            raise InvalidInput(
                "BQC-STA-003",
                f"{self.attribute}: phases end at {ends}, of {len(self.points)} points",
                hint="Phases follow each other, and the last one ends at the last point.",
            )
        self._levels()
        names = {"", *(trace.name for trace in self.traces)}
        lost = [
            one.point
            for one in self.signals
            if not 1 <= one.point <= len(self.points) or one.trace not in names
        ]
        if lost:
            raise InvalidInput("BQC-STA-003", f"{self.attribute}: there is no point {lost}")

    def _levels(self) -> None:
        for phase, (first, last) in zip(self.phases, self.spans, strict=True):
            for name in LINES:
                level: Level = getattr(phase, name)
                if isinstance(level, Sequence):
                    self._same(len(level), last - first + 1, f"{phase.name}, {name}")
                    finite(level, f"{phase.name}, {name}")
                else:
                    finite([level], f"{phase.name}, {name}")

    @staticmethod
    def _same(found: int, wanted: int, what: str) -> None:
        if found != wanted:
            raise InvalidInput("BQC-STA-003", f"{what}: {found} values for {wanted} points")

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Numbers of the first and the last point of each phase."""
        ends = [0, *(phase.last for phase in self.phases)]
        return [(before + 1, last) for before, last in pairwise(ends)]

    def levels(self, name: LineName) -> list[float | None]:
        """A line of the chart at each point."""
        found: list[float | None] = []
        for phase, (first, last) in zip(self.phases, self.spans, strict=True):
            level: Level = getattr(phase, name)
            if isinstance(level, Sequence):
                found += level
            else:
                found += [level] * (last - first + 1)
        return found or [None] * len(self.points)
