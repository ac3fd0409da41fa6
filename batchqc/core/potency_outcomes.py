"""Whether what was computed of wells may be declared, and as what.

- A fit may be declared only where every criterion of its method is met; what is not known is not.
- What is declared is rounded once, to the decimal places that the method states (half up).
- A sample beyond the range of quantitation has a bound instead of a value, such as ``<39``. It is
  declared as any value is: a lot with too little of it fails, and is not measured until it passes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Context, Decimal, InvalidOperation
from typing import Final

from batchqc.core.potency import ALWAYS, Parallelism, PotencyAnalysis
from batchqc.core.quantities import Interval
from batchqc.core.rounding import Rounding

NOT_EQUIVALENT: Final = "measures not equivalent"
BOUNDED: Final = "interval is bounded"
FOLD: Final = "interval fold"
#: The bound of a concentration outside the range of quantitation; "" where there is a value.
BEYOND: Final = "beyond the range of quantitation"
#: How the number of a value or of a bound is rounded: a bound never says more than it did.
_ROUNDING: Final[Mapping[str, str]] = {"": ROUND_HALF_UP, "<": ROUND_UP, ">": ROUND_DOWN}


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
