"""Prediction intervals: where the next lots will lie."""

import math
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.figures import Figure
from batchqc.statistics.quadrature import legendre
from batchqc.statistics.tolerance import Summary
from batchqc.statistics.tolerance_factors import sides_of
from batchqc.statistics.values import Floats, antilog, fraction_of, positive

_EXACT: Final = "exact (Hahn 1969; Hahn and Meeker 1991, section 4.8; EPA 2009, chapters 18-19)"
_BONFERRONI: Final = "Bonferroni (EPA 2009 Unified Guidance, chapter 18)"
_ASSUMED: Final = ("normal values on this scale", "future lots come from the same process")


def prediction_factor(
    n: float,
    *,
    conf: float = 0.95,
    side: str = "two-sided",
    future: int = 1,
    at_least: int | None = None,
    **more: float | str | None,
) -> float:
    """K such that future values lie within mean ± K s, jointly, with confidence.

    Source: Hahn 1969 (JASA 64:878) for all of m; Davis and McNichols 1987 (Technometrics 29:359)
    and EPA 2009 Unified Guidance, chapter 19, for k of m.

    Args:
        n: values behind the mean.
        conf: that the statement holds for all of them together.
        side: ``two-sided``, ``lower`` or ``upper``.
        future: m, how many future values (or means) are spoken of.
        at_least: how many of them must lie within: all unless told; 1 is the retest rule 1-of-m.
        more: ``df`` of s (n - 1 unless told); ``mean_of`` values behind each future mean (1);
            ``occasions`` r on which the rule is applied (1); ``method``: exact or bonferroni.

    Raises:
        NotEstimable: n or df is too small.
        InvalidInput: an argument is out of its range, or unknown.
    """
    f, mean_of, occasions, method = _options(n, **more)
    fraction_of(conf, "confidence")
    both = all(sides_of(side))
    kept = future if at_least is None else at_least
    if not 1 <= kept <= future:
        raise InvalidInput("BQC-STA-003", f"{kept} of {future} future values is no rule")
    width = math.sqrt(1 / n + 1 / mean_of)
    if method == "bonferroni" or (future == 1 and occasions == 1):
        if kept < future:
            raise InvalidInput("BQC-STA-003", "Bonferroni speaks of all future values only")
        tail = (1 - conf) / (future * occasions) / (2 if both else 1)
        return float(stats.t.isf(tail, f)) * width
    rule = _Rule(n, f, both=both, counts=(future, kept, mean_of, occasions))
    return rule.factor(conf, width)


def prediction_interval(
    data: ArrayLike | Summary,
    *,
    conf: float = 0.95,
    side: str = "two-sided",
    future: int = 1,
    scale: Literal["raw", "ln"] = "raw",
    **more: float | str | None,
) -> Figure:
    """Where future values will lie, jointly; the centre is the mean (``ln``: geometric mean).

    Arguments and source as in `prediction_factor`, with ``at_least`` among ``more``; ``data`` has
    shape (n,) or is a `Summary`.

    Raises:
        NotEstimable: fewer than 2 values, or all are equal.
        InvalidInput: a value is missing, or an argument is out of its range.
    """
    has_lower, has_upper = sides_of(side)
    found = data if isinstance(data, Summary) else Summary.of(data, scale)
    positive(found.sd, "standard deviation")
    kept = more.pop("at_least", None)
    more.setdefault("df", found.df)
    k = prediction_factor(
        found.n,
        conf=conf,
        side=side,
        future=future,
        at_least=None if kept is None else int(kept),
        **more,
    )
    back = antilog if scale == "ln" else float
    return Figure(
        f"prediction interval of {kept or future} of {future}",
        back(found.mean),
        f"prediction, {_BONFERRONI if more.get('method') == 'bonferroni' else _EXACT}",
        round(found.n),
        back(found.mean - k * found.sd) if has_lower else None,
        back(found.mean + k * found.sd) if has_upper else None,
        conf,
        found.df,
        _ASSUMED,
    )


def future_sd_interval(sd: float, *, df: float, future: int, conf: float = 0.95) -> Figure:
    """Where the standard deviation of a future sample will lie, from F.

    Source: Hahn and Meeker 1991, section 4.9.

    Args:
        sd: of the past values, with df degrees of freedom.
        df: of the past standard deviation.
        future: size of the future sample, at least 2.
        conf: two-sided.

    Raises:
        InvalidInput: an argument is out of its range.
    """
    positive(sd, "standard deviation")
    positive(df, "degrees of freedom")
    tail = (1 - fraction_of(conf, "confidence")) / 2
    if future < 2:
        raise InvalidInput("BQC-STA-003", "a future standard deviation needs 2 values")
    low, high = (sd * math.sqrt(stats.f.ppf(one, future - 1, df)) for one in (tail, 1 - tail))
    method = "F (Hahn and Meeker 1991, section 4.9)"
    return Figure("future SD", sd, method, round(df) + 1, low, high, conf, df, _ASSUMED)


def nonparametric_prediction(
    n: int, *, future: int = 1, at_least: int | None = None, left_out: int = 1
) -> float:
    """Confidence that k of m future values lie within order statistics of n past ones.

    Source: Hahn and Meeker 1991, section 5.4; EPA 2009 Unified Guidance, chapter 18.

    Args:
        n: past values.
        future: m.
        at_least: k; all of them unless told.
        left_out: past values at or beyond the limits: 1 for one-sided with the extreme value, 2
            for from least to greatest.

    Raises:
        InvalidInput: an argument is out of its range.
    """
    kept = future if at_least is None else at_least
    if not (1 <= left_out <= n and 1 <= kept <= future):
        raise InvalidInput("BQC-STA-003", "no such order statistics or rule")
    return float(stats.betabinom.sf(kept - 1, future, n + 1 - left_out, left_out))


def _options(n: float, **more: float | str | None) -> tuple[float, float, int, str]:
    known = {"df", "mean_of", "occasions", "method"}
    if unknown := set(more) - known:
        raise InvalidInput("BQC-STA-003", f"unknown: {', '.join(sorted(unknown))}")
    df = more.get("df")
    f = float(n - 1 if df is None else df)
    if not f > 0:
        raise NotEstimable("BQC-STA-001", f"{n:g} values: a prediction needs at least 2")
    method = str(more.get("method") or "exact")
    if method not in {"exact", "bonferroni"}:
        raise InvalidInput("BQC-STA-003", f"method is {method}: exact or bonferroni")
    mean_of = positive(float(more.get("mean_of") or 1), "mean_of")
    return f, mean_of, int(more.get("occasions") or 1), method


class _Rule:
    """Confidence of a joint statement, an integral over mean and standard deviation."""

    def __init__(
        self,
        n: float,
        df: float,
        *,
        both: bool,
        counts: tuple[int, int, float, int],
    ) -> None:
        self.both, self.counts = both, counts
        nodes, weights = legendre(160)
        z = 9 * nodes
        self.mean = z[:, np.newaxis] / math.sqrt(n)
        self.mean_mass = 9 * weights * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        low, high = (
            0.5 * math.log(max(float(end), 1e-300) / df)
            for end in (stats.chi2.ppf(1e-15, df), stats.chi2.isf(1e-16, df))
        )
        logs = (high - low) / 2 * nodes + (high + low) / 2
        square = df * np.exp(2 * logs)
        self.sd = np.exp(logs)
        self.sd_mass = (high - low) / 2 * weights * stats.chi2.pdf(square, df) * 2 * square

    def confidence(self, k: float) -> float:
        """Of factor k."""
        future, kept, mean_of, occasions = self.counts
        root = math.sqrt(mean_of)
        inside: Floats = special.ndtr(root * (self.mean + k * self.sd))
        if self.both:
            inside = inside - special.ndtr(root * (self.mean - k * self.sd))
        held = inside**future if kept == future else special.bdtrc(kept - 1, future, inside)
        return float(self.mean_mass @ held**occasions @ self.sd_mass)

    def factor(self, conf: float, width: float) -> float:
        """The k of a confidence."""
        low, high = -width, 2 * width
        while self.confidence(high) < conf:
            high *= 2
            if high > 1e9:
                raise NotEstimable("BQC-STA-002", "the prediction factor was not found")
        while self.confidence(low) > conf:
            low *= 2
        return float(optimize.brentq(lambda k: self.confidence(k) - conf, low, high, xtol=1e-12))
