"""A series of lots as plain values: each lot with what holds for it, and what it signals."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from batchqc.core.criteria import Criterion
from batchqc.core.quantities import Amount, last_digit
from batchqc.core.trend_phases import Phase, TrendLot
from batchqc.core.trends import Attribute, is_near_100, is_ratio
from batchqc.core.verdicts import Outcome
from batchqc.statistics.scales import Scale

if TYPE_CHECKING:
    from batchqc.statistics.frozen_limits import Frozen

SELF_STARTING: Final = "self-starting"
LIMIT: Final = 3.0


@dataclass(frozen=True, slots=True)
class LotSignal:
    """A rule that a lot completes; ``lots`` make the pattern, the completing one last.

    ``score`` is the lot's distance from the centre in sigma, above it positive, ``None`` of a
    censored one; ``centre`` is in the unit of the attribute and ``sigma`` on the scale. ``by`` is
    the limit set, or self-starting.
    """

    lot: str
    rule: str
    by: str
    lots: tuple[str, ...]
    score: float | None
    centre: float
    sigma: float
    said: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A lot of a series as it was looked at.

    ``value`` is its number or bound, ``step`` the smallest step of it; ``lower``, ``centre`` and
    ``upper`` are the frozen lines that hold for it in the unit of the attribute, ``score`` is its
    distance in sigma by them or by Q, ``robust`` that from the median of its phase; ``None`` where
    there is none.
    """

    lot: TrendLot
    phase: int
    value: float | None
    step: float = 0.0
    by: str = ""
    lower: float | None = None
    centre: float | None = None
    upper: float | None = None
    score: float | None = None
    robust: float | None = None
    excluded: str = ""
    signals: tuple[LotSignal, ...] = ()


@dataclass(frozen=True, slots=True)
class Trend:
    """The series of an attribute; ``criterion`` is of the newest version that judges a lot.

    ``sets`` are the approved limit sets of the attribute, oldest first.
    """

    attribute: Attribute
    criterion: Criterion
    scale: Scale
    phases: tuple[Phase, ...]
    lots: tuple[Judged, ...]
    limitations: tuple[str, ...]
    by_lot: Mapping[str, Judged] = field(default_factory=dict)
    sets: tuple["Frozen", ...] = ()

    @property
    def signals(self) -> Iterator[LotSignal]:
        """All of them, in the order of the lots."""
        return (signal for one in self.lots for signal in one.signals)


def part_of(trend: Trend, lots: Container[str]) -> Trend:
    """The series with some of its lots only; what holds for each is as it is in the whole."""
    kept = (
        replace(phase, lots=tuple(one for one in phase.lots if one.lot in lots))
        for phase in trend.phases
    )
    judged = tuple(one for one in trend.lots if one.lot.lot in lots)
    return replace(
        trend,
        phases=tuple(phase for phase in kept if phase.lots),
        lots=judged,
        by_lot={one.lot.lot: one for one in judged},
    )


def default_scale(criterion: Criterion) -> Scale:
    """The scale that the kind of the attribute asks for, never its data."""
    if is_near_100(criterion):
        return Scale("complement cube root")
    return Scale("ln") if is_ratio(criterion) else Scale()


def resolution_of(criterion: Criterion, amount: Amount | None) -> float:
    """The smallest step of a value: that of the method, else the last digit that was reported."""
    if criterion.resolution is not None:
        return float(criterion.resolution)
    return float(last_digit(amount.number)) if amount else 1.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One lot of one attribute: its value, flag and robust distance from the median of its phase.

    ``flag`` is what is to be looked at first: a verdict that is no PASS, else a signal, else "".
    """

    value: str
    flag: str
    robust: float | None


def cell_of(one: Judged) -> Cell:
    """What the overview shows of a lot."""
    outcome = one.lot.observed.outcome
    flag = ""
    if outcome not in {Outcome.PASS, None}:
        flag = str(outcome)
    elif one.signals:
        flag = "out of trend"
    return Cell(one.lot.observed.text, flag, one.robust)


def plain(value: object) -> str:
    """A cell of CSV: ten digits of what was computed, text as it is, nothing for nothing."""
    if value is None:
        return ""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def numbers_of(lots: Iterable[Judged]) -> list[float]:
    """The number or bound of each lot that has one."""
    return [one.value for one in lots if one.value is not None]


def is_censored(one: Judged) -> bool:
    """Whether the value of a lot is only known to lie beyond its number."""
    return qualifier_of(one) != ""


def qualifier_of(one: Judged) -> str:
    """How a censored value stands to its number: ``<``, ``<=``, ``>``, ``>=``; else ``""``."""
    amount = one.lot.observed.amount
    return amount.qualifier if amount is not None and amount.is_censored else ""
