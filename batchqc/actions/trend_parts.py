"""What is said of an attribute beside its chart, as JSON: figures by part, and profiles of lots."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from batchqc.documents.plots.svg import svg
from batchqc.documents.trend_pages.of_lots import plots_of
from batchqc.errors import NotFound
from batchqc.statistics.figures import Figure
from batchqc.statistics.lot_profiles import Profiles
from batchqc.statistics.lot_series import Trend
from batchqc.statistics.phase_values import Part
from batchqc.statistics.series_parts import parts_of


def parts_json(trend: Trend) -> bytes:
    """Every part of the newest phase; NaN and infinity are refused."""
    phase = trend.phases[-1]
    told = {
        **dict(trend.attribute._asdict()),
        "phase": phase.number,
        "first": phase.lots[0].lot,
        "last": phase.lots[-1].lot,
        "scale": trend.scale.kind,
        "parts": [part_data(one) for one in parts_of(trend)],
    }
    return json.dumps(told, ensure_ascii=False, allow_nan=False).encode()


def part_data(part: Part) -> dict[str, Any]:
    """One part: its figures, and what is said of it."""
    return {
        "title": part.title,
        "figures": figures_data(part.figures),
        "said": list(part.said),
    }


def figures_data(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    """Figures with their interval, n, method, assumptions and limitations."""
    return [dict(one.row) for one in figures]


def profile_data(found: Profiles) -> Mapping[str, Any]:
    """T² of lots by all attributes together, with what drives each that is odd."""
    return {
        "attributes": list(found.attributes),
        "method": found.method,
        "assumptions": list(found.assumptions),
        "alpha": found.alpha,
        "n": len(found.lots),
        "limitations": list(found.said),
        "lots": [
            {
                "lot": one.lot,
                "distance": one.distance.value,
                "t2": one.t2,
                "limit": one.limit,
                "p": one.p,
                "is_odd": one.is_odd,
                "drivers": [{"attribute": name, "adds": share} for name, share in one.drivers],
            }
            for one in found.lots
        ],
    }


def plot_file(trend: Trend, plot: str, kind: str) -> bytes:
    """One further plot of an attribute, as ``svg`` or its numbers as ``csv``.

    Raises:
        NotFound: results in words have none.
    """
    pictures = plots_of(trend)
    if plot not in pictures:
        raise NotFound(
            "BQC-TRD-001",
            f"{trend.attribute.name} has no plot {plot}: its results are words",
            hint="See the share of lots that fail.",
        )
    picture = pictures[plot]
    return picture.table.csv if kind == "csv" else svg(picture, name=plot).encode()
