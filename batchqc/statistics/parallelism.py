"""Parallelism of standard and sample: by equivalence (default) and by the F test of the assay.

The bounds of an equivalence are set before the run, from the history of the assay.
The F test fails the precise assay and passes the poor one; it is reported beside the equivalence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.assay_anova import indicator
from batchqc.statistics.bioassay import Assay
from batchqc.statistics.curve_models import PARAMETERS
from batchqc.statistics.fieller import FIELLER, UNBOUNDED, Pair, ratio, two_sided
from batchqc.statistics.figures import Figure
from batchqc.statistics.relative_potency import RelativePotency

#: What may be compared of curves: rows of b, c, d.
MEASURES: Final[Mapping[str, Mapping[str, float]]] = {
    "slope": {"b": 1.0},
    "lower asymptote": {"c": 1.0},
    "upper asymptote": {"d": 1.0},
    "span": {"c": -1.0, "d": 1.0},
}

_ASSUMED: Final = ("residuals normal, one variance", "bounds set before the run, from history")


@dataclass(frozen=True, slots=True)
class Measure:
    """A comparison of sample and standard, with the bounds between which it is equivalent.

    ``equivalent`` is None where no bounds were set: then nothing is shown.
    """

    name: str
    sample: str
    figure: Figure
    bounds: tuple[float, float] | None
    equivalent: bool | None


def curve_parallelism(
    found: RelativePotency,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    *,
    confidence: float = 0.90,
) -> list[Measure]:
    """Ratios and differences of slopes and asymptotes of curves that were fitted separately.

    Args:
        found: with separate curves.
        bounds: by name: "ratio of slope", "difference of upper asymptote", "ratio of span", ...,
            and "non-parallelism sum of squares" (its lower bound is 0).
        confidence: of the two-sided intervals; 0.90 is two one-sided tests at 5 %.

    Raises:
        NotEstimable: the separate curves could not be fitted.
        InvalidInput: a bound has an unknown name, or is no range.

    Source: USP <1032>, <1034>; Yang et al. 2012, PDA J Pharm Sci Technol 66:262.
    """
    own = found.separate
    if own is None:
        raise NotEstimable("BQC-STA-001", "separate curves could not be fitted: no parallelism")
    model = found.model
    wanted = dict(bounds or {})
    figures: list[tuple[str, str, Figure]] = []
    names = list(found.potency)
    n = own.fitted.size
    for place, sample in enumerate(names, 1):
        for what, row in MEASURES.items():
            if not set(row) <= set(model.free):
                continue
            contrast = np.array([row.get(one, 0.0) for one in model.free])
            inner = own.inner[[place, 0]][:, [PARAMETERS.index(one) for one in model.free]]
            a, b = inner @ contrast
            v = [float(contrast @ own.covariance[k] @ contrast) for k in (place, 0)]
            pair = Pair(float(a), float(b), v[0], 0.0, v[1])
            both = _compared(what, pair, (n, own.df, confidence))
            figures += [(name, sample, figure) for name, figure in both]
    rss = Figure(
        "non-parallelism sum of squares", max(found.rss - own.rss, 0.0),
        "difference of residual sums of squares (USP <1032>)", n, assumptions=_ASSUMED,
    )  # fmt: skip
    figures.append((rss.name, ", ".join(names), rss))
    return _judged(figures, wanted)


def line_parallelism(
    wells: Assay,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    *,
    confidence: float = 0.90,
) -> list[Measure]:
    """Ratio and difference of the slopes of straight lines in ln(dose), fitted separately.

    Args:
        wells: of a parallel-line assay.
        bounds: by name: "ratio of slope", "difference of slope".
        confidence: of the two-sided intervals.

    Raises:
        NotEstimable: there are too few wells, or the fit is perfect.
        InvalidInput: a bound has an unknown name, or is no range.

    Source: USP <1032>; Callahan & Sajjadi 2003, BioProcessing Journal 2(2):71.
    """
    if np.any(wells.dose <= 0):
        raise InvalidInput("BQC-STA-003", "a dose is 0: it has no logarithm")
    x = np.log(wells.dose)
    x = x - x.mean()
    own = indicator(wells.of)
    others = [indicator(one)[:, 1:] for one in wells.blocks]
    design = np.hstack([*others, own, own * x[:, None]])
    if np.linalg.matrix_rank(design) < design.shape[1] or wells.n <= design.shape[1]:
        raise NotEstimable("BQC-STA-001", "the wells do not allow a line for each preparation")
    found = np.linalg.lstsq(design, wells.response, rcond=None)[0]
    off = wells.response - design @ found
    df = wells.n - design.shape[1]
    rss = float(off @ off)
    if rss <= 1e-22 * float(wells.response @ wells.response):
        raise NotEstimable("BQC-STA-001", "the lines go exactly through every response")
    k = len(wells.names)
    v = np.linalg.inv(design.T @ design)[-k:, -k:] * rss / df
    b = found[-k:]
    figures = []
    for place, sample in enumerate(wells.samples, 1):
        pair = Pair(
            float(b[place]), float(b[0]), float(v[place, place]), float(v[place, 0]), float(v[0, 0])
        )
        both = _compared("slope", pair, (wells.n, df, confidence))
        figures += [(name, sample, figure) for name, figure in both]
    return _judged(figures, dict(bounds or {}))


def _compared(what: str, pair: Pair, of: tuple[int, int, float]) -> list[tuple[str, Figure]]:
    n, df, confidence = of
    found = ratio(pair, confidence=confidence, df=df)
    se = float(np.sqrt(pair.v11 + pair.v22 - 2 * pair.v12))
    half, off = two_sided(confidence, df) * se, pair.a - pair.b
    unbounded = () if found.shape == "bounded" else (UNBOUNDED,)
    first, second = f"ratio of {what}", f"difference of {what}"
    return [
        (first, Figure(first, found.estimate, FIELLER, n, found.lower, found.upper, confidence,
                       df, _ASSUMED, unbounded)),
        (second, Figure(second, off, "delta method, Student's t", n, off - half, off + half,
                        confidence, df, _ASSUMED)),
    ]  # fmt: skip


def _judged(
    figures: list[tuple[str, str, Figure]], bounds: dict[str, tuple[float, float]]
) -> list[Measure]:
    unknown = set(bounds) - {name for name, _, _ in figures}
    if unknown:
        raise InvalidInput("BQC-STA-003", f"bounds of {sorted(unknown)}: there is no such measure")
    if any(not low < high for low, high in bounds.values()):
        raise InvalidInput("BQC-STA-003", "the bounds of an equivalence are a range")
    return [
        Measure(name, sample, figure, bounds.get(name), _within(figure, bounds.get(name)))
        for name, sample, figure in figures
    ]


def _within(figure: Figure, bounds: tuple[float, float] | None) -> bool | None:
    if bounds is None:
        return None
    low, high = bounds
    if not figure.confidence:
        return low <= figure.value <= high
    if figure.lower is None or figure.upper is None:
        return False
    return low <= figure.lower and figure.upper <= high
