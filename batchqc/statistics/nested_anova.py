"""Nested variance components: donor, lot in donor, replicate in lot; any depth, any balance."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.anova import variance_interval
from batchqc.statistics.exact_sums import ExactSums, sequential_squares
from batchqc.statistics.figures import Figure
from batchqc.statistics.levels import Codes, Factor, Labels, nested
from batchqc.statistics.mls_limits import MLS, MeanSquares, mls_interval
from batchqc.statistics.values import Floats, fraction_of, measurable, values_of

_METHOD: Final = "nested ANOVA, type 1 (Searle, Casella and McCulloch 1992, section 5.3)"
_TOTAL: Final = f"{_METHOD}; Satterthwaite 1946"
_ASSUMED: Final = ("normal effects on this scale", "independent effects", "levels drawn at random")
_UNBALANCED: Final = "the design is unbalanced: its mean squares are not exactly independent"
_FEW: Final = "only {} levels of {}: below 5 its component is hardly estimable"


@dataclass(frozen=True, slots=True)
class NestedComponents:
    """Variance components of a nested design, outer factor first, error last.

    Args:
        names: of the factors, and ``error``.
        levels: how many levels each factor has; the number of values for the error.
        df: of shape (k,), degrees of freedom.
        ss: of shape (k,), sums of squares.
        ms: of shape (k,), mean squares.
        coefficients: of shape (k, k): expected mean squares by component.
        raw: of shape (k,), estimates by equating; a negative one stands as it is.
        components: one figure for each, never below 0, with its MLS interval.
        subtotals: the sum from each factor to the error (the first is the total; the second is
            what varies within the outer factor; the last is the error), with Satterthwaite df
            and chi-square interval.
        mean: of all values.
        n: how many values.
        mean_weights: of shape (k,), part of each component in the variance of the mean.
    """

    names: tuple[str, ...]
    levels: tuple[int, ...]
    df: Floats
    ss: Floats
    ms: Floats
    coefficients: Floats
    raw: Floats
    components: tuple[Figure, ...]
    subtotals: tuple[Figure, ...]
    mean: float
    n: int
    mean_weights: Floats

    @property
    def total(self) -> Figure:
        """Variance of one value of a new level of every factor."""
        return self.subtotals[0]

    @property
    def error(self) -> Figure:
        """Variance of repeated values, with its exact interval."""
        return self.subtotals[-1]

    @property
    def variance_of_mean(self) -> float:
        """Of the mean of all values, from the components."""
        return float(self.mean_weights @ self.values)

    def ensure_levels(self, least: int) -> None:
        """Refuse what the outer factor has too few levels for.

        Raises:
            NotEstimable: it has fewer than the least.
        """
        if self.levels[0] < least:
            raise NotEstimable(
                "BQC-STA-001",
                f"{self.levels[0]} levels of {self.names[0]}: at least {least} are needed to tell "
                "what a new one will be like",
            )

    @property
    def values(self) -> Floats:
        """Components as they count: none below 0."""
        return np.maximum(self.raw, 0.0)


def nested_components(
    data: ArrayLike, factors: Mapping[str, Labels], *, conf: float = 0.95
) -> NestedComponents:
    """Variance components by equating type 1 mean squares to their expectations.

    A component that comes out negative counts as 0; its raw value stands in ``raw`` and in the
    limitations of its figure. Total and sub-totals then rest on the mean squares that the
    components imply (as R VCA and SAS PROC NESTED report them).

    Source: Searle, Casella and McCulloch 1992, section 5.3; Satterthwaite 1946 (Biometrics 2:110);
    CLSI EP05-A3; limits of components as in `batchqc.statistics.mls_limits`.

    Args:
        data: of shape (n,).
        factors: labels by name, the outer factor first; labels may repeat in another outer level.
        conf: of all intervals.

    Raises:
        NotEstimable: a factor has no degree of freedom, or nothing varies within the cells.
        InvalidInput: a value or label is missing, or there is no factor.
    """
    found = measurable(values_of(data, at_least=3), "values")
    fraction_of(conf, "confidence")
    if not factors:
        raise InvalidInput("BQC-STA-003", "no factor was named: there is nothing to take apart")
    grouped = nested(factors, found.size)
    df = _freedom(grouped, found.size)
    squares = sequential_squares(found, [one.codes for one in grouped])
    if not squares[-1] or not float(squares[-1]):
        raise NotEstimable(
            "BQC-STA-001", f"nothing varies within {grouped[-1].name}: there is no error to measure"
        )
    ss = np.array([float(one) for one in squares])
    coefficients = _expected(grouped, found.size) / df[:, np.newaxis]
    inverse = np.asarray(np.linalg.inv(coefficients), dtype=np.float64)
    table = _Table(grouped, df, ss / df, coefficients, inverse, conf, found.size)
    return NestedComponents(
        (*(one.name for one in grouped), "error"),
        (*(len(one.names) for one in grouped), found.size),
        df,
        ss,
        ss / df,
        coefficients,
        inverse @ (ss / df),
        tuple(table.component(place) for place in range(df.size)),
        tuple(table.subtotal(place) for place in range(df.size)),
        ExactSums(found).mean,
        found.size,
        np.array([*(float(np.sum(one.counts**2)) for one in grouped), found.size]) / found.size**2,
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """What the figures of the components are made from."""

    factors: Sequence[Factor]
    df: Floats
    ms: Floats
    coefficients: Floats
    inverse: Floats
    conf: float
    n: int

    def component(self, place: int) -> Figure:
        weights = self.inverse[place]
        raw = float(weights @ self.ms)
        if place == self.df.size - 1:
            return self.subtotal(place)
        limits = mls_interval(MeanSquares(self.ms, self.df), weights, conf=self.conf)
        lower, upper = (max(one, 0.0) for one in limits)
        told = [_UNBALANCED] if self._is_unbalanced else []
        if len(self.factors[place].names) < 5:
            told.append(_FEW.format(len(self.factors[place].names), self.factors[place].name))
        if raw < 0:
            told.append(f"the estimate is negative ({raw:.6g}) and counts as 0")
        name = f"variance of {self.factors[place].name}"
        value, freedom = max(raw, 0.0), self._satterthwaite(weights, self.ms)
        return Figure(
            name, value, f"{_METHOD}; {MLS}", self.n, lower, upper, self.conf, freedom, _ASSUMED,
            tuple(told),
        )  # fmt: skip

    def subtotal(self, place: int) -> Figure:
        kept = np.maximum(self.inverse @ self.ms, 0.0)
        weights = self.inverse[place:].sum(axis=0)
        implied = self.coefficients @ kept
        value, freedom = float(kept[place:].sum()), self._satterthwaite(weights, implied)
        lower, upper = variance_interval(value, freedom, self.conf)
        inner = self.factors[place].name if place < len(self.factors) else ""
        name = "total variance" if not place else f"variance from {inner} to error"
        told = (_UNBALANCED,) if self._is_unbalanced and inner else ()
        return Figure(
            name if inner else "variance of error", value, _TOTAL if inner else _METHOD, self.n,
            lower, upper, self.conf, freedom, _ASSUMED, told,
        )  # fmt: skip

    @property
    def _is_unbalanced(self) -> bool:
        return any(np.ptp(one.counts) for one in self.factors)

    def _satterthwaite(self, weights: Floats, ms: Floats) -> float:
        parts = weights * ms
        below = float(np.sum(parts**2 / self.df))
        return float(parts.sum() ** 2 / below) if below else 0.0


def _freedom(grouped: Sequence[Factor], n: int) -> Floats:
    sizes = [1, *(len(one.names) for one in grouped), n]
    for place, (before, after) in enumerate(itertools.pairwise(sizes)):
        if after <= before:
            what = grouped[place].name if place < len(grouped) else "error"
            raise NotEstimable(
                "BQC-STA-001",
                f"{what} has no degree of freedom ({after} against {before} of what holds it)",
                hint="Leave the factor out, or repeat values within it.",
            )
    return np.diff(np.array(sizes, dtype=np.float64))


def _expected(grouped: Sequence[Factor], n: int) -> Floats:
    """Expected sums of squares by component: traces of the projections."""
    one, each_one = np.zeros(n, dtype=np.intp), np.arange(n, dtype=np.intp)
    inner = [*(each.codes for each in grouped), each_one]
    outer = [one, *inner]
    traces = np.array([[_trace(g, c) for c in inner] for g in outer])
    return np.diff(traces, axis=0)


def _trace(group: Codes, cell: Codes) -> float:
    """Sum over pairs (group, cell) of (values in both) squared / (values in the group)."""
    pairs, counts = np.unique(np.stack([group, cell]), axis=1, return_counts=True)
    return float(np.sum(counts**2 / np.bincount(group)[pairs[0]]))
