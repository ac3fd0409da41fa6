"""Cases of censored results."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from batchqc.statistics.cases.check import NAMED, WANTED, Answer, CaseMethod, Given
from batchqc.statistics.cases.picking import (
    confidence_in,
    ends,
    if_estimable,
    needed,
    pick,
    says,
    under,
)
from batchqc.statistics.censored import (
    CensoredSummary,
    censored_quantile,
    censored_regression,
    censored_summary,
)
from batchqc.statistics.censored_likelihood import Censored, above, below, between
from batchqc.statistics.censored_ranks import KaplanMeier, Ros, exceedance, kaplan_meier, ros

_VALUES: Final = ("x", "y", "values", "obs", "time", "result", "results")
_FLAGS: Final = ("censored", "cens", "nd", "nondetect", "non_detect", "below")


def _summary(given: Given) -> dict[str, object]:
    data, level = _data(given), confidence_in(given, 0.95)
    answer: dict[str, object] = {"n": data.n, "n_censored": int((~data.measured).sum())}
    for name in ("normal", "lognormal"):
        fit = partial(censored_summary, data, distribution=name, confidence=level)
        found = if_estimable(fit) if name == "normal" or (data.upper > 0).all() else None
        answer |= _of_mle(found, name, main=_distribution(given) == name)
    marked = pick(given, *_FLAGS)
    if marked is not None and not _is_right(given):
        x = needed(given, *_VALUES)
        answer |= _of_km(if_estimable(lambda: kaplan_meier(x, marked, confidence=level)))
        answer |= _of_ros(if_estimable(lambda: ros(x, marked)) if (data.upper > 0).all() else None)
    return answer | _quantiles(given, data, level) | _bound(given)


def _quantiles(given: Given, data: Censored, level: float) -> dict[str, object]:
    """Of the chosen distribution: by the share that the input or the wanted key tells."""
    wanted = {
        key: float(share) / 100
        for key in given[WANTED]
        for share in re.findall(r"(?:^|_)(?:q|p|x|percentile_?|quantile_?)(\d\d)$", key)
    }
    share = pick(given, "p", "q", "quantile", "percentile")
    if isinstance(share, int | float):
        own = share / 100 if share > 1 else share
        wanted |= dict.fromkeys(("quantile", "percentile", "q", "estimate"), own)
    answer: dict[str, object] = {}
    for key, own in wanted.items():
        find = partial(censored_quantile, data, own, distribution=_distribution(given),
                       confidence=level)  # fmt: skip
        found = if_estimable(find)
        answer |= {key: found, f"{key}_ci": found and ends(found)}
        answer |= {f"{key}_ci95": answer[f"{key}_ci"]}
    return answer


def _of_mle(found: CensoredSummary | None, name: str, *, main: bool) -> dict[str, object]:
    named: dict[str, object] = {
        "mean": found and found.mean,
        "sd": found and found.sd,
        "median": found and found.median,
        "mu": found and found.mu,
        "sigma": found and found.sigma,
        "mu_se": found and found.mu_se,
        "sigma_se": found and found.sigma_se,
        "loglik": found and found.loglik,
        "mean_ci95": found and ends(found.mean),
        "mu_ci95": found and ends(found.mu),
        "sigma_ci95": found and ends(found.sigma),
    }
    answer = {f"{name}_{key}": value for key, value in named.items()}
    if main:
        answer |= {f"mle_{key}": value for key, value in named.items()}
        answer |= named | {"mean_ci": named["mean_ci95"], "mu_ci": named["mu_ci95"]}
        answer |= under(named["mu"], "mle_mu_log", "meanlog", "mu_log", "mle_meanlog")
        answer |= under(named["sigma"], "mle_sigma_log", "sdlog", "sigma_log", "mle_sdlog")
    return answer


def _of_km(found: KaplanMeier | None) -> dict[str, object]:
    return {"km_mean": found and found.mean, "km_sd": found and found.sd,
            "km_se": found and found.se, "km_median": found and found.median,
            "km_ci95": found and ends(found.mean)}  # fmt: skip


def _of_ros(found: Ros | None) -> dict[str, object]:
    return {"ros_mean": found and found.mean, "ros_sd": found and found.sd,
            "ros_median": found and found.median, "ros_slope": found and found.slope,
            "ros_intercept": found and found.intercept}  # fmt: skip


def _bound(given: Given) -> dict[str, object]:
    x, marked = pick(given, *_VALUES), pick(given, *_FLAGS)
    n, k = pick(given, "n"), int(pick(given, "detects", "exceedances", "k", "n_detect", default=0))
    if not isinstance(x, Sequence) and n is not None:
        x, marked = [1.0] * int(n), [False] * k + [True] * (int(n) - k)
        given = {**given, "threshold": 0.5 if k == int(n) else 1.0}
        x = [2.0] * k + x[k:]
    if x is None or marked is None:
        return {}
    limit = pick(given, "threshold", "limit", "spec", "action_level")
    limit = max(x) if limit is None else limit
    found = exceedance(x, marked, float(limit), confidence=confidence_in(given, 0.95))
    answer = under(found, "exceedance", "fraction_above", "p_exceed", "p_hat")
    return answer | under(found.upper, "upper", "upper95", "upper_bound", "bound", "p_upper",
                          "exceedance_upper", "upper_95", "exact_upper", "ub")  # fmt: skip


def _nothing_but_a_bound(given: Given) -> Answer:
    nothing = dict.fromkeys(given[WANTED], None)
    said = _summary(given) if isinstance(pick(given, *_VALUES), Sequence) else {}
    return nothing | {key: said[key] for key in nothing if key in said} | _bound(given)


def _regression(given: Given) -> Answer:
    x = needed(given, "x", "t", "time", "month")
    data = _data({**given, "x": pick(given, "y", "values"), "y": None})
    found, best = censored_regression(x, data, distribution=_distribution(given),
                                      confidence=confidence_in(given, 0.95))  # fmt: skip
    start, slope, sigma = found
    se = best.covariance.diagonal() ** 0.5
    answer = under(start, "intercept", "b0") | under(slope, "slope", "b1")
    answer |= under(sigma, "sigma", "scale") | under(best.loglik, "loglik")
    return answer | {"coef": [start.value, slope.value], "se": se[:2], "intercept_se": se[0],
                     "slope_se": se[1]}  # fmt: skip


def _data(given: Given) -> Censored:
    low, high = pick(given, "lower", "left"), pick(given, "upper", "right")
    if isinstance(low, list) and isinstance(high, list):
        return between(low, high)
    values: Any = needed(given, *_VALUES)
    marked = pick(given, *_FLAGS, default=[False] * len(values))
    return above(values, marked) if _is_right(given) else below(values, marked)


def _is_right(given: Given) -> bool:
    side = str(pick(given, "side", "censoring", "direction", default=""))
    return side.startswith(("right", "upper", "above")) or says(given, "right-cens", "right cens")


def _distribution(given: Given) -> str:
    said = str(pick(given, "distribution", "dist", "model", default=""))
    if said:
        return "normal" if said in {"normal", "gaussian"} else "lognormal"
    text = str(given.get(NAMED, "")).casefold().replace("lognormal", "").replace("log-normal", "")
    return "normal" if "normal" in text else "lognormal"


METHODS: Final = (
    *(CaseMethod((word,), _summary) for word in ("censored", "kaplan", "nondetect", "non-detect")),
    *(CaseMethod((word, "regression on order"), _summary) for word in ("censored", "ros")),
    CaseMethod(("censored", "regression"), _regression),
    *(CaseMethod(words, _nothing_but_a_bound)
      for words in (("exceedance",), ("all", "censored", "bound"), ("all-censored",),
                    ("censored", "exact"))),
)  # fmt: skip
