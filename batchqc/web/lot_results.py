"""The results of a lot as its page shows them: a line for each criterion, and one in detail.

Numbers stand as they are stored. The only floats are places in a drawing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from markupsafe import Markup

from batchqc.actions.evaluation import LotCase
from batchqc.actions.sources import Files, Source
from batchqc.core.acceptance import Limits
from batchqc.core.quantities import Interval
from batchqc.core.verdicts import Outcome, Trend, Verdict
from batchqc.web.numbers import is_number

_WIDTH: Final = 88.0


class Sign(StrEnum):
    """What a line looks like: always a shape and a word beside its colour."""

    OK = "ok"
    BAD = "bad"
    OPEN = "open"
    TREND = "trend"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Dots:
    """Replicates on the accepted range: how many they are, and the shapes of the drawing."""

    count: int
    shapes: Markup


@dataclass(frozen=True, slots=True)
class Line:
    """A criterion of a lot with its result, ready to be shown."""

    verdict: Verdict
    sign: Sign
    dots: Dots | None

    @property
    def id(self) -> str:
        """Of the criterion."""
        return self.verdict.criterion.id

    @property
    def result(self) -> str:
        """As reported, without its unit."""
        return self.verdict.derivation.result

    @property
    def is_number(self) -> bool:
        """Whether the result is a number, to be aligned with others."""
        return is_number(self.result)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many results conform, of how many that are judged."""

    conform: int
    judged: int
    fail: int
    open: int
    trend: int


def lines_of(verdicts: Sequence[Verdict]) -> list[Line]:
    """Every criterion, in the order of the specification."""
    return [Line(one, _sign(one), _dots(one)) for one in verdicts]


def by_category(lines: Sequence[Line]) -> dict[str, list[Line]]:
    """The lines of each category, both in the order of the specification."""
    found: dict[str, list[Line]] = {}
    for one in lines:
        found.setdefault(one.verdict.criterion.category, []).append(one)
    return found


def tally(lines: Sequence[Line]) -> Tally:
    """What the lines say together."""
    judged = [one for one in lines if one.verdict.outcome is not None]
    count = {sign: sum(one.sign is sign for one in judged) for sign in Sign}
    return Tally(
        conform=count[Sign.OK] + count[Sign.TREND],
        judged=len(judged),
        fail=count[Sign.BAD],
        open=count[Sign.OPEN],
        trend=count[Sign.TREND],
    )


def first_to_look_at(lines: Sequence[Line]) -> Line | None:
    """What fails, else what is not known, else what is out of trend, else the first line."""
    wanted = (Sign.BAD, Sign.OPEN, Sign.TREND, Sign.OK, Sign.INFO)
    return min(lines, key=lambda one: wanted.index(one.sign), default=None)


def sources_of(case: LotCase, verdict: Verdict) -> tuple[list[Source], list[Source]]:
    """The cells of a verdict, and those of the controls that it was compared with."""
    files = Files(case)
    return [files.source(one) for one in verdict.measurements], [
        files.source(one) for one in verdict.controls
    ]


def _sign(verdict: Verdict) -> Sign:
    match verdict.outcome:
        case None:
            return Sign.OPEN if verdict.blocks else Sign.INFO
        case Outcome.FAIL:
            return Sign.BAD
        case Outcome.CANNOT_JUDGE:
            return Sign.OPEN
        case Outcome.PASS:
            return Sign.OK if verdict.trend is Trend.WITHIN else Sign.TREND


def _dots(verdict: Verdict) -> Dots | None:
    """Replicates on the range, where the criterion has limits and every value is a number."""
    criterion = verdict.criterion
    amounts = [one.shown.amount for one in verdict.measurements]
    numbers = [one.number for one in amounts if one is not None]
    if not isinstance(criterion.accept, Limits) or not numbers or len(numbers) != len(amounts):
        return None
    return _drawn(criterion.accept.passing(criterion.rounding), numbers)


def _drawn(passing: Interval, numbers: Sequence[Decimal]) -> Dots:
    ends = [float(one) for one in (passing.low, passing.high) if one is not None]
    values = [float(one) for one in numbers]
    low, high = min(ends + values), max(ends + values)
    room = (high - low) * 0.15 or abs(high) * 0.1 or 1.0
    low, high = low - room, high + room

    def place(value: float) -> float:
        return round((value - low) / (high - low) * _WIDTH, 1)

    places = [place(one) for one in ends]
    begins = 0.0 if passing.low is None else places[0]
    breadth = (_WIDTH if passing.high is None else places[-1]) - begins
    limits = "".join(f'<path class="limit" d="M{one} 2.5v13"/>' for one in places)
    at = "".join(f'<circle cx="{place(one)}" cy="9" r="3.2"/>' for one in values)
    shapes = (
        f'<rect class="all" x="0" y="6.5" width="{_WIDTH}" height="5" rx="2.5"/><rect class="pass"'
        f' x="{begins}" y="6.5" width="{round(breadth, 1)}" height="5" rx="2.5"/>{limits}{at}'
    )
    return Dots(len(numbers), Markup(shapes))  # noqa: S704 - our own shapes at numbers
