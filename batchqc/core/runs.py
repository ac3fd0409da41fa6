"""Whether an assay run is valid, decided before any of its results is judged (requirement 3.15).

- A run is judged by the method version that its file states, else by the one in force on the day.
  A method without an approved document has no validity criteria.
- INVALID where one criterion is missed for certain. NOT KNOWN where none is missed and one cannot
  be judged: what it needs is missing, unreadable, in another unit or censored, or the version is
  not approved or was not in force.
- A run is the same run for every lot in it: a control counts whichever lot its row names.
- A result counts only where its run is valid or has no criteria. An invalid run is set aside where
  exactly one valid run stands beside it and no other; else nobody may choose. Other content for the
  same run is no repetition: it does not set the first aside, and does not count itself. Rows
  without a run id are a run of their own in each file. What says of a replicate that it was
  measured at the very moment of an invalid run is other content of that run, whatever its id.
- A result that a potency analysis computes is NOT KNOWN unless it was declared from a fit; what was
  declared is as valid as the runs whose wells it rests on, and NOT KNOWN where one is superseded.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import TypeVar

from batchqc.core.assays import REPORTABLE, Measurement, RunKey
from batchqc.core.declared_runs import why_not_declared, why_wells_fail
from batchqc.core.entries import SecondEntry
from batchqc.core.identifiers import fold
from batchqc.core.methods import Method, method_on
from batchqc.core.run_criteria import looked_at
from batchqc.core.superseding import same_run
from batchqc.core.verdicts import Outcome


class Validity(StrEnum):
    """Whether a run may be used."""

    VALID = "valid"
    INVALID = "invalid"
    NOT_KNOWN = "not known to be valid"


#: Sample, aliquot, analyte and replicate, and when it was measured.
Moment = tuple[str, str, str, int, datetime]


@dataclass(frozen=True, slots=True)
class RunValidity:
    """The validity of a run: by which method versions (reference, hash), and why it is not valid.

    Each reason names the criterion and the value. ``moments`` say which replicate was measured
    when: no other run can have measured the same one then.
    """

    run: RunKey
    validity: Validity
    methods: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...] = ()
    moments: frozenset[Moment] = field(default=frozenset(), compare=False, repr=False)

    def __str__(self) -> str:
        by = ", ".join(reference for reference, _ in self.methods)
        why = f": {'; '.join(self.reasons)}" if self.reasons else ""
        return f"{self.run} is {self.validity}{f' by {by}' if by else ''}{why}"


@dataclass(frozen=True, slots=True)
class Usable:
    """The measurements of one attribute that are read, or the problem why none is.

    ``set_aside`` are the invalid runs in whose place they stand, in words.
    """

    measurements: tuple[Measurement, ...]
    set_aside: tuple[str, ...] = ()
    problem: str = ""


Run = TypeVar("Run", bound=Hashable)


def assess_runs(
    measurements: Iterable[Measurement], methods: Sequence[Method], zone: tzinfo
) -> dict[RunKey, RunValidity]:
    """The validity of every run that has criteria.

    Args:
        measurements: every row of each run, of all lots in it.
        methods: every approved version of the methods in them.
        zone: of the site, whose dates say which version was in force.
    """
    runs: dict[RunKey, list[Measurement]] = defaultdict(list)
    for one in measurements:
        if one.second is not SecondEntry.MISMATCH:  # void: it is typed anew
            runs[one.run].append(one)
    assessed = (_assessed(run, rows, methods, zone) for run, rows in runs.items())
    found = {one.run: one for one in assessed if one is not None}
    declared = (
        _of_declared(found, rows, runs, methods) for run, rows in runs.items() if run in found
    )
    return found | {one.run: one for one in declared if one is not None}


def runs_that_count(runs: Mapping[Run, Validity | None]) -> frozenset[Run] | None:
    """Which runs of one attribute are read; ``None`` where none may be, or nobody may choose.

    Args:
        runs: every run with a result, and its validity; ``None`` where it has no criteria.
    """
    unusable = {run for run, validity in runs.items() if validity not in {None, Validity.VALID}}
    if not unusable:
        return frozenset(runs)
    others = runs.keys() - unusable
    replaced = all(runs[run] is Validity.INVALID for run in unusable)
    if replaced and len(others) == 1 and all(runs[run] is Validity.VALID for run in others):
        return frozenset(others)
    return None


def standing_of_runs(validity: Mapping[RunKey, RunValidity]) -> dict[RunKey, Validity]:
    """How each run of a lot counts; of one that came twice, and once invalid, none is known.

    A run came twice where two contents have its id, or say of a replicate that it was measured at
    the same moment, under whatever ids.
    """
    names = {run: same_run(run) for run in validity}
    contents = Counter(names.values())
    void = [one for one in validity.values() if one.validity is Validity.INVALID]
    invalid = {names[one.run] for one in void}
    taken = frozenset[Moment]().union(*(one.moments for one in void))
    return {
        run: Validity.NOT_KNOWN
        if (names[run] in invalid and contents[names[run]] > 1)
        or (one.validity is not Validity.INVALID and one.moments & taken)
        else one.validity
        for run, one in validity.items()
    }


def usable_results(
    measurements: Sequence[Measurement],
    validity: Mapping[RunKey, RunValidity],
    standing: Mapping[RunKey, Validity],
) -> Usable:
    """What may be read of the reportable measurements of one attribute, of all runs.

    Args:
        measurements: of the attribute.
        validity: of every run of the lot.
        standing: how each of these counts.
    """
    runs = {one.run: validity.get(one.run) for one in measurements}
    counted = runs_that_count({run: standing.get(run) for run in runs})
    if counted is not None and len(counted) == len(runs):
        return Usable(tuple(measurements))
    unusable = [one for one in runs.values() if one and standing[one.run] is not Validity.VALID]
    said = tuple(
        f"another content of {one.run} is invalid" if one.validity is Validity.VALID else str(one)
        for one in sorted(unusable, key=str)
    )
    if counted is None:
        others = sorted(str(run) for run in runs.keys() - {one.run for one in unusable})
        beside = f"; beside it: {', '.join(others)}" if others else ""
        return Usable((), problem=f"{'; '.join(said)}{beside}")
    return Usable(tuple(one for one in measurements if one.run in counted), set_aside=said)


def _assessed(
    run: RunKey, rows: Sequence[Measurement], methods: Sequence[Method], zone: tzinfo
) -> RunValidity | None:
    rows = sorted(rows, key=lambda one: (one.cell.row, one.cell.column))  # as the file has them
    judging, unknown = _versions(rows, methods, zone)
    if not judging and not unknown:
        return None
    found = [
        (outcome, f"{criterion.id}: {said}")
        for method in judging
        for criterion in method.validity
        if not any(one.wells for one in rows)  # they hold for the runs with the wells
        for outcome, said in looked_at(criterion, [x for x in rows if x.method == method.id])
    ]
    if len({bool(one.superseded_by) for one in rows}) > 1:
        unknown.append("the part of the run that is of another lot is superseded")
    missed = [said for outcome, said in found if outcome is Outcome.FAIL]
    unknown += [said for outcome, said in found if outcome is not Outcome.FAIL]
    validity = Validity.INVALID if missed else Validity.NOT_KNOWN if unknown else Validity.VALID
    by = tuple((one.reference, one.sha256) for one in judging)
    moments = frozenset(_moment(one) for one in rows if one.result_type == REPORTABLE)
    return RunValidity(run, validity, by, (*missed, *unknown), moments)


def _of_declared(
    found: Mapping[RunKey, RunValidity],
    rows: Sequence[Measurement],
    runs: Mapping[RunKey, Sequence[Measurement]],
    methods: Sequence[Method],
) -> RunValidity | None:
    """The validity of a run with what an analysis computes; ``None`` where it has no such row."""
    own = found[rows[0].run]
    by = {reference for reference, _ in own.methods}
    judging = [one for one in methods if one.reference in by]
    reasons = list(why_not_declared(rows, judging))
    invalid = []
    for key in dict.fromkeys(key for one in rows for key in one.wells):
        reasons += why_wells_fail(key, runs.get(key, ()))
        wells = found.get(key)
        if wells is None or wells.validity is Validity.NOT_KNOWN:
            reasons.append(f"its wells are not known to be valid: {wells or key}")
        elif wells.validity is Validity.INVALID:
            invalid.append(f"its wells are invalid: {wells}")
    if not (reasons or invalid):
        return None
    is_invalid = bool(invalid) or own.validity is Validity.INVALID
    validity = Validity.INVALID if is_invalid else Validity.NOT_KNOWN
    return replace(own, validity=validity, reasons=(*own.reasons, *invalid, *reasons))


def _moment(one: Measurement) -> Moment:
    return (fold(one.sample), fold(one.aliquot), one.analyte, one.replicate, one.measured_at)


def _versions(
    rows: Sequence[Measurement], methods: Sequence[Method], zone: tzinfo
) -> tuple[list[Method], list[str]]:
    """The versions that judge a run, by what its reportable rows state, and why one cannot."""
    judging: dict[str, Method] = {}
    unknown: dict[str, None] = {}
    stating = [one for one in rows if one.result_type == REPORTABLE] or rows
    stated = {(x.method, x.version, x.measured_at.astimezone(zone).date()) for x in stating}
    for code, version, day in sorted(stated):
        found = method_on(methods, code=code, stated=version, day=day)
        if isinstance(found, Method) and not found.damage:
            judging[found.reference] = found
        elif found is not None:
            unknown[found.damage if isinstance(found, Method) else found.why] = None
    return list(judging.values()), list(unknown)
