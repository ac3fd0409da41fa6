"""What changed between two versions of a specification, criterion by criterion, in words.

A change of what passes is stricter or looser by the exact passing sets; where each passes something
that the other does not, or they cannot be compared, it is "other".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from batchqc.core.acceptance import Acceptance, AtLeast, Bands, Limits, Relative, Words
from batchqc.core.criteria import Criterion
from batchqc.core.quantities import Interval
from batchqc.core.rounding import Rounding
from batchqc.core.specifications import Specification
from batchqc.core.subjects import Derived, Group, Measured, ReplicatePlan


class Direction(StrEnum):
    """What a change means for lots."""

    STRICTER = "stricter"
    LOOSER = "looser"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Change:
    """One change: of which criterion ("" for the whole), in words, and what it means."""

    criterion: str
    words: str
    direction: Direction


def differences(old: Specification, new: Specification) -> tuple[Change, ...]:
    """Every change from ``old`` to ``new``, in the order of the new version; removals last."""
    before = {one.id: one for one in old.criteria}
    after = {one.id: one for one in new.criteria}
    groups = _groups(old), _groups(new)
    found = [Change("", words, Direction.OTHER) for words in _whole(old, new)]
    for criterion in new.criteria:
        if criterion.id in before:
            found += _changes(before[criterion.id], criterion)
            found += _counting(criterion, *(one.get(criterion.id, "") for one in groups))
        else:
            words = f"{criterion.title}: {criterion.acceptance} was added"
            direction = Direction.STRICTER if criterion.is_judged else Direction.OTHER
            found.append(Change(criterion.id, words, direction))
    for criterion in old.criteria:
        if criterion.id not in after:
            words = f"{criterion.title}: {criterion.acceptance} was removed"
            direction = Direction.LOOSER if criterion.is_judged else Direction.OTHER
            found.append(Change(criterion.id, words, direction))
    return tuple(found)


def _whole(old: Specification, new: Specification) -> Iterator[str]:
    for label, before, after in (
        ("product", old.product, new.product),
        ("stage", old.stage.value, new.stage.value),
        ("market", old.market, new.market),
        ("title", old.title, new.title),
        ("effective date", old.effective.isoformat(), new.effective.isoformat()),
        ("decision rule", old.decision_rule, new.decision_rule),
        ("vocabularies", _vocabularies(old), _vocabularies(new)),
    ):
        if before != after:
            yield f"{label}: {before or 'none'} became {after or 'none'}"


def _vocabularies(specification: Specification) -> str:
    return "; ".join(f"{one.reference} ({one.words})" for one in specification.vocabularies)


def _groups(specification: Specification) -> Mapping[str, str]:
    """The group in which alone a criterion counts, by criterion."""
    return {
        name: one.id
        for one in specification.criteria
        if isinstance(one.subject, Group)
        for name in one.subject.members
    }


def _counting(criterion: Criterion, old: str, new: str) -> Iterator[Change]:
    if old == new:
        return
    if not old:
        words = f"counts in {new} only: its failure alone does not block any more"
        yield Change(criterion.id, f"{criterion.title}: {words}", Direction.LOOSER)
    elif not new:
        words = f"counts by itself, no longer in {old}"
        yield Change(criterion.id, f"{criterion.title}: {words}", Direction.STRICTER)
    else:
        words = f"counts in {new}, no longer in {old}"
        yield Change(criterion.id, f"{criterion.title}: {words}", Direction.OTHER)


def _changes(old: Criterion, new: Criterion) -> Iterator[Change]:
    if _accepts(old) != _accepts(new):
        words = f"{new.title}: {_accepts(old)} became {_accepts(new)}"
        yield Change(new.id, words, _direction(old, new))
    before, after = _facts(old), _facts(new)
    for label in dict.fromkeys((*before, *after)):
        one, other = before.get(label, ""), after.get(label, "")
        if one != other:
            words = f"{new.title}: {label} {one or 'none'} became {other or 'none'}"
            yield Change(new.id, words, Direction.OTHER)
    if old.required is not new.required:
        words = "required" if new.required else "optional: a missing result blocks no more"
        direction = Direction.STRICTER if new.required else Direction.LOOSER
        yield Change(new.id, f"{new.title}: became {words}", direction)


def _accepts(criterion: Criterion) -> str:
    """The acceptance with its rounding, where that changes what passes."""
    is_rounded = isinstance(criterion.accept, Limits | Bands)
    if not is_rounded or criterion.rounding is Rounding.ABSOLUTE:
        return criterion.acceptance
    return f"{criterion.acceptance}, {criterion.rounding.name_of_rule}"


def _direction(old: Criterion, new: Criterion) -> Direction:
    if old.is_judged is not new.is_judged:
        return Direction.STRICTER if new.is_judged else Direction.LOOSER
    one, other = old.accept, new.accept
    if isinstance(one, AtLeast) and isinstance(other, AtLeast) and old.subject == new.subject:
        return _told(fewer=other.count >= one.count, more=other.count <= one.count)
    same_kind = type(one) is type(other) and old.unit == new.unit
    rounds_alike = old.rounding is new.rounding or not isinstance(one, Bands)
    if same_kind and rounds_alike and _scale(one) == _scale(other):
        before, after = old.passing, new.passing
        if isinstance(before, Interval) and isinstance(after, Interval):
            return _told(fewer=after.is_inside(before), more=before.is_inside(after))
        if isinstance(before, frozenset) and isinstance(after, frozenset):
            return _told(fewer=after <= before, more=before <= after)
    return Direction.OTHER


def _scale(accept: Acceptance) -> object:
    """What must be the same so that two passing sets can be compared."""
    match accept:
        case Relative(factor=factor):
            return factor
        case Bands(bands=bands):
            return bands
        case Words(vocabulary=vocabulary):
            return vocabulary
        case _:
            return type(accept)


def _told(*, fewer: bool, more: bool) -> Direction:
    if fewer is more:
        return Direction.OTHER
    return Direction.STRICTER if fewer else Direction.LOOSER


def _facts(criterion: Criterion) -> Mapping[str, str]:
    """Everything else that a criterion says, by label."""
    facts = {
        "title": criterion.title,
        "category": criterion.category.value,
        "unit": criterion.unit,
        "vocabulary": _vocabulary(criterion.accept),
        "alert limits": criterion.alert.text if criterion.alert else "",
        "action limits": criterion.action.text if criterion.action else "",
        "resolution": str(criterion.resolution or ""),
        "stand-in while pending": ", ".join(criterion.interim),
        "derivation of the limit": criterion.basis,
        "note": criterion.note,
        "acknowledged": "; ".join(f"{code}: {why}" for code, why in criterion.acknowledged),
    }
    match criterion.subject:
        case Measured() as subject:
            facts |= {
                "test": subject.test,
                "analyte": subject.analyte,
                "method": subject.method,
                "replicates": _plan(subject.replicates),
                "plausible range": str(subject.plausible or ""),
                "window": str(subject.window or ""),
                "planned days": str(subject.planned_days or ""),
                "control": subject.control,
            }
        case Derived(formula=formula, inputs=inputs):
            facts["formula"] = formula.text
            facts["inputs"] = ", ".join(f"{one.name} = {one.text}" for one in inputs)
        case Group(members=members):
            facts["members"] = ", ".join(members)
        case fact:
            facts["donor"] = fact.value
    return facts


def _vocabulary(accept: Acceptance) -> str:
    return accept.vocabulary.reference if isinstance(accept, Words) and accept.vocabulary else ""


def _plan(plan: ReplicatePlan) -> str:
    parts = [f"{plan.n} ({plan.aggregate.value})"]
    parts += [f"%CV up to {plan.max_cv}"] if plan.max_cv is not None else []
    parts += [f"range up to {plan.max_range}"] if plan.max_range is not None else []
    parts += [f"each {plan.individual.text}"] if plan.individual else []
    return ", ".join(parts)
