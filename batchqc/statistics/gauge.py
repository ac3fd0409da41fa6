"""Gauge R&R of a crossed study: parts (lots) x operators x trials, by analysis of variance."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.exact_sums import ExactSums
from batchqc.statistics.figures import Figure
from batchqc.statistics.gauge_lines import GaugeLine, lines
from batchqc.statistics.levels import Labels, factor
from batchqc.statistics.mls_limits import MLS, MeanSquares, mls_interval
from batchqc.statistics.values import Floats, fraction_of, measurable, positive, values_of

#: What to do with the interaction of part and operator.
Interaction = Literal["keep", "pool", "auto"]

_METHOD: Final = f"crossed gauge R&R by ANOVA (AIAG MSA 4, chapter III-B); {MLS}"
_ASSUMED: Final = ("normal effects", "parts and operators drawn at random", "independent trials")


@dataclass(frozen=True, slots=True)
class AnovaRow:
    """One row of the table; f and p are None where there is nothing to test against."""

    source: str
    df: int
    ss: float
    ms: float
    f: float | None
    p: float | None


@dataclass(frozen=True, slots=True)
class GaugeStudy:
    """A crossed gauge study.

    Args:
        table: the full table, by source: part, operator, interaction, repeatability.
        pooled: whether the interaction was pooled with the repeatability.
        pooled_ms: the mean square that tests part and operator: pooled, or the interaction.
        variances: part, operator, interaction, repeatability, reproducibility, grr, total.
        lines: EV, AV, INT, GRR, PV, TV as standard deviations, with percentages.
        ndc: number of distinct categories, 1.41 PV / GRR, whole (AIAG) in ``distinct``.
    """

    table: Mapping[str, AnovaRow]
    pooled: bool
    pooled_ms: float
    variances: Mapping[str, Figure]
    lines: Mapping[str, GaugeLine]
    ndc: float

    @property
    def distinct(self) -> int:
        """Whole number of distinct categories, at least 1."""
        return max(1, math.floor(self.ndc))


def gauge_values(data: ArrayLike, parts: Labels, operators: Labels) -> Floats:
    """Columns of a study as an array of shape (parts, operators, trials).

    Raises:
        NotEstimable: the study is not complete: some cell has more trials than another.
    """
    found = values_of(data)
    part, operator = factor("part", parts, found.size), factor("operator", operators, found.size)
    cells = part.codes * len(operator.names) + operator.codes
    shape = (len(part.names), len(operator.names))
    counts = np.bincount(cells, minlength=shape[0] * shape[1])
    if np.ptp(counts):
        raise NotEstimable(
            "BQC-STA-001",
            "the study is incomplete: some part and operator have other numbers of trials",
            hint="Use the mixed model (REML) for an incomplete study.",
        )
    return found[np.argsort(cells, kind="stable")].reshape(*shape, int(counts[0]))


def gauge_study(
    values: ArrayLike,
    *,
    interaction: Interaction = "auto",
    conf: float = 0.95,
    tolerance: float | None = None,
    sigmas: float = 6.0,
    pool_above: float = 0.25,
) -> GaugeStudy:
    """Repeatability, reproducibility and part variation of a complete crossed study.

    Source: AIAG MSA 4th edition 2010, chapter III-B and its table III-B.9 for the limits; Burdick,
    Borror and Montgomery 2003 (J Quality Technology 35:342); Montgomery 2013, section 8.7.

    Args:
        values: of shape (parts, operators, trials).
        interaction: keep it, pool it with the repeatability, or ``auto``: pool it where its
            p-value is above pool_above.
        conf: of the two-sided intervals.
        tolerance: width of the specification, for the percentages of tolerance.
        sigmas: width of a spread in standard deviations: 6, or 5.15 in older manuals.
        pool_above: AIAG uses 0.25.

    Raises:
        NotEstimable: fewer than 2 parts or operators, one trial with the interaction kept, no
            variation of repeated trials.
        InvalidInput: a value is missing, or the array has not three axes.
    """
    array = _checked(values)
    fraction_of(conf, "confidence")
    table = _table(array, keeps=interaction == "keep")
    between = table["interaction"]
    pooled = interaction == "pool" or array.shape[2] == 1
    if interaction == "auto" and between.p is not None:
        pooled = between.p > pool_above
    squares, weights = _model(table, array.shape, pooled=pooled)
    variances = {
        name: _variance(name, squares, one, array.size, conf) for name, one in weights.items()
    }
    _add_sums(variances)
    width = None if tolerance is None else positive(tolerance, "tolerance")
    found = lines(squares, weights, variances, (width, positive(sigmas, "sigmas")))
    ndc = math.sqrt(2 * variances["part"].value / variances["grr"].value)
    ndc = 1.41 / math.sqrt(2) * ndc
    return GaugeStudy(table, pooled, float(squares.ms[2]), variances, found, ndc)


def _checked(values: ArrayLike) -> Floats:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput(
            "BQC-STA-003", "a gauge study is an array of numbers: parts x operators x trials"
        ) from None
    if array.ndim != 3:
        raise InvalidInput(
            "BQC-STA-003", f"a gauge study has three axes (part, operator, trial), not {array.ndim}"
        )
    measurable(values_of(array.ravel()), "values")
    if min(array.shape[:2]) < 2:
        raise NotEstimable(
            "BQC-STA-001",
            f"{array.shape[0]} parts and {array.shape[1]} operators: two of each are the least",
            hint="With one operator, use the nested components of parts and trials.",
        )
    return array


def _table(array: Floats, *, keeps: bool) -> dict[str, AnovaRow]:
    parts, operators, trials = array.shape
    if trials == 1 and keeps:
        raise NotEstimable("BQC-STA-001", "with one trial the interaction cannot be told apart")
    sums = ExactSums(array.ravel())
    place = np.indices(array.shape).reshape(3, -1)
    mean = sums.explained(np.zeros_like(place[0]))
    part, operator = sums.explained(place[0]), sums.explained(place[1])
    cell = sums.explained(place[0] * operators + place[1])
    squares = {
        "part": part - mean,
        "operator": operator - mean,
        "interaction": cell - part - operator + mean,
        "repeatability": sums.squares - cell,
    }
    cross = (parts - 1) * (operators - 1)
    df = (parts - 1, operators - 1, cross, parts * operators * (trials - 1))
    ss = {name: float(one) for name, one in squares.items()}
    if not (ss["repeatability"] if trials > 1 else ss["interaction"]):
        raise NotEstimable("BQC-STA-001", "repeated trials are all equal: no repeatability")
    rows = {
        name: AnovaRow(name, free, ss[name], ss[name] / free if free else 0.0, None, None)
        for name, free in zip(ss, df, strict=True)
    }
    if trials > 1:
        rows["interaction"] = _tested(rows["interaction"], rows["repeatability"])
    for name in ("part", "operator"):
        rows[name] = _tested(rows[name], rows["interaction"])
    return rows


def _tested(row: AnovaRow, error: AnovaRow) -> AnovaRow:
    if not error.ms:
        return row
    f = row.ms / error.ms
    return AnovaRow(row.source, row.df, row.ss, row.ms, f, float(stats.f.sf(f, row.df, error.df)))


def _model(
    table: Mapping[str, AnovaRow], shape: tuple[int, ...], *, pooled: bool
) -> tuple[MeanSquares, dict[str, Floats]]:
    """Mean squares of the model, and the weights of each component on them."""
    parts, operators, trials = shape
    part, operator, between, within = table.values()
    o, p = 1 / (parts * trials), 1 / (operators * trials)
    if pooled:
        df = between.df + within.df
        error = (between.ss + within.ss) / df
        squares = MeanSquares.of([part.ms, operator.ms, error], [part.df, operator.df, df])
        rows = {"part": [p, 0, -p], "operator": [0, o, -o], "repeatability": [0, 0, 1]}
    else:
        ms = [one.ms for one in table.values()]
        squares = MeanSquares.of(ms, [one.df for one in table.values()])
        rows = {
            "part": [p, 0, -p, 0],
            "operator": [0, o, -o, 0],
            "interaction": [0, 0, 1 / trials, -1 / trials],
            "repeatability": [0, 0, 0, 1],
        }
    weights = {name: np.array(one, dtype=np.float64) for name, one in rows.items()}
    weights["reproducibility"] = weights["operator"] + weights.get("interaction", 0.0)
    weights["grr"] = weights["reproducibility"] + weights["repeatability"]
    weights["total"] = weights["grr"] + weights["part"]
    return squares, weights


def _variance(name: str, squares: MeanSquares, weights: Floats, n: int, conf: float) -> Figure:
    raw = float(weights @ squares.ms)
    lower, upper = (max(one, 0.0) for one in mls_interval(squares, weights, conf=conf))
    told = (f"the estimate is negative ({raw:.6g}) and counts as 0",) if raw < 0 else ()
    value = max(raw, 0.0)
    return Figure(f"variance: {name}", value, _METHOD, n, lower, upper, conf, None, _ASSUMED, told)


def _add_sums(variances: dict[str, Figure]) -> None:
    """Sums are of the components as they count, none below 0."""
    sums = {
        "reproducibility": ("operator", "interaction"),
        "grr": ("operator", "interaction", "repeatability"),
        "total": ("operator", "interaction", "repeatability", "part"),
    }
    for name, parts in sums.items():
        one = variances[name]
        value = sum(variances[part].value for part in parts if part in variances)
        variances[name] = Figure(
            one.name, value, one.method, one.n, one.lower, one.upper, one.confidence, None,
            one.assumptions, one.limitations,
        )  # fmt: skip
