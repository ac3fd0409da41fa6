"""Hotelling's T²: is the whole profile of a lot odd, its attributes together?

A lot that misses attributes is left out of phase I, and judged in phase II on those it has.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput
from batchqc.statistics.multivariate_values import listed, lots_of, subgroups_of
from batchqc.statistics.references import (
    Covariance,
    Reference,
    reference_of,
    reference_of_subgroups,
)
from batchqc.statistics.t2_limits import ALPHA, Phase, t2_limit, t2_p_value
from batchqc.statistics.values import Floats

_ASSUMED: Final = ("lots are independent", "attributes are jointly normal on the scales charted")


@dataclass(frozen=True, slots=True, eq=False)
class T2Chart:
    """Of a series of lots or subgroups.

    Args:
        t2: of each; None where it has no attribute, or is incomplete in phase I.
        limits: upper limit of each; None where it has no T².
        p_values: chance of so large a T² in control; None where it has none.
        limit: upper limit of a complete lot.
        signals: 1-based places of those beyond.
        reference: centre and covariance that were used.
        alpha: chance of a false alarm at each.
        n: lots or subgroups that have a T².
        method: its name and source.
        assumptions: what must hold.
        limitations: what these data do not allow.
    """

    t2: tuple[float | None, ...]
    limits: tuple[float | None, ...]
    p_values: tuple[float | None, ...]
    limit: float
    signals: tuple[int, ...]
    reference: Reference
    alpha: float
    n: int
    method: str
    assumptions: tuple[str, ...]
    limitations: tuple[str, ...]


def t2_phase1(
    data: ArrayLike, *, alpha: float = ALPHA, covariance: Covariance = "sample"
) -> T2Chart:
    """Lots against themselves: which do not belong to the rest?

    Args:
        data: (m, p) individual lots, None where a value is missing; or (m, n, p) subgroups.
        alpha: chance of a false alarm at each lot.
        covariance: of individual lots, ``sample`` or ``successive``.

    Returns:
        the chart; limits: individual lots, ((m-1)²/m) Beta(p/2, (m-p-1)/2), exact; subgroups,
        p(m-1)(n-1)/(mn-m-p+1) F(p, mn-m-p+1); successive differences: chi-square, approximate.

    Raises:
        InvalidInput: no such table of numbers, or alpha out of range.
        NotEstimable: as `reference_of`.

    Source:
        Tracy, Young and Mason 1992; Ryan 2011, chapter 9; Sullivan and Woodall 1996.
    """
    from_subgroups = np.ndim(data) == 3
    if from_subgroups:
        reference, x = reference_of_subgroups(data), subgroups_of(data).mean(axis=1)
    else:
        reference, x = reference_of(data, covariance=covariance), lots_of(data, keep=True)[0]
    whole = ~np.isnan(x).any(axis=1)
    found = np.full(len(x), np.nan)
    found[whole] = reference.t2(x[whole])
    approximate = covariance == "successive" and not from_subgroups
    law = "chi-square" if approximate else "phase 1"
    return _chart(found, np.where(whole, reference.p, 0), reference, alpha, law)


def t2_phase2(data: ArrayLike, reference: Reference, *, alpha: float = ALPHA) -> T2Chart:
    """New lots against lots in control, which they are not among.

    Args:
        data: (n, p) lots, None where a value is missing: such a lot is judged on what it has; or
            (k, n, p) subgroups of the size of the reference.
        reference: of the lots in control.
        alpha: chance of a false alarm at each lot.

    Returns:
        the chart; limits: individual lots, p(m+1)(m-1)/(m(m-p)) F(p, m-p); subgroups,
        p(m+1)(n-1)/(mn-m-p+1) F(p, mn-m-p+1); known parameters, chi-square.

    Raises:
        InvalidInput: no such table, another number of attributes, or alpha out of range.

    Source:
        Tracy, Young and Mason 1992; Ryan 2011, chapter 9.
    """
    if np.ndim(data) == 3:
        table = subgroups_of(data)
        if table.shape[1] != reference.size:
            raise InvalidInput(
                "BQC-STA-003", f"subgroups of {table.shape[1]}, the reference has {reference.size}"
            )
        x = table.mean(axis=1)
    else:
        x = lots_of(data, keep=True)[0]
    if x.shape[1] != reference.p:
        raise InvalidInput("BQC-STA-003", f"{x.shape[1]} attributes; the reference: {reference.p}")
    found, attributes = np.full(len(x), np.nan), (~np.isnan(x)).sum(axis=1)
    for row, one in enumerate(x):
        if attributes[row]:
            present = ~np.isnan(one)
            found[row] = reference.of(present).t2(one[None, present])[0]
    return _chart(found, attributes, reference, alpha, "phase 2")


def _chart(
    found: Floats, attributes: Floats, reference: Reference, alpha: float, law: str
) -> T2Chart:
    phase: Phase = 1 if law == "phase 1" else 2
    m = None if law == "chi-square" else reference.m
    size = reference.size

    def limit(p: int) -> float:
        return t2_limit(p, m, size=size, phase=phase, alpha=alpha)

    rows = [(float(t), int(p)) if p else None for t, p in zip(found, attributes, strict=True)]
    limits = tuple(None if one is None else limit(one[1]) for one in rows)
    incomplete = np.flatnonzero(attributes < reference.p) + 1
    said = list(reference.limitations)
    if law == "chi-square":
        said.append("chi-square limit: approximate for few lots")
    if incomplete.size and law == "phase 2":
        said.append(f"judged on the attributes they have: lots {listed(incomplete)}")
    return T2Chart(
        t2=tuple(None if one is None else one[0] for one in rows),
        limits=limits,
        p_values=tuple(
            None if one is None else t2_p_value(*one, m, size=size, phase=phase) for one in rows
        ),
        limit=limit(reference.p),
        signals=tuple(
            place
            for place, (one, end) in enumerate(zip(rows, limits, strict=True), 1)
            if one is not None and end is not None and one[0] > end
        ),
        reference=reference,
        alpha=alpha,
        n=sum(one is not None for one in rows),
        method=f"Hotelling T², {law} (Tracy, Young and Mason 1992)",
        assumptions=_ASSUMED,
        limitations=tuple(said),
    )
