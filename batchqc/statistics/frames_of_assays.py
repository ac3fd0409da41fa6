"""Stability and potency of pandas frames, for a notebook; see :mod:`batchqc.statistics.frames`."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from scipy import stats

from batchqc.statistics.bioassay import Assay, Transformation, assay
from batchqc.statistics.checks import one_of
from batchqc.statistics.combination import CombineOptions, combine, run_of_interval
from batchqc.statistics.curve_models import MODELS
from batchqc.statistics.dose_response import CurveOptions
from batchqc.statistics.figures import Figure
from batchqc.statistics.frame_columns import Frame, column, figures, labels
from batchqc.statistics.parallel_lines import LineAssay, parallel_lines
from batchqc.statistics.parallelism import Measure, curve_parallelism, line_parallelism
from batchqc.statistics.relative_potency import RelativePotency
from batchqc.statistics.relative_potency import relative_potency as fit_potency
from batchqc.statistics.slope_ratio import slope_ratio
from batchqc.statistics.stability import Criterion, shelf_life
from batchqc.statistics.stability_lines import Line
from batchqc.statistics.values import values_of

Lines: TypeAlias = Literal["parallel line", "slope ratio"]
_LINES: Final = ("parallel line", "slope ratio")


class Potencies(NamedTuple):
    """Relative potency of each sample, and how alike the curves are (empty for slope ratios)."""

    potency: Frame
    parallelism: Frame


def stability(
    frame: Frame,
    *,
    lower: float | None = None,
    upper: float | None = None,
    batch: str = "lot",
    time: str = "month",
    value: str = "value",
) -> Frame:
    """Shelf life (ICH Q1E) with the lines it rests on; no shelf life is no row, and is told.

    Raises:
        InvalidInput: a column or criterion is not there, a value is missing.
        NotEstimable: too few points or times, or a start outside the criterion.
    """
    names, times, y = labels(frame, batch), column(frame, time), column(frame, value)
    found = shelf_life(names, values_of(times), values_of(y), Criterion(lower, upper))
    said = (found.crossing.said,)
    rows = [] if found.months is None else [found.months]
    for line in found.lines:
        rows += _of_line(line, found.model)
    return figures(rows, said)


def relative_potency(
    frame: Frame,
    *,
    model: str = "4PL",
    standard: str = "S",
    blocks: Sequence[str] = (),
    transformation: Transformation = "identity",
    potency_factor: float = 1.0,
) -> Potencies:
    """Relative potency of each sample to the standard.

    Args:
        frame: a row for each well, with the columns ``sample``, ``dose`` and ``response``; a well
            without a response is left out, and told.
        model: ``4PL``, ``5PL`` and the other curves, ``parallel line`` or ``slope ratio``.
        standard: label of the reference preparation.
        blocks: columns of plates, rows, days, for lines.
        transformation: of the response.
        potency_factor: what a ratio of 1 means.

    Raises:
        InvalidInput: a column, the model or the standard is not there, a dose is missing.
        NotEstimable: too few doses, a flat or perfect fit.
    """
    one_of(model, (*MODELS, *_LINES), "model")
    wells = assay(
        labels(frame, "sample"),
        column(frame, "dose"),
        column(frame, "response"),
        standard=standard,
        blocks=[labels(frame, one) for one in blocks],
        transformation=transformation,
    )
    found: RelativePotency | LineAssay
    measures: list[Measure] = []
    if model in _LINES:
        found, measures = _of_lines(wells, model, potency_factor)
        potency = [one.figure for one in found.potency.values()]
    else:
        found = fit_potency(wells, CurveOptions(model=model), potency_factor=potency_factor)
        potency = list(found.potency.values())
        measures = curve_parallelism(found) if found.separate is not None else []
    table = figures([one.figure for one in measures])
    return Potencies(figures(potency), table.assign(sample=[one.sample for one in measures]))


def combined_potency(
    frame: Frame,
    *,
    value: str = "value",
    lower: str = "lower",
    upper: str = "upper",
    conf: float = 0.95,
) -> Frame:
    """One potency of independent runs, a row each with its limits; the chosen mean comes first.

    Raises:
        InvalidInput: a column is not there, or limits are no interval of a positive potency.
        NotEstimable: fewer than two runs.
    """
    columns = [values_of(column(frame, name)).tolist() for name in (value, lower, upper)]
    runs = [run_of_interval(*row, confidence=conf) for row in zip(*columns, strict=True)]
    found = combine(runs, CombineOptions(confidence=conf))
    others = [one for name, one in found.means.items() if name != found.chosen]
    table = figures([found.reported, *others])
    return table.assign(chi2=found.chi2, p=found.p, between=found.between)


def _of_line(line: Line, model: str) -> list[Figure]:
    """Slope and intercept with their intervals; without, where the points lie on the line."""
    of, t = line.batch or "all batches", float(stats.t.ppf(0.975, line.df))
    told = (
        ("slope", line.slope, line.variance / line.sxx),
        (
            "intercept",
            line.intercept,
            line.variance * (1 / line.points + line.centre**2 / line.sxx),
        ),
    )
    return [
        Figure(f"{what} of {of}", value, f"least squares, model {model}", line.points,
               value - t * variance**0.5, value + t * variance**0.5, 0.95, line.df,
               ("independent errors", "normal errors of equal variance", "a straight line"))
        for what, value, variance in told
    ]  # fmt: skip


def _of_lines(wells: Assay, model: str, factor: float) -> tuple[LineAssay, list[Measure]]:
    if model == "slope ratio":
        return slope_ratio(wells, potency_factor=factor), []
    found = parallel_lines(wells, potency_factor=factor)
    return found, line_parallelism(wells)
