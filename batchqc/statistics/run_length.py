"""Run length of a chart: how many lots until its first alarm, from the chart's own transitions.

A chart that has not yet signalled is somewhere inside its limits, and the next lot moves it. The
moves stand in a matrix: exact where the chart has states, and by Gauss-Legendre quadrature where it
has an interval (the Fredholm equation of Page 1954 and Crowder 1987, solved at the nodes).
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import scipy

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.figures import Figure
from batchqc.statistics.quadrature import legendre
from batchqc.statistics.values import Floats

#: How closely two numbers of nodes must agree, in proportion.
AGREEMENT: Final = 1e-9
#: Beyond this many lots on average, a float has no digits left to tell.
LONGEST: Final = 1e7
#: Above so many states, an iteration is as exact as elimination, and much shorter.
_LARGE: Final = 250
KNOWN: Final = (
    "mean and standard deviation in control are known exactly",
    "lots are independent and normally distributed",
)


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Moves of a chart between lots, alarms left out.

    Args:
        moves: (n, n), chance of each move between states; rows miss the chance of an alarm.
        first: (n,), chance of each state after the first lot; misses the chance of an alarm.
    """

    moves: Any
    first: Floats

    def average(self) -> float:
        """Average number of lots to the first alarm."""
        return 1.0 + float(self.first @ self._solve(np.ones(self.first.size)))

    def deviation(self) -> float:
        """Standard deviation of the number of lots to the first alarm."""
        left = self._solve(np.ones(self.first.size))
        mean = 1.0 + float(self.first @ left)
        factorial = 2.0 * float(self.first @ self._solve(left))
        return float(np.sqrt(max(factorial + mean - mean * mean, 0.0)))

    def without_alarm(self, lots: int) -> Floats:
        """Chance of no alarm within 1, 2, ... ``lots`` lots."""
        found, here = np.empty(lots), self.first
        for place in range(lots):
            found[place] = here.sum()
            here = here @ self.moves
        return np.clip(found, 0.0, 1.0)

    def settled(self) -> Floats:
        """Chance of each state after a long time without an alarm (quasi-stationary)."""
        here = self.first / self.first.sum()
        for _ in range(100_000):
            after = here @ self.moves
            after = after / after.sum()
            if np.abs(after - here).max() < 1e-14:
                return np.asarray(after)
            here = after
        raise NotEstimable("BQC-STA-002", "the chart does not settle: no steady state was found")

    def cyclical(self) -> Floats:
        """Share of time in each state of a chart that starts anew after each alarm."""
        occupied = scipy.linalg.solve((np.eye(self.first.size) - self.moves).T, self.first)
        return np.asarray(occupied / occupied.sum())

    def _solve(self, right: Floats) -> Floats:
        with warnings.catch_warnings():
            warnings.simplefilter("error", scipy.linalg.LinAlgWarning)
            warnings.simplefilter("error", scipy.sparse.linalg.MatrixRankWarning)
            try:
                if scipy.sparse.issparse(self.moves):
                    whole = scipy.sparse.eye_array(right.size, format="csc") - self.moves.tocsc()
                    return np.asarray(scipy.sparse.linalg.spsolve(whole, right))
                whole = np.eye(right.size) - self.moves
                if right.size > _LARGE:
                    found, failed = scipy.sparse.linalg.gmres(
                        whole, right, rtol=1e-12, atol=0.0, restart=100
                    )
                    if not failed:
                        return np.asarray(found)
                return np.asarray(scipy.linalg.solve(whole, right))
            except (
                scipy.linalg.LinAlgWarning,
                scipy.linalg.LinAlgError,
                scipy.sparse.linalg.MatrixRankWarning,
            ):
                raise too_long() from None


@dataclass(frozen=True, slots=True)
class RunLength:
    """Of a chart, at a shift.

    Args:
        average: number of lots to the first alarm (ARL), the alarming one counted.
        sd: its standard deviation; None where only the average is exact.
        chain: from which both came; None where there is no single one.
    """

    average: Figure
    sd: float | None = None
    chain: Chain | None = field(default=None, repr=False, compare=False)

    def alarm_within(self, lots: int) -> float:
        """Chance of at least one alarm in so many lots.

        Raises:
            InvalidInput: ``lots`` is below 1.
            NotEstimable: no exact distribution is known for this chart.
        """
        if lots < 1:
            raise InvalidInput("BQC-STA-003", f"{lots} lots: at least 1 is needed")
        if self.chain is None:
            raise NotEstimable(
                "BQC-STA-001",
                f"{self.average.method}: only the average is exact, not the distribution",
                hint="Ask for one side, and add the chances of both sides as an upper bound.",
            )
        return 1.0 - float(self.chain.without_alarm(lots)[-1])


def settle(build: Callable[[int], Chain], nodes: int, at_most: int = 2000) -> Chain:
    """The chain with as many nodes as its average run length needs to stand still.

    Args:
        build: a chain from a number of nodes.
        nodes: to begin with.
        at_most: nodes, before it is given up.

    Raises:
        NotEstimable: it does not stand still, or alarms are so rare that no digit is certain.
    """
    chain = build(nodes)
    found = chain.average()
    while nodes < at_most:
        nodes = int(1.4 * nodes) + 1
        finer = build(nodes)
        value = finer.average()
        if not 0.999 < value < LONGEST:
            raise too_long()
        if abs(value - found) <= AGREEMENT * value:
            return finer
        found = value
    raise NotEstimable("BQC-STA-002", f"the average run length is not certain at {nodes} nodes")


def too_long() -> NotEstimable:
    """Alarms are rarer than a float can tell."""
    return NotEstimable(
        "BQC-STA-001",
        f"the average run length is beyond {LONGEST:g} lots: no digit of it is certain",
        hint="Such limits never alarm; choose narrower ones.",
    )


def nodes_between(low: float, high: float, number: int) -> tuple[Floats, Floats]:
    """Nodes and weights of Gauss-Legendre quadrature on an interval."""
    places, weights = legendre(number)
    half = 0.5 * (high - low)
    return low + half * (places + 1.0), half * weights


def figure_of(value: float, method: str, *limitations: str) -> Figure:
    """An average run length under known parameters, as a figure; it rests on no lots."""
    return Figure(
        "average run length", value, method, 0, assumptions=KNOWN, limitations=limitations
    )


def positive(value: float, what: str, below: float = 1e6) -> float:
    """A parameter of a chart.

    Raises:
        InvalidInput: it is no number above 0 and below a bound.
    """
    if not 0 < value < below:
        raise InvalidInput("BQC-STA-003", f"{what} is {value:g}: not above 0 and below {below:g}")
    return float(value)


def finite(value: float, what: str, beyond: float = 1e6) -> float:
    """A shift, a start or a centre.

    Raises:
        InvalidInput: it is no number, or absurdly large.
    """
    if not abs(value) <= beyond:
        raise InvalidInput("BQC-STA-003", f"{what} is {value:g}: no number between ±{beyond:g}")
    return float(value)
