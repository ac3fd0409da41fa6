"""Wells that do not fit: flagged, never removed without a named reason.

An exclusion needs a reason and a person's decision; the result with and without stands beside it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.bioassay import Assay
from batchqc.statistics.checks import sd_of
from batchqc.statistics.dose_response import CurveFit
from batchqc.statistics.parallel_lines import LineAssay
from batchqc.statistics.relative_potency import RelativePotency
from batchqc.statistics.values import Floats, spread, values_of

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Flags:
    """Studentised residuals and the wells whose are too large.

    Args:
        studentised: n; each residual over the standard error that the other wells give it.
        critical: two-sided limit at the level alpha for all n together (Bonferroni).
        wells: 1-based, of those beyond it.
        alpha: of the whole set.
    """

    studentised: Floats
    critical: float
    wells: tuple[int, ...]
    alpha: float


@dataclass(frozen=True, slots=True)
class GrubbsFlag:
    """Grubbs' test of the residual farthest from the mean: G, its limit, p bound, 1-based well."""

    statistic: float
    critical: float
    well: int
    flagged: bool


@dataclass(frozen=True, slots=True)
class Exclusion(Generic[Found]):
    """An analysis with all wells and without some, and why these were left out."""

    with_all: Found
    without: Found
    wells: tuple[int, ...]
    reason: str


def studentised(
    residuals: ArrayLike, leverages: ArrayLike, *, df: int, alpha: float = 0.05
) -> Flags:
    """Externally studentised residuals, flagged at a level that holds for all wells together.

    Args:
        residuals: n.
        leverages: n diagonal elements of the hat matrix.
        df: of the residual.
        alpha: of the whole set.

    Raises:
        NotEstimable: fewer than 2 degrees of freedom, or residuals that are all 0.
        InvalidInput: the lengths differ, or a leverage is not from 0 to below 1.

    Source: Cook & Weisberg 1982, Residuals and Influence in Regression, section 2.2.
    """
    e, h = values_of(residuals, "residuals"), values_of(leverages, "leverages")
    if e.size != h.size or np.any(h < 0) or np.any(h >= 1):
        raise InvalidInput("BQC-STA-003", "each residual has a leverage from 0 to below 1")
    if df < 2:
        raise NotEstimable("BQC-STA-001", f"{df} of at least 2 degrees of freedom")
    rss = math.fsum(e * e)
    if not rss > 0:
        raise NotEstimable("BQC-STA-001", "all residuals are 0")
    inner = e * e / (1 - h) / (rss / df)
    left = np.maximum(df - inner, 1e-12 * df)
    t = np.sign(e) * np.sqrt(inner * (df - 1) / left)
    critical = float(stats.t.isf(alpha / 2 / e.size, df - 1))
    found = tuple(int(n) + 1 for n in np.flatnonzero(np.abs(t) > critical))
    return Flags(t, critical, found, alpha)


def flagged(found: LineAssay | CurveFit | RelativePotency, *, alpha: float = 0.05) -> Flags:
    """The wells of an assay whose studentised residual is too large.

    Args:
        found: of lines or curves; residuals are weighted as the fit was.
        alpha: of the whole set.

    Raises:
        NotEstimable: fewer than 2 degrees of freedom.

    Source: as :func:`studentised`; for curves by their tangent plane (Seber & Wild 1989, 4.2).
    """
    root = 1.0 if isinstance(found, LineAssay) else np.sqrt(found.weights)
    alone = np.minimum(found.leverages, 1 - 1e-12)
    return studentised(found.residuals * root, alone, df=found.df, alpha=alpha)


def grubbs_flag(residuals: ArrayLike, *, alpha: float = 0.05) -> GrubbsFlag:
    """Grubbs' two-sided test of residuals.

    Args:
        residuals: at least 3, not all equal.
        alpha: two-sided.

    Raises:
        NotEstimable: there are fewer than 3, or they are all equal.

    Source: Grubbs 1969, Technometrics 11:1; NIST e-Handbook 1.3.5.17.1.
    """
    e = spread(values_of(residuals, "residuals", at_least=3), "residuals")
    off = np.abs(e - e.mean()) / sd_of(e)
    place, n = int(np.argmax(off)), e.size
    t2 = float(stats.t.isf(alpha / 2 / n, n - 2)) ** 2
    critical = (n - 1) / math.sqrt(n) * math.sqrt(t2 / (n - 2 + t2))
    return GrubbsFlag(float(off[place]), critical, place + 1, bool(off[place] > critical))


def with_and_without(
    analysis: Callable[[Assay], Found], wells: Assay, excluded: Sequence[int], *, reason: str
) -> Exclusion[Found]:
    """An analysis of all wells, and of those that are left.

    Args:
        analysis: of the wells.
        wells: all.
        excluded: 1-based places.
        reason: the assignable cause, for whoever reads the result.

    Raises:
        InvalidInput: there is no reason, or no such well.
    """
    if not reason.strip():
        raise InvalidInput("BQC-STA-003", "a well is excluded for a reason; none is stated")
    if not excluded or not all(1 <= one <= wells.n for one in excluded):
        raise InvalidInput("BQC-STA-003", f"excluded are 1-based places of the {wells.n} wells")
    keep = np.setdiff1d(np.arange(wells.n), np.array(excluded) - 1)
    left = Assay(
        wells.names,
        wells.of[keep],
        wells.dose[keep],
        wells.response[keep],
        tuple(one[keep] for one in wells.blocks),
        wells.missing + len(set(excluded)),
        wells.transformation,
    )
    return Exclusion(analysis(wells), analysis(left), tuple(sorted(set(excluded))), reason)
