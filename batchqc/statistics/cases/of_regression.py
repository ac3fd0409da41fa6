"""Cases of linear and nonlinear least squares."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from scipy import stats

from batchqc.errors import InvalidInput
from batchqc.statistics.cases.check import NAMED, WANTED, Answer, CaseMethod, Given
from batchqc.statistics.cases.picking import gapless, if_estimable, needed, pick, says, under
from batchqc.statistics.model_text import read_model
from batchqc.statistics.nonlinear import NonlinearFit, nonlinear_regression
from batchqc.statistics.regression import LinearFit, multiple_regression, polynomial_regression

_NAMED: Final = {"quadratic": 2, "cubic": 3, "quartic": 4, "quintic": 5}
_STARTS: Final = ("start2", "start", "start1", "p0", "init")
_DEGREE: Final = re.compile(
    r"(?:degree|order)\s*=?\s*(\d+)|(\d+)(?:st|nd|rd|th)?[- ](?:degree|order)"
)


def _linear(given: Given) -> Answer:
    if says(given, "nonlinear", "non-linear"):
        raise InvalidInput("BQC-STA-003", "a line is no answer to a nonlinear model")
    given = gapless(given)
    y, weights = needed(given, "y", "response"), pick(given, "weights", "w", "weight")
    columns, intercept = _columns(given, len(y)), _has_intercept(given)
    if len(columns) > 1:
        fit = multiple_regression(columns, y, weights=weights, intercept=intercept)
    else:
        fit = polynomial_regression(columns[0], y, degree=_degree(given, intercept=intercept),
                                    weights=weights, intercept=intercept)  # fmt: skip
    return _of_linear(fit)


def _of_linear(fit: LinearFit) -> Answer:
    se = fit.se.tolist()
    answer: dict[str, object] = {}
    for figure, error in zip(fit.coefficients, se, strict=True):
        answer |= under(figure, figure.name, f"{figure.name}_est")
        answer |= under(error, f"{figure.name}_se", f"se_{figure.name}")
        answer |= under([figure.lower, figure.upper], f"{figure.name}_ci95", f"ci95_{figure.name}")
        t = figure.value / error if error else None
        p = None if t is None else float(2 * stats.t.sf(abs(t), fit.df))
        answer |= under(t, f"{figure.name}_t", f"t_{figure.name}")
        answer |= under(p, f"{figure.name}_p", f"p_{figure.name}")
    answer |= under(fit.values, "coef", "coefs", "coefficients", "params", "b", "beta", "estimates")
    answer |= under(se, "se", "b_se", "coef_se", "params_se", "std_errors")
    answer |= under(fit.residual_sd, "resid_sd", "residual_sd", "rse", "s", "sigma", "syx")
    answer |= under(fit.r2, "r2", "R2", "r_squared", "rsquared")
    answer |= under(fit.F, "F", "f", "F_stat") | under(fit.p, "p", "p_F", "p_value")
    answer |= under(fit.df, "df", "df_resid", "df_residual")
    answer |= under(fit.df_regression, "df_regr", "df_regression", "df_model")
    answer |= under(fit.ss_residual, "rss", "ss_resid", "ss_residual", "sse", "ss_res")
    answer |= under(fit.ss_regression, "ss_regr", "ss_regression", "ss_reg", "ssr")
    answer |= under(fit.residual_sd**2, "ms_resid", "ms_residual", "mse")
    answer |= under(fit.ss_regression / fit.df_regression, "ms_regr", "ms_regression", "msr")
    return answer | {"residuals": fit.residuals, "n": fit.n, "slope": fit.coefficients[-1],
                     "slope_se": se[-1], "intercept_se": se[0],
                     "intercept": fit.coefficients[0]}  # fmt: skip


def _columns(given: Given, n: int) -> list[Any]:
    names = sorted(
        (key for key in given if re.fullmatch(r"[xX]\d+", key)), key=lambda k: int(k[1:])
    )
    if names:
        return [given[name] for name in names]
    x = needed(given, "x", "X", "predictors", "design")
    if isinstance(x, Mapping):
        return [*x.values()]
    if not isinstance(x[0], Sequence):
        return [x]
    table = np.array(x, dtype=np.float64)
    return [*(table.T if table.shape[0] == n else table)]


def _has_intercept(given: Given) -> bool:
    said = pick(given, "intercept", "constant")
    if said is not None:
        return bool(said)
    model = str(pick(given, "model", default=""))
    wanted = [key for key in given.get(WANTED, ()) if re.fullmatch(r"b\d+", key)]
    through = says(given, "origin", "no intercept", "no-intercept", "noint", "without intercept")
    return (
        not through and ("b0" in wanted or not wanted) and not ("b1" in model and "b0" not in model)
    )


def _degree(given: Given, *, intercept: bool) -> int:
    said = pick(given, "degree", "order", "power", "polynomial")
    if isinstance(said, int) and not isinstance(said, bool):
        return said
    text = f"{given.get(NAMED, '')} {pick(given, 'model', default='')}".casefold()
    found = _DEGREE.search(text)
    if found:
        return int(found[1] or found[2])
    named = [degree for name, degree in _NAMED.items() if name in text]
    powers = [int(one) for one in re.findall(r"x\s*(?:\*\*|\^)\s*(\d+)", text)]
    wanted = [int(key[1:]) for key in given.get(WANTED, ()) if re.fullmatch(r"b\d+", key)]
    return max([1, *named, *powers, *wanted]) if intercept else max([1, *named, *powers])


def _nonlinear(given: Given) -> Answer:
    given = gapless(given)
    y, text = needed(given, "y", "response"), _text(given)
    columns = _columns(given, len(y))
    named = [key for key in given if re.fullmatch(r"[xX]\d+", key)]
    names = sorted(named) or (["x"] if len(columns) == 1 else
                              [f"x{k}" for k in range(1, len(columns) + 1)])  # fmt: skip
    predictors = dict(zip(names, columns, strict=True))
    weights = pick(given, "weights", "w")
    fits: dict[str, NonlinearFit | None] = {}

    def fit(start: Any) -> NonlinearFit:
        return nonlinear_regression(text, predictors, y, start, weights=weights)

    for key in _STARTS:
        if key in given:
            fits[key] = if_estimable(partial(fit, given[key]))
    best = next((one for one in fits.values() if one), None)
    if best is None:
        best = fit(next(given[key] for key in _STARTS if key in given))
    answer: dict[str, object] = {f"{key}_converged": one is not None for key, one in fits.items()}
    return _of_nonlinear(best) | answer | {"converged": True}


def _of_nonlinear(fit: NonlinearFit) -> dict[str, object]:
    answer: dict[str, object] = {}
    for figure, error in zip(fit.parameters, fit.se.tolist(), strict=True):
        answer |= {figure.name: figure, f"{figure.name}_se": error, f"se_{figure.name}": error,
                   f"{figure.name}_ci95": [figure.lower, figure.upper]}  # fmt: skip
    answer |= under(fit.values, "params", "coef", "b", "estimates", "parameters", "coefficients")
    answer |= under(fit.rss, "rss", "sse", "ss_resid", "residual_ss")
    answer |= under(fit.residual_sd, "resid_sd", "rse", "s", "sigma", "residual_sd")
    return answer | {"se": fit.se, "df": fit.df, "fitted": fit.fitted, "residuals": fit.residuals}


def _text(given: Given) -> str:
    """The model in the notation of :mod:`batchqc.statistics.model_text`."""
    text = str(needed(given, "model", "formula", "function"))
    text = re.sub(r"^\s*\w+\s*~|\+\s*e(?:psilon|rror)?\s*$", "", text)
    text = re.sub(r"\be\s*(?:\*\*|\^)\s*\(", "exp(", text)
    text = re.sub(r"\bb\s*\[\s*(\d+)\s*\]", lambda one: f"b{int(one[1]) + 1}", text)
    text = re.sub(r"\b(?:np|numpy|math)\.", "", text)
    text = re.sub(r"\bx\s*\[\s*(?::\s*,)?\s*(\d)\s*\]", lambda one: f"x{int(one[1]) + 1}", text)
    said = str(pick(given, "response", "transform", "y_transform", default="")).casefold()
    log = pick(given, "log_y", "log_response") or said.startswith(("log", "ln"))
    return (
        f"log(y) = {text}" if log and not read_model(text, ("x", "x1", "x2")).log_response else text
    )


METHODS: Final = (
    *(
        CaseMethod((word,), _linear)
        for word in ("wls", "linear regression", "weighted regression", "straight line",
                     "linear least squares", "polynomial regression", "weighted least squares",
                     "multiple regression", "polynomial")
    ),
    *(CaseMethod(("ols",), _linear, frozenset({"y", x})) for x in ("x", "X", "x1", "predictors")),
    *(
        CaseMethod(("nonlinear", word), _nonlinear, frozenset({"model"}))
        for word in ("least squares", "regression")
    ),
)  # fmt: skip
