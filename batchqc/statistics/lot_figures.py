"""Figures of a series: centre and sigma of each phase, and of words the share of lots that fail."""

from collections import Counter
from collections.abc import Iterator, Sequence

from batchqc.core.trend_phases import Phase, quarter
from batchqc.core.verdicts import Outcome
from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.attribute_charts import p_chart
from batchqc.statistics.censored import censored_summary
from batchqc.statistics.censored_limits import centre_and_sigma, intervals
from batchqc.statistics.control_charts import ControlChart
from batchqc.statistics.false_alarms import alarms_of_scores
from batchqc.statistics.few_lots import prediction
from batchqc.statistics.figures import Figure
from batchqc.statistics.lot_series import (
    SELF_STARTING,
    Trend,
    is_censored,
    numbers_of,
    qualifier_of,
)
from batchqc.statistics.phase_values import phase_values
from batchqc.statistics.scales import on_scale

_JUDGED = frozenset({Outcome.PASS, Outcome.FAIL})


def phase_figures(trend: Trend, phase: Phase) -> tuple[Figure, ...]:
    """Mean and standard deviation on the scale, of the lots of a phase with a value.

    Where some are censored, by maximum likelihood of all: nothing is put in the place of a bound.

    Raises:
        NotEstimable: there are too few.
        InvalidInput: a value is not of the scale.
    """
    own = [one for one in trend.lots if one.phase == phase.number and one.value is not None]
    values, steps = numbers_of(own), [one.step for one in own]
    if any(is_censored(one) for one in own):
        scaled = trend.scale.forward(values, resolution=steps)
        data = intervals(scaled.values, [qualifier_of(one) for one in own], trend.scale)
        return centre_and_sigma(censored_summary(data, distribution="normal"))
    chart = on_scale(values, trend.scale, prediction, resolution=steps).chart
    return chart.figures["centre"], chart.figures["sigma"]


def told_figures(trend: Trend) -> tuple[list[Figure], list[str]]:
    """The figures of every phase, and what cannot be said of one."""
    found: list[Figure] = []
    notes = []
    for phase in trend.phases:
        try:
            found += phase_figures(trend, phase)
        except (InvalidInput, NotEstimable) as problem:
            notes.append(f"Phase {phase.number}, centre and sigma: {problem.message}")
        moved = phase_values(trend, phase).said_of_moved
        notes += [f"Phase {phase.number}: {one}" for one in moved]
    return found, notes


def rules_in_force(trend: Trend) -> tuple[str, tuple[str, ...], Figure]:
    """What judges the next lot, by which rules, and the lots to a false alarm of them together.

    The newest limit set of the newest phase; where there is none the self-starting chart, whose
    scores are independent and standard normal while nothing changes (Quesenberry 1991).
    """
    held = [
        one
        for phase in trend.phases[-1:]
        for one in trend.sets
        if one.definition == phase.definition and phase.has(one.first)
    ]
    if not held:
        return f"the {SELF_STARTING} chart", ("1",), alarms_of_scores()
    rules = held[-1].lines.rules
    return f"limit set {held[-1].number}", rules, held[-1].run_length


def named(rules: Sequence[str]) -> str:
    """Rules as people say them: ``Nelson 1, 2, Western Electric 4``."""
    nelson = [one for one in rules if not one.startswith("we")]
    electric = [one.removeprefix("we") for one in rules if one.startswith("we")]
    told = [f"Nelson {', '.join(nelson)}"] if nelson else []
    return ", ".join([*told, *([f"Western Electric {', '.join(electric)}"] if electric else [])])


def failing(phase: Phase) -> tuple[list[str], list[int], list[int]]:
    """Calendar quarters, and in each how many lots were judged and how many fail."""
    judged = [one for one in phase.lots if one.observed.outcome in _JUDGED]
    lots = Counter(quarter(one.manufactured_on) for one in judged)
    fails = Counter(
        quarter(one.manufactured_on) for one in judged if one.observed.outcome is Outcome.FAIL
    )
    names = sorted(lots)
    return names, [lots[one] for one in names], [fails[one] for one in names]


def shares(trend: Trend) -> Iterator[tuple[Phase, list[str], ControlChart]]:
    """The p chart by quarter of each phase in which a lot was judged."""
    for phase in trend.phases:
        names, lots, fails = failing(phase)
        if names:
            yield phase, names, p_chart(fails, lots)
