"""What releases a lot: one criterion, one result, one verdict.

First law: unknown is never a pass.

1. A criterion with its rounding rule has one exact set of passing values (``Criterion.passing``).
2. A result is the set of values that its text allows (``results.reportable_result``).
3. PASS when every value of the result passes, FAIL when none does, else CANNOT_JUDGE.
4. Where there is no result, or more than one, the verdict is CANNOT_JUDGE and says why.
5. A report-only criterion has no verdict.

A verdict carries its derivation as data, and says the same in one sentence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from batchqc.core.assays import REPORTABLE, Measurement
from batchqc.core.donors import Donor
from batchqc.core.quantities import Interval
from batchqc.core.results import (
    NoResult,
    NoResultBecause,
    ReportableResult,
    reportable_result,
    too_early,
)
from batchqc.core.rounding import Rounding, rounded
from batchqc.core.specifications import (
    Criterion,
    DonorFact,
    Limits,
    Measured,
    ReportOnly,
    Specification,
)


class Outcome(StrEnum):
    """The three verdicts. CANNOT_JUDGE blocks release like FAIL does."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a secret
    FAIL = "FAIL"
    CANNOT_JUDGE = "CANNOT_JUDGE"


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a verdict came about: every step as text, in order."""

    acceptance: str
    rounding: str
    passing: str
    replicates: tuple[str, ...]
    aggregate: str
    result: str
    rounded: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of one criterion; ``outcome`` is ``None`` for a report-only line.

    ``missing`` says that there is nothing at all to judge, which blocks only where required.
    """

    criterion: Criterion
    outcome: Outcome | None
    sentence: str
    derivation: Derivation
    measurements: tuple[Measurement, ...] = ()
    missing: bool = False

    @property
    def blocks(self) -> bool:
        """Whether this verdict forbids release (design, decided once, 2)."""
        if self.missing:
            return self.criterion.required
        if self.outcome is None:
            return self.criterion.required and self.derivation.result == ""
        return self.outcome is not Outcome.PASS


def judge(
    specification: Specification, measurements: Iterable[Measurement], donors: Sequence[Donor]
) -> tuple[Verdict, ...]:
    """The verdict of every criterion, in the order of the specification.

    Args:
        specification: the version bound to the lot.
        measurements: all measurements of the lot; those of another stage or that are not
            reportable are not used.
        donors: all donors of the lot.
    """
    usable = [
        one
        for one in measurements
        if one.result_type == REPORTABLE and one.stage == specification.stage
    ]
    verdicts = []
    for criterion in specification.criteria:
        subject = criterion.subject
        if isinstance(subject, Measured):
            own = [x for x in usable if (x.run.test, x.analyte) == (subject.test, subject.analyte)]
            verdicts.append(_judge_measured(specification, criterion, subject, own))
        else:
            verdicts.append(_judge_donors(specification, criterion, subject, donors))
    return tuple(verdicts)


def compare(passing: Interval | frozenset[str], values: Sequence[Interval | str]) -> Outcome:
    """PASS when all values pass, FAIL when one cannot pass, else CANNOT_JUDGE."""
    outcomes = {_compare_one(passing, value) for value in values}
    if Outcome.FAIL in outcomes:
        return Outcome.FAIL
    return Outcome.PASS if outcomes == {Outcome.PASS} else Outcome.CANNOT_JUDGE


def _compare_one(passing: Interval | frozenset[str], value: Interval | str) -> Outcome:
    match passing, value:
        case Interval(), Interval():
            if value.is_empty:
                return Outcome.CANNOT_JUDGE
            if value.is_inside(passing):
                return Outcome.PASS
            return Outcome.FAIL if value.is_outside(passing) else Outcome.CANNOT_JUDGE
        case frozenset(), str():
            return Outcome.PASS if value in passing else Outcome.FAIL
        case _:
            return Outcome.CANNOT_JUDGE


def _judge_measured(
    specification: Specification,
    criterion: Criterion,
    subject: Measured,
    measurements: Sequence[Measurement],
) -> Verdict:
    result = reportable_result(criterion, subject, measurements)
    if isinstance(result, NoResult):
        return _undecided(specification, criterion, result)
    passing = criterion.passing
    shown = _rounded(criterion, result)
    derivation = _derivation(criterion, result.replicates, result.text, shown)
    if passing is None:
        sentence = _sentence(
            specification, criterion, f"for information: {_with_unit(criterion, result.text)}"
        )
        return Verdict(criterion, None, sentence, derivation, result.replicates)
    outcome = compare(passing, result.values)
    words = _WORDS[outcome]
    if outcome is Outcome.PASS and any(too_early(subject, one) for one in result.replicates):
        outcome, words = (
            Outcome.CANNOT_JUDGE,
            f"was read before day {subject.planned_days}, too early for",
        )
    step = f" rounds to {_with_unit(criterion, shown)} and" if shown else ""
    said = f"{_with_unit(criterion, result.text)}{step} {words} {criterion.acceptance}"
    return Verdict(
        criterion,
        outcome,
        _sentence(specification, criterion, said, outcome),
        derivation,
        result.replicates,
    )


def _judge_donors(
    specification: Specification, criterion: Criterion, fact: DonorFact, donors: Sequence[Donor]
) -> Verdict:
    match fact:
        case DonorFact.TISSUE_SOURCE:
            facts = [(donor.code, donor.tissue_source) for donor in donors]
        case DonorFact.ELIGIBILITY:
            facts = [(donor.code, donor.eligibility) for donor in donors]
        case _:
            assert_never(fact)
    result = "; ".join(value for _, value in facts)
    derivation = _derivation(criterion, (), result, None)
    if not facts:
        said = "no donor is registered for the lot"
        sentence = _sentence(specification, criterion, said, Outcome.CANNOT_JUDGE)
        return Verdict(criterion, Outcome.CANNOT_JUDGE, sentence, derivation, missing=True)
    unknown = [code for code, value in facts if not value]
    outcome = compare(criterion.passing or frozenset(), [value for _, value in facts if value])
    if unknown and outcome is not Outcome.FAIL:
        said = f"{fact} of donor {', '.join(unknown)} is not determined"
        sentence = _sentence(specification, criterion, said, Outcome.CANNOT_JUDGE)
        return Verdict(criterion, Outcome.CANNOT_JUDGE, sentence, derivation)
    who = ", ".join(f"{value} (donor {code})" for code, value in facts)
    said = f"{who} {_WORDS[outcome]} {criterion.acceptance}"
    return Verdict(
        criterion, outcome, _sentence(specification, criterion, said, outcome), derivation
    )


def _undecided(specification: Specification, criterion: Criterion, result: NoResult) -> Verdict:
    judged = not isinstance(criterion.accept, ReportOnly)
    outcome = Outcome.CANNOT_JUDGE if judged else None
    return Verdict(
        criterion,
        outcome,
        _sentence(specification, criterion, result.why, Outcome.CANNOT_JUDGE),
        _derivation(criterion, result.replicates, "", None),
        result.replicates,
        missing=result.because is NoResultBecause.MISSING,
    )


def _rounded(criterion: Criterion, result: ReportableResult) -> str | None:
    """The values as compared, where a rounding rule rounds them and they are exact."""
    if not isinstance(criterion.accept, Limits) or criterion.rounding is Rounding.ABSOLUTE:
        return None
    texts: list[str] = []
    for value in result.values:
        if not isinstance(value, Interval) or value.exact is None:
            return None
        for limit in criterion.accept.limits:
            text = f"{rounded(value.exact, limit.number, criterion.rounding):f}"
            if text not in texts:
                texts.append(text)
    return "; ".join(texts)


def _derivation(
    criterion: Criterion, replicates: Sequence[Measurement], result: str, shown: str | None
) -> Derivation:
    subject = criterion.subject
    passing = criterion.passing
    words = ", ".join(sorted(passing)) if isinstance(passing, frozenset) else passing
    return Derivation(
        acceptance=criterion.acceptance,
        rounding=criterion.rounding.words if isinstance(criterion.accept, Limits) else "",
        passing="" if words is None else str(words),
        replicates=tuple(one.text for one in replicates),
        aggregate=subject.replicates.aggregate.value if isinstance(subject, Measured) else "",
        result=result,
        rounded=shown,
    )


_WORDS: Final = {
    Outcome.PASS: "meets",
    Outcome.FAIL: "does not meet",
    Outcome.CANNOT_JUDGE: "neither meets nor misses",
}


def _sentence(
    specification: Specification, criterion: Criterion, said: str, outcome: Outcome | None = None
) -> str:
    verdict = f"{outcome.value.replace('_', ' ')}: " if outcome else ""
    return f"{verdict}{said}; {specification.reference}, {criterion.id}"


def _with_unit(criterion: Criterion, text: str) -> str:
    subject = criterion.subject
    if not isinstance(subject, Measured) or not subject.unit or text.endswith(subject.unit):
        return text
    return f"{text} {subject.unit}" if isinstance(criterion.accept, Limits | ReportOnly) else text
