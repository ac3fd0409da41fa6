"""Parallel-line assays: analysis of variance, validity and relative potency.

Completely randomised, randomised blocks, Latin square, and any of them with missing wells: one
linear model. A block factor is removed before the treatments; the error is the residual of
treatments and blocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.assay_anova import Source, Split, Term, indicator, split, table
from batchqc.statistics.bioassay import Assay, extrapolated, factor_of
from batchqc.statistics.fieller import FIELLER, UNBOUNDED, Pair, Ratio, ratio
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import Floats

METHOD: Final = f"parallel lines, general linear model (Ph. Eur. 5.3, 3.2); interval: {FIELLER}"

_ASSUMED: Final = (
    "wells independent and randomised",
    "residuals normal with equal variance on the transformed scale",
    "lines straight in ln(dose) and parallel",
)


@dataclass(frozen=True, slots=True)
class Potency:
    """Relative potency of a sample: the figure, and the ratio on the scale where Fieller holds."""

    name: str
    figure: Figure
    ratio: Ratio


@dataclass(frozen=True, slots=True)
class LineAssay:
    """A parallel-line or slope-ratio assay.

    Args:
        anova: lines by name, in their order.
        potency: by sample.
        slope: the common slope (parallel lines: per unit of ln dose), or the standard's.
        residual_sd: root of the residual mean square.
        df: of the residual error.
        correlation: of responses and the model of the potency; None where there are blocks.
        fitted: n responses by the model of the potency.
        residuals: n, of the treatment and block means.
        leverages: n, of these residuals.
    """

    anova: Mapping[str, Source]
    potency: Mapping[str, Potency]
    slope: Figure
    residual_sd: float
    df: int
    correlation: float | None
    fitted: Floats
    residuals: Floats
    leverages: Floats


def parallel_lines(
    wells: Assay,
    *,
    confidence: float = 0.95,
    potency_factor: float | Mapping[str, float] = 1.0,
) -> LineAssay:
    """Relative potency of each sample from lines that are parallel in ln(dose).

    Args:
        wells: with positive doses, at least two different ones of a preparation.
        confidence: of the two-sided intervals.
        potency_factor: what a potency ratio of 1 means: assumed potency times the dilution
            factors that are not in the doses; one for all, or by sample.

    Raises:
        InvalidInput: a dose is 0, or there is no sample.
        NotEstimable: a preparation has a single dose, blocks and treatments cannot be separated,
            no error can be estimated, or the response does not depend on the dose at all.

    Source: Ph. Eur. 5.3 section 3.2; Finney 1978 chapters 4 and 6; USP <1034>.
    """
    check_lines(wells)
    x = np.log(wells.dose)
    x = x - x.mean()
    cut = split(wells.response, _terms(wells, x))
    anova = _lines(cut, wells)
    ms = anova["residual"].ss / cut.df
    potency, slope, fitted = potencies(
        wells, (cut.df, ms), confidence=confidence, potency_factor=potency_factor
    )
    root = float(np.sqrt(ms))
    return LineAssay(
        anova,
        potency,
        slope,
        root,
        cut.df,
        _correlation(cut),
        fitted,
        cut.residual,
        cut.leverages,
    )


def potencies(
    wells: Assay,
    error: tuple[int, float],
    *,
    confidence: float,
    potency_factor: float | Mapping[str, float],
) -> tuple[dict[str, Potency], Figure, Floats]:
    """Potencies, common slope and fitted responses, with an error's df and mean square."""
    df, ms = error
    x = np.log(wells.dose)
    coefficients, unscaled, fitted = _common(wells, x - x.mean())
    limits = {"confidence": confidence, "df": float(df)}
    found = {
        name: _potency(wells, place, (coefficients, unscaled * ms), limits, potency_factor)
        for place, name in enumerate(wells.samples, 1)
    }
    slope = Figure("common slope", float(coefficients[-1]), METHOD, wells.n, df=df)
    return found, slope, fitted


def check_lines(wells: Assay) -> None:
    """Refuses wells through which no parallel lines can be laid."""
    if not wells.samples:
        raise InvalidInput("BQC-STA-003", "there is a standard, but no sample beside it")
    if np.any(wells.dose <= 0):
        raise InvalidInput(
            "BQC-STA-003",
            "a dose is 0: it has no logarithm",
            hint="Leave blanks out of a parallel-line assay, or fit a logistic curve.",
        )
    for place, name in enumerate(wells.names):
        if np.unique(wells.dose[wells.of == place]).size < 2:
            raise NotEstimable("BQC-STA-001", f"{name!r} has fewer than two doses: no line")
    if np.ptp(wells.response) <= 1e-13 * np.max(np.abs(wells.response)):
        raise NotEstimable("BQC-STA-001", "all responses are equal: there is no slope")


def _terms(wells: Assay, x: Floats) -> list[Term]:
    """Blocks first; then what splits the treatments."""
    preparations = indicator(wells.of)
    own = preparations * x[:, None]
    blocks = [Term(f"block {n}", indicator(one)) for n, one in enumerate(wells.blocks, 1)]
    return [
        *blocks,
        Term("preparations", preparations),
        Term("regression", x[:, None]),
        Term("non-parallelism", own),
        Term("quadratic", (x * x)[:, None]),
        Term("lack of quadratic fit", indicator(wells.treatment)),
    ]


def _lines(cut: Split, wells: Assay) -> dict[str, Source]:
    parts = dict(cut.parts)
    curve = [parts["quadratic"], parts["lack of quadratic fit"]]
    parts["non-linearity"] = (sum(df for df, _ in curve), sum(ss for _, ss in curve))
    kinds = ("preparations", "regression", "non-parallelism", "non-linearity")
    parts["treatments"] = (sum(parts[k][0] for k in kinds), sum(parts[k][1] for k in kinds))
    own = {k: v for k, v in cut.parts.items() if k.startswith("block")}
    parts["blocks"] = (sum(df for df, _ in own.values()), sum(ss for _, ss in own.values()))
    error = (cut.df, float(cut.residual @ cut.residual))
    lines = table(parts, error=error)
    lines["residual"] = Source("residual", cut.df, error[1], error[1] / cut.df)
    off = wells.response - wells.response.mean()
    lines["total"] = Source("total", wells.n - 1, float(off @ off))
    return lines


def _common(wells: Assay, x: Floats) -> tuple[Floats, Floats, Floats]:
    """Coefficients of preparations and of the common slope, their unscaled covariance, fit."""
    others = [indicator(one)[:, 1:] for one in wells.blocks]
    design = np.hstack([*others, indicator(wells.of), x[:, None]])
    _, size, right = np.linalg.svd(design, full_matrices=False)
    if size[-1] <= 1e-10 * size[0]:
        raise NotEstimable(
            "BQC-STA-001",
            "blocks and preparations cannot be told apart: a preparation is alone in its blocks",
        )
    inverse = (right.T / size**2) @ right
    coefficients = np.linalg.lstsq(design, wells.response, rcond=None)[0]
    keep = slice(design.shape[1] - len(wells.names) - 1, None)
    return np.asarray(coefficients[keep]), inverse[keep, keep], design @ coefficients


def _potency(
    wells: Assay,
    place: int,
    found: tuple[Floats, Floats],
    limits: Mapping[str, float],
    factors: float | Mapping[str, float],
) -> Potency:
    coefficients, variance = found
    contrast = np.zeros(coefficients.size)
    contrast[[0, place]] = -1.0, 1.0
    pair = Pair(
        float(contrast @ coefficients),
        float(coefficients[-1]),
        float(contrast @ variance @ contrast),
        float(contrast @ variance[:, -1]),
        float(variance[-1, -1]),
    )
    return log_potency(wells, place, ratio(pair, **limits), factor_of(wells.names[place], factors))


def log_potency(wells: Assay, place: int, found: Ratio, factor: float) -> Potency:
    """The potency of a sample from the ratio that is its logarithm."""
    name = wells.names[place]
    with np.errstate(over="raise", under="ignore"):
        try:
            value = float(factor * np.exp(found.estimate))
            low, high = (
                None if one is None else float(factor * np.exp(one))
                for one in (found.lower, found.upper)
            )
        except FloatingPointError:
            raise NotEstimable(
                "BQC-STA-001", f"the potency of {name!r} is beyond every scale: the lines are flat"
            ) from None
    unbounded = () if found.shape == "bounded" else (UNBOUNDED,)
    figure = Figure(
        f"relative potency of {name}",
        value,
        METHOD,
        wells.n,
        low,
        high,
        found.confidence,
        found.df,
        _ASSUMED,
        (*wells.limitations, *unbounded, *extrapolated(wells, place, found.estimate)),
    )
    return Potency(name, figure, found)


def _correlation(cut: Split) -> float | None:
    if any(name.startswith("block") for name in cut.parts):
        return None
    parts = cut.parts
    total = sum(ss for _, ss in parts.values()) + float(cut.residual @ cut.residual)
    return float(np.sqrt((parts["preparations"][1] + parts["regression"][1]) / total))
