"""One lot of a series that grows: judged as in the whole, for the work of a few lots.

What every lot leaves behind for the next is kept: where its phase began, and the state of the
self-starting chart. A rule looks back at so many lots as it has points, and no further.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from batchqc.core.criteria import Criterion
from batchqc.core.trend_phases import Phase, TrendLot, change
from batchqc.core.trends import is_numeric
from batchqc.statistics.frozen_limits import Frozen
from batchqc.statistics.lot_charts import PhaseChart, fits
from batchqc.statistics.lot_series import Judged, default_scale
from batchqc.statistics.run_rules import NELSON, WESTERN_ELECTRIC
from batchqc.statistics.self_starting import NO_LOTS, QState

#: The points of the longest rule, and the one before them.
_BACK: Final = 1 + max(one.of for one in (*NELSON.values(), *WESTERN_ELECTRIC.values()))


@dataclass(frozen=True, slots=True)
class LotLook:
    """A lot as it was looked at; ``first`` is the lot with which its phase begins, ``because`` why.

    ``values`` are how many lots of the phase before it have a number, ``is_flat`` says that all of
    these are the lot's own.
    """

    judged: Judged
    first: str
    because: str
    values: int
    is_flat: bool


class _Step(NamedTuple):
    """What the lots of a phase up to one leave behind; ``alike`` is the one value that all have."""

    first: int
    number: int
    because: str
    methods: tuple[str, ...]
    state: QState
    values: int
    alike: float | None


class GrowingSeries:
    """The lots of a series, in their order."""

    def __init__(self, lots: Iterable[TrendLot] = ()) -> None:
        """Take lots, in any order."""
        self._lots = sorted(lots, key=lambda one: one.place)
        self._places = [one.place for one in self._lots]
        self._steps: list[_Step] = []
        self._by: tuple[Criterion, Mapping[str, str]] | None = None

    def put(self, old: TrendLot | None, new: TrendLot | None) -> None:
        """Take a lot instead of what it was before, or of none."""
        if old is not None:
            place = self._place(old)
            del self._lots[place], self._places[place], self._steps[place:]
        if new is not None:
            place = self._place(new)
            self._lots.insert(place, new)
            self._places.insert(place, new.place)
            del self._steps[place:]

    def look(
        self,
        lot: TrendLot,
        criterion: Criterion,
        *,
        starts: Mapping[str, str],
        sets: Sequence[tuple[Frozen, TrendLot | None]],
    ) -> LotLook:
        """One of the lots, as :func:`lot_charts.trend_of` judges it in the whole series.

        Args:
            lot: one of them.
            criterion: as the newest version has it.
            starts: why QA lets a phase begin with a lot.
            sets: approved limit sets, oldest first, each with the lot that its phase began with,
                ``None`` where that is in the series no more.
        """
        self._charted(criterion, starts)
        place = self._place(lot)
        own = self._steps[place]
        before = self._steps[place - 1] if place > own.first else None
        begins = max(own.first, place - _BACK)
        phase = self._phase(own, self._lots[begins : place + 1])
        fitting = [
            one
            for one, first in sets
            if first and fits(one, phase) and self._steps[self._place(first)].first == own.first
        ]
        state = self._steps[begins - 1].state if begins > own.first else NO_LOTS
        judged = Judged(lot, own.number, None)
        if is_numeric(criterion):
            chart = PhaseChart(criterion, default_scale(criterion), phase, fitting, state)
            judged = replace(chart.charted()[-1], robust=None)
        return LotLook(
            judged,
            self._lots[own.first].lot,
            own.because,
            before.values if before else 0,
            bool(before and before.values and before.alike == judged.value),
        )

    def _place(self, lot: TrendLot) -> int:
        return bisect_left(self._places, lot.place)

    def _phase(self, step: _Step, lots: Sequence[TrendLot]) -> Phase:
        one = self._lots[step.first]
        return Phase(
            step.number, step.because, step.methods, one.site, one.definition, one.acceptance,
            tuple(lots),
        )  # fmt: skip

    def _charted(self, criterion: Criterion, starts: Mapping[str, str]) -> None:
        """Make the steps that are lacking."""
        if self._by != (criterion, starts):
            self._by, self._steps = (criterion, dict(starts)), []
        lots = self._lots[len(self._steps) :]
        if not lots:
            return
        scale = default_scale(criterion)
        phase = Phase(1, "", (), "", "", "", tuple(lots))
        chart = PhaseChart(criterion, scale, phase, ())
        measured = chart.measured(scale).tolist() if is_numeric(criterion) else [None] * len(lots)
        for one, on_scale, value in zip(lots, measured, chart.values, strict=True):
            self._steps.append(self._step(one, on_scale, value, starts))

    def _step(
        self, one: TrendLot, on_scale: float | None, value: float | None, starts: Mapping[str, str]
    ) -> _Step:
        place, own = len(self._steps), one.observed.methods
        last = self._steps[-1] if place else _Step(0, 1, "", (), NO_LOTS, 0, None)
        why = change(self._lots[place - 1], one, last.methods, starts) if place else ""
        if why:
            last = _Step(place, last.number + 1, why, (), NO_LOTS, 0, None)
        alike = value if last.values == 0 or last.alike == value else None
        return last._replace(
            methods=own or last.methods,
            state=last.state.update(on_scale)[0],
            values=last.values + (value is not None),
            alike=last.alike if value is None else alike,
        )
