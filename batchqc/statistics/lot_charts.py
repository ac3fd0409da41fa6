"""A series with its phases, the frozen limits that hold for each lot, and its signals.

A lot is judged by the newest approved limit set of its phase that was made without it. The lots
that a set was computed from, those that were excluded from it, and all of a phase without one are
looked at by the self-starting chart, each from the third on: no limits hide what it signals.
Signals describe: no verdict and no gate hangs on them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from batchqc.core.criteria import Criterion
from batchqc.core.quantities import Amount
from batchqc.core.trend_phases import Phase, TrendLot, in_order, phases
from batchqc.core.trends import Attribute, is_numeric
from batchqc.statistics.false_alarms import false_alarms
from batchqc.statistics.frozen_limits import Frozen, inputs_sha256
from batchqc.statistics.lot_series import (
    LIMIT,
    SELF_STARTING,
    Judged,
    LotSignal,
    Trend,
    default_scale,
    resolution_of,
)
from batchqc.statistics.scales import Scale
from batchqc.statistics.self_starting import NO_LOTS, QState
from batchqc.statistics.trend_limits import Lines, robust_scores, scaled, scores, self_starting
from batchqc.statistics.values import Floats

if TYPE_CHECKING:
    from batchqc.statistics.run_rules import Signal


def trend_of(
    attribute: Attribute,
    criterion: Criterion,
    lots: Sequence[TrendLot],
    *,
    starts: Mapping[str, str],
    sets: Sequence[Frozen],
) -> Trend:
    """A series with its phases, limits and signals.

    Args:
        attribute: whose.
        criterion: as the newest version has it.
        lots: in any order.
        starts: why QA lets a phase begin with a lot.
        sets: approved limit sets of the attribute, oldest first.
    """
    found = phases(in_order(lots), starts)
    scale = default_scale(criterion)
    judged: list[Judged] = []
    told: list[str] = []
    for phase in found:
        fitting = [one for one in sets if fits(one, phase) and phase.has(one.first)]
        own, said = PhaseChart(criterion, scale, phase, fitting).judged()
        judged += own
        told += said
    told += [
        f"limit set {one.number} holds for no lot: its phase began with {one.first}, and no phase"
        " of its criterion has that lot any more; propose a new set"
        for one in sets
        if not any(fits(one, phase) and phase.has(one.first) for phase in found)
    ]
    by_lot = {one.lot.lot: one for one in judged}
    return Trend(
        attribute, criterion, scale, found, tuple(judged), tuple(told), by_lot, tuple(sets)
    )  # fmt: skip


class _Figures(NamedTuple):
    """What a signal was seen by."""

    score: float
    centre: float
    sigma: float
    scale: Scale


def fits(one: Frozen, phase: Phase) -> bool:
    """Whether a limit set was made of what a phase is of."""
    return one.definition == phase.definition


class PhaseChart:
    """One phase: what holds for each of its lots, and what they signal.

    ``sets`` are those of the phase, and ``before`` is what lots leave behind that stand before
    those that are looked at.
    """

    def __init__(
        self,
        criterion: Criterion,
        scale: Scale,
        phase: Phase,
        sets: Sequence[Frozen],
        before: QState = NO_LOTS,
    ) -> None:
        self.criterion, self.scale, self.phase = criterion, scale, phase
        self.amounts = [one.observed.amount for one in phase.lots]
        self.values = [None if one is None else float(one.number) for one in self.amounts]
        self.steps = [resolution_of(criterion, one) for one in self.amounts]
        self.sets, self.before = sets, before
        self.told: list[str] = []
        self._alarms = {f"limit set {one.number}": one.run_length.value for one in self.sets}
        self._alarms[SELF_STARTING] = false_alarms(("1",)).value

    def judged(self) -> tuple[list[Judged], list[str]]:
        """Every lot, and what cannot be said of the phase."""
        if not is_numeric(self.criterion):
            return [Judged(one, self.phase.number, None) for one in self.phase.lots], []
        self._tell_changes()
        self._tell_texts()
        return self.charted(), self.told

    def charted(self) -> list[Judged]:
        """Every lot with a number."""
        return self._by_sets() if self.sets else self._by_themselves()

    def _by_themselves(self) -> list[Judged]:
        """The self-starting chart: each lot against those before it in the phase."""
        measured = self.measured(self.scale)
        robust = self._sign(self.scale) * robust_scores(measured)
        q, centre, sigma = self_starting(measured, self.before)
        q = self._sign(self.scale) * q
        back = self.scale.back(centre)
        found = []
        for place, one in enumerate(self.phase.lots):
            score = _number(q[place])
            signals: tuple[LotSignal, ...] = ()
            if score is not None and abs(score) > LIMIT:
                signals = (
                    self._signal(
                        place, "beyond 3", SELF_STARTING, (place,),
                        _Figures(score, float(back[place]), float(sigma[place]), self.scale),
                    ),
                )  # fmt: skip
            found.append(
                Judged(
                    one, self.phase.number, self.values[place], self.steps[place],
                    SELF_STARTING if score is not None else "",
                    centre=_number(back[place]), score=score, robust=_number(robust[place]),
                    signals=signals,
                )
            )  # fmt: skip
        return found

    def _by_sets(self) -> list[Judged]:
        """The newest frozen lines that each lot is not of; of those that have none, Q."""
        alone = self._by_themselves()
        holding = [self._set_for(one) for one in self.phase.lots]
        lines = [None if one is None else one.lines for one in holding]
        placed = np.full(len(lines), np.nan)
        for line in {id(line): line for line in lines if line is not None}.values():
            own = np.array([other is line for other in lines])
            placed[own] = self._on(line.scale)[own]
        bounds = [_bound(amount, line) for amount, line in zip(self.amounts, lines, strict=True)]
        z, signals = scores(placed, bounds, lines)
        excluded = {lot: why for one in self.sets for lot, why in one.excluded.items()}
        by_place: dict[int, list[Signal]] = {}
        for signal in signals:
            by_place.setdefault(signal.point - 1, []).append(signal)
        found = []
        for place, one in enumerate(self.phase.lots):
            held = holding[place]
            if held is None:
                found.append(replace(alone[place], excluded=excluded.get(one.lot, "")))
                continue
            lower, centre, upper = held.lines.back
            sign = self._sign(held.lines.scale)
            score = _number(sign * z[place])
            at = score if score is not None else sign * _side(bounds[place]) * np.inf
            by = f"limit set {held.number}"
            found.append(
                Judged(
                    one, self.phase.number, self.values[place], self.steps[place], by, lower,
                    centre, upper, score, alone[place].robust,
                    signals=tuple(
                        self._signal(
                            place, each.rule, by, tuple(at - 1 for at in each.members),
                            _Figures(float(at), centre, held.lines.sigma, held.lines.scale),
                        )
                        for each in by_place.get(place, ())
                    ),
                )
            )  # fmt: skip
        return found

    def _set_for(self, lot: TrendLot) -> Frozen | None:
        return next((one for one in reversed(self.sets) if lot.lot not in one.known), None)

    def _tell_changes(self) -> None:
        """Which sets were computed from values that are not so any more."""
        for one in self.sets:
            chosen = [lot for lot in self.phase.lots if lot.lot in one.chosen]
            if inputs_sha256(chosen) != one.inputs:
                self.told.append(
                    f"limit set {one.number}: values of its lots have changed since;"
                    " propose a new set"
                )

    def _tell_texts(self) -> None:
        """Which lots have a result that is no number."""
        lots = [one for one in self.phase.lots if one.observed.text and not one.observed.amount]
        if lots:
            named = ", ".join(f"{one.lot} ({one.observed.text})" for one in lots[:10])
            self.told.append(
                f"phase {self.phase.number}: {len(lots)} results are no numbers and are not"
                f" charted: {named}"
            )

    def _on(self, scale: Scale) -> Floats:
        """Each value on a scale, a censored one at its bound."""
        found, refused = scaled(self.values, scale, self.steps)
        if refused:
            lots = ", ".join(self.phase.lots[place].lot for place in refused[:20])
            said = f"{scale.kind} takes no value of {lots}: they have no score"
            if said not in self.told:
                self.told.append(said)
        return found

    def measured(self, scale: Scale) -> Floats:
        """Each value on a scale; censored ones are left out, and told."""
        found = self._on(scale).copy()
        censored = [place for place, one in enumerate(self.amounts) if one and one.is_censored]
        found[censored] = np.nan
        if censored:
            said = (
                f"phase {self.phase.number}: {len(censored)} of {len(self.amounts)} lots are"
                " censored; they are drawn, and have no score"
            )
            if said not in self.told:
                self.told.append(said)
        return found

    def _signal(
        self,
        place: int,
        rule: str,
        by: str,
        members: tuple[int, ...],
        figures: _Figures,
    ) -> LotSignal:
        score, centre, sigma, scale = figures
        lots = tuple(self.phase.lots[one].lot for one in members)
        one, unit = self.phase.lots[place], self.criterion.unit
        side = "below" if score < 0 else "above"
        far = f"{abs(score):.2f} sigma {side}" if np.isfinite(score) else f"censored, {side}"
        pattern = "" if len(lots) == 1 else f" over {lots[0]} to {lots[-1]} ({len(lots)} lots)"
        known = "" if by == SELF_STARTING else ", limits taken as known"
        said = (
            f"out of trend: {self.criterion.title} {one.observed.text} {unit} of {one.lot} is {far}"
            f" the centre {centre:.4g} {unit}, {rule}{pattern}; {by}, {scale.kind} scale,"
            f" sigma {sigma:.4g} on it; the rules together give a false alarm in"
            f" {self._alarms[by]:.0f} lots on average{known}"
        )
        return LotSignal(one.lot, rule, by, lots, _number(score), centre, sigma, said)

    @staticmethod
    def _sign(scale: Scale) -> int:
        """What turns a distance on the scale into one of the attribute."""
        return -1 if scale.flips else 1


def _bound(amount: Amount | None, lines: Lines | None) -> str:
    """Where else on the scale a censored value may be."""
    if amount is None or lines is None or not amount.is_censored:
        return ""
    return "low" if amount.qualifier.startswith("<") != lines.scale.flips else "high"


def _side(bound: str) -> int:
    return -1 if bound == "low" else 1


def _number(value: float | np.float64) -> float | None:
    return float(value) if np.isfinite(value) else None
