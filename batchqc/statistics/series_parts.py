"""What is said of an attribute beside its chart: of the newest phase, each part with its limits."""

from batchqc.core.trends import is_numeric
from batchqc.statistics.lot_figures import named, rules_in_force
from batchqc.statistics.lot_series import Trend
from batchqc.statistics.phase_values import Part, PhaseValues, phase_values
from batchqc.statistics.series_capability import capability_part, normality_part
from batchqc.statistics.series_variation import components_part, donors_part


def newest_values(trend: Trend) -> PhaseValues | None:
    """The measured lots of the newest phase; ``None`` of words and of a series without lots."""
    if not trend.phases or not is_numeric(trend.criterion):
        return None
    return phase_values(trend, trend.phases[-1])


def parts_of(trend: Trend) -> tuple[Part, ...]:
    """False alarms of the rules, capability, normality, variance components and donors.

    Of the newest phase only: phases are never pooled. What its lots do not allow is said. Of words
    there are none.
    """
    values = newest_values(trend)
    if values is None:
        return ()
    by, rules, average = rules_in_force(trend)
    alarms = Part(
        "False alarms of the rules", [average], [f"The next lot is judged by {by}: {named(rules)}."]
    )
    if values.problem:
        return alarms, Part("Capability and variation", said=[values.problem])
    return (
        alarms,
        capability_part(values, trend.criterion),
        normality_part(values),
        components_part(values),
        donors_part(values),
    )
