"""Run length and false alarms of chart rules by simulation: seeded, with their Monte Carlo error.

For what no finite chain holds: rules 3 and 4, which compare lots with each other, and limits that
were estimated from a phase I of few lots. All series are drawn side by side, lot by lot.
"""

from collections.abc import Callable, Iterable
from typing import Final, Literal, TypeAlias

import numpy as np
import scipy
from numpy.typing import NDArray

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.figures import Figure
from batchqc.statistics.rule_sets import Alternation, Mixture, Part, Run, Trend, parts_of
from batchqc.statistics.run_length import KNOWN, RunLength, finite
from batchqc.statistics.values import Floats

Bools: TypeAlias = NDArray[np.bool_]
Scale: TypeAlias = Literal["mr", "sd", "prediction"]
Rules: TypeAlias = Iterable[str | int | tuple[Part, ...]]
Standardise: TypeAlias = Callable[[Floats, NDArray[np.intp]], Floats]
_D2: Final = 2.0 / np.sqrt(np.pi)
_LOTS_AT_MOST: Final = 100_000


def simulated_run_length(
    rules: Rules, *, shift: float = 0.0, draws: int = 20_000, seed: int = 1
) -> RunLength:
    """Run length of a chart with chosen rules, limits known, by simulation.

    Args:
        rules: as in `rule_run_length.rule_run_length`, 3 and 4 among them.
        shift: of the mean, in standard deviations, present from the first lot.
        draws: how many series; the interval of the answer says whether they are enough.
        seed: of the generator; the same seed gives the same answer.

    Raises:
        InvalidInput: a rule is not known, or a number is out of range.
        NotEstimable: a series has no alarm in 100,000 lots.

    Source:
        Definition of the run length; the interval is two-sided normal, of the Monte Carlo error.
    """
    finite(shift, "the shift", 50)
    parts, random = parts_of(rules), _generator(draws, seed)
    lots = _first_alarms(parts, random, draws, lambda x, _: x + shift, _LOTS_AT_MOST)
    if not lots.all():
        raise NotEstimable("BQC-STA-001", f"no alarm in {_LOTS_AT_MOST} lots: too rare to simulate")
    mean, sd = float(lots.mean()), float(lots.std(ddof=1))
    error = float(scipy.special.ndtri(0.975) * sd / np.sqrt(draws))
    figure = Figure(
        "average run length",
        mean,
        f"simulation, {draws} series, seed {seed}",
        draws,
        lower=mean - error,
        upper=mean + error,
        confidence=0.95,
        assumptions=KNOWN,
        limitations=("the interval is the Monte Carlo error",),
    )
    return RunLength(figure, sd)


def simulated_alarm_chance(
    rules: Rules,
    lots: int,
    *,
    phase1: int | None = None,
    scale: Scale = "prediction",
    draws: int = 20_000,
    seed: int = 1,
) -> Figure:
    """Chance of at least one false alarm in so many lots, with limits known or estimated.

    Args:
        rules: as in `rule_run_length.rule_run_length`, 3 and 4 among them.
        lots: how many follow phase I.
        phase1: lots from which centre and sigma are estimated; None where both are known.
        scale: ``mr`` (mean moving range / d2), ``sd`` (s / c4), or ``prediction`` (each lot by its
            own t quantile, so that rule 1 keeps its false-alarm rate).
        draws: how many series.
        seed: of the generator.

    Returns:
        the chance with its exact binomial (Clopper and Pearson 1934) 95 % interval.

    Raises:
        InvalidInput: a rule is not known, ``lots`` or ``phase1`` is too small.

    Source:
        Definition; prediction limits: Hahn 1969.
    """
    if lots < 1:
        raise InvalidInput("BQC-STA-003", f"{lots} lots: at least 1 is needed")
    parts, random = parts_of(rules), _generator(draws, seed)
    known = phase1 is None
    standard = (lambda x, _: x) if phase1 is None else _estimated(phase1, scale, random, draws)
    alarms = int(np.count_nonzero(_first_alarms(parts, random, draws, standard, lots)))
    interval = scipy.stats.binomtest(alarms, draws).proportion_ci(0.95)
    limits = "known limits" if known else f"limits from {phase1} lots ({scale})"
    return Figure(
        f"chance of a false alarm in {lots} lots",
        alarms / draws,
        f"simulation, {draws} series, seed {seed}, {limits}",
        draws,
        lower=float(interval.low),
        upper=float(interval.high),
        confidence=0.95,
        assumptions=KNOWN if known else KNOWN[1:],
        limitations=("the interval is the Monte Carlo error",),
    )


def _generator(draws: int, seed: int) -> np.random.Generator:
    if not 100 <= draws <= 1_000_000:
        raise InvalidInput("BQC-STA-003", f"{draws} draws: wanted are 100 to 1,000,000")
    return np.random.default_rng(seed)


def _estimated(phase1: int, scale: Scale, random: np.random.Generator, draws: int) -> Standardise:
    """How the lots of each series look on the chart that its own phase I has made."""
    if not 3 <= phase1 <= 10_000:
        raise InvalidInput("BQC-STA-003", f"phase I of {phase1} lots: wanted are 3 to 10,000")
    past = random.standard_normal((draws, phase1))
    centre, s = past.mean(axis=1), past.std(axis=1, ddof=1)
    if scale == "mr":
        s = np.abs(np.diff(past, axis=1)).mean(axis=1) / _D2
    elif scale == "sd":
        half = (phase1 - 1) / 2
        s = (
            s
            * np.sqrt(half)
            / np.exp(scipy.special.gammaln(half + 0.5) - scipy.special.gammaln(half))
        )
    if scale != "prediction":
        return lambda x, who: (x - centre[who]) / s[who]
    wider = s * np.sqrt(1 + 1 / phase1)

    def predicted(x: Floats, who: NDArray[np.intp]) -> Floats:
        t = (x - centre[who]) / wider[who]
        tail = scipy.special.stdtr(phase1 - 1, -np.abs(t))
        return np.asarray(np.copysign(scipy.special.ndtri(tail), t))

    return predicted


def _first_alarms(
    parts: tuple[Part, ...],
    random: np.random.Generator,
    draws: int,
    standard: Standardise,
    lots: int,
) -> NDArray[np.int64]:
    """The lot of the first alarm of each series; 0 where there is none."""
    found = np.zeros(draws, dtype=np.int64)
    who = np.arange(draws)
    machines = [_MACHINES[type(part)](part, draws) for part in parts]
    for lot in range(1, lots + 1):
        z = standard(random.standard_normal(who.size), who)
        alarm = np.zeros(who.size, dtype=bool)
        for machine in machines:
            alarm |= machine.step(z)
        found[who[alarm]] = lot
        if alarm.any():
            who = who[~alarm]
            for machine in machines:
                machine.keep(~alarm)
        if not who.size:
            break
    return found


class _Runs:
    """Hits in the window of each series."""

    def __init__(self, part: Run, series: int) -> None:
        self.part = part
        self.past = np.zeros((part.window - 1, series), dtype=bool)

    def step(self, z: Floats) -> Bools:
        now = (z > self.part.low) & (z < self.part.high)
        alarm = self.past.sum(axis=0) + now >= self.part.hits
        self.past = np.vstack((self.past, now))[1:]
        return np.asarray(alarm)

    def keep(self, left: Bools) -> None:
        self.past = self.past[:, left]


class _Mixtures:
    """Lots beyond in succession, and how many of the last are on one side."""

    def __init__(self, part: Mixture, series: int) -> None:
        self.part = part
        self.state = np.zeros((3, series), dtype=np.int64)

    def step(self, z: Floats) -> Bools:
        beyond, same, side = self.state
        out, now = np.abs(z) > self.part.low, np.sign(z).astype(np.int64)
        same = np.where(out, np.where((beyond > 0) & (now == side), same + 1, 1), 0)
        beyond = np.where(out, beyond + 1, 0)
        self.state = np.vstack((beyond, same, now))
        return np.asarray((beyond >= self.part.window) & (same < self.part.window))

    def keep(self, left: Bools) -> None:
        self.state = self.state[:, left]


class _Steps:
    """Steps in succession that go on (a trend), or turn (an alternation)."""

    def __init__(self, part: Trend | Alternation, series: int) -> None:
        self.turns = isinstance(part, Alternation)
        self.steps = part.window - 1
        self.state = np.zeros((2, series), dtype=np.int64)
        self.last: Floats | None = None

    def step(self, z: Floats) -> Bools:
        direction, count = self.state
        now = np.zeros_like(direction)
        if self.last is not None:
            now = np.sign(z - self.last).astype(np.int64)
        before = -direction if self.turns else direction
        count = np.where(now == 0, 0, np.where(now == before, count + 1, 1))
        self.state, self.last = np.vstack((now, count)), z
        return np.asarray(count >= self.steps)

    def keep(self, left: Bools) -> None:
        self.state = self.state[:, left]
        self.last = None if self.last is None else self.last[left]


_MACHINES: Final = {
    Run: _Runs,
    Mixture: _Mixtures,
    Trend: _Steps,
    Alternation: _Steps,
}
