"""Whether a run may be reported: declared criteria, each with its outcome.

A potency is computed all the same; a run that misses a criterion, or one that could not be
determined, is not reportable.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from batchqc.errors import InvalidInput

Part: TypeAlias = Literal["system", "sample"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """A range in which a measured property must lie, both ends included.

    Args:
        name: of the property, under which its value is given.
        lower: None where there is no lower limit.
        upper: None where there is no upper limit.
        part: system suitability concerns all samples of a run, sample suitability one.
        why: what it guards against.
    """

    name: str
    lower: float | None = None
    upper: float | None = None
    part: Part = "system"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A criterion, the value found, and whether it is met; None where it is not known."""

    criterion: Criterion
    value: float | None
    met: bool | None

    @property
    def sentence(self) -> str:
        """What was wanted, and what was found."""
        one = self.criterion
        ends = [
            *([] if one.lower is None else [f"at least {one.lower:g}"]),
            *([] if one.upper is None else [f"at most {one.upper:g}"]),
        ]
        found = "not determined" if self.value is None else f"{self.value:.6g}"
        state = {True: "met", False: "not met", None: "unknown"}[self.met]
        return f"{one.name}: {found}, wanted {' and '.join(ends)}: {state}"


@dataclass(frozen=True, slots=True)
class Status:
    """Of a run or a sample: every outcome, and whether its potency may be reported."""

    outcomes: tuple[Outcome, ...]

    @property
    def reportable(self) -> bool:
        """Whether every criterion is met; what is unknown is not met."""
        return all(one.met for one in self.outcomes)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why not."""
        return tuple(one.sentence for one in self.outcomes if not one.met)


def run_status(criteria: Sequence[Criterion], values: Mapping[str, float | None]) -> Status:
    """The outcome of each criterion.

    Args:
        criteria: at least one; a run without criteria cannot be suitable.
        values: by name of the criterion; None or absent where it could not be determined.

    Raises:
        InvalidInput: there is no criterion, one has no limit, or two have the same name.

    Source: USP <1034> (suitability); Ph. Eur. 5.3 section 3.2.4 (tests of validity).
    """
    if not criteria:
        raise InvalidInput("BQC-STA-003", "no criterion is declared: suitability is unknown")
    if len({one.name for one in criteria}) < len(criteria):
        raise InvalidInput("BQC-STA-003", "two criteria have the same name")
    for one in criteria:
        if one.lower is None and one.upper is None:
            raise InvalidInput("BQC-STA-003", f"criterion {one.name!r} has no limit")
    return Status(tuple(_outcome(one, values.get(one.name)) for one in criteria))


def _outcome(one: Criterion, value: float | None) -> Outcome:
    if value is None or value != value:  # noqa: PLR0124 - not a number is not known
        return Outcome(one, None, None)
    low = one.lower is None or value >= one.lower
    high = one.upper is None or value <= one.upper
    return Outcome(one, float(value), low and high)
