"""Statistics of pandas frames, for a notebook: a frame goes in, a frame of figures comes out.

A row is a lot (or a replicate), in the order of manufacture; columns are told by name. Each row of
an answer is a figure with n, method, assumptions, interval and limitations. What a figure does not
have is missing (``<NA>``), never NaN. What the data do not allow is refused as by the functions
beneath (``NotEstimable``, ``InvalidInput``), and so is a column that is not there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import pandas as pd

from batchqc.errors import InvalidInput
from batchqc.statistics.capability import SpecLimits
from batchqc.statistics.capability import capability as capability_of
from batchqc.statistics.checks import one_of
from batchqc.statistics.control_charts import ControlChart
from batchqc.statistics.cusum import baseline_of
from batchqc.statistics.equivalence import Margin, paired, two_sample
from batchqc.statistics.ewma import ewma_chart
from batchqc.statistics.few_lots import prediction
from batchqc.statistics.figures import Figure
from batchqc.statistics.frame_columns import Frame, column, figures, labels, typed
from batchqc.statistics.individuals import individuals, moving_range
from batchqc.statistics.nested_anova import nested_components
from batchqc.statistics.reml import fit_mixed
from batchqc.statistics.scales import Scale, Scaled, on_scale
from batchqc.statistics.self_starting import q_chart
from batchqc.statistics.tolerance import (
    logged,
    random_effects_tolerance,
    tolerance_interval,
)
from batchqc.statistics.trend_limits import RULES, checked_rules
from batchqc.statistics.values import Floats, values_of, with_gaps

Kind: TypeAlias = Literal["individuals", "prediction", "moving range", "ewma", "q"]

_CHARTS: Final[Mapping[str, Callable[[Floats], ControlChart]]] = {
    "individuals": individuals,
    "prediction": prediction,
}


class Charted(NamedTuple):
    """A chart: a row for each lot (with its signals, joined by "; "), and its figures."""

    lots: Frame
    figures: Frame


def control_chart(
    frame: Frame,
    *,
    kind: Kind = "individuals",
    value: str = "value",
    lot: str = "lot",
    rules: Sequence[str] = ("1", "2"),
    scale: Scale | None = None,
) -> Charted:
    """A chart of the lots of a frame; a lot without a value stays, with nothing in its row.

    Args:
        frame: a row for each lot, in order. A column ``resolution``, where there is one, holds the
            smallest step that was counted: a value on a bound of the scale is moved inside by half
            of it, and told.
        kind: ``individuals``, ``prediction`` (few lots), ``moving range``, ``ewma`` (lambda 0.2) or
            ``q`` (self-starting).
        value: column of values.
        lot: column of the names of lots.
        rules: Nelson's ``1`` to ``8``, ``we1`` to ``we4``; of individuals and prediction.
        scale: on which lots are charted; lines come back in the unit, sigma and moving ranges stay
            on the scale.

    Raises:
        InvalidInput: a column is not there, a value is no number or not of the scale.
        NotEstimable: there is no variation, or no value.
    """
    one_of(kind, get_args(Kind), "kind")
    data, names = column(frame, value), labels(frame, lot)
    on, resolution = scale or Scale(), _resolution(frame)
    inside = on.forward(data, resolution=resolution)
    told, own = _moved(inside, names), inside.values  # noqa: PD011 - of a scale, no frame
    if kind == "q":
        return _q(data, names, -own if on.flips else own, told)
    if kind == "ewma":
        return _ewma(own, names, on, told)
    if kind == "moving range":
        return _ranges(own, names, on, told)
    made = on_scale(data, on, _CHARTS[kind], resolution=resolution)
    chart, said = made.chart, [""] * len(names)
    if chart.lower is not None or chart.upper is not None:
        said = _said(chart, rules)
    lines = {"value": data, "centre": made.centre, "sigma": chart.sigma, "lower": made.lower,
             "upper": made.upper}  # fmt: skip
    limitations = (*told, *chart.limitations)
    return Charted(_table(names, lines, said), figures(chart.figures.values(), limitations))


def capability(
    frame: Frame, *, lower: float | None = None, upper: float | None = None, value: str = "value",
    conf: float = 0.95, scale: Literal["raw", "ln"] = "raw",
) -> Frame:  # fmt: skip
    """Pp, Ppk and the others that the limits allow, with expected fractions beyond.

    Raises:
        InvalidInput: no limit, a column is not there, a value is missing or no number.
        NotEstimable: fewer than two values, or no variation.
    """
    found = capability_of(column(frame, value), SpecLimits(lower, upper), conf=conf, scale=scale)
    return figures([*found.indices.values(), *found.beyond.values()])


def variance_components(
    frame: Frame, factors: Sequence[str], *, value: str = "value", conf: float = 0.95,
    method: Literal["anova", "reml"] = "anova",
) -> Frame:  # fmt: skip
    """Variances of factors and of the error.

    Args:
        frame: a row for each value.
        factors: columns, the outer one first: donor, lot within donor. ``anova`` is for nested
            factors; for ``reml`` they may cross, and each label is a level of its own.
        value: column of values.
        conf: of the intervals.
        method: ``anova`` (MLS intervals) or ``reml`` (profile intervals).

    Raises:
        InvalidInput: a column is not there, a value or label is missing.
        NotEstimable: one level, no replicates, or factors that cannot be told apart.
    """
    one_of(method, ("anova", "reml"), "method")
    groups = {name: labels(frame, name) for name in factors}
    if method == "anova":
        found = nested_components(column(frame, value), groups, conf=conf)
        return figures([*found.components, found.total])
    fitted = fit_mixed(column(frame, value), groups, conf=conf)
    return figures([*fitted.fixed.values(), *fitted.components.values()])


def tolerance(
    frame: Frame,
    *,
    value: str = "value",
    levels: tuple[float, float] = (0.95, 0.95),
    side: str = "two-sided",
    scale: Literal["raw", "ln"] = "raw",
    donor: str | None = None,
) -> Frame:
    """Limits that hold a part of all lots, with confidence.

    Args:
        frame: a row for each lot.
        value: column of values.
        levels: content, then confidence.
        side: ``two-sided``, ``lower`` or ``upper``.
        scale: ``ln`` for logarithms; the limits come back in the unit.
        donor: column of donors, which are then counted as what they are.

    Raises:
        InvalidInput: a column is not there, a value is missing, a level or side is none.
        NotEstimable: too few values or donors, or no variation.
    """
    data, (content, conf) = column(frame, value), levels
    if donor is None:
        found = tolerance_interval(data, content=content, conf=conf, side=side, scale=scale)
    else:
        parts = nested_components(logged(values_of(data), scale), {donor: labels(frame, donor)})
        found = random_effects_tolerance(parts, content=content, conf=conf, side=side, scale=scale)
    return figures([found.limits])


def equivalence(
    frame: Frame,
    *,
    groups: tuple[object, object],
    margin: Margin,
    pair: str | None = None,
    alpha: float = 0.05,
    log: bool = False,
) -> Frame:
    """Two one-sided tests (TOST) of the means of two groups.

    Args:
        frame: a row for each value, with the columns ``group`` and ``value``.
        groups: labels: the new one, then the one that it is compared with.
        margin: fixed beforehand; a ratio where log.
        pair: column that tells which values belong together (halves of a donation).
        alpha: of each test.
        log: compare geometric means.

    Returns:
        The difference, and the ratio where log, with ``p`` and ``equivalent``.

    Raises:
        InvalidInput: a column or group is not there, pairs are not whole, no margin.
        NotEstimable: too few values, or no variation.
    """
    own = labels(frame, "group")
    parts = [frame[[one == str(name) for one in own]] for name in groups]
    missing = [str(name) for name, part in zip(groups, parts, strict=True) if part.empty]
    if missing:
        raise InvalidInput(
            "BQC-STA-003", f"no row of group {', '.join(missing)}", reasons=sorted(set(own))
        )
    if pair is None:
        a, b = (column(part, "value") for part in parts)
        found = two_sample(a, b, margin, alpha=alpha, log=log)
    else:
        found = paired(*_pairs(parts, pair), margin, alpha=alpha, log=log)
    table = figures([one for one in (found.difference, found.ratio) if one is not None])
    return table.assign(p=found.p, equivalent=found.equivalent)


def _said(chart: ControlChart, rules: Sequence[str]) -> list[str]:
    by_lot: dict[int, list[str]] = {}
    for one in chart.signals([RULES[name] for name in checked_rules(rules)]):
        by_lot.setdefault(one.point, []).append(one.rule)
    return ["; ".join(by_lot.get(at, ())) for at in range(1, chart.points.size + 1)]


def _table(
    names: Sequence[str], lines: Mapping[str, "Floats | None"], said: Sequence[str]
) -> Frame:
    empty = np.full(len(names), np.nan)
    told = {key: empty if line is None else line for key, line in lines.items()}
    table = pd.DataFrame({"lot": names} | {
        key: [None if np.isnan(one) else float(one) for one in line] for key, line in told.items()
    })  # fmt: skip
    return typed(table.assign(signals=list(said)))


def _resolution(frame: Frame) -> Floats | None:
    return column(frame, "resolution") if "resolution" in frame else None


def _moved(found: Scaled, names: Sequence[str]) -> tuple[str, ...]:
    lots = [names[place - 1] for place in found.shifted]
    return (f"moved off the bound by half the resolution: {', '.join(lots)}",) if lots else ()


def _ranges(data: Floats, names: Sequence[str], scale: Scale, told: tuple[str, ...]) -> Charted:
    made = moving_range(data)
    said = ["beyond" if at in made.beyond else "" for at in range(1, len(names) + 1)]
    lines = {"value": made.points, "centre": made.centre, "sigma": made.sigma,
             "lower": made.lower, "upper": made.upper}  # fmt: skip
    on = () if scale.kind == "identity" else (f"ranges are on the {scale.kind} scale",)
    table = figures(made.figures.values(), (*told, *on, *made.limitations))
    return Charted(_table(names, lines, said), table)


def _ewma(data: Floats, names: Sequence[str], scale: Scale, told: tuple[str, ...]) -> Charted:
    made, single = ewma_chart(data, baseline_of(data)), individuals(data)
    here = ~np.isnan(data)
    few = single.lower is None
    average, centre, lower, upper = (
        scale.back(np.where(here, line, np.nan))
        for line in (made.average, np.full(len(names), made.center), made.lower, made.upper)
    )
    if scale.flips:
        lower, upper = upper, lower
    lines = {"value": average, "centre": centre, "sigma": np.array(made.sigma),
             "lower": None if few else lower, "upper": None if few else upper}  # fmt: skip
    beyond = () if few else made.signals
    said = ["beyond" if at in beyond else "" for at in range(1, len(names) + 1)]
    limitations = (*told, *single.limitations, *made.limitations)
    table = figures(single.figures.values(), limitations)
    table = table.assign(method=table["method"] + f"; {made.method}")
    return Charted(_table(names, lines, said), table)


def _q(data: Floats, names: Sequence[str], on: Floats, told: tuple[str, ...]) -> Charted:
    made = q_chart(on)
    said = ["beyond" if at in made.signals else "" for at in range(1, len(names) + 1)]
    lines = {"value": data, "score": with_gaps(made.q), "lower": np.full(len(names), -made.limit),
             "upper": np.full(len(names), made.limit)}  # fmt: skip
    one = Figure("limit of Q, in sigma", made.limit, made.method, made.n,
                 assumptions=made.assumptions, limitations=(*told, *made.limitations))  # fmt: skip
    return Charted(_table(names, lines, said), figures([one]))


def _pairs(parts: Sequence[Frame], pair: str) -> tuple[list[float], list[float]]:
    sides = []
    for part in parts:
        names = labels(part, pair)
        if len(set(names)) < len(names):
            raise InvalidInput("BQC-STA-003", f"column {pair!r} names a pair twice in a group")
        sides.append(dict(zip(names, column(part, "value").tolist(), strict=True)))
    alone = sorted(set(sides[0]) ^ set(sides[1]))
    if alone:
        raise InvalidInput(
            "BQC-STA-003", f"{len(alone)} pairs have a value in one group only", reasons=alone[:20]
        )
    return list(sides[0].values()), [sides[1][name] for name in sides[0]]
