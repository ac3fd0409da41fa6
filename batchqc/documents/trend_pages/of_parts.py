"""Further plots of a series: drift, distribution, normal probability, variability by donor."""

from batchqc.documents.plots.histogram import Spread, histogram
from batchqc.documents.plots.probability import Ordered, probability_plot
from batchqc.documents.plots.scene import Picture
from batchqc.documents.plots.series import SpecificationLimits
from batchqc.documents.plots.variability import Variability, variability_chart
from batchqc.documents.trend_pages.of_drift import drift_plots
from batchqc.statistics.lot_figures import phase_figures
from batchqc.statistics.lot_series import Judged, Trend, is_censored, numbers_of, qualifier_of
from batchqc.statistics.phase_values import Part, PhaseValues
from batchqc.statistics.series_capability import capability_part, normality_part
from batchqc.statistics.series_parts import newest_values


def further_plots(trend: Trend, specification: SpecificationLimits) -> dict[str, Picture]:
    """The plots of the newest phase by name; none of words.

    Args:
        trend: the series.
        specification: the limits of its criterion.
    """
    values = newest_values(trend)
    if values is None:
        return {}
    return {
        **drift_plots(trend),
        "histogram": histogram(_spread(trend, values, specification)),
        "probability": probability_plot(_ordered(trend, values)),
        "donors": variability_chart(_variability(trend, values)),
    }


def _spread(trend: Trend, values: PhaseValues, specification: SpecificationLimits) -> Spread:
    part = capability_part(values, trend.criterion)
    intervals = [one for one in part.figures if one.name.startswith("tolerance")]
    ends = (intervals[0].lower, intervals[0].upper) if intervals else (None, None)
    return Spread(
        trend.criterion.title,
        trend.criterion.unit,
        numbers_of(values.lots),
        numbers_of(_censored(trend, values)),
        specification,
        ends,
        part.figures,
        [_of_phase(values), *part.said],
    )


def _ordered(trend: Trend, values: PhaseValues) -> Ordered:
    """On the scale of the series: it is there that values are taken as normal."""
    part, normal = Part(""), normality_part(values)
    line = part.try_for(lambda: phase_figures(trend, values.phase))
    seen, below = values.on.tolist(), _below(trend, values, part)
    if below is None:
        seen, line = [], None
    return Ordered(
        trend.criterion.title,
        _unit(trend),
        seen,
        below or [],
        (line[0].value, line[1].value) if line else None,
        "; ".join([*(f"{one.name} {one.value:.3g}" for one in normal.figures), *normal.said]),
        [_of_phase(values), *part.said],
    )


def _below(trend: Trend, values: PhaseValues, part: Part) -> list[float] | None:
    """Bounds on the scale that censored lots lie below; ``None`` where one lies above its own."""
    hidden = _censored(trend, values)
    sign = ">" if trend.scale.flips else "<"
    if not all(qualifier_of(one).startswith(sign) for one in hidden):
        part.said.append("lots above a bound have no rank among the others: none is drawn")
        return None
    bounds, steps = numbers_of(hidden), [one.step for one in hidden]
    scaled = part.try_for(lambda: trend.scale.forward(bounds, resolution=steps)) if hidden else None
    return [] if scaled is None else [float(one) for one in scaled.values]


def _variability(trend: Trend, values: PhaseValues) -> Variability:
    donors: dict[str, dict[str, list[float]]] = {}
    for name, one in zip(values.origins, values.lots, strict=True):
        own = donors.setdefault(name or "not known", {})
        own[one.lot.lot] = _results(one)
    notes = [_of_phase(values)]
    if values.censored:
        notes.append(f"{values.censored} censored lots are not drawn")
    return Variability(trend.criterion.title, trend.criterion.unit, donors, notes)


def _results(one: Judged) -> list[float]:
    """The replicates of a lot where all are numbers, else its result."""
    amounts = [each.amount for each in one.lot.observed.readings]
    if amounts and all(amount is not None and not amount.is_censored for amount in amounts):
        return [float(amount.number) for amount in amounts if amount is not None]
    return [] if one.value is None else [one.value]


def _censored(trend: Trend, values: PhaseValues) -> list[Judged]:
    return [one for one in trend.lots if one.phase == values.phase.number and is_censored(one)]


def _unit(trend: Trend) -> str:
    unit, kind = trend.criterion.unit, trend.scale.kind
    return unit if kind == "identity" else f"{kind}, {unit}".removesuffix(", ")


def _of_phase(values: PhaseValues) -> str:
    phase = values.phase
    return values.problem or (
        f"Phase {phase.number}: {phase.lots[0].lot} to {phase.lots[-1].lot}, {len(phase.lots)} lots"
    )
