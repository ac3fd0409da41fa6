"""Multivariate EWMA: small shifts of the whole profile, by a moving average of each attribute."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput
from batchqc.statistics.mewma_run_length import mewma_limit
from batchqc.statistics.multivariate_values import listed, lots_of
from batchqc.statistics.references import Reference
from batchqc.statistics.run_length import positive
from batchqc.statistics.values import Floats

_METHOD: Final = "MEWMA (Lowry, Woodall, Champ and Rigdon 1992)"


@dataclass(frozen=True, slots=True, eq=False)
class MewmaChart:
    """Of a series of lots.

    Args:
        average: (n, p) moving averages of deviations from the centre.
        t2: of each lot; None where attributes are missing: that lot is passed over.
        limit: h4.
        signals: 1-based places of lots beyond it.
        n: lots without a gap.
        method: its name and source.
        assumptions: what must hold.
        limitations: what these data do not allow.
    """

    average: Floats
    t2: tuple[float | None, ...]
    limit: float
    signals: tuple[int, ...]
    n: int
    method: str
    assumptions: tuple[str, ...]
    limitations: tuple[str, ...]


def mewma_chart(
    data: ArrayLike,
    reference: Reference,
    *,
    weight: float = 0.1,
    limit: float | None = None,
    arl0: float = 200.0,
    limits: Literal["exact", "asymptotic"] = "exact",
) -> MewmaChart:
    """T² of the moving averages of lots.

    Args:
        data: (n, p) values in the order of manufacture; a lot with a gap is passed over, and told.
        reference: centre and covariance in control.
        weight: lambda, above 0, to 1, of every attribute.
        limit: h4; None: designed for ``arl0``.
        arl0: average number of lots to a false alarm, where the limit is designed.
        limits: covariance of the average: ``exact`` for the first lots, or ``asymptotic``.

    Raises:
        InvalidInput: no such table, or a parameter is out of range.
        NotEstimable: no limit has the wanted run length.

    Source:
        Lowry, Woodall, Champ and Rigdon 1992, equations 1 to 4.
    """
    x, _ = lots_of(data, keep=True)
    if x.shape[1] != reference.p or not 0 < weight <= 1:
        raise InvalidInput("BQC-STA-003", f"wanted: {reference.p} attributes, weight above 0, to 1")
    end = mewma_limit(weight, reference.p, arl0) if limit is None else positive(limit, "the limit")
    whole = np.asarray(~np.isnan(x).any(axis=1))
    averages = np.zeros_like(x)
    found: list[float | None] = []
    here, keep = np.zeros(reference.p), 1.0 - weight
    variance, last = 0.0, weight / (2 - weight)
    for row, one in enumerate(x):
        if whole[row]:
            here = weight * (one - reference.center) + keep * here
            variance = weight * weight + keep * keep * variance
        averages[row] = here
        scale = variance if limits == "exact" else last
        t2 = reference.t2(reference.center + here[None, :])[0] / scale if whole[row] else None
        found.append(None if t2 is None else float(t2))
    said = list(reference.limitations)
    if not whole.all():
        said.append(f"passed over, as attributes are missing: {listed(np.flatnonzero(~whole) + 1)}")
    if reference.m is not None:
        said.append("the limit takes centre and covariance as known")
    return MewmaChart(
        average=averages,
        t2=tuple(found),
        limit=end,
        signals=tuple(i for i, t2 in enumerate(found, 1) if t2 is not None and t2 > end),
        n=int(whole.sum()),
        method=f"{_METHOD}, {limits} covariance",
        assumptions=("lots are independent", "attributes are jointly normal on the scales charted"),
        limitations=tuple(said),
    )
