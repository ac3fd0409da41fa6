"""The history of one control of an assay: Levey-Jennings chart, Westgard rules, precision."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from batchqc.core.quantities import parse_amount
from batchqc.statistics.moving_ranges import sigma_of_lots
from batchqc.statistics.phase_values import Part
from batchqc.statistics.precision import intermediate_precision
from batchqc.statistics.sigma_estimates import centre_figure
from batchqc.statistics.values import Floats
from batchqc.statistics.westgard import MULTIRULES, RunSignal, levey_jennings, run_signals, scores

#: Below so many runs there are no lines, only data.
LINES_FROM: Final = 8
_SD: Final = "standard deviation of runs, n - 1; chi-square interval"
#: R_4s compares levels of one run with each other, and a history is of one.
_OWN_RULES: Final = tuple(one for one in MULTIRULES if one != "R_4s")
RULES: Final = (
    f"Westgard {', '.join(_OWN_RULES)} (1981); 1_2s only warns; R_4s needs two levels in a run"
)
#: Of fewer runs none lies beyond 3 SD of them all: at the most (n - 1) / sqrt(n) SD.
_BEYOND_FROM: Final = 11


@dataclass(frozen=True, slots=True)
class ControlHistory:
    """One control, run by run.

    Args:
        name: material, analyte and method.
        unit: of the results.
        runs: names, in order of measurement.
        days: when each was measured.
        means: of the replicates of each run.
        z: of each in sigma; None where there are no lines.
        lines: lower limit, centre and upper limit; None below 8 runs.
        signals: rules that fired; points count from 1.
        part: figures, and what is said of them.
    """

    name: str
    unit: str
    runs: tuple[str, ...]
    days: tuple[str, ...]
    means: tuple[float, ...]
    z: tuple[float | None, ...]
    lines: tuple[float, float, float] | None
    signals: tuple[RunSignal, ...]
    part: Part


def control_history(
    name: str, unit: str, results: Sequence[tuple[str, str, str]]
) -> ControlHistory:
    """The chart and the figures of a control.

    Mean and SD are of the runs themselves: of few runs the lines are provisional. Every run counts,
    one that was found invalid too: leaving those out makes the SD too small.

    Args:
        name: of the control.
        unit: of its results.
        results: run, day and text of each replicate, in order of measurement.
    """
    part = Part(name)
    runs: dict[str, list[float]] = {}
    days: dict[str, str] = {}
    lost = 0
    for run, day, text in results:
        amount = parse_amount(text)
        if amount is None or amount.is_censored:
            lost += 1
            continue
        runs.setdefault(run, []).append(float(amount.number))
        days.setdefault(run, day)
    if lost:
        part.said.append(f"{lost} results that are no number or censored are not in it")
    means = np.array([sum(one / len(own) for one in own) for own in runs.values()], dtype=float)
    lines, z, signals = _lines(part, means)
    _precision(part, runs)
    return ControlHistory(
        name, unit, tuple(runs), tuple(days.values()), tuple(means.tolist()), z, lines, signals,
        part,
    )  # fmt: skip


def _lines(
    part: Part, means: Floats
) -> tuple[tuple[float, float, float] | None, tuple[float | None, ...], tuple[RunSignal, ...]]:
    none = tuple(None for _ in range(means.size))
    if means.size < LINES_FROM:
        part.said.append(f"{means.size} runs: below {LINES_FROM} there are no lines, only data")
        return None, none, ()
    chart = part.try_for(lambda: levey_jennings(means))
    if chart is None or chart.lower is None or chart.upper is None:
        return None, none, ()
    deviation = sigma_of_lots(means, sigma="sd")
    lines = float(chart.sigma[0])
    centre = centre_figure(float(chart.centre[0]), deviation, n=means.size, what="mean of runs")
    part.figures += [centre, replace(deviation, name="SD of runs", value=lines, method=_SD)]
    part.said += [RULES, *chart.limitations]
    if means.size < _BEYOND_FROM:
        part.said.append(
            f"{means.size} runs: none can lie beyond 3 SD of all of them; 1_3s can fire from"
            f" {_BEYOND_FROM} runs on"
        )
    z = scores(means, float(chart.centre[0]), float(chart.sigma[0]))[:, 0]
    ends = (float(chart.lower[0]), float(chart.centre[0]), float(chart.upper[0]))
    return ends, tuple(float(one) for one in z), run_signals(z, _OWN_RULES)


def _precision(part: Part, runs: dict[str, list[float]]) -> None:
    values = [one for own in runs.values() for one in own]
    names = [run for run, own in runs.items() for _ in own]
    if len(runs) < LINES_FROM:
        return
    if len(values) == len(runs):
        part.said.append(
            "one result of each run: SD of runs is intermediate precision, repeatability unknown"
        )
        return
    found = part.try_for(lambda: intermediate_precision(values, {"run": names}, scale="raw"))
    if found is not None:
        for spread in (found.repeatability, found.intermediate):
            part.figures += [spread.sd, *spread.percent.values()]
