"""What a lot shows of one criterion: the value that its verdict observed, and what did not count.

A lot shows one value or none: two results of which nobody chose, an invalid run or a missing result
are gaps. What was measured and did not count stands beside, each with the reason. Nothing here
decides on a lot.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, assert_never

from batchqc.core.acceptance import AtLeast, Bands, Limit, Limits, Words
from batchqc.core.assays import INVESTIGATIONAL, REPORTABLE, Measurement, RunKey, amount_of
from batchqc.core.canonical import Json, sha256_of
from batchqc.core.criteria import Category, Criterion
from batchqc.core.donors import Donor
from batchqc.core.entries import SecondEntry
from batchqc.core.investigations import Investigation
from batchqc.core.judging import NO_VALIDITY, judge
from batchqc.core.quantities import Amount, Interval
from batchqc.core.runs import RunValidity
from batchqc.core.specifications import Specification, closure, leaves
from batchqc.core.subjects import Derived, DonorFact, Group, Measured
from batchqc.core.verdicts import Outcome, Verdict

#: From this lower limit on a percentage lies near 100.
NEAR_100 = 50
#: Units of what is a logarithm already, or has its zero by convention.
_NO_PROPORTIONS = frozenset({"pH", "[pH]", "Ct", "Cel"})


class Attribute(NamedTuple):
    """A criterion of a product at a stage, for a market ("" for every market)."""

    product: str
    stage: str
    market: str
    criterion: str

    @property
    def name(self) -> str:
        """As records cite it; a market only where it has one of its own."""
        parts = (self.product, self.stage, self.market, self.criterion)
        return "/".join(part for part in parts if part)


class Aside(NamedTuple):
    """A result that does not count: its run, its text, and why."""

    run: str
    value: str
    why: str


class Reading(NamedTuple):
    """One replicate that a result was made of: its run, and its number where it is one."""

    run: str
    amount: Amount | None


@dataclass(frozen=True, slots=True)
class Observed:
    """What the verdict of one criterion of one lot rests on.

    ``text`` is the result as reported, "" where there is none; ``amount`` its number, ``None``
    where it is none or not one. ``readings`` are the replicates of a numeric result that is
    measured, not derived.
    """

    outcome: Outcome | None
    text: str
    amount: Amount | None
    sentence: str
    methods: tuple[str, ...] = ()
    analysts: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    runs: tuple[RunKey, ...] = ()
    aside: tuple[Aside, ...] = ()
    readings: tuple[Reading, ...] = ()


def observe(
    specification: Specification,
    criterion: Criterion,
    measurements: Sequence[Measurement],
    donors: Sequence[Donor],
    *,
    validity: Mapping[RunKey, RunValidity] = NO_VALIDITY,
    investigations: Sequence[Investigation] = (),
) -> Observed:
    """What the verdict of one criterion observes of a lot.

    Args:
        specification: the version that judges the lot.
        criterion: one of it.
        measurements: of the lot; those of other attributes are not used.
        donors: of the lot.
        validity: of the runs that have validity criteria.
        investigations: of the lot.
    """
    needed = replace(specification, criteria=closure(specification, criterion))
    verdicts = judge(needed, measurements, donors, validity=validity, investigations=investigations)
    return _observed(specification, criterion, verdicts, measurements)


def observe_each(
    specification: Specification,
    measurements: Sequence[Measurement],
    donors: Sequence[Donor],
    validity: Mapping[RunKey, RunValidity],
) -> Mapping[str, Observed]:
    """What the verdict of each criterion observes of a lot, by its id, as ``observe`` says it.

    Of a lot on whose results no investigation is, and of whose runs none is superseded: what is
    said of one criterion hangs on no other then but on what it is computed from.
    """
    found = judge(specification, measurements, donors, validity=validity)
    verdicts = {one.criterion.id: one for one in found}
    return {
        name: _observed(
            specification,
            verdicts[name].criterion,
            [verdicts[each.id] for each in needed],
            measurements,
        )
        for name, needed in specification.closures.items()
    }


def _observed(
    specification: Specification,
    criterion: Criterion,
    verdicts: Sequence[Verdict],
    measurements: Sequence[Measurement],
) -> Observed:
    """Of the verdicts of a criterion and of all that it is computed from."""
    own = next(one for one in verdicts if one.criterion.id == criterion.id)
    text = own.derivation.result
    used = [one for verdict in verdicts for one in verdict.measurements] if text else []
    return Observed(
        own.outcome,
        text,
        amount_of(text.removesuffix("…"), criterion.unit) if is_numeric(criterion) else None,
        own.sentence,
        _each(f"{one.method} v{one.version}" if one.version else one.method for one in used),
        _each(one.analyst for one in used),
        _each(one.instrument for one in used),
        tuple(dict.fromkeys(one.run for one in used)),
        _aside(specification, criterion, measurements, used),
        tuple(Reading(str(one.run), one.amount) for one in used if _is_reading(criterion)),
    )


def is_numeric(criterion: Criterion) -> bool:
    """Whether results of a criterion are numbers, so that they can be charted."""
    is_measured = isinstance(criterion.subject, Measured | Derived)
    return is_measured and not isinstance(criterion.accept, Words | AtLeast)


def _is_reading(criterion: Criterion) -> bool:
    return is_numeric(criterion) and isinstance(criterion.subject, Measured)


def is_near_100(criterion: Criterion) -> bool:
    """Whether results are percentages of a whole that lie near it, by the lower limit.

    A potency is a proportion, and so is what may be above 100 %: neither ends there.
    """
    return (
        criterion.unit == "%"
        and criterion.category is not Category.POTENCY
        and not _may_exceed_100(criterion)
        and any(
            one.operator in {">", ">="} and one.number >= NEAR_100 for one in _limits(criterion)
        )
    )


def is_ratio(criterion: Criterion) -> bool:
    """Whether results are potencies, counts or concentrations: above zero, alike in proportion."""
    plausible = _plausible(criterion)
    is_positive = plausible.low is None or plausible.low >= 0
    is_amount = criterion.unit not in {"", "%", *_NO_PROPORTIONS}
    is_proportion = is_amount or (_may_exceed_100(criterion) and is_positive)
    return criterion.category is Category.POTENCY or is_proportion


def _may_exceed_100(criterion: Criterion) -> bool:
    """Whether more than 100 % passes by an upper limit, or is plausible."""
    high = _plausible(criterion).high
    tops = [one.number for one in _limits(criterion) if one.operator in {"<", "<="}]
    is_above = (high is not None and high > 100) or any(one > 100 for one in tops)
    return criterion.unit == "%" and is_above


def _plausible(criterion: Criterion) -> Interval:
    subject = criterion.subject
    plausible = subject.plausible if isinstance(subject, Measured) else None
    return plausible or Interval()


def _limits(criterion: Criterion) -> tuple[Limit, ...]:
    return criterion.accept.limits if isinstance(criterion.accept, Limits) else ()


def definition_of(specification: Specification, criterion: Criterion) -> str:
    """Hash of what a criterion measures and accepts, with all that it is computed from.

    Titles, notes and alert limits are not of it. Another definition is another phase.
    """
    needed = closure(specification, criterion)
    return sha256_of(
        {"type": "batchqc/trend-definition/1", "criteria": [_definition(one) for one in needed]}
    )


def _definition(criterion: Criterion) -> Json:
    match criterion.accept:
        case Limits(limits=limits):
            accept: Json = [[one.operator, str(one.number)] for one in limits]
        case Bands(accepted=accepted, text=text):
            accept = [*accepted, text]
        case other:
            accept = other.text
    guard = None if criterion.guard is None else str(criterion.guard)
    return [criterion.id, _subject(criterion), accept, criterion.rounding.value, guard]


def _subject(criterion: Criterion) -> Json:
    match criterion.subject:
        case Measured() as one:
            plan = one.replicates
            return [
                "measured", one.test, one.analyte, one.method, one.unit, plan.n,
                plan.aggregate.value, one.control,
            ]  # fmt: skip
        case Derived() as one:
            inputs = [f"{each.name} = {each.text}" for each in one.inputs]
            return ["derived", one.formula.text, inputs, one.unit]
        case Group(members=members):
            return ["group", list(members)]
        case DonorFact() as fact:
            return ["donor", fact.value]
        case _:
            assert_never(criterion.subject)


def _aside(
    specification: Specification,
    criterion: Criterion,
    measurements: Sequence[Measurement],
    used: Sequence[Measurement],
) -> tuple[Aside, ...]:
    pairs = {(one.test, one.analyte) for one in leaves(specification, criterion)}
    return tuple(
        Aside(str(one.run), one.shown.text, _why(one))
        for one in measurements
        if (one.run.test, one.analyte) in pairs
        and one.stage == specification.stage
        and one.result_type in {REPORTABLE, INVESTIGATIONAL}
        and one not in used
    )


def _why(one: Measurement) -> str:
    if one.result_type == INVESTIGATIONAL:
        return "measured of a hypothesis; it never counts"
    if one.superseded_by:
        return f"superseded by {one.superseded_by}"
    if one.second is SecondEntry.WAITS:
        return "waits for its second entry"
    if one.second is SecondEntry.MISMATCH:
        return "two people typed it differently"
    if one.retest_of:
        return f"of {one.retest_of}, which has not concluded that it counts"
    return "the verdict does not rest on it"


def _each(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({text for text in texts if text}))
