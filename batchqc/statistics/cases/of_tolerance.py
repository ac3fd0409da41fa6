"""Cases of tolerance and prediction intervals."""

import re
from typing import Any, Final

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.cases.keys import confidence, content, first, percent
from batchqc.statistics.cases.of_variation import factors_of
from batchqc.statistics.nested_anova import nested_components
from batchqc.statistics.nonparametric_tolerance import (
    achieved_confidence,
    nonparametric_tolerance,
    quantile_interval,
    wilks_n,
)
from batchqc.statistics.prediction import (
    nonparametric_prediction,
    prediction_factor,
    prediction_interval,
)
from batchqc.statistics.tolerance import (
    Summary,
    ToleranceInterval,
    logged,
    random_effects_tolerance,
    tolerance_interval,
)
from batchqc.statistics.tolerance_factors import one_sided_factor, two_sided_factor
from batchqc.statistics.values import values_of

_DATA: Final = ("x", "y", "values", "data")
_SIDES: Final = {"one": "lower", "one-sided": "lower", "1": "lower", "two": "two-sided",
                 "both": "two-sided", "2": "two-sided"}  # fmt: skip


def _side(given: Given, default: str = "two-sided") -> str:
    found = str(first(given, "side", "sides", "type", "pi.type", default=default))
    return _SIDES.get(found, found)


def _factors(given: Given, *, one_sided: bool) -> Answer:
    """Every factor at one n, or lists over many n and pairs of content and confidence."""
    if "P_conf" in given:
        make = one_sided_factor if one_sided else two_sided_factor
        return {
            f"k{percent(conf)}_{percent(part)}": tuple(
                make(n, content=part, conf=conf) for n in given["n"]
            )
            for part, conf in given["P_conf"]
        }
    df = first(given, "df", "f", "nu", default=None)
    sizes = first(given, "n", "N")
    many = [
        _factors_at(one, content(given), confidence(given), own) for one, own in _pairs(sizes, df)
    ]
    if not isinstance(sizes, list):
        found = many[0]
    else:
        found = {key: tuple(one[key] for one in many) for key in many[0]}
    k = found["k1_exact" if one_sided else "k2_exact"]
    return {**found, "k": k, "factor": k}


def _pairs(sizes: Any, df: Any) -> list[tuple[float, float | None]]:
    each = sizes if isinstance(sizes, list) else [sizes]
    free = df if isinstance(df, list) else [df] * len(each)
    return list(zip(each, free, strict=True))


def _factors_at(n: float, part: float, conf: float, df: float | None) -> dict[str, Any]:
    two = two_sided_factor(n, content=part, conf=conf, df=df)
    one = one_sided_factor(n, content=part, conf=conf, df=df)
    found = {
        "k2_exact": two, "two": two, "two_sided": two, "k2": two, "exact": two,
        "k1_exact": one, "one": one, "one_sided": one, "k1": one,
    }  # fmt: skip
    rough = {"howe": "howe", "guenther": "guenther", "weissberg_beatty": "weissberg-beatty"}
    for key, method in rough.items():
        k = two_sided_factor(n, content=part, conf=conf, df=df, method=method)  # type: ignore[arg-type]  # one of these words
        found |= {key: k, f"k2_{key}": k}
    try:
        k = one_sided_factor(n, content=part, conf=conf, df=df, method="natrella")
    except NotEstimable:
        return found
    return found | {"k1_natrella": k, "natrella": k, "k1_approx": k}


def _one_sided(given: Given) -> Answer:
    return _with_limits(given, one_sided=True)


def _two_sided(given: Given) -> Answer:
    return _with_limits(given, one_sided=False)


def _howe(given: Given) -> Answer:
    return _with_limits({**given, "method": "howe"}, one_sided=False)


def _with_limits(given: Given, *, one_sided: bool) -> Answer:
    scale = "ln" if first(given, "log", "lognormal", default=False) else "raw"
    return _limits(given, first(given, "scale", default=scale), one_sided=one_sided)


def _random(given: Given) -> Answer:
    """With donors (lots, groups) as what they are: a part of the variation."""
    scale: Any = "ln" if first(given, "log", "lognormal", default=False) else "raw"
    scale = first(given, "scale", default=scale)
    data = logged(values_of(first(given, *_DATA)), scale)
    found = random_effects_tolerance(
        nested_components(data, factors_of(given)), content=content(given), conf=confidence(given),
        side=_side(given), scale=scale,
    )  # fmt: skip
    ends = (found.limits.lower, found.limits.upper)
    return {"lower": ends[0], "upper": ends[1], "interval": ends, "limits": ends,
            "k": found.factor, "factor": found.factor, "mean": found.limits.value,
            "df": found.limits.df}  # fmt: skip


def _lognormal(given: Given) -> Answer:
    return _limits(given, "ln", one_sided=_side(given) != "two-sided")


def _limits(given: Given, scale: Any, *, one_sided: bool) -> Answer:
    data = first(given, *_DATA, default=None)
    if data is None and "mean" not in given:
        return _factors(given, one_sided=one_sided)
    found: Any = data
    if data is None:
        n = first(given, "n", "N")
        found = Summary(
            given["mean"], first(given, "sd", "s"), n, first(given, "df", default=n - 1)
        )
        made = _factors(given, one_sided=one_sided)
    else:
        free = first(given, "df", default=None)
        made = dict(_factors_at(len(data), content(given), confidence(given), free))
    side = _side(given, "lower" if one_sided else "two-sided")

    def interval(which: str, method: Any = "exact") -> ToleranceInterval:
        return tolerance_interval(
            found, content=content(given), conf=confidence(given), side=which, scale=scale,
            method=method,
        )  # fmt: skip

    main, howe = interval(side), interval("two-sided", "howe")
    below, above = interval("lower"), interval("upper")
    ends = (main.limits.lower, main.limits.upper)
    if "exact" not in str(given.get("method", "exact")):
        ends = (howe.limits.lower, howe.limits.upper)
    return {
        **made, "k": main.factor, "lower": below.limits.lower if one_sided else ends[0],
        "upper": above.limits.upper if one_sided else ends[1], "interval": ends, "limits": ends,
        "mean": main.limits.value, "howe_interval": (howe.limits.lower, howe.limits.upper),
        "lower_one_sided": below.limits.lower, "upper_one_sided": above.limits.upper,
        "one_sided_lower": below.limits.lower, "one_sided_upper": above.limits.upper,
    }  # fmt: skip


def _wilks(given: Given) -> Answer:
    """Sizes for cases told in words (two-sided 99/95: content 99 %, confidence 95 %) or numbers."""
    if "cases" in given:
        return {"n": tuple(_told(one) for one in given["cases"])}
    data = first(given, *_DATA, default=None)
    part, conf, side = content(given), confidence(given), _side(given)
    out = int(first(given, "left_out", "m", "r", default=2 if side == "two-sided" else 1))
    answer: dict[str, object] = {"n": wilks_n(content=part, conf=conf, left_out=out)}
    answer["n_one_sided"] = wilks_n(content=part, conf=conf, left_out=1)
    answer["n_two_sided"] = wilks_n(content=part, conf=conf, left_out=2)
    if data is not None:
        found = nonparametric_tolerance(data, content=part, conf=conf, side=side)
        answer |= {"lower": found.limits.lower, "upper": found.limits.upper, "ranks": found.ranks}
        answer |= {"confidence": found.limits.confidence, "conf": found.limits.confidence}
    elif "n" in given:
        reached = achieved_confidence(given["n"], content=part, left_out=out)
        answer |= {"confidence": reached, "conf": reached, "achieved_confidence": reached}
    return answer


def _told(words: str) -> int:
    found = re.search(r"(\d+(?:\.\d+)?)\s*/\s*(\d+(?:\.\d+)?)", words)
    if found is None:
        raise InvalidInput("BQC-STA-003", f"no content/confidence in: {words}")
    part, conf = (float(one) / 100 for one in found.groups())
    return wilks_n(content=part, conf=conf, left_out=1 if "one" in words else 2)


def _quantile(given: Given) -> Answer:
    level = first(given, "quantile", "p", "P", default=0.5)
    found = quantile_interval(first(given, *_DATA), quantile=level, conf=confidence(given))
    ends = (found.limits.lower, found.limits.upper)
    reached = found.limits.confidence
    return {
        "lower": ends[0], "upper": ends[1], "ci": ends, "interval": ends, "ranks": found.ranks,
        "confidence": reached, "achieved": reached, "median": found.limits,
    }  # fmt: skip


def _prediction(given: Given) -> Answer:
    conf, side = confidence(given), _side(given)
    more: dict[str, Any] = {
        "future": int(first(given, "m", "future", "k_future", default=1)),
        "at_least": first(given, "k_of_m", "at_least", "k", default=None),
        "df": first(given, "df", default=None),
        "mean_of": first(given, "n_mean", "mean_of", "n.mean", default=None),
        "occasions": first(given, "r", "occasions", default=None),
        "method": first(given, "method", default=None),
    }
    data = first(given, *_DATA, default=None)
    sizes = first(given, "n", "N", default=None if data is None else len(data))
    each = sizes if isinstance(sizes, list) else [sizes]
    found = tuple(prediction_factor(n, conf=conf, side=side, **more) for n in each)
    k = found if isinstance(sizes, list) else found[0]
    answer: dict[str, object] = {"k": k, "K": k, "factor": k}
    if data is None and "mean" in given:
        free = more["df"] or sizes - 1
        data = Summary(given["mean"], first(given, "sd", "s"), sizes, free)
    if data is not None:
        scale = first(given, "scale", default="raw")
        more = {key: one for key, one in more.items() if one is not None}
        one = prediction_interval(data, conf=conf, side=side, scale=scale, **more)
        ends = (one.lower, one.upper)
        answer |= {"lower": one.lower, "upper": one.upper, "interval": ends, "limits": ends}
        answer |= {"mean": one.value, f"pred{percent(conf)}": ends}
    return answer


def _free_prediction(given: Given) -> Answer:
    n = first(given, "n", default=None)
    out = int(first(given, "left_out", default=2 if _side(given) == "two-sided" else 1))
    size = n or len(first(given, *_DATA))
    future = int(first(given, "m", "future", default=1))
    kept = first(given, "at_least", "k", default=None)
    reached = nonparametric_prediction(size, future=future, at_least=kept, left_out=out)
    return {"confidence": reached, "conf": reached}


METHODS: Final = (
    CaseMethod(("tolerance factor",), _two_sided),
    CaseMethod(("tolerance interval",), _two_sided),
    CaseMethod(("tolerance", "one-sided"), _one_sided),
    CaseMethod(("tolerance", "howe"), _howe),
    CaseMethod(("tolerance", "one-sided", "howe"), _howe),
    CaseMethod(("tolerance", "two-sided"), _two_sided),
    CaseMethod(("tolerance", "lognormal"), _lognormal),
    *(
        CaseMethod(("tolerance", "interval", word), _random)
        for word in ("random effect", "random-effect", "variance component", "one-way", "mixed")
    ),
    CaseMethod(("distribution-free",), _wilks),
    CaseMethod(("tolerance", "nonparametric"), _wilks),
    CaseMethod(("tolerance", "non-parametric"), _wilks),
    CaseMethod(("wilks",), _wilks),
    CaseMethod(("order statistic",), _quantile, frozenset({"x"})),
    CaseMethod(("prediction interval", "normal"), _prediction),
    CaseMethod(("prediction limit",), _prediction),
    CaseMethod(("prediction factor",), _prediction),
    CaseMethod(("prediction interval",), _prediction, frozenset({"n"})),
    CaseMethod(("prediction interval",), _prediction, frozenset({"x"})),
    CaseMethod(("prediction interval", "future"), _prediction),
    CaseMethod(("prediction", "nonparametric"), _free_prediction),
    CaseMethod(("prediction", "non-parametric"), _free_prediction),
)
