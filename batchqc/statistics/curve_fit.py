"""Least squares of one or several curves whose parameters are tied to each other.

One solver serves the single curve, separate curves and the constrained curves of a relative
potency: the parameters of each curve are a linear map of the parameters that are estimated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from batchqc.errors import NotEstimable
from batchqc.statistics.curve_models import Model, Numbers, curve
from batchqc.statistics.values import Floats

_EPS: Final = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Tied:
    """Wells of curves, and how their parameters follow from those that are estimated.

    Args:
        model: of all curves.
        log_dose: n; minus infinity for dose 0.
        y: n responses.
        weight: n, proportional to inverse variances.
        of: n, the curve of each well.
        maps: curves x 5 x q.
        offsets: curves x 5: parameters that are fixed.
    """

    model: Model
    log_dose: Floats
    y: Floats
    weight: Floats
    of: NDArray[np.intp]
    maps: Floats
    offsets: Floats

    def predicted(self, p: Numbers) -> tuple[Numbers, Numbers]:
        """Responses, and n x q derivatives, at the parameters p."""
        inner = (self.maps @ p + self.offsets)[self.of].T
        mean, by_five = curve(self.model, inner, self.log_dose)
        return mean, np.einsum("nk,nkq->nq", by_five, self.maps[self.of])

    def rss(self, p: Floats) -> float:
        """Weighted residual sum of squares."""
        off = self.y - self.predicted(p)[0]
        return float(self.weight @ (off * off))

    def score(self, p: Numbers) -> Numbers:
        """Half the derivative of the weighted residual sum of squares."""
        mean, jacobian = self.predicted(p)
        return -(jacobian.T @ (self.weight * (self.y - mean)))


@dataclass(frozen=True, slots=True)
class Minimum:
    """Where the sum of squares is least, with both matrices of information."""

    p: Floats
    rss: float
    fitted: Floats
    gauss_newton: Floats
    hessian: Floats
    leverages: Floats


def least(tied: Tied, starts: Sequence[Floats], *, near: bool = False) -> Minimum:
    """The lowest minimum that is reached from the starts, until two of them agree on it.

    Args:
        tied: the problem.
        starts: parameters.
        near: the first start lies close to the minimum: Newton's steps are tried at once.

    Raises:
        NotEstimable: BQC-STA-001 fewer wells than parameters; BQC-STA-002 no start converges, or
            the data do not determine the parameters (an asymptote or the slope is not covered).
    """
    if tied.y.size < tied.maps.shape[2]:
        raise NotEstimable(
            "BQC-STA-001", f"{tied.y.size} wells for {tied.maps.shape[2]} parameters of the curve"
        )
    close = _polished(tied, starts[0]) if near else None
    if close is not None:
        return _described(tied, close)
    best: Floats | None = None
    lowest = np.inf
    for start in starts:
        p = _descended(tied, start)
        if p is None:
            continue
        rss = tied.rss(p)
        if best is not None and abs(rss - lowest) <= 1e-9 * lowest:
            break
        if rss < lowest:
            best, lowest = p, rss
    if best is None:
        raise NotEstimable(
            "BQC-STA-002",
            "the fit did not converge: the data do not determine the curve",
            hint="Look whether the doses cover both asymptotes and the slope between; "
            "otherwise fix an asymptote or use a simpler model.",
        )
    return _described(tied, best)


def _descended(tied: Tied, start: Floats) -> Floats | None:
    root = np.sqrt(tied.weight)

    def off(p: Floats) -> Floats:
        return np.asarray(root * (tied.predicted(p)[0] - tied.y), dtype=np.float64)

    def jacobian(p: Floats) -> Floats:
        return np.asarray(root[:, None] * tied.predicted(p)[1], dtype=np.float64)

    with np.errstate(all="ignore"):
        try:
            result = optimize.least_squares(
                off, start, jac=jacobian, x_scale="jac", method="trf",
                xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=150,
            )  # fmt: skip
        except (ValueError, np.linalg.LinAlgError):
            return None
    p = np.asarray(result.x)
    return _polished(tied, p) if np.all(np.isfinite(p)) and np.max(np.abs(p)) < 1e100 else None


def _polished(tied: Tied, p: Floats) -> Floats | None:
    """By Newton's steps, to where the score is nothing but rounding; None where it stays."""
    scaled, scale = np.eye(p.size), np.ones(p.size)
    with np.errstate(all="ignore"):
        for _ in range(12):
            hessian, score = _hessian(tied, p), np.real(tied.score(p))
            scale = np.sqrt(np.abs(np.diag(hessian)))
            if not (np.all(scale > 0) and np.all(np.isfinite(hessian))):
                return None
            scaled = hessian / np.outer(scale, scale)
            if np.linalg.eigvalsh((scaled + scaled.T) / 2)[0] < 1e-12:
                return None
            step = np.linalg.solve(scaled, score / scale) / scale
            if tied.rss(p - step) > tied.rss(p) * (1 + 1e-12) + 1e-300:
                break
            p = p - step
            if np.max(np.abs(step) * scale) <= 4 * _EPS * np.max(np.abs(p) * scale):
                break
        left = np.max(
            np.abs(np.linalg.solve(scaled, np.real(tied.score(p)) / scale) / scale) * scale
        )
        size = np.sqrt(tied.weight @ tied.y**2)
    return p if left <= 1e-7 * np.sqrt(tied.rss(p)) + 64 * _EPS * size else None


def _hessian(tied: Tied, p: Floats) -> Floats:
    """Half the second derivative of the sum of squares, by complex steps of the score."""
    columns = []
    for place in range(p.size):
        step = p.astype(np.complex128)
        step[place] += 1e-150j
        columns.append(np.imag(tied.score(step)) / 1e-150)
    found = np.array(columns)
    return (found + found.T) / 2


def _described(tied: Tied, p: Floats) -> Minimum:
    mean, jacobian = tied.predicted(p)
    normal = (jacobian.T * tied.weight) @ jacobian
    scale = np.sqrt(np.diag(normal))
    far = np.max(np.abs((tied.maps @ p + tied.offsets)[:, 3:])) > 300
    if far or not np.all(scale > 0) or np.linalg.cond(normal / np.outer(scale, scale)) > 1e14:
        raise NotEstimable(
            "BQC-STA-002",
            "the data do not determine every parameter of the curve",
            hint="Look whether the doses cover both asymptotes and the slope between.",
        )
    gauss = _inverse(normal)
    leverages = tied.weight * np.einsum("ni,ij,nj->n", jacobian, gauss, jacobian)
    return Minimum(p, tied.rss(p), np.asarray(mean), gauss, _inverse(_hessian(tied, p)), leverages)


def _inverse(matrix: Floats) -> Floats:
    scale = np.sqrt(np.diag(matrix))
    return np.asarray(np.linalg.inv(matrix / np.outer(scale, scale)) / np.outer(scale, scale))
