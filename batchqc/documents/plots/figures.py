"""A figure in words: value, interval, n and method; and what it assumes."""

import math

from batchqc.documents.plots.axes import number
from batchqc.statistics.figures import Figure


def said_of(figure: Figure) -> str:
    """``Ppk 1.33 (95 % interval 0.92 to 1.75), n = 20, exact …``."""
    count = f", n = {figure.n}" if figure.n else ""
    return f"{figure.name} {value_of(figure)}{_interval(figure)}{count}, {figure.method}"


def value_of(figure: Figure) -> str:
    """The estimate, or that there is none."""
    return number(figure.value) if math.isfinite(figure.value) else "not estimable"


def interval_of(figure: Figure) -> str:
    """The interval in words: both ends, one of them, or none."""
    low = figure.lower if _there(figure.lower) else None
    high = figure.upper if _there(figure.upper) else None
    if not figure.confidence or (low is None and high is None):
        return "no interval"
    share = f"with {100 * figure.confidence:g} % confidence"
    if low is None or high is None:
        end = f"at most {number(high)}" if high is not None else f"at least {number(low or 0.0)}"
        return f"{end}, {share}"
    return f"from {number(low)} to {number(high)}, {share}"


def _interval(figure: Figure) -> str:
    return f" ({interval_of(figure)})"


def _there(end: float | None) -> bool:
    return end is not None and math.isfinite(end)
