"""What counts of results that were measured again, by the conclusions of investigations.

- A retest counts only where a signed conclusion lists it; before that nothing that was measured
  again changes a verdict (requirements 3.06, 3.08).
- An assignable laboratory cause sets the original result aside, and what else was on record and
  not authorised; each is named. What comes in later stands beside the retests and is not chosen.
- Each retest is judged alone, and all must pass: nothing is averaged (requirement 3.09).
- A file replaces no retest that counts: what it says of that run stands beside the retest.
- Where the original stands it counts, whatever the retests say. A result that was late has no
  original: what came counts.
- Results of a hypothesis (``investigational``) are read by nothing here (requirement 3.07).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Final

from batchqc.core.assays import REPORTABLE, Measurement, RunKey
from batchqc.core.investigations import (
    Attribute,
    Finding,
    Investigation,
    attribute_among,
    attribute_of,
    attributes_of,
)
from batchqc.core.mismatches import either
from batchqc.core.specifications import Specification
from batchqc.core.superseding import MOST_WORLDS
from batchqc.core.verdicts import Outcome, Trend, Verdict, together, word


def worlds(
    measurements: Iterable[Measurement], investigations: Sequence[Investigation]
) -> tuple[tuple[Measurement, ...], ...]:
    """What the results of a lot are judged over: once for each choice of a retest that counts.

    Without a conclusion there is one world, and no retest is in it.
    """
    measurements = tuple(measurements)
    base = tuple(one for one in measurements if _is_base(one, investigations))
    base = tuple(dict.fromkeys((*base, *_beside_newcomers(measurements, base, investigations))))
    choices: dict[Attribute, dict[RunKey, list[Measurement]]] = {}
    for one in measurements:
        attribute = _counts_for(one, investigations)
        if attribute is not None:
            own = choices.setdefault(attribute, {}).setdefault(one.run, [])
            own.append(replace(one, superseded_by=""))
    options = [list(runs.values()) for runs in choices.values()]
    if _count(options) > MOST_WORLDS:
        options = []  # nobody can look at each: none counts
    found = [(*base, *(one for rows in chosen for one in rows)) for chosen in product(*options)]
    for investigation in investigations:
        said = investigation.conclusion
        if said is not None and said.finding is Finding.ORIGINAL_STANDS:
            found += _standing(measurements, found[0], investigation)
    return tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)


def _count(options: Iterable[Sequence[object]]) -> int:
    count = 1
    for one in options:
        count *= len(one)
    return count


def _is_base(one: Measurement, investigations: Iterable[Investigation]) -> bool:
    """Whether a measurement is no retest, and nothing concluded sets it aside."""
    return not one.retest_of and not any(each.sets_aside(one) for each in investigations)


def _beside_newcomers(
    measurements: Sequence[Measurement],
    base: Sequence[Measurement],
    investigations: Sequence[Investigation],
) -> Iterator[Measurement]:
    """What is set aside and replaced by nothing stays beside what came in after the conclusion.

    No plan authorised the newcomer: both are told, and neither is chosen. A retest that does not
    measure an attribute replaces nothing of it.
    """
    for one in investigations:
        if one.conclusion is None or not one.conclusion.is_cause:
            continue
        counting = one.conclusion.counting
        replaced = {attribute_of(x) for x in measurements if x.run in counting and _reported(x)}
        new = {
            attribute_of(own)
            for own in base
            if _reported(own)
            and attribute_of(own) in one.attributes - replaced
            and own.run.test == one.conclusion.test
        }
        yield from (
            replace(own, superseded_by="")
            for own in either(measurements)[0]
            if one.sets_aside(own) and attribute_of(own) in new
        )


def _reported(one: Measurement) -> bool:
    return one.result_type == REPORTABLE


def _counts_for(one: Measurement, investigations: Iterable[Investigation]) -> Attribute | None:
    """The attribute for which a measurement is a retest that counts."""
    for investigation in investigations:
        if (
            one.retest_of == investigation.number
            and investigation.conclusion is not None
            and investigation.conclusion.is_cause
            and one.run in investigation.conclusion.counting
            and one.run.test == investigation.conclusion.test
        ):
            return attribute_among(one, investigation.attributes)
    return None


def _standing(
    measurements: Iterable[Measurement],
    world: Iterable[Measurement],
    investigation: Investigation,
) -> Iterator[tuple[Measurement, ...]]:
    """The original results, which stand, in the place of everything else that was measured.

    Where two people typed them differently, what either typed stands.
    """
    rest = [one for one in world if attribute_of(one) not in investigation.attributes]
    originals = [
        replace(one, superseded_by="") if one.superseded_by else one
        for one in measurements
        if investigation.is_original(one)
    ]
    yield from ((*rest, *version) for version in either(originals))


def _not_counted(
    measurements: Iterable[Measurement], investigations: Sequence[Investigation]
) -> Iterator[tuple[Attribute, str]]:
    """Each reportable result that an investigation keeps out, in words, run by run."""
    by_number = {one.number: one for one in investigations}
    said: dict[tuple[Attribute, RunKey, str], list[str]] = {}
    for one in measurements:
        if one.result_type != REPORTABLE:
            continue
        for why in _why_not(one, by_number):
            said.setdefault((attribute_of(one), one.run, why), []).append(one.shown.text)
    for (attribute, run, why), texts in said.items():
        yield attribute, f"{', '.join(texts)} in {run}, {why}"


def _why_not(one: Measurement, by_number: Mapping[str, Investigation]) -> Iterator[str]:
    if one.retest_of:
        if _counts_for(one, by_number.values()) is None:
            own = by_number.get(one.retest_of)
            concluded = own is not None and own.conclusion is not None
            yield f"retest under {one.retest_of}, which {_WHY_NOT[concluded]}"
        return
    for investigation in by_number.values():
        if investigation.conclusion is not None and investigation.sets_aside(one):
            what = "original invalidated" if investigation.is_original(one) else "set aside"
            yield f"{what} by {investigation.number} ({investigation.conclusion.cause})"


_WHY_NOT: Final = {False: "is not concluded", True: "does not let it count"}


def judged_over(
    specification: Specification,
    measurements: tuple[Measurement, ...],
    investigations: Sequence[Investigation],
    judged: Callable[[tuple[Measurement, ...]], tuple[Verdict, ...]],
) -> tuple[Verdict, ...]:
    """Every verdict of a lot, with what its investigations keep out of each.

    Args:
        specification: what judges the lot.
        measurements: all of the lot.
        investigations: of the lot.
        judged: every verdict over what counts.
    """
    found = [judged(world) for world in worlds(measurements, investigations)]
    verdicts = tuple(map(_merged, zip(*found, strict=True))) if len(found) > 1 else found[0]
    remarks = tuple(_not_counted(measurements, investigations))
    if not remarks:
        return verdicts
    return tuple(
        _with_remarks(one, [said for attribute, said in remarks if attribute in hangs_on])
        for one in verdicts
        for hangs_on in [attributes_of(specification, one.criterion)]
    )


def _merged(found: Sequence[Verdict]) -> Verdict:
    """One verdict of those over each world: it passes where each does."""
    first = found[0]
    distinct = list({one.sentence: one for one in found}.values())
    if len(distinct) == 1:
        return first
    outcomes = {one.outcome for one in distinct if one.outcome is not None}
    outcome = together(outcomes) if outcomes else None
    results = dict.fromkeys(one.derivation.result for one in distinct if one.derivation.result)
    rounded = [one.derivation.rounded for one in distinct if one.derivation.rounded]
    derivation = replace(
        first.derivation,
        replicates=tuple(text for one in distinct for text in one.derivation.replicates),
        result="; ".join(results),
        rounded="; ".join(rounded) or None,
        set_aside=tuple(dict.fromkeys(x for one in distinct for x in one.derivation.set_aside)),
    )
    said = " | ".join(one.sentence for one in distinct)
    return replace(
        first,
        outcome=outcome,
        sentence=f"{word(outcome)}: each judged alone: {said}",
        derivation=derivation,
        measurements=tuple(dict.fromkeys(x for one in distinct for x in one.measurements)),
        controls=tuple(dict.fromkeys(x for one in distinct for x in one.controls)),
        missing=all(one.missing for one in distinct),
        lacking=all(one.lacking for one in distinct),
        trend=max((one.trend for one in distinct), key=tuple(Trend).index)
        if outcome is Outcome.PASS
        else Trend.WITHIN,
    )


def _with_remarks(verdict: Verdict, remarks: Sequence[str]) -> Verdict:
    """A verdict that names what was kept out of it.

    Where nothing is left, a result was there and nothing stands for it: that blocks also where
    absence does not. One that is required and may stay pending is pending again.
    """
    if not remarks:
        return verdict
    derivation = replace(verdict.derivation, set_aside=(*verdict.derivation.set_aside, *remarks))
    said = f"{verdict.sentence}; not counted: {'; '.join(remarks)}"
    missing = verdict.missing and verdict.criterion.required and bool(verdict.criterion.interim)
    return replace(verdict, sentence=said, derivation=derivation, missing=missing, lacking=False)
