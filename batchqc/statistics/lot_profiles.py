"""Whether the whole profile of a lot is odd, its attributes together, and which of them drive it.

A lot is held against all other lots: it is not among those that centre and covariance come from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from batchqc.core.trends import is_numeric
from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.decomposition import decompose, lot_distances
from batchqc.statistics.figures import Figure
from batchqc.statistics.lot_series import Trend
from batchqc.statistics.phase_values import phase_values
from batchqc.statistics.references import reference_of
from batchqc.statistics.t2_limits import t2_limit, t2_p_value
from batchqc.statistics.trend_limits import ALPHA
from batchqc.statistics.values import Floats

#: So many attributes that drive a lot are told.
_DRIVERS: Final = 3


@dataclass(frozen=True, slots=True)
class LotProfile:
    """One lot with all attributes.

    Args:
        lot: its id.
        distance: Mahalanobis distance from the other lots, with its method and assumptions.
        t2: Hotelling T² of it, in phase II of the other lots.
        limit: upper limit of T².
        p: chance of so large a T² of a lot in control.
        drivers: attributes with what each adds to T² given the others, the largest first.
    """

    lot: str
    distance: Figure
    t2: float
    limit: float
    p: float
    drivers: tuple[tuple[str, float], ...]

    @property
    def is_odd(self) -> bool:
        """Whether T² lies beyond its limit."""
        return self.t2 > self.limit


@dataclass(frozen=True, slots=True)
class Profiles:
    """Of a product at a stage.

    Args:
        attributes: that are in the profile.
        lots: those that have all of them, in order.
        alpha: chance of a false alarm at each.
        method: name and source.
        assumptions: what must hold.
        said: what was left out, and why.
    """

    attributes: tuple[str, ...]
    lots: tuple[LotProfile, ...]
    alpha: float
    method: str
    assumptions: tuple[str, ...]
    said: tuple[str, ...]


METHOD: Final = (
    "Hotelling T², phase II, the lot left out (Tracy, Young and Mason 1992); drivers T² - T²_(-i)"
    " (Runger, Alt and Montgomery 1996)"
)
ASSUMED: Final = ("lots are independent", "attributes are jointly normal on their scales")


def profiles_of(trends: Sequence[Trend]) -> Profiles:
    """T² of every lot that has all numeric attributes, within the newest phase of each.

    Attributes that do not vary are left out, and said. With as many attributes as lots there is
    none: only data.
    """
    said: list[str] = []
    columns = dict(_columns(trends, said))
    places = sorted({one.lot.place for trend in trends for one in trend.lots})
    lots = [
        lot for _, lot in places if all(lot in own for own in columns.values())
    ] if columns else []  # fmt: skip
    table = np.array([[own[lot] for own in columns.values()] for lot in lots])
    found: tuple[LotProfile, ...] = ()
    if len(columns) < 2:
        said.append(f"{len(columns)} attributes with numbers make no profile: two are needed")
    else:
        try:
            found = tuple(_profiles(table.reshape(len(lots), len(columns)), lots, [*columns]))
        except (NotEstimable, InvalidInput) as problem:
            said.append(f"{len(lots)} lots have all {len(columns)} attributes: {problem.message}")
    return Profiles(tuple(columns), found, ALPHA, METHOD, ASSUMED, tuple(said))


def _columns(trends: Sequence[Trend], said: list[str]) -> Iterator[tuple[str, dict[str, float]]]:
    """Each attribute with its values on the scale, by lot."""
    last = max((one.lot.place for trend in trends for one in trend.lots[-1:]), default=None)
    for trend in trends:
        name = trend.attribute.criterion
        if not is_numeric(trend.criterion) or not trend.phases:
            continue
        newest = trend.lots[-1].lot
        if newest.place != last:
            said.append(f"{name} is left out: it judges no lot since {newest.lot}")
            continue
        values = phase_values(trend, trend.phases[-1])
        why = values.problem
        if values.censored:
            why = f"{values.censored} lots are censored, and a bound is no value"
        elif not why and len(set(values.on.tolist())) < 2:
            why = "it does not vary"
        if why:
            said.append(f"{name} is left out: {why}")
            continue
        names = (one.lot.lot for one in values.lots)
        yield name, dict(zip(names, values.on.tolist(), strict=True))


def _profiles(table: Floats, lots: Sequence[str], names: Sequence[str]) -> Iterator[LotProfile]:
    m, p = table.shape
    distances = lot_distances(table)
    limit = t2_limit(p, m - 1, size=1, phase=2, alpha=ALPHA)
    for at, (lot, distance) in enumerate(zip(lots, distances, strict=True)):
        t2 = distance.value**2
        drivers: tuple[tuple[str, float], ...] = ()
        if t2 > limit:
            parts = decompose(table[at], reference_of(np.delete(table, at, 0)))
            drivers = tuple(
                (names[place - 1], parts.contributions[place - 1].given_others)
                for place in parts.drivers[:_DRIVERS]
            )
        p_value = t2_p_value(t2, p, m - 1, size=1, phase=2)
        yield LotProfile(lot, distance, t2, limit, p_value, drivers)
