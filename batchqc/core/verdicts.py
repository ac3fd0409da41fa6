"""What releases a lot: one criterion, one result, one verdict.

First law: unknown is never a pass.

1. A criterion with its rounding rule has one exact set of passing values (``Criterion.passing``).
2. A result is the set of values that its text allows (``results.reportable_result``), or is
   computed from such sets (``derived.derived_result``).
3. PASS when every value of the result passes, FAIL when none does, else CANNOT_JUDGE.
4. Where there is no result, or more than one, the verdict is CANNOT_JUDGE and says why.
5. A group passes when enough members pass, and fails when enough cannot pass any more; its members
   count in the group and nowhere else.
6. A report-only criterion has no verdict. Alert and action limits never block.

A verdict carries its derivation as data, and says the same in one sentence. ``judging`` applies
these rules to every criterion of a specification.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from batchqc.core.acceptance import Limits, Relative, Words
from batchqc.core.assays import Measurement
from batchqc.core.criteria import Criterion
from batchqc.core.quantities import Interval
from batchqc.core.results import NoResult, NoResultBecause, ReportableResult
from batchqc.core.rounding import Rounding, rounded
from batchqc.core.subjects import Measured


class Outcome(StrEnum):
    """The three verdicts. CANNOT_JUDGE blocks release like FAIL does."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a secret
    FAIL = "FAIL"
    CANNOT_JUDGE = "CANNOT_JUDGE"


class Trend(StrEnum):
    """Where a passing result lies beside the limits inside the acceptance (requirement 3.11)."""

    WITHIN = ""
    ALERT = "alert"
    ACTION = "action"


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a verdict came about: every step as text, in order.

    ``set_aside`` are the invalid runs in whose place the result of a valid one counts.
    """

    acceptance: str
    rounding: str
    passing: str
    replicates: tuple[str, ...]
    aggregate: str
    result: str
    rounded: str | None
    set_aside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of one criterion; ``outcome`` is ``None`` for a report-only line.

    ``missing`` says that there is nothing at all to judge, which blocks only where required;
    ``counted_in`` names the group in which alone the verdict counts; ``controls`` are what the
    result was compared with. It is ``lacking`` where nothing was measured of a part of what it is
    computed from, so that no choice of runs has a result.
    """

    criterion: Criterion
    outcome: Outcome | None
    sentence: str
    derivation: Derivation
    measurements: tuple[Measurement, ...] = ()
    missing: bool = False
    trend: Trend = Trend.WITHIN
    counted_in: str = ""
    controls: tuple[Measurement, ...] = ()
    lacking: bool = False

    @property
    def blocks(self) -> bool:
        """Whether this verdict forbids release (design, decided once, 2)."""
        if self.counted_in:
            return False
        if self.missing:
            return self.criterion.required
        if self.outcome is None:
            return self.criterion.required and self.derivation.result == ""
        return self.outcome is not Outcome.PASS


WORDS: Final[Mapping[Outcome, str]] = {
    Outcome.PASS: "meets",
    Outcome.FAIL: "does not meet",
    Outcome.CANNOT_JUDGE: "neither meets nor misses",
}


def word(outcome: Outcome | None) -> str:
    """A verdict as people read it."""
    return outcome.value.replace("_", " ") if outcome else "for information"


def with_unit(criterion: Criterion, text: str) -> str:
    """A result with its unit, where it has one."""
    unit = criterion.unit
    if not unit or text.endswith(unit) or isinstance(criterion.accept, Words):
        return text
    return f"{text} {unit}"


def compare(passing: Interval | frozenset[str], values: Sequence[Interval | str]) -> Outcome:
    """PASS when all values pass, FAIL when one cannot pass, else CANNOT_JUDGE."""
    return together({_compare_one(passing, value) for value in values})


def together(outcomes: set[Outcome]) -> Outcome:
    """FAIL where one fails, PASS where all pass, else CANNOT_JUDGE."""
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


def settled(outcome: Outcome, result: ReportableResult) -> tuple[Outcome, str]:
    """The outcome with its words: what was read too early may fail, and does not pass."""
    if outcome is Outcome.PASS and result.is_early:
        return Outcome.CANNOT_JUDGE, "was read too early for"
    return outcome, WORDS[outcome]


def individual(
    criterion: Criterion, result: ReportableResult
) -> Sequence[tuple[Measurement, Outcome]]:
    """Every replicate with its outcome, where the plan has limits for each."""
    limits = _of_each(criterion)
    if limits is None:
        return ()
    passing = limits.passing(criterion.rounding)
    each = [compare(passing, [value]) for value in result.each]
    return list(zip(result.replicates, each, strict=True))


def individual_text(criterion: Criterion, found: Sequence[tuple[Measurement, Outcome]]) -> str:
    """The replicates that do not pass the limits of each, in words."""
    limits = _of_each(criterion)
    wanted = with_unit(criterion, limits.text) if limits else ""
    return "".join(
        f"; replicate {one.replicate}, {with_unit(criterion, one.text)}, {WORDS[outcome]} {wanted}"
        for one, outcome in found
        if outcome is not Outcome.PASS
    )


def _of_each(criterion: Criterion) -> Limits | None:
    subject = criterion.subject
    return subject.replicates.individual if isinstance(subject, Measured) else None


def decided(
    reference: str,
    criterion: Criterion,
    outcome: Outcome | None,
    said: str,
    result: ReportableResult,
) -> Verdict:
    """The verdict over a result; ``said`` is what the sentence says of it."""
    trend = _trend(criterion, result) if outcome is Outcome.PASS else Trend.WITHIN
    if trend:
        said += f"; out of trend, beyond the {trend} limit"
    verdict = f"{word(outcome)}: " if outcome else ""
    return Verdict(
        criterion,
        outcome,
        f"{verdict}{said}; {reference}, {criterion.id}",
        _derivation(criterion, result),
        result.replicates,
        trend=trend,
    )


def undecided(reference: str, criterion: Criterion, result: NoResult) -> Verdict:
    """CANNOT_JUDGE, or nothing for information, because there is no result."""
    outcome = Outcome.CANNOT_JUDGE if criterion.is_judged else None
    return Verdict(
        criterion,
        outcome,
        f"{word(Outcome.CANNOT_JUDGE)}: {result.why}{pending(criterion)};"
        f" {reference}, {criterion.id}",
        _derivation(criterion, ReportableResult((), "", "", result.replicates)),
        result.replicates,
        missing=result.because is NoResultBecause.MISSING,
        lacking=result.because is NoResultBecause.LACKING,
    )


def pending(criterion: Criterion) -> str:
    """What stands in while the result is pending; the verdict stays CANNOT_JUDGE."""
    if not criterion.interim:
        return ""
    names = " and ".join(criterion.interim)
    return f"; it may stay pending for a conditional release while {names} pass"


def _trend(criterion: Criterion, result: ReportableResult) -> Trend:
    """The outermost limit beyond which a value may lie."""
    for limits, trend in ((criterion.action, Trend.ACTION), (criterion.alert, Trend.ALERT)):
        if limits is None:
            continue
        if compare(limits.passing(criterion.rounding), result.values) is not Outcome.PASS:
            return trend
    return Trend.WITHIN


def rounded_text(criterion: Criterion, result: ReportableResult) -> str | None:
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


def _derivation(criterion: Criterion, result: ReportableResult) -> Derivation:
    passing = criterion.passing
    words = ", ".join(sorted(passing)) if isinstance(passing, frozenset) else passing
    if isinstance(criterion.accept, Relative):
        words = criterion.accept.text
    return Derivation(
        acceptance=criterion.acceptance,
        rounding=criterion.rounding.words if isinstance(criterion.accept, Limits) else "",
        passing="" if words is None else str(words),
        replicates=tuple(one.text for one in result.replicates),
        aggregate=result.how or _plan(criterion),
        result=result.text,
        rounded=rounded_text(criterion, result) if result.text else None,
    )


def _plan(criterion: Criterion) -> str:
    subject = criterion.subject
    return subject.replicates.aggregate.value if isinstance(subject, Measured) else ""
