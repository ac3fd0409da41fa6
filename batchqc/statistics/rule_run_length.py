"""Combined run length of any set of chart rules: exactly, where what matters of the past is finite.

Rules that compare with fixed lines see only the zone in which a lot lies; what they remember is one
of finitely many states (Champ and Woodall 1987). Rules 3 and 4 compare lots with each other and are
simulated in `rule_simulation`.
"""

import itertools
from collections.abc import Iterable
from typing import Final

import numpy as np
import scipy

from batchqc.errors import NotEstimable
from batchqc.statistics.rule_sets import Mixture, Part, Run, parts_of
from batchqc.statistics.run_length import LONGEST, Chain, RunLength, figure_of, finite, too_long
from batchqc.statistics.values import Floats

_METHOD: Final = "Markov chain of the rules together (Champ and Woodall 1987)"
_MOST_STATES: Final = 60_000
_DENSE: Final = 20

_State = tuple[int, ...]


def rule_run_length(
    rules: Iterable[str | int | tuple[Part, ...]], *, shift: float = 0.0, spread: float = 1.0
) -> RunLength:
    """Run length of a chart of individual lots with chosen rules, limits known.

    Args:
        rules: numbers of Nelson (1, 2, 5 to 8), ``we1`` to ``we4``, or rules of one's own
            (`rule_sets.both_sides`).
        shift: of the mean, in standard deviations, present from the first lot.
        spread: standard deviation of the lots, as a multiple of the one that the limits use.

    Raises:
        InvalidInput: a rule is not known, or a number is out of range.
        NotEstimable: rules 3 or 4 are among them (simulate them), the states are too many, or
            alarms are too rare for a float.

    Source:
        Champ and Woodall 1987, sections 2 and 3.
    """
    finite(shift, "the shift", 50)
    if not 0.01 <= spread <= 100:
        raise too_wide(spread)
    machines = _machines(parts_of(rules))
    cuts = sorted({cut for one in machines for cut in one.cuts})
    inside = _between(cuts)
    chances = _chances((np.array(cuts) - shift) / spread)
    moves, first = _chain(machines, inside, chances)
    chain = Chain(moves, first)
    value = chain.average()
    if not 0.999 < value < LONGEST:
        raise too_long()
    return RunLength(figure_of(value, _METHOD), chain.deviation(), chain)


def too_wide(spread: float) -> NotEstimable:
    """A spread that is no spread of lots on a chart."""
    return NotEstimable("BQC-STA-001", f"a spread of {spread:g} is not between 0.01 and 100")


def _machines(parts: tuple[Part, ...]) -> tuple[Run | Mixture, ...]:
    found = tuple(one for one in parts if isinstance(one, Run | Mixture))
    if len(found) < len(parts):
        raise NotEstimable(
            "BQC-STA-001",
            "rules 3 and 4 compare lots with each other: no finite chain holds them",
            hint="Use rule_simulation.simulated_run_length, which tells its Monte Carlo error.",
        )
    return found


def _between(cuts: list[float]) -> list[float]:
    """A value in each zone between the lines."""
    middle = [(low + high) / 2 for low, high in itertools.pairwise(cuts)]
    return [cuts[0] - 1.0, *middle, cuts[-1] + 1.0]


def _chances(cuts: Floats) -> Floats:
    """Chance of each zone; in the upper half from the upper tail, for its digits."""
    low, high = np.r_[-np.inf, cuts], np.r_[cuts, np.inf]
    return np.asarray(
        np.where(
            low > 0,
            scipy.special.ndtr(-low) - scipy.special.ndtr(-high),
            scipy.special.ndtr(high) - scipy.special.ndtr(low),
        )
    )


def _chain(
    machines: tuple[Run | Mixture, ...], zones: list[float], chances: Floats
) -> tuple[object, Floats]:
    known: dict[_State, int] = {(0,) * len(machines): 0}
    waiting = list(known)
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    for state in waiting:  # it grows while it is read
        for z, chance in zip(zones, chances, strict=True):
            after = _after(machines, state, z)
            if after is None:
                continue
            if after not in known:
                known[after] = len(known)
                waiting.append(after)
            rows.append(known[state])
            columns.append(known[after])
            values.append(chance)
        if len(known) > _MOST_STATES:
            raise NotEstimable(
                "BQC-STA-001",
                f"these rules together remember more than {_MOST_STATES} states",
                hint="Use rule_simulation.simulated_run_length.",
            )
    size = (len(known), len(known))
    moves = scipy.sparse.coo_array((values, (rows, columns)), shape=size).tocsr()
    first = moves[[0], :].toarray()[0]
    return (moves.toarray() if len(known) < _DENSE else moves), first


def _after(machines: tuple[Run | Mixture, ...], state: _State, z: float) -> _State | None:
    """What is remembered after a lot in a zone; None after an alarm."""
    memory: list[int] = []
    for machine, before in zip(machines, state, strict=True):
        left, alarm = machine.step(before, z)
        if alarm:
            return None
        memory.append(left)
    return tuple(memory)
