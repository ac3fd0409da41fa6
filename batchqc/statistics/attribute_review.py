"""What is said of one attribute over the lots of one phase: chart, signals, capability, donors.

A part that these data do not allow is left out, and the reason stands among the limitations.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from typing import Final, TypeVar

import numpy as np

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.capability import SpecLimits, capability
from batchqc.statistics.censored import censored_summary
from batchqc.statistics.censored_likelihood import Censored
from batchqc.statistics.control_charts import LIMITS_FROM
from batchqc.statistics.figures import Figure
from batchqc.statistics.individuals import individuals
from batchqc.statistics.nested_anova import nested_components
from batchqc.statistics.rule_simulation import simulated_run_length
from batchqc.statistics.run_rules import NELSON, Signal
from batchqc.statistics.scales import Kind, Scale, ScaledChart, on_scale
from batchqc.statistics.tolerance import tolerance_interval
from batchqc.statistics.values import Floats

#: Rules of Nelson 1984 that a review looks for.
RULES: Final = (1, 2, 3, 5)
#: Below so many values a tolerance interval stands in for the capability index.
CAPABILITY_FROM: Final = 30
_WHOLE: Final = 100
_FLIPPED: Final = {
    "fraction below": "fraction above",
    "fraction above": "fraction below",
}

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Attribute:
    """The results of one attribute in the order of manufacture, and what is asked of them.

    Args:
        values: of each lot; None where a lot has none.
        qualifiers: ``=``, or ``<``, ``<=``, ``>``, ``>=`` where only a bound is known.
        donors: label of each lot's donor or donors.
        scale: on which it is charted.
        lower: limit of the specification, where there is one.
        upper: limit of the specification, where there is one.
        resolution: smallest step that is told apart, for values that lie on a bound of the scale.
    """

    values: Sequence[Fraction | None]
    qualifiers: Sequence[str]
    donors: Sequence[str]
    scale: Kind = "identity"
    lower: Fraction | None = None
    upper: Fraction | None = None
    resolution: Fraction | None = None


@dataclass(slots=True)
class AttributeReview:
    """What can be said; lines are in the unit of the attribute, sigma is on the scale.

    Args:
        n: lots with a number that is known exactly.
        censored: lots of which only a bound is known.
        scale: on which chart and figures were computed.
        centre: of the chart; None below 8 values, and where there is none.
        lower: limit of the chart; None below 8 values, and where there is none.
        upper: limit of the chart, likewise.
        figures: each with n, method, assumptions and interval.
        signals: points count from 1 over all lots that were given.
        limitations: what these data do not allow to be said.
    """

    n: int
    censored: int
    scale: str = "identity"
    centre: float | None = None
    lower: float | None = None
    upper: float | None = None
    figures: list[Figure] = field(default_factory=list)
    signals: tuple[Signal, ...] = ()
    limitations: list[str] = field(default_factory=list)

    def try_for(self, part: str, compute: Callable[[], Found]) -> Found | None:
        """What was computed, or None with the reason among the limitations."""
        try:
            return compute()
        except (NotEstimable, InvalidInput) as error:
            self.limitations.append(f"{part}: {error.message}")
            return None


def review_attribute(attribute: Attribute) -> AttributeReview:
    """Chart, signals, capability or tolerance interval, and variance between donors.

    Individuals chart with sigma from moving ranges, rules of Nelson; Ppk with its exact interval
    from 30 values on, else the tolerance interval (content 95 %, confidence 95 %) from 8 on;
    variance components by nested ANOVA. Where only a bound is known of a value, nothing is put in
    its place: there are no limits, and the median is that of maximum likelihood.
    """
    found = np.array([np.nan if one is None else float(one) for one in attribute.values])
    known = ~np.isnan(found)
    bound = known & np.array([one != "=" for one in attribute.qualifiers], dtype=np.bool_)
    review = AttributeReview(int(np.sum(known & ~bound)), int(bound.sum()))
    if bound.any():
        _with_bounds(review, attribute, found[known])
    elif review.n:
        _measured(review, attribute, found)
    return review


@cache
def run_length() -> Figure:
    """Average number of lots to a false flag of the rules, where nothing changes."""
    return simulated_run_length(RULES).average


def expected_flags(lots: int) -> float:
    """How many false flags are to be expected on charts of so many lots in all."""
    return lots / run_length().value


def number_text(value: float | None) -> str:
    """A figure as people read it: six significant digits; "" where there is none."""
    return "" if value is None else f"{value + 0.0:.6g}"


def _with_bounds(review: AttributeReview, attribute: Attribute, found: Floats) -> None:
    count, n = review.censored, found.size
    review.limitations.append(
        f"of {count} of {n} values only a bound is known: no limits, signals or capability"
    )
    signs = [
        sign
        for sign, value in zip(attribute.qualifiers, attribute.values, strict=True)
        if value is not None
    ]
    below = np.array([one in {"<", "<="} for one in signs])
    above = np.array([one in {">", ">="} for one in signs])
    data = Censored(np.where(below, -np.inf, found), np.where(above, np.inf, found))
    positive = bool(np.all(found > 0))
    kind = "lognormal" if positive else "normal"
    summary = review.try_for("median", lambda: censored_summary(data, distribution=kind))
    if summary is not None:
        review.figures.append(summary.median)


def _measured(review: AttributeReview, attribute: Attribute, found: Floats) -> None:
    step = None if attribute.resolution is None else float(attribute.resolution)
    scale = Scale(attribute.scale)
    try:
        scaled = scale.forward(found, resolution=step)
    except InvalidInput as error:
        review.limitations.append(f"charted as reported, not on {scale.kind}: {error.message}")
        scale, step = Scale(), None
        scaled = scale.forward(found)
    review.scale = scale.kind
    if scaled.shifted:
        places = ", ".join(map(str, scaled.shifted[:20]))
        review.limitations.append(f"moved off the bound by half the resolution: points {places}")
    chart = review.try_for("chart", lambda: on_scale(found, scale, individuals, resolution=step))
    if chart is not None:
        _charted(review, chart)
    known = ~np.isnan(found)
    on = scaled.values[known]
    _capable(review, attribute, scale, on)
    labels = [one for one, has in zip(attribute.donors, known, strict=True) if has]
    parts = review.try_for("donors", lambda: nested_components(on, {"donor": labels}))
    if parts is not None:
        between, within = parts.components
        review.figures += [between, replace(within, name="variance of lots of one donor")]


def _charted(review: AttributeReview, chart: ScaledChart) -> None:
    inner = chart.chart
    review.limitations += inner.limitations
    if inner.lower is None:
        return  # only data
    review.centre = float(chart.centre[0])
    review.lower, review.upper = (
        None if line is None else float(line[0]) for line in (chart.lower, chart.upper)
    )
    review.figures += [inner.figures[name] for name in ("centre", "sigma")]
    rules = [NELSON[number] for number in RULES]
    review.signals = review.try_for("signals", lambda: inner.signals(rules)) or ()


def _capable(review: AttributeReview, attribute: Attribute, scale: Scale, on: Floats) -> None:
    limits = _limits(attribute, scale)
    if limits is None:
        review.limitations.append("capability: no limit of the specification is on this scale")
        return
    if on.size >= CAPABILITY_FROM:
        found = review.try_for("capability", lambda: capability(on, limits))
        if found is not None:
            sides = [found.beyond[name] for name in ("below", "above") if name in found.beyond]
            if scale.flips:
                sides = [replace(one, name=_FLIPPED[one.name]) for one in sides]
            review.figures += [found.indices["Ppk"], *sides]
        return
    if on.size < LIMITS_FROM:
        review.limitations.append(
            f"tolerance interval: {on.size} values, below {LIMITS_FROM} there is none, only data"
        )
        return
    side = "two-sided"
    if limits.lsl is None or limits.usl is None:
        side = "upper" if limits.lsl is None else "lower"
    interval = review.try_for("tolerance interval", lambda: tolerance_interval(on, side=side))
    if interval is not None:
        review.figures.append(_carried_back(interval.limits, scale))


def _limits(attribute: Attribute, scale: Scale) -> SpecLimits | None:
    """The limits of the specification on the scale; those beyond its bounds limit nothing."""
    ends = (_on(scale, one) for one in (attribute.lower, attribute.upper))
    low, high = reversed([*ends]) if scale.flips else ends
    return None if low is None and high is None else SpecLimits(low, high)


def _on(scale: Scale, limit: Fraction | None) -> float | None:
    if limit is None or (scale.kind == "ln" and limit <= 0):
        return None
    if scale.flips and not 0 <= limit < _WHOLE:
        return None
    return float(scale.forward([float(limit)]).values[0])


def _carried_back(figure: Figure, scale: Scale) -> Figure:
    value, *ends = (
        None if one is None else float(scale.back([one])[0])
        for one in (figure.value, figure.lower, figure.upper)
    )
    low, high = reversed(ends) if scale.flips else ends
    return replace(figure, value=value or 0.0, lower=low, upper=high)
