"""Cases of capability."""

from typing import Any, Final

from batchqc.statistics.capability import SpecLimits, capability, within_summary
from batchqc.statistics.capability_limits import (
    bissell_interval,
    cp_interval,
    cpk_interval,
    cpm_interval,
    needed_index,
    one_sided_bound,
)
from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.cases.keys import confidence, first, percent
from batchqc.statistics.nonnormal_capability import known, percentile_capability
from batchqc.statistics.pearson import Pearson
from batchqc.statistics.tolerance import Summary

_DATA: Final = ("x", "y", "values", "data")
_PARAMETERS: Final = {
    "mu": ("mu", "meanlog", "mean_log"),
    "sigma": ("sigma", "sdlog", "sd_log"),
    "shape": ("shape", "k"),
    "scale": ("scale", "theta", "lambda"),
    "mean": ("mean",),
    "sd": ("sd",),
}
_OF: Final = {
    "normal": ("mean", "sd"),
    "lognormal": ("mu", "sigma"),
    "weibull": ("shape", "scale"),
    "gamma": ("shape", "scale"),
    "exponential": ("scale",),
}


def _spec(given: Given) -> SpecLimits:
    lsl, usl = (first(given, *names, default=None) for names in (("lsl", "LSL"), ("usl", "USL")))
    return SpecLimits(lsl, usl, first(given, "target", "T", default=None))


def _data(given: Given) -> Any:
    """Values, or values in subgroups, or what was computed from them."""
    if "subgroups" in given:
        rows = given["subgroups"]
        labels = [at for at, row in enumerate(rows) for _ in row]
        return within_summary([one for row in rows for one in row], labels)
    data = first(given, *_DATA, default=None)
    if data is not None:
        return data
    n = first(given, "n", default=30)
    df = first(given, "df", default=n - 1)
    return Summary(first(given, "mean"), first(given, "sd", "s", "sigma"), n, df)


def _normal(given: Given) -> Answer:
    data = _data(given)
    conf = confidence(given)
    exact = capability(data, _spec(given), conf=conf, scale=first(given, "scale", default="raw"))
    rough = capability(data, _spec(given), conf=conf, method="bissell")
    one_sided = capability(data, _spec(given), conf=2 * conf - 1) if conf > 0.5 else exact
    answer: dict[str, object] = {
        f"{letter}p{kind}": None for letter in "PC" for kind in ("", "u", "l", "k", "m", "mk")
    }
    for letter in "PC":
        for name, one in exact.indices.items():
            own = name.replace("P", letter)
            ends, near = (one.lower, one.upper), rough.indices[name]
            low = one_sided.indices[name].lower
            answer |= {own: one, own.lower(): one, f"{own}_ci": ends, f"{own}_exact_ci": ends}
            answer |= {f"{own}_ci{percent(conf)}": ends, f"{own}_lower": low, f"{own}_lcb": low}
            answer[f"{own}_bissell"] = (near.lower, near.upper)
            answer[f"{own}_bissell_ci"] = (near.lower, near.upper)
        answer[f"{letter}pk_ci"] = answer[f"{letter}pk_bissell"]
    fractions = {f"p_{name}": one for name, one in exact.beyond.items()}
    ppm = {f"ppm_{name}": 1e6 * one.value for name, one in exact.beyond.items()}
    sides = {"below": "lower", "above": "upper"}
    ppm |= {f"ppm_{sides[name]}": ppm[f"ppm_{name}"] for name in sides if f"ppm_{name}" in ppm}
    if isinstance(data, Summary):
        answer |= dict.fromkeys(("sigma_within", "sigma", "sd"), data.sd)
    return answer | fractions | ppm | {"ppm": ppm["ppm_total"]}


def _intervals(given: Given) -> Answer:
    n, conf = first(given, "n"), confidence(given)
    df = first(given, "df", default=n - 1)
    answer: dict[str, object] = {}
    for letter in "PC":
        for side in ("k", "u", "l"):
            index = first(given, f"{letter}p{side}", f"{letter}p{side}".lower(), default=None)
            if index is not None:
                answer |= _one_index(f"{letter}p{side}", index, n, (df, conf))
        both = first(given, f"{letter}p", f"{letter}p".lower(), default=None)
        if both is not None:
            answer[f"{letter}p_ci"] = cp_interval(both, df, conf=conf)
            answer[f"{letter}p_lower"] = cp_interval(both, df, conf=2 * conf - 1)[0]
        middle = first(given, f"{letter}pm", f"{letter}pm".lower(), default=None)
        if middle is not None:
            off = first(given, "off_target", "xi", "delta", default=0.0)
            answer[f"{letter}pm_ci"] = cpm_interval(middle, n, off_target=off, conf=conf)
    return answer


def _one_index(name: str, index: float, n: float, more: tuple[float, float]) -> Answer:
    df, conf = more
    levels = ((1 + conf) / 2, (1 - conf) / 2)
    nct = tuple(one_sided_bound(index, n, conf=one, df=df) for one in levels)
    bound = one_sided_bound(index, n, conf=conf, df=df)
    answer: dict[str, object] = {
        f"{name}_ci": bissell_interval(index, n, conf=conf, df=df),
        f"{name}_bissell": bissell_interval(index, n, conf=conf, df=df),
        f"{name}_bissell_lower": bissell_interval(index, n, conf=2 * conf - 1, df=df)[0],
        f"{name}_exact": nct,
        f"{name}_exact_ci": nct,
        f"{name}_nct_ci": nct,
    }
    for key in ("lower", "lcb", "lower_bound", "exact_lower", f"lcb{percent(conf)}"):
        answer |= {f"{name}_{key}": bound, key: bound}
    if index > 0:
        answer[f"{name}_two_sided_ci"] = cpk_interval(index, n, conf=conf, df=df)
    return answer


def _needed(given: Given) -> Answer:
    conf = confidence(given)
    bound = first(given, "bound", "lcb", "target", "lower_bound", default=1.0)
    sizes = first(given, "n")
    each = [sizes] if isinstance(sizes, int) else sizes
    found = tuple(needed_index(n, bound=bound, conf=conf) for n in each)
    answer = found if isinstance(sizes, list) else found[0]
    return dict.fromkeys(("ppk", "Ppk", "Cpk", "cpk", "needed", "ppk_needed", "required"), answer)


def _percentiles(given: Given) -> Answer:
    name = str(first(given, "distribution", "dist", "fit", default="lognormal"))
    name = {"lnorm": "lognormal", "norm": "normal", "exp": "exponential"}.get(name, name)
    data = first(given, *_DATA, default=None)
    if data is not None:
        found = percentile_capability(data, _spec(given), distribution=name)
    elif "skewness" in given or "skew" in given:
        kurtosis = first(given, "kurtosis", default=None)
        if kurtosis is not None and kurtosis < 1 + first(given, "skewness", "skew") ** 2:
            kurtosis += 3  # no distribution has so little: it is the excess over a normal one
        if kurtosis is None:
            kurtosis = 3 + first(given, "excess_kurtosis", "kurt", default=0.0)
        curve = Pearson(
            first(given, "mean"),
            first(given, "sd", "s"),
            first(given, "skewness", "skew"),
            kurtosis,
        )
        found = percentile_capability(None, _spec(given), distribution=curve)
    else:
        given = {**given, **first(given, "params", "parameters", default={})}
        values = {one: float(first(given, *_PARAMETERS[one])) for one in _OF[name]}
        found = percentile_capability(None, _spec(given), distribution=known(name, **values))
    low, middle, high = found.quantiles
    answer: dict[str, object] = {
        **found.indices,
        **{one.replace("P", "C"): figure for one, figure in found.indices.items()},
        "quantiles": found.quantiles, "percentiles": found.quantiles,
        "q_low": low, "q00135": low, "p00135": low, "x00135": low, "q0.00135": low,
        "median": middle, "q50": middle, "p50": middle, "q0.5": middle,
        "q_high": high, "q99865": high, "p99865": high, "x99865": high, "q0.99865": high,
    }  # fmt: skip
    for side, part in found.beyond.items():
        answer |= {f"p_{side}": part, f"ppm_{side}": 1e6 * part}
    return answer


METHODS: Final = (
    CaseMethod(("cp",), _normal, frozenset({"lsl"})),
    CaseMethod(("cp",), _normal, frozenset({"usl"})),
    CaseMethod(("pp",), _normal, frozenset({"lsl"})),
    CaseMethod(("pp",), _normal, frozenset({"usl"})),
    CaseMethod(("capability",), _normal),
    CaseMethod(("confidence", "cp"), _intervals, frozenset({"n", "Cpk"})),
    CaseMethod(("cp",), _intervals, frozenset({"n"})),
    CaseMethod(("pp",), _intervals, frozenset({"n"})),
    CaseMethod(("cpk", "needed"), _needed),
    CaseMethod(("ppk", "needed"), _needed),
    CaseMethod(("cpk", "required"), _needed),
    CaseMethod(("ppk", "required"), _needed),
    CaseMethod(("capability", "non-normal"), _percentiles),
    CaseMethod(("capability", "nonnormal"), _percentiles),
    CaseMethod(("capability", "percentile"), _percentiles),
    CaseMethod(("clements",), _percentiles, frozenset({"lsl"})),
    CaseMethod(("clements",), _percentiles, frozenset({"usl"})),
)
