"""The content of a frozen limit set: written once as canonical JSON, read back to apply it.

Floats stand in it as the shortest text that reads back as the same float.
"""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import scipy

from batchqc import __version__
from batchqc.core.canonical import Json, sha256_of
from batchqc.core.criteria import Criterion
from batchqc.core.trend_phases import Phase, TrendLot
from batchqc.core.trends import Attribute
from batchqc.statistics.censored_limits import censored_phase_one
from batchqc.statistics.figures import Figure
from batchqc.statistics.lot_series import default_scale, resolution_of
from batchqc.statistics.scales import Scale
from batchqc.statistics.trend_limits import ALPHA, DEFAULT_RULES, Lines, PhaseOne, phase_one

TYPE: Final = "batchqc/limit-set/1"
#: Limits of fewer measured lots are provisional: they are proposed anew from so many on.
SETTLED_FROM: Final = 20


@dataclass(frozen=True, slots=True)
class Frozen:
    """A limit set as it is applied.

    ``chosen`` are the lots whose values it was computed from, ``inputs`` the hash of those;
    ``excluded`` are lots with their assignable causes.
    """

    number: int
    first: str
    definition: str
    chosen: frozenset[str]
    excluded: Mapping[str, str]
    inputs: str
    lines: Lines
    content: Mapping[str, Any]

    @property
    def known(self) -> frozenset[str]:
        """The lots that somebody looked at to make it: of every other lot it knew no value."""
        return self.chosen | self.excluded.keys()

    @property
    def run_length(self) -> Figure:
        """Lots to the first false alarm of its rules together, on average, as it was frozen."""
        told = self.content["run_length"]
        low, high, level = (_float(told.get(name)) for name in ("lower", "upper", "confidence"))
        return Figure(
            told["name"], float(told["value"]), told["method"], int(told["n"]), low, high,
            level or 0.0, None, _each(told["assumptions"]), _each(told["limitations"]),
        )  # fmt: skip


def limits_of_lots(
    criterion: Criterion,
    chosen: Sequence[TrendLot],
    *,
    scale: str = "",
    method: str = "",
    rules: Sequence[str] = (),
) -> PhaseOne:
    """Limits of chosen lots; what is not told is by the kind of the criterion and the lots.

    Raises:
        InvalidInput: a scale, method or rule is unknown, or a value is not of the scale.
        NotEstimable: fewer measured lots than limits need, too many censored, or no variation.
    """
    amounts = [one.observed.amount for one in chosen]
    values = [None if one is None else float(one.number) for one in amounts]
    on = Scale(scale) if scale else default_scale(criterion)  # type: ignore[arg-type] # checked
    steps, by = [resolution_of(criterion, one) for one in amounts], rules or DEFAULT_RULES
    bounds = [one.qualifier if one is not None and one.is_censored else "" for one in amounts]
    if any(bounds):
        return censored_phase_one(values, bounds, on, resolution=steps, rules=by, method=method)
    way = method or ("prediction" if _is_grouped(chosen) else None)
    return phase_one(
        values, on, resolution=steps, rules=by,
        method=way,  # type: ignore[arg-type] # checked there
    )  # fmt: skip


def limit_content(
    attribute: Attribute,
    phase: Phase,
    found: PhaseOne,
    *,
    chosen: Sequence[TrendLot],
    excluded: Mapping[str, str],
) -> dict[str, Json]:
    """What is frozen of limits, for the store and for signatures."""
    lines, last = found.lines, phase.lots[-1]
    lower, centre, upper = lines.back
    figures = found.made.chart.figures
    return {
        "type": TYPE,
        "attribute": list(attribute),
        "acceptance": phase.acceptance,
        "definition": phase.definition,
        "methods": list(phase.methods),
        "site": phase.site,
        "first": phase.lots[0].lot,
        "last": list(last.place),
        "lots": [[one.lot, one.observed.text] for one in chosen],
        "excluded": [[lot, cause] for lot, cause in sorted(excluded.items())],
        "inputs_sha256": inputs_sha256(chosen),
        "scale": {"kind": lines.scale.kind, "whole": repr(lines.scale.whole)},
        "shifted": [
            [chosen[place - 1].lot, repr(by)]
            for place, by in zip(found.made.scaled.shifted, found.made.scaled.shift, strict=True)
        ],
        "method": found.method,
        "limits": found.made.chart.limits,
        "alpha": repr(ALPHA),
        "n": found.n,
        "censored": found.censored,
        "df": None if lines.df is None else repr(float(lines.df)),
        "on_scale": {
            "centre": repr(lines.centre),
            "sigma": repr(lines.sigma),
            "lower": repr(lines.lower),
            "upper": repr(lines.upper),
        },
        "in_unit": {"centre": repr(centre), "lower": repr(lower), "upper": repr(upper)},
        "figures": [_figure(one) for one in figures.values()],
        "limitations": [*_provisional(found), *found.made.chart.limitations],
        "rules": list(lines.rules),
        "run_length": _figure(found.run_length),
        "versions": {
            "batchqc": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
    }


def frozen(number: int, stored: bytes) -> Frozen:
    """A limit set, read from its stored bytes.

    Args:
        number: the how many-th of its attribute.
        stored: canonical JSON, as :func:`limit_content` told it.
    """
    content = json.loads(stored)
    on_scale = {name: float(text) for name, text in content["on_scale"].items()}
    scale = Scale(content["scale"]["kind"], whole=float(content["scale"]["whole"]))
    df = None if content["df"] is None else float(content["df"])
    return Frozen(
        number,
        content["first"],
        content["definition"],
        frozenset(lot for lot, text in content["lots"] if text),
        {one[0]: one[1] for one in content["excluded"]},
        content["inputs_sha256"],
        Lines(**on_scale, df=df, scale=scale, rules=tuple(content["rules"])),
        content,
    )


def inputs_sha256(chosen: Sequence[TrendLot]) -> str:
    """Hash of the lots with a value that limits are computed from, with those in their order."""
    return sha256_of(
        {
            "type": "batchqc/limit-inputs/1",
            "lots": [
                [one.manufactured_on, one.lot, one.observed.text]
                for one in chosen
                if one.observed.text
            ],
        }
    )


def _is_grouped(chosen: Sequence[TrendLot]) -> bool:
    """Whether lots of one donor follow each other: steps between them miss what donors differ by.

    So it is where half of the neighbours or more are of one donor, and there are several donors.
    """
    donors = [one.donors for one in chosen if one.observed.amount is not None]
    alike = sum(bool(one) and one == other for one, other in pairwise(donors))
    return len(set(donors)) > 1 and 2 * alike >= len(donors) - 1


def _provisional(found: PhaseOne) -> list[str]:
    measured = found.n - found.censored
    if measured >= SETTLED_FROM:
        return []
    said = f"{measured} measured lots: provisional below {SETTLED_FROM}; propose anew from then on"
    return [said]


def _float(text: str | None) -> float | None:
    return None if text is None else float(text)


def _each(text: str) -> tuple[str, ...]:
    return tuple(text.split("; ")) if text else ()


def _figure(one: Figure) -> dict[str, Json]:
    return {
        name: repr(float(value)) if isinstance(value, float) else str(value)
        for name, value in one.row.items()
        if value is not None
    }
