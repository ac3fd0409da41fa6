"""What is said of one attribute over the lots of one phase: centre, capability, donors.

A part that these data do not allow is left out, and the reason stands among the limitations.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final, TypeVar

import numpy as np

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.capability import SpecLimits, capability
from batchqc.statistics.censored import censored_summary
from batchqc.statistics.censored_likelihood import Censored
from batchqc.statistics.control_charts import LIMITS_FROM
from batchqc.statistics.few_lots import prediction
from batchqc.statistics.figures import Figure
from batchqc.statistics.nested_anova import nested_components
from batchqc.statistics.scales import Scale
from batchqc.statistics.tolerance import tolerance_interval
from batchqc.statistics.values import Floats, with_gaps

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
        values: of each lot, or the bound that is known; None where a lot has none.
        qualifiers: ``<``, ``<=``, ``>``, ``>=`` where only a bound is known, else "".
        donors: label of each lot's donor or donors.
        steps: smallest step of each value, for those that lie on a bound of the scale.
        scale: on which figures are computed.
        lower: limit of the specification, where there is one.
        upper: limit of the specification, where there is one.
    """

    values: Sequence[float | None]
    qualifiers: Sequence[str]
    donors: Sequence[str]
    steps: Sequence[float]
    scale: Scale
    lower: Fraction | float | None = None
    upper: Fraction | float | None = None


@dataclass(slots=True)
class AttributeReview:
    """What can be said.

    Args:
        n: lots with a number that is known exactly.
        censored: lots of which only a bound is known.
        scale: on which the figures are.
        figures: each with n, method, assumptions and interval.
        limitations: what these data do not allow to be said.
    """

    n: int
    censored: int
    scale: str = "identity"
    figures: list[Figure] = field(default_factory=list)
    limitations: list[str] = field(default_factory=list)

    def try_for(self, part: str, compute: Callable[[], Found]) -> Found | None:
        """What was computed, or None with the reason among the limitations."""
        try:
            return compute()
        except (NotEstimable, InvalidInput) as error:
            self.limitations.append(f"{part}: {error.message}")
            return None


def review_attribute(attribute: Attribute) -> AttributeReview:
    """Centre and sigma, capability or tolerance interval, and variance between donors.

    Ppk with its exact interval from 30 values on, else the tolerance interval (content 95 %,
    confidence 95 %) from 8 on; variance components by nested ANOVA. Where only a bound is known of
    a value, nothing is put in its place: there is no capability, and the median is that of maximum
    likelihood.
    """
    found = with_gaps(attribute.values)
    known = ~np.isnan(found)
    bound = known & np.array([bool(one) for one in attribute.qualifiers], dtype=np.bool_)
    review = AttributeReview(int(np.sum(known & ~bound)), int(bound.sum()))
    if bound.any():
        _with_bounds(review, attribute, found[known])
    elif review.n:
        _measured(review, attribute, found)
    return review


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
    scale, steps = attribute.scale, attribute.steps
    try:
        scaled = scale.forward(found, resolution=steps)
    except InvalidInput as error:
        review.limitations.append(f"figures as reported, not on {scale.kind}: {error.message}")
        scale = Scale()
        scaled = scale.forward(found)
    review.scale = scale.kind
    if scaled.shifted:
        places = ", ".join(map(str, scaled.shifted[:20]))
        review.limitations.append(f"moved off the bound by half the resolution: points {places}")
    known = ~np.isnan(found)
    on = scaled.values[known]
    chart = review.try_for("centre", lambda: prediction(on))
    if chart is not None:
        review.figures += [chart.figures[name] for name in ("centre", "sigma")]
    _capable(review, attribute, scale, on)
    labels = [one for one, has in zip(attribute.donors, known, strict=True) if has]
    parts = review.try_for("donors", lambda: nested_components(on, {"donor": labels}))
    if parts is not None:
        between, within = parts.components
        review.figures += [between, replace(within, name="variance of lots of one donor")]


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


def _on(scale: Scale, limit: Fraction | float | None) -> float | None:
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
