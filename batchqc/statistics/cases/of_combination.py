"""Cases of the combination of runs and of the format of an assay."""

import math
from typing import Any, Final

from batchqc.statistics.assay_format import Components, assay_format
from batchqc.statistics.cases.check import NAMED, Answer, CaseMethod, Given
from batchqc.statistics.cases.potency_keys import before, confidence_of, first
from batchqc.statistics.combination import (
    Between,
    CombineOptions,
    Run,
    combine,
    geometric_mean,
    run_of_interval,
    run_of_width,
)

_KINDS: Final = ("unweighted", "semi-weighted", "weighted")


def _combined(given: Given) -> Answer:
    confidence = confidence_of(given)
    potency = first(given, "potency", "potencies", "rp", "relative_potency", "estimate")
    if potency is None:
        logs = first(given, "ln_potency", "log_potency", "M", "m", "ln", default=())
        potency = [math.exp(one) for one in logs]
    runs = _runs(given, potency, confidence)
    if runs is None:
        alone = geometric_mean(potency, confidence=confidence)
        return {"unweighted": alone, "mean": alone, "gm": alone, "ci": before(alone)[1:],
                "unweighted_ci": before(alone)[1:], "ci95": before(alone)[1:]}  # fmt: skip
    t = first(given, "t")
    options = CombineOptions(
        confidence=confidence,
        quantile=float(t) if isinstance(t, int | float) else None,
        between=_estimator(given),
    )
    found = combine(runs, options)
    answer: dict[str, object] = {
        "chi2": found.chi2, "df": found.df, "p": found.p, "homogeneous": found.p >= 0.05,
        "s2_between": found.between, "tau2": found.between, "weights": found.weights,
        "semi_weights": found.semi_weights, "reported": found.reported, "chosen": found.chosen,
    }  # fmt: skip
    for name, figure in found.means.items():
        key = name.replace("-", "_")
        answer |= {key: figure, f"{key}_ci": before(figure)[1:], f"{key}_mean": figure,
                   f"{key}_ci95": before(figure)[1:]}  # fmt: skip
    name = str(given[NAMED]).casefold()
    kind = next((one for one in _KINDS if one in name), "")
    kind = "semi-weighted" if _estimator(given) != "moments" else kind
    asked = found.means.get(kind, found.reported)
    answer |= dict.fromkeys(("mean", "estimate", "combined", "pooled"), asked)
    answer |= dict.fromkeys(("ci", "ci95"), before(asked)[1:])
    return answer | {"gm": found.means["unweighted"], "Q": found.chi2}


def _estimator(given: Given) -> Between:
    """Of the variance between runs, as the input or the name of the method says."""
    name = f"{first(given, 'between', 'tau2_method', default='')} {given[NAMED]}".casefold()
    if "mandel" in name or "paule" in name:
        return "mandel-paule"
    return "dersimonian-laird" if "dersimonian" in name or "laird" in name else "moments"


def _runs(given: Given, potency: list[float], confidence: float) -> list[Run] | None:
    n = len(potency)
    df = _each(first(given, "df"), n)
    t = _each(first(given, "t", "quantile"), n)
    width = first(given, "ci_width_ln", "width_ln", "ci_width", "L")
    variance = first(given, "var_ln", "variance_ln")
    se = first(given, "se_ln", "se")
    if width is not None:
        return [
            run_of_width(p, w, quantile=q or 1.959963984540054, df=d)
            for p, w, q, d in zip(potency, width, t, df, strict=True)
        ]
    if variance is not None or se is not None:
        own = variance or [one * one for one in se]
        return [Run(p, v, d) for p, v, d in zip(potency, own, df, strict=True)]
    lower, upper = first(given, "lower", "lcl", "low"), first(given, "upper", "ucl", "high")
    if lower is None and first(given, "ci"):
        lower, upper = zip(*given["ci"], strict=True)
    if lower is None:
        return None
    return [
        run_of_interval(p, a, b, confidence=confidence, df=d, quantile=q)
        for p, a, b, d, q in zip(potency, lower, upper, df, t, strict=True)
    ]


def _each(found: Any, n: int) -> list[Any]:
    return list(found) if isinstance(found, list) else [found] * n


def _format(given: Given) -> Answer:
    components = Components(
        float(first(given, "var_run", "between_run", "vc_run", "s2_run", default=0.0)),
        float(first(given, "var_rep", "within_run", "vc_rep", "s2_rep", "var_error", default=0.0)),
        first(given, "df"),
    )
    runs, replicates = (
        first(given, "runs", "n_runs", "n", default=1),
        first(given, "replicates", "n_reps", "k", default=1),
    )
    every = [
        assay_format(components, r, k, confidence=confidence_of(given))
        for r in (runs if isinstance(runs, list) else [runs])
        for k in (replicates if isinstance(replicates, list) else [replicates])
    ]
    told: dict[str, list[float]] = {
        "variance": [one.variance for one in every],
        "gsd": [one.gsd for one in every],
        "gcv": [one.gcv for one in every],
        "gcv_usp": [one.gcv for one in every],
        "fold": [one.fold for one in every],
        "half_width": [one.half_width for one in every],
    }
    return {name: found[0] if len(found) == 1 else found for name, found in told.items()}


METHODS: Final = (
    CaseMethod(("combin",), _combined, frozenset({"potency"})),
    CaseMethod(("combin", "assay"), _combined),
    CaseMethod(("combin", "potenc"), _combined),
    CaseMethod(("homogeneity", "potenc"), _combined),
    CaseMethod(("semi-weighted",), _combined),
    CaseMethod(("format", "run"), _format),
    CaseMethod(("format", "variab"), _format),
)
