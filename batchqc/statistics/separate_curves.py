"""A curve of its own for each preparation: what the common curve is compared with."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from batchqc.errors import NotEstimable
from batchqc.statistics.bioassay import Assay
from batchqc.statistics.curve_fit import Minimum, Tied, least
from batchqc.statistics.curve_starts import starts
from batchqc.statistics.dose_response import tie
from batchqc.statistics.values import Floats


@dataclass(frozen=True, slots=True)
class Separate:
    """A curve of its own for each preparation, with one residual variance.

    Args:
        inner: preparations x 5: b, c, d, ln e, ln f.
        covariance: of the free parameters of each preparation: preparations x q x q.
        rss: weighted residual sum of squares.
        df: of the residual.
        fitted: n.
    """

    inner: Floats
    covariance: Floats
    rss: float
    df: int
    fitted: Floats


def separate_curves(wells: Assay, tied: Tied, found: Minimum) -> Separate | None:
    """Curves of their own, with the weights of the joint fit; None where one cannot be fitted."""
    own, offsets = tie(tied.model)
    inner, covariance, rss = [], [], 0.0
    fitted = np.empty(wells.n)
    for place in range(len(wells.names)):
        wanted = wells.of == place
        part = Tied(
            tied.model, tied.log_dose[wanted], tied.y[wanted], tied.weight[wanted],
            wells.of[wanted] * 0, own[None], offsets[None],
        )  # fmt: skip
        begin = own.T @ (tied.maps[place] @ found.p + tied.offsets[place])
        more = [own.T @ one for one in starts(tied.model, part.log_dose, part.y)]
        try:
            one = least(part, [begin, *more])
        except NotEstimable:
            return None
        inner.append(own @ one.p + offsets)
        covariance.append(one.gauss_newton)
        rss += one.rss
        fitted[wanted] = one.fitted
    df = wells.n - own.shape[1] * len(wells.names)
    if df < 1:
        return None
    return Separate(np.array(inner), np.array(covariance) * rss / df, rss, df, fitted)


def nonparallel(
    found: Minimum, df: int, separate: Separate | None
) -> tuple[float, int, int, float] | None:
    """F of separate curves against the common one, its degrees of freedom and p."""
    if separate is None or df <= separate.df or separate.rss <= 0:
        return None
    more = df - separate.df
    f = max(found.rss - separate.rss, 0.0) / more / (separate.rss / separate.df)
    return f, more, separate.df, float(stats.f.sf(f, more, separate.df))
