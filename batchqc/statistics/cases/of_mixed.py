"""Cases of mixed models."""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from batchqc.statistics.cases.check import NAMED, Answer, CaseMethod, Given
from batchqc.statistics.cases.keys import confidence, first, percent
from batchqc.statistics.cases.of_variation import VALUES, ends_of, factors_of
from batchqc.statistics.levels import nested
from batchqc.statistics.reml import MixedFit, fit_mixed, profile_fixed


def _mixed(given: Given) -> Answer:
    return _fitted(given, factors_of(given))


def _mixed_nested(given: Given) -> Answer:
    size = len(first(given, *VALUES))
    within = nested(factors_of(given), size)
    return _fitted(given, {one.name: [one.names[at] for at in one.codes] for one in within})


def _fitted(given: Given, factors: Mapping[str, Any]) -> Answer:
    conf = confidence(given)
    data = first(given, *VALUES)
    more: dict[str, Any] = {"covariates": first(given, "covariates", default={})}
    ml = fit_mixed(data, factors, criterion="ML", intervals=False, **more)
    found = fit_mixed(data, factors, conf=conf, criterion=_criterion(given), **more)
    level = percent(conf)
    sds = {name: (one.lower, one.upper) for name, one in found.sds.items()}
    sds["sigma"] = sds["Residual"] = sds["error"]
    sds["(Intercept)"] = sds["intercept"] = ends_of(profile_fixed(found, conf=conf))
    fixed = found.fixed["intercept"]
    return {
        **_variances(found),
        "fixef": fixed if len(found.fixed) == 1 else tuple(found.fixed.values()),
        "fixef_se": tuple(found.fixed_se.values())
        if len(found.fixed) > 1
        else found.fixed_se["intercept"],
        "fixef_df": fixed.df,
        f"fixef_ci{level}": ends_of(fixed),
        "reml_criterion": found.criterion,
        "ml_deviance": ml.criterion,
        "deviance": ml.criterion,
        f"profile_ci{level}_sd": sds,
        f"profile_ci{level}_sigma": sds["sigma"],
        "singular": bool(found.singular),
    }


def _criterion(given: Given) -> Literal["REML", "ML"]:
    said = first(given, "criterion", "estimation", default=None)
    if isinstance(given.get("REML", given.get("reml")), bool):
        said = "REML" if given.get("REML", given.get("reml")) else "ML"
    name = str(said or given[NAMED]).casefold()
    plain = re.search(r"\bml\b|maximum likelihood", name) and "restricted" not in name
    return "ML" if plain and "reml" not in name else "REML"


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


METHODS: Final = (
    CaseMethod(("reml",), _mixed, frozenset({"y"})),
    CaseMethod(("mixed model",), _mixed, frozenset({"y"})),
    CaseMethod(("reml", "crossed"), _mixed, frozenset({"y"})),
    CaseMethod(("reml", "nested"), _mixed_nested, frozenset({"y"})),
)
