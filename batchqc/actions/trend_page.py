"""The data of the page of one attribute: every lot, phase, limit and signal, as JSON, CSV and SVG.

Numbers that were reported stand as text. What is drawn beside them is a float, or null.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from batchqc.actions.trend_parts import parts_json, plot_file
from batchqc.core.trend_phases import Phase
from batchqc.core.trends import is_numeric
from batchqc.documents.csv_file import csv_bytes
from batchqc.documents.trend_pages.of_lots import chart_svg
from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.lot_figures import failing, phase_figures, rules_in_force, shares
from batchqc.statistics.lot_series import (
    LIMIT,
    Judged,
    LotSignal,
    Trend,
    is_censored,
    plain,
    qualifier_of,
)

_NOTE: Final = "Trends describe; no verdict and no gate hangs on them."
_COLUMNS: Final = (
    "lot", "manufactured_on", "phase", "value", "number", "qualifier", "unit", "outcome",
    "disposition", "specification", "criterion", "methods", "site", "donors", "cell_banks",
    "analysts", "instruments", "judged_by", "lower", "centre", "upper", "score", "robust_score",
    "excluded", "signals", "not_counted",
)  # fmt: skip


def page_data(trend: Trend) -> dict[str, Any]:
    """What the page of an attribute shows, for programs."""
    criterion = trend.criterion
    values = [one for one in trend.lots if one.value is not None]
    return {
        **dict(trend.attribute._asdict()),
        "title": criterion.title,
        "unit": criterion.unit,
        "acceptance": criterion.acceptance,
        "scale": trend.scale.kind if is_numeric(criterion) else "",
        "note": _NOTE,
        "lots": len(trend.lots),
        "values": len(values),
        "censored": sum(qualifier_of(one) != "" for one in values),
        "phases": [_phase(trend, one) for one in trend.phases],
        "self_starting": {
            "limit": LIMIT,
            "method": "Q chart, Quesenberry 1991, mean and sigma unknown",
            "assumptions": [
                "lots are independent and normal on the scale",
                "lots before a lot were in control",
            ],
        },
        "signals": [signal_data(one) for one in trend.signals],
        "rules": _rules(trend),
        "rates": list(rates(trend)),
        "limitations": list(trend.limitations),
        "points": [point_data(one) for one in trend.lots],
    }


def page_json(trend: Trend) -> bytes:
    """The page data as JSON; NaN and infinity are refused."""
    return json.dumps(page_data(trend), ensure_ascii=False, allow_nan=False).encode()


def page_csv(trend: Trend) -> bytes:
    """The lots as CSV."""
    return csv_bytes([_COLUMNS, *(_row(trend, one) for one in trend.lots)])


PAGES: Final[Mapping[str, Callable[[Trend], bytes]]] = MappingProxyType(
    {"json": page_json, "csv": page_csv, "svg": chart_svg, "figures": parts_json}
    | {
        f"{plot}.{kind}": partial(plot_file, plot=plot, kind=kind)
        for plot in ("ewma", "cusum", "histogram", "probability", "donors")
        for kind in ("svg", "csv")
    }
)


def point_data(one: Judged) -> dict[str, Any]:
    """One lot."""
    seen = one.lot.observed
    return {
        "lot": one.lot.lot,
        "manufactured_on": one.lot.manufactured_on,
        "phase": one.phase,
        "value": seen.text,
        "number": one.value,
        "qualifier": qualifier_of(one),
        "outcome": seen.outcome.value if seen.outcome else None,
        "disposition": one.lot.disposition,
        "specification": one.lot.specification,
        "criterion": one.lot.acceptance,
        "methods": seen.methods,
        "site": one.lot.site,
        "donors": one.lot.donors,
        "cell_banks": one.lot.banks,
        "analysts": seen.analysts,
        "instruments": seen.instruments,
        "by": one.by,
        "lower": one.lower,
        "centre": one.centre,
        "upper": one.upper,
        "score": one.score,
        "robust": one.robust,
        "excluded": one.excluded,
        "signals": [each.rule for each in one.signals],
        "not_counted": [each._asdict() for each in seen.aside],
    }


def signal_data(one: LotSignal) -> dict[str, Any]:
    """One signal; the score of a censored lot is null."""
    return {
        "lot": one.lot,
        "rule": one.rule,
        "by": one.by,
        "lots": list(one.lots),
        "score": one.score,
        "centre": one.centre,
        "sigma": one.sigma,
        "said": one.said,
    }


def rates(trend: Trend) -> Iterator[dict[str, Any]]:
    """Of an attribute in words: the share of lots that fail, by phase, with a p chart by quarter.

    A lot that could not be judged counts as neither.
    """
    if is_numeric(trend.criterion):
        return
    for phase, names, chart in shares(trend):
        _, lots, fails = failing(phase)
        yield {
            "phase": phase.number,
            "not_judged": len(phase.lots) - sum(lots),
            "share": dict(chart.figures["centre"].row),
            "limits": chart.limits,
            "limitations": list(chart.limitations),
            "quarters": [
                {"quarter": name, "lots": n, "fails": failed, **_line(row)}
                for name, n, failed, row in zip(names, lots, fails, chart.rows(), strict=True)
            ],
        }


def _rules(trend: Trend) -> dict[str, Any] | None:
    """What judges the next lot, by which rules, and how rarely they alarm falsely together."""
    if not is_numeric(trend.criterion):
        return None
    by, rules, average = rules_in_force(trend)
    return {"by": by, "rules": list(rules), "false_alarms": dict(average.row)}


def _phase(trend: Trend, phase: Phase) -> dict[str, Any]:
    own = [one for one in trend.lots if one.phase == phase.number]
    measured = sum(one.value is not None and not is_censored(one) for one in own)
    return {
        "number": phase.number,
        "because": phase.because,
        "first": phase.lots[0].lot,
        "last": phase.lots[-1].lot,
        "lots": len(phase.lots),
        "values": sum(one.value is not None for one in own),
        "methods": list(phase.methods),
        "site": phase.site,
        "acceptance": phase.acceptance,
        "judged_by": sorted({one.by for one in own if one.by}),
        "figures": _figures(trend, phase, measured) if is_numeric(trend.criterion) else [],
    }


def _figures(trend: Trend, phase: Phase, count: int) -> list[dict[str, Any]]:
    """Mean and standard deviation on the scale."""
    try:
        found = phase_figures(trend, phase)
    except (InvalidInput, NotEstimable) as problem:
        return [{"name": "centre", "n": count, "limitations": problem.message}]
    named = zip(("centre", "sigma"), found, strict=True)
    return [{**one.row, "name": name, "scale": trend.scale.kind} for name, one in named]


def _row(trend: Trend, one: Judged) -> Sequence[str]:
    data = point_data(one)
    shown = {
        **data,
        "unit": trend.criterion.unit,
        "methods": "; ".join(data["methods"]),
        "donors": "; ".join(data["donors"]),
        "cell_banks": "; ".join(data["cell_banks"]),
        "analysts": "; ".join(data["analysts"]),
        "instruments": "; ".join(data["instruments"]),
        "judged_by": data["by"],
        "robust_score": data["robust"],
        "signals": "; ".join(data["signals"]),
        "not_counted": "; ".join(
            f"{each['value']} in {each['run']}: {each['why']}" for each in data["not_counted"]
        ),
    }
    return [plain(shown[name]) for name in _COLUMNS]


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "share": row["value"], "centre": row["centre"], "lower": row["lower"],
        "upper": row["upper"],
    }  # fmt: skip
