"""Analysis of variance of an assay by successive orthogonal projections.

Each term takes the part of its columns that no earlier term spans; so missing wells, unequal
doses and any number of preparations need no formulas of their own. The order of terms is part of
the method and is told with it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from batchqc.errors import NotEstimable
from batchqc.statistics.values import Floats

_EPS: Final = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Source:
    """A line of the table: degrees of freedom, sum of squares, and its test against an error.

    ``f`` and ``p`` are None where the line is an error or a total, or has no degree of freedom.
    """

    name: str
    df: int
    ss: float
    ms: float | None = None
    f: float | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """Columns that a source of variation adds to the model: n rows."""

    name: str
    columns: Floats


@dataclass(frozen=True, slots=True)
class Split:
    """What each term explains after those before it, and what is left."""

    parts: Mapping[str, tuple[int, float]]
    residual: Floats
    df: int
    basis: Floats

    @property
    def leverages(self) -> Floats:
        """Diagonal of the hat matrix."""
        return np.asarray(np.sum(self.basis**2, axis=1))


def indicator(codes: NDArray[np.intp]) -> Floats:
    """A column per level."""
    return np.asarray(codes[:, None] == np.unique(codes), dtype=np.float64)


def split(y: Floats, terms: Iterable[Term], *, stratum: Floats | None = None) -> Split:
    """Sums of squares of each term after the ones before it (type I), beside the mean.

    Args:
        y: n responses.
        terms: in their order.
        stratum: an n x n projection to which columns and responses are confined; None for all.
    """
    n = y.size
    confined = np.eye(n) if stratum is None else stratum
    basis = confined @ np.ones((n, 1)) / np.sqrt(n)
    if np.linalg.norm(basis) < n * _EPS * 100:
        basis = np.zeros((n, 0))
    left = _without(basis, confined @ y)
    parts: dict[str, tuple[int, float]] = {}
    for term in terms:
        fresh = _fresh(basis, confined @ term.columns)
        along = fresh.T @ left
        parts[term.name] = (fresh.shape[1], float(along @ along))
        basis = np.hstack([basis, fresh])
        left = _without(basis, left)
    whole = n if stratum is None else round(float(np.trace(stratum)))
    return Split(parts, left, whole - basis.shape[1], basis)


def table(parts: Mapping[str, tuple[int, float]], *, error: tuple[int, float]) -> dict[str, Source]:
    """The lines, each tested against one error.

    Raises:
        NotEstimable: there is no degree of freedom for the error, or it is 0 (a perfect fit).
    """
    df, ss = error
    if df < 1:
        raise NotEstimable(
            "BQC-STA-001",
            "no degree of freedom is left for the residual error",
            hint="The assay needs replicates (or blocks) of its treatments.",
        )
    total = ss + sum(one for _, one in parts.values())
    if ss <= total * (_EPS * 1e3) ** 2 or not total:
        raise NotEstimable(
            "BQC-STA-001",
            "the replicates agree exactly: the residual error is 0, nothing can be tested by it",
            hint="Look whether the replicates were copied or averaged.",
        )
    return {name: tested(name, *part, ms=ss / df, df_error=df) for name, part in parts.items()}


def tested(name: str, df: int, ss: float, *, ms: float, df_error: int) -> Source:
    """A line with F = MS / error MS and its upper tail."""
    if not df:
        return Source(name, 0, 0.0)
    f = ss / df / ms
    return Source(name, df, ss, ss / df, f, float(stats.f.sf(f, df, df_error)))


def _without(basis: Floats, found: Floats) -> Floats:
    once = found - basis @ (basis.T @ found)
    return np.asarray(once - basis @ (basis.T @ once))


def _fresh(basis: Floats, columns: Floats) -> Floats:
    """An orthonormal basis of what the columns add."""
    scale = np.linalg.norm(columns, axis=0)
    used = columns[:, scale > 0] / scale[scale > 0]
    if not used.size:
        return np.zeros((columns.shape[0], 0))
    left, size, _ = np.linalg.svd(_without(basis, used), full_matrices=False)
    fresh = left[:, size > 1e-9]
    return np.asarray(np.linalg.qr(_without(basis, fresh))[0]) if fresh.size else fresh
