"""Likelihood of random intercepts, by cross products of the size of the random effects."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from batchqc.errors import NotEstimable
from batchqc.statistics.values import Floats

_LOG_2PI: Final = float(np.log(2 * np.pi))


@dataclass(frozen=True, slots=True)
class Slope:
    """Minus twice a log-likelihood at some variances, with its first and second derivatives."""

    value: float
    gradient: Floats
    hessian: Floats


class Likelihood:
    """Minus twice the log-likelihood of y = X b + sum of Z_k u_k + e, in the variances.

    Source: Searle, Casella and McCulloch 1992, chapter 6 and appendix M.4: with P the projection
    of the restricted likelihood and G_k = Z_k Z_k', the first derivative is tr(P G_k) - y'P G_k P y
    and the second 2 y'P G_k P G_l P y - tr(P G_k P G_l). The criterion is that of Bates et al.
    2015 (J Stat Softw 67, section 3).

    Args:
        y: of shape (n,).
        x: of shape (n, p), full rank; p may be 0.
        z: indicators of the factors, each of shape (n, levels).
    """

    def __init__(self, y: Floats, x: Floats, z: Sequence[Floats]) -> None:
        self.n, self.p = x.shape
        self.y, self.x, self.z = y, x, np.hstack(list(z))
        ends = np.cumsum([0, *(one.shape[1] for one in z)])
        self.blocks = [slice(a, b) for a, b in itertools.pairwise(ends.tolist())]
        self._starts = ends[:-1]
        q, r = np.linalg.qr(x)
        off = self.z - q @ (q.T @ self.z)
        left = y - q @ (q.T @ y)
        self.log_x = 2 * float(np.sum(np.log(np.abs(np.diag(r))))) if self.p else 0.0
        self.within, self.cross = off.T @ off, off.T @ left
        self.left = float(left @ left)

    @cached_property
    def whole(self) -> Floats:
        """Z'Z, as it stands before the fixed effects are taken out."""
        return np.asarray(self.z.T @ self.z, dtype=np.float64)

    def scales(self, variances: Floats) -> Floats:
        """Square root of (variance of its factor / error variance), one for each level."""
        sizes = [one.stop - one.start for one in self.blocks]
        return np.asarray(np.sqrt(np.repeat(variances[:-1], sizes) / variances[-1]))

    def at(self, variances: Floats, *, restricted: bool) -> Slope:
        """Value and derivatives; variances of shape (k + 1,), that of the error last, above 0."""
        error = float(variances[-1])
        scales = self.scales(variances)
        log_det, spread = _shrunk(self.within, scales)
        shrunk = scales * _solved(self.within, scales, self.cross * scales)
        w = self.cross - self.within @ shrunk
        rest = self.left - float(self.cross @ shrunk)
        free, traced = self.n - self.p, spread
        if not restricted:
            free = self.n
            log_det, traced = _shrunk(self.whole, scales)
        value = free * (_LOG_2PI + np.log(error)) + log_det + rest / error
        value += self.log_x if restricted else 0.0
        first = self._first(variances, traced, w, (free, rest))
        second = self._second(variances, traced, first[0])
        quad = self._quadratic(variances, spread, w, first[1])
        return Slope(float(value), first[0] - first[1], 2 * quad - second)

    def _sums(self, squares: Floats) -> Floats:
        return np.add.reduceat(squares, self._starts)

    def _first(
        self, v: Floats, traced: Floats, w: Floats, ends: tuple[int, float]
    ) -> tuple[Floats, Floats]:
        """Traces and quadratic forms of each variance; that of the error by homogeneity."""
        free, rest = ends
        traces = self._sums(np.diag(traced)) / v[-1]
        forms = self._sums(w * w) / v[-1] ** 2
        last_trace = (free - float(v[:-1] @ traces)) / v[-1]
        last_form = (rest / v[-1] - float(v[:-1] @ forms)) / v[-1]
        return np.append(traces, last_trace), np.append(forms, last_form)

    def _second(self, v: Floats, traced: Floats, traces: Floats) -> Floats:
        core = self.sums_both(traced * traced) / v[-1] ** 2
        return _bordered(core, v, traces)

    def _quadratic(self, v: Floats, spread: Floats, w: Floats, forms: Floats) -> Floats:
        core = self.sums_both(w[:, np.newaxis] * spread * w) / v[-1] ** 3
        return _bordered(core, v, forms)

    def sums_both(self, squares: Floats) -> Floats:
        """Of shape (k, k): sums over the blocks of a matrix of all levels."""
        rows = np.add.reduceat(squares, self._starts, axis=0)
        return np.asarray(np.add.reduceat(rows, self._starts, axis=1))


def _shrunk(gram: Floats, scales: Floats) -> tuple[float, Floats]:
    """Log determinant of I + SGS, and G - G S (I + SGS)^-1 S G."""
    inner = np.eye(scales.size) + scales[:, np.newaxis] * gram * scales
    try:
        lower = np.linalg.cholesky(inner)
    except np.linalg.LinAlgError:
        raise NotEstimable(
            "BQC-STA-002",
            "the mixed model did not converge: the error variance goes to 0",
            hint="Look for values that the factors fit exactly.",
        ) from None
    half = np.linalg.solve(lower, scales[:, np.newaxis] * gram)
    return 2 * float(np.sum(np.log(np.diag(lower)))), gram - half.T @ half


def _solved(gram: Floats, scales: Floats, right: Floats) -> Floats:
    inner = np.eye(scales.size) + scales[:, np.newaxis] * gram * scales
    return np.asarray(np.linalg.solve(inner, right), dtype=np.float64)


def _bordered(core: Floats, v: Floats, sums: Floats) -> Floats:
    """The last row and column, from: sum over l of v_l m_kl = sums_k."""
    column = (sums[:-1] - core @ v[:-1]) / v[-1]
    corner = (sums[-1] - float(column @ v[:-1])) / v[-1]
    whole = np.empty((v.size, v.size))
    whole[:-1, :-1], whole[:-1, -1], whole[-1, :-1], whole[-1, -1] = core, column, column, corner
    return whole
