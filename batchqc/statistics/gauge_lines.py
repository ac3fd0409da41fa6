"""Lines of a gauge report: standard deviations and percentages."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from batchqc.errors import NotEstimable
from batchqc.statistics.figures import Figure
from batchqc.statistics.mls_limits import MeanSquares, mls_ratio
from batchqc.statistics.values import Floats

_NAMES: Final = {
    "EV": "repeatability",
    "AV": "operator",
    "INT": "interaction",
    "REPRO": "reproducibility",
    "GRR": "grr",
    "PV": "part",
    "TV": "total",
}


@dataclass(frozen=True, slots=True)
class GaugeLine:
    """One source of a gauge study.

    Args:
        sd: standard deviation, in the unit of the values, with its interval.
        study: its percentage of the total standard deviation, with its interval.
        contribution: its percentage of the total variance.
        of_tolerance: its spread as a percentage of the tolerance; None without a tolerance.
    """

    sd: Figure
    study: Figure
    contribution: float
    of_tolerance: float | None


def lines(
    squares: MeanSquares,
    weights: Mapping[str, Floats],
    variances: Mapping[str, Figure],
    scale: tuple[float | None, float],
) -> dict[str, GaugeLine]:
    """Lines by the letters of AIAG, and REPRO: operator and interaction together.

    Args:
        squares: mean squares of the model.
        weights: of each variance on them.
        variances: by name.
        scale: the tolerance, and the width of a spread in standard deviations.
    """
    total = variances["total"]
    tolerance, sigmas = scale
    found = {}
    for letters, name in _NAMES.items():
        if name not in variances:
            continue
        one = variances[name]
        sd = math.sqrt(one.value)
        ends = _of_total(squares, weights[name], weights["total"], one.confidence)
        share = one.value / total.value
        found[letters] = GaugeLine(
            _root(letters, one, sd),
            Figure(
                f"%{letters} of study variation", 100 * math.sqrt(share), one.method, one.n,
                *ends, one.confidence if ends[0] is not None else 0.0, None, one.assumptions,
                () if ends[0] is not None else ("the interval of the ratio does not exist",),
            ),
            100 * share,
            None if tolerance is None else 100 * sigmas * sd / tolerance,
        )  # fmt: skip
    return found


def _root(name: str, one: Figure, sd: float) -> Figure:
    lower, upper = (math.sqrt(end or 0.0) for end in (one.lower, one.upper))
    return Figure(
        name, sd, one.method, one.n, lower, upper, one.confidence, None, one.assumptions,
        one.limitations,
    )  # fmt: skip


def _of_total(
    squares: MeanSquares, part: Floats, whole: Floats, conf: float
) -> tuple[float | None, float | None]:
    try:
        lower, upper = mls_ratio(squares, part, whole, conf=conf)
    except NotEstimable:
        return None, None
    low, high = (100 * math.sqrt(min(max(end, 0.0), 1.0)) for end in (lower, upper))
    return low, high
