"""Cases of run rules, Westgard multirules, short runs and scales."""

from dataclasses import replace
from functools import partial
from typing import Any, Final

from batchqc.statistics.cases.chart_keys import (
    available,
    first,
    judged,
    line,
    lines,
    number,
    options,
    rules_of,
    text,
)
from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.cases.of_subgroups import subgroup_answer
from batchqc.statistics.control_charts import Known
from batchqc.statistics.few_lots import prediction
from batchqc.statistics.individuals import individuals
from batchqc.statistics.run_rules import NELSON, WESTERN_ELECTRIC
from batchqc.statistics.scales import Scale, on_scale
from batchqc.statistics.short_runs import from_nominal, z_and_w
from batchqc.statistics.westgard import multirules, scores

_MULTI: Final = (
    "1_2s", "1_2.5s", "1_3s", "1_3.5s", "1_4s", "2_2s", "R_4s", "2of3_2s", "3_1s", "4_1s", "6_x",
    "7_x", "8_x", "9_x", "10_x", "12_x", "7_T", "6_T",
)  # fmt: skip


def _nelson(given: Given) -> Answer:
    return _rules(given, NELSON, {2: "n_run", 3: "n_trend"})


def _western(given: Given) -> Answer:
    further = {5: NELSON[3], 6: NELSON[7], 7: NELSON[4], 8: NELSON[8]}
    return _rules(given, {**WESTERN_ELECTRIC, **further}, {4: "n_run"})


def _rules(given: Given, known: Any, lengths: dict[int, str]) -> Answer:
    whole = text(given, ("windows", "window")) != "full"
    rules = {at: replace(rule, partial=whole) for at, rule in known.items()}
    for at, key in lengths.items():
        if (length := first(given, (key, "run_length", "run.length"))) is not None:
            rules[at] = replace(rules[at], of=int(length))
    found = rules_of(_z(given), rules)
    renamed = {
        f"{prefix}{at}": one
        for prefix in ("rule", "rule_", "rule ", "R", "N", "W", "WE", "we", "nelson_")
        for at, one in found.items()
    }
    every = sorted({point for one in found.values() for point in one})
    return {**found, **renamed, "rules": found, "any": every}


def _z(given: Given) -> Any:
    if "z" in given:
        return given["z"]
    found = options(given)
    return individuals(first(given, ("x", "y", "values", "data")), **found).z


def _westgard(given: Given) -> Answer:
    z = given.get("z")
    if z is None:
        z = scores(
            first(given, ("x", "y", "values", "data")),
            first(given, ("mean", "means", "target", "center", "mu")),
            first(given, ("sd", "sds", "sigma", "s")),
        )
    scope: Any = text(given, ("scope", "levels", "across")) or "across"
    over = int(number(given, ("r4s_over", "R_4s_runs")) or 1)
    asked = given.get("rules")
    names = [*_MULTI, *(one for one in asked or [] if one not in _MULTI)]
    found = {
        name: list(runs) for name, runs in multirules(z, names, scope=scope, r4s_over=over).items()
    }
    spelt = {name.replace("_", mark): one for name, one in found.items() for mark in ("", ":", "-")}
    return {
        **found,
        **spelt,
        "rules": found,
        **{f"{name.lower()}": one for name, one in found.items()},
    }


def _nominal(given: Given) -> Answer:
    target: Any = first(given, ("nominal", "nominals", "target", "targets"))
    part = first(given, ("part", "parts", "product", "products"), ())
    off = from_nominal(first(given, ("x", "y", "values", "data")), target, part=part)
    drawn = {key: one for key, one in options(given).items() if key != "known"}
    if off.ndim > 1:
        return subgroup_answer({"subgroups": off.tolist(), **drawn}, "range")
    chart = available(lambda: individuals(off, **drawn))
    figures = chart.figures if chart else {}
    return {
        **lines(chart),
        **judged(chart),
        **dict.fromkeys(("deviation", "deviations", "d", "dnom"), line(off, each=True)),
        "sigma": figures.get("sigma"),
    }


def _z_and_w(given: Given) -> Answer:
    part = [str(one) for one in first(given, ("part", "parts", "product", "products"))]
    means: Any = first(given, ("mean", "means", "target", "targets", "mu"))
    sigmas: Any = first(given, ("sigma", "sigmas", "sd", "sds"))
    known = (
        {str(one): Known(means[one], sigmas and sigmas[one]) for one in means}
        if isinstance(means, dict)
        else None
    )
    pooling = text(given, ("pooling", "pool")) or "part"
    data = first(given, ("x", "y", "values", "data"))
    both = z_and_w(data, part, known=known, pooling=pooling)
    return {
        **lines(both.z),
        **lines(both.w, prefix="w_"),
        **dict.fromkeys(("z", "Z"), line(both.z.points, each=True)),
        **dict.fromkeys(("w", "W"), line(both.w.points, each=True)),
        **dict.fromkeys(("sigma", "sigmas"), both.sigmas),
        **dict.fromkeys(("mean", "means"), both.means),
    }


def _scaled(given: Given, kind: Any) -> Answer:
    data = first(given, ("x", "y", "values", "data"))
    step = first(given, ("resolution", "step", "counting_resolution"))
    scale = Scale(kind, whole=number(given, ("whole", "upper_bound")) or 100.0)
    drawn = {key: one for key, one in options(given).items() if key != "known"}
    mr = available(
        lambda: on_scale(data, scale, lambda y: individuals(y, **drawn), resolution=step)
    )
    least = drawn["limits_from"]
    few = available(
        lambda: on_scale(data, scale, lambda y: prediction(y, limits_from=least), resolution=step)
    )
    y = scale.forward(data, resolution=step)
    return {
        **lines(mr),
        **lines(few, prefix="pred_"),
        **lines(mr.chart if mr else None, prefix="y_"),
        **lines(mr.chart if mr else None, prefix="scale_"),
        **dict.fromkeys(("y", "transformed", "scaled"), line(y.values, each=True)),
        "shifted": list(y.shifted),
        "sigma": mr.chart.figures["sigma"] if mr else None,
    }


METHODS: Final = (
    CaseMethod(("nelson",), _nelson),
    CaseMethod(("western electric",), _western),
    CaseMethod(("weco",), _western),
    CaseMethod(("we rules",), _western),
    CaseMethod(("westgard",), _westgard),
    CaseMethod(("multirule",), _westgard),
    *(
        CaseMethod((word, *more), _nominal, frozenset({"x"}))
        for word in ("nominal", "dnom")
        for more in ((), ("individuals", "chart"), ("xbar", "chart"), ("x-bar", "chart"))
    ),
    CaseMethod(("short", "run"), _nominal, frozenset({"x", "nominal"})),
    CaseMethod(("short", "run"), _z_and_w, frozenset({"x", "part"})),
    CaseMethod(("standardi", "part"), _z_and_w, frozenset({"x", "part"})),
    CaseMethod(("z-mr",), _z_and_w, frozenset({"x", "part"})),
    CaseMethod(("z", "w chart"), _z_and_w, frozenset({"x"})),
    *(
        CaseMethod((*words, *more), partial(_scaled, kind=kind), frozenset({"x"}))
        for words, kind in (
            (("cube", "complement"), "complement cube root"),
            (("cube", "100"), "complement cube root"),
            (("logit", "individuals"), "logit"),
            (("logit", "chart"), "logit"),
            (("log", "individuals"), "ln"),
        )
        for more in ((), ("chart",), ("individuals", "chart"), ("root", "individuals", "chart"))
    ),
)
