"""What is said of one attribute over the lots of one phase: centre, capability, donors.

A part that these data do not allow is left out, and the reason stands among the limitations.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from batchqc.core.criteria import Criterion
from batchqc.core.trend_phases import Phase
from batchqc.statistics.figures import Figure
from batchqc.statistics.lot_figures import phase_figures
from batchqc.statistics.lot_series import Trend
from batchqc.statistics.nested_anova import nested_components
from batchqc.statistics.phase_values import Part, PhaseValues, phase_values
from batchqc.statistics.series_capability import capability_part

_LOTS_FROM: Final = 3


@dataclass(frozen=True, slots=True)
class AttributeReview:
    """What can be said of a phase.

    Args:
        n: lots with a number that is known exactly.
        censored: lots of which only a bound is known.
        figures: each with n, method, assumptions and interval, on the scale of the trend.
        limitations: what these data do not allow to be said.
    """

    n: int
    censored: int
    figures: tuple[Figure, ...]
    limitations: tuple[str, ...]


def review_phase(trend: Trend, phase: Phase, criterion: Criterion) -> AttributeReview:
    """Centre and sigma, capability or tolerance interval, and variance between donors.

    The first two are those of the pages of trends; variance components by nested ANOVA, which
    takes as long as many charts allow.

    Args:
        trend: of the attribute.
        phase: of it.
        criterion: that judges the lots of the phase.
    """
    values = phase_values(trend, phase)
    own = sum(one.phase == phase.number and one.value is not None for one in trend.lots)
    parts = [*_parts(trend, values, criterion)] if own else []
    return AttributeReview(
        own - values.censored,
        values.censored,
        tuple(figure for part in parts for figure in part.figures),
        tuple(f"{part.title}: {said}" for part in parts for said in part.said),
    )


def number_text(value: float | None) -> str:
    """A figure as people read it: six significant digits; "" where there is none."""
    return "" if value is None else f"{value + 0.0:.6g}"


def _parts(trend: Trend, values: PhaseValues, criterion: Criterion) -> Iterator[Part]:
    if values.problem:
        yield Part("figures", said=[values.problem])
        return
    centre = Part("centre", said=[*values.said_of_moved])
    centre.figures += centre.try_for(lambda: phase_figures(trend, values.phase)) or ()
    yield centre
    yield replace(capability_part(values, criterion), title="capability")
    yield _donors(values)


def _donors(values: PhaseValues) -> Part:
    part = Part("donors")
    count = len(values.lots)
    if part.has_censored(values.censored) or not part.has(count, least=_LOTS_FROM):
        return part
    known = sum(bool(one) for one in values.origins)
    if known < count:
        part.said.append(f"donor or cell bank is known of {known} of {count} lots only")
        return part
    found = part.try_for(lambda: nested_components(values.on, {"donor": values.origins}))
    if found is not None:
        between, within = found.components
        part.figures += [between, replace(within, name="variance of lots of one donor")]
    return part
