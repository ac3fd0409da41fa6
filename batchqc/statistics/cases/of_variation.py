"""Cases of analysis of variance, variance components, gauges, mixed models and precision."""

from collections.abc import Mapping
from typing import Any, Final

from batchqc.statistics.anova import one_way_anova
from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.cases.keys import confidence, first, percent
from batchqc.statistics.donor_limits import donor_limits, within_donor_limits
from batchqc.statistics.figures import Figure
from batchqc.statistics.gauge import gauge_study, gauge_values
from batchqc.statistics.gauge_ranges import gauge_ranges
from batchqc.statistics.levels import nested
from batchqc.statistics.mls_limits import MeanSquares, mls_interval, mls_ratio
from batchqc.statistics.nested_anova import NestedComponents, nested_components
from batchqc.statistics.precision import geometric_summary, intermediate_precision
from batchqc.statistics.reml import MixedFit, fit_mixed, profile_fixed

_VALUES: Final = ("y", "x", "values", "data", "response")
_REPEATS: Final = {"rep", "replicate", "trial", "repeat"}


def _one_way(given: Given) -> Answer:
    found = one_way_anova(first(given, *_VALUES), first(given, "group", "groups", "treatment"))
    return {
        **{name: getattr(found, name) for name in found.__slots__},
        "df": (found.df_between, found.df_within),
        "ss": (found.ss_between, found.ss_within),
        "ms": (found.ms_between, found.ms_within),
        "ms_between": found.ms_between,
        "ms_within": found.ms_within,
        "F": found.f,
    }


def _factors(given: Given) -> Mapping[str, Any]:
    """Labels by factor: two lists of names and labels, or one key for each, outer first."""
    if "levels" in given:
        levels = given["levels"]
        if isinstance(levels, Mapping):
            return levels
        return dict(zip(first(given, "factors", "groups"), levels, strict=True))
    size = len(first(given, *_VALUES))
    return {
        key: one
        for key, one in given.items()
        if key not in _VALUES
        and key.casefold() not in _REPEATS
        and isinstance(one, list)
        and len(one) == size
    }


def _nested(given: Given) -> Answer:
    conf = confidence(given)
    data, factors = first(given, *_VALUES), _factors(given)
    found = nested_components(data, factors, conf=conf)
    answer = dict(_table(found))
    for level in {conf, 0.9, 0.95, 0.99}:
        answer |= _limits(nested_components(data, factors, conf=level), percent(level))
    plain = {key.removesuffix(percent(conf)): one for key, one in answer.items()}
    return plain | answer


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
    each = dict(zip(found.names, map(_ends, found.components), strict=True))
    return {
        f"total_ci{level}": _ends(found.total),
        f"error_ci{level}": _ends(found.error),
        f"mls_ci{level}": each | {str(at): one for at, one in enumerate(each.values())},
        f"vc_ci{level}": tuple(each.values()),
        **{f"{name}_ci{level}": one for name, one in each.items()},
        **{f"mls_{name}_ci{level}": one for name, one in each.items()},
        **{f"{name}_mls{level}": one for name, one in each.items()},
    }


def _ends(one: Figure) -> tuple[float | None, float | None]:
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


def _gauge(given: Given) -> Answer:
    data = first(given, *_VALUES)
    if not isinstance(data[0], list):
        operators = first(given, "operator", "appraiser", "oper", "inspector", "analyst")
        data = gauge_values(data, first(given, "part", "parts", "sample", "lot"), operators)
    pools = first(given, "pool_interaction", "pooled", default=None)
    found = gauge_study(
        data,
        interaction="auto" if pools is None else "pool" if pools else "keep",
        conf=confidence(given),
        tolerance=first(given, "tolerance", "tol", default=None),
        sigmas=first(given, "sigmas", "sigma_multiplier", "studyvar", "k", default=6.0),
    )
    lines = {name: (one.sd.lower, one.sd.value, one.sd.upper) for name, one in found.lines.items()}
    names = {"part": "part", "operator": "operator", "interaction": "interaction",
             "repeatability": "repeat"}  # fmt: skip
    table = {
        f"{what}_{short}": getattr(found.table[name], what)
        for name, short in names.items()
        for what in ("ms", "df", "ss", "f", "p")
    }
    variances = {f"vc_{name}": one for name, one in found.variances.items()}
    return {
        **lines,
        **{f"{name}_sd": one.sd for name, one in found.lines.items()},
        **{f"pct_{name}": one.study for name, one in found.lines.items()},
        **{f"pct_contribution_{name}": one.contribution for name, one in found.lines.items()},
        **{f"pct_tolerance_{name}": one.of_tolerance for name, one in found.lines.items()},
        **table,
        **variances,
        "vc_repeat": found.variances["repeatability"],
        "vc": tuple(found.variances[one] for one in names if one in found.variances),
        "df": tuple(found.table[one].df for one in names),
        "ss": tuple(found.table[one].ss for one in names),
        "ms": tuple(found.table[one].ms for one in names),
        "ms_error": found.table["repeatability"].ms,
        "ms_pooled": found.pooled_ms,
        "ndc": found.distinct,
        "ndc_raw": found.ndc,
    }


def _ranges(given: Given) -> Answer:
    found = gauge_ranges(first(given, *_VALUES))
    sds = {"EV": found.ev, "AV": found.av, "GRR": found.grr, "PV": found.pv, "TV": found.tv}
    return sds | {f"pct_{name}": found.percent(sd) for name, sd in sds.items()} | {"ndc": found.ndc}


def _mixed(given: Given) -> Answer:
    return _fitted(given, _factors(given))


def _mixed_nested(given: Given) -> Answer:
    size = len(first(given, *_VALUES))
    within = nested(_factors(given), size)
    return _fitted(given, {one.name: [one.names[at] for at in one.codes] for one in within})


def _fitted(given: Given, factors: Mapping[str, Any]) -> Answer:
    conf = confidence(given)
    data = first(given, *_VALUES)
    ml = fit_mixed(data, factors, criterion="ML", intervals=False)
    found = fit_mixed(data, factors, conf=conf, covariates=first(given, "covariates", default={}))
    level = percent(conf)
    sds = {name: (one.lower, one.upper) for name, one in found.sds.items()}
    sds["sigma"] = sds["Residual"] = sds["error"]
    sds["(Intercept)"] = sds["intercept"] = _ends(profile_fixed(found, conf=conf))
    fixed = found.fixed["intercept"]
    return {
        **_variances(found),
        "fixef": fixed if len(found.fixed) == 1 else tuple(found.fixed.values()),
        "fixef_se": tuple(found.fixed_se.values())
        if len(found.fixed) > 1
        else found.fixed_se["intercept"],
        "fixef_df": fixed.df,
        f"fixef_ci{level}": _ends(fixed),
        "reml_criterion": found.criterion,
        "ml_deviance": ml.criterion,
        "deviance": ml.criterion,
        f"profile_ci{level}_sd": sds,
        f"profile_ci{level}_sigma": sds["sigma"],
        "singular": bool(found.singular),
    }


def _variances(found: MixedFit) -> Answer:
    factors = [name for name in found.components if name != "error"]
    blups = {name: tuple(one.values()) for name, one in found.blups.items()}
    total = sum(one.value for one in found.components.values())
    return {
        "vc": tuple(found.components[name] for name in factors),
        "sd": tuple(found.sds[name] for name in factors),
        "resid_vc": found.components["error"],
        "resid_sd": found.sds["error"],
        "sigma": found.sds["error"],
        "total_vc": total,
        "icc": found.components[factors[0]].value / total,
        "blup": blups,
        "blup_named": found.blups,
        "blup_first": {name: one[:3] for name, one in blups.items()},
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
        "ci": _ends(found.mean),
        f"ci{percent(conf)}": _ends(found.mean),
        "gcv_ci": _ends(found.gcv),
        "cv_ci": _ends(found.cv),
    }


def _precision(given: Given) -> Answer:
    conf, scale = confidence(given), first(given, "scale", default="raw")
    found = intermediate_precision(first(given, *_VALUES), _factors(given), scale=scale, conf=conf)
    inner, total = found.repeatability, found.intermediate
    named = {"repeatability": inner, "within_lab": total, "intermediate": total,
             "intermediate_precision": total, **found.between}  # fmt: skip
    answer: dict[str, object] = dict(_nested(given)) if scale == "raw" else {}
    for name, one in named.items():
        answer |= {f"{name}_sd": one.sd, f"{name}_ci": _ends(one.sd), f"{name}_df": one.sd.df}
        answer[f"{name}_sd_ci{percent(conf)}"] = _ends(one.sd)
        answer |= {f"{name}_{kind}": figure for kind, figure in one.percent.items()}
    return answer


def _donors(given: Given) -> Answer:
    conf, data, donors = confidence(given), first(given, *_VALUES), first(given, "donor", "donors")
    found = donor_limits(data, donors, conf=conf)
    within = within_donor_limits(data, donors, conf=conf)
    return {
        "new": _ends(found.new),
        "new_donor": _ends(found.new),
        "known": {name: _ends(one) for name, one in found.known.items()},
        "within": {name: _ends(one) for name, one in within.items()},
        "icc": found.icc,
        "mean": found.new.value,
    }


METHODS: Final = (
    CaseMethod(("one-way", "anova"), _one_way),
    CaseMethod(("nested",), _nested),
    CaseMethod(("variance component",), _nested),
    CaseMethod(("intermediate precision",), _precision, frozenset({"y"})),
    CaseMethod(("gauge",), _gauge, frozenset({"y"})),
    CaseMethod(("r&r",), _gauge, frozenset({"y"})),
    CaseMethod(("gauge", "range"), _ranges, frozenset({"y"})),
    CaseMethod(("mls",), _mean_squares, frozenset({"ms", "df"})),
    CaseMethod(("modified large",), _mean_squares, frozenset({"ms", "df"})),
    CaseMethod(("reml",), _mixed, frozenset({"y"})),
    CaseMethod(("mixed model",), _mixed, frozenset({"y"})),
    CaseMethod(("reml", "crossed"), _mixed, frozenset({"y"})),
    CaseMethod(("reml", "nested"), _mixed_nested, frozenset({"y"})),
    CaseMethod(("geometric mean",), _geometric),
    CaseMethod(("donor", "limits"), _donors),
)
