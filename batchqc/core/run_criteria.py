"""What is wrong in a run by one validity criterion of its method (requirement 3.15)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from batchqc.core.acceptance import Limits, Words
from batchqc.core.arithmetic import spread_exceeds
from batchqc.core.assays import Measurement
from batchqc.core.identifiers import fold
from batchqc.core.methods import ValidityCriterion
from batchqc.core.rounding import Rounding
from batchqc.core.units import canonical_unit
from batchqc.core.verdicts import Outcome, compare

if TYPE_CHECKING:
    from batchqc.core.quantities import Interval


def looked_at(
    criterion: ValidityCriterion, rows: Sequence[Measurement]
) -> Iterator[tuple[Outcome, str]]:
    """What is wrong by one criterion: missed for certain, or not to be judged, with the reason."""
    own = [
        one
        for one in rows
        if one.result_type == criterion.result_type
        and fold(one.analyte) == fold(criterion.analyte)
        and fold(criterion.aliquot) in {"", fold(one.aliquot)}
    ]
    if not own and criterion.required:
        of = f" of {criterion.aliquot}" if criterion.aliquot else ""
        said = f"there is no {criterion.result_type} result {criterion.analyte}{of}"
        yield Outcome.CANNOT_JUDGE, said
    if criterion.max_cv is not None:
        yield from _spread(criterion, own)
        return
    for one in own:
        outcome, said = _one_value(criterion, one)
        if outcome is not Outcome.PASS:
            yield outcome, said


def _shown(one: Measurement) -> Measurement:
    return one.shown


def _one_value(criterion: ValidityCriterion, one: Measurement) -> tuple[Outcome, str]:
    shown = f"{one.shown.text} {one.shown.unit}".strip()
    cell = f"(row {one.cell.row})"
    value: Interval | str | None
    passing: Interval | frozenset[str]
    match criterion.accept:
        case Words(terms=terms, vocabulary=vocabulary):
            value = vocabulary.read(one.text) if vocabulary else None
            passing = frozenset(terms)
        case Limits() as limits:
            if canonical_unit(one.unit) != canonical_unit(criterion.unit):
                said = f'{shown} {cell} is not in the unit "{criterion.unit}"'
                return Outcome.CANNOT_JUDGE, said
            amount = one.amount
            value = None if amount is None or amount.is_negative_zero else amount.possible
            passing = limits.passing(Rounding.ABSOLUTE)
        case _:
            return Outcome.CANNOT_JUDGE, f"{shown} {cell} has nothing to be compared with"
    if value is None:
        return Outcome.CANNOT_JUDGE, f'"{shown}" {cell} cannot be read'
    outcome = compare(passing, [value])
    words = "does not meet" if outcome is Outcome.FAIL else "neither meets nor misses"
    return outcome, f"{shown} {cell} {words} {criterion.acceptance}"


def _spread(
    criterion: ValidityCriterion, rows: Sequence[Measurement]
) -> Iterator[tuple[Outcome, str]]:
    """The replicates of each aliquot, by the largest %CV."""
    aliquots: dict[tuple[str, str], list[Measurement]] = defaultdict(list)
    for one in rows:
        aliquots[fold(one.sample), fold(one.aliquot)].append(one)
    for own in sorted(aliquots.values(), key=lambda own: (own[0].sample, own[0].aliquot)):
        name = f"{own[0].sample} {own[0].aliquot}".strip()
        texts = ", ".join(f"{one.text} {one.unit}".strip() for one in map(_shown, own))
        amounts = [one.amount.possible for one in own if one.amount is not None]
        alike = len({canonical_unit(one.unit) for one in own}) == 1
        exceeds = None
        if alike and len(amounts) == len(own) and criterion.max_cv is not None:
            exceeds = spread_exceeds(amounts, criterion.max_cv)
        if exceeds is None:
            yield Outcome.CANNOT_JUDGE, f"the %CV of {texts} ({name}) is not defined"
        elif exceeds:
            said = f"the %CV of {texts} ({name}) is above {criterion.max_cv} %"
            yield Outcome.FAIL, said
