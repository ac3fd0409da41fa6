"""Control limits of a series: computed once from chosen lots (phase I), applied to later ones.

Nothing is estimated when limits are applied: centre, sigma and limits are those that were frozen.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.control_charts import LIMITS_FROM, ControlChart, level
from batchqc.statistics.false_alarms import alarms_of_limits
from batchqc.statistics.few_lots import prediction
from batchqc.statistics.figures import Figure
from batchqc.statistics.individuals import individuals
from batchqc.statistics.robust import mad
from batchqc.statistics.run_rules import NELSON, WESTERN_ELECTRIC, Rule, Signal, signals
from batchqc.statistics.scales import Scale, ScaledChart, on_scale
from batchqc.statistics.self_starting import NO_LOTS, QState
from batchqc.statistics.values import Floats, with_gaps

Method = Literal["prediction", "individuals", "censored prediction"]

#: From so many lots on, mean and sigma are known well enough for limits in sigma.
INDIVIDUALS_FROM: Final = 50
#: Beyond 3 sigma, 9 on one side, 6 rising or falling, 2 of 3 beyond 2 sigma.
DEFAULT_RULES: Final = ("1", "2", "3", "5")
#: Chance that one further lot of the same process lies beyond the limits; that of 3 sigma.
ALPHA: Final = 0.0027
#: Rules by the names under which they are chosen.
RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {str(number): rule for number, rule in NELSON.items()}
    | {f"we{number}": rule for number, rule in WESTERN_ELECTRIC.items()}
)


@dataclass(frozen=True, slots=True)
class Lines:
    """Frozen lines on a scale.

    Args:
        centre: on the scale.
        sigma: of one plotted value, on the scale.
        lower: limit on the scale.
        upper: limit on the scale.
        df: degrees of freedom of prediction limits; None for limits in sigma.
        scale: that the lines are on.
        rules: by which lots are judged.
    """

    centre: float
    sigma: float
    lower: float
    upper: float
    df: float | None
    scale: Scale
    rules: tuple[str, ...]

    @classmethod
    def of(cls, chart: ControlChart, scale: Scale, rules: tuple[str, ...]) -> "Lines":
        """The lines of a chart, each at one level.

        Raises:
            NotEstimable: it has no limit line.
        """
        if chart.lower is None or chart.upper is None:
            raise NotEstimable("BQC-STA-001", "no limit line", reasons=chart.limitations)
        return cls(
            float(chart.centre[0]), float(chart.sigma[0]), float(chart.lower[0]),
            float(chart.upper[0]), chart.df, scale, rules,
        )  # fmt: skip

    @property
    def back(self) -> tuple[float, float, float]:
        """Lower limit, centre and upper limit in the unit of the attribute."""
        low, centre, high = self.scale.back([self.lower, self.centre, self.upper]).tolist()
        return (high, centre, low) if self.scale.flips else (low, centre, high)

    def chart(self, on_the_scale: Floats) -> ControlChart:
        """The lines at some points, given on the scale."""
        return ControlChart(
            "frozen limits",
            on_the_scale,
            level(self.centre, on_the_scale),
            level(self.sigma, on_the_scale),
            level(self.lower, on_the_scale),
            level(self.upper, on_the_scale),
            df=self.df,
        )


@dataclass(frozen=True, slots=True)
class PhaseOne:
    """Limits of chosen lots with all that a reader needs to judge them.

    Args:
        lines: to be frozen.
        made: the chart that they come from.
        method: that was used.
        n: lots with a value.
        censored: how many of them are only known to lie beyond a bound.
        run_length: lots to the first false alarm of the rules together, on average.
    """

    lines: Lines
    made: ScaledChart
    method: Method
    n: int
    run_length: Figure
    censored: int = 0


def phase_one(
    values: Iterable[float | None],
    scale: Scale,
    *,
    resolution: Sequence[float],
    rules: Sequence[str] = DEFAULT_RULES,
    method: Method | None = None,
) -> PhaseOne:
    """Centre, sigma and limits of chosen lots.

    Args:
        values: in order of manufacture; None where a lot has none.
        scale: on which they are computed.
        resolution: smallest step of each value, for those that lie on a bound of the scale.
        rules: Nelson's 1 to 8, ``we1`` to ``we4``.
        method: prediction limits below 50 lots and individuals from then on, unless told.

    Raises:
        InvalidInput: a rule or method is unknown, or a value is not of the scale.
        NotEstimable: fewer lots with a value than limits need, or no variation.
    """
    data = with_gaps(values)
    chosen = checked_rules(rules)
    n = int(np.sum(~np.isnan(data)))
    if n < LIMITS_FROM:
        raise NotEstimable(
            "BQC-STA-001",
            f"{n} lots with a value: below {LIMITS_FROM} there is no limit line, only data",
            hint="The self-starting chart judges lots from the third on, until there are enough.",
        )
    way = method or ("prediction" if n < INDIVIDUALS_FROM else "individuals")
    if way == "prediction":
        made = on_scale(data, scale, prediction, resolution=resolution)
    elif way == "individuals":
        made = on_scale(data, scale, individuals, resolution=resolution)
    else:
        raise InvalidInput("BQC-STA-003", f"limits are by prediction or individuals, not {way!r}")
    chart = made.chart
    lines = Lines.of(chart, scale, chosen)
    by: Literal["prediction", "mr"] = "prediction" if way == "prediction" else "mr"
    return PhaseOne(lines, made, way, n, alarms_of_limits(chosen, n, by))


def checked_rules(rules: Sequence[str]) -> tuple[str, ...]:
    """The chosen rules, each once.

    Raises:
        InvalidInput: none is chosen, or one is not known.
    """
    chosen = tuple(dict.fromkeys(one.strip().casefold() for one in rules))
    wrong = [one for one in chosen if one not in RULES]
    if wrong or not chosen:
        raise InvalidInput(
            "BQC-STA-003",
            f"no such rule: {', '.join(wrong) or 'none is chosen'}",
            hint=f"Rules are {', '.join(RULES)}.",
        )
    return chosen


def scores(
    on_the_scale: Floats, bounds: Sequence[str], lines: Sequence[Lines | None]
) -> tuple[Floats, tuple[Signal, ...]]:
    """Distance of each lot from the lines that hold for it, in sigma, and its signals.

    A censored value has no distance; it signals by what lies beyond a limit with all it may be. A
    pattern is of lots that the same lines hold for: their distances are in one sigma.

    Args:
        on_the_scale: one value of each lot; NaN where it has none. A censored one is at its bound.
        bounds: of each lot: "" for a number, ``low`` where it may be lower on the scale, ``high``
            where it may be higher.
        lines: that hold for each lot.
    """
    z = np.full(on_the_scale.shape, np.nan)
    certain = np.array([not one for one in bounds], dtype=np.bool_)
    found: list[Signal] = []
    for line in {id(line): line for line in lines if line is not None}.values():
        own = np.array([one is line for one in lines])
        chart = line.chart(on_the_scale)
        z[own] = chart.z[own]
        beyond = [
            at for at in chart.beyond
            if own[at - 1] and _is_certain(bounds[at - 1], float(z[at - 1]))
        ]  # fmt: skip
        alone = np.where(own & certain, z, np.nan)
        for rule in (RULES[name] for name in RULES if name in line.rules):
            if rule.of == 1:  # the limit itself, so that what is drawn and what signals are one
                found += [Signal(rule.name, at, (at,)) for at in beyond]
            else:
                found += signals(alone, [rule])
    return np.where(certain, z, np.nan), tuple(found)


def _is_certain(bound: str, z: float) -> bool:
    """Whether all that a value may be lies beyond the limit that its bound lies beyond."""
    return not bound or (bound == "low") == (z < 0)


def self_starting(on_the_scale: Floats, state: QState = NO_LOTS) -> tuple[Floats, Floats, Floats]:
    """Q of each lot with the mean and standard deviation of the lots before it (Quesenberry 1991).

    Args:
        on_the_scale: (n,) one value of each lot, in order; NaN where it has none.
        state: what lots before these leave behind.

    Returns:
        Q, mean and standard deviation, NaN where there is none.
    """
    found = np.full((3, on_the_scale.size), np.nan)
    for place, value in enumerate(on_the_scale.tolist()):
        before = state
        state, q = before.update(value)
        if q is not None:
            found[:, place] = q, before.average, math.sqrt(before.squares / (before.n - 1))
    return found[0], found[1], found[2]


def scaled(
    values: Sequence[float | None], scale: Scale, resolution: Sequence[float]
) -> tuple[Floats, tuple[int, ...]]:
    """Values on a scale, and the places from 0 of those that the scale does not take (told NaN)."""
    data, steps = with_gaps(values), np.asarray(resolution, dtype=np.float64)
    found, refused = np.full(data.shape, np.nan), []
    waiting = [np.arange(data.size)]
    while waiting:
        part = waiting.pop()
        try:
            found[part] = scale.forward(data[part], resolution=steps[part].tolist()).values
        except InvalidInput:
            if part.size == 1:
                refused.append(int(part[0]))
            else:
                waiting += [part[part.size // 2 :], part[: part.size // 2]]
    return found, tuple(refused)


def robust_scores(on_the_scale: Floats) -> Floats:
    """Distance of each value from the median in robust sigma, 1.4826 MAD; NaN where there is none.

    Below three values, or where half of them are equal, there is none.
    """
    here = on_the_scale[~np.isnan(on_the_scale)]
    none = np.full(on_the_scale.shape, np.nan)
    if here.size < 3:
        return none
    try:
        spread = mad(here).value
    except NotEstimable:
        return none
    return np.asarray((on_the_scale - np.median(here)) / spread, dtype=np.float64)
