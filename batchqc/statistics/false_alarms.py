"""How often the rules of a limit set alarm where nothing changes."""

from dataclasses import replace
from functools import cache
from typing import Final, Literal

from batchqc.statistics.figures import Figure
from batchqc.statistics.rule_run_length import rule_run_length
from batchqc.statistics.rule_simulation import simulated_alarm_chance, simulated_run_length
from batchqc.statistics.run_length import KNOWN

#: Above so many lots, limits alarm about as often as if mean and sigma were known.
_KNOWN_ABOVE: Final = 200
_NEXT: Final = 20
_COMPARING: Final = {"3", "4"}  # they compare lots with each other; only simulation tells


@cache
def false_alarms(rules: tuple[str, ...]) -> Figure:
    """Average lots to the first false alarm of some rules together, where nothing changes.

    Exact, unless a rule compares lots with each other (Nelson 3 and 4): then by simulation.
    """
    if _COMPARING.intersection(rules):
        return simulated_run_length(rules).average
    return rule_run_length(rules).average


@cache
def alarms_of_limits(rules: tuple[str, ...], n: int, by: Literal["prediction", "mr"]) -> Figure:
    """The same, with how much oftener limits that were estimated from some lots alarm.

    Prediction limits hold the rate of single lots beyond them. Rules over several lots meet one
    error of centre and sigma again and again, and find a pattern in it.

    Args:
        rules: by name.
        n: lots that the limits come from.
        by: prediction limits, or moving ranges.
    """
    known = false_alarms(rules)
    if n > _KNOWN_ABOVE:
        return known
    one, other = (
        simulated_alarm_chance(rules, _NEXT, phase1=lots, scale=by).value for lots in (n, None)
    )
    told = (
        f"limits are taken as known: from {n} lots the chance of a false alarm in the next {_NEXT}"
        f" lots is {100 * one:.0f} %, not {100 * other:.0f} % (simulation)"
    )
    return replace(known, limitations=(*known.limitations, told))


def alarms_of_scores() -> Figure:
    """Lots to a false alarm of the self-starting chart: exact, with mean and sigma unknown."""
    return replace(false_alarms(("1",)), assumptions=KNOWN[1:])
