"""Capability of a phase against its specification; of few lots, a tolerance interval instead."""

from dataclasses import replace
from typing import Final

from batchqc.core.criteria import Criterion
from batchqc.statistics.capability import Capability, SpecLimits, capability
from batchqc.statistics.control_charts import LIMITS_FROM
from batchqc.statistics.figures import Figure
from batchqc.statistics.nonnormal_capability import percentile_capability
from batchqc.statistics.normality import Normality, anderson_darling, shapiro_wilk
from batchqc.statistics.phase_values import Part, PhaseValues, carried_back, limits_on
from batchqc.statistics.tolerance import tolerance_interval

#: Below so many measured lots a tolerance interval stands in the place of the index.
CAPABILITY_FROM: Final = 30
#: From here down what the lots say against normality is told beside what assumes it.
_AGAINST: Final = 0.05
_SHAPIRO_AT_MOST: Final = 5000
_NORMALITY_FROM: Final = 3
_OTHER_SIDE: Final = {"below": "above", "above": "below"}


def capability_part(values: PhaseValues, criterion: Criterion) -> Part:
    """Ppk with its exact interval and the fractions beyond from 30 measured lots on.

    Below, the tolerance interval of content 95 % and confidence 95 %; below 8 nothing but data.
    Where a lot is censored there is neither: both need numbers.
    """
    part = Part("Capability")
    if part.has_censored(values.censored):
        return part
    told = len(part.said)
    limits = part.try_for(lambda: limits_on(values.scale, criterion))
    if limits is not None:
        if part.has(len(values.lots), least=LIMITS_FROM):
            _capable(part, values, limits)
    elif len(part.said) == told:
        part.said.append("no limit of the specification lies on this scale")
    return part


def normality_part(values: PhaseValues) -> Part:
    """What the lots say against normality on the scale; a description, never a gate."""
    part = Part("Normality on the scale")
    if part.has_censored(values.censored) or not part.has(len(values.lots), least=_NORMALITY_FROM):
        return part
    found = part.try_for(lambda: _normality(values))
    if found is not None:
        part.figures.append(found.statistic)
        part.said.append(f"p = {found.p:.3g}, {_shown(found)}")
    return part


def _capable(part: Part, values: PhaseValues, limits: SpecLimits) -> None:
    n = len(values.lots)
    if n < CAPABILITY_FROM:
        part.said.append(
            f"{n} measured lots: below {CAPABILITY_FROM} the tolerance interval (content 95 %) is"
            " read against the specification, in the place of Ppk"
        )
        side = "two-sided"
        if limits.lsl is None or limits.usl is None:
            side = "upper" if limits.lsl is None else "lower"
        interval = part.try_for(lambda: tolerance_interval(values.on, side=side))
        if interval is not None:
            part.figures.append(carried_back(interval.limits, values.scale))
        return
    found = part.try_for(lambda: capability(values.on, limits))
    if found is None:
        return
    against = part.try_for(lambda: _normality(values))
    part.figures += list(_indices(found, flips=values.scale.flips))
    if against is not None and against.p < _AGAINST:
        part.said.append(
            f"the lots speak against normality on this scale (p = {against.p:.3g}): read Ppk by"
            " percentiles of a Pearson curve beside it"
        )
        curve = part.try_for(
            lambda: percentile_capability(values.on, limits, distribution="pearson")
        )
        if curve is not None:
            part.figures.append(replace(curve.indices["Ppk"], name="Ppk by percentiles"))


def _indices(found: Capability, *, flips: bool) -> list[Figure]:
    sides = {name: one for name, one in found.beyond.items() if name != "total"}
    turned = {_OTHER_SIDE[name] if flips else name: one for name, one in sides.items()}
    return [
        found.indices["Ppk"],
        *(replace(one, name=f"fraction {name}") for name, one in sorted(turned.items())),
    ]


def _normality(values: PhaseValues) -> Normality:
    is_many = values.on.size > _SHAPIRO_AT_MOST
    return anderson_darling(values.on) if is_many else shapiro_wilk(values.on)


def _shown(found: Normality) -> str:
    if found.p < _AGAINST:
        return "the lots speak against normality on this scale"
    return "nothing in the lots speaks against normality on this scale"
