"""Centre and covariance of the lots in control, by which a profile of attributes is judged.

Few lots for many attributes make every lot look ordinary: as many lots as attributes plus one are
refused, and fewer than ten more are told.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import scipy
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.multivariate_values import FEW, Subgroups, listed, lots_of, subgroups_of
from batchqc.statistics.values import Floats

Covariance: TypeAlias = Literal["sample", "successive"]
_THIN: Final = 1e-10
#: Beyond this many standard deviations a number is a mistake; T² would leave the range of a float.
FURTHEST: Final = 1e100


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Centre and covariance of the lots in control, and what they rest on.

    Args:
        center: (p,) means.
        covariance: (p, p).
        m: complete lots, or subgroups; None where both are known.
        size: values in each subgroup; 1 for individual lots.
        limitations: what the data did not allow.
    """

    center: Floats
    covariance: Floats
    m: int | None
    size: int = 1
    limitations: tuple[str, ...] = ()

    @property
    def p(self) -> int:
        """Number of attributes."""
        return self.center.size

    def of(self, attributes: Floats) -> "Reference":
        """The same for some attributes: a (p,) mask, or their places."""
        part = self.covariance[np.ix_(attributes, attributes)]
        return Reference(self.center[attributes], part, self.m, self.size)

    def t2(self, x: Floats) -> Floats:
        """T² of (n, p) complete lots or subgroup means."""
        scale = np.sqrt(np.diag(self.covariance))
        factor = scipy.linalg.cho_factor(self.covariance / np.outer(scale, scale), lower=True)
        off = (x - self.center) / scale
        if off.size and np.abs(off).max() > FURTHEST:
            raise InvalidInput(
                "BQC-STA-003", f"a lot lies more than {FURTHEST:g} standard deviations away"
            )
        return np.asarray(self.size * np.sum(off * scipy.linalg.cho_solve(factor, off.T).T, axis=1))


def reference_of(data: ArrayLike, *, covariance: Covariance = "sample") -> Reference:
    """Centre and covariance of individual lots.

    Args:
        data: (m, p) values; None where one is missing: that lot is left out, and told.
        covariance: ``sample``, or ``successive`` (of differences between neighbours; it is not
            inflated by a step or a trend).

    Raises:
        InvalidInput: no table of numbers.
        NotEstimable: m <= p + 1, an attribute does not vary, or one follows from the others.

    Source:
        Tracy, Young and Mason 1992; successive differences: Holmes and Mergen 1993.
    """
    x, said = lots_of(data)
    _enough(*x.shape)
    if covariance == "successive":
        steps = np.diff(x, axis=0)
        matrix = steps.T @ steps / (2.0 * len(steps))
    else:
        off = x - x.mean(axis=0)
        matrix = off.T @ off / (len(x) - 1)
    return checked(Reference(x.mean(axis=0), matrix, len(x), 1, (*said, *_few(*x.shape))))


def reference_of_subgroups(data: ArrayLike) -> Reference:
    """Mean of subgroup means, and mean of subgroup covariances.

    Args:
        data: (m, n, p) values, without gaps: m subgroups of n.

    Raises:
        InvalidInput: no such table of numbers.
        NotEstimable: too few values for the attributes, or an attribute does not vary.

    Source:
        Ryan 2011, chapter 9; Montgomery 2020, 11.3.1.
    """
    x: Subgroups = subgroups_of(data)
    m, n, p = x.shape
    if m < 2 or n < 2 or m * n - m - p + 1 < 1:
        raise NotEstimable("BQC-STA-001", f"{m} subgroups of {n} are too few for {p} attributes")
    off = x - x.mean(axis=1, keepdims=True)
    matrix = np.einsum("ijk,ijl->kl", off, off) / (m * (n - 1))
    return checked(Reference(x.mean(axis=(0, 1)), matrix, m, n))


def known_reference(center: ArrayLike, covariance: ArrayLike, *, size: int = 1) -> Reference:
    """A centre and a covariance that are known, or that rest on very many lots.

    Raises:
        InvalidInput: they do not fit each other.
        NotEstimable: the covariance is singular.
    """
    try:
        at, matrix = np.asarray(center, dtype=float), np.asarray(covariance, dtype=float)
    except (TypeError, ValueError):
        raise InvalidInput("BQC-STA-003", "centre or covariance are not all numbers") from None
    fits = at.ndim == 1 and matrix.shape == (at.size, at.size) and size >= 1
    if not fits or not np.isfinite(matrix).all() or not np.isfinite(at).all():
        raise InvalidInput("BQC-STA-003", "wanted: (p,) centre, (p, p) covariance, all numbers")
    if not np.allclose(matrix, matrix.T, rtol=1e-9, atol=0):
        raise InvalidInput("BQC-STA-003", "the covariance is not symmetric")
    return checked(Reference(at, matrix, None, size))


def checked(reference: Reference) -> Reference:
    """The same, where its covariance can be inverted.

    Raises:
        NotEstimable: an attribute does not vary, or one follows from the others.
    """
    variances = np.diag(reference.covariance)
    size = np.maximum(np.abs(reference.center), np.finfo(float).tiny)
    flat = np.flatnonzero(variances <= (8 * np.finfo(float).eps * size) ** 2) + 1
    if flat.size:
        raise NotEstimable("BQC-STA-001", f"attributes that do not vary: {listed(flat)}")
    scale = np.sqrt(variances)
    if np.linalg.eigvalsh(reference.covariance / np.outer(scale, scale))[0] < _THIN:
        raise NotEstimable(
            "BQC-STA-001",
            "one attribute follows from the others: the covariance has no inverse",
            hint="Leave one of them out (such as the last of percentages that add up to 100).",
        )
    return reference


def _enough(m: int, p: int) -> None:
    if m <= p + 1:
        raise NotEstimable(
            "BQC-STA-001",
            f"{m} complete lots for {p} attributes: at least {p + 2} are needed",
            hint=f"Choose fewer attributes, or wait for {p + FEW} lots.",
        )


def _few(m: int, p: int) -> tuple[str, ...]:
    said = f"{m} complete lots for {p} attributes: below {p + FEW}, an odd lot is easily missed"
    return (said,) if m < p + FEW else ()
