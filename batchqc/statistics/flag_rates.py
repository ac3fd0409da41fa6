"""How many flags the rules raise by themselves, over the lots of a series that they judged."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from batchqc.statistics.false_alarms import alarms_of_scores
from batchqc.statistics.lot_series import Trend


@dataclass(frozen=True, slots=True)
class FlagRate:
    """Lots of a series that one limit set judged, or the self-starting chart.

    Args:
        by: the limit set, or self-starting.
        rules: that judged, together.
        average: lots to a false flag of these rules.
        interval: of that average, in words.
        method: by which it was computed, and what it assumes.
        n: lots judged.
        signals: found among them.
    """

    by: str
    rules: str
    average: float
    interval: str
    method: str
    n: int
    signals: int

    @property
    def expected(self) -> float:
        """False flags to expect where nothing changes."""
        return self.n / self.average


def flag_rates(trend: Trend) -> Iterator[FlagRate]:
    """One for each limit set that judged a lot, and one for the self-starting chart."""
    counted = Counter(one.by for one in trend.lots if one.by and one.value is not None)
    seen = Counter(one.by for one in trend.signals)
    for by, n in counted.items():
        rules, figure = _rules(trend, by)
        low, high = figure.get("lower"), figure.get("upper")
        interval = "exact" if low is None else f"{float(low):.6g} to {float(high or 0):.6g}"
        told = (figure[name] for name in ("method", "assumptions", "limitations"))
        method = "; ".join(one for one in told if one)
        yield FlagRate(by, rules, float(figure["value"]), interval, method, n, seen[by])


def _rules(trend: Trend, by: str) -> tuple[str, Mapping[str, Any]]:
    for one in trend.sets:
        if by == f"limit set {one.number}":
            return ", ".join(one.lines.rules), one.content["run_length"]
    return "beyond 3", alarms_of_scores().row
