"""Cases of stability and out of trend."""

from typing import Any, Final

from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.cases.picking import (
    alpha_of,
    confidence_in,
    gapless,
    levels,
    needed,
    pick,
    says,
    under,
    whole,
)
from batchqc.statistics.out_of_trend import (
    OutOfTrend,
    by_time_point,
    next_point,
    slope_by_random_coefficients,
    slope_in_history,
)
from batchqc.statistics.stability import Criterion, ShelfLife, extrapolation_cap, shelf_life

_TIMES: Final = (
    "t",
    "month",
    "months",
    "time",
    "times",
    "x",
    "week",
    "weeks",
    "day",
    "days",
    "hours",
    "h",
)
_NEW: Final = ("y_new", "new_y", "observed", "new", "y_next", "new_value", "slope_new", "new_slope")


def _shelf_life(given: Given) -> Answer:
    given = gapless(given)
    y, time = needed(given, "y", "values", "assay"), needed(given, *_TIMES)
    batch = pick(given, "batch", "batches", "lot", "lots", default=["1"] * len(y))
    found = shelf_life(batch, time, y, _criterion(given),
                       alpha_pool=float(pick(given, "alpha_pool", "pool_alpha", default=0.25)),
                       model=pick(given, "model", "force_model"))  # fmt: skip
    return _of_shelf_life(found)


def _of_shelf_life(found: ShelfLife) -> Answer:
    crossings = {name: one.time for name, one in found.crossings.items()}
    own = found.crossing
    answer: dict[str, object] = {"model": found.model, "poi": crossings, "limit": own.limit}
    answer |= {f"poi_{name}": time for name, time in crossings.items()}
    answer |= under(own.time, "shelf_life", "poi_published", "poi_model", "months", "crossing",
                    "shelf_life_months")  # fmt: skip
    answer |= under(own.batch, "batch", "worst_batch", "wc_batch")
    answer |= {"worst": {name: one.batch for name, one in found.crossings.items()}}
    answer |= under(own.time is not None, "limiting")
    names = [line.batch or "all" for line in found.lines]
    slopes, starts = [line.slope for line in found.lines], [line.intercept for line in found.lines]
    single = len(found.lines) == 1
    answer |= under(
        slopes[0] if single or found.model == "dics" else dict(zip(names, slopes, strict=True)),
        "slope",
    )
    answer |= under(starts[0] if single else dict(zip(names, starts, strict=True)), "intercept")
    answer |= {"slopes": slopes, "intercepts": starts, "s": found.lines[0].variance**0.5,
               "mse": found.lines[0].variance, "df": found.lines[0].df}  # fmt: skip
    if found.pooling:
        tests = found.pooling
        answer |= {"F_slope": tests.F_slope, "p_slope": tests.p_slope, "mse_full": tests.error_ms,
                   "df_slope": tests.df[0], "df_error": tests.df[1],
                   "ss_slope": tests.ss_slope, "ss_icpt": tests.ss_intercept}  # fmt: skip
        answer |= under(tests.F_intercept, "F_icpt", "F_intercept")
        answer |= under(tests.p_intercept, "p_icpt", "p_intercept")
    return answer


def _criterion(given: Given) -> Criterion:
    limit = pick(given, "limit", "limits", "spec", "sl", "specification", "criterion")
    side = str(pick(given, "side", "sl_side", "ivl_side", default="lower"))
    low = pick(given, "lsl", "lower", "limit_lower", "lower_limit", "spec_lower")
    high = pick(given, "usl", "upper", "limit_upper", "upper_limit", "spec_upper")
    if isinstance(limit, list):
        low, high = limit
    elif limit is not None:
        low, high = (None, limit) if side == "upper" else (limit, high)
    conf = pick(given, "conf", "confidence")
    level = float(conf) if conf is not None else _complement(alpha_of(given))
    log = says(given, "first-order", "first order") or pick(given, "log", "scale", "yform") in (
        True,
        "log",
    )
    return Criterion(low, high, level, log, pick(given, "horizon", "max_time"))


def _complement(alpha: float) -> float:
    return {0.05: 0.95, 0.025: 0.975, 0.1: 0.9, 0.01: 0.99}.get(alpha) or 1 - alpha


def _extrapolation(given: Given) -> Answer:
    cap = extrapolation_cap(
        float(needed(given, "last", "months", "x", "long_term", "months_of_data")),
        storage=str(pick(given, "storage", default="room")),
        change=str(pick(given, "change", "significant_change", default="none")),
        analysed=bool(pick(given, "analysed", "statistical_analysis", default=True)),
    )
    return under(cap, "cap", "limit", "max_months", "proposal", "months")


def _out_of_trend(given: Given) -> Answer:
    given = gapless(given)
    y, time = needed(given, "y", "values"), needed(given, *_TIMES)
    at, seen = needed(given, "t_new", "x_new", "time_new", "at", "t_next"), pick(given, *_NEW)

    def of(level: float) -> Any:
        return next_point(time, y, float(at), seen, confidence=level)

    found = of(confidence_in(given, 0.95))
    start, slope = found.fit.coefficients
    answer: dict[str, object] = {"slope": slope, "intercept": start, "df": found.fit.df}
    answer |= under(found.fit.residual_sd, "s", "sigma", "rse", "resid_sd")
    answer |= {"fit": found.mean.value, "predicted": found.mean.value}
    answer |= _of_point(found.point)
    answer |= {key: whole(of(level).point.expected) for key, level in levels(given, "pred")}
    answer |= {key: whole(of(level).point.expected) for key, level in levels(given, "pi")}
    answer |= {key: whole(of(level).mean) for key, level in levels(given, "conf")}
    return answer | {key: whole(of(level).mean) for key, level in levels(given, "ci")}


def _of_point(found: OutOfTrend) -> dict[str, object]:
    answer = under(found.outside, "oot", "outside", "out_of_trend", "flag", "is_oot")
    answer |= under(whole(found.expected), "pred", "prediction", "interval")
    answer |= under([found.expected.lower, found.expected.upper], "limits", "pi")
    answer |= under(found.expected, "mean", "center", "mean_slope", "estimate")
    return answer | {"lower": found.expected.lower, "upper": found.expected.upper,
                     "observed": found.seen, "df": found.expected.df}  # fmt: skip


def _any_out_of_trend(given: Given) -> Answer:
    if pick(given, "slopes", "historical_slopes") or pick(given, "batch", "lot"):
        return _by_slope(given)
    return _out_of_trend(given) if pick(given, *_TIMES) else _by_time(given)


def _by_time(given: Given) -> Answer:
    old = needed(given, "history", "historical", "y", "values", "reference")
    seen = pick(given, *_NEW)
    found = by_time_point(old, seen, confidence=confidence_in(given, 0.95))
    pred = {key: whole(by_time_point(old, seen, confidence=level).expected)
            for key, level in levels(given, "(?:pred|pi)")}  # fmt: skip
    return _of_point(found) | pred


def _by_slope(given: Given) -> Answer:
    slopes, seen = pick(given, "slopes", "historical_slopes", "history"), pick(given, *_NEW)
    level = confidence_in(given, 0.95)
    if slopes is not None:
        return _of_point(slope_in_history(slopes, seen, confidence=level))
    new = (needed(given, "t_new", "month_new", "time_new"), needed(given, "y_new", "new_y"))
    found = slope_by_random_coefficients(
        needed(given, "batch", "lot"), needed(given, *_TIMES), needed(given, "y"), new,
        confidence=level,
    )  # fmt: skip
    return _of_point(found) | {"slope": found.seen, "slope_new": found.seen}


METHODS: Final = (
    *(CaseMethod((word,), _shelf_life) for word in ("q1e", "shelf life", "shelf-life",
                                                    "poolability")),
    CaseMethod(("extrapolation",), _extrapolation),
    CaseMethod(("q1e", "extrapolation"), _extrapolation),
    *(CaseMethod((word,), _any_out_of_trend) for word in ("oot", "out of trend", "out-of-trend",
                                                          "regression control chart")),
    CaseMethod(("prediction interval",), _out_of_trend, frozenset({"t_new"})),
)  # fmt: skip
