"""Cases of charts of single values, and of the constants of charts."""

from functools import partial
from typing import Any, Final

import numpy as np

from batchqc.statistics.cases.chart_keys import (
    SIGMA_METHOD,
    available,
    constants,
    first,
    judged,
    kept,
    line,
    lines,
    number,
    options,
    text,
    with_exact,
)
from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.chart_constants import chart_constants
from batchqc.statistics.few_lots import prediction, prediction_factor
from batchqc.statistics.individuals import individuals, moving_range
from batchqc.statistics.moving_ranges import moving_ranges
from batchqc.statistics.westgard import levey_jennings

_VALUES: Final = ("x", "y", "values", "data", "z")
_FACTORS: Final = (
    "d2", "d3", "d4", "c4", "c5", "A", "A2", "A3", "B3", "B4", "B5", "B6",
    "D1", "D2", "D3", "D4", "E2", "E3",
)  # fmt: skip
_SIGMA: Final = {"sd": "sd", "s": "sd", "s/c4": "sd", "std": "sd", "median": "median-mr"}


def _constants(given: Given) -> Answer:
    sizes = first(given, ("n", "sizes", "size", "m"))
    width = number(given, ("L", "nsigmas", "width", "k")) or 3.0
    fixed = constants(given)
    each = [int(one) for one in np.atleast_1d(sizes)]
    found = [chart_constants(one, width=width, **fixed) for one in each]
    return {
        name: [getattr(one, name) for one in found]
        if isinstance(sizes, list)
        else getattr(found[0], name)
        for name in _FACTORS
    }


def _individuals(given: Given) -> Answer:
    data = kept(given, first(given, _VALUES))
    base = _phase_1(given, data)
    drawn = {**options(given), **constants(given)}
    kind = next((to for word, to in _SIGMA.items() if word == text(given, SIGMA_METHOD)), None)
    kind = kind or ("median-mr" if "median" in text(given, SIGMA_METHOD) else "mr")
    kinds: tuple[Any, ...] = ("mr", "median-mr", "sd")
    found: dict[str, Any] = {
        one: available(partial(individuals, base, sigma=one, **drawn)) for one in kinds
    }
    span = int(first(given, ("span", "mr_span"), 2))
    moved = available(lambda: moving_range(base, span=span, **drawn))
    chart = found[kind]
    if chart is not None and len(base) != len(data):
        chart = chart.applied_to(data)
    sigma = {one: made.figures["sigma"].value if made else None for one, made in found.items()}
    total = _figure(found["mr"], "sigma_total")
    answer = {
        **lines(chart),
        **_further(given, chart),
        **lines(moved, prefix="mr_"),
        **lines(found["median-mr"], prefix="median_"),
        **lines(found["sd"], prefix="sd_"),
        **judged(chart),
        "mr": line(moving_ranges(data, span=span), each=True),
        **dict.fromkeys(("mr_bar", "mrbar", "MRbar", "mean_mr"), moved and moved.figures["centre"]),
        "sigma": sigma[kind],
        **dict.fromkeys(("ratio", "sigma_ratio"), _figure(found["mr"], "ratio")),
        **dict.fromkeys(("sigma_mr", "sigma_MR"), sigma["mr"]),
        **dict.fromkeys(("sigma_median", "sigma_median_mr", "sigma_mr_median"), sigma["median-mr"]),
        **dict.fromkeys(("sigma_sd", "sigma_s", "sigma_total"), total or sigma["sd"]),
        **{f"pred_{key}": value for key, value in _prediction(given).items()},
    }
    return with_exact(answer)


def _robust(given: Given) -> Answer:
    return _individuals({**given, "sigma_method": "median"})


def _figure(chart: Any, name: str) -> Any:
    return chart.figures.get(name) if chart is not None else None


def _levey_jennings(given: Given) -> Answer:
    mean = number(given, ("mean", "center", "target", "mu"))
    sd = number(given, ("sd", "sigma", "s"))
    width = number(given, ("L", "width", "nsigmas")) or 3.0
    chart = levey_jennings(first(given, _VALUES), mean=mean, sd=sd, width=width)
    return {
        **lines(chart),
        **judged(chart),
        **dict.fromkeys(("mean",), chart.figures["centre"]),
        **dict.fromkeys(("sd", "s", "sigma"), chart.figures["sigma"]),
    }


def _prediction(given: Given) -> dict[str, object]:
    data = kept(given, first(given, _VALUES))
    base = _phase_1(given, data)
    wanted: dict[str, Any] = {}
    if (alpha := number(given, ("alpha",))) is not None:
        wanted["alpha"] = alpha
    if side := text(given, ("sides", "side")):
        wanted["sides"] = {"two": "both", "two-sided": "both"}.get(side, side)
    least = options(given)["limits_from"]
    chart = available(lambda: prediction(base, limits_from=least, **wanted))
    figures = chart.figures if chart else {}
    applied = chart.applied_to(data) if chart else None
    return {
        **lines(applied),
        **_further(given, chart),
        "n": figures["s"].n if chart else None,
        "df": figures["s"].df if chart else None,
        **dict.fromkeys(("s", "sd", "sigma"), figures.get("s")),
        **dict.fromkeys(("mean", "xbar"), figures.get("centre")),
        "k": figures.get("k"),
    }


def _further(given: Given, chart: Any) -> dict[str, object]:
    """Lines of phase I on lots of phase II."""
    new = first(given, ("new", "newdata", "x_new", "phase2", "phase_2"))
    if new is None or chart is None:
        return {}
    applied = chart.applied_to(np.atleast_1d(np.asarray(new, dtype=np.float64)))
    return lines(applied, prefix="new_")


def _factor(given: Given) -> Answer:
    counts = first(given, ("m", "n"))
    alpha = number(given, ("alpha",)) or 0.0027
    found = [prediction_factor(one, alpha=alpha) for one in np.atleast_1d(counts).tolist()]
    return dict.fromkeys(("k", "factor"), found if isinstance(counts, list) else found[0])


def _phase_1(given: Given, data: list[Any]) -> list[Any]:
    """The lots that limits are computed from."""
    base = first(given, ("phase1", "phase_1", "n_phase1", "baseline", "calibration", "m"))
    if isinstance(base, list):
        return base
    return data[:base] if isinstance(base, int) and base > 1 else data


METHODS: Final = (
    CaseMethod(("constants",), _constants, frozenset({"n"})),
    *(
        CaseMethod(words, _individuals, frozenset({key}))
        for key in ("x", "y", "values", "data")
        for words in (
            ("i-mr",), ("imr",), ("individuals",), ("individuals", "moving range"), ("xmr",),
            ("x-mr",), ("individuals", "chart"), ("moving range",), ("mr chart",), ("xbar.one",),
        )
    ),
    *(
        CaseMethod(words, _robust, frozenset({"x"}))
        for words in (
            ("robust", "individuals"), ("robust", "i-mr"), ("robust", "individuals", "chart"),
            ("median", "moving range", "chart"), ("median", "i-mr"), ("median", "moving range"),
            ("median", "individuals", "moving range"), ("median", "mr", "individuals", "chart"),
        )
    ),
    *(CaseMethod(("levey",), _levey_jennings, frozenset({key})) for key in ("x", "y", "values")),
    *(
        CaseMethod(words, _prediction, frozenset({"x"}))
        for words in (
            ("individuals", "prediction"), ("individuals", "prediction", "limit"),
            ("prediction", "few lots"), ("prediction limit", "lot"), ("prediction", "chart"),
        )
    ),
    *(
        CaseMethod(words, _factor, frozenset({key}))
        for words in (("prediction", "factor"), ("prediction", "limit", "k"))
        for key in ("m",)
    ),
)  # fmt: skip
