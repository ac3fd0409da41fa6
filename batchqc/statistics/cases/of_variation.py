"""Cases of analysis of variance, variance components and precision."""

import math
from collections.abc import Mapping
from typing import Any, Final

from batchqc.errors import NotEstimable
from batchqc.statistics.anova import one_way_anova
from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.cases.keys import confidence, first, percent
from batchqc.statistics.donor_limits import donor_limits, within_donor_limits
from batchqc.statistics.figures import Figure
from batchqc.statistics.mls_limits import MeanSquares, mls_interval, mls_ratio
from batchqc.statistics.nested_anova import NestedComponents, nested_components
from batchqc.statistics.precision import geometric_summary, intermediate_precision

VALUES: Final = ("y", "x", "values", "data", "response")
_REPEATS: Final = {"rep", "replicate", "trial", "repeat"}


def _one_way(given: Given) -> Answer:
    found = one_way_anova(first(given, *VALUES), first(given, "group", "groups", "treatment"))
    return {
        **{name: getattr(found, name) for name in found.__slots__},
        "df": (found.df_between, found.df_within),
        "ss": (found.ss_between, found.ss_within),
        "ms": (found.ms_between, found.ms_within),
        "ms_between": found.ms_between,
        "ms_within": found.ms_within,
        "F": found.f,
    }


def factors_of(given: Given) -> Mapping[str, Any]:
    """Labels by factor: two lists of names and labels, or one key for each, outer first."""
    if "levels" in given:
        levels = given["levels"]
        if isinstance(levels, Mapping):
            return levels
        return dict(zip(first(given, "factors", "groups"), levels, strict=True))
    size = len(first(given, *VALUES))
    return {
        key: one
        for key, one in given.items()
        if key not in VALUES
        and key.casefold() not in _REPEATS
        and isinstance(one, list)
        and len(one) == size
    }


def _nested(given: Given) -> Answer:
    conf = confidence(given)
    data, factors = first(given, *VALUES), factors_of(given)
    found = nested_components(data, factors, conf=conf)
    answer = dict(_table(found))
    for level in {conf, 0.9, 0.95, 0.99}:
        answer |= _limits(nested_components(data, factors, conf=level), percent(level))
    plain = {key.removesuffix(percent(conf)): one for key, one in answer.items()}
    return {**plain, **answer, **_as_precision(found, conf), **_intraclass(found, conf)}


def _as_precision(found: NestedComponents, conf: float) -> Answer:
    """The words of assay precision: of the error, and of the total."""
    answer: dict[str, object] = {}
    words = ("within_lab", "intermediate", "reproducibility", "total")
    for names, one in ((("repeatability", "error"), found.error), (words, found.total)):
        root = [None if end is None else end**0.5 for end in ends_of(one)]
        for name in names:
            answer |= {f"{name}_sd": one.value**0.5, f"{name}_cv": 100 * one.value**0.5 / found.mean
                       if found.mean else None}  # fmt: skip
            answer |= dict.fromkeys(
                (f"{name}_sd_ci", f"{name}_sd_ci{percent(conf)}", f"{name}_ci{percent(conf)}_sd"),
                root,
            )
    if found.total.value < 100:  # else they are no logarithms
        answer["gcv_usp"] = 100 * math.expm1(found.total.value**0.5)
        answer |= dict.fromkeys(
            ("gcv", "GCV", "total_gcv", "cv_lognormal"),
            100 * math.sqrt(math.expm1(found.total.value)),
        )
    return answer


def _intraclass(found: NestedComponents, conf: float) -> Answer:
    """Part of the total that the outer factor has; its interval where there is one factor."""
    answer: dict[str, object] = {"icc": found.values[0] / found.total.value}
    if len(found.names) > 2:
        return answer
    n0 = found.coefficients[0, 0]
    squares = MeanSquares.of(found.ms, found.df)
    try:
        ends = mls_ratio(squares, [1 / n0, -1 / n0], [1 / n0, 1 - 1 / n0], conf=conf)
    except NotEstimable:
        ends = None
    return answer | {"n0": n0} | dict.fromkeys(("icc_ci", f"icc_ci{percent(conf)}"), ends)


def _table(found: NestedComponents) -> Answer:
    roots = {
        f"sd_{name}": one.value**0.5
        for name, one in zip(found.names, found.components, strict=True)
    }
    return {
        "df": found.df,
        "ss": found.ss,
        "ms": found.ms,
        "vc": found.values,
        "vc_raw": found.raw,
        "vc_original": found.raw,
        "names": found.names,
        "sd": tuple(roots.values()),
        **roots,
        **{f"vc_{name}": one for name, one in zip(found.names, found.components, strict=True)},
        "percent_total": tuple(100 * one / found.total.value for one in found.values),
        "mean": found.mean,
        "total_vc": found.total,
        "total_df": found.total.df,
        "total_sd": found.total.value**0.5,
        "total_cv": 100 * found.total.value**0.5 / found.mean if found.mean else None,
        "error_vc": found.error,
        "subtotal_vc": found.subtotals,
        "subtotal_df": tuple(one.df for one in found.subtotals),
    }


def _limits(found: NestedComponents, level: str) -> Answer:
    each = dict(zip(found.names, map(ends_of, found.components), strict=True))
    return {
        f"total_ci{level}": ends_of(found.total),
        f"error_ci{level}": ends_of(found.error),
        f"mls_ci{level}": each | {str(at): one for at, one in enumerate(each.values())},
        f"vc_ci{level}": tuple(each.values()),
        **{f"{name}_ci{level}": one for name, one in each.items()},
        **{f"mls_{name}_ci{level}": one for name, one in each.items()},
        **{f"{name}_mls{level}": one for name, one in each.items()},
    }


def ends_of(one: Figure) -> tuple[float | None, float | None]:
    """Both limits."""
    return (one.lower, one.upper)


def _mean_squares(given: Given) -> Answer:
    found = MeanSquares.of(first(given, "ms", "MS"), first(given, "df", "DF"))
    conf = confidence(given)
    if "below" in given or "denominator" in given:
        above, below = first(given, "above", "numerator"), first(given, "below", "denominator")
        lower, upper = mls_ratio(found, above, below, conf=conf)
    else:
        weights = first(given, "weights", "coef", "coefficients", "c")
        lower, upper = mls_interval(found, weights, conf=conf)
    return {
        "lower": lower,
        "upper": upper,
        "ci": (lower, upper),
        f"ci{percent(conf)}": (lower, upper),
    }


def _geometric(given: Given) -> Answer:
    conf = confidence(given)
    found = geometric_summary(first(given, "x", "y", "values", "data"), conf=conf)
    return {
        "gm": found.mean,
        "geometric_mean": found.mean,
        "gsd": found.gsd,
        "gcv_usp": found.gcv,
        "gcv": found.gcv,
        "cv_lognormal": found.cv,
        "gcv_lognormal": found.cv,
        "ci": ends_of(found.mean),
        f"ci{percent(conf)}": ends_of(found.mean),
        "gcv_ci": ends_of(found.gcv),
        "cv_ci": ends_of(found.cv),
    }


def _precision(given: Given) -> Answer:
    conf, scale = confidence(given), first(given, "scale", default="raw")
    found = intermediate_precision(first(given, *VALUES), factors_of(given), scale=scale, conf=conf)
    inner, total = found.repeatability, found.intermediate
    named = {"repeatability": inner, "within_lab": total, "intermediate": total,
             "intermediate_precision": total, **found.between}  # fmt: skip
    answer: dict[str, object] = dict(_nested(given)) if scale == "raw" else {}
    for name, one in named.items():
        answer |= {f"{name}_sd": one.sd, f"{name}_ci": ends_of(one.sd), f"{name}_df": one.sd.df}
        answer[f"{name}_sd_ci{percent(conf)}"] = ends_of(one.sd)
        answer |= {f"{name}_{kind}": figure for kind, figure in one.percent.items()}
    return answer


def _donors(given: Given) -> Answer:
    conf, data, donors = confidence(given), first(given, *VALUES), first(given, "donor", "donors")
    found = donor_limits(data, donors, conf=conf)
    within = within_donor_limits(data, donors, conf=conf)
    return {
        "new": ends_of(found.new),
        "new_donor": ends_of(found.new),
        "known": {name: ends_of(one) for name, one in found.known.items()},
        "within": {name: ends_of(one) for name, one in within.items()},
        "icc": found.icc,
        "mean": found.new.value,
    }


METHODS: Final = (
    CaseMethod(("one-way", "anova"), _one_way),
    CaseMethod(("nested",), _nested),
    CaseMethod(("variance component",), _nested),
    CaseMethod(("one-way", "random effects"), _nested),
    CaseMethod(("one-way", "random", "anova"), _nested),
    CaseMethod(("intraclass",), _nested),
    CaseMethod(("icc",), _nested),
    CaseMethod(("intermediate precision",), _precision, frozenset({"y"})),
    CaseMethod(("mls",), _mean_squares, frozenset({"ms", "df"})),
    CaseMethod(("modified large",), _mean_squares, frozenset({"ms", "df"})),
    CaseMethod(("geometric mean",), _geometric),
    CaseMethod(("donor", "limits"), _donors),
)
