"""Twin cross-over assays: each subject receives both preparations, in two periods.

What differs between subjects (with which dose a subject began) is judged by the variation between
subjects; what differs within a subject, and with it the potency, by the variation within subjects.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from batchqc.errors import InvalidInput
from batchqc.statistics.assay_anova import Source, Split, Term, indicator, split, table
from batchqc.statistics.bioassay import Assay
from batchqc.statistics.parallel_lines import LineAssay, check_lines, potencies
from batchqc.statistics.values import Floats

METHOD: Final = "cross-over, errors between and within subjects (Ph. Eur. 5.3, 3.2.2.4)"

_WITHIN: Final = "residual within subjects"
_BETWEEN: Final = "residual between subjects"


def cross_over(
    wells: Assay,
    *,
    confidence: float = 0.95,
    potency_factor: float | Mapping[str, float] = 1.0,
) -> LineAssay:
    """Relative potency from a cross-over: block factors are subject, then period.

    Args:
        wells: with exactly two block factors: subjects, periods.
        confidence: of the two-sided intervals.
        potency_factor: what a potency ratio of 1 means; one for all, or by sample.

    Returns:
        Each effect stands in the stratum (between or within subjects) that holds it, tested
        against the residual of that stratum; an effect that both strata hold stands in both, the
        one between subjects with "(between)" behind its name.

    Raises:
        InvalidInput: there are not exactly two block factors.
        NotEstimable: as :func:`~batchqc.statistics.parallel_lines.parallel_lines`.

    Source: Ph. Eur. 5.3 sections 3.2.2.4 and 5.1.5; Finney 1978 chapter 10.
    """
    if len(wells.blocks) != 2:
        raise InvalidInput("BQC-STA-003", "a cross-over has two block factors: subject and period")
    check_lines(wells)
    subject, period = wells.blocks
    levels = indicator(subject)
    between = levels @ np.linalg.inv(levels.T @ levels) @ levels.T
    x = np.log(wells.dose)
    terms = _terms(wells.of, x - x.mean(), period)
    lower = split(wells.response, terms, stratum=np.eye(wells.n) - between)
    upper = split(wells.response, terms, stratum=between)
    anova = _lines(upper, _BETWEEN, " (between)") | _lines(lower, _WITHIN, "")
    off = wells.response - wells.response.mean()
    means = between @ off
    anova["subjects"] = Source("subjects", levels.shape[1] - 1, float(means @ means))
    anova["total"] = Source("total", wells.n - 1, float(off @ off))
    ms = float(lower.residual @ lower.residual) / lower.df
    potency, slope, fitted = potencies(
        wells, (lower.df, ms), confidence=confidence, potency_factor=potency_factor
    )
    root = float(np.sqrt(ms))
    residuals, leverages = lower.residual, lower.leverages + np.diag(between)
    return LineAssay(anova, potency, slope, root, lower.df, None, fitted, residuals, leverages)


def _terms(of: NDArray[np.intp], x: Floats, period: NDArray[np.intp]) -> list[Term]:
    preparations, days = indicator(of), indicator(period)
    own, first = preparations * x[:, None], preparations[:, :, None] * days[:, None, :]
    n = x.size
    return [
        Term("preparations", preparations),
        Term("regression", x[:, None]),
        Term("non-parallelism", own),
        Term("periods", days),
        Term("periods x preparations", first.reshape(n, -1)),
        Term("periods x regression", days * x[:, None]),
        Term("periods x non-parallelism", first.reshape(n, -1) * x[:, None]),
    ]


def _lines(cut: Split, residual: str, behind: str) -> dict[str, Source]:
    parts = {name: part for name, part in cut.parts.items() if part[0]}
    error = (cut.df, float(cut.residual @ cut.residual))
    lines = {name + behind: line for name, line in table(parts, error=error).items()}
    return lines | {residual: Source(residual, *error, error[1] / error[0])}
