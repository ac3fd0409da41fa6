"""Slope-ratio assays: lines in the dose itself that meet at dose 0.

Wells of dose 0 are blanks, whatever their label. The potency of a sample is the ratio of its slope
to the slope of the standard.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.assay_anova import Source, Split, Term, indicator, split, table
from batchqc.statistics.bioassay import Assay, factor_of
from batchqc.statistics.fieller import FIELLER, UNBOUNDED, Pair, ratio
from batchqc.statistics.figures import Figure
from batchqc.statistics.parallel_lines import LineAssay, Potency
from batchqc.statistics.values import Floats

METHOD: Final = f"slope ratio, common intercept (Ph. Eur. 5.3, 3.3); interval: {FIELLER}"

_ASSUMED: Final = (
    "wells independent and randomised",
    "residuals normal with equal variance",
    "lines straight in the dose, with one intercept",
)


def slope_ratio(
    wells: Assay,
    *,
    confidence: float = 0.95,
    potency_factor: float | Mapping[str, float] = 1.0,
) -> LineAssay:
    """Relative potency of each sample from lines with a common intercept.

    Args:
        wells: doses of 0 are blanks.
        confidence: of the two-sided intervals.
        potency_factor: what a ratio of slopes of 1 means; one for all, or by sample.

    Returns:
        The analysis of variance has the lines regression (a slope for each preparation), blanks
        (whether the blanks lie where the lines meet), intersection (whether the lines meet),
        non-linearity, treatments, blocks, residual, total. ``slope`` is that of the standard.

    Raises:
        InvalidInput: there is no sample.
        NotEstimable: a preparation has no dose above 0, no error can be estimated, blocks and
            treatments cannot be separated, or the slope of the standard is 0.

    Source: Ph. Eur. 5.3 section 3.3; Finney 1978 chapter 7.
    """
    names = tuple(
        name for n, name in enumerate(wells.names) if np.any(wells.dose[wells.of == n] > 0)
    )
    if names[:1] != wells.names[:1]:
        raise NotEstimable("BQC-STA-001", f"{wells.names[0]!r} has no dose above 0")
    if len(names) < 2:
        raise InvalidInput("BQC-STA-003", "there is a standard, but no sample beside it")
    doses = _doses(wells, names)
    cut = split(wells.response, _terms(wells, doses))
    anova = _lines(cut, wells)
    ms = anova["residual"].ss / cut.df
    coefficients, unscaled, fitted = _common(wells, doses)
    potency: dict[str, Potency] = {}
    for place, name in enumerate(names[1:], 1):
        v = unscaled[np.ix_([place, 0], [place, 0])] * ms
        pair = Pair(
            float(coefficients[place]),
            float(coefficients[0]),
            float(v[0, 0]),
            float(v[0, 1]),
            float(v[1, 1]),
        )
        factor = factor_of(name, potency_factor)
        potency[name] = _potency(wells, name, pair, (confidence, float(cut.df), factor))
    slope = Figure("slope of the standard", float(coefficients[0]), METHOD, wells.n, df=cut.df)
    root = float(np.sqrt(ms))
    return LineAssay(anova, potency, slope, root, cut.df, None, fitted, cut.residual, cut.leverages)


def _doses(wells: Assay, names: tuple[str, ...]) -> Floats:
    """A column of doses for each preparation."""
    places = [wells.names.index(name) for name in names]
    return np.where(wells.of[:, None] == np.array(places), wells.dose[:, None], 0.0)


def _terms(wells: Assay, doses: Floats) -> list[Term]:
    blank = (wells.dose == 0)[:, None].astype(np.float64)
    treatment = np.where(wells.dose == 0, -1, wells.treatment)
    blocks = [Term(f"block {n}", indicator(one)) for n, one in enumerate(wells.blocks, 1)]
    return [
        *blocks,
        Term("regression", doses),
        Term("blanks", blank),
        Term("intersection", (doses > 0).astype(np.float64)),
        Term("non-linearity", indicator(treatment)),
    ]


def _lines(cut: Split, wells: Assay) -> dict[str, Source]:
    parts = dict(cut.parts)
    own = {k: v for k, v in parts.items() if k.startswith("block")}
    kinds = [v for k, v in parts.items() if k not in own]
    parts["treatments"] = (sum(df for df, _ in kinds), sum(ss for _, ss in kinds))
    parts["blocks"] = (sum(df for df, _ in own.values()), sum(ss for _, ss in own.values()))
    error = (cut.df, float(cut.residual @ cut.residual))
    lines = table(parts, error=error)
    lines["residual"] = Source("residual", cut.df, error[1], error[1] / cut.df)
    off = wells.response - wells.response.mean()
    lines["total"] = Source("total", wells.n - 1, float(off @ off))
    return lines


def _common(wells: Assay, doses: Floats) -> tuple[Floats, Floats, Floats]:
    """Slopes, their unscaled covariance, and the fit with one intercept (in each block)."""
    scale = doses.max(axis=0)
    others = [indicator(one)[:, 1:] for one in wells.blocks]
    design = np.hstack([np.ones((wells.n, 1)), *others, doses / scale])
    _, size, right = np.linalg.svd(design, full_matrices=False)
    if size[-1] <= 1e-10 * size[0]:
        raise NotEstimable("BQC-STA-001", "slopes, intercept and blocks cannot be told apart")
    inverse = (right.T / size**2) @ right
    found = np.linalg.lstsq(design, wells.response, rcond=None)[0]
    keep = slice(design.shape[1] - doses.shape[1], None)
    return found[keep] / scale, inverse[keep, keep] / np.outer(scale, scale), design @ found


def _potency(wells: Assay, name: str, pair: Pair, how: tuple[float, float, float]) -> Potency:
    confidence, df, factor = how
    found = ratio(pair, confidence=confidence, df=df)
    low, high = (None if one is None else factor * one for one in (found.lower, found.upper))
    negative = () if found.estimate > 0 else ("the slopes have opposite signs: no potency",)
    figure = Figure(
        f"relative potency of {name}",
        factor * found.estimate,
        METHOD,
        wells.n,
        low,
        high,
        confidence,
        df,
        _ASSUMED,
        (
            *wells.limitations,
            *(() if found.shape == "bounded" else (UNBOUNDED,)),
            *negative,
        ),
    )
    return Potency(name, figure, found)
