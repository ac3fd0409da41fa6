"""Potency analyses as methods declare them, and whether what was computed may be declared.

- A fit is a description of the wells of one run. It may be declared as a measurement only where
  every criterion of its method is met; what is not known is not met.
- What is declared is rounded once, to the decimal places that the method states (half up).
- A sample beyond the range of quantitation has a bound instead of a value, such as ``<39``. It is
  declared as any value is: a lot with too little of it fails, and is not measured until it passes.
- A method that has an analysis reports its analyte by no other way: see ``runs``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Context, Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

from batchqc.core.acceptance import Limits
from batchqc.core.quantities import Interval
from batchqc.core.rounding import Rounding

COMPUTED: Final = "computed"  # how what a fit declares came in, as an upload says it


class Model(StrEnum):
    """What is fitted. A standard curve gives a concentration, all others a relative potency."""

    FOUR = "4PL"
    FIVE = "5PL"
    PARALLEL_LINE = "parallel line"
    SLOPE_RATIO = "slope ratio"
    QUANTAL = "quantal"
    STANDARD_CURVE = "standard curve"


class Weights(StrEnum):
    """The weight of a response, as the inverse of what its variance is proportional to."""

    EQUAL = "equal"
    RESPONSE = "1/response"
    RESPONSE_SQUARED = "1/response^2"
    FITTED = "1/fitted"
    FITTED_SQUARED = "1/fitted^2"


class Combination(StrEnum):
    """How independent runs become one reportable value."""

    ONE_RUN = "one run"
    GEOMETRIC_MEAN = "geometric mean"
    WEIGHTED = "weighted"
    SEMI_WEIGHTED = "semi-weighted"


class Parallelism(StrEnum):
    """How it is shown that sample and reference are similar."""

    EQUIVALENCE = "equivalence"
    F_TEST = "F test"


#: What each model computes of a run, by the name under which a method sets limits to it.
FACTS: Final[Mapping[Model, tuple[str, ...]]] = {
    Model.FOUR: (
        "r squared", "fold response", "interval fold", "lack of fit p", "non-parallelism p",
        "measures not equivalent", "reference ed50", "control potency", "flagged wells",
        "largest cv", "relative potency",
    ),
    Model.FIVE: (
        "r squared", "fold response", "interval fold", "lack of fit p", "non-parallelism p",
        "measures not equivalent", "reference ed50", "control potency", "flagged wells",
        "largest cv", "relative potency",
    ),
    Model.PARALLEL_LINE: (
        "r squared", "interval fold", "regression p", "non-linearity p", "non-parallelism p",
        "measures not equivalent", "control potency", "flagged wells", "largest cv",
        "relative potency",
    ),
    Model.SLOPE_RATIO: (
        "r squared", "interval fold", "regression p", "non-linearity p", "non-parallelism p",
        "control potency", "flagged wells", "largest cv", "relative potency",
    ),
    Model.QUANTAL: (
        "interval fold", "deviance p", "non-parallelism p", "reference ed50", "control potency",
        "relative potency",
    ),
    Model.STANDARD_CURVE: (
        "r squared", "lack of fit p", "recoveries within 20 %", "interval fold",
        "control concentration", "flagged wells", "largest cv",
    ),
}  # fmt: skip

#: Of the models whose curves or lines can be compared by equivalence.
MEASURES: Final[Mapping[Model, tuple[str, ...]]] = {
    **dict.fromkeys(
        (Model.FOUR, Model.FIVE),
        tuple(
            f"{how} of {what}"
            for what in ("slope", "lower asymptote", "upper asymptote", "span")
            for how in ("ratio", "difference")
        ),
    ),
    Model.PARALLEL_LINE: ("ratio of slope", "difference of slope"),
}

#: Facts that every fit must have: their limits stand here, and no method widens them.
ALWAYS: Final = ("interval is bounded", "doses overlap", "response depends on dose")


NOT_EQUIVALENT: Final = "measures not equivalent"
BOUNDED: Final = "interval is bounded"
FOLD: Final = "interval fold"
#: The bound of a concentration outside the range of quantitation; "" where there is a value.
BEYOND: Final = "beyond the range of quantitation"
#: How the number of a value or of a bound is rounded: a bound never says more than it did.
_ROUNDING: Final[Mapping[str, str]] = {"": ROUND_HALF_UP, "<": ROUND_UP, ">": ROUND_DOWN}


@dataclass(frozen=True, slots=True)
class Suitability:
    """A limit to something that is computed of a run."""

    fact: str
    limits: Limits


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which a measure of two curves is equivalent; both ends included."""

    measure: str
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class PotencyAnalysis:
    """How the wells of a run become one measurement.

    Args:
        model: what is fitted.
        readout: the analyte of the rows that hold wells.
        readout_unit: their unit.
        analyte: what is declared.
        unit: its unit.
        decimals: decimal places of the declared value.
        reference: the preparation of the standard wells.
        assigned: the potency of the reference, in ``unit``; 1 of a standard curve.
        doses: each dose that every preparation must have; of a standard curve, of the standards.
        replicates: the fewest wells of each preparation and dose.
        suitability: limits to what is computed.
        parallelism: how similarity is shown; ``None`` for a standard curve.
        bounds: of an equivalence.
        weights: of the responses.
        transformation: of the responses: identity, log10, ln or sqrt.
        link: of a quantal assay.
        confidence: of the intervals.
        runs: how many independent runs make one reportable value.
        combination: how.
        quantitation: lowest and highest concentration of a standard curve.
        per_million_cells: whether a concentration is told per 10^6 viable cells.
        tolerance: the largest relative difference of a refit.
    """

    model: Model
    readout: str
    readout_unit: str
    analyte: str
    unit: str
    decimals: int
    reference: str
    assigned: Decimal
    doses: tuple[Decimal, ...]
    replicates: int
    suitability: tuple[Suitability, ...]
    parallelism: Parallelism | None = None
    bounds: tuple[Bounds, ...] = ()
    weights: Weights = Weights.EQUAL
    transformation: str = "identity"
    link: str = "probit"
    confidence: Decimal = Decimal("0.95")
    runs: int = 1
    combination: Combination = Combination.ONE_RUN
    quantitation: tuple[Decimal, Decimal] | None = None
    per_million_cells: bool = False
    tolerance: Decimal = Decimal("1E-6")

    @property
    def is_relative(self) -> bool:
        """Whether it compares a sample with a reference."""
        return self.model is not Model.STANDARD_CURVE


@dataclass(frozen=True, slots=True)
class Judged:
    """A criterion, what was found (text; "" where it is not known), and whether it is met."""

    name: str
    wanted: str
    found: str
    met: bool

    @property
    def sentence(self) -> str:
        """What was wanted, and what was found."""
        state = "met" if self.met else "not met" if self.found else "not known, and so not met"
        return f"{self.name}: {self.found or 'not determined'}, wanted {self.wanted}: {state}"


def judged(analysis: PotencyAnalysis, facts: Mapping[str, str]) -> tuple[Judged, ...]:
    """Each criterion of an analysis, by the facts of a fit; "" or absent is not known.

    A bound has no interval, and the criteria of an interval are not asked of it.
    """
    without = {BOUNDED, FOLD} if facts.get(BEYOND) and not analysis.is_relative else set()
    found = [Judged(name, "yes", facts.get(name, ""), facts.get(name) == "yes") for name in ALWAYS]
    if analysis.parallelism is Parallelism.EQUIVALENCE:
        text = facts.get(NOT_EQUIVALENT, "")
        found.append(Judged(NOT_EQUIVALENT, "0", text, number_of(text) == 0))
    for one in analysis.suitability:
        text = facts.get(one.fact, "")
        value = number_of(text)
        met = value is not None and Interval.exactly(value).is_inside(
            one.limits.passing(Rounding.ABSOLUTE)
        )
        found.append(Judged(one.fact, one.limits.text, text if value is not None else "", met))
    return tuple(one for one in found if one.name not in without)


def reasons_against(outcomes: Iterable[Judged]) -> tuple[str, ...]:
    """Why a fit may not be declared; nothing where every criterion is met."""
    return tuple(one.sentence for one in outcomes if not one.met)


def number_of(text: str) -> Decimal | None:
    """The finite number of a text; ``None`` for anything else."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def as_reported(text: str, decimals: int) -> str | None:
    """A computed value or bound with the decimal places of the method; ``None`` if none.

    Five raises. A value that is 0 when rounded has no reportable digit: it is below the smallest
    one, and is reported so. A lower bound of 0 says nothing, and is none.
    """
    sign = text[:1] if text[:1] in {"<", ">"} else ""
    number = number_of(text.removeprefix(sign))
    if number is None or number <= 0:
        return None
    last = Decimal((0, (1,), -decimals))
    try:
        found = number.quantize(last, rounding=_ROUNDING[sign], context=Context(prec=50))
    except InvalidOperation:
        return None
    if found > 0:
        return f"{sign}{found:f}"
    return None if sign else f"<{last:f}"


def differences(
    before: Mapping[str, str], after: Mapping[str, str], tolerance: Decimal
) -> tuple[str, ...]:
    """Every number of two fits of the same wells that differs by more than a relative tolerance.

    Texts that are no numbers have to be the same; so has what only one of them has.
    """
    told = []
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name, ""), after.get(name, "")
        first, second = number_of(old), number_of(new)
        if first is None or second is None:
            same = old == new
        else:
            largest = max(abs(first), abs(second))
            same = abs(first - second) <= tolerance * largest
        if not same:
            told.append(f"{name}: {old or 'nothing'} before, {new or 'nothing'} now")
    return tuple(told)


def choice_problems(
    analysis: PotencyAnalysis,
    *,
    chosen: Sequence[str],
    suitable: Sequence[str],
    unknown: Sequence[str],
) -> tuple[str, ...]:
    """Why some runs may not make the reportable value of a sample.

    Nobody may choose among runs: every suitable one counts, and each has been looked at.

    Args:
        analysis: of the method.
        chosen: names of the runs that are to make it.
        suitable: every run on record whose newest fit may be declared, and that made none yet.
        unknown: runs with wells that nobody fitted.
    """  # fmt: skip
    problems = []
    if len(chosen) != analysis.runs:
        problems.append(f"the method combines {analysis.runs} runs, not {len(chosen)}")
    left = sorted(set(suitable) - set(chosen))
    problems += [f"{one} is suitable and left out; nobody chooses among runs" for one in left]
    problems += [f"{one} has wells and no fit; fit it first" for one in sorted(unknown)]
    return tuple(problems)
