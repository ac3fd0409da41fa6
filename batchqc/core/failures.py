"""Which results of a lot fail, each of which opens an investigation (requirements 2.01, 3.01).

A result fails where its run fails the criterion alone. What is beside it (a second run, another
version of the run) may make the verdict CANNOT_JUDGE, and takes nothing back. Retests belong to
the investigation that they are for. Where two people typed different results, the run fails where
either entry fails alone: a reading that somebody typed does not vanish when it is typed anew.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Final

from batchqc.core.assays import REPORTABLE, Measurement, RunKey
from batchqc.core.donors import Donor
from batchqc.core.investigations import (
    Attribute,
    Investigation,
    attribute_among,
    attribute_of,
    attributes_of,
)
from batchqc.core.judging import judge
from batchqc.core.mismatches import either, is_mismatch
from batchqc.core.runs import RunValidity
from batchqc.core.specifications import Specification, closure
from batchqc.core.subjects import Derived, Measured
from batchqc.core.superseding import newest, worlds
from batchqc.core.verdicts import Outcome, Verdict

#: In so many combinations the runs are looked at that a derived result hangs on.
MOST_CHOICES: Final = 100


@dataclass(frozen=True, slots=True)
class Failure:
    """A criterion that some runs fail, with the sentence of that verdict."""

    criterion: str
    stage: str
    specification: str
    sentence: str
    attributes: frozenset[Attribute]
    runs: frozenset[RunKey]

    def is_covered(self, investigations: Iterable[Investigation]) -> bool:
        """Whether one of the lot's investigations is for it.

        One that was opened by hand is not: what fails later of its runs opens its own.
        """
        return any(
            not one.by_hand
            and one.criterion == self.criterion
            and one.attributes == self.attributes
            and self.runs <= one.runs
            for one in investigations
        )


def failures(
    specification: Specification,
    verdicts: Iterable[Verdict],
    measurements: Sequence[Measurement],
    donors: Sequence[Donor],
    validity: Mapping[RunKey, RunValidity],
) -> Iterator[Failure]:
    """Every failure of a lot by one of its specifications.

    Args:
        specification: what judges the lot at one stage.
        verdicts: of it over the lot.
        measurements: all of the lot.
        donors: of the lot.
        validity: of its runs; what an invalid run says is no result (requirement 3.15).
    """
    found = {one.criterion.id: one for one in verdicts}
    known = [one for one in measurements if not one.retest_of]
    differing = any(map(is_mismatch, known))
    for verdict in found.values():
        if verdict.outcome is None or not isinstance(verdict.criterion.subject, Measured | Derived):
            continue
        passes = verdict.outcome is Outcome.PASS
        group = found.get(verdict.counted_in)
        is_enough = group is not None and group.outcome is Outcome.PASS  # of its group pass
        if (passes and not differing) or (is_enough and not passes):
            continue
        attributes = attributes_of(specification, verdict.criterion)
        own = [one for one in known if attribute_among(one, attributes) is not None]
        alone = replace(specification, criteria=closure(specification, verdict.criterion))
        look = partial(
            _failing, alone, verdict.criterion.id, attributes, donors=donors, validity=validity
        )
        newest_of_all = [*(() if passes else _alone(verdict, own)), *_typed(verdict, own)]
        yield from list(look(newest_of_all)) or look(_older(verdict, own))


#: The runs of a failure, and what is judged: once, or once for what each of two people typed.
_LookedAt = tuple[frozenset[RunKey], Sequence[Sequence[Measurement]]]


def _failing(
    alone: Specification,
    criterion: str,
    attributes: frozenset[Attribute],
    looked_at: Iterable[_LookedAt],
    *,
    donors: Sequence[Donor],
    validity: Mapping[RunKey, RunValidity],
) -> Iterator[Failure]:
    """What fails of all that is looked at; one failure of the same runs."""
    told: set[frozenset[RunKey]] = set()
    for runs, each in looked_at:
        said = [
            one.sentence
            for rows in each
            for one in judge(alone, rows, donors, validity=validity)
            if one.criterion.id == criterion and one.outcome is Outcome.FAIL
        ]
        if said and runs not in told:
            told.add(runs)
            yield Failure(
                criterion,
                alone.stage.value,
                alone.reference,
                said[0] if len(each) == 1 else f"of two entries that do not match, {said[0]}",
                attributes,
                runs,
            )


def _alone(verdict: Verdict, own: Sequence[Measurement]) -> Iterator[_LookedAt]:
    """Each run of a measured criterion by itself; of a derived one, each choice of the newest."""
    own = [one for one in own if not is_mismatch(one)]
    if isinstance(verdict.criterion.subject, Derived):
        for rows in _choices(newest(own), mixed=verdict.outcome is Outcome.FAIL):
            yield _reported(rows), [rows]
        return
    for run in dict.fromkeys(one.run for one in own):
        rows = [replace(one, superseded_by="") for one in own if one.run == run]
        yield _reported(rows), [rows]


def _older(verdict: Verdict, own: Sequence[Measurement]) -> Iterator[_LookedAt]:
    """Of what is computed, the choices with superseded versions: an input may come after these."""
    if verdict.outcome is Outcome.PASS or not isinstance(verdict.criterion.subject, Derived):
        return
    matching = [one for one in own if not is_mismatch(one)]
    for version in islice(worlds(matching) or (), MOST_CHOICES):
        for rows in _choices([replace(one, superseded_by="") for one in version], mixed=False):
            yield _reported(rows), [rows]


def _choices(
    newest_of_all: Sequence[Measurement], *, mixed: bool
) -> Iterator[Sequence[Measurement]]:
    """One run for each attribute, in every combination; too many of them are looked at as one.

    Two runs that both report two attributes are not ``mixed``: nobody measured their one with the
    other's other.
    """
    runs: dict[Attribute, dict[RunKey, list[Measurement]]] = {}
    for one in newest_of_all:
        runs.setdefault(attribute_of(one), {}).setdefault(one.run, []).append(one)
    each = [
        (_reported(row for rows in own.values() for row in rows), tuple(own))
        for own in runs.values()
    ]
    found = list(islice(_combined(each, (), mixed=mixed), MOST_CHOICES + 1))
    if len(found) > MOST_CHOICES:
        yield newest_of_all
        return
    for chosen in found:
        yield [row for own, run in zip(runs.values(), chosen, strict=True) for row in own[run]]


def _combined(
    each: Sequence[tuple[frozenset[RunKey], tuple[RunKey, ...]]],
    chosen: tuple[RunKey, ...],
    *,
    mixed: bool,
) -> Iterator[tuple[RunKey, ...]]:
    """Each combination that begins with some runs; what would be mixed is no choice.

    Of each attribute ``each`` holds the runs that report it, and all that may be chosen.
    """
    if len(chosen) == len(each):
        yield chosen
        return
    reported, runs = each[len(chosen)]
    for run in runs:
        is_apart = any(
            other != run and {other, run} <= reported and {other, run} <= theirs
            for (theirs, _), other in zip(each, chosen, strict=False)
        )
        if mixed or not is_apart:
            yield from _combined(each, (*chosen, run), mixed=mixed)


def _typed(verdict: Verdict, own: Sequence[Measurement]) -> Iterator[_LookedAt]:
    """Runs that two people typed differently, as either did; of a derived one with the rest."""
    for run in dict.fromkeys(one.run for one in own if is_mismatch(one)):
        rows = [one for one in own if one.run == run]
        typed = {attribute_of(one) for one in rows}
        rest = [
            one
            for one in newest(own)
            if isinstance(verdict.criterion.subject, Derived)
            and not is_mismatch(one)
            and attribute_of(one) not in typed
        ]
        yield frozenset({run}), [(*rest, *version) for version in either(rows)]


def _reported(rows: Iterable[Measurement]) -> frozenset[RunKey]:
    return frozenset(one.run for one in rows if one.result_type == REPORTABLE)
