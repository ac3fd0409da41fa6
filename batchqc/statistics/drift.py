"""Slow drift of a series: EWMA and CUSUM of the scores of its newest phase.

A score is normal about 0 with sigma 1 while nothing changes, by frozen limits and by Q alike; so
both charts begin at 0 and need no centre of their own. Where the limits change that lots are scored
by, both begin anew: no average runs over two limit sets.
"""

from dataclasses import dataclass
from itertools import groupby
from typing import Final

from batchqc.statistics.cusum import Baseline, CusumChart, cusum_chart
from batchqc.statistics.cusum_run_length import cusum_run_length
from batchqc.statistics.ewma import EwmaChart, ewma_chart
from batchqc.statistics.ewma_run_length import ewma_run_length
from batchqc.statistics.lot_series import Judged, Trend

#: A false alarm in 500 lots on average, for shifts of one sigma (Lucas and Saccucci 1990, table 3).
WEIGHT: Final = 0.2
WIDTH: Final = 2.962
#: A false alarm in 465 lots on average, for shifts of one sigma (Montgomery 2020, table 9.3).
ALLOWANCE: Final = 0.5
DECISION: Final = 5.0
_SCORES: Final = Baseline(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Drift:
    """Consecutive lots that are scored by the same limits, with both charts of their scores."""

    by: str
    lots: tuple[Judged, ...]
    ewma: EwmaChart
    cusum: CusumChart


def drift_of(trend: Trend) -> tuple[Drift, ...]:
    """Both charts of the newest phase; nothing where no lot has a score.

    A lot without a score leaves both where they are.
    """
    newest = trend.phases[-1].number if trend.phases else 0
    own = [one for one in trend.lots if one.phase == newest and one.by]
    found = []
    for by, same in groupby(own, key=lambda one: one.by):
        lots = tuple(same)
        scores = [one.score for one in lots]
        ewma = ewma_chart(scores, _SCORES, weight=WEIGHT, width=WIDTH, limits="asymptotic")
        cusum = cusum_chart(scores, _SCORES, k=ALLOWANCE, h=DECISION)
        found.append(Drift(by, lots, ewma, cusum))
    return tuple(found)


def ewma_said() -> str:
    """What the EWMA is, and how often it errs."""
    average = ewma_run_length(WEIGHT, WIDTH).average.value
    return f"EWMA of scores, weight {WEIGHT:g}, limits {WIDTH:g} sigma (Roberts 1959)" + _errs(
        average
    )


def cusum_said() -> str:
    """What the CUSUM is, and how often it errs."""
    average = cusum_run_length(ALLOWANCE, DECISION).average.value
    return f"CUSUM of scores, k {ALLOWANCE:g}, h {DECISION:g} (Page 1954)" + _errs(average)


def _errs(average: float) -> str:
    return (
        f": where nothing changes, one false alarm in {average:.0f} lots on average; centre and"
        " sigma of the limits are taken as known"
    )
