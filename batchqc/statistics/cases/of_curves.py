"""Cases of dose-response curves: one curve, or the joint fit of a relative potency."""

import re
from typing import Any, Final

import numpy as np

from batchqc.statistics.bioassay import assay
from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.cases.potency_keys import (
    before,
    between,
    confidence_of,
    factor,
    first,
    labels,
    standard_of,
    transformation_of,
)
from batchqc.statistics.curve_weights import Weighting
from batchqc.statistics.dose_response import CurveFit, CurveOptions, fit_curve
from batchqc.statistics.effective_dose import delta, effective_dose
from batchqc.statistics.figures import Figure
from batchqc.statistics.parallelism import curve_parallelism
from batchqc.statistics.relative_potency import RelativePotency, relative_potency

#: Names that R's drc gives the models.
_DRC: Final = {
    "LL.4": "4PL", "L.4": "4PL", "LL.3": "3PL", "LL.5": "5PL", "LL.3U": "3PL upper 1",
    "LL.2": "2PL", "W1.4": "Weibull 1", "W1.3": "Weibull 1, 3", "W2.4": "Weibull 2",
    "W2.3": "Weibull 2, 3", "LN.4": "log-normal", "LN.3": "log-normal, 3",
    "EXD.3": "exponential", "EXD.2": "exponential, 2", "AR.3": "exponential rise",
    "MM.2": "Michaelis-Menten", "4PL": "4PL", "5PL": "5PL", "3PL": "3PL",
}  # fmt: skip


def _model(given: Given, usual: str) -> str:
    """By its name, or by what stands in its formula."""
    text = "".join(str(first(given, "model", "fct", default="")).split())
    name = text.upper().removesuffix("()")
    if name in _DRC or not text:
        return _DRC.get(name, usual)
    low = text.casefold()
    if "exp(-exp(" in low:
        kind = "Weibull 2" if "1-exp(-exp(" in low else "Weibull 1"
        return kind if "c+" in low or "d-c" in low else f"{kind}, 3"
    letters = set(re.findall(r"[a-z]+", low))
    if "five" in letters or letters & {"f", "g"}:
        return "5PL"
    formula = "exp(" in low and not letters & {"a", "expit"}
    return "3PL" if "three" in letters or (formula and "c" not in letters) else usual


def _weighting(given: Given) -> Weighting | None:
    found: Any = first(given, "weights", "weighting", "weight", "w")
    if isinstance(found, list):
        return Weighting("given", given=found)
    name = str(found or "").replace(" ", "").replace("**", "^").casefold()
    powers = {"1/y": 1.0, "1/y^2": 2.0, "1/y2": 2.0, "1/y²": 2.0}
    if name in powers:
        return Weighting("response", powers[name])
    fitted = {"1/fitted": 1.0, "1/mu": 1.0, "1/fitted^2": 2.0, "1/mu^2": 2.0}
    power = first(given, "variance_power", "power")
    if name in fitted or power is not None:
        return Weighting("fitted", fitted.get(name) or float(power))
    return None


def _curve(given: Given, usual: str = "4PL") -> Answer:
    dose, y = first(given, "dose", "x", "conc"), first(given, "y", "response")
    own = labels(given, len(dose))
    options = CurveOptions(
        model=_model(given, usual),
        fixed=first(given, "fixed", default={}),
        weighting=_weighting(given),
        confidence=confidence_of(given),
    )
    if len(set(own)) == 1:
        return _single(fit_curve(dose, y, options))
    wells = assay(
        own, dose, y, standard=standard_of(given, own, dose),
        transformation=transformation_of(given),
    )  # fmt: skip
    found = relative_potency(wells, options, potency_factor=factor(given))
    drc_like = "exp(b*" in str(first(given, "model", default="")).replace(" ", "")
    return _joint(found, given, drc_like=drc_like)


def _single(fit: CurveFit) -> Answer:
    values = {name: one.value for name, one in fit.parameters.items()}
    se = [fit.se_hessian[name] for name in values]
    answer: dict[str, object] = {
        **values,
        "params": list(values.values()), "coef": list(values.values()), "se": se,
        "se_hessian": se, "se_gn": list(fit.se_gauss_newton.values()), "rse": fit.residual_sd,
        "resid_sd": fit.residual_sd, "rss": fit.rss, "df": fit.df, "aic": fit.aic,
        "loglik": fit.log_likelihood, "fitted": fit.fitted, "residuals": fit.residuals,
    }  # fmt: skip
    for percent in (5, 10, 20, 25, 50, 75, 80, 90, 95):
        told = _effective(fit, percent / 100)
        answer |= dict.fromkeys((f"ed{percent}", f"ec{percent}", f"ic{percent}"), told)
    if fit.lack_of_fit:
        f, more, left, p = fit.lack_of_fit
        answer |= {"lof_F": f, "lof_p": p, "F_lof": f, "p_lof": p,
                   "lack_of_fit": {"F": f, "df": [more, left], "p": p}}  # fmt: skip
    return answer | {
        "ci": {name: before(one)[1:] for name, one in fit.parameters.items()},
        "ci95": {name: before(one)[1:] for name, one in fit.parameters.items()},
    }


def _effective(fit: CurveFit, share: float) -> list[float | None]:
    """Estimate, standard error, lower, upper."""
    figure = effective_dose(fit, share)
    upper_first = (fit.inner[0] > 0) == fit.model.shape.falls
    height = 1 - share if upper_first else share
    inverse = fit.model.shape.inverse
    se = delta(fit, lambda p: np.exp(p[3] + inverse(height, np.exp(p[4])) / p[0]))[1]
    return [figure.value, se, figure.lower, figure.upper]


def _joint(found: RelativePotency, given: Given, *, drc_like: bool) -> Answer:
    values = {name: one.value for name, one in found.parameters.items()}
    one_sample = len(found.potency) == 1
    name = next(iter(found.potency))
    lower, upper = values.get("c"), values.get("d")
    answer: dict[str, object] = {
        **values, "A": lower, "D": upper, "rse": found.residual_sd, "rss": found.rss,
        "df": found.df, "rss_reduced": found.rss, "rss_constrained": found.rss,
    }  # fmt: skip
    if not drc_like and "b" in values:
        answer |= {"b": -values["b"], "c": float(np.log(values["e"]))}
    answer |= {
        "relative_potency": {key: between(one) for key, one in found.potency.items()},
        "rho": found.rho[name] if one_sample else found.rho,
        "rho_se": found.se[name] if one_sample else found.se,
        "se_rho": found.se[name] if one_sample else found.se,
        **dict.fromkeys(("rp", "RP"), found.potency[name] if one_sample else dict(found.potency)),
    }
    for kind, figures in (("profile", found.potency), ("delta", found.delta)):
        told = {key: before(one)[1:] for key, one in figures.items()}
        answer[f"rp_{kind}"] = before(figures[name])
        own = told[name] if one_sample else told
        answer |= dict.fromkeys(
            (kind, f"ci_{kind}", f"{kind}_ci", f"rp_ci_{kind}", f"ci95_{kind}",
             f"rp_{kind}_ci", f"{kind}_ci95", f"RP_ci_{kind}"), own,
        )  # fmt: skip
    limits = before(found.potency[name])[1:]
    answer |= dict.fromkeys(("ci", "ci95", "ci90", "rp_ci", "rp_ci95", "rp_ci90"), limits)
    return answer | _tests(found, given)


def _tests(found: RelativePotency, given: Given) -> dict[str, object]:
    answer: dict[str, object] = {}
    if found.nonparallel:
        f, more, left, p = found.nonparallel
        for key in ("nonpar", "parallel", "parallelism"):
            answer |= {f"F_{key}": f, f"p_{key}": p, f"{key}_F": f, f"{key}_p": p}
        answer |= {"F": f, "p": p, "df_nonpar": [more, left]}
    if found.lack_of_fit:
        answer |= {"F_lof": found.lack_of_fit[0], "p_lof": found.lack_of_fit[3]}
    if found.separate is None:
        return answer
    answer |= {"rss_full": found.separate.rss, "rss_free": found.separate.rss,
               "rss_separate": found.separate.rss, "df_full": found.separate.df,
               "rss_nonpar": found.rss - found.separate.rss}  # fmt: skip
    level = float(first(given, "equivalence_confidence", default=0.9))
    for one in curve_parallelism(found, confidence=level):
        answer |= _measured(one.name, one.figure)
    return answer


def _measured(name: str, figure: Figure) -> dict[str, object]:
    """Under "slope_ratio", "upper_ratio" and so on: estimate, lower, upper."""
    if " of " not in name:
        return {}
    kind, what = name.split(" of ", 1)
    short = what.removesuffix(" asymptote")
    return {f"{short}_{kind}": before(figure), f"{kind}_{short}": before(figure)}


def _five(given: Given) -> Answer:
    return _curve(given, "5PL")


def _three(given: Given) -> Answer:
    return _curve(given, "3PL")


_WELLS: Final = frozenset({"dose", "y"})

METHODS: Final = (
    *(CaseMethod((word,), _curve, _WELLS) for word in (
        "4pl", "logistic", "four-parameter", "ec50", "ed50", "ic50", "dose-response", "weibull",
        "log-normal", "constrained", "relative potency", "equivalence", "joint fit")),
    *(CaseMethod((word, "4pl"), _curve, _WELLS) for word in (
        "potency", "parallelism", "equivalence", "constrained")),
    *(CaseMethod(words, _five, _WELLS) for words in (
        ("5pl", "pl"), ("five-parameter", "five"), ("5-parameter", "parameter"))),
    *(CaseMethod(words, _three, _WELLS) for words in (
        ("3pl", "pl"), ("three-parameter", "three"), ("3-parameter", "parameter"))),
)  # fmt: skip
