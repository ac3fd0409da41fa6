"""Every verdict of one lot: the rules of ``verdicts`` over a whole specification.

What is computed is judged after what it is computed from. What waits for itself has no result.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final, assert_never

from batchqc.core.acceptance import AtLeast, Bands, Relative
from batchqc.core.arithmetic import negative, plus, times
from batchqc.core.assays import CONTROL, REPORTABLE, Measurement, RunKey
from batchqc.core.criteria import Criterion
from batchqc.core.derived import derived_result
from batchqc.core.donors import Donor
from batchqc.core.identifiers import fold
from batchqc.core.investigations import Investigation
from batchqc.core.quantities import Interval
from batchqc.core.results import NoResult, NoResultBecause, ReportableResult, reportable_result
from batchqc.core.retested import judged_over
from batchqc.core.runs import RunValidity, standing_of_runs, usable_results
from batchqc.core.specifications import Specification
from batchqc.core.subjects import Derived, DonorFact, Group, Measured
from batchqc.core.superseding import contested, newest
from batchqc.core.timing import day_read
from batchqc.core.unverified import matching, why_unverified
from batchqc.core.verdicts import (
    WORDS,
    Outcome,
    Verdict,
    compare,
    decided,
    individual,
    individual_text,
    pending,
    rounded_text,
    settled,
    together,
    undecided,
    with_unit,
    word,
)

NO_VALIDITY: Final[Mapping[RunKey, RunValidity]] = MappingProxyType({})


def judge(
    specification: Specification,
    measurements: Iterable[Measurement],
    donors: Sequence[Donor],
    *,
    validity: Mapping[RunKey, RunValidity] = NO_VALIDITY,
    investigations: Sequence[Investigation] = (),
) -> tuple[Verdict, ...]:
    """The verdict of every criterion, in the order of the specification.

    Args:
        specification: the version bound to the lot.
        measurements: all of the lot, of all versions of its runs and all retests; those of another
            stage, or that are neither reportable nor controls, are not used.
        donors: all donors of the lot.
        validity: of every run that has validity criteria; no result of another than a valid run
            is judged.
        investigations: of the lot; what was measured again counts by their conclusions alone.
    """
    return judged_over(
        specification,
        tuple(measurements),
        investigations,
        lambda world: _of_world(specification, world, donors, validity),
    )


def _of_world(
    specification: Specification,
    found: Sequence[Measurement],
    donors: Sequence[Donor],
    validity: Mapping[RunKey, RunValidity],
) -> tuple[Verdict, ...]:
    current = newest(found)
    against: Mapping[str, NoResult] = {}
    if len(current) < len(found):
        against = contested(
            specification,
            found,
            lambda alone, chosen, by_validity: _judged(
                alone, chosen, donors, {}, validity if by_validity else {}
            ),
        )
    return _judged(specification, current, donors, against, validity)


def _judged(
    specification: Specification,
    measurements: Iterable[Measurement],
    donors: Sequence[Donor],
    against: Mapping[str, NoResult],
    validity: Mapping[RunKey, RunValidity],
) -> tuple[Verdict, ...]:
    """Every verdict over one version of each run; what something stands against has no result."""
    ordered, waiting = specification.ordered
    groups = {
        member: one.id
        for one in ordered
        if isinstance(one.subject, Group)
        for member in one.subject.members
    }
    work = _Judging(specification, groups, measurements, donors, validity)
    for criterion in (*ordered, *waiting):
        work.judge(criterion, against.get(criterion.id))
    return tuple(work.verdicts[criterion.id] for criterion in specification.criteria)


class _Judging:
    """One specification over one lot: the facts, and what is decided so far."""

    def __init__(
        self,
        specification: Specification,
        groups: Mapping[str, str],
        measurements: Iterable[Measurement],
        donors: Sequence[Donor],
        validity: Mapping[RunKey, RunValidity],
    ) -> None:
        self.groups = groups
        self.reference = specification.reference
        self.donors = donors
        self.validity, self.standing = validity, standing_of_runs(validity)
        self.units = {one.id: one.unit for one in specification.criteria}
        self.measured: dict[tuple[str, str, str], list[Measurement]] = defaultdict(list)
        for one in measurements:
            if one.stage == specification.stage:
                analyte = fold(one.analyte) if one.result_type == CONTROL else one.analyte
                self.measured[one.result_type, one.run.test, analyte].append(one)
        self.results: dict[str, ReportableResult | NoResult] = {}
        self.verdicts: dict[str, Verdict] = {}

    def judge(self, criterion: Criterion, against: NoResult | None) -> None:
        match criterion.subject:
            case Measured() | Derived() if against is not None:
                verdict = self._result(criterion, against)
            case Measured() as subject:
                verdict = self._measured(criterion, subject)
            case Derived() as subject:
                result = derived_result(criterion, subject, self.units, self.results)
                verdict = self._result(criterion, result)
            case Group(members=members):
                verdict = self._group(criterion, members)
            case DonorFact() as fact:
                verdict = self._donor(criterion, fact)
            case _:
                assert_never(criterion.subject)
        group = self.groups.get(criterion.id)
        self.verdicts[criterion.id] = replace(verdict, counted_in=group) if group else verdict

    def _measured(self, criterion: Criterion, subject: Measured) -> Verdict:
        """The verdict over the runs that count; the invalid ones beside them are named."""
        own = self.measured[REPORTABLE, subject.test, subject.analyte]
        if unverified := why_unverified(own):  # before anything says what was typed
            return self._result(criterion, NoResult(NoResultBecause.UNVERIFIED, unverified))
        own = list(matching(own))
        usable = usable_results(own, self.validity, self.standing)
        if usable.problem:
            result = NoResult(NoResultBecause.RUN, usable.problem, tuple(own))
            return self._result(criterion, result)
        verdict = self._of_runs(criterion, subject, usable.measurements)
        if not usable.set_aside:
            return verdict
        derivation = replace(verdict.derivation, set_aside=usable.set_aside)
        said = f"{verdict.sentence}; not counted: {'; '.join(usable.set_aside)}"
        return replace(verdict, sentence=said, derivation=derivation)

    def _of_runs(
        self, criterion: Criterion, subject: Measured, own: Sequence[Measurement]
    ) -> Verdict:
        result = reportable_result(criterion, subject, own)
        if isinstance(result, NoResult) or not isinstance(criterion.accept, Relative):
            return self._result(criterion, result)
        run = result.replicates[0].run
        controls = [
            one
            for one in self.measured[CONTROL, subject.test, fold(subject.analyte)]
            if one.run == run and fold(one.aliquot) == fold(subject.control)
        ]
        control = reportable_result(criterion, subject, controls)
        if isinstance(control, NoResult):
            why = f"the control {subject.control} of {run} cannot be used: {control.why}"
            control = NoResult(NoResultBecause.CONTROL, why, result.replicates)
            return self._result(criterion, control)
        return self._relative(criterion, criterion.accept, result, control)

    def _relative(
        self,
        criterion: Criterion,
        accept: Relative,
        result: ReportableResult,
        control: ReportableResult,
    ) -> Verdict:
        """Compares result less factor times control with nothing."""
        self.results[criterion.id] = result
        values: list[Interval | str] = []
        if result.number is not None and control.number is not None:
            values = [plus(result.number, negative(times(accept.multiple, control.number)))]
        how = f"{result.how}; control {control.text}"
        shown = replace(result, how=how, is_early=result.is_early or control.is_early)
        outcome, words = settled(compare(accept.passing, values), shown)
        said = (
            f"{with_unit(criterion, result.text)} {words} {criterion.acceptance}"
            f" ({with_unit(criterion, control.text)})"
        )
        return replace(self._verdict(criterion, outcome, said, shown), controls=control.replicates)

    def _result(self, criterion: Criterion, result: ReportableResult | NoResult) -> Verdict:
        self.results[criterion.id] = result
        if isinstance(result, NoResult):
            return undecided(self.reference, criterion, result)
        if isinstance(criterion.accept, Bands):
            return self._classified(criterion, criterion.accept, result)
        passing = criterion.passing
        if passing is None:
            said = f"for information: {with_unit(criterion, result.text)}"
            return self._verdict(criterion, None, said, result)
        own, each = compare(passing, result.values), individual(criterion, result)
        outcome, words = settled(own, result)
        outcome = together({outcome, *(one for _, one in each)})
        shown = rounded_text(criterion, result)
        step = f" rounds to {with_unit(criterion, shown)} and" if shown else ""
        day = day_read(criterion.subject, result.replicates)
        read = f", read on {day}," if day else ""
        said = f"{with_unit(criterion, result.text)}{read}{step} {words} {criterion.acceptance}"
        said += individual_text(criterion, each)
        said += pending(criterion) if outcome is Outcome.CANNOT_JUDGE else ""
        return self._verdict(criterion, outcome, said, result)

    def _classified(self, criterion: Criterion, accept: Bands, result: ReportableResult) -> Verdict:
        names = [
            accept.read(value, criterion.rounding) if isinstance(value, Interval) else None
            for value in result.values
        ]
        text = with_unit(criterion, result.text)
        known = [name for name in names if name is not None]
        if len(known) < len(names):
            said = f"{text} lies in no one class of {accept.text}"
            return self._verdict(criterion, Outcome.CANNOT_JUDGE, said, result)
        classes = " and ".join(dict.fromkeys(known))
        if not criterion.is_judged:
            said = f"for information: {text} is {classes}"
            return self._verdict(criterion, None, said, result)
        outcome, words = settled(compare(frozenset(accept.accepted), known), result)
        said = f"{text} is {classes} and {words} {criterion.acceptance}"
        return self._verdict(criterion, outcome, said, result)

    def _group(self, criterion: Criterion, members: Sequence[str]) -> Verdict:
        found = [self.verdicts[name] for name in members if name in self.verdicts]
        passed = sum(one.outcome is Outcome.PASS for one in found)
        failed = sum(one.outcome is Outcome.FAIL for one in found)
        wanted = criterion.accept.count if isinstance(criterion.accept, AtLeast) else len(members)
        if passed >= wanted > 0:
            outcome = Outcome.PASS
        elif len(members) - failed < wanted:
            outcome = Outcome.FAIL
        else:
            outcome = Outcome.CANNOT_JUDGE
        text = f"{passed} of {len(members)} pass"
        each = ", ".join(f"{one.criterion.id} {word(one.outcome)}" for one in found)
        said = f"{text} ({each}): {WORDS[outcome]} {criterion.acceptance}"
        missing = all(one.missing for one in found)
        result = ReportableResult((), "" if missing else text, each)
        verdict = self._verdict(criterion, outcome, said, result)
        return replace(verdict, missing=missing)

    def _donor(self, criterion: Criterion, fact: DonorFact) -> Verdict:
        match fact:
            case DonorFact.TISSUE_SOURCE:
                facts = [(donor.code, donor.tissue_source) for donor in self.donors]
            case DonorFact.ELIGIBILITY:
                facts = [(donor.code, donor.eligibility) for donor in self.donors]
            case _:
                assert_never(fact)
        result = ReportableResult((), "; ".join(value for _, value in facts), "")
        if not facts:
            said = "no donor is registered for the lot"
            verdict = self._verdict(criterion, Outcome.CANNOT_JUDGE, said, result)
            return replace(verdict, missing=True)
        unknown = [code for code, value in facts if not value]
        outcome = compare(criterion.passing or frozenset(), [value for _, value in facts if value])
        if unknown and outcome is not Outcome.FAIL:
            said = f"{fact} of donor {', '.join(unknown)} is not determined"
            return self._verdict(criterion, Outcome.CANNOT_JUDGE, said, result)
        who = ", ".join(f"{value} (donor {code})" for code, value in facts)
        said = f"{who} {WORDS[outcome]} {criterion.acceptance}"
        return self._verdict(criterion, outcome, said, result)

    def _verdict(
        self, criterion: Criterion, outcome: Outcome | None, said: str, result: ReportableResult
    ) -> Verdict:
        return decided(self.reference, criterion, outcome, said, result)
