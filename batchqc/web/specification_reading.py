"""The criteria of a specification as lines of a table: by what is measured, where it turns."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from batchqc.core.boundaries import Boundary, boundaries
from batchqc.core.criteria import Category, Criterion
from batchqc.core.specifications import Specification
from batchqc.core.subjects import Derived, Group, Measured


@dataclass(frozen=True, slots=True)
class CriterionLine:
    """A criterion, by what it is measured, its replicates in words, and where it turns."""

    criterion: Criterion
    source: str
    replicates: str
    boundary: Boundary


def by_category(said: Specification) -> Mapping[str, list[CriterionLine]]:
    """The criteria by what they speak about, in the order of the file within each."""
    turning = {one.criterion: one for one in boundaries(said)}
    order = list(Category)
    ordered = sorted(said.criteria, key=lambda one: order.index(one.category))
    return {
        category.value: [
            CriterionLine(one, _source(one), _replicates(one), turning[one.id]) for one in own
        ]
        for category, own in groupby(ordered, key=lambda one: one.category)
    }


def _source(criterion: Criterion) -> str:
    match criterion.subject:
        case Measured(test=test, analyte=analyte):
            return f"{test} · {analyte}"
        case Derived(formula=formula):
            return f"= {formula.text}"
        case Group(members=members):
            return f"of {', '.join(members)}"
        case fact:
            return f"donor: {fact.value}"


def _replicates(criterion: Criterion) -> str:
    if not isinstance(criterion.subject, Measured):
        return ""
    plan = criterion.subject.replicates
    parts = [f"{plan.aggregate.value} of {plan.n}"] if plan.n > 1 else ["one"]
    if plan.max_cv is not None:
        parts.append(f"%CV at most {plan.max_cv}")
    if plan.max_range is not None:
        parts.append(f"range at most {plan.max_range} {criterion.unit}")
    if plan.individual is not None:
        parts.append(f"each {plan.individual.text}")
    return ", ".join(parts)
