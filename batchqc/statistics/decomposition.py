"""Which attributes drive a T²: each alone, each given the others, and how far a lot is from others.

T² given the others, T² - T²_(-i), is what the attribute adds to what the others show: an attribute
may be ordinary alone and odd for a lot whose others are as they are.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput
from batchqc.statistics.figures import Figure
from batchqc.statistics.multivariate_values import lots_of
from batchqc.statistics.references import Reference, reference_of
from batchqc.statistics.t2_limits import ALPHA, t2_limit, t2_p_value
from batchqc.statistics.values import Floats, values_of

#: Below this, leaving a lot out by formula loses digits: it is left out of the data instead.
_SURE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Contribution:
    """Of an attribute to the T² of a lot.

    Args:
        attribute: 1-based place.
        sigmas: from the centre, in standard deviations of the attribute.
        alone: T² of this attribute alone.
        given_others: T² - T²_(-i), what it adds to the others.
        limit_alone: upper limit of ``alone`` in phase II.
        limit_given: upper limit of ``given_others``, as Mason, Young and Tracy print it.
        p_value: of ``given_others``, exact, given what the others show (Rao 1973).
    """

    attribute: int
    sigmas: float
    alone: float
    given_others: float
    limit_alone: float
    limit_given: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Decomposition:
    """Of the T² of a lot.

    Args:
        t2: of the lot, all attributes together.
        contributions: of each attribute, in their order.
        steps: T²_1, T²_2.1, T²_3.1,2 ...: they add up to T² (Mason, Young and Tracy 1995).
        method: its name and source.
        n: lots of the reference; 0 where it is known.
    """

    t2: float
    contributions: tuple[Contribution, ...]
    steps: tuple[float, ...]
    method: str
    n: int

    @property
    def drivers(self) -> tuple[int, ...]:
        """1-based attributes, the one that adds most to the others first."""
        by_size = sorted(self.contributions, key=lambda one: -one.given_others)
        return tuple(one.attribute for one in by_size)


def decompose(lot: ArrayLike, reference: Reference, *, alpha: float = ALPHA) -> Decomposition:
    """Which attributes drive the T² of a lot that is not among those of the reference.

    Args:
        lot: (p,) values, or means of a subgroup of the size of the reference.
        reference: of the lots in control.
        alpha: of the limits of single attributes.

    Raises:
        InvalidInput: a value is missing or no number, or there are more or fewer than p.

    Source:
        Runger, Alt and Montgomery 1996 (T² - T²_(-i)); Mason, Young and Tracy 1995 (the steps, and
        the limit (m+1)(m-1)/(m(m-k-1)) F(1, m-k-1)); Rao 1973, 8c.4 (the exact p-value).
    """
    x = _lot(lot, reference)
    p, t2 = reference.p, _t2(x, reference, range(reference.p))
    found = []
    for i in range(p):
        others = [j for j in range(p) if j != i]
        rest = _t2(x, reference, others)
        added = max(t2 - rest, 0.0)
        off = (x[i] - reference.center[i]) / math.sqrt(reference.covariance[i, i])
        found.append(
            Contribution(
                attribute=i + 1,
                sigmas=float(off),
                alone=_t2(x, reference, [i]),
                given_others=added,
                limit_alone=t2_limit(1, reference.m, size=reference.size, alpha=alpha),
                limit_given=conditional_limit(reference, p - 1, alpha=alpha),
                p_value=_added_p(added, rest, reference, p - 1),
            )
        )
    before = 0.0
    steps = []
    for i in range(p):
        here = _t2(x, reference, range(i + 1))
        steps.append(here - before)
        before = here
    method = "T² decomposition (Mason, Young and Tracy 1995)"
    return Decomposition(t2, tuple(found), tuple(steps), method, reference.m or 0)


def conditional_t2(
    lot: ArrayLike, reference: Reference, attribute: int, given: Sequence[int]
) -> float:
    """T² of an attribute given some of the others.

    Args:
        lot: (p,) values.
        reference: of the lots in control.
        attribute: 1-based place.
        given: 1-based places of the others; none: T² of the attribute alone.

    Raises:
        InvalidInput: a place is not 1 to p, or stands twice.

    Source:
        Mason, Young and Tracy 1995.
    """
    x, known = _lot(lot, reference), [one - 1 for one in given]
    places = [*known, attribute - 1]
    if len(set(places)) < len(places) or not set(places) <= set(range(reference.p)):
        raise InvalidInput("BQC-STA-003", f"attributes are 1 to {reference.p}, each named once")
    return _t2(x, reference, places) - _t2(x, reference, known)


def conditional_limit(reference: Reference, given: int, *, alpha: float = ALPHA) -> float:
    """Upper limit of the T² of one attribute given some others, in phase II.

    Args:
        reference: of the lots in control.
        given: how many others.
        alpha: chance of a false alarm.

    Source:
        Mason, Young and Tracy 1995; subgroups with their degrees of freedom m(n-1).
    """
    if reference.m is None:
        return float(scipy.special.chdtri(1, alpha))
    df = _df(reference)
    upper = float(scipy.special.stdtrit(df - given, alpha / 2)) ** 2
    return (1 + 1 / reference.m) * df / (df - given) * upper


def lot_distances(data: ArrayLike) -> tuple[Figure, ...]:
    """Mahalanobis distance of each lot from all others, itself left out of their mean and spread.

    Args:
        data: (m, p) values without gaps, as many as p + 3 lots.

    Returns:
        for each lot D, in standard deviations of a profile; its assumptions tell the p-value.

    Raises:
        InvalidInput: no such table, or a value is missing.
        NotEstimable: too few lots, or an attribute that does not vary.

    Source:
        Mahalanobis 1936; left out by Sherman and Morrison 1950; its F law is that of phase II of
        m - 1 lots (Tracy, Young and Mason 1992).
    """
    x, said = lots_of(data)
    if said:
        raise InvalidInput("BQC-STA-003", f"attributes are missing: {said[0]}")
    reference = reference_of(x)
    m, p = x.shape
    reference_of(x[1:])  # as many others as a reference needs
    share = reference.t2(x) / (m - 1)
    ratio = m / (m - 1)
    left = 1 - ratio * share
    sure = left > _SURE
    squares = (m - 2) * ratio**2 * share / np.where(sure, left, 1.0)
    for i in np.flatnonzero(~sure):
        squares[i] = reference_of(np.delete(x, i, 0)).t2(x[i : i + 1])[0]
    return tuple(
        Figure(
            "Mahalanobis distance from the other lots",
            math.sqrt(one),
            "Mahalanobis 1936, the lot left out",
            m - 1,
            df=m - 1 - p,
            assumptions=(
                "attributes are jointly normal",
                f"p = {t2_p_value(one, p, m - 1):.3g} for a lot chosen before it was seen",
            ),
            limitations=reference.limitations,
        )
        for one in squares.tolist()
    )


def _lot(lot: ArrayLike, reference: Reference) -> Floats:
    x = values_of(lot, "attributes")
    if x.size != reference.p:
        raise InvalidInput("BQC-STA-003", f"{x.size} attributes; the reference: {reference.p}")
    return x


def _t2(x: Floats, reference: Reference, places: Sequence[int]) -> float:
    if not len(places):
        return 0.0
    at = np.array(places)
    return float(reference.of(at).t2(x[None, at])[0])


def _df(reference: Reference) -> int:
    m = reference.m or 0
    return m - 1 if reference.size == 1 else m * (reference.size - 1)


def _added_p(added: float, rest: float, reference: Reference, given: int) -> float:
    if reference.m is None:
        return float(scipy.special.chdtrc(1, added))
    df, wider = _df(reference), 1 + 1 / reference.m
    f = added * (df - given) / (df * wider + rest)
    return float(2 * scipy.special.stdtr(df - given, -math.sqrt(f)))
