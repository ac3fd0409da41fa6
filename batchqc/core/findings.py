"""What is doubtful in a specification that can be read: the linter.

A finding is no error: the file says what it says. Each has a code, so that its author can
acknowledge it in the file with a reason.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from batchqc.core.acceptance import AtLeast, Limits, Relative, Words
from batchqc.core.boundaries import NONE, boundary
from batchqc.core.criteria import Category, Criterion
from batchqc.core.quantities import Interval, last_digit
from batchqc.core.rounding import Rounding
from batchqc.core.specifications import Specification
from batchqc.core.subjects import Derived, Group, Measured
from batchqc.core.units import canonical_unit, parse_unit
from batchqc.core.vocabularies import plain

_UPPER: Final = {Category.PURITY, Category.SAFETY}
_LOWER: Final = {Category.IDENTITY, Category.POTENCY}


@dataclass(frozen=True, slots=True)
class Finding:
    """One doubtful thing: which criterion and key, why, and what to do.

    ``acknowledged`` is the author's reason to leave it as it is.
    """

    code: str
    criterion: str
    key: str
    why: str
    suggestion: str
    acknowledged: str = ""


def findings(specification: Specification) -> tuple[Finding, ...]:
    """Everything doubtful, in the order of the criteria; acknowledged findings included."""
    found = []
    words = _contradicting_words(specification)
    groups = Counter(
        name
        for one in specification.criteria
        if isinstance(one.subject, Group)
        for name in one.subject.members
    )
    by_id = {one.id: one for one in specification.criteria}
    for criterion in specification.criteria:
        reasons = dict(criterion.acknowledged)
        own = [
            *_dead_bands(criterion),
            *_trend_limits(criterion),
            *_operators(criterion),
            *_endotoxin(criterion),
            *_nothing(criterion),
            *_percent(criterion),
            *_nothing_fails(criterion),
            *_resolution(criterion),
            *_words(criterion, words),
            *_groups(criterion, by_id, groups),
        ]
        own += _needless(criterion, {one[0] for one in own})
        found += [
            Finding(code, criterion.id, key, why, suggestion, reasons.get(code, ""))
            for code, key, why, suggestion in own
        ]
    return tuple(found)


_Found = Iterator[tuple[str, str, str, str]]


def _dead_bands(criterion: Criterion) -> _Found:
    accept = criterion.accept
    if not isinstance(accept, Limits) or criterion.rounding is Rounding.ABSOLUTE:
        return
    if any(one.operator in {"<", ">"} for one in accept.limits):
        yield (
            "dead-band",
            "accept",
            f"{accept.text} under {criterion.rounding.name_of_rule} passes {criterion.passing}",
            'write the limit with an included end, or rounding = "absolute"',
        )


def _trend_limits(criterion: Criterion) -> _Found:
    if not isinstance(criterion.passing, Interval):
        return
    outer, name = criterion.passing, "acceptance"
    for key, limits in (("action", criterion.action), ("alert", criterion.alert)):
        if limits is None:
            continue
        inner = limits.passing(criterion.rounding)
        if not inner.is_inside(outer) or inner == outer:
            yield (
                f"{key}-outside",
                key,
                f"{limits.text} does not lie inside the {name}: {outer}",
                f"{key} limits leave less than the {name}, so that they warn before it",
            )
        outer, name = inner, "action limits"


def _operators(criterion: Criterion) -> _Found:
    passing = criterion.passing
    if not isinstance(criterion.accept, Limits) or not isinstance(passing, Interval):
        return
    category = criterion.category
    if (category in _UPPER and passing.high is None) or (
        category in _LOWER and passing.low is None
    ):
        limit = "upper" if category in _UPPER else "lower"
        yield (
            "operator-category",
            "accept",
            f"{criterion.acceptance} has no {limit} limit, as {category.value} would expect",
            "turn the operator round, or choose another category",
        )


def _endotoxin(criterion: Criterion) -> _Found:
    unit = parse_unit(criterion.unit)
    names = {name for name, power in unit.dimensions if power > 0} if unit else set()
    analyte = criterion.subject.analyte if isinstance(criterion.subject, Measured) else ""
    if "endotoxin" in f"{criterion.title} {analyte}".casefold() and not names & {"EU", "IU"}:
        yield (
            "endotoxin-unit",
            "unit",
            f'endotoxin is stated in "{criterion.unit}"',
            "state it in EU per what: EU/mL, EU/kg or EU/{dose}",
        )


def _nothing(criterion: Criterion) -> _Found:
    turns = boundary(criterion).turns
    if turns and all(turn.first_passing == NONE for turn in turns):
        yield (
            "nothing-passes",
            "accept",
            f"no value in steps of {boundary(criterion).resolution} passes {criterion.acceptance}",
            "state the resolution of the method, or wider limits",
        )


def _percent(criterion: Criterion) -> _Found:
    """A percentage that nobody can have measured and that passes all the same."""
    passing, subject = criterion.passing, criterion.subject
    if not isinstance(passing, Interval) or not isinstance(subject, Measured):
        return
    if canonical_unit(subject.unit) != "%" or isinstance(criterion.accept, Relative):
        return
    both = passing.intersection(subject.plausible or Interval())
    ends = [told for end, told in ((both.low, "-5 %"), (both.high, "250 %")) if end is None]
    if ends:
        yield (
            "open-percentage",
            "accept",
            f"{' and '.join(ends)} would pass {criterion.acceptance}",
            'state what can be measured, such as plausible = "0 to 100"',
        )


def _nothing_fails(criterion: Criterion) -> _Found:
    """A file with a value that is not plausible is refused: such a result opens nothing."""
    subject, passing = criterion.subject, criterion.passing
    plausible = subject.plausible if isinstance(subject, Measured) else None
    if not isinstance(criterion.accept, Limits) or not isinstance(passing, Interval):
        return
    if plausible is not None and plausible.is_inside(passing):
        yield (
            "nothing-fails",
            "plausible",
            f"every plausible value passes {criterion.acceptance}; others refuse their file",
            "widen the plausible range to what may be measured",
        )


def _resolution(criterion: Criterion) -> _Found:
    if criterion.resolution is None or not isinstance(criterion.accept, Limits):
        return
    finest = min(last_digit(one.number) for one in criterion.accept.limits)
    if criterion.resolution > finest:
        yield (
            "resolution",
            "resolution",
            f"the method reports steps of {criterion.resolution}, the limit has steps of {finest}",
            "state the limit with as many digits as the method reports",
        )


def _words(criterion: Criterion, contradicting: Mapping[str, str]) -> _Found:
    accept = criterion.accept
    if not isinstance(accept, Words) or accept.vocabulary is None:
        return
    for term in accept.vocabulary.terms:
        if term.name not in accept.terms:
            continue
        for word in (term.name, *term.synonyms):
            other = contradicting.get(plain(word))
            if other is not None:
                yield (
                    "vocabulary-overlap",
                    "vocabulary",
                    f'"{word}" passes here and fails {other}',
                    "give one of the vocabularies another word",
                )


def _contradicting_words(specification: Specification) -> Mapping[str, str]:
    """Every word that fails a criterion, with the criterion."""
    failing = {}
    for criterion in specification.criteria:
        accept = criterion.accept
        if isinstance(accept, Words) and accept.vocabulary is not None:
            for term in accept.vocabulary.terms:
                if term.name not in accept.terms:
                    failing.update(
                        {plain(word): criterion.id for word in (term.name, *term.synonyms)}
                    )
    return failing


def _groups(
    criterion: Criterion, by_id: Mapping[str, Criterion], groups: Mapping[str, int]
) -> _Found:
    if groups[criterion.id] > 1:
        yield (
            "member-twice",
            "title",
            f"it is counted in {groups[criterion.id]} groups",
            "let it count in one group",
        )
    subject, accept = criterion.subject, criterion.accept
    if isinstance(subject, Group) and isinstance(accept, AtLeast):
        reachable = _reachable([by_id[name] for name in subject.members])
        if reachable < accept.count:
            yield (
                "unreachable-group",
                "of",
                f"{accept.count} members shall pass, and never more than {reachable} can at once",
                "mend the limits that exclude one another",
            )


def _reachable(members: list[Criterion]) -> int:
    """How many members can pass at once: those computed alike exclude one another."""
    families: dict[object, list[Interval]] = {}
    others = 0
    for one in members:
        if isinstance(one.subject, Derived) and isinstance(one.passing, Interval):
            key = (one.subject.formula.text, one.subject.inputs, one.subject.unit)
            families.setdefault(key, []).append(one.passing)
        else:
            others += 1
    return others + sum(_most_at_once(sets) for sets in families.values())


def _most_at_once(sets: list[Interval]) -> int:
    """The largest number of intervals that share a number; they do where each two do."""
    return max(
        sum(one.low is None for one in sets)
        if start.low is None
        else sum(not one.intersection(_edge_of(start, start.low)).is_empty for one in sets)
        for start in sets
    )


def _edge_of(interval: Interval, low: Fraction) -> Interval:
    """Where an interval begins: its lowest number, or a sliver above an open end."""
    if interval.low_closed:
        return Interval.exactly(low)
    sliver = low + Fraction(1, 10**60)
    return Interval(low, sliver, low_closed=False, high_closed=True)


def _needless(criterion: Criterion, codes: set[str]) -> list[tuple[str, str, str, str]]:
    return [
        (
            "needless-acknowledgement",
            "acknowledge",
            f'"{code}" is acknowledged and not found',
            "remove it",
        )
        for code, _ in criterion.acknowledged
        if code not in codes
    ]
